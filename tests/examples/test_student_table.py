"""The files of the example on real data."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import pytest

from clustrategy.core.errors import ConfigError, DataError
from clustrategy.examples.student_regressions import (
    example,
)
from clustrategy.examples.student_table import Settings, Table, check_url
from clustrategy.steps.student_table import student_table
from tests.examples.student import (
    INNER,
    OUTER,
    TWIN,
    settings,
    zipped,
)


@pytest.mark.parametrize(
    "content", [TWIN, INNER, OUTER, zipped({"a/b/student-mat.csv": TWIN})], ids=len
)
def test_the_table_is_found_in_any_archive(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "download").write_bytes(content)
    wanted = settings(sha256=hashlib.sha256(TWIN).hexdigest().upper(), url="http://x")
    student_table(tmp_path / "download", tmp_path / "table.csv", wanted)
    assert (tmp_path / "table.csv").read_bytes() == TWIN


@pytest.mark.parametrize(
    ("content", "change", "words"),
    [
        (OUTER, {"sha256": 64 * "0"}, ["sha256", hashlib.sha256(TWIN).hexdigest()]),
        (OUTER, {"member": "nope.csv"}, ["holds no 'nope.csv'", "student.member"]),
        (OUTER, {"member": "mat.csv"}, ["holds no 'mat.csv'"]),
        (INNER[:3000] + INNER[3050:], {}, ["the archive cannot be read"]),
    ],
)
def test_a_download_that_is_not_the_table(
    tmp_path: Path, content: bytes, change: dict[str, Any], words: list[str]
) -> None:
    (tmp_path / "download").write_bytes(content)
    with pytest.raises(DataError) as caught:
        wanted = settings(url="http://there/x.zip", **change)
        student_table(tmp_path / "download", tmp_path / "table.csv", wanted)
    said = str(caught.value)
    assert [word for word in ["http://there/x.zip", *words] if word not in said] == []
    assert "\n" not in said
    assert [path.name for path in tmp_path.iterdir()] == ["download"]


@pytest.mark.parametrize(
    ("content", "change", "words"),
    [
        (b"a;b\n1;2\n", {}, ["no column 'school'", "they have a, b"]),
        (TWIN, {"formula": "G4 ~ absences"}, ["no column 'G4'"]),
        (TWIN, {"formula": "G3 ~ 1"}, ["no predictor"]),
        (TWIN, {"formula": "school ~ absences"}, ["one column of numbers"]),
        (b"school,absences,G3\nGP,1,2\nGP,2,4\nGP,4,5\n", {}, ["one cluster"]),
        (b"school,absences,G3\nGP,1,2\nMS,1,4\nMS,1,5\n", {}, ["is 1 in every row"]),
        (b"", {}, ["not a CSV table"]),
        (b"\xff\xfe\x00\x01", {}, ["not a CSV table"]),
        (b"school,G3\na,b,c\na,b,c,d,e\n", {}, ["not a CSV table"]),
        (TWIN, {"sha256": 64 * "0"}, ["set student.sha256 to null"]),
        (TWIN, {"sha256": 64 * "0", "file": None}, ["delete that file"]),
    ],
)
def test_a_table_that_cannot_be_used(
    tmp_path: Path, content: bytes, change: dict[str, Any], words: list[str]
) -> None:
    (tmp_path / "table.csv").write_bytes(content)
    with pytest.raises(DataError) as caught:
        example(tmp_path / "table.csv", Settings(**settings(**change)))
    said = str(caught.value)
    assert [word for word in words if word not in said] == []
    assert "\n" not in said


def test_a_table_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="cannot be read"):
        example(tmp_path / "table.csv", Settings(**settings()))
    table = Table(Settings(**settings(file=str(tmp_path / "none.csv"))), "folder")
    with pytest.raises(SystemExit, match=r"none\.csv: there is no such file"):
        table.path()


def test_an_address_that_is_none() -> None:
    for url in (None, "ftp://x/y.zip", "y.zip"):
        with pytest.raises(ConfigError, match="http or https"):
            check_url(url)


@pytest.mark.parametrize("file", ["x" * 5000, "~nobody-of-this-name/x.csv", "a\x00b"])
def test_a_path_that_cannot_be(file: str) -> None:
    with pytest.raises(SystemExit, match="there is no such file") as end:
        Table(Settings(**settings(file=file)), "folder").path()
    assert len(str(end.value)) < 400
