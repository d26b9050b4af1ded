"""Tables of any library as DataFrames, columns of any type as numbers."""

from __future__ import annotations

import datetime
import decimal
import fractions
import re
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from clustrategy.core.errors import DataError
from clustrategy.tables.frames import (
    check_no_stray_text,
    check_one_kind,
    frame,
    from_arrow,
    is_text,
    numbers,
    whole_numbers,
)
from tests.containers import CONTAINERS, assert_same, snapshot

SMALL = pd.DataFrame({"x": np.array([3, 1, 2], dtype="int8"), "k": ["a", "b", "c"]})


@pytest.mark.parametrize("kind", CONTAINERS)
def test_one_table_in_all_that_holds_tables(kind: str) -> None:
    data = CONTAINERS[kind](SMALL)
    before = snapshot(data)
    found = frame(data, "the data")
    assert set(found) == {"x", "k"} and list(found.index) == [0, 1, 2]
    assert found["x"].tolist() == [3, 1, 2] and found["k"].tolist() == ["a", "b", "c"]
    assert found.index.name is None
    found["x"] = 0
    assert_same(data, before)


def test_whole_numbers_with_gaps_keep_their_digits() -> None:
    odd = 2**53 + 1
    found = frame(pa.table({"id": pa.array([odd, None])}), "the data")
    assert found["id"].tolist() == [odd, None]


TABLE = r"^the data must be a table \(of pandas, polars or pyarrow, or a dict of columns of one "


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        (
            "a.csv",
            "^the data must be a table, found 'a.csv'; read a file first, as by clustrategy.read_",
        ),
        (Path("a.csv"), r"^the data must be a table, found 'a.csv'; read a file first"),
        (None, TABLE + r"length\), found nothing$"),
        (5, TABLE + r"length\), found an int$"),
        ([[1, 2]], TABLE + r"length\), found a list$"),
        (SMALL["x"], TABLE + r"length\), found a Series$"),
        (np.ones((2, 2)), TABLE + r"length\), found a ndarray$"),
        (pa.array([1]), TABLE + r"length\), found an Int64Array$"),
        ({"x": [1, 2], "y": [1]}, TABLE + r"length\), found a mapping that is none$"),
        ({"x": 1}, TABLE + r"length\), found a mapping that is none$"),
        ({"x": np.ones((2, 2))}, TABLE + r"length\), found a mapping that is none$"),
        (pd.concat([SMALL, SMALL], axis=1), "^the data have more than one column called 'x'$"),
        (pa.table([[1], [2]], names=["x", "x"]), "^the data have more than one column called 'x'$"),
        (SMALL.rename(columns={"x": 0}), "^the data have a column whose name is not text, 0; "),
        (
            SMALL.rename(columns={"x": None}),
            "^the data have a column whose name is not text, nan; ",
        ),
        (SMALL.rename(columns={"x": ("a", 1)}), r"name is not text, \['a', 1\]; name it first"),
        (pd.concat({"a": SMALL}, axis=1), r"^the data have columns of 2 levels \(a MultiIndex\); "),
    ],
)
def test_what_is_no_table_is_said_in_one_sentence(data: object, sentence: str) -> None:
    with pytest.raises(DataError, match=sentence):
        frame(data, "the data")


WHOLE = [*(f"{sign}int{bits}" for sign in ("", "u") for bits in (8, 16, 32, 64))]
TYPES: list[Any] = [
    *WHOLE,
    *(name.replace("i", "I").replace("u", "U") for name in WHOLE),
    *("float16", "float32", "float64", "longdouble", "Float32", "Float64", "Sparse[int8]"),
    *(">i4", ">f8", "category", "object"),
    *(pd.ArrowDtype(kind) for kind in (pa.int8(), pa.uint64(), pa.float16(), pa.float64())),
    pd.ArrowDtype(pa.decimal128(30, 2)),
]


