"""Files that are whole or absent: Parquet with page checksums, CSV, text."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, suppress
from pathlib import Path
from typing import Protocol

import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet as pq

from clustrategy.core.errors import DataError


@contextmanager
def whole(path: str | Path) -> Iterator[Path]:
    """Give a place beside `path` to write to; what is there in the end is put in place at once.

    Parameters
    ----------
    path : str or Path
        The file to write; its folder is made.

    Raises
    ------
    DataError
        Where the disk is full or may not be written to; no part of the file is left.
    """
    path = Path(path)
    # The suffix stays last: some writers take the format from it.
    beside = path.with_name(f".{os.uname().nodename}-{os.getpid()}.{path.name}")
    try:
        with _naming(path):
            path.parent.mkdir(parents=True, exist_ok=True)
            yield beside
            with open(beside, "rb") as written:
                os.fsync(written.fileno())
            os.replace(beside, path)
    finally:
        with suppress(OSError):
            beside.unlink()


@contextmanager
def _naming(path: str | Path) -> Iterator[None]:
    """Say in a sentence which file could not be written."""
    try:
        yield
    except OSError as error:
        reason = os.strerror(error.errno) if error.errno else str(error)
        raise DataError(
            f"{path}: could not be written ({reason}); all that was complete before is kept"
        ) from None


def write_whole(path: str | Path, write: Callable[[Path], object]) -> None:
    """Let `write` fill a file that is whole or absent, as `whole` says."""
    with whole(path) as beside:
        write(beside)


class _Writer(Protocol):
    """What writes tables of one schema into an open file."""

    def write_table(self, table: pa.Table) -> None: ...

    def close(self) -> None: ...


@contextmanager
def _parts(
    path: str | Path, start: Callable[[Path, pa.Schema], _Writer]
) -> Iterator[Callable[[pa.Table], None]]:
    writer: _Writer | None = None
    with whole(path) as beside:

        def write(table: pa.Table) -> None:
            nonlocal writer
            with _naming(path):  # Other files may be open around this one.
                if writer is None:
                    writer = start(beside, table.schema)
                writer.write_table(table)

        try:
            yield write
        finally:
            if writer is not None:
                writer.close()


def parquet_parts(
    path: str | Path, metadata: Mapping[str, str]
) -> AbstractContextManager[Callable[[pa.Table], None]]:
    """Open a Parquet file for tables that are written one after the other.

    Parameters
    ----------
    path : str or Path
    metadata : mapping of str to str
        To stand in the file's schema.

    Returns
    -------
    context manager
        It gives the function that writes a table; the file is whole or absent. Pages have
        checksums, which `read_parquet` verifies.
    """

    def start(beside: Path, schema: pa.Schema) -> _Writer:
        known = schema.with_metadata(dict(metadata))
        return pq.ParquetWriter(beside, known, write_page_checksum=True)

    return _parts(path, start)


def csv_parts(path: str | Path) -> AbstractContextManager[Callable[[pa.Table], None]]:
    """Open a CSV file, for people, for tables that are written one after the other."""
    return _parts(path, pyarrow.csv.CSVWriter)


def write_parquet(table: pa.Table, path: str | Path, metadata: Mapping[str, str]) -> None:
    """Write a table whole, with `metadata` in its schema."""
    with parquet_parts(path, metadata) as write:
        write(table)


def write_csv(table: pa.Table, path: str | Path) -> None:
    """Write a table whole, as CSV for people."""
    with csv_parts(path) as write:
        write(table)


def write_text(text: str, path: str | Path) -> None:
    """Write a text file whole."""
    write_whole(path, lambda beside: beside.write_text(text, encoding="utf-8"))


def read_parquet(path: str | Path) -> pa.Table:
    """Read a table, its pages' checksums verified.

    Raises
    ------
    DataError
        Where the file is not there, not whole or damaged; the sentence names it.
    """
    try:
        # Shards live in folders named factor=level, which are not to become columns here.
        return pq.read_table(path, partitioning=None, page_checksum_verification=True)
    except (OSError, ValueError, pa.ArrowException) as error:
        raise damaged(path, error) from None


def damaged(path: str | Path, error: Exception) -> DataError:
    """Say in a sentence that a file cannot be read."""
    reason = (str(error).splitlines() or [type(error).__name__])[0]
    return DataError(f"{path}: cannot be read ({reason}); delete it and run again")


def remove_leftovers(folder: str | Path) -> None:
    """Remove what processes that were killed left behind of files that they were writing."""
    for path in Path(folder).rglob(".*-*.*"):
        path.unlink(missing_ok=True)
