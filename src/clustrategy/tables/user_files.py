"""Reading a table from a file of the user's, whatever kind of file it is."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import os
import re
import zipfile
import zlib
from collections.abc import Callable, Collection, Sequence
from pathlib import Path
from typing import IO, TYPE_CHECKING

import pyarrow as pa
import pyarrow.parquet as pq

from clustrategy.core.errors import ClustrategyError, DataError, nearest
from clustrategy.core.fits import one_line
from clustrategy.tables.delimited import read_delimited
from clustrategy.tables.frames import from_arrow
from clustrategy.tables.headers import choose
from clustrategy.tables.memory import check_memory, out_of_memory
from clustrategy.tables.readstat import READERS
from clustrategy.tables.statistical_packages import read_statistical
from clustrategy.tables.workbooks import read_workbook

if TYPE_CHECKING:
    import pandas as pd

_BEGINNINGS = (
    (b"PAR1", "parquet"),
    (b"ARROW1", "arrow"),
    (b"\xff\xff\xff\xff", "arrow"),
    (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "excel"),
    (b"<stata_dta>", "dta"),
    (b"$FL2", "sav"),
    (b"$FL3", "zsav"),
    (b"\0" * 12 + b"\xc2\xea\x81\x60\xb3\x14\x11\xcf", "sas7bdat"),
    (b"HEADER RECORD*******LIB", "xpt"),
    (b"\x1f\x8b", "gz"),
    (b"BZh", "bz2"),
    (b"\xfd7zXZ\0", "xz"),
    (b"PK\x03\x04", "zip"),
    (b"PK\x05\x06", "zip"),
)
"""By which bytes a kind of file is known, whatever its name."""

_NAMED = {
    "parquet": ("Parquet", "parquet"),
    "pq": ("Parquet", "parquet"),
    "feather": ("Arrow", "arrow"),
    "arrow": ("Arrow", "arrow"),
    "xlsx": ("Excel", "excel"),
    "xlsm": ("Excel", "excel"),
    "xlsb": ("Excel", "excel"),
    "xls": ("Excel", "excel"),
    "ods": ("OpenDocument", "excel"),
    "dta": ("Stata", "dta"),
    "sav": ("SPSS", "sav"),
    "zsav": ("SPSS", "zsav"),
    "por": ("SPSS", "por"),
    "sas7bdat": ("SAS", "sas7bdat"),
    "xpt": ("SAS", "xpt"),
    "gz": ("gzip", "gz"),
    "bz2": ("bzip2", "bz2"),
    "xz": ("xz", "xz"),
    "zip": ("zip", "zip"),
}
"""What the ending of a file's name promises; all other files are text."""

_UNMARKED = ("dta", "por")
"""Kinds that, in older versions, have no beginning of their own."""

_COMPRESSED: dict[str, Callable[[io.BytesIO], io.BufferedIOBase]] = {
    "gz": lambda file: gzip.GzipFile(fileobj=file),
    "bz2": bz2.BZ2File,
    "xz": lzma.LZMAFile,
}
_NOT_WHOLE = (OSError, EOFError, zlib.error, lzma.LZMAError, zipfile.BadZipFile, RuntimeError)
_PART = 2**22
_LONGEST = 80


