"""What the figures take from a study's performance table."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from clustrategy.core.cells import MECHANISM
from clustrategy.core.scenarios import SCENARIO
from clustrategy.core.shard import INTERCEPT
from clustrategy.dgp.kinds import SETTINGS, kind
from clustrategy.dgp.process import options_of
from clustrategy.evaluation.measures import NO_VARIANCE
from clustrategy.figures.parts.intervals import Z_95, wilson
from clustrategy.figures.parts.labels import strategy_label
from clustrategy.figures.parts.study import Study

RATES = ("coverage", "bias_eliminated_coverage", "rejection_rate", "unusable_rate")
"""The measures that are a share of the fits."""


def case_wise(table: pd.DataFrame, measure: str) -> pd.DataFrame:
    """Return the rows of a measure in which each strategy is judged by all its usable fits."""
    return table[(table["measure"] == measure) & (table["handling"] == "case_wise")]


def of_zero(table: pd.DataFrame) -> pd.DataFrame:
    """Return the rows of the coefficients whose true value is zero in every sim."""
    return table[table["true_value"] == 0]


def slopes(table: pd.DataFrame, dgp: Mapping[str, Any]) -> pd.DataFrame:
    """Return the rows of the slopes, with a column of the ``kind`` of predictor of each.

    Predictors of a kind differ by chance alone: the same share of their variance is between
    clusters, their slopes vary as much between clusters, and all or none of them are exogenous.
    What of the data-generating process is not a column of the table is taken from ``dgp``. On the
    design of a table each term is a kind of its own.
    """
    rows = table[table["term"] != INTERCEPT]
    if SCENARIO in rows:
        return rows.assign(kind=rows["term"])
    decide = [name for name in (*SETTINGS, MECHANISM) if name in rows.columns]

    def settings(values: Sequence[Any]) -> dict[str, Any]:
        known = options_of(dgp, dict(zip(decide, values, strict=True)))
        return {**SETTINGS, **{k: known[k] for k in SETTINGS if known.get(k) is not None}}

    kinds = {
        (*values, term): kind(term, settings(values))
        for *values, term in rows[[*decide, "term"]].drop_duplicates().itertuples(False, None)
    }
    keys = zip(*(rows[name] for name in [*decide, "term"]), strict=True)
    return rows.assign(kind=[kinds[key] for key in keys])


def by_kind(table: pd.DataFrame, measure: str, study: Study) -> pd.DataFrame:
    """Average a measure over the slopes of a kind, for each cell and strategy.

    Values without a finite variance, whose Monte Carlo error no number of sims bounds, are left
    out. The Monte Carlo SE is the mean of those of the slopes: the largest that the SE of their
    mean can be, however their estimates are correlated.

    Returns
    -------
    DataFrame
        Factors, strategy, kind, value, mcse, n and terms, the number of slopes in the mean.
    """
    rows = case_wise(table, measure)
    rows = rows[np.isfinite(rows["value"]) & (rows["note"] != NO_VARIANCE)]
    rows = slopes(rows, study.dgp)
    return rows.groupby([*study.factors, "strategy", "kind"], as_index=False, sort=False).agg(
        value=("value", "mean"), mcse=("mcse", "mean"), n=("n", "min"), terms=("term", "nunique")
    )


def with_intervals(values: pd.DataFrame, measure: str) -> pd.DataFrame:
    """Add the ends of the 95 % Monte Carlo intervals, low and high.

    Those of rates are Wilson's; others reach 1.96 Monte Carlo SEs to either side.
    """
    if measure in RATES:
        low, high = wilson(values["value"] * values["n"], values["n"])
        return values.assign(low=low, high=high)
    half = Z_95 * values["mcse"].fillna(0)
    return values.assign(low=values["value"] - half, high=values["value"] + half)


def without_variance(table: pd.DataFrame, measure: str) -> pd.DataFrame:
    """Return the rows of a measure whose estimates have no finite variance."""
    rows = case_wise(table, measure)
    return rows[rows["note"] == NO_VARIANCE]


def sims(table: pd.DataFrame) -> int:
    """Return the number of datasets in a cell."""
    return int(table["n"].max()) if len(table) else 0


def unusable_fits(table: pd.DataFrame, study: Study) -> str:
    """Say in a sentence how many fits are unusable, by strategy.

    The sentence is empty where the table has no unusable_rate.
    """
    rows = case_wise(table, "unusable_rate")
    if rows.empty:
        return ""
    fits = rows.groupby([*study.factors, "strategy"])[["value", "n"]].min()
    lost = (fits["value"] * fits["n"]).round().groupby(level="strategy").sum()
    named = [f"{strategy_label(s)} {lost[s]:,.0f}" for s in study.strategies if lost.get(s, 0) > 0]
    if not named:
        return "All fits are usable."
    return (
        f"{lost.sum():,.0f} of {fits['n'].sum():,.0f} fits are unusable and are left out "
        f"({', '.join(named)})."
    )
