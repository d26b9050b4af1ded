"""A table of results as a file for people and programs, or as text."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from tabulate import tabulate

from clustrategy.core.errors import ConfigError
from clustrategy.tables.files import write_text, write_whole

if TYPE_CHECKING:
    import pandas as pd

ENDINGS = (".csv", ".parquet", ".md", ".html")


def check_ending(path: str | Path) -> str:
    """Return the ending of a file's name.

    Raises
    ------
    ConfigError
        If nothing is written under such a name.
    """
    ending = Path(path).suffix.lower()
    if ending not in ENDINGS:
        raise ConfigError(f"{path}: the name of a file must end in one of {', '.join(ENDINGS)}")
    return ending


def write_table(table: pd.DataFrame, path: str | Path) -> None:
    """Write a table, whole or not at all, in the format of its name.

    Parameters
    ----------
    table : DataFrame
    path : str or Path
        Ends in .csv, .parquet, .md or .html.

    Raises
    ------
    ConfigError
        If it ends in anything else.
    DataError
        Where it cannot be written.
    """
    match check_ending(path):
        case ".csv":
            write_whole(path, lambda beside: table.to_csv(beside, index=False))
        case ".parquet":
            write_whole(path, lambda beside: table.to_parquet(beside, index=False))
        case ".md":
            write_text(_tabulated(table, "pipe") + "\n", path)
        case _:
            write_text(_html(table), path)


def table_text(table: pd.DataFrame) -> str:
    """Return a table as text of a terminal."""
    return _tabulated(table, "simple")


def _tabulated(table: pd.DataFrame, form: str) -> str:
    """Return the table with numbers to the right, and text as it is, were it all digits."""
    columns = [_texts(column) for _, column in table.items()]
    head = [_line(name) for name in table.columns]
    rows = [list(row) for row in zip(*columns, strict=True)]
    if form == "pipe":
        head, *rows = [[text.replace("|", r"\|") for text in row] for row in [head, *rows]]
    sides = ["right" if kind.kind in "iuf" else "left" for kind in table.dtypes]
    return tabulate(rows, head, tablefmt=form, colalign=sides, disable_numparse=True)


def _texts(column: pd.Series) -> list[str]:
    """Return a column's values as text, nothing for one that is missing."""
    cells = zip(column, column.isna(), strict=True)
    return ["" if missing else _text(value) for value, missing in cells]


def _text(value: object) -> str:
    return _number(float(value)) if isinstance(value, float | np.floating) else _line(value)


def _line(value: object) -> str:
    return " ".join(str(value).split("\n"))


def _number(value: float) -> str:
    """Return four digits of a number, or all of one that is whole."""
    return f"{value:.0f}" if value.is_integer() and abs(value) < 1e15 else f"{value:.4g}"


def _html(table: pd.DataFrame) -> str:
    body = table.to_html(index=False, na_rep="", border=0, float_format=_number)
    return (
        '<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8">'
        "<title>clustrategy</title></head>\n<body>\n"
        f"{body}\n</body></html>\n"
    )
