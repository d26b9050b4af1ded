"""What R's packages say of the design of five datasets, and Stata's example `nlswork`."""

from __future__ import annotations

import json
from functools import cache
from typing import Any

import numpy as np
import pandas as pd

from clustrategy.core.shard import Shard
from clustrategy.design.from_table import Design, design_from_table
from tests.factors import factors
from tests.material import FOLDER, golden

DESIGNS: dict[str, Any] = json.loads((FOLDER / "design.json").read_text())["datasets"]


def shard_of(name: str) -> Shard:
    return factors("unbalanced") if name == "factors" else golden(name)


@cache
def nlswork() -> Design:
    """`summclust ln_wage msp union race, fevar(grade age birth_yr) cluster(ind)`."""
    data = pd.read_parquet(FOLDER / "nlswork.parquet")
    formula = "ln_wage ~ msp + union + race + C(grade) + C(age) + C(birth_yr)"
    return design_from_table(data, formula, "ind_code")


def random_design(seed: int, clusters: int = 7, p: int = 3, most: int = 6) -> Shard:
    """Clusters of 2 rows or more, with an intercept, a 0/1 column of clusters and others."""
    rng = np.random.default_rng(seed)
    n = rng.integers(2, most + 1, clusters)
    codes = np.repeat(np.arange(clusters), n)
    X = rng.normal(size=(codes.size, p)) + rng.normal(size=(clusters, p))[codes]
    X[:, 0] = 1.0
    X[:, 1] = codes % 2
    y = X.sum(axis=1) + rng.normal(size=clusters)[codes] + rng.normal(size=codes.size)
    return Shard(y, X, n[None], tuple(f"x{place}" for place in range(p)))


def reordered(shard: Shard, order: np.ndarray) -> Shard:
    """The same dataset with its clusters in another order."""
    starts = np.cumsum(shard.n[0]) - shard.n[0]
    rows = np.concatenate([np.arange(shard.n[0][g]) + starts[g] for g in order])
    return Shard(shard.y[rows], shard.X[rows], shard.n[:, order], shard.terms)
