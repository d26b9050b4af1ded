"""Reading the tables of a figure and writing its files."""

from __future__ import annotations

import logging
import re
import warnings
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial, reduce
from operator import and_, or_
from os import PathLike
from pathlib import Path
from typing import Any

import matplotlib
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from matplotlib.figure import Figure

from clustrategy.figures.parts.frame import wordless, words_on
from clustrategy.tables.files import write_whole

PATH = re.compile(r'(?<=\sd=")[^"]+')
LONG = re.compile(r"-?\d+\.\d{3,}")
COMMAND = re.compile(r"\s*([A-Za-z])\s*")
"""The paths of an SVG file, and in them the numbers of more than two decimals and the letters."""


@contextmanager
def quiet() -> Iterator[None]:
    """Keep matplotlib's notices off standard error: font cache, configuration folder, glyphs."""
    logger = logging.getLogger("matplotlib")
    level = logger.level
    logger.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            # Names in scripts that the font lacks are seen to be lacking in the picture.
            warnings.filterwarnings("ignore", "Glyph .* missing from font", UserWarning)
            yield
    finally:
        logger.setLevel(level)


@dataclass(frozen=True)
class Rows:
    """A large table, as ``.parquet`` file, of which a figure reads what it needs."""

    path: str | PathLike[str]

    def read(self, columns: Sequence[str], where: Mapping[str, Collection[Any]]) -> pd.DataFrame:
        """Read columns of the rows that have one of the values that ``where`` has for a column.

        Texts come as categories.
        """
        # Not "in", which misses zeros: pyarrow's statistics call a column of zeros -0.0.
        wanted = [
            reduce(or_, (pc.field(column) == value for value in values))
            for column, values in where.items()
        ]
        filters = reduce(and_, wanted) if wanted else None
        table = pq.read_table(self.path, columns=[*columns], filters=filters, partitioning=None)
        kinds = {pa.string(), pa.large_string()}
        texts = [field.name for field in table.schema if field.type in kinds]
        return table.to_pandas(categories=texts)


def read_table(path: str | PathLike[str]) -> pd.DataFrame:
    """Read a ``.parquet`` or ``.csv`` table."""
    return pd.read_csv(path) if Path(path).suffix == ".csv" else pd.read_parquet(path)


def save(figure: Figure, outputs: Sequence[str | PathLike[str]]) -> None:
    """Write a figure to each output, whole or not at all; the suffix decides the format.

    Its words are in the metadata of the files. An SVG is for pages, which print the words as text:
    its picture is without them. Equal figures are equal files, so there is no date in them.
    """
    words = words_on(figure)
    title, said = words.title, words.description
    metadata: dict[str, dict[str, Any]] = {
        ".png": {"Title": title, "Description": said},
        ".pdf": {"Title": title, "Subject": said, "CreationDate": None},
        ".svg": {"Title": title, "Description": said, "Date": None},
    }
    for output in map(Path, outputs):
        with matplotlib.rc_context({"pdf.fonttype": 42, "svg.hashsalt": "clustrategy"}):
            write_whole(output, partial(_write, figure, metadata[output.suffix]))


def _write(figure: Figure, metadata: Mapping[str, Any], path: Path) -> None:
    if path.suffix != ".svg":
        figure.savefig(path, metadata=dict(metadata))
        return
    with wordless(figure) as between:
        figure.savefig(path, metadata=dict(metadata), bbox_inches=between)
    text = PATH.sub(_shortened, path.read_text(encoding="utf-8"))
    path.write_text(text, encoding="utf-8")


def _shortened(found: re.Match[str]) -> str:
    """Write a path in fewer letters; hundredths of a point are enough."""
    rounded = LONG.sub(lambda number: f"{float(number[0]):.2f}", found[0])
    return COMMAND.sub(r"\1", rounded)
