"""Tables are read from files of any kind, and a bad file costs one sentence."""

from __future__ import annotations

import bz2
import csv
import datetime
import gzip
import io
import lzma
import os
import random
import warnings
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import openpyxl
import pandas as pd
import pyarrow as pa
import pyarrow.feather
import pyarrow.parquet as pq
import pyreadstat
import pytest
from hypothesis import given
from hypothesis import strategies as st

from clustrategy.core.errors import DataError, ReadAs
from clustrategy.tables import memory
from clustrategy.tables.user_files import read_table

PUPILS = {"school": ["a", "a", "b"], "score": [1.5, -2.0, 30.25], "age": [10, 11, 12]}


@pytest.fixture(autouse=True)
def _no_warnings() -> Any:
    """What is decided about a file is said where a test expects it, and nowhere else."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        yield


def read(folder: Path, content: str | bytes, name: str = "t.csv", **how: Any) -> pd.DataFrame:
    path = folder / name
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return read_table(path, **how)


def lists(table: pd.DataFrame) -> dict[str, list[Any]]:
    """Return the columns with None for what is missing."""
    return {
        name: [None if pd.isna(value) else value for value in table[name].tolist()]
        for name in table
    }


def refusal(folder: Path, content: str | bytes, name: str = "t.csv", **how: Any) -> str:
    """Return the sentence that says what is wrong, without the path it begins with."""
    with pytest.raises(DataError) as error:
        read(folder, content, name, **how)
    sentence = str(error.value)
    assert sentence.startswith(str(folder / name)) and "\n" not in sentence
    return sentence.removeprefix(str(folder / name))


# ---- text: separators, encodings, decimals -------------------------------------------------------

TEXT = "school,score,age\na,1.5,10\na,-2.0,11\nb,30.25,12\n"


@pytest.mark.parametrize(
    "text",
    [
        TEXT,
        TEXT.replace(",", ";"),
        TEXT.replace(",", "\t"),
        TEXT.replace(",", "|"),
        TEXT.replace(",", " "),
        TEXT.replace(",", "   ").replace("\n", "  \n "),
        TEXT.replace(",", " \t "),
        TEXT.replace(",", ", "),
        TEXT.replace("\n", "\r\n"),
        TEXT.replace("\n", "\r"),
        TEXT.rstrip(),
        "\n\n" + TEXT + "\n \r\n\n",
        TEXT + "\x1a",
        "sep=,\n" + TEXT,
        '"school","score","age"\n"a","1.5","10"\n"a","-2.0","11"\n"b","30.25","12"\n',
        '"school" "score" "age"\n"1" "a" 1.5 10\n"2" "a" -2 11\n"3" "b" 30.25 12\n',
        '"","school","score","age"\n"1","a",1.5,10\n"2","a",-2,11\n"3","b",30.25,12\n',
        "\tschool\tscore\tage\n0\ta\t1.5\t10\n1\ta\t-2\t11\n2\tb\t30.25\t12\n",
        TEXT.replace("\n", ",\n"),
        "school,score,age\na,1.5,10,\na,-2.0,11,\nb,30.25,12,\n",
        "school;score;age\na;1,5;10\na;-2,0;11\nb;30,25;12\n",
        "school\tscore\tage\na\t1,5\t10\na\t-2,0\t11\nb\t30,25\t12\n",
        'school,score,age\na,"1,5",10\na,"-2,0",11\nb,"30,25",12\n',
    ],
)
def test_one_table_however_it_is_written(tmp_path: Path, text: str) -> None:
    found = read(tmp_path, text)
    assert lists(found) == PUPILS
    assert [found[name].dtype.kind for name in found] == ["O", "f", "i"]


@pytest.mark.parametrize(
    "encoding",
    ["utf-8", "utf-8-sig", "latin-1", "cp1252", "utf-16", "utf-16-le", "utf-16-be", "utf-32"],
)
def test_umlauts_in_any_encoding(tmp_path: Path, encoding: str) -> None:
    text = "Schüler;Größe;Ort\n1;1,5;Köln\n2;2,25;Lübeck\n3;;Gießen\n"
    found = read(tmp_path, text.encode(encoding))
    assert lists(found) == {
        "Schüler": [1, 2, 3],
        "Größe": [1.5, 2.25, None],
        "Ort": ["Köln", "Lübeck", "Gießen"],
    }


@pytest.mark.parametrize(
    "names",
    ["élève,école,où", "año,región,niño", "kjønn,år,skole", "região,município,São"],
)
def test_western_languages_are_no_guess(tmp_path: Path, names: str) -> None:
    assert list(read(tmp_path, f"{names}\n1,2,3\n".encode("cp1252"))) == names.split(",")


@pytest.mark.parametrize(
    ("encoding", "text"),
    [
        ("cp1250", "szkoła;płeć;wynik\n1;żeńska;5\n2;męska;3\n"),
        ("shift_jis", "学校;性別;点数\n1;男;5\n2;女;4\n"),
        ("gb18030", "学校;性别;分数\n1;男;5\n2;女;4\n"),
    ],
)
def test_a_guessed_encoding_is_said(tmp_path: Path, encoding: str, text: str) -> None:
    with pytest.warns(ReadAs, match=r"t\.csv: is not in UTF-8 and is read as .*, which is a guess"):
        found = read(tmp_path, text.encode(encoding))
    assert list(found) == text.split("\n")[0].split(";")


def test_names_are_found_however_their_letters_are_composed(tmp_path: Path) -> None:
    decomposed = "Gro\u0308ße"
    assert list(read(tmp_path, f"{decomposed},x\n1,2\n", columns=["Größe"])) == ["Größe"]
    assert list(read(tmp_path, "Größe,x\n1,2\n", columns=[decomposed])) == ["Größe"]


@pytest.mark.parametrize(
    ("values", "found"),
    [
        ("1;2;3", [1, 2, 3]),
        ("1;;3", [1, None, 3]),
        ("1;NA;3", [1, None, 3]),
        ("1; . ;-3", [1, None, -3]),
        ("+1;2;3", [1.0, 2.0, 3.0]),
        ("1.0;2;3e2", [1.0, 2.0, 300.0]),
        (".5;NaN;-0", [0.5, None, -0.0]),
        ("1,5;2;3", [1.5, 2.0, 3.0]),
        ("1,5;,25;-3,", [1.5, 0.25, -3.0]),
        ("0,125;0,250;NA", [0.125, 0.25, None]),
        ("1,5e3;2;3", [1500.0, 2.0, 3.0]),
        ("TRUE;false;True", [True, False, True]),
        ("TRUE;;FALSE", [True, None, False]),
        ("TRUE;;T", ["TRUE", None, "T"]),
        ("T;F;T", ["T", "F", "T"]),
        # Names, not numbers.
        ("007;08;9", ["007", "08", "9"]),
        ("0x1F;1;2", ["0x1F", "1", "2"]),
        ("9007199254740993;1;2", [9007199254740993, 1, 2]),
        ("12345678901234567890;1;2", ["12345678901234567890", "1", "2"]),
        ("9007199254740993;1.5;2", ["9007199254740993", "1.5", "2"]),
        # Thousands or decimals: nobody can know.
        ("1,234;2;3", ["1,234", "2", "3"]),
        ("1,234,567;2;3", ["1,234,567", "2", "3"]),
        ("1.234,5;2;3", ["1.234,5", "2", "3"]),
        ("1,234.5;2;3", ["1,234.5", "2", "3"]),
        ("a; b ;NULL", ["a", "b", None]),
        ("None;1;2", ["None", "1", "2"]),
        ("2020-01-31;2020-02-01;", ["2020-01-31", "2020-02-01", None]),
        ("NA;NA;", [None, None, None]),
        ("1 234;2;3", ["1 234", "2", "3"]),
    ],
)
def test_what_a_column_holds(tmp_path: Path, values: str, found: list[Any]) -> None:
    lines = "\n".join(f"{value};k" for value in values.split(";"))
    column = lists(read(tmp_path, f"x;k\n{lines}\n"))["x"]
    assert column == found and [type(one) for one in column] == [type(one) for one in found]


@pytest.mark.parametrize(
    ("rows", "x"),
    [
        ("1,234;1,5\n2,345;2,5\n", [1.234, 2.345]),
        ("1,234;1.5\n2,345;2.5\n", ["1,234", "2,345"]),
        ("1.234;1,5\n2.345;2,5\n", ["1.234", "2.345"]),
        ("1.234;1.5\n2.345;2.5\n", [1.234, 2.345]),
        ("1.5;1,5\n2.345;2,5\n", [1.5, 2.345]),
        ("1234;1,5\n2345;2,5\n", [1234, 2345]),
    ],
)
def test_another_column_tells_decimals_from_thousands(
    tmp_path: Path, rows: str, x: list[Any]
) -> None:
    assert lists(read(tmp_path, "x;y\n" + rows))["x"] == x


def test_quotes(tmp_path: Path) -> None:
    text = 'name,x\n"Doe, ""J.""",1\n"two\nlines",2\n5" pipe,3\n'
    found = read(tmp_path, text)
    assert lists(found) == {"name": ['Doe, "J."', "two\nlines", '5" pipe'], "x": [1, 2, 3]}