@pytest.mark.parametrize("kind", TYPES, ids=str)
def test_numbers_of_any_type(kind: Any) -> None:
    found = numbers(pd.DataFrame({"x": pd.Series([3, 1, 120]).astype(kind)}), "x", "the data")
    assert found.dtype == np.float64 and found.tolist() == [3.0, 1.0, 120.0]


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ([decimal.Decimal("1.5"), None, decimal.Decimal("NaN")], [1.5, np.nan, np.nan]),
        ([fractions.Fraction(1, 4), 2, 2.5], [0.25, 2, 2.5]),
        ([np.int8(7), np.float32(0.5), pd.NA], [7, 0.5, np.nan]),
        ([True, False, None], [1, 0, np.nan]),
        ([None, None, None], [np.nan] * 3),
        (pd.array([1, None, 3], dtype="UInt8"), [1, np.nan, 3]),
        (pd.array([True, None, False], dtype="boolean"), [1, np.nan, 0]),
        (pd.array([1, None, 3], dtype=pd.ArrowDtype(pa.int64())), [1, np.nan, 3]),
        (pd.array([True, None], dtype=pd.ArrowDtype(pa.bool_())), [1, np.nan]),
        (pd.array(pa.nulls(2), dtype=pd.ArrowDtype(pa.null())), [np.nan] * 2),
        (pd.Categorical([2, None, 1]), [2, np.nan, 1]),
        ([2**53, -(2**53), 2**60], [2.0**53, -(2.0**53), 2.0**60]),
        (np.array([2**63], dtype="uint64"), [2.0**63]),
        ([np.inf, -np.inf], [np.inf, -np.inf]),
        ([], []),
    ],
)
def test_numbers_and_gaps(values: Any, expected: list[float]) -> None:
    data = pd.DataFrame({"x": values})
    before = data.copy(deep=True)
    np.testing.assert_array_equal(numbers(data, "x", "the data"), expected)
    pd.testing.assert_frame_equal(data, before)


@pytest.mark.parametrize(
    ("values", "found"),
    [
        ([1, "2"], "'2' in row 1"),
        (["a", "b"], "'a' in row 0"),
        (pd.array(["a"], dtype="string"), "'a' in row 0"),
        (pd.array(["a"], dtype=pd.ArrowDtype(pa.string())), "'a' in row 0"),
        (pd.Categorical([None, "a"]), "'a' in row 1"),
        ([1.0, 1j], r"\(1\+0j\) in row 0"),
        (pd.Series([1.0, None, 1j], dtype=object), "1j in row 2"),
        (pd.to_datetime(["2020-01-01"]), "Timestamp.* in row 0"),
        (pd.to_timedelta([1], unit="D"), "Timedelta.* in row 0"),
        (pd.array(pa.array([1], pa.date32()), dtype=pd.ArrowDtype(pa.date32())), "date.* in row 0"),
        (pd.period_range("2020", periods=1), "Period.* in row 0"),
        (pd.interval_range(0, 1), "Interval.* in row 0"),
        ([1, [2]], r"\[2\] in row 1"),
        ([b"1"], "b'1' in row 0"),
        ([1, np.timedelta64(1, "D")], "datetime.timedelta.* in row 1"),
        ([SMALL], "a DataFrame in row 0"),
    ],
)
def test_what_is_no_number_is_named_with_its_row(values: Any, found: str) -> None:
    with pytest.raises(DataError, match="^the column 'x' of the data must hold numbers") as error:
        numbers(pd.DataFrame({"x": pd.Series(values)}), "x", "the data")
    assert re.search(f"found {found}$", str(error.value))


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        ("1,5", ", which has a decimal comma; write 1.5"),
        ("-,25", ", which has a decimal comma; write -.25"),
        ("0,125", ", which has a decimal comma; write 0.125"),
        (
            "1,234",
            ", whose mark can be of decimals or of thousands; write it with a point or without",
        ),
        (
            "1.234",
            ", whose mark can be of decimals or of thousands; write it with a point or without",
        ),
        ("1.234,5", ", which has marks between thousands; write it without them"),
        ("1,234,567", ", which has marks between thousands; write it without them"),
        ("12 345.6", ", which has marks between thousands; write it without them"),
        ("12'345", ", which has marks between thousands; write it without them"),
        ("many", ""),
        ("1,5 or so", ""),
    ],
)
def test_a_text_that_is_nearly_a_number(text: str, hint: str) -> None:
    with pytest.raises(DataError) as error:
        numbers(pd.DataFrame({"x": objects([1.0, None, text])}), "x", "the data")
    assert str(error.value) == (
        f"the column 'x' of the data must hold numbers, found {text!r} in row 2{hint}"
    )


@pytest.mark.parametrize(
    ("values", "found"),
    [
        (["1", "many", "2.5", None], "'many' in row 1; C(x) makes it categories"),
        ([None, "1,5", "2,25"], "'1,5' in row 1, which has a decimal comma; write 1.5"),
        (
            ["1", "2", "1,234"],
            "'1,234' in row 2, whose mark can be of decimals or of thousands; "
            "write it with a point or without",
        ),
        (["007", "08", "9"], None),
        (["a", "b", "1"], None),
        (["a", "1"], None),
        (["3rd", "4th"], None),
        (["2020-01-31", "2020-02-01"], None),
    ],
)
def test_one_text_does_not_make_categories_of_numbers(values: list[Any], found: str | None) -> None:
    data = pd.DataFrame({"x": objects(values)})
    if found is None:
        check_no_stray_text(data, "x", "the data")
        return
    with pytest.raises(DataError) as error:
        check_no_stray_text(data, "x", "the data")
    assert str(error.value) == (
        f"the column 'x' of the data must hold numbers, as most of its values are, found {found}"
    )


