"""How the sims of a cell are cut into blocks: all of them once, and the same cut as they grow."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clustrategy.dgp import Process
from clustrategy.study.blocks import Block, Chosen, cap, doubling, equal, seconds

SIMS = st.integers(1, 5000)
CAPS = st.integers(1, 3000)


@given(SIMS, CAPS)
def test_every_sim_is_in_one_block(sims: int, size: int) -> None:
    for blocks in (equal(sims, size), doubling(sims, size)):
        assert [sim for block in blocks for sim in block] == list(range(sims))
        assert all(0 < len(block) <= size for block in blocks)


@given(SIMS, SIMS, CAPS)
def test_more_sims_leave_all_blocks_but_the_last(one: int, other: int, size: int) -> None:
    few, many = sorted((one, other))
    for cut in (equal, doubling):
        before, after = cut(few, size), cut(many, size)
        assert after[: len(before) - 1] == before[:-1]
        assert after[len(before) - 1].start == before[-1].start


@given(SIMS, CAPS)
def test_blocks_are_few(sims: int, size: int) -> None:
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
def test_blocks_double_up_to_the_cap(size: int, starts: list[int]) -> None:
    assert [block.start for block in doubling(1000, size)] == starts


def test_the_cap_is_a_matter_of_rows_engines_and_strategies() -> None:
    def size(*engines: str, clusters: int = 10, rows: int = 50, name: str = "ols") -> int:
        process = Process(clusters, rows // clusters, 0.5, 3, [0.0] * 4, 1.0)
        return cap(process, [Chosen(name, engine) for engine in engines])

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


def test_a_dataset_costs_its_draw_and_its_fits() -> None:
    process = Process(10, 5, 0.5, 3, [0.0] * 4, 1.0)
    entries = [Chosen("ols", "numpy"), Chosen("mixed_maximal", "lme4"), Chosen("ols", "numpy")]
    draw = seconds(process, [])
    costs = [seconds(process, [entry]) - draw for entry in entries]
    assert draw > 0 and costs[1] > 100 * costs[0] > 0
    assert seconds(process, entries) == pytest.approx(draw + sum(costs))


def test_a_block_has_a_head_and_a_path() -> None:
    block = Block({"clusters": 5, "treatment": "within"}, 2, 5)
    assert [*block.sims] == [2, 3, 4, 5]
    assert block.path == "clusters=5/treatment=within/sims=2-5.parquet"
    assert [*block.head(4).sims] == [2, 3]
    assert block.head(6) == block.head(100) == block
