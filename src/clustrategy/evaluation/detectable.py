"""The minimal detectable effect of every strategy: by cell, and in the worst of all cells.

A liberal test detects small effects as it detects effects that are not there. So each strategy has
two: one of its tests as they are, and one at the critical value that gives them their level.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from statistics import NormalDist
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa

from clustrategy.core.cells import Cell
from clustrategy.core.shard import Floats
from clustrategy.evaluation import promises
from clustrategy.evaluation.cell_verdicts import ALL, CELL, NOT_EQUIVARIANT
from clustrategy.evaluation.over_cells import named
from clustrategy.evaluation.power_curves import Simulated
from clustrategy.evaluation.promises import GOAL, ONE_SIM, Found, Sample

BEYOND_LIST = "power does not reach 80 % at the listed effects, which go up to {:g}"
BELOW_LIST = "power is 80 % without any effect"
ALL_REJECT = "power passes 80 % between the listed effects {:g} and {:g} and is 100 % at the latter"
INTERPOLATED = "between the listed effects {:g} and {:g}"

BY_RESPONSE = "SD of the response"
BY_BOTH = "SD of the response per SD of the predictor"

SCHEMA = pa.schema(
    [
        ("scope", pa.string()),
        ("strategy", pa.string()),
        ("kind", pa.string()),
        ("terms", pa.string()),
        ("size_adjusted", pa.bool_()),
        ("power", pa.float64()),
        ("effect", pa.float64()),
        ("mcse", pa.float64()),
        ("conf_low", pa.float64()),
        ("conf_high", pa.float64()),
        ("standardised", pa.float64()),
        ("standardised_by", pa.string()),
        ("n", pa.int64()),
        ("safe", pa.bool_()),
        ("cells", pa.int64()),
        ("worst_cell", pa.string()),
        ("note", pa.string()),
    ]
)
"""The columns of `detectable.parquet` behind those of the factors."""


@dataclass(frozen=True)
class Units:
    """What effects are standardised by.

    Attributes
    ----------
    sd_of_response : float, optional
        The standard deviation of the response.
    sd_of_term : Mapping of str to float
        That of each numeric predictor, by its kind; those of predictors of 0 and 1 are not there.
    """

    sd_of_response: float | None = None
    sd_of_term: Mapping[str, float] | None = None

    def standardised(self, effect: float, kind: str) -> tuple[float | None, str | None]:
        """Return an effect in standard deviations, and in words in which."""
        if self.sd_of_response is None:
            return None, None
        sd = (self.sd_of_term or {}).get(kind)
        if sd is None:
            return effect / self.sd_of_response, BY_RESPONSE
        return effect * sd / self.sd_of_response, BY_BOTH


class Least(NamedTuple):
    """The minimal detectable effect of a strategy for the terms of a kind.

    Attributes
    ----------
    strategy, kind : str
        The label, and the kind.
    terms : tuple of str
        Its terms.
    size_adjusted : bool
        Whether it is that at the critical value that gives the tests their level.
    found : Found
        The effect.
    safe : bool, optional
        Whether the false-positive rate is.
    """

    strategy: str
    kind: str
    terms: tuple[str, ...]
    size_adjusted: bool
    found: Found
    safe: bool | None


def detectable_effect(
    sample: Sample,
    effects: Sequence[float],
    alpha: float,
    confidence: float,
    *,
    size_adjusted: bool = False,
) -> Found:
    """Return the effect at which the power is 80 %, averaged over those of both signs.

    Of tests that resample, whose power is known at the listed effects alone, it lies on the line
    between two of them on the probit scale; the sign is that of the listed effects.

    Parameters
    ----------
    sample : Sample
        The numbers, whatever the coefficients were.
    effects : Sequence of float
        The effects that are listed, above 0.
    alpha, confidence : float
        The level of the tests, and of the interval.
    size_adjusted : bool
        Whether the power is the size-adjusted one.

    Notes
    -----
    The Monte Carlo error and the interval are those of order statistics; after interpolation those
    of the delta method.
    """
    if sample.own is None:
        sample = sample.both_signs()
        return promises.minimal_detectable_effect(
            sample, alpha, confidence, size_adjusted=size_adjusted
        )
    function = promises.size_adjusted_power if size_adjusted else promises.power
    powers = dict(zip(effects, function(sample, effects, alpha, confidence), strict=True))
    ordered = sorted(powers)
    n = powers[ordered[0]].n
    if n < 2:
        return Found(n=n, note=ONE_SIM if n else sample.missing)
    rate = promises.false_positive_rate(sample, alpha, confidence)
    none = Found(alpha, n=n, influence=np.zeros(n)) if size_adjusted else rate
    if none.value >= GOAL:
        return Found(n=n, note=BELOW_LIST)
    reached = [effect for effect in ordered if powers[effect].value >= GOAL]
    if not reached:
        return Found(n=n, note=BEYOND_LIST.format(ordered[-1]))
    above = reached[0]
    place = ordered.index(above)
    below = ordered[place - 1] if place else 0.0
    if powers[above].value == 1.0:
        return Found(n=n, note=ALL_REJECT.format(below, above))
    # Without an effect half of the rejections have the sign that counts where there is one.
    ends = [_Probit.of(powers[below]) if place else _Probit.of(none, 0.5)]
    ends.append(_Probit.of(powers[above]))
    effect, mcse = _crossing((below, above), ends)
    low, high = promises.normal_interval(effect, mcse, confidence)
    note = INTERPOLATED.format(below, above)
    return Found(effect, mcse, max(low, 0.0), high, n, note=note)


class _Probit(NamedTuple):
    """A power on the probit scale, and how much each dataset moves it there."""

    value: float
    influence: Floats

    @classmethod
    def of(cls, found: Found, share: float = 1.0) -> _Probit:
        """Take a power, or a share of it; one of 0 as if a quarter of a dataset rejected."""
        if found.influence is not None:
            influence = found.influence[~np.isnan(found.influence)]
        else:
            assert found.by_dataset is not None
            influence = found.by_dataset - found.value
        normal = NormalDist()
        value = normal.inv_cdf(max(share * found.value, 0.25 / found.n))
        return cls(value, share * influence / normal.pdf(value))


def _crossing(effects: tuple[float, float], ends: Sequence[_Probit]) -> tuple[float, float]:
    """Return where the line between two powers crosses 80 %, and the Monte Carlo error of that."""
    below, above = ends
    rise = above.value - below.value
    share = (NormalDist().inv_cdf(GOAL) - below.value) / rise
    width = effects[1] - effects[0]
    influence = (1 - share) * below.influence + share * above.influence
    mcse = float(np.std(influence, ddof=1) / np.sqrt(influence.size)) * width / rise
    return effects[0] + share * width, mcse


def least_effects(cell: Sequence[Simulated], alpha: float, confidence: float) -> list[Least]:
    """Return the minimal detectable effects in a cell: of each strategy and kind two.

    Parameters
    ----------
    cell : Sequence of Simulated
        What `power_curves.simulated` gives.
    alpha, confidence : float
        The level of the tests, and of the intervals.
    """
    return [
        Least(
            one.strategy,
            one.kind,
            one.terms,
            size_adjusted,
            detectable_effect(
                one.sample, one.effects, alpha, confidence, size_adjusted=size_adjusted
            )
            if one.equivariant
            else Found(note=NOT_EQUIVARIANT),
            one.safe,
        )
        for one in cell
        for size_adjusted in (False, True)
    ]


BEYOND_REASON = 100.0
"""Standard deviations: an effect that is found only if it is larger is none."""


def within_reason(least: Sequence[Least], units: Units) -> list[Least]:
    """Take out effects that dwarf the response, as of tests with hardly a degree of freedom."""
    found = []
    for one in least:
        size, _ = units.standardised(one.found.value, one.kind)
        if size is not None and size > BEYOND_REASON:
            note = f"none below {BEYOND_REASON:g} standard deviations of the response"
            one = one._replace(found=Found(n=one.found.n, note=note))
        found.append(one)
    return found


def rows_of(least: Sequence[Least], units: Units) -> Iterator[dict[str, Any]]:
    """Yield the rows of a cell, as `SCHEMA` names their columns."""
    for one in least:
        yield {**_row(one, units), "scope": CELL, "cells": 1}


def over_cells(
    cells: Sequence[Cell],
    least: Sequence[Sequence[Least]],
    safe: Mapping[tuple[str, str], bool | None],
    units: Units,
) -> Iterator[dict[str, Any]]:
    """Yield of each strategy and kind the row of the cell in which the most has to be there.

    That is a cell without a minimal detectable effect, where there is one: the row says why.

    Parameters
    ----------
    cells : Sequence of Cell
        Of the study.
    least : Sequence of Sequence of Least
        What `least_effects` gives of each.
    safe : Mapping
        Of each strategy and kind, whether its false-positive rates are safe in all cells.
    units : Units
        What effects are standardised by.
    """
    by_key: dict[tuple[str, str, bool], list[tuple[Cell, Least]]] = {}
    for cell, found in zip(cells, least, strict=True):
        for one in found:
            key = (one.strategy, one.kind, one.size_adjusted)
            by_key.setdefault(key, []).append((cell, one))
    for (strategy, kind, _), met in by_key.items():
        effects = np.array([one.found.value for _, one in met])
        place = int(np.where(np.isnan(effects), np.inf, effects).argmax())
        cell, worst = met[place]
        yield {
            **_row(worst._replace(safe=safe.get((strategy, kind))), units),
            "scope": ALL,
            "cells": len(met),
            "worst_cell": named(cell) if len(met) > 1 else None,
        }


def over_all_cells(detectable: pa.Table) -> dict[tuple[str, str, bool], dict[str, Any]]:
    """Return the rows over all cells, by strategy, kind and whether they are size-adjusted.

    Parameters
    ----------
    detectable : Table
        As `SCHEMA`, with the factors.
    """
    return {
        (row["strategy"], row["kind"], row["size_adjusted"]): row
        for row in detectable.to_pylist()
        if row["scope"] == ALL
    }


def _row(one: Least, units: Units) -> dict[str, Any]:
    found = one.found
    values = found.value, found.mcse, found.low, found.high
    effect, mcse, low, high = (None if np.isnan(value) else value for value in values)
    standardised, by = (None, None) if effect is None else units.standardised(effect, one.kind)
    return {
        "strategy": one.strategy,
        "kind": one.kind,
        "terms": ", ".join(one.terms),
        "size_adjusted": one.size_adjusted,
        "power": GOAL,
        "effect": effect,
        "mcse": mcse,
        "conf_low": low,
        "conf_high": high,
        "standardised": standardised,
        "standardised_by": by,
        "n": found.n,
        "safe": one.safe,
        "note": found.note or None,
    }


def table_of(rows: Sequence[Mapping[str, Any]]) -> pa.Table:
    """Return rows as a table; what a row lacks is null."""
    return pa.Table.from_pylist([dict(row) for row in rows], SCHEMA)