def test_quotes_after_spaces(tmp_path: Path) -> None:
    found = read(tmp_path, '"name", "x"\n"Doe, J.", "1.5"\n\n"a, ""b""",  "2"\n')
    assert lists(found) == {"name": ["Doe, J.", 'a, "b"'], "x": [1.5, 2.0]}
    assert ": line 4 has 1 value" in refusal(tmp_path, '"k", "x"\n"D", "1"\n\n"a"\n')


def test_the_separator_is_the_one_that_splits_all_lines(tmp_path: Path) -> None:
    found = read(tmp_path, "name;note\nDoe, J.;good, but late\nRoe, A.;bad, early\n")
    assert lists(found)["note"] == ["good, but late", "bad, early"]
    found = read(tmp_path, "first name,age\nAnn,5\nBo Jo,6\n")
    assert lists(found) == {"first name": ["Ann", "Bo Jo"], "age": [5, 6]}


def test_a_value_that_is_odd_far_below_counts(tmp_path: Path) -> None:
    """The whole file is looked at, not its first lines."""
    rows = 30_000
    found = read(tmp_path, "x;y;k\n" + "1;2;3\n" * rows + "07;2,5;3\n")
    assert found["x"].iloc[-1] == "07" and found["x"].iloc[0] == "1"
    assert found["y"].iloc[-1] == 2.5 and found["k"].dtype == "int64" and len(found) == rows + 1
    sentence = refusal(tmp_path, "x;y;k\n" + "1;2;3\n" * rows + "1;2\n")
    assert sentence == (
        f": line {rows + 2:,} has 2 values, but there are names of 3 columns (with semicolons "
        "between them)"
    )
    sentence = refusal(tmp_path, ("x,y\n" + "1,ü\n" * rows).encode() + b"1,\xfc\n")
    assert sentence == (
        f": is in several encodings: line 2 is UTF-8, line {rows + 2:,} is not; save it anew as "
        "UTF-8"
    )


