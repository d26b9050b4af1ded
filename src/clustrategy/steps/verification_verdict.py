"""The verdict of the verification."""

from __future__ import annotations

from clustrategy.core.errors import DataError
from clustrategy.tables.files import read_parquet, write_text
from clustrategy.verification import report


def verification_verdict(table: str, text: str) -> None:
    """Write what was verified in a few lines.

    Parameters
    ----------
    table : str
        The table that `verification_table` wrote.
    text : str
        The file to write.

    Raises
    ------
    DataError
        If a number differs; the sentence names the one that differs most. Nothing is written then.
    """
    rows = read_parquet(table).to_pandas()
    fault = report.fault(rows)
    if fault is not None:
        raise DataError(f"{table}: {fault}")
    write_text("\n".join(report.lines(rows)) + "\n", text)