def read_table(
    path: str | os.PathLike[str],
    columns: Collection[str] | None = None,
    sheet: str | None = None,
) -> pd.DataFrame:
    r"""Read a table from a file.

    Parameters
    ----------
    path : str or path
        CSV and other text (any mark between columns, any encoding; compressed by gzip, bzip2, xz or
        zip, too), Parquet, Feather or Arrow, Excel or OpenDocument, Stata, SPSS or SAS. What the
        file holds counts, not its name.
    columns : collection of str, optional
        Those to read; all by default. Columns without a name are left out.
    sheet : str, optional
        The sheet of an Excel file; the first that holds anything by default.

    Returns
    -------
    DataFrame
        Numbers as numbers, text as text, and what is missing as missing: in text and Excel files
        empty values, NA, NaN, NULL and a lone point, too. Decimal commas are recognised. Values
        that cannot be told apart from names stay text: numbers with leading zeros (007), or more
        digits than a number can hold, or a mark that can be of thousands or of decimals (1,234).
        Labels of Stata and SPSS become categories where every value has one. Dates stay text in
        files of text.

    Warns
    -----
    ReadAs
        If a file has several sheets with rows, or its encoding had to be guessed.

    Raises
    ------
    DataError
        If there is no such file, it is damaged or no table, or reading it would take more memory
        than is free.

    Examples
    --------
    >>> from pathlib import Path
    >>> from tempfile import TemporaryDirectory
    >>> with TemporaryDirectory() as folder:
    ...     file = Path(folder, "pupils.csv")
    ...     _ = file.write_text("school;score\n007;1,5\n007;2\n")
    ...     read_table(file)
      school  score
    0    007    1.5
    1    007    2.0
    """
    file = Path(path).expanduser()
    try:
        return _read(file, columns, sheet)
    except ClustrategyError:
        raise
    except MemoryError:
        raise out_of_memory(file) from None
    except OSError as error:
        reason = os.strerror(error.errno) if error.errno else one_line(error)
        raise _damaged(file, reason) from None
    except Exception as error:  # Libraries throw whatever they like at damaged files.
        raise _damaged(file, one_line(error)) from None
    except BaseException as error:
        # A panic of the library that reads workbooks, which is no Exception.
        if type(error).__name__ != "PanicException":
            raise
        raise _damaged(file, "its parts do not fit together") from None


def _damaged(file: Path, reason: str) -> DataError:
    short = reason if len(reason) <= _LONGEST else reason[:_LONGEST] + " ..."
    return DataError(f"{file}: cannot be read ({short or 'it is damaged'})")


def _read(file: Path, columns: Collection[str] | None, sheet: str | None) -> pd.DataFrame:
    if isinstance(columns, str):
        raise DataError(f"columns must be a list of names, found {columns!r}")
    _check_is_there(file)
    kind = _kind(file)
    if sheet is not None and kind != "excel":
        raise DataError(f"{file}: has no sheets, so there is no {sheet!r}; leave sheet out")

    def chosen(names: Sequence[str]) -> list[int]:
        return choose(names, columns, file)

    if kind == "parquet":
        table = _parquet(file, chosen)
    elif kind == "arrow":
        table = _arrow(file, chosen)
    elif kind in READERS:
        return read_statistical(file, kind, columns)
    else:
        check_memory(file, file.stat().st_size)
        content = file.read_bytes()
        if kind == "excel":
            return read_workbook(content, file, chosen, sheet)
        table = read_delimited(_unpacked(content, kind, file), file, chosen)
    if not table.num_rows:
        raise DataError(f"{file}: has columns, but no rows")
    table.validate(full=True)
    return from_arrow(table)


def _check_is_there(file: Path) -> None:
    """Raise DataError where there is no file, with the nearest name."""
    if "://" in str(file) or str(file).startswith(("http:/", "https:/")):
        raise DataError(f"{file}: is an address, not a file; download it first")
    if file.is_dir():
        raise DataError(f"{file}: is a folder; name a file in it")
    if not file.exists():
        folder = file.parent
        if not folder.is_dir():
            raise DataError(f"{file}: there is no folder {str(folder)!r}")
        names = sorted(other.name for other in folder.iterdir() if other.is_file())
        raise DataError(f"{file}: there is no such file{nearest(file.name, names)}")


def _kind(file: Path) -> str:
    """Return what kind of file it is: a value of `_BEGINNINGS` and `_NAMED`, or 'text'."""
    with file.open("rb") as opened:
        start = opened.read(32)
    if not start:
        raise DataError(f"{file}: is empty")
    program, promised = _NAMED.get(file.suffix.lower().lstrip("."), ("", "text"))
    for beginning, kind in _BEGINNINGS:
        if start.startswith(beginning):
            if kind == "zip" and _is_workbook(file):
                return "excel"
            return kind
    if promised in _UNMARKED:
        return promised
    if promised != "text":
        looks = ", but text: name it .csv" if start.isascii() and b"\0" not in start else ""
        raise DataError(f"{file}: is no {program} file{looks}")
    return "text"


