"""Files are whole or absent, and tables read back as what was written."""

from __future__ import annotations

import errno
import os
import resource
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from clustrategy.core.errors import DataError
from clustrategy.tables.files import (
    csv_parts,
    parquet_parts,
    read_parquet,
    whole,
    write_csv,
    write_parquet,
    write_text,
    write_whole,
)

TABLE = pa.table({"a": [1, 2, 3], "b": ["x", "y", None], "c": [0.1, 1e-300, -0.0]})


def test_a_full_disk_leaves_the_old_file_and_no_other(tmp_path: Path) -> None:
    target = tmp_path / "table.csv"
    target.write_text("old")

    def half(path: Path) -> None:
        path.write_text("ne")
        raise OSError(errno.ENOSPC, "No space left on device")

    with pytest.raises(DataError) as error:
        write_whole(target, half)
    assert str(error.value) == (
        f"{target}: could not be written (No space left on device); "
        "all that was complete before is kept"
    )
    assert target.read_text() == "old"
    assert list(tmp_path.iterdir()) == [target]


def test_what_is_put_in_place_is_on_the_disk(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Otherwise a file could be empty after a power failure."""
    target, done = tmp_path / "table.csv", []
    synced, replaced = os.fsync, os.replace

    def fsync(file: int) -> None:
        done.append(("synced", os.fstat(file).st_ino, os.fstat(file).st_size))
        synced(file)

    def replace(source: Path, to: Path) -> None:
        done.append(("replaced", source.stat().st_ino, source.stat().st_size))
        replaced(source, to)

    monkeypatch.setattr(os, "fsync", fsync)
    monkeypatch.setattr(os, "replace", replace)
    write_text("rows", target)
    inode = target.stat().st_ino
    assert done == [("synced", inode, 4), ("replaced", inode, 4)]


def test_a_reason_without_a_number_is_told_in_its_own_words(tmp_path: Path) -> None:
    """As pyarrow's errors have it."""

    def stop(_: Path) -> None:
        raise OSError("the server is gone")

    with pytest.raises(DataError) as error:
        write_whole(tmp_path / "table.csv", stop)
    assert "table.csv: could not be written (the server is gone); all that" in str(error.value)


def test_a_device_that_is_full(tmp_path: Path) -> None:
    if not Path("/dev/full").exists():
        pytest.skip("no /dev/full here")

    def fill(path: Path) -> None:
        path.symlink_to("/dev/full")
        path.write_text("x" * 100_000)

    with pytest.raises(DataError, match="No space left on device"):
        write_whole(tmp_path / "table.csv", fill)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("content", [b"", b"PAR1 and then nothing"])
def test_a_broken_file_is_named(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "broken.parquet"
    path.write_bytes(content)
    with pytest.raises(DataError, match=r"broken\.parquet: cannot be read"):
        read_parquet(path)


class Surprise(Exception):
    """Not an error of the operating system."""


@pytest.mark.parametrize("error", [Surprise, KeyboardInterrupt, SystemExit, DataError])
@pytest.mark.parametrize("is_there", [True, False])
def test_an_exception_leaves_what_was_there_before(
    tmp_path: Path, error: type[BaseException], is_there: bool
) -> None:
    target = tmp_path / "folder" / "table.csv"
    if is_there:
        write_text("old", target)
    with pytest.raises(error), whole(target) as beside:
        beside.write_text("new")
        raise error
    assert [path.name for path in target.parent.iterdir()] == ["table.csv"] * is_there
    assert not is_there or target.read_text() == "old"


def test_nothing_is_in_place_before_it_is_whole(tmp_path: Path) -> None:
    target = tmp_path / "table.csv"
    write_text("old", target)
    with whole(target) as beside:
        beside.write_text("ne")
        assert target.read_text() == "old"
        assert beside.suffix == ".csv" and beside.parent == target.parent
        beside.write_text("new")
    assert target.read_text() == "new"
    assert list(tmp_path.iterdir()) == [target]


def test_what_was_not_written_is_said(tmp_path: Path) -> None:
    sentence = r"table\.csv: could not be written \(No such file"
    with pytest.raises(DataError, match=sentence), whole(tmp_path / "table.csv"):
        pass
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(DataError, match="could not be written"):
        write_text("new", tmp_path / "file" / "table.csv")
    (tmp_path / "table.csv").mkdir()
    with pytest.raises(DataError, match="could not be written"):
        write_text("new", tmp_path / "table.csv")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["file", "table.csv"]


def test_a_table_in_parts_is_that_table(tmp_path: Path) -> None:
    table = TABLE.select(["a", "b"])
    with parquet_parts(tmp_path / "parts.parquet", {"key": "value"}) as write:
        for first in range(3):
            write(table.slice(first, 1))
    again = read_parquet(tmp_path / "parts.parquet")
    assert again.equals(table)
    assert again.schema.metadata == {b"key": b"value"}
    assert pq.read_metadata(tmp_path / "parts.parquet").num_row_groups == 3
    with csv_parts(tmp_path / "parts.csv") as write:
        for first in range(3):
            write(table.slice(first, 1))
    assert (tmp_path / "parts.csv").read_text() == '"a","b"\n1,"x"\n2,"y"\n3,\n'


def test_a_table_at_once_is_that_table(tmp_path: Path) -> None:
    write_parquet(TABLE, tmp_path / "table.parquet", {})
    assert read_parquet(tmp_path / "table.parquet").equals(TABLE)
    write_csv(TABLE, tmp_path / "table.csv")
    lines = (tmp_path / "table.csv").read_text().splitlines()
    assert lines == ['"a","b","c"', '1,"x",0.1', '2,"y",1e-300', "3,,-0"]


@pytest.mark.parametrize(
    ("parts", "name"), [(lambda path: parquet_parts(path, {}), "t.parquet"), (csv_parts, "t.csv")]
)
def test_a_table_that_stops_half_way_is_not_there(
    tmp_path: Path, parts: Callable[[Path], Any], name: str
) -> None:
    with pytest.raises(Surprise), parts(tmp_path / name) as write:
        write(TABLE)
        raise Surprise
    with pytest.raises(DataError, match="could not be written"), parts(tmp_path / name):
        pass
    assert not list(tmp_path.iterdir())


FULL = """
import sys
from contextlib import ExitStack
import pyarrow as pa
from clustrategy.core.errors import DataError
from clustrategy.tables.files import csv_parts, parquet_parts

large = pa.table({"a": [k / 7 for k in range(20_000)]})
try:
    with ExitStack() as files:
        first = files.enter_context(parquet_parts("first.parquet", {}))
        second = files.enter_context(FORM)
        third = files.enter_context(csv_parts("third.csv"))
        first(large.slice(0, 3))
        third(large.slice(0, 3))
        for _ in range(20):
            second(large)
except DataError as error:
    sys.exit(str(error))
"""


@pytest.mark.parametrize("form", ["parquet_parts('second.parquet', {})", "csv_parts('second.csv')"])
def test_where_there_is_no_room_the_file_is_named_and_none_is_there(
    tmp_path: Path, form: str
) -> None:
    """Not even those that would have had room: they belong together."""
    done = subprocess.run(
        [sys.executable, "-c", FULL.replace("FORM", form)],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000)),
    )
    assert done.returncode == 1
    assert done.stderr.startswith("second."), done.stderr
    assert "could not be written (File too large)" in done.stderr
    assert len(done.stderr.splitlines()) == 1
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("column", [0, 1, 2])
def test_a_flipped_byte_in_a_page_is_noticed(tmp_path: Path, column: int) -> None:
    path = tmp_path / "table.parquet"
    rng = np.random.default_rng(1)
    table = pa.table(
        {
            "number": rng.standard_normal(500),
            "text": [str(k) for k in rng.integers(10**9, size=500)],
            "flag": rng.random(500) < 0.5,
        }
    )
    write_parquet(table, path, {})
    content = path.read_bytes()
    place = pq.read_metadata(path).row_group(0).column(column)
    start = place.dictionary_page_offset or place.data_page_offset
    end = start + place.total_compressed_size
    assert read_parquet(path).equals(table)
    for flipped in [end - 1, end - 7, *rng.integers(start + 60, end, 10)]:
        damaged = bytearray(content)
        damaged[flipped] ^= 1
        path.write_bytes(damaged)
        try:
            found = read_parquet(path)
        except DataError as error:
            assert str(error).startswith(f"{path}: cannot be read (")  # noqa: PT017
        else:
            assert flipped < place.data_page_offset + 60, "the header of the data page"
            assert found.num_rows == 500


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"none\.parquet: cannot be read"):
        read_parquet(tmp_path / "none.parquet")
