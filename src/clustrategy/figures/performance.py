"""What the figures take from a study's performance table."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from clustrategy.figures.intervals import Z_95, wilson
from clustrategy.figures.labels import strategy_label
from clustrategy.figures.marks import MARKERS
from clustrategy.figures.terms import SETTINGS, slopes

ALPHA = 0.05
"""Level of the tests, where the study sets no other."""

CONFIDENCE = 0.95
NO_VARIANCE = "no finite variance"

SHARES = ("coverage", "bias_eliminated_coverage", "rejection_rate", "failure_rate")
"""The measures that are a share of the fits."""


def of_truth(table: pd.DataFrame, truth: str) -> pd.DataFrame:
    """Return the rows of the coefficients whose true value is ``zero`` or some ``other`` number.

    With any other word all rows are returned. A coefficient that is drawn anew in every sim is
    neither.
    """
    value = table["true_value"]
    kept = {"zero": value == 0, "other": value.notna() & (value != 0)}
    return table[kept[truth]] if truth in kept else table


def by_kind(
    table: pd.DataFrame,
    measure: str,
    factors: Sequence[str],
    dgp: Mapping[str, Any],
    *,
    by_truth: bool = False,
) -> pd.DataFrame:
    """Return a measure of each cell, strategy and kind of predictor: the mean over its slopes.

    Values without a finite variance, which no number of sims makes any surer, are left out.

    The Monte Carlo SE is the mean of the slopes' own: the largest that the SE of their mean can
    be, however their estimates are correlated.

    Parameters
    ----------
    table
        The performance table.
    measure
        One of its measures.
    factors
        The study's factors.
    dgp
        What of the data-generating process is the same in all cells.
    by_truth
        Whether slopes of different true values are different kinds.

    Returns
    -------
    measures
        Factors, strategy, kind, value, mcse, n, terms (how many slopes it is the mean of).
    """
    mine = (table["measure"] == measure) & (table["handling"] == "case_wise")
    mine &= np.isfinite(table["value"]) & (table["note"] != NO_VARIANCE)
    rows = slopes(table[mine], dgp)
    if by_truth:
        rows["kind"] += _true_value(rows)
    return rows.groupby([*factors, "strategy", "kind"], as_index=False, sort=False).agg(
        value=("value", "mean"), mcse=("mcse", "mean"), n=("n", "min"), terms=("term", "nunique")
    )


def _true_value(rows: pd.DataFrame) -> pd.Series:
    return rows["true_value"].map(", true value {:g}".format)


def kind_markers(
    table: pd.DataFrame, shown: pd.DataFrame, dgp: Mapping[str, Any]
) -> dict[str, str]:
    """Return the markers of the kinds of predictors that are shown, in the study's order.

    A kind has the same marker in all figures of a study, whatever kinds have a value there. Of a
    kind's true values other than 0 the first has it, and the others have markers of their own.

    Parameters
    ----------
    table
        The performance table of the whole study.
    shown
        What is drawn, with its ``kind``.
    """
    first: list[tuple[str, ...]] = []
    others: list[tuple[str, ...]] = []
    decide = [name for name in table if name in (*SETTINGS, "term", "true_value")]
    for kind, rows in slopes(table.drop_duplicates(decide), dgp).groupby("kind", sort=False):
        true = of_truth(rows, "other").drop_duplicates("true_value")
        values = [f"{kind}{words}" for words in _true_value(true).tolist()]
        first.append((str(kind), *values[:1]))
        others += [(value,) for value in values[1:]]
    drawn = set(shown["kind"])
    return {
        name: MARKERS[place % len(MARKERS)]
        for place, names in enumerate([*first, *others])
        for name in names
        if name in drawn
    }


def with_intervals(values: pd.DataFrame, measure: str) -> pd.DataFrame:
    """Return a measure's values with the ends of their 95 % Monte Carlo intervals, low and high.

    Wilson's for shares, else 1.96 Monte Carlo SEs to either side.
    """
    if measure in SHARES:
        low, high = wilson(values["value"] * values["n"], values["n"])
        return values.assign(low=low, high=high)
    half = Z_95 * values["mcse"].fillna(0)
    return values.assign(low=values["value"] - half, high=values["value"] + half)


def without_variance(table: pd.DataFrame, measure: str) -> pd.DataFrame:
    """Return the rows of a measure whose estimates have no finite variance."""
    return table[
        (table["measure"] == measure)
        & (table["handling"] == "case_wise")
        & (table["note"] == NO_VARIANCE)
    ]


def sims(table: pd.DataFrame) -> int:
    """Return the number of datasets in a cell."""
    return int(table["n"].max()) if len(table) else 0


def null_band(n: int, share: float) -> tuple[float, float]:
    """Return where 95 % of the rates of `n` sims are whose expectation is `share`."""
    half = 1.96 * (share * (1 - share) / max(n, 1)) ** 0.5
    return max(share - half, 0.0), min(share + half, 1.0)


def failures(table: pd.DataFrame, factors: Sequence[str], strategies: Sequence[str]) -> str:
    """Return in a sentence how many fits are not usable and so have no part in the measures.

    Nothing is said where the table does not tell.
    """
    rows = table[(table["measure"] == "failure_rate") & (table["handling"] == "case_wise")]
    if rows.empty:
        return ""
    fits = rows.groupby([*factors, "strategy"])[["value", "n"]].min()
    lost = (fits["value"] * fits["n"]).round().groupby(level="strategy").sum()
    named = [f"{strategy_label(s)} {lost[s]:,.0f}" for s in strategies if lost.get(s, 0) > 0]
    if not named:
        return "All fits are usable."
    return (
        f"{lost.sum():,.0f} of {fits['n'].sum():,.0f} fits are not usable and are left out "
        f"({', '.join(named)})."
    )