@pytest.mark.parametrize("pack", [gzip.compress, bz2.compress, lzma.compress])
@pytest.mark.parametrize("name", ["t.csv.gz", "t.csv", "t"])
def test_compressed_text(tmp_path: Path, pack: Callable[[bytes], bytes], name: str) -> None:
    assert lists(read(tmp_path, pack(TEXT.encode()), name)) == PUPILS


def zipped(files: dict[str, str | bytes]) -> bytes:
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w") as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return target.getvalue()


def test_a_zip_archive_of_one_table(tmp_path: Path) -> None:
    found = read(tmp_path, zipped({"folder/t": TEXT, "__MACOSX/t": "x"}), "t.zip")
    assert lists(found) == PUPILS
    assert refusal(tmp_path, zipped({"a": TEXT, "b": TEXT}), "t.zip") == (
        ": must hold one table, found 2 files (a, b); unpack it first"
    )
    assert "found no file; unpack" in refusal(tmp_path, zipped({}), "t.zip")
    assert refusal(tmp_path, zipped({"a": gzip.compress(b"x")}), "t.zip") == (
        ": holds a file that is not text; unpack it first"
    )


def test_columns_in_the_order_of_the_file(tmp_path: Path) -> None:
    assert list(read(tmp_path, TEXT, columns=["age", "school"])) == ["school", "age"]


NAMES = st.text("abcäß_ .", min_size=1, max_size=5).map(str.strip).filter(lambda name: name > "A")
VALUES = st.text("abcäß ,;|\"'\n\t", max_size=6).map(str.strip)
NUMBERS = st.floats(allow_nan=False, allow_infinity=False)


