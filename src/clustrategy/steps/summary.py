"""Sum up the scores of a study in one table."""

from __future__ import annotations

from collections.abc import Sequence

from clustrategy.evaluation.medians import medians
from clustrategy.tables.files import read_parquet, write_csv


def summary(
    *,
    scores: str,
    fits: str,
    factors: Sequence[str],
    strategies: Sequence[str],
    usable: Sequence[str],
    summary: str,
) -> None:
    """Write a row per strategy: medians over the whole grid, and how its fits ended.

    Parameters
    ----------
    scores, fits : str
        The whole tables of the study's scores and fits.
    factors, strategies : Sequence of str
        The factors and the labels of the study, in the order of its tables.
    usable : Sequence of str
        The status of fits whose numbers count.
    summary : str
        The CSV file to write.
    """
    tables = read_parquet(scores), read_parquet(fits)
    write_csv(medians(*tables, factors, strategies, usable), summary)
