"""Reading a figure's table and writing its files."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

if TYPE_CHECKING:
    from matplotlib.figure import Figure

METADATA: dict[str, dict[str, Any]] = {"png": {}, "pdf": {"CreationDate": None}}
"""What to write in the header of each format so that equal figures are equal files."""


@contextmanager
def quiet() -> Iterator[None]:
    """Keep matplotlib's notices (font cache, configuration folder) off standard error."""
    logger = logging.getLogger("matplotlib")
    level = logger.level
    logger.setLevel(logging.ERROR)
    try:
        yield
    finally:
        logger.setLevel(level)


def read_table(path: str | os.PathLike[str]) -> pd.DataFrame:
    """Read a ``.parquet`` or ``.csv`` table."""
    path = Path(path)
    readers = {".parquet": pd.read_parquet, ".csv": pd.read_csv}
    if path.suffix not in readers:
        raise ValueError(f"cannot read {path.name}: expected a .parquet or a .csv table")
    return readers[path.suffix](path)


def save(figure: Figure, outputs: Sequence[str | os.PathLike[str]]) -> None:
    """Write a figure to each output, whose suffix decides the format.

    A file appears under its name only once it is complete.
    """
    import matplotlib

    for output in map(Path, outputs):
        file_format = output.suffix.removeprefix(".")
        if file_format not in METADATA:
            raise ValueError(f"cannot write {output.name}: expected a .png or a .pdf file")
        partial = output.with_name(f".{output.name}.{os.getpid()}")
        try:
            with matplotlib.rc_context({"pdf.fonttype": 42}):
                figure.savefig(partial, format=file_format, metadata=METADATA[file_format])
            os.replace(partial, output)
        finally:
            partial.unlink(missing_ok=True)