def _is_workbook(file: Path) -> bool:
    """Tell the zip archives that Excel and others write from those that hold files."""
    try:
        with zipfile.ZipFile(file) as archive:
            names = archive.namelist()
    except zipfile.BadZipFile:
        return _NAMED.get(file.suffix.lower().lstrip("."), ("", ""))[1] == "excel"
    return "[Content_Types].xml" in names or names[:1] == ["mimetype"]


def _unpacked(content: bytes, kind: str, file: Path) -> bytes:
    """Return the text of a file that may be compressed."""
    if kind == "text":
        return content
    try:
        if kind == "zip":
            unpacked = _member(content, file)
        else:
            with _COMPRESSED[kind](io.BytesIO(content)) as stream:
                unpacked = _all_of(stream, file)
    except (
        OSError,
        EOFError,
        zlib.error,
        lzma.LZMAError,
        zipfile.BadZipFile,
        RuntimeError,
    ) as error:
        raise DataError(f"{file}: is damaged or not whole ({one_line(error)})") from None
    if unpacked.startswith(tuple(beginning for beginning, _ in _BEGINNINGS)):
        raise DataError(f"{file}: holds a file that is not text; unpack it first")
    return unpacked


def _member(content: bytes, file: Path) -> bytes:
    """Return the one file that a zip archive holds."""
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        names = [
            name
            for name in archive.namelist()
            if not name.endswith("/") and not name.startswith("__MACOSX/")
        ]
        if len(names) != 1:
            found = f"{len(names)} files ({', '.join(names[:5])})" if names else "no file"
            raise DataError(f"{file}: must hold one table, found {found}; unpack it first")
        with archive.open(names[0]) as stream:
            return _all_of(stream, file)


def _all_of(stream: IO[bytes] | io.BufferedIOBase, file: Path) -> bytes:
    """Read a stream to its end, of which nobody knows in advance where it is."""
    done = bytearray()
    while part := stream.read(_PART):
        done += part
        check_memory(file, len(done))
    return bytes(done)


def _parquet(file: Path, chosen: Callable[[Sequence[str]], list[int]]) -> pa.Table:
    with pq.ParquetFile(file, page_checksum_verification=True) as parquet:
        names = [_named(name) for name in parquet.schema_arrow.names]
        places = chosen(names)
        check_memory(file, _width(parquet.schema_arrow, places) * parquet.metadata.num_rows)
        kept = [parquet.schema_arrow.names[place] for place in places]
        return parquet.read(columns=kept, use_threads=False).select(kept)


def _arrow(file: Path, chosen: Callable[[Sequence[str]], list[int]]) -> pa.Table:
    check_memory(file, 2 * file.stat().st_size)
    with pa.OSFile(str(file)) as source:
        is_stream = source.read(4) == b"\xff\xff\xff\xff"
        source.seek(0)
        reader = pa.ipc.open_stream(source) if is_stream else pa.ipc.open_file(source)
        with reader:
            table = reader.read_all()
    return table.select(chosen([_named(name) for name in table.column_names]))


def _named(name: str) -> str:
    """Return the name of a column, '' for the numbers of rows that pandas puts beside the table."""
    return "" if re.fullmatch(r"__index_level_\d+__", name) else name


def _width(schema: pa.Schema, places: Sequence[int]) -> int:
    """Return about how many bytes a row takes, in the file's form and as a table together."""
    return sum(
        3 * schema.field(place).type.byte_width if _is_fixed(schema.field(place).type) else 100
        for place in places
    )


def _is_fixed(kind: pa.DataType) -> bool:
    return bool(pa.types.is_primitive(kind) and kind.bit_width >= 8)
