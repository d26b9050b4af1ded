"""What the figures take from a study's performance table."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from clustrategy.figures.labels import strategy_label
from clustrategy.figures.terms import slopes

ALPHA = 0.05
"""Level of the tests, where the study sets no other."""

CONFIDENCE = 0.95
NO_VARIANCE = "no finite variance"


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
        rows["kind"] += rows["true_value"].map(", true value {:g}".format)
    return rows.groupby([*factors, "strategy", "kind"], as_index=False, sort=False).agg(
        value=("value", "mean"), mcse=("mcse", "mean"), n=("n", "min"), terms=("term", "nunique")
    )


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
    """Return in a sentence how many fits gave no numbers and so have no part in the measures.

    Nothing is said where the table does not tell.
    """
    rows = table[(table["measure"] == "failure_rate") & (table["handling"] == "case_wise")]
    if rows.empty:
        return ""
    fits = rows.groupby([*factors, "strategy"])[["value", "n"]].min()
    lost = (fits["value"] * fits["n"]).round().groupby(level="strategy").sum()
    named = [f"{strategy_label(s)} {lost[s]:,.0f}" for s in strategies if lost.get(s, 0) > 0]
    if not named:
        return "No fit failed."
    return (
        f"{lost.sum():,.0f} of {fits['n'].sum():,.0f} fits failed and are left out "
        f"({', '.join(named)})."
    )
