"""A user's table, whatever holds it: as a DataFrame, and its columns as numbers."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from decimal import Decimal
from numbers import Real
from os import PathLike
from typing import TYPE_CHECKING, Any

import numpy as np

from clustrategy.core.errors import DataError, nearest
from clustrategy.core.shard import Floats
from clustrategy.core.validation import described

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa

_PLAIN = r"\s*[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?\s*"
_COMMA = r"[+-]?\d*,\d+"
_GROUPED = r"[+-]?\d{1,3}([,.' \u2019\xa0\u202f]\d{3})+([.,]\d+)?"
_MARKED = rf"\s*({_COMMA}|{_GROUPED})\s*"

EXACT = 2**53
"""Whole numbers below are the same as 64-bit floats."""


def frame(data: object, what: str) -> pd.DataFrame:
    """Return a table as a DataFrame of its own rows, numbered from 0.

    Parameters
    ----------
    data : object
        A DataFrame of pandas, polars or any library that speaks Arrow (`__arrow_c_stream__`), a
        pyarrow Table, a mapping of columns or a structured NumPy array. It is not changed.
    what : str
        What messages call it, such as 'the data'.

    Returns
    -------
    DataFrame
        Its columns are text, each there once.

    Raises
    ------
    DataError
        If it is no such table.
    """
    import pandas as pd

    if isinstance(data, str | PathLike):
        raise DataError(
            f"{what} must be a table, found {described(str(data))}; read a file first, "
            "as by clustrategy.read_table(path)"
        )
    found = data if isinstance(data, pd.DataFrame) else _converted(data)
    if found is None:
        raise DataError(
            f"{what} must be a table (of pandas, polars or pyarrow, or a dict of columns of one "
            f"length), found {_kind(data)}"
        )
    if found.columns.nlevels > 1:
        raise DataError(
            f"{what} have columns of {found.columns.nlevels} levels (a MultiIndex); give each "
            "column one name"
        )
    for name in found.columns:
        if not isinstance(name, str):
            raise DataError(
                f"{what} have a column whose name is not text, {described(name)}; name it first, "
                "as by data.columns = data.columns.astype(str)"
            )
    twice = found.columns[found.columns.duplicated()]
    if len(twice):
        raise DataError(f"{what} have more than one column called {twice[0]!r}")
    return found.reset_index(drop=True)


def _converted(data: object) -> pd.DataFrame | None:
    """Return a table that is no DataFrame as one, None where it is none at all."""
    import pandas as pd
    import pyarrow as pa

    try:
        if hasattr(data, "__arrow_c_stream__") or hasattr(data, "__arrow_c_array__"):
            # Whole numbers with gaps stay whole: as floats they could lose digits unseen.
            table = pa.table(data)
            return table.to_pandas(integer_object_nulls=True, ignore_metadata=True)
        if isinstance(data, Mapping):
            return pd.DataFrame(dict(data))
        if isinstance(data, np.ndarray) and data.dtype.names:
            return pd.DataFrame({name: data[name] for name in data.dtype.names})
    except Exception:  # Whatever pandas or pyarrow threw, it is no table to them.
        return None
    return None


def from_arrow(table: pa.Table) -> pd.DataFrame:
    """Return an Arrow table as a DataFrame in which whole numbers with gaps stay whole.

    As floats they could lose digits unseen, and 7 would be called 7.0 as the name of a cluster.
    """
    import pandas as pd
    import pyarrow as pa

    names = ("Int8", "Int16", "Int32", "Int64", "UInt8", "UInt16", "UInt32", "UInt64")
    kinds = {pa.type_for_alias(name.lower()): name for name in names} | {pa.bool_(): "boolean"}

    def with_gaps(kind: pa.DataType) -> Any:
        return pd.api.types.pandas_dtype(kinds[kind]) if kind in kinds else None

    return pd.DataFrame(
        {
            name: column.to_pandas(types_mapper=with_gaps if column.null_count else None)
            for name, column in zip(table.column_names, table.columns, strict=True)
        }
    )


def whole_numbers(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """Return 64-bit floats that are all whole as whole numbers, which some files have no type for.

    As the name of a cluster, 7 is not to be called 7.0.
    """
    import pyarrow as pa
    import pyarrow.compute as pc

    if not pa.types.is_floating(column.type) or column.null_count == len(column):
        return column
    is_whole = pc.and_(pc.equal(pc.floor(column), column), pc.less(pc.abs(column), float(EXACT)))
    return column.cast(pa.int64()) if pc.all(is_whole).as_py() else column


def _kind(data: object) -> str:
    if data is None:
        return "nothing"
    if isinstance(data, Mapping):
        return "a mapping that is none"
    name = type(data).__name__
    return f"{'an' if name[0] in 'aeiouAEIOU' else 'a'} {name}"


def require(data: pd.DataFrame, name: str, what: str) -> None:
    """Raise DataError where a table, called `what` in messages, lacks a column."""
    if name not in data.columns:
        known = list(data.columns)
        raise DataError(
            f"{what} have no column {name!r}{nearest(name, known)}; they have {', '.join(known)}"
        )


def is_text(values: pd.Series[Any]) -> bool:
    """Tell whether a column holds text alone, and some of it."""
    import pandas as pd

    if isinstance(values.dtype, pd.CategoricalDtype) or values.dtype.kind not in "OU":
        return False
    there = values[values.notna().to_numpy()].to_numpy(dtype=object)
    return bool(pd.api.types.infer_dtype(there, skipna=False) == "string")


def check_one_kind(data: pd.DataFrame, name: str, what: str) -> None:
    """Raise DataError where a column of labels mixes text, numbers and truth values.

    As labels, 1 and '1' would be two, 1 and True one. `what` is what messages call the table.
    """
    import pandas as pd

    values = data[name]
    if isinstance(values.dtype, pd.CategoricalDtype):
        values = values.astype(values.cat.categories.dtype)
    if values.dtype != object or is_text(values):
        return
    first: dict[str, tuple[int, object]] = {}
    for row, (value, absent) in enumerate(zip(values, values.isna(), strict=True)):
        if not absent:
            first.setdefault(_kind_of_label(value), (row, value))
    if len(first) > 1:
        (one, (row, value)), (other, (place, found)) = list(first.items())[:2]
        raise DataError(
            f"the column {name!r} of {what} holds {one} in some rows and {other} in others: "
            f"{described(value)} in row {row}, {described(found)} in row {place}"
        )


def _kind_of_label(value: object) -> str:
    if isinstance(value, str):
        return "text"
    if isinstance(value, bool | np.bool_):
        return "truth values"
    is_number = isinstance(value, Real | Decimal) and not _is_duration(value)
    return "numbers" if is_number else "other things"


def check_no_stray_text(data: pd.DataFrame, name: str, what: str) -> None:
    """Raise DataError where a column of text is one of numbers, apart from some values.

    One 'many' among the numbers would make each of them a category. A column all of whose values
    are numbers is text on purpose, as 007 is.

    Parameters
    ----------
    data : DataFrame
        As `frame` returns it.
    name : str
        A column of text.
    what : str
        What messages call the table.
    """
    values = data[name].astype("str")
    there = values.notna().to_numpy()
    plain = values.str.fullmatch(_PLAIN).fillna(False).to_numpy(dtype=bool)
    marked = values.str.fullmatch(_MARKED).fillna(False).to_numpy(dtype=bool)
    if not plain[there].all() and (plain | marked)[there].mean() > 0.5:
        row = int(np.flatnonzero(there & ~plain)[0])
        found = str(values.iloc[row])
        raise DataError(
            f"the column {name!r} of {what} must hold numbers, as most of its values are, found "
            f"{described(found)} in row {row}{_hint(found) or f'; C({name}) makes it categories'}"
        )


def numbers(data: pd.DataFrame, name: str, what: str) -> Floats:
    """Return a column as numbers.

    Parameters
    ----------
    data : DataFrame
        As `frame` returns it.
    name : str
        The column: numbers and truth values of any type, as objects too.
    what : str
        What messages call the table.

    Returns
    -------
    (rows,) array
        NaN where the column has none.

    Raises
    ------
    DataError
        If the column is not there, holds anything else, or a whole number so large that a 64-bit
        float would lose its last digits. The sentence names the first such value.
    """
    require(data, name, what)
    values = data[name]
    kind = values.dtype.kind
    if kind in "fb":
        return np.array(values.to_numpy(dtype=np.float64, na_value=np.nan))
    missing = values.isna().to_numpy(dtype=bool)
    if kind in "iu":
        whole = values.to_numpy(dtype=np.uint64 if kind == "u" else np.int64, na_value=0)
        floats = whole.astype(np.float64)
        for row in np.flatnonzero(np.abs(floats) >= EXACT):
            if int(floats[row]) != int(whole[row]):
                raise _too_large(name, what, int(whole[row]), int(row))
        floats[missing] = np.nan
        return floats
    objects = np.asarray(values.astype(object), dtype=object)
    floats = np.full(len(objects), np.nan)
    for row in np.flatnonzero(~missing):
        floats[row] = _number(objects[row], name, what, int(row))
    return floats


def _number(value: object, name: str, what: str, row: int) -> float:
    """Return an object as a number."""
    if not isinstance(value, Real | Decimal | np.bool_) or _is_duration(value):
        raise DataError(
            f"the column {name!r} of {what} must hold numbers, found {described(value)} in "
            f"row {row}{_hint(value)}"
        )
    try:
        number = float(value)
    except OverflowError:
        raise _too_large(name, what, value, row) from None
    if math.isfinite(number) and abs(number) >= EXACT and number != value:
        raise _too_large(name, what, value, row)
    return number


def _hint(value: object) -> str:
    """Say what a text that is nearly a number may be meant to be."""
    if not isinstance(value, str):
        return ""
    text = value.strip()
    if re.fullmatch(r"[+-]?[1-9]\d{0,2}[,.]\d{3}", text):
        return ", whose mark can be of decimals or of thousands; write it with a point or without"
    if re.fullmatch(_COMMA, text):
        return f", which has a decimal comma; write {text.replace(',', '.')}"
    if re.fullmatch(_GROUPED, text):
        return ", which has marks between thousands; write it without them"
    return ""


def _is_duration(value: object) -> bool:
    """Tell NumPy's durations, which are whole numbers to Python, from numbers."""
    return isinstance(value, np.timedelta64)


def _too_large(name: str, what: str, value: object, row: int) -> DataError:
    return DataError(
        f"the column {name!r} of {what} holds {described(value)} in row {row}, a number with more "
        "digits than a 64-bit float has; subtract or divide by something first"
    )
