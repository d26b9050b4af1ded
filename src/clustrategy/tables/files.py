"""Files that are whole or absent: Parquet with page checksums, CSV, text."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from itertools import chain
from pathlib import Path

import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet as pq

from clustrategy.core.errors import DataError


def write_whole(path: str | Path, write: Callable[[Path], object]) -> None:
    """Let `write` fill a file beside `path`, then put it in place at once.

    Raises
    ------
    DataError : where the disk is full or may not be written to; no part of the file is left.
    """
    path = Path(path)
    # The suffix stays last: some writers take the format from it.
    beside = path.with_name(f".{os.getpid()}.{path.name}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write(beside)
        with open(beside, "rb") as written:
            os.fsync(written.fileno())
        os.replace(beside, path)
    except OSError as error:
        reason = os.strerror(error.errno) if error.errno else str(error)
        raise DataError(
            f"{path}: could not be written ({reason}); all that was complete before is kept"
        ) from None
    finally:
        with suppress(OSError):
            beside.unlink()


def write_parquet(
    table: pa.Table | Iterable[pa.Table], path: str | Path, metadata: Mapping[str, str]
) -> None:
    """Write a table whole, with `metadata` in its schema.

    Of a table in parts, one part at a time is in memory.
    """
    parts, schema = _parts(table)
    schema = schema.with_metadata(dict(metadata))

    def write(beside: Path) -> None:
        with pq.ParquetWriter(beside, schema, write_page_checksum=True) as writer:
            for part in parts:
                writer.write_table(part)

    write_whole(path, write)


def write_csv(table: pa.Table | Iterable[pa.Table], path: str | Path) -> None:
    """Write a table whole, as CSV for people; one part at a time is in memory."""
    parts, schema = _parts(table)

    def write(beside: Path) -> None:
        with pyarrow.csv.CSVWriter(beside, schema) as writer:
            for part in parts:
                writer.write_table(part)

    write_whole(path, write)


def _parts(table: pa.Table | Iterable[pa.Table]) -> tuple[Iterable[pa.Table], pa.Schema]:
    """A table as parts that follow each other, and their schema."""
    parts = iter([table] if isinstance(table, pa.Table) else table)
    first = next(parts)
    return chain([first], parts), first.schema


def write_text(text: str, path: str | Path) -> None:
    """Write a text file whole."""
    write_whole(path, lambda beside: beside.write_text(text, encoding="utf-8"))


def read_parquet(path: str | Path) -> pa.Table:
    """Read a table.

    Raises
    ------
    DataError : where the file is not there or not whole; the sentence names it.
    """
    try:
        # Shards live in folders named factor=level, which are not to become columns here.
        return pq.read_table(path, partitioning=None, page_checksum_verification=True)
    except (OSError, pa.ArrowInvalid) as error:
        reason = str(error).splitlines()[0]
        raise DataError(f"{path}: cannot be read ({reason}); delete it and run again") from None