@given(st.data())
def test_what_is_written_is_read(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    names = data.draw(st.lists(NAMES, min_size=2, max_size=4, unique=True))
    rows = data.draw(st.integers(1, 6))
    columns = {
        name: data.draw(st.lists(kind, min_size=rows, max_size=rows))
        for name, kind in zip(names, [VALUES, NUMBERS, VALUES, st.integers()], strict=False)
    }
    separator = data.draw(st.sampled_from(",;\t|"))
    target = io.StringIO(newline="")
    csv.writer(target, delimiter=separator, quoting=csv.QUOTE_NONNUMERIC).writerows(
        [names, *zip(*columns.values(), strict=True)]
    )
    encoding = data.draw(st.sampled_from(["utf-8", "utf-8-sig", "utf-16"]))
    path = tmp_path_factory.getbasetemp() / "written.csv"
    path.write_bytes(target.getvalue().encode(encoding))
    found = lists(read_table(path))
    assert list(found) == names
    for name, values in columns.items():
        if isinstance(values[0], int) and any(abs(value) >= 2**63 for value in values):
            values = [str(value) for value in values]
        assert found[name] == [None if value == "" else value for value in values]


# ---- Parquet, Arrow, Excel -----------------------------------------------------------------------

FRAME = pd.DataFrame(
    {
        "school": pd.Categorical(["a", "b", None]),
        "x": [1.5, np.nan, 2.0],
        "id": pd.array([2**53 + 1, None, 1], dtype="Int64"),
        "flag": pd.array([True, None, False], dtype="boolean"),
        "small": np.array([1, 2, 3], dtype="int8"),
        "name": ["007", None, "x"],
    },
    index=pd.Index([5, 6, 7]),
)


def as_parquet(table: pd.DataFrame, path: Path) -> None:
    table.to_parquet(path)


def as_arrow(table: pd.DataFrame, path: Path) -> None:
    pa.feather.write_feather(pa.Table.from_pandas(table), path)


def as_stream(table: pd.DataFrame, path: Path) -> None:
    whole = pa.Table.from_pandas(table)
    with pa.ipc.new_stream(str(path), whole.schema) as stream:
        stream.write_table(whole)


@pytest.mark.parametrize("write", [as_parquet, as_arrow, as_stream])
@pytest.mark.parametrize("name", ["t.parquet", "t.feather", "t"])
def test_files_with_types(
    tmp_path: Path, write: Callable[[pd.DataFrame, Path], None], name: str
) -> None:
    write(FRAME, tmp_path / name)
    found = read_table(tmp_path / name)
    assert lists(found) == lists(FRAME)
    assert found["id"].dtype == "Int64" and found["flag"].dtype == "boolean"
    assert found["school"].dtype == "category" and found["small"].dtype == "int8"
    assert list(read_table(tmp_path / name, ["x", "school"])) == ["school", "x"]
    with pytest.raises(DataError, match=r"no column 'schol' \(did you mean 'school'\?\); it has "):
        read_table(tmp_path / name, ["schol"])


def workbook(path: Path, **sheets: list[list[Any]]) -> Path:
    book = openpyxl.Workbook()
    book.remove(book.worksheets[0])
    for name, rows in sheets.items():
        sheet = book.create_sheet(name)
        for row in rows:
            sheet.append(row)
    book.save(path)
    return path


DAY = datetime.date(2020, 1, 2)
CELLS = [
    [" school ", "n", "x", "id", "day", "flag", "mixed", "stored", None],
    [1, 2, 1.5, "007", DAY, True, 1, "1,5", None],
    [2, "NA", 2, "08", DAY, False, "many", "2", None],
    [None, 4, None, None, None, True, 3, ".", None],
    [3, 5, -1, "9", DAY, True, 3, 3.25, None],
    [None] * 9,
]


@pytest.mark.parametrize("name", ["t.xlsx", "t.csv"])
def test_a_sheet_of_excel(tmp_path: Path, name: str) -> None:
    workbook(tmp_path / "t.xlsx", pupils=CELLS).rename(tmp_path / name)
    found = lists(read_table(tmp_path / name))
    assert found == {
        "school": [1, 2, None, 3],
        "n": [2, None, 4, 5],
        "x": [1.5, 2.0, None, -1.0],
        "id": ["007", "08", None, "9"],
        "day": [DAY, DAY, None, DAY],
        "flag": [True, False, True, True],
        "mixed": [1, "many", 3, 3],
        "stored": ["1,5", "2", None, 3.25],
    }
    assert {type(one) for one in found["school"]} == {int, type(None)}
    assert list(read_table(tmp_path / name, ["x", "school"])) == ["school", "x"]


def test_numbers_that_excel_has_as_text(tmp_path: Path) -> None:
    rows: list[list[Any]] = [["x", "y"], ["1,5", 1], ["2", "2"], ["n/a", 3]]
    found = read_table(workbook(tmp_path / "t.xlsx", s=rows))
    assert lists(found) == {"x": [1.5, 2.0, None], "y": [1, 2, 3]}


def test_the_sheets_of_excel(tmp_path: Path) -> None:
    path = workbook(
        tmp_path / "t.xlsx", empty=[], first=[["x"], [1]], second=[["x"], [2]], head=[["x"]]
    )
    with pytest.warns(ReadAs) as warned:
        assert lists(read_table(path)) == {"x": [1]}
    assert [str(one.message) for one in warned] == [
        f"{path}: the first sheet with rows, 'first', is read, not 'second', 'head'; choose by "
        "sheet"
    ]
    assert lists(read_table(path, sheet="second")) == {"x": [2]}
    for sheet, sentence in {
        "secnd": r"no sheet 'secnd' \(did you mean 'second'\?\); it has empty, first, second, head",
        "head": "sheet 'head': has a line with the names of columns, but no rows",
        "empty": "sheet 'empty': is empty",
    }.items():
        with pytest.raises(DataError, match=sentence):
            read_table(path, sheet=sheet)
    assert (
        refusal(tmp_path, TEXT, sheet="a") == ": has no sheets, so there is no 'a'; leave sheet out"
    )
    with pytest.raises(DataError, match="is empty$"):
        read_table(workbook(tmp_path / "none.xlsx", a=[]))


def test_a_locked_workbook(tmp_path: Path) -> None:
    content = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + "EncryptedPackage".encode("utf-16-le")
    assert (
        refusal(tmp_path, content, "t.xlsx") == ": is protected by a password; save it without one"
    )


# ---- Stata, SPSS, SAS ----------------------------------------------------------------------------

LABELS = {
    "sex": {2: "girl", 1: "boy", 9: "not asked"},
    "age": {-9: "refused"},
    "twice": {1: "yes", 2: "yes"},
}
CODED = pd.DataFrame(
    {
        "school": [1, 1, 2],
        "sex": [2, 1, 2],
        "age": [10.0, np.nan, 12.0],
        "twice": [1, 2, 1],
        "score": [1.5, 2.0, np.nan],
        "name": ["Ä", "", "c"],
    }
)
DECODED = {
    "school": [1, 1, 2],
    "sex": ["girl", "boy", "girl"],
    "age": [10, None, 12],
    "twice": [1, 2, 1],
    "score": [1.5, 2.0, None],
    "name": ["Ä", None, "c"],
}


def as_stata(table: pd.DataFrame, path: Path) -> None:
    table.to_stata(path, write_index=False, value_labels=LABELS, version=118)


def as_old_stata(table: pd.DataFrame, path: Path) -> None:
    table.to_stata(path, write_index=False, value_labels=LABELS, version=114)


def as_spss(table: pd.DataFrame, path: Path) -> None:
    pyreadstat.write_sav(table, str(path), variable_value_labels=LABELS)


@pytest.mark.parametrize(
    ("write", "ending"), [(as_stata, "dta"), (as_old_stata, "dta"), (as_spss, "sav")]
)
def test_labels_are_categories_where_every_value_has_one(
    tmp_path: Path, write: Callable[[pd.DataFrame, Path], None], ending: str
) -> None:
    path = tmp_path / f"t.{ending}"
    write(CODED, path)
    found = read_table(path)
    assert lists(found) == DECODED
    assert list(found["sex"].cat.categories) == ["boy", "girl"] and not found["sex"].cat.ordered
    assert found["school"].dtype == "int64" and found["age"].dtype == "Int64"


def test_a_transport_file_of_sas(tmp_path: Path) -> None:
    path = tmp_path / "t.xpt"
    pyreadstat.write_xport(CODED.drop(columns="name"), str(path), file_format_version=5)
    found = lists(read_table(path))
    assert found == {
        name: CODED[name].astype(object).where(CODED[name].notna(), None).tolist()
        for name in CODED
        if name != "name"
    }


# ---- what cannot be read -------------------------------------------------------------------------


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    (tmp_path / "pupils.csv").write_text(TEXT)
    for path, sentence in {
        "pupil.csv": "there is no such file (did you mean 'pupils.csv'?)",
        "none/t.csv": f"there is no folder '{tmp_path}/none'",
        "": "is a folder; name a file in it",
    }.items():
        with pytest.raises(DataError) as error:
            read_table(tmp_path / path)
        assert str(error.value) == f"{tmp_path / path}: {sentence}"
    with pytest.raises(DataError, match="is an address, not a file; download it first$"):
        read_table("https://example.org/pupils.csv")


def test_a_file_that_may_not_be_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "open", refuse)
    assert refusal_of(tmp_path) == ": cannot be read (Permission denied)"


