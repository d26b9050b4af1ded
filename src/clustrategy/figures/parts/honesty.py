"""What honest standard errors would be: those by which a strategy's estimates do scatter."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from clustrategy.evaluation.measures import NO_VARIANCE
from clustrategy.figures.parts.labels import cell_label, quoted_label


def empirical_errors(performance: pd.DataFrame, factors: Sequence[str]) -> pd.Series:
    """Return the empirical SE by cell, strategy and term, NaN where it does not settle."""
    mine = (performance["measure"] == "empirical_se") & (performance["handling"] == "case_wise")
    rows = performance[mine].set_index([*factors, "strategy", "term"])
    return rows["value"].mask(rows["note"] == NO_VARIANCE).astype(float)


def over_coefficients(values: pd.Series, factors: Sequence[str]) -> pd.Series:
    """Sum over terms, by cell and strategy; NaN where a term has no value."""
    return values.groupby(level=[*factors, "strategy"], observed=True).agg(
        lambda each: each.to_numpy().sum()
    )


def worst_and_best(ratios: pd.Series) -> tuple[tuple, tuple]:
    """Return the keys of the ratio farthest from 1 and of the nearest of the strategies' worst."""
    away = np.abs(np.log(ratios[ratios > 0]))
    worst = away.groupby(level="strategy", observed=True).idxmax()
    ordered = sorted(worst, key=lambda key: away[key])
    return ordered[-1], ordered[0]


def name_and_cell(key: tuple, varied: Sequence[str], factors: Sequence[str]) -> tuple[str, str]:
    """Return a strategy's name and, in brackets after a space, its cell if there are several."""
    levels = dict(zip(factors, key, strict=False))
    return quoted_label(key[-1]), f" ({cell_label(levels, varied)})" if varied else ""
