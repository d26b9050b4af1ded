"""Datasets with a factor within clusters and one between them, and joint tests by R's packages."""

from __future__ import annotations

import json
from functools import cache

import numpy as np
import pandas as pd

from clustrategy.core.shard import INTERCEPT, Shard
from tests.material import FOLDER

GOLDEN = json.loads((FOLDER / "joint_tests.json").read_text())["datasets"]
GROUPS = {"f": np.array([1, 2]), "g": np.array([3, 4]), "all": np.arange(1, 6)}
TERMS = (INTERCEPT, "fb", "fc", "gv", "gw", "x")
NUMBERS = ("statistic", "num_df", "den_df", "p_value")


@cache
def factors(name: str) -> Shard:
    """One golden dataset."""
    table = pd.read_csv(FOLDER / "joint_tests.csv", float_precision="round_trip")
    rows = table[table["dataset"] == name].sort_values("cluster", kind="stable")
    dummies = [rows["f"] == "b", rows["f"] == "c", rows["g"] == "v", rows["g"] == "w"]
    X = np.column_stack([np.ones(len(rows)), *dummies, rows["x"]]).astype(np.float64)
    sizes = np.asarray(rows.groupby("cluster").size(), dtype=np.int64)
    return Shard(rows["y"].to_numpy(), X, sizes[None], TERMS)


def random_factors(seed: int, clusters: int = 9, rows: tuple[int, int] = (7, 12)) -> Shard:
    """A random dataset with the same predictors."""
    rng = np.random.default_rng(seed)
    n = rng.integers(*rows, clusters)
    code = np.repeat(np.arange(clusters), n)
    f = np.concatenate([rng.permutation(np.arange(size) % 3) for size in n])
    g = (np.arange(clusters) % 3)[code]
    X = np.column_stack(
        [np.ones(code.size), f == 1, f == 2, g == 1, g == 2, rng.normal(size=f.size)]
    )
    b = rng.standard_normal((clusters, 3))[code, f] * 0.7 + rng.standard_normal(clusters)[code]
    y = b + 0.5 * (f == 1) + 0.4 * X[:, 5] + rng.standard_normal(f.size)
    return Shard(y, X.astype(np.float64), n[None], TERMS)


def recoded(shard: Shard, seed: int, *names: str) -> Shard:
    """The same dataset with some of its factors in another coding."""
    rng = np.random.default_rng(seed)
    X = shard.X.copy()
    for group in (GROUPS[name] for name in names):
        coding = rng.standard_normal((2, 2)) + 2.0 * np.eye(2)
        X[:, group] = shard.X[:, group] @ coding + rng.standard_normal(2)
    return Shard(shard.y, X, shard.n, shard.terms)
