"""How the sims of a cell are cut into shards: all of them once, and the same cut as they grow."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clustrategy.study.blocks import cap, doubling, equal

SIMS = st.integers(1, 5000)
CAPS = st.integers(1, 3000)


@given(SIMS, CAPS)
def test_every_sim_is_in_one_shard(sims: int, size: int) -> None:
    for shards in (equal(sims, size), doubling(sims, size)):
        assert [sim for shard in shards for sim in shard] == list(range(sims))
        assert all(0 < len(shard) <= size for shard in shards)


@given(SIMS, SIMS, CAPS)
def test_more_sims_leave_all_shards_but_the_last(one: int, other: int, size: int) -> None:
    few, many = sorted((one, other))
    for cut in (equal, doubling):
        before, after = cut(few, size), cut(many, size)
        assert after[: len(before) - 1] == before[:-1]
        assert after[len(before) - 1].start == before[-1].start


@given(SIMS, CAPS)
def test_shards_are_few(sims: int, size: int) -> None:
    """At the worst half the cap, after at most one shard for every doubling."""
    assert len(doubling(sims, size)) <= 2 * sims / size + max(0, math.log2(size / 50)) + 2


@pytest.mark.parametrize(
    ("size", "starts"),
    [
        (10**6, [0, 50, 100, 200, 400, 800]),
        (450, [0, 50, 100, 200, 400, 800]),
        (399, [0, 50, 100, 200, 400, 600, 800]),
        (100, [0, 50, *range(100, 1000, 100)]),
        (99, list(range(0, 1000, 50))),
        (49, list(range(0, 1000, 49))),
    ],
)
def test_shards_double_up_to_the_cap(size: int, starts: list[int]) -> None:
    assert [shard.start for shard in doubling(1000, size)] == starts


def test_the_cap_is_a_matter_of_rows_engines_and_strategies() -> None:
    def size(*engines: str, clusters: int = 10, rows: int = 50, name: str = "ols") -> int:
        chosen = [(name, engine) for engine in engines]
        return cap(chosen, clusters=clusters, rows=rows, predictors=3)

    # 6 s at 0.06 s + 50 * 0.15 ms a fit, and 0.1 ms + 250 * 30 ns a dataset.
    assert size("lme4") == 88
    assert size("lme4", "lme4") == 44
    assert size("lme4_unbounded") == 44
    assert size("of my own") == size("lme4")
    assert size("numpy") > size("numpy", "glmm") > size("numpy", "statsmodels")
    assert size("numpy", clusters=100, rows=10_000) == 200, "2,000,000 rows"
    assert size("lme4", clusters=1000, rows=1_000_000) == 1
    assert size("numpy", clusters=10, rows=3_000_000) == 1
    assert size("numpy") > 5 * size("numpy", name="wild_cluster_bootstrap") > 10
    assert size("lme4", name="mixed_selected") == size("lme4")
