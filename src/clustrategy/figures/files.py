"""Reading a figure's table and writing its files."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from os import PathLike
from pathlib import Path

import matplotlib
import pandas as pd
from matplotlib.figure import Figure

from clustrategy.tables import write_whole


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


def read_table(path: str | PathLike[str]) -> pd.DataFrame:
    """Read a ``.parquet`` or ``.csv`` table."""
    return pd.read_csv(path) if Path(path).suffix == ".csv" else pd.read_parquet(path)


def save(figure: Figure, outputs: Sequence[str | PathLike[str]]) -> None:
    """Write a figure whole to each output, whose suffix decides the format.

    Equal figures are equal files: no date stands in them.
    """
    for output in map(Path, outputs):
        metadata = {"CreationDate": None} if output.suffix == ".pdf" else {}
        with matplotlib.rc_context({"pdf.fonttype": 42}):
            write_whole(output, partial(figure.savefig, metadata=metadata))