def test_whole_numbers_with_gaps_stay_whole_when_they_come_from_arrow() -> None:
    odd = 2**53 + 1
    table = pa.table(
        {
            "id": pa.array([odd, None]),
            "small": pa.array([1, 2], pa.int8()),
            "flag": [True, None],
            "name": ["a", None],
        }
    )
    found = from_arrow(table)
    assert [str(kind) for kind in found.dtypes] == ["Int64", "int8", "boolean", "str"]
    assert found["id"][0] == odd and found["id"].isna().tolist() == [False, True]
    assert numbers(found, "flag", "the data").tolist()[0] == 1.0


@pytest.mark.parametrize(
    ("values", "kind"),
    [
        ([1.0, 2.0, None], "int64"),
        ([1.0, 2.5], "double"),
        ([1.0, float("inf")], "double"),
        ([1.0, 2.0**53], "double"),
        ([None, None], "double"),
        ([1.0, float("nan")], "double"),
    ],
)
def test_floats_that_are_whole(values: list[float | None], kind: str) -> None:
    column = pa.chunked_array([pa.array(values, pa.float64())])
    found = whole_numbers(column)
    assert str(found.type) == kind
    assert np.array_equal(found.to_numpy(), column.to_numpy(), equal_nan=True)


@pytest.mark.parametrize(
    ("values", "number"),
    [
        (np.array([1, 2**53 + 1]), 2**53 + 1),
        (np.array([1, 2**64 - 1], dtype="uint64"), 2**64 - 1),
        (np.array([1, -(2**53) - 1]), -(2**53) - 1),
        (pd.array([None, 2**53 + 1], dtype="Int64"), 2**53 + 1),
        (pd.array([None, 2**53 + 1], dtype=pd.ArrowDtype(pa.int64())), 2**53 + 1),
        (pd.Series([None, 2**53 + 1], dtype=object), 2**53 + 1),
        ([1, 10**400], 10**400),
    ],
)
def test_whole_numbers_that_would_lose_digits_are_refused(values: Any, number: int) -> None:
    with pytest.raises(DataError, match="^the column 'x' of the data holds .* in row 1, a number "):
        numbers(pd.DataFrame({"x": values}), "x", "the data")


def test_a_column_that_is_not_there() -> None:
    with pytest.raises(DataError, match=r"no column 'xx' \(did you mean 'x'\?\); they have x, k$"):
        numbers(SMALL, "xx", "the data")


@pytest.mark.parametrize(
    ("values", "text"),
    [
        (["a", None], True),
        (pd.array(["a", None], dtype="string"), True),
        (pd.array(["a", None], dtype=pd.ArrowDtype(pa.string())), True),
        (["a", 1], False),
        (pd.array(["a"], dtype=pd.ArrowDtype(pa.dictionary(pa.int8(), pa.string()))), True),
        (pd.Series(["a", pd.NaT], dtype=object), True),
        ([None, None], False),
        (pd.array([None], dtype="string"), False),
        (pd.Categorical(["a"]), False),
        ([1.0], False),
        ([], False),
    ],
)
def test_text_alone_is_text(values: Any, text: bool) -> None:
    assert is_text(pd.Series(values)) is text


@pytest.mark.parametrize(
    ("values", "mixture"),
    [
        (["a", None, "b"], None),
        ([1, 2.5, decimal.Decimal(1), None, np.int8(3)], None),
        ([True, None, np.bool_(False)], None),
        ([("a", 1), datetime.date(2020, 1, 1)], None),
        (pd.Categorical([1, 2]), None),
        ([None, "1", 1], "text in some rows and numbers in others: '1' in row 1, 1 in row 2"),
        ([1, True], "numbers in some rows and truth values in others: 1 in row 0, True in row 1"),
        (
            pd.Categorical([1, "1"]),
            "numbers in some rows and text in others: 1 in row 0, '1' in row 1",
        ),
        (
            ["a", datetime.date(2020, 1, 1)],
            "text in some rows and other things in others: 'a' in row 0, datetime.date(2020, 1, 1) "
            "in row 1",
        ),
    ],
)
def test_labels_of_one_kind(values: Any, mixture: str | None) -> None:
    data = pd.DataFrame({"k": values if isinstance(values, pd.Categorical) else objects(values)})
    if mixture is None:
        check_one_kind(data, "k", "the data")
        return
    with pytest.raises(DataError) as error:
        check_one_kind(data, "k", "the data")
    assert str(error.value) == f"the column 'k' of the data holds {mixture}"


def objects(values: list[Any]) -> pd.Series:
    return pd.Series(values, dtype=object)
