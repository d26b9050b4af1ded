"""Put the audit's shards together, and sum them up by cell."""

from __future__ import annotations

from collections.abc import Sequence

import pyarrow as pa

from clustrategy.audit import report
from clustrategy.core.cells import read_shard_path
from clustrategy.core.errors import DataError
from clustrategy.tables.cells import with_cell
from clustrategy.tables.files import read_parquet, write_csv, write_parquet


def audit_table(shards: Sequence[str], *, audit_table: str, by_cell: str) -> None:
    """Write the audit of a whole study, and its summary by cell, strategy and reference.

    Parameters
    ----------
    shards : Sequence of str
        The files of `audit_shards`, in the order of cells and sims.
    audit_table, by_cell : str
        The Parquet and the CSV file to write.

    Raises
    ------
    DataError
        If there are no shards.
    """
    if not shards:
        raise DataError("the config has no 'audit:', so there is nothing to audit")
    parts = []
    for path in shards:
        cell, _ = read_shard_path(path)
        table = read_parquet(path).replace_schema_metadata(None)
        parts.append(with_cell(cell, table))
    whole = pa.concat_tables(parts)
    summary = pa.Table.from_pandas(report.by_cell(whole.to_pandas()), preserve_index=False)
    write_parquet(whole, audit_table, {})
    write_csv(summary.replace_schema_metadata(None), by_cell)
