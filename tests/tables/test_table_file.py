"""Tables of results as files for people and programs, and as text."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from clustrategy.core.errors import ConfigError, DataError
from clustrategy.tables.table_file import table_text, write_table


@pytest.fixture
def table() -> pd.DataFrame:
    """Text that looks like numbers, numbers of all sizes, and what is missing."""
    return pd.DataFrame(
        {
            "school": ["007", "1e5", None],
            "a|b": ["x|y", "<b>", "two\nlines"],
            "n": [3800, 2, 10**16],
            "rate": [0.123456, np.nan, 123456.0],
            "df": np.array([np.inf, -2.5e-9, 0], dtype="float32"),
            "df64": pd.array([1, None, 3], dtype="Int64"),
        }
    )


def test_as_text(table):
    assert table_text(table).splitlines() == [
        "school    a|b                        n    rate        df    df64",
        "--------  ---------  -----------------  ------  --------  ------",
        "007       x|y                     3800  0.1235       inf       1",
        "1e5       <b>                        2          -2.5e-09",
        "          two lines  10000000000000000  123456         0       3",
    ]


def test_as_markdown(table, tmp_path):
    write_table(table, tmp_path / "made" / "t.md")
    assert (tmp_path / "made/t.md").read_text().splitlines() == [
        r"| school   | a\|b      |                 n |   rate |       df |   df64 |",
        "|:---------|:----------|------------------:|-------:|---------:|-------:|",
        r"| 007      | x\|y      |              3800 | 0.1235 |      inf |      1 |",
        "| 1e5      | <b>       |                 2 |        | -2.5e-09 |        |",
        "|          | two lines | 10000000000000000 | 123456 |        0 |      3 |",
    ]


def test_as_a_page(table, tmp_path):
    write_table(table, tmp_path / "t.HTML")
    page = (tmp_path / "t.HTML").read_text(encoding="utf-8")
    assert page.startswith("<!DOCTYPE html>\n") and page.endswith("</html>\n")
    for cell in ("007", "x|y", "&lt;b&gt;", "0.1235", "123456", "inf", ""):
        assert f"<td>{cell}</td>" in page
    assert "nan" not in page.lower()


@pytest.mark.parametrize("ending", ["csv", "parquet"])
def test_numbers_keep_all_their_digits_for_programs(ending, table, tmp_path):
    path = tmp_path / f"t.{ending}"
    write_table(table, path)
    found = pd.read_parquet(path) if ending == "parquet" else pd.read_csv(path)
    assert list(found.columns) == list(table.columns)
    np.testing.assert_array_equal(found["rate"], table["rate"])
    np.testing.assert_array_equal(found["n"], table["n"])


@pytest.mark.parametrize("ending", ["csv", "parquet", "md", "html"])
def test_a_table_without_rows_has_its_head(ending, table, tmp_path):
    write_table(table[:0], tmp_path / f"t.{ending}")
    assert "school" in (tmp_path / f"t.{ending}").read_text(errors="replace")


@pytest.mark.parametrize("name", ["t.doc", "t", ".csv", "t.csv.gz"])
def test_another_ending_is_refused(name, table, tmp_path):
    with pytest.raises(ConfigError, match=r"must end in one of \.csv, \.parquet, \.md, \.html$"):
        write_table(table, tmp_path / name)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("ending", ["csv", "parquet", "md", "html"])
def test_where_it_cannot_be_written_nothing_is_left(ending, table, tmp_path):
    there = tmp_path / f"t.{ending}"
    there.mkdir()
    with pytest.raises(DataError, match="could not be written"):
        write_table(table, there)
    assert list(tmp_path.iterdir()) == [Path(there)]
