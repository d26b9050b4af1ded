"""Datasets as rows: they read back as what was simulated."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from clustrategy.dgp import Process, simulate
from clustrategy.tables.datasets import datasets_table, shard_from_datasets
from clustrategy.tables.files import read_parquet, write_parquet


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
