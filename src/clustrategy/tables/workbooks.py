"""Reading a sheet of an Excel or OpenDocument file."""

from __future__ import annotations

import io
import warnings
import zipfile
from collections.abc import Callable, Sequence
from typing import Any

import pandas as pd
import pyarrow as pa
import python_calamine as calamine

from clustrategy.core.errors import DataError, ReadAs, nearest
from clustrategy.tables.frames import from_arrow, whole_numbers
from clustrategy.tables.headers import names_from_line
from clustrategy.tables.memory import check_memory
from clustrategy.tables.text_columns import MISSING, convert

_ENCRYPTED = "EncryptedPackage".encode("utf-16-le")
_GROWTH = 5
"""A cell takes about so many times the bytes of its XML."""


def read_workbook(
    content: bytes, path: object, choose: Callable[[Sequence[str]], list[int]], sheet: str | None
) -> pd.DataFrame:
    """Read the first sheet that holds anything, or the one that is asked for.

    Parameters
    ----------
    content : bytes
        All of the file: .xlsx, .xlsm, .xlsb, .xls or .ods.
    path : object
        What messages call it.
    choose : function
        Told the names of all columns, it says which are to be read.
    sheet : str, optional
        The name of a sheet.

    Returns
    -------
    DataFrame
        Numbers and text as `text_columns.convert` has them; columns that mix text and numbers, and
        dates, as they are.

    Warns
    -----
    ReadAs
        If `sheet` is None and other sheets hold something, too.

    Raises
    ------
    DataError
        If it is damaged or locked, or there is no such sheet or no rows in it.
    """
    if _ENCRYPTED in content:
        raise _locked(path)
    check_memory(path, _GROWTH * _unpacked(content))
    try:
        book = calamine.CalamineWorkbook.from_filelike(io.BytesIO(content))
        known = book.sheet_names
        if sheet is not None and sheet not in known:
            raise DataError(
                f"{path}: has no sheet {sheet!r}{nearest(sheet, known)}; it has {', '.join(known)}"
            )
        full = [name for name in known if book.get_sheet_by_name(name).height]
        chosen = sheet if sheet is not None else next(iter(full), known[0])
        rows = book.get_sheet_by_name(chosen).to_python(skip_empty_area=True)
    except calamine.PasswordError:
        raise _locked(path) from None
    where = path if len(known) == 1 else f"{path}, sheet {chosen!r}"
    table = _table(rows, where, choose)
    if sheet is None and len(full) > 1:
        others = ", ".join(repr(name) for name in full[1:])
        warnings.warn(
            f"{path}: the first sheet with rows, {chosen!r}, is read, not {others}; choose by "
            "sheet",
            ReadAs,
            stacklevel=2,
        )
    return table


def _locked(path: object) -> DataError:
    return DataError(f"{path}: is protected by a password; save it without one")


def _unpacked(content: bytes) -> int:
    """Return how many bytes of cells a workbook holds."""
    if not zipfile.is_zipfile(io.BytesIO(content)):
        return len(content)
    with zipfile.ZipFile(io.BytesIO(content)) as parts:
        return sum(part.file_size for part in parts.infolist())


def _table(
    rows: list[list[Any]], path: object, choose: Callable[[Sequence[str]], list[int]]
) -> pd.DataFrame:
    """Return rows of cells, the first with the names of columns, as a table."""
    if not rows:
        raise DataError(f"{path}: is empty")
    names = names_from_line([_text(cell) or "" for cell in rows[0]], path)
    while len(rows) > 1 and not any(cell != "" for cell in rows[-1]):
        rows.pop()
    if len(rows) < 2:
        raise DataError(f"{path}: has a line with the names of columns, but no rows")
    cells = {names[place]: [_present(row[place]) for row in rows[1:]] for place in choose(names)}
    kinds = {name: {type(cell) for cell in column} - {type(None)} for name, column in cells.items()}
    texts = {
        name: pa.chunked_array([pa.array(map(_text, column), pa.string())])
        for name, column in cells.items()
        if str in kinds[name] and kinds[name] <= {str, int, float, bool}
    }
    # Numbers may be in cells of text.
    converted = convert(texts)
    done: dict[str, Any] = {}
    for name, column in cells.items():
        found = converted.get(name)
        if found is None and kinds[name] <= {int, float}:
            found = whole_numbers(pa.chunked_array([pa.array(column, pa.float64())]))
        elif found is None and kinds[name] == {bool}:
            found = pa.chunked_array([pa.array(column)])
        is_mixed = found is None or (pa.types.is_string(found.type) and kinds[name] != {str})
        done[name] = (
            pd.Series(column, dtype=object)
            if is_mixed
            else from_arrow(pa.table({name: found}))[name]
        )
    return pd.DataFrame(done)


def _present(cell: Any) -> Any:
    """Return a cell, None where it is empty."""
    return None if isinstance(cell, str) and cell.strip() in MISSING else cell


def _text(cell: Any) -> str | None:
    """Return a cell as text, a whole number without decimals."""
    if isinstance(cell, float) and cell.is_integer():
        return str(int(cell))
    return None if cell is None else str(cell)
