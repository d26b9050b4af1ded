"""What the tests of the statistics share: golden datasets, small random shards, short calls."""

from __future__ import annotations

import json
from functools import cache
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import settings
from hypothesis import strategies as st

from clustrategy.core.fits import NUMBERS, Fits
from clustrategy.core.shard import INTERCEPT, Shard
from clustrategy.engines.chosen import Strategy

FOLDER = Path(__file__).parent / "golden"
GOLDEN = json.loads((FOLDER / "golden.json").read_text())["datasets"]

needs_glmm = pytest.mark.skipif(find_spec("glmm") is None, reason="no wheel of glmm here")
few = settings(max_examples=12, derandomize=True, deadline=None, database=None)


@cache
def table() -> pd.DataFrame:
    """All golden datasets, the digits read exactly."""
    return pd.read_csv(FOLDER / "datasets.csv", float_precision="round_trip")


@cache
def golden(name: str) -> Shard:
    """One golden dataset."""
    rows = table()[table()["dataset"] == name]
    predictors = [x for x in ("x1", "x2", "x3") if rows[x].notna().all()]
    X = np.column_stack([np.ones(len(rows)), rows[predictors]])
    sizes = np.asarray(rows.groupby("cluster").size(), dtype=np.int64)
    return Shard(rows["y"].to_numpy(), X, sizes[None, :], (INTERCEPT, *predictors))


def sleepstudy() -> pd.DataFrame:
    """`lme4::sleepstudy`."""
    rows = table()[table()["dataset"] == "sleepstudy"]
    names = {"y": "Reaction", "x1": "Days", "cluster": "Subject"}
    return rows.rename(columns=names)[list(names.values())].reset_index(drop=True)


def orthodont() -> pd.DataFrame:
    """`nlme::Orthodont`, Sex as text."""
    rows = table()[table()["dataset"] == "orthodont"]
    names = {"y": "distance", "x1": "age", "x2": "nsex", "cluster": "Subject"}
    rows = rows.rename(columns=names)[list(names.values())].reset_index(drop=True)
    return rows.assign(Sex=np.where(rows["nsex"] == 1, "Female", "Male"))


def fit(shard: Shard, strategy: str, **entry: object) -> Fits:
    """Fit a strategy by its entry in the config."""
    return Strategy.parse({"strategy": strategy, **entry}).fit(shard)


def fitted(shard: Shard, strategy: str, **entry: object) -> Fits:
    """Fit a strategy; every dataset must give numbers."""
    found = fit(shard, strategy, **entry)
    assert set(found.status) <= {"ok", "singular"}, found.message
    assert np.isfinite([found.estimate, found.std_error]).all() and not np.isnan(found.df).any()
    return found


def random_shard(
    seed: int, sims: int = 3, clusters: int = 6, p: int = 3, rows: int | tuple[int, int] = (5, 9)
) -> Shard:
    """Random intercepts and slopes; `rows` of each cluster, or their range."""
    rng = np.random.default_rng(seed)
    if isinstance(rows, int):
        n = np.full((sims, clusters), rows, dtype=np.int64)
    else:
        n = rng.integers(rows[0], rows[1] + 1, (sims, clusters), dtype=np.int64)
    codes = np.repeat(np.arange(n.size), n.reshape(-1))
    X = rng.standard_normal((codes.size, p))
    X[:, 0] = 1.0
    b = 1.0 + 0.7 * rng.standard_normal((n.size, p))
    y = (X * b[codes]).sum(axis=1) + rng.standard_normal(codes.size)
    return Shard(y, X, n, (INTERCEPT, *(f"x{k}" for k in range(1, p))))


@st.composite
def shards(draw: st.DrawFn) -> Shard:
    """Random shards, balanced or not."""
    p = draw(st.integers(1, 4))
    least = draw(st.integers(p + 1, p + 4))
    sizes: list[int | tuple[int, int]] = [least, (least, least + 5)]
    rows = draw(st.sampled_from(sizes))
    sims, clusters = draw(st.integers(1, 4)), draw(st.integers(2, 7))
    return random_shard(draw(st.integers(0, 10**6)), sims, clusters, p, rows)


def join(*parts: Shard) -> Shard:
    """Datasets of the same number of clusters as one shard."""
    return Shard(
        np.concatenate([part.y for part in parts]),
        np.concatenate([part.X for part in parts]),
        np.concatenate([part.n for part in parts]),
        parts[0].terms,
    )


def same_bits(one: Fits, other: Fits) -> bool:
    """Whether two fits hold the same numbers to the last bit."""
    return all(
        np.array_equal(getattr(one, column), getattr(other, column), equal_nan=True)
        for column in (*NUMBERS, "theta")
    ) and list(one.status) == list(other.status)
