"""The names of a table's columns, and which columns are to be read."""

from __future__ import annotations

import unicodedata
from collections.abc import Collection, Sequence

from clustrategy.core.errors import DataError, nearest


def names_from_line(cells: Sequence[str], path: object) -> list[str]:
    """Return the names of columns that the first line of a table holds.

    Parameters
    ----------
    cells : sequence of str
        The values of the line.
    path : object
        What messages call the table.

    Returns
    -------
    list of str
        Without spaces around them, each letter in its usual form (NFC); '' for no name.

    Raises
    ------
    DataError
        If there are none, or all are numbers: the line is a row.
    """
    names = [unicodedata.normalize("NFC", cell.strip()) for cell in cells]
    if not any(names):
        raise DataError(f"{path}: has no names of columns in its first line")
    if all(map(_is_number, filter(None, names))):
        raise DataError(
            f"{path}: begins with numbers; the first line must be the names of the columns"
        )
    return names


def _is_number(text: str) -> bool:
    try:
        float(text.replace(",", "."))
    except ValueError:
        return False
    return True


def choose(names: Sequence[str], columns: Collection[str] | None, path: object) -> list[int]:
    """Return the places of the columns that are to be read.

    Parameters
    ----------
    names : sequence of str
        All columns; those without a name, '', are never read, since nothing could name them.
    columns : collection of str, optional
        Those wanted; all by default.
    path : object
        What messages call the table.

    Raises
    ------
    DataError
        If one is not there, or there twice.
    """
    wanted = [name for name in names if name]
    if columns is not None:
        asked = [unicodedata.normalize("NFC", name) for name in columns]
        for name in asked:
            if name not in wanted:
                raise DataError(
                    f"{path}: has no column {name!r}{nearest(name, wanted)}; it has "
                    f"{', '.join(wanted)}"
                )
        wanted = asked
    kept = set(wanted)
    first: dict[str, int] = {}
    places = []
    for place, name in enumerate(names):
        if name in kept:
            if first.setdefault(name, place) != place:
                raise DataError(
                    f"{path}: has more than one column called {name!r}, the {first[name] + 1}. and "
                    f"the {place + 1}.; rename one of them"
                )
            places.append(place)
    return places
