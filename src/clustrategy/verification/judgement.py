"""The verdict on each row of the verification's table."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from scipy.special import ndtri

from clustrategy.verification.comparison import OWN

FAMILY_WISE = 0.01
"""The probability that any |z| exceeds the bound although all is right."""

COLUMNS = (
    "kind",
    "statement",
    "source",
    "strategy",
    "term",
    "measure",
    "expected",
    "found",
    "mcse",
    "z",
    "tolerance",
    "n",
    "verdict",
)


def bound(count: int) -> float:
    """Return what |z| may not exceed in any of `count` rows (Bonferroni), one if there is none."""
    return float(-ndtri(FAMILY_WISE / (2.0 * max(1, count))))


def judge(parts: Sequence[pd.DataFrame]) -> pd.DataFrame:
    """Return the rows of all parts as one table, each with its verdict.

    A row `agrees` or `differs` by the bound on |z| if it is exact or published, else by its
    tolerance, plus three Monte Carlo standard errors if it has one. No number is no agreement.

    Parameters
    ----------
    parts : Sequence of DataFrame
        Rows with factors and some of `COLUMNS`.
    """
    table = pd.concat([part for part in parts if len(part)], ignore_index=True)
    factors = [name for name in table.columns if name not in (*COLUMNS, OWN)]
    table = table.reindex(columns=["kind", "statement", "source", *factors, *COLUMNS[3:]])
    by_z = table["kind"].isin(["exact", "published"])
    away = (table["found"] - table["expected"]).abs()
    allowed = table["tolerance"] + 3.0 * table["mcse"].fillna(0.0)
    right = np.where(by_z, table["z"].abs() <= bound(int(by_z.sum())), away <= allowed)
    table["verdict"] = np.where(right, "agrees", "differs")
    return table


def worst(table: pd.DataFrame) -> pd.Series | None:
    """Return the row that differs most, None if none does."""
    wrong = table[table["verdict"] == "differs"]
    if not len(wrong):
        return None
    excess = (wrong["found"] - wrong["expected"]).abs() / wrong["tolerance"]
    by_z = wrong["z"].abs() / bound(int(table["z"].notna().sum()))
    return wrong.iloc[int(by_z.fillna(excess).fillna(np.inf).to_numpy().argmax())]
