"""The verdict of the audit on a run."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from clustrategy.audit import report
from clustrategy.core.errors import DataError
from clustrategy.tables.files import read_parquet, write_text


def audit_verdict(circumstances: Mapping[str, Any], *, table: str, text: str) -> None:
    """Write what the audit found in a few lines.

    Parameters
    ----------
    circumstances : Mapping
        The fields of `report.Circumstances`.
    table : str
        The table that `audit_table` wrote.
    text : str
        The file to write.

    Raises
    ------
    DataError
        If the engine is at fault; the sentence names the first dataset and the command that makes
        it again. Nothing is written then.
    """
    said = report.Circumstances(**circumstances)
    rows = read_parquet(table).to_pandas()
    fault = report.fault(rows, said.remake)
    if fault is not None:
        raise DataError(f"{table}: {fault}")
    write_text("\n".join(report.lines(rows, said)) + "\n", text)
