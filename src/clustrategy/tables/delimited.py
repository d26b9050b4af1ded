"""Reading tables of text: which mark is between columns, and what each holds."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from itertools import chain

import pyarrow as pa
import pyarrow.csv

from clustrategy.core.counted import counted
from clustrategy.core.errors import DataError
from clustrategy.core.fits import one_line
from clustrategy.tables.encodings import to_utf8
from clustrategy.tables.headers import names_from_line
from clustrategy.tables.memory import check_memory
from clustrategy.tables.text_columns import MISSING, convert

_SEPARATORS = "\t;|,"
_CALLED = {",": "commas", ";": "semicolons", "|": "bars", "\t": "tabs or spaces"}
_SAMPLE = 2**16
_QUOTE = b'"'
_PAGE = re.compile(rb"\s*<(!doctype|html|head|body|\?xml)", re.IGNORECASE)
_BYTES_OF_VALUE = 24
"""What a value takes beside its text: a place in the text and the number that it becomes."""


@dataclass(frozen=True)
class _Dialect:
    """How the columns of a text are separated.

    Attributes
    ----------
    separator : str
        The mark between columns.
    names : list of str
        The columns; '' where a column has no name.
    line : int
        The line of the first row, from 1, and
    offset : int
        the byte at which it begins.
    """

    separator: str
    names: list[str]
    line: int
    offset: int


def read_delimited(
    content: bytes, path: object, choose: Callable[[Sequence[str]], list[int]]
) -> pa.Table:
    """Read a table whose columns are separated by commas, semicolons, tabs, bars or spaces.

    Parameters
    ----------
    content : bytes
        All of the file, in any encoding.
    path : object
        What messages call it.
    choose : function
        Told the names of all columns, it says which are to be read.

    Returns
    -------
    Table
        Each column as `text_columns.convert` says.

    Raises
    ------
    DataError
        If it is no such table, or a row has more or fewer values than there are columns.
    """
    content = to_utf8(content, path).rstrip(b" \r\n")
    if not content:
        raise DataError(f"{path}: is empty")
    if _PAGE.match(content):
        raise DataError(
            f"{path}: is a web page or XML, not a table; download or export the table itself"
        )
    if _is_spaced(content):
        content = _tabbed(content)
    elif _is_quoted_after_spaces(content):
        content = _without_spaces(content)
    dialect = _dialect(content, path)
    wanted = choose(dialect.names)
    rows = 1 + max(content.count(b"\n"), content.count(b"\r"))
    share = len(wanted) / len(dialect.names)
    check_memory(path, len(content) * share + _BYTES_OF_VALUE * rows * len(wanted))
    if content.count(_QUOTE) % 2:
        _check_quotes(content, dialect, path)
    labels = [str(place) for place in range(len(dialect.names))]
    try:
        table = pa.csv.read_csv(
            pa.BufferReader(pa.py_buffer(content).slice(dialect.offset)),
            # One thread takes less of a processor than several, and is not much slower.
            pa.csv.ReadOptions(column_names=labels, use_threads=False),
            pa.csv.ParseOptions(
                delimiter=dialect.separator,
                newlines_in_values=content.find(_QUOTE, dialect.offset) >= 0,
            ),
            pa.csv.ConvertOptions(
                column_types=dict.fromkeys(labels, pa.string()),
                include_columns=[labels[place] for place in wanted],
                null_values=MISSING,
                strings_can_be_null=True,
                check_utf8=False,
            ),
        )
    except pa.ArrowInvalid as error:
        raise _ragged(content, dialect, path, str(error)) from None
    return pa.table(convert({dialect.names[p]: table[labels[p]] for p in wanted}))


def _dialect(content: bytes, path: object) -> _Dialect:
    """Find out from the first lines how the columns are separated."""
    offset = len(content) - len(content.lstrip(b"\r\n"))
    told = re.match(rb"sep=(.)\r?\n", content[offset : offset + 10])
    if told:  # Excel's own way to say it.
        offset += told.end()
    sample = _first_lines(content, offset)
    separator = told[1].decode("latin-1") if told else _separator(sample)
    lines = list(io.StringIO(sample, newline=""))
    header = csv.reader(lines, delimiter=separator)
    next(header)
    return _Dialect(
        separator,
        _names(_rows(sample, separator), path),
        len(content[:offset].splitlines()) + header.line_num + 1,
        offset + len("".join(lines[: header.line_num]).encode()),
    )


def _first_lines(content: bytes, offset: int) -> str:
    """Return as many whole lines as make a sample, the first at least."""
    end = offset + _SAMPLE
    if end < len(content):
        ends = [place for mark in b"\n\r" if (place := content.rfind(mark, offset, end)) > 0]
        end = max(ends) if ends else len(content)
    return content[offset:end].decode()


def _separator(sample: str) -> str:
    """Return the mark that splits most lines into as many values as the first, and into most."""
    found = max(_SEPARATORS, key=lambda mark: _regular(sample, mark))
    return found if _regular(sample, found)[0] else ","


def _regular(sample: str, mark: str) -> tuple[float, int]:
    """Return the share of rows that have as many values as there are columns, and that number."""
    header, *rows = _rows(sample, mark) or [[""]]
    if len(header) == 1:
        return 0.0, 1
    sizes = [len(row) for row in rows]
    like = sum(size == len(header) for size in sizes) / max(1, len(sizes)) if sizes else 1.0
    # Beside names of rows there is one column more than there are names of columns.
    return max(like, 0.9 * (set(sizes) == {len(header) + 1})), len(header)


def _rows(sample: str, mark: str) -> list[list[str]]:
    try:
        return [row for row in csv.reader(io.StringIO(sample, newline=""), delimiter=mark) if row]
    except csv.Error:  # A value is longer than Python's reader takes.
        return [[""]]


def _is_spaced(content: bytes) -> bool:
    """Tell whether spaces are between columns: no other mark is, and lines are alike so."""
    sample = _first_lines(content, 0)
    if any(_regular(sample, mark)[0] for mark in _SEPARATORS):
        return False
    return _regular(_tabbed(sample.encode()).decode(), "\t")[0] > 0


def _tabbed(content: bytes) -> bytes:
    """Return text with a tab for any spaces and tabs between values."""
    content = re.sub(rb"(?m)^[ \t]+|[ \t]+(?=\r?$)", b"", content)
    if _QUOTE not in content:
        return re.sub(rb"[ \t]+", b"\t", content)
    return re.sub(rb'("(?:[^"\n]|"")*")|[ \t]+', lambda found: found[1] or b"\t", content)


def _is_quoted_after_spaces(content: bytes) -> bool:
    """Tell whether spaces are between a separator and a quotation mark that opens a value."""
    sample = _first_lines(content, 0)
    rows = _rows(sample, _separator(sample)) if ' "' in sample else []
    return any(value.startswith(" ") and value.lstrip()[:1] == '"' for row in rows for value in row)


def _without_spaces(content: bytes) -> bytes:
    """Return text without spaces before values."""
    mark = _separator(_first_lines(content, 0))
    done = io.StringIO(newline="")
    lines = io.StringIO(content.decode(), newline="")
    rows = csv.reader(lines, delimiter=mark, skipinitialspace=True)
    csv.writer(done, delimiter=mark, lineterminator="\n").writerows(rows)
    return done.getvalue().encode()


def _names(rows: list[list[str]], path: object) -> list[str]:
    """Return the names of the columns, '' for one without."""
    names = names_from_line(rows[0], path)
    body = rows[1:]
    if not body:
        raise DataError(f"{path}: has a line with the names of columns, but no rows")
    if len(names) > 1 and all(len(row) == len(names) + 1 for row in body):
        if not any(row[-1] for row in body):
            return [*names, ""]  # Lines end with a separator, except the first.
        if len({row[0] for row in body}) == len(body):
            return ["", *names]  # R writes names of rows so.
    return names


def _check_quotes(content: bytes, dialect: _Dialect, path: object) -> None:
    """Raise DataError where a quote that opens a value is never closed.

    A quote within a value, as of inches, is none that opens.
    """
    end, start, following = "\0", 0, 0
    lines = io.StringIO(content[dialect.offset :].decode(), newline="")
    reader = csv.reader(chain(lines, [end]), delimiter=dialect.separator)
    try:
        for row in reader:
            if row == [end]:
                return
            start, following = following, reader.line_num
    except csv.Error:
        start = following
    raise DataError(
        f"{path}: line {dialect.line + start:,} has a quotation mark that opens a value and is "
        "never closed"
    )


def _ragged(content: bytes, dialect: _Dialect, path: object, reason: str) -> DataError:
    """Return the error for rows that have not as many values as there are columns."""
    columns = len(dialect.names)
    lines = io.StringIO(content[dialect.offset :].decode(), newline="")
    reader = csv.reader(lines, delimiter=dialect.separator)
    before = 0
    with suppress(csv.Error):
        for row in reader:
            if row and len(row) != columns:
                mark = _CALLED.get(dialect.separator, repr(dialect.separator))
                return DataError(
                    f"{path}: line {dialect.line + before:,} has {counted(len(row), 'value')}, but "
                    f"there are names of {counted(columns, 'column')} (with {mark} between them)"
                )
            before = reader.line_num
    return DataError(f"{path}: cannot be read as a table of text ({one_line(reason)})")
