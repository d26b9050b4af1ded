"""Numbers that two strategies must share on every dataset of a balanced design of arms."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from clustrategy.core.shard import Floats
from clustrategy.engines.chosen import Strategy
from clustrategy.verification.cells import (
    Cell,
    Row,
    arms,
    is_t_test_of_summaries,
    options_of,
)
from clustrategy.verification.closed_forms import Arms
from clustrategy.verification.expected import GEE

CLOSED = {"estimate": 1e-10, "std_error": 1e-10, "df": 1e-8}
"""The relative differences that are allowed if both strategies compute in closed form."""

ITERATED = {"estimate": 1e-10, "std_error": 1e-8, "df": 1e-5}
"""The same if one of them searches for an optimum."""


@dataclass(frozen=True)
class Fitted:
    """What a strategy made of the datasets of a cell.

    Attributes
    ----------
    estimate, std_error, df : (S, p) array
        Its numbers.
    regular : (S,) array of bool
        Whether there is a fit and it is not singular.
    """

    estimate: Floats
    std_error: Floats
    df: Floats
    regular: NDArray[np.bool_]


class Twin(NamedTuple):
    """A strategy whose numbers another one shares.

    Attributes
    ----------
    statement : str
        What they share, in a few words.
    name : str
        The strategy.
    options : Mapping
        Its options.
    measures : Sequence of str
        The numbers: estimate, std_error, df.
    factor : float
        How many times larger the other one's standard errors are.
    """

    statement: str
    name: str
    options: Mapping[str, Any]
    measures: Sequence[str]
    factor: float = 1.0


def twins(design: Arms, strategy: Strategy) -> Iterator[Twin]:
    """Yield the strategies that must agree with a given one."""
    options, G = options_of(strategy), design.clusters
    both, all_three = ("estimate", "std_error"), ("estimate", "std_error", "df")
    if strategy.name == "cluster_robust":
        variance, df = options["variance"], options["df"]
        if variance == "CV3":
            words, factor = "jackknife = (G - 1)/G CR3", float(np.sqrt((G - 1) / G))
            yield Twin(words, "cluster_robust", {"variance": "CR3"}, both, factor)
        if variance in ("CR1", "CR2", "CV3") and not design.between:
            measures = all_three if df in ("G-1", "satterthwaite") else both
            yield Twin("CR1, CR2, CV3 = two-stage", "two_stage", {}, measures)
    elif strategy.name == "gee" and options["variance"] in GEE:
        variance = {"variance": GEE[options["variance"]]}
        yield Twin("GEE = least squares", "cluster_robust", variance, both)
    elif strategy.name == "fixed_effects" and not design.between:
        yield Twin("fixed effects = least squares", "cluster_robust", {}, ("estimate",))
    elif strategy.name in ("mixed_intercept", "mixed_maximal"):
        measures = both if options["df"] == "normal" else all_three
        if options["variance"] == "CR2":
            cr2 = {"variance": "CR2", "df": "satterthwaite"}
            yield Twin("mixed, CR2 = least squares, CR2", "cluster_robust", cr2, measures)
        elif design.between:
            yield Twin("mixed = t test on means", "two_stage", {}, measures)
        elif strategy.name == "mixed_maximal":
            yield Twin("mixed maximal = two-stage", "two_stage", {}, measures)


def identities(
    cell: Cell, strategies: Sequence[Strategy], fitted: Mapping[str, Fitted]
) -> pd.DataFrame:
    """Return the largest difference of each pair of strategies in the datasets of a cell.

    The identities do not hold on datasets on which either has no fit, or a singular one.

    Parameters
    ----------
    cell : Cell
        The cell.
    strategies : Sequence of Strategy
        The strategies of the study.
    fitted : Mapping of str to Fitted
        What each of them made of the cell, by label.
    """
    design = arms(cell.process)
    if design is None:
        return pd.DataFrame()
    rows: list[Row] = []
    for strategy in strategies:
        mine = fitted[strategy.label]
        for twin in twins(design, strategy):
            theirs = next((fitted[s.label] for s in strategies if _is(s, twin)), None)
            if theirs is None:
                continue
            regular = mine.regular & theirs.regular
            tolerance = ITERATED if strategy.name.startswith("mixed") else CLOSED
            for measure in twin.measures:
                rows.append(
                    {
                        **cell.factors,
                        "kind": "identity",
                        "statement": twin.statement,
                        "source": "algebra",
                        "strategy": strategy.label,
                        "measure": f"largest relative difference of {measure}",
                        "expected": 0.0,
                        "found": _difference(mine, theirs, regular, measure, twin.factor),
                        "tolerance": tolerance[measure],
                        "n": int(regular.sum()),
                    }
                )
    return pd.DataFrame(rows)


def _is(strategy: Strategy, twin: Twin) -> bool:
    options = options_of(strategy)
    return (
        strategy.name == twin.name
        and twin.options.items() <= options.items()
        and (strategy.name != "two_stage" or is_t_test_of_summaries(options))
    )


def _difference(
    mine: Fitted, theirs: Fitted, there: NDArray[np.bool_], measure: str, factor: float
) -> float:
    """Return the largest relative difference, 0 if there are no datasets.

    Estimates are relative to themselves or to their standard errors, whichever are larger.
    Coefficients that a strategy does not estimate are passed over.
    """
    a, b = getattr(mine, measure)[there], getattr(theirs, measure)[there]
    size = np.abs(b)
    if measure == "std_error":
        b, size = b * factor, size * factor
    if measure == "estimate":
        size = np.maximum(size, theirs.std_error[there])
    away = (np.abs(a - b) / size)[~np.isnan(mine.estimate[there])]
    return float(away.max(initial=0.0))