def refusal_of(folder: Path) -> str:
    path = folder / "t.csv"
    path.touch()
    with pytest.raises(DataError) as error:
        read_table(path)
    return str(error.value).removeprefix(str(path))


HEADER = "has a line with the names of columns, but no rows"
NO_TABLE = "is no table: it is neither text nor a kind of file that is known"
QUOTE = "has a quotation mark that opens a value and is never closed"


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        ("", "is empty"),
        (" \n\r\n", "is empty"),
        ("\ufeff", "is empty"),
        ("x,y\n", HEADER),
        ("x,y", HEADER),
        ("x", HEADER),
        (",\n1,2\n", "has no names of columns in its first line"),
        ("1,2\n3,4\n", "begins with numbers; the first line must be the names of the columns"),
        ("1,5;2\n3;4\n", "begins with numbers; the first line must be the names of the columns"),
        (
            "x,y,x\n1,2,3\n",
            "has more than one column called 'x', the 1. and the 3.; rename one of them",
        ),
        (
            "x,y\n1,2,3\n1,2\n",
            "line 2 has 3 values, but there are names of 2 columns (with commas between them)",
        ),
        (
            'x,y\n"a\nb",2\n\n1\n',
            "line 5 has 1 value, but there are names of 2 columns (with commas between them)",
        ),
        (
            "Table 1\nx,y\n1,2\n",
            "line 2 has 2 values, but there are names of 1 column (with commas between them)",
        ),
        ('x,y\n1,2\n3,"4\n5,6\n', f"line 3 {QUOTE}"),
        ('x,y\n1,"2', f"line 2 {QUOTE}"),
        (b"x,y\n1,\0\n", NO_TABLE),
        (bytes(range(256)) * 3, NO_TABLE),
        (b"\x7fELF\x02\x01\x01" + bytes(50), NO_TABLE),
        (
            "<!DOCTYPE html>\n<html>\n",
            "is a web page or XML, not a table; download or export the table itself",
        ),
        (
            "\n <HTML><table>",
            "is a web page or XML, not a table; download or export the table itself",
        ),
        (
            "x,y\n1,ü\n".encode("utf-8-sig") + b"2,\xfc\n",
            "begins as UTF-8, but line 3 is not; save it anew as UTF-8",
        ),
        (
            gzip.compress(TEXT.encode() * 99, mtime=0)[:-20],
            "is damaged or not whole (Compressed file ended "
            "before the end-of-stream marker was reached)",
        ),
    ],
)
def test_what_is_no_table(tmp_path: Path, content: str | bytes, sentence: str) -> None:
    assert refusal(tmp_path, content) == f": {sentence}"


