"""A table of results as a file for people and programs, or as text."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

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
            write_text(tabulate(_texts(table), list(table.columns), tablefmt="pipe") + "\n", path)
        case _:
            write_text(_html(table), path)


def table_text(table: pd.DataFrame) -> str:
    """Return a table as text of a terminal."""
    return tabulate(_texts(table), list(table.columns), tablefmt="simple", disable_numparse=True)


def _texts(table: pd.DataFrame) -> list[list[str]]:
    return [[_text(value) for value in row] for row in table.itertuples(index=False)]


def _text(value: object) -> str:
    if value is None or value != value:
        return ""
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def _html(table: pd.DataFrame) -> str:
    body = table.to_html(index=False, na_rep="", border=0, float_format=lambda one: f"{one:.4g}")
    return (
        '<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8">'
        "<title>clustrategy</title></head>\n<body>\n"
        f"{body}\n</body></html>\n"
    )
