"""What honest standard errors would be: those by which a strategy's estimates do scatter."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from clustrategy.evaluation.measures import NO_VARIANCE
from clustrategy.figures.parts.performance import case_wise


def empirical_errors(performance: pd.DataFrame, factors: Sequence[str]) -> pd.Series:
    """Return the empirical SE by cell, strategy and term, NaN where it does not settle."""
    rows = case_wise(performance, "empirical_se").set_index([*factors, "strategy", "term"])
    return rows["value"].mask(rows["note"] == NO_VARIANCE).astype(float)


def over_coefficients(values: pd.Series, factors: Sequence[str]) -> pd.Series:
    """Sum over terms, by cell and strategy; NaN where a term has no value."""
    return values.groupby(level=[*factors, "strategy"], observed=True).agg(
        lambda each: each.to_numpy().sum()
    )


def against_honest(reported: pd.Series, honest: pd.Series) -> pd.DataFrame:
    """Return by cell and strategy ``value``, reported over honest, and how far ``away`` it is."""
    ratios = (reported / honest).rename("value").replace(0, np.nan).dropna().reset_index()
    return ratios.assign(away=np.abs(np.log(ratios["value"])))
