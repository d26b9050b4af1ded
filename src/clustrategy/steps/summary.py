"""Sum up the scores of a study in one table."""

from __future__ import annotations

from collections.abc import Sequence

from clustrategy.evaluation.medians import medians
from clustrategy.tables.files import read_parquet, write_csv


def summary(
    *, scores: str, factors: Sequence[str], strategies: Sequence[str], summary: str
) -> None:
    """Write a row per strategy: medians and success rate over the whole grid.

    Parameters
    ----------
    scores : str
        The whole table of the study's scores.
    factors, strategies : Sequence of str
        The factors and the labels of the study, in the order of its tables.
    summary : str
        The CSV file to write.
    """
    write_csv(medians(read_parquet(scores), factors, strategies), summary)
