"""What columns of text hold: numbers, truth values or text, and what is missing."""

from __future__ import annotations

from collections.abc import Mapping

import pyarrow as pa
import pyarrow.compute as pc

MISSING = ("", ".", "NA", "N/A", "n/a", "#N/A", "#NV", "NaN", "nan", "NULL", "null", "<NA>")
"""The texts that say that there is no value."""

EXACT = 2.0**53
_TRUTH = {"true": True, "false": False}
_LEADING_ZERO = r"^0[0-9xX][0-9a-fA-F]*$"
_LONG = r"^[+-]?[0-9]{16,}$"
_EXPONENT = r"([eE][+-]?[0-9]+)?$"
_WHOLE = r"^[+-]?[0-9]+$"
_WITH = {
    mark: rf"^[+-]?([0-9]+{m}[0-9]*|{m}[0-9]+){_EXPONENT}" for mark, m in ((",", ","), (".", r"\."))
}
_GROUPED = {
    mark: rf"^[+-]?[1-9][0-9]{{0,2}}({m}[0-9]{{3}})+$" for mark, m in ((",", ","), (".", r"\."))
}


def convert(columns: Mapping[str, pa.ChunkedArray]) -> dict[str, pa.ChunkedArray]:
    """Convert each column of text to what it holds.

    Parameters
    ----------
    columns : mapping of str to ChunkedArray of text
        All columns of one table: a decimal comma in one tells how others are meant.

    Returns
    -------
    dict of str to ChunkedArray
        Whole numbers (int64), numbers (float64), truth values or text; null where the text, without
        the spaces around it, is one of `MISSING`. Text remains where

        - any value is none of these;
        - a number has a leading zero (007) or more digits than a number can hold: it is a name;
        - a mark can be of decimals or of thousands, as in 1,234. It is of decimals where another
          column has values in which it cannot be of thousands, such as 1,5.
    """
    texts = dict(columns)
    done = {}
    for name, column in columns.items():
        found = _value(column)
        if found is None:
            texts[name] = column = _trimmed(column)
            found = _value(column)
        done[name] = column if found is None else found
    with_comma = {name for name, column in done.items() if _is_text(column) and _has(column, ",")}
    if any(_is_clear(texts[name], ",") for name in with_comma):
        for name in with_comma:
            done[name] = pc.replace_substring(texts[name], ",", ".").cast(pa.float64())
        for name, column in done.items():
            if name not in with_comma and pa.types.is_floating(column.type):
                text = texts[name]
                if _has(text, ".") and not _is_clear(text, "."):
                    done[name] = text
    return done


def _value(column: pa.ChunkedArray) -> pa.ChunkedArray | None:
    """Return a column as numbers or truth values; None where it is neither."""
    if column.null_count == len(column):
        return column.cast(pa.float64())
    first = next(chunk for chunk in column.chunks if chunk.null_count < len(chunk)).drop_null()[0]
    if str(first).lower() in _TRUTH:
        lower = pc.utf8_lower(column)
        known = pc.is_in(lower, pa.array(list(_TRUTH)), skip_nulls=True)
        return pc.equal(lower, "true") if _all(pc.or_(known, lower.is_null())) else None
    if _any(pc.match_substring_regex(column.filter(pc.starts_with(column, "0")), _LEADING_ZERO)):
        return None
    try:
        return column.cast(pa.int64())
    except pa.ArrowInvalid:
        pass
    try:
        numbers = column.cast(pa.float64())
    except pa.ArrowInvalid:
        return None
    is_large = pc.greater_equal(pc.abs(numbers), EXACT)
    if _any(is_large) and _any(pc.match_substring_regex(column.filter(is_large), _LONG)):
        return None
    return numbers


def _trimmed(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """Return a column of text without spaces around the values, null where a value is missing."""
    trimmed = pc.utf8_trim_whitespace(column)
    missing = pc.is_in(trimmed, pa.array(MISSING))
    return pc.if_else(missing, pa.scalar(None, trimmed.type), trimmed) if _any(missing) else trimmed


def _has(column: pa.ChunkedArray, mark: str) -> bool:
    """Tell whether a column holds numbers alone, and some with a mark before decimals."""
    marked = pc.match_substring_regex(column, _WITH[mark])
    return _any(marked) and _all(pc.or_(marked, pc.match_substring_regex(column, _WHOLE)))


def _is_clear(column: pa.ChunkedArray, mark: str) -> bool:
    """Tell whether the mark in some value of a column cannot stand between thousands."""
    marked = column.filter(pc.match_substring(column, mark))
    return not _all(pc.match_substring_regex(marked, _GROUPED[mark]))


def _is_text(column: pa.ChunkedArray) -> bool:
    return bool(pa.types.is_string(column.type) or pa.types.is_large_string(column.type))


def _any(flags: pa.ChunkedArray) -> bool:
    return bool(pc.any(flags).as_py())


def _all(flags: pa.ChunkedArray) -> bool:
    return pc.all(flags).as_py() is not False
