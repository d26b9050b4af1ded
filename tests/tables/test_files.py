"""Files are whole or absent, and tables read back as what was written."""

from __future__ import annotations

import errno
from pathlib import Path

import numpy as np
import pytest

from clustrategy.core.errors import DataError
from clustrategy.dgp import Process, simulate
from clustrategy.tables.datasets import datasets_table, shard_from_datasets
from clustrategy.tables.files import read_parquet, write_parquet, write_whole


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


def test_a_device_that_is_full(tmp_path: Path) -> None:
    if not Path("/dev/full").exists():
        pytest.skip("no /dev/full here")

    def fill(path: Path) -> None:
        path.symlink_to("/dev/full")
        path.write_text("x" * 100_000)

    with pytest.raises(DataError, match="No space left on device"):
        write_whole(tmp_path / "table.csv", fill)
    assert not list(tmp_path.iterdir())


def test_datasets_read_back_bit_by_bit(tmp_path: Path) -> None:
    process = Process(4, 3, 0.5, 2, {"uniform": [0, 1]}, 1.0)
    shard = simulate(process, 1, {"clusters": 4}, [3, 9]).shard
    path = tmp_path / "datasets.parquet"
    write_parquet(datasets_table(shard, [3, 9]), path, {})
    table = read_parquet(path)
    assert table.column_names == ["sim", "cluster", "DV", "IV1", "IV2"]
    assert table["sim"].to_pylist() == [3] * 12 + [9] * 12
    again, sims = shard_from_datasets(table)
    assert sims == [3, 9]
    assert np.array_equal(again.y, shard.y)
    assert np.array_equal(again.X, shard.X)
    assert np.array_equal(again.n, shard.n)
    assert again.terms == ("(Intercept)", "IV1", "IV2")


@pytest.mark.parametrize("content", [b"", b"PAR1 and then nothing"])
def test_a_broken_file_is_named(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "broken.parquet"
    path.write_bytes(content)
    with pytest.raises(DataError, match=r"broken\.parquet: cannot be read"):
        read_parquet(path)
