"""Draw the small data that show what repeated measures do."""

from __future__ import annotations

from clustrategy.examples import dependence as example
from clustrategy.tables.files import write_csv


def dependence(seed: int, *, table: str) -> None:
    """Write the three datasets of `examples.dependence`.

    Parameters
    ----------
    seed : int
        The study's seed.
    table : str
        The CSV file to write.
    """
    write_csv(example.dependence(seed), table)
