"""The power of every strategy at all effects from one set of sims: whole curves, with their errors.

Where the power is not known to be the same for effects of both signs, as on designs that are not
symmetric, a curve is the mean over the effect and its negative.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa

from clustrategy.dgp.kinds import INTERCEPT_KIND
from clustrategy.evaluation import promises
from clustrategy.evaluation.promises import Found, Sample

BEYOND = 2.0
"""Curves go to so many times the largest of the effects that are listed."""

POINTS = 60
"""A curve has at most so many points, and the listed effects."""

STEPS = (1.0, 2.0, 2.5, 5.0, 10.0)
"""A curve's points are so many times a power of ten apart."""

SCHEMA = pa.schema(
    [
        ("strategy", pa.string()),
        ("kind", pa.string()),
        ("terms", pa.string()),
        ("effect", pa.float64()),
        ("power", pa.float64()),
        ("mcse", pa.float64()),
        ("conf_low", pa.float64()),
        ("conf_high", pa.float64()),
        ("size_adjusted_power", pa.float64()),
        ("size_adjusted_mcse", pa.float64()),
        ("size_adjusted_low", pa.float64()),
        ("size_adjusted_high", pa.float64()),
        ("n", pa.int64()),
        ("safe", pa.bool_()),
    ]
)
"""The columns of `power.parquet` behind those of the factors."""


class Point(NamedTuple):
    """The power at an effect.

    Attributes
    ----------
    effect : float
        In units of the response per unit of the term.
    power, adjusted : Found
        The plain power, and the size-adjusted one.
    """

    effect: float
    power: Found
    adjusted: Found


class Simulated(NamedTuple):
    """The numbers of a strategy for the terms of a kind in a cell.

    Attributes
    ----------
    strategy, kind : str
        The label, and the kind.
    terms : tuple of str
        Its terms.
    sample : Sample
        The numbers.
    effects : tuple of float
        Those that are listed, at which tests that resample have p-values.
    equivariant : bool
        Whether the strategy depends on the coefficients by a shift alone.
    safe : bool, optional
        Whether its false-positive rate in the cell is.
    """

    strategy: str
    kind: str
    terms: tuple[str, ...]
    sample: Sample
    effects: tuple[float, ...]
    equivariant: bool = True
    safe: bool | None = None


def simulated(
    strategies: Sequence[str],
    kinds: Mapping[str, tuple[str, ...]],
    sample: Callable[[int, tuple[str, ...]], Sample],
    effects: Mapping[str, tuple[float, ...]],
    equivariant: Mapping[str, bool],
    safe: Mapping[tuple[str, str], bool | None],
) -> Iterator[Simulated]:
    """Yield the numbers of each strategy in a cell, for each kind of terms but the intercept.

    The intercept is there where it is alone.

    Parameters
    ----------
    strategies : Sequence of str
        The labels.
    kinds : Mapping
        The terms of each kind.
    sample : callable
        Gives the numbers of a strategy, by its place, for some terms.
    effects : Mapping
        The effects listed for each kind.
    equivariant : Mapping
        Of each strategy, whether it depends on the coefficients by a shift alone.
    safe : Mapping
        Of each strategy and kind, whether the false-positive rate in the cell is safe.
    """
    slopes = [kind for kind in kinds if kind != INTERCEPT_KIND] or [*kinds]
    for place, strategy in enumerate(strategies):
        for kind in slopes:
            yield Simulated(
                strategy,
                kind,
                kinds[kind],
                sample(place, kinds[kind]),
                effects[kind],
                equivariant[strategy],
                safe.get((strategy, kind)),
            )


def fine(effects: Sequence[float]) -> list[float]:
    """Return the effects of a curve: from 0 evenly to beyond the largest of some, and these.

    Examples
    --------
    >>> from clustrategy.evaluation.power_curves import fine
    >>> effects = fine([0.1, 0.25])
    >>> effects[:13], effects[-1]
    ([0.0, 0.01, 0.02, 0.03, 0.04, 0.05, 0.06, 0.07, 0.08, 0.09, 0.1, 0.11, 0.12], 0.5)
    """
    end = BEYOND * max(effects)
    ten = 10.0 ** np.floor(np.log10(end / POINTS))
    step = next(s for s in STEPS if s * ten * POINTS >= end * (1 - 1e-9)) * ten
    even = [float(f"{place * step:.10g}") for place in range(int(np.ceil(end / step - 1e-9)) + 1)]
    return sorted({*even, *effects})


def curve(sample: Sample, effects: Sequence[float], alpha: float, confidence: float) -> list[Point]:
    """Return the power at effects from 0 on, averaged over those of both signs.

    That of tests that resample is at 0 and at the listed effects alone, of one sign.

    Parameters
    ----------
    sample : Sample
        The numbers, whatever the coefficients were.
    effects : Sequence of float
        The effects that are listed, above 0.
    alpha, confidence : float
        The level of the tests, and of the intervals.
    """
    if sample.own is None:
        sample, effects = sample.both_signs(), fine(effects)
        plain = promises.power(sample, effects, alpha, confidence)
    else:
        plain = promises.power(sample, effects, alpha, confidence)
        plain = [promises.false_positive_rate(sample, alpha, confidence), *plain]
    adjusted = promises.size_adjusted_power(sample, effects, alpha, confidence)
    if sample.own is not None:
        n = plain[0].n
        effects = [0.0, *effects]
        adjusted = [Found(alpha, 0.0, alpha, alpha, n) if n > 1 else adjusted[0], *adjusted]
    return sorted(map(Point, effects, plain, adjusted), key=lambda point: point.effect)


def curves(cell: Sequence[Simulated], alpha: float, confidence: float) -> pa.Table:
    """Return the curves of a cell as a table, without those of which nothing is known.

    Parameters
    ----------
    cell : Sequence of Simulated
        What `simulated` gives.
    alpha, confidence : float
        The level of the tests, and of the intervals.

    Returns
    -------
    Table
        As `SCHEMA`.
    """
    rows = [
        row(one, point)
        for one in cell
        if one.equivariant
        for point in curve(one.sample, one.effects, alpha, confidence)
        if point.power.n
    ]
    return pa.Table.from_pylist(rows, SCHEMA)


def row(one: Simulated, point: Point) -> dict[str, Any]:
    """Return the row of a point, as `SCHEMA` names its columns; what is not known is null."""
    values = {
        "effect": point.effect,
        "power": point.power.value,
        "mcse": point.power.mcse,
        "conf_low": point.power.low,
        "conf_high": point.power.high,
        "size_adjusted_power": point.adjusted.value,
        "size_adjusted_mcse": point.adjusted.mcse,
        "size_adjusted_low": point.adjusted.low,
        "size_adjusted_high": point.adjusted.high,
    }
    return {
        "strategy": one.strategy,
        "kind": one.kind,
        "terms": ", ".join(one.terms),
        **{name: None if np.isnan(value) else value for name, value in values.items()},
        "n": point.power.n,
        "safe": one.safe,
    }
