"""The verification in words: a few lines, or the fault that ends a run."""

from __future__ import annotations

from collections.abc import Iterator

import pandas as pd

from clustrategy.verification.comparison import COMPLETE
from clustrategy.verification.judgement import COLUMNS, bound, worst


def fault(rows: pd.DataFrame) -> str | None:
    """Say in one sentence which number differs most, None if none does."""
    wrong = worst(rows)
    if wrong is None:
        return None
    count = int((rows["verdict"] == "differs").sum())
    return f"{count} of {len(rows)} known numbers differ, most of all {_in_words(wrong)}"


def _in_words(row: pd.Series) -> str:
    """Say what and where a row is, what was expected and found, and how far that is apart.

    Rows about the study as a whole have neither strategy nor term nor cell.
    """
    named = set(COLUMNS)
    where = ", ".join(
        f"{name}={row[name]:g}" if isinstance(row[name], float) else f"{name}={row[name]}"
        for name in row.index
        if name not in named and pd.notna(row[name])
    )
    strategy = f" of {row['strategy']!r}" if pd.notna(row["strategy"]) else ""
    term = f" for {row['term']}" if pd.notna(row["term"]) else ""
    place = f" ({where})" if where else ""
    away = (
        f"{row['z']:+.1f} Monte Carlo standard errors"
        if pd.notna(row["z"])
        else f"{row['tolerance']:.2g} is allowed"
    )
    return (
        f"{row['measure']}{strategy}{term}{place}: expected "
        f"{row['expected']:.5g}, found {row['found']:.5g}; {away}"
    )


def lines(rows: pd.DataFrame) -> Iterator[str]:
    """Say what was verified, for a table in which no number differs."""
    z = rows["z"].dropna().abs()
    limit = bound(len(z))
    yield (f"Verification: {len(rows):,} known numbers, none differs from what the studies found.")
    exact, rates, rough, same = (
        rows[rows["kind"] == kind] for kind in ("exact", "published", "approximate", "identity")
    )
    yield (
        f"  closed forms: {len(exact):,} numbers, largest |z| {exact['z'].abs().max():.2f} "
        f"(bound {limit:.2f} for all together), {100 * (z > 1.96).mean():.1f} % beyond 1.96"
    )
    if len(rates):
        yield (
            f"  published rates: {len(rates)}, largest |z| {rates['z'].abs().max():.2f}; "
            f"largest difference {(rates['found'] - rates['expected']).abs().max():.4f}"
        )
    for statement, mine in rough.groupby("statement", sort=False):
        away = (mine["found"] - mine["expected"]).abs().max()
        yield f"  {statement}: {len(mine)}, all within {away:.3f}"
    whole = same["statement"] == COMPLETE
    for tolerance, mine in same[~whole].groupby("tolerance"):
        yield (
            f"  identities to {tolerance:.0e}: {len(mine)}, largest relative difference "
            f"{mine['found'].max():.1e}"
        )
    if whole.any():
        yield (
            f"  {COMPLETE}: {whole.sum()} strategies, at most "
            f"{100 * same.loc[whole, 'found'].max():.2g} % of the datasets of a cell are without "
            "numbers"
        )
