"""Put the audit's shards together, and sum them up by cell."""

from __future__ import annotations

import pyarrow as pa

from clustrategy.audit import report
from clustrategy.study.audits import AuditedBlocks
from clustrategy.study.plan import read_plan
from clustrategy.tables.cells import with_cell
from clustrategy.tables.files import write_csv, write_parquet


def audit_table(folder: str, *, audit_table: str, by_cell: str) -> None:
    """Write the audit of a whole study, and its summary by cell, strategy and reference.

    Parameters
    ----------
    folder : str
        Of the study, with its plan.
    audit_table, by_cell : str
        The Parquet and the CSV file to write.

    Raises
    ------
    DataError
        If the study has no audit.
    """
    audited = AuditedBlocks.of(read_plan(folder))
    whole = pa.concat_tables(with_cell(head.cell, audited.read(head)) for head in audited.blocks)
    summary = pa.Table.from_pandas(report.by_cell(whole.to_pandas()), preserve_index=False)
    write_parquet(whole, audit_table, {})
    write_csv(summary.replace_schema_metadata(None), by_cell)
