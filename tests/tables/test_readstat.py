"""The script that reads files of Stata, SPSS and SAS ends with a table or with a sentence."""

from __future__ import annotations

import json
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyreadstat
import pytest

from clustrategy.core.errors import DataError
from clustrategy.tables import memory, readstat, statistical_packages

TABLE = pd.DataFrame({"x": [1.5, 2.0] * 50, "k": ["a", ""] * 50})


@pytest.fixture
def file(tmp_path: Path) -> Path:
    pyreadstat.write_dta(TABLE, str(tmp_path / "t.dta"))
    return tmp_path / "t.dta"


def test_more_rows_than_fit_are_not_read(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """60 bytes for each of 100 values of a column, by estimate."""
    monkeypatch.setattr(memory, "free_memory", lambda: 6_000)
    assert readstat.read(str(file), "dta", ["k"])["k"].to_pylist() == ["a", None] * 50
    with pytest.raises(DataError, match=r"t\.dta: reading this takes about 0\.0 MiB of memory, "):
        readstat.read(str(file), "dta", None)


def test_a_column_that_is_not_there(file: Path) -> None:
    with pytest.raises(DataError, match=r"t\.dta: has no column 'xx' \(did you mean 'x'\?\); it"):
        readstat.read(str(file), "dta", ["xx"])


def test_no_rows_and_no_values(tmp_path: Path) -> None:
    path = tmp_path / "t.sav"
    pyreadstat.write_sav(TABLE.head(0), str(path))
    with pytest.raises(DataError, match=r"t\.sav: has no rows$"):
        readstat.read(str(path), "sav", None)
    pyreadstat.write_sav(pd.DataFrame({"x": [None, None]}, dtype="float64"), str(path))
    assert readstat.read(str(path), "sav", None)["x"] == pa.chunked_array([[None] * 2], "double")


def test_missing_values_of_stata(tmp_path: Path) -> None:
    """The letters .a to .z are missing values, and their labels are of no value."""
    path = tmp_path / "t.dta"
    pyreadstat.write_dta(
        pd.DataFrame({"x": [1, 2, "a"]}),
        str(path),
        variable_value_labels={"x": {1: "low", 2: "high", "a": "refused"}},
        missing_user_values={"x": ["a"]},
    )
    found = readstat.read(str(path), "dta", None)
    assert found["x"].to_pylist() == [1, 2, None]
    labels = json.loads(found.schema.metadata[readstat.LABELS])
    assert labels == {"x": [[1, "low"], [2, "high"], ["a", "refused"]]}


def test_missing_values_of_spss(tmp_path: Path) -> None:
    path = tmp_path / "t.sav"
    table = pd.DataFrame({"x": [1.0, 99.0], "k": [1.0, 99.0]})
    pyreadstat.write_sav(table, str(path), missing_ranges={"x": [99]})
    found = readstat.read(str(path), "sav", None)
    assert found.to_pydict() == {"x": [1, None], "k": [1, 99]}


def test_a_crash_of_the_library_is_a_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """ReadStat does crash: see the module."""
    script = tmp_path / "crashing.py"
    script.write_text("import os\nos.abort()\n")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(readstat, "__name__", "crashing")
    with pytest.raises(DataError, match=r"^t\.sav: is damaged and cannot be read$"):
        statistical_packages.read_statistical(Path("t.sav"), "sav", None)