@pytest.mark.parametrize(
    ("name", "content", "sentence"),
    [
        ("t.xlsx", TEXT, "is no Excel file, but text: name it .csv"),
        ("t.parquet", TEXT, "is no Parquet file, but text: name it .csv"),
        ("t.sav", b"\0", "is no SPSS file"),
        ("t.csv.gz", TEXT, "is no gzip file, but text: name it .csv"),
        ("t.xlsx", b"PK\x03\x04" + bytes(99), "cannot be read (.*)"),
        ("t.xls", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600), "cannot be read (.*)"),
        ("t.parquet", b"PAR1 and then nothing", "cannot be read (.*)"),
        ("t.feather", b"ARROW1 and then nothing", "cannot be read (.*)"),
        ("t.dta", b"no Stata", "cannot be read (.*)"),
    ],
)
def test_what_its_name_does_not_keep(
    tmp_path: Path, name: str, content: str | bytes, sentence: str
) -> None:
    found = refusal(tmp_path, content, name)
    assert found.startswith(f": {sentence.split('.*')[0]}")
    assert len(found) < 150


def test_columns_that_are_not_there(tmp_path: Path) -> None:
    assert refusal(tmp_path, TEXT, columns=["scores"]) == (
        ": has no column 'scores' (did you mean 'score'?); it has school, score, age"
    )
    path = tmp_path / "t.csv"
    path.write_text("x,y,x\n1,2,3\n")
    assert lists(read_table(path, ["y"])) == {"y": [2]}
    with pytest.raises(DataError, match="^columns must be a list of names, found 'xy'$"):
        read_table(path, "xy")


