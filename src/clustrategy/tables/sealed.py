"""Small Parquet files with a seal: a digest of the whole file, in its own metadata.

The checksums of pages leave out what says how the pages are to be read, at the end of the file: a
bit flipped there can rename a column, or turn numbers into others, and go unnoticed.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from clustrategy.core.errors import DataError
from clustrategy.tables.files import damaged, whole

SEAL = "clustrategy.sha256"
"""The key of the digest of the file's bytes, in which `BLANK` stands for the digest itself."""

BLANK = "0" * 64


def write_sealed(table: pa.Table, path: str | Path, metadata: Mapping[str, str]) -> None:
    """Write a table whole, with `metadata` in its schema, and a seal."""
    sink = pa.BufferOutputStream()
    sealed = table.replace_schema_metadata({**metadata, SEAL: BLANK})
    pq.write_table(sealed, sink, write_page_checksum=True)
    content = sink.getvalue().to_pybytes()
    before, _, after = content.rpartition(BLANK.encode())
    with whole(path) as beside:
        beside.write_bytes(before + _digest(before, after) + after)


def read_sealed(path: str | Path) -> pa.Table:
    """Read a table, without its metadata, where its seal is unbroken.

    Raises
    ------
    DataError
        Where the file is not there, not whole, damaged or without a seal; the sentence names it.
    """
    try:
        content = Path(path).read_bytes()
        file = pq.ParquetFile(pa.BufferReader(content), page_checksum_verification=True)
        seal = (file.metadata.metadata or {}).get(SEAL.encode(), b"")
        before, _, after = content.rpartition(seal or BLANK.encode())
        if seal != _digest(before, after):
            raise DataError(f"{path}: is damaged: its seal is broken; delete it and run again")
        return file.read(use_threads=False).replace_schema_metadata(None)
    except (OSError, ValueError, pa.ArrowException) as error:
        raise damaged(path, error) from None


def _digest(before: bytes, after: bytes) -> bytes:
    return hashlib.sha256(before + BLANK.encode() + after).hexdigest().encode()
