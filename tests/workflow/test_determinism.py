"""The same bits whatever the cores, the blocks, the order and the history."""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest

from tests.conftest import ESTIMATES, SMALL, Checkout

WHOLE = ["cluster_robust", "two_stage", "mixed_maximal", "mixed_intercept"]
TABLES = ("truth.parquet", "estimates.parquet", "fits.parquet", "scores.parquet")


@pytest.fixture(scope="session")
def reference(small: Checkout) -> dict[str, bytes]:
    """The tables of the small study on one core, in one block a cell."""
    return {name: small.result(name).read_bytes() for name in TABLES}


def tables(here: Checkout) -> dict[str, bytes]:
    """The tables as they are now."""
    return {name: here.result(name).read_bytes() for name in TABLES}


def mtimes(here: Checkout, kind: str = "estimates") -> dict[Path, int]:
    """When each shard of a kind was written."""
    shards = sorted(here.result(kind).rglob("*.parquet"))
    return {path: path.stat().st_mtime_ns for path in shards}


@pytest.mark.parametrize("size", [1, 3, "auto"])
def test_blocks_and_cores_do_not_matter(
    checkout: Callable[..., Checkout], reference: dict[str, bytes], size: int | str
) -> None:
    here = checkout()
    here.run(ESTIMATES, config={**SMALL, "sims_per_shard": size})
    assert tables(here) == reference


def test_packing_does_not_matter(
    checkout: Callable[..., Checkout], reference: dict[str, bytes]
) -> None:
    """As if starting a job cost nothing: a job for each block."""
    here = checkout()
    hook = here.folder / "hook"
    hook.mkdir()
    code = "import clustrategy.study.packs as packs\npacks.LEAST = packs.SECONDS = 1e-9\n"
    (hook / "sitecustomize.py").write_text(code)
    path = os.pathsep.join([str(hook), os.environ.get("PYTHONPATH", "")])
    config = {**SMALL, "sims_per_shard": 2}
    run = here.run(ESTIMATES, config=config, env=os.environ | {"PYTHONPATH": path})
    assert planned(run.output)["simulate_fit_score"] == 8
    assert tables(here) == reference


def planned(output: str) -> dict[str, int]:
    """The jobs of a run or a dry run, by rule."""
    _, table = output.split("Job stats", 1)
    rows = re.findall(r"^ *([a-z_ ]*[a-z]) +(\d+) *$", table, flags=re.MULTILINE)
    return {rule.replace(" ", "_"): int(jobs) for rule, jobs in rows}


def test_growing_the_grid_and_the_sims_runs_what_is_new_alone(
    checkout: Callable[..., Checkout], reference: dict[str, bytes]
) -> None:
    here = checkout()
    part = {
        **SMALL,
        "grid": {**SMALL["grid"], "clusters": [6]},
        "sims": 2,
        "sims_per_shard": 2,
    }
    here.run(ESTIMATES, config=part)
    before = mtimes(here)
    run = here.run(ESTIMATES, config={**SMALL, "sims_per_shard": 2})
    assert "2 of 8 blocks are good and are taken over; 6 will be made" in run.output
    assert tables(here) == reference
    after = mtimes(here)
    assert {path: after[path] for path in before} == before
    assert (len(before), len(after)) == (2, 8)
    assert "Traceback" not in run.output


def test_a_level_less_runs_no_fit_and_a_level_more_its_own(
    finished: Checkout, reference: dict[str, bytes]
) -> None:
    here = finished
    before = mtimes(here)
    fewer = {**SMALL, "grid": {**SMALL["grid"], "between_cluster_sigma": [1]}}
    dry = here.run(ESTIMATES, "--dry-run", config=fewer)
    assert planned(dry.output) == {"aggregate": 1, "total": 1}
    here.run(ESTIMATES, config=fewer)
    half = pq.read_table(here.result("estimates.parquet"))
    whole = pq.read_table(pa.BufferReader(reference["estimates.parquet"]))
    assert half.equals(whole.filter(pc.equal(whole["between_cluster_sigma"], 1)))
    assert mtimes(here) == before

    more = {**SMALL, "grid": {**SMALL["grid"], "between_cluster_sigma": [1, 3], "clusters": [6]}}
    plan = planned(here.run(ESTIMATES, "--dry-run", config=more).output)
    assert plan == {"simulate_fit_score": 1, "aggregate": 1, "total": 2}
    here.run(ESTIMATES, config=more)
    after = mtimes(here)
    assert {path: after[path] for path in before} == before
    assert len(after) == len(before) + 1
    assert "Nothing to be done" in here.run(ESTIMATES, config=more).output


def test_a_new_strategy_fits_itself_alone_and_gives_the_same_bits(
    checkout: Callable[..., Checkout], reference: dict[str, bytes]
) -> None:
    here = checkout()
    here.run(ESTIMATES, config={**SMALL, "strategies": ["mixed_maximal", "cluster_robust"]})
    before = mtimes(here, "truth")
    here.run(ESTIMATES, config={**SMALL, "strategies": WHOLE})
    assert tables(here) == reference
    assert mtimes(here, "truth") == before


def test_edits_back_and_forth_end_where_a_fresh_run_does(
    checkout: Callable[..., Checkout], reference: dict[str, bytes]
) -> None:
    """An option, an order, a name, the cut into blocks and the sims change and change back."""
    here = checkout()
    robust = {"strategy": "cluster_robust", "variance": "CR2", "df": "satterthwaite"}
    renamed = {"strategy": "two_stage", "name": "means of slopes"}
    for strategies, size, sims in (
        ([robust, "mixed_intercept", "two_stage"], 4, 4),
        (["mixed_intercept", renamed, robust], 3, 6),
        (WHOLE, 4, 4),
    ):
        config = {**SMALL, "strategies": strategies, "sims_per_shard": size, "sims": sims}
        here.run(ESTIMATES, config=config)
    assert tables(here) == reference


def test_a_new_version_of_an_engine_is_noticed(finished: Checkout) -> None:
    here = finished
    code = "import importlib.metadata as m; v = m.version; m.version = lambda n: v(n) + '.1'"
    hook = here.folder / "hook"
    hook.mkdir()
    (hook / "sitecustomize.py").write_text(code + "\n")
    path = os.pathsep.join([str(hook), os.environ.get("PYTHONPATH", "")])
    environment = os.environ | {"PYTHONPATH": path}
    plan = here.run(ESTIMATES, "--dry-run", config=SMALL, env=environment)
    assert "simulate_fit_score" in planned(plan.output)
    assert "Nothing to be done" in here.run(ESTIMATES, "--dry-run", config=SMALL).output