# ---- memory --------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["t.csv", "t.csv.gz", "t.parquet", "t.feather", "t.xlsx"])
def test_what_takes_more_memory_than_is_free_is_not_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    table = pd.DataFrame({f"x{k}": np.arange(2_000) for k in range(5)})
    path = tmp_path / name
    if name.endswith(("csv", "gz")):
        table.to_csv(path, index=False)
    elif name == "t.xlsx":
        workbook(path, s=[list(table), *table.head(50).to_numpy().tolist()])
    else:
        write = {"parquet": as_parquet, "feather": as_arrow}
        write[path.suffix[1:]](table, path)
    monkeypatch.setattr(memory, "free_memory", lambda: 3 * 2**10)
    with pytest.raises(DataError) as error:
        read_table(path)
    assert "of memory, but 0.0 MiB are free; read fewer columns, or use" in str(error.value)
    monkeypatch.setattr(memory, "free_memory", lambda: 2**30)
    assert len(read_table(path)) in (2_000, 50)


def test_fewer_columns_take_less_memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "t.parquet"
    pd.DataFrame({f"x{k}": np.zeros(2_000) for k in range(20)}).to_parquet(path)
    monkeypatch.setattr(memory, "free_memory", lambda: 200_000)
    with pytest.raises(DataError, match=r"takes about 0\.9 MiB of memory, but 0\.2 MiB are free"):
        read_table(path)
    assert list(read_table(path, ["x1"])) == ["x1"]


def test_memory_that_ends_nevertheless(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object, **__: object) -> None:
        raise pa.ArrowMemoryError("malloc of size 64 failed")

    monkeypatch.setattr(pa.csv, "read_csv", fail)
    assert refusal(tmp_path, TEXT).startswith(": the memory, of which ")


# ---- damage --------------------------------------------------------------------------------------

SMALL = pd.DataFrame({"school": [1, 2] * 4, "x": [1.5, np.nan] * 4, "name": ["a", "ü"] * 4})
WRITERS: dict[str, Callable[[Path], object]] = {
    "csv": lambda path: SMALL.to_csv(path, sep=";", decimal=","),
    "gz": lambda path: SMALL.to_csv(path, index=False),
    "zip": lambda path: SMALL.to_csv(path, index=False),
    "parquet": lambda path: pq.write_table(pa.Table.from_pandas(SMALL), path),
    "feather": lambda path: as_arrow(SMALL, path),
    "xlsx": lambda path: SMALL.to_excel(path, index=False),
}


@pytest.mark.parametrize("ending", WRITERS)
def test_damage_costs_one_sentence(tmp_path: Path, ending: str) -> None:
    path = tmp_path / f"t.{ending}"
    WRITERS[ending](path)
    content, rng = path.read_bytes(), random.Random(1)
    refused = 0
    for trial in range(60):
        damaged = bytearray(content)
        if trial % 3:
            for _ in range(trial % 3):
                damaged[rng.randrange(len(damaged))] = rng.randrange(256)
        else:
            del damaged[rng.randrange(len(damaged)) :]
        path.write_bytes(damaged)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            try:
                assert isinstance(read_table(path), pd.DataFrame)
            except DataError as error:
                refused += 1
                assert str(error).startswith(str(path)) and "\n" not in str(error)
    assert refused >= 5


def test_files_of_the_folder_are_no_modules(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Not of the process that reads files of Stata, either."""
    (tmp_path / "json.py").write_text("raise SystemExit")
    as_stata(CODED, tmp_path / "t.dta")
    monkeypatch.chdir(tmp_path)
    assert len(read_table("t.dta", ["score"])) == 3


def test_half_a_file_of_spss(tmp_path: Path) -> None:
    path = tmp_path / "t.sav"
    as_spss(CODED, path)
    path.write_bytes(path.read_bytes()[: os.path.getsize(path) // 2])
    with pytest.raises(DataError, match=f"^{path}: cannot be read"):
        read_table(path)
