"""The same bits whatever the cores, the shards, the order, the history and the accidents."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest

from tests.conftest import SMALL, Checkout

ESTIMATES = "results/small/estimates.parquet"


@pytest.fixture(scope="module")
def reference(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """estimates.parquet of the small study on one core, in one shard a cell."""
    from tests.conftest import REPO, WORKFLOW, shutil

    folder = tmp_path_factory.mktemp("reference")
    for part in WORKFLOW:
        source = REPO / part
        (shutil.copytree if source.is_dir() else shutil.copy2)(source, folder / part)
    here = Checkout(folder)
    here.run(ESTIMATES, "--cores", "1", config=SMALL)
    return here.result("estimates.parquet").read_bytes()


@pytest.mark.parametrize("size", [1, 3, "auto"])
def test_shards_and_cores_do_not_matter(
    checkout: Callable[..., Checkout], reference: bytes, size: int | str
) -> None:
    here = checkout()
    here.run(ESTIMATES, config={**SMALL, "sims_per_shard": size})
    assert here.result("estimates.parquet").read_bytes() == reference


def test_growing_the_grid_and_the_sims_runs_what_is_new_alone(
    checkout: Callable[..., Checkout], reference: bytes
) -> None:
    here = checkout()
    part = {
        **SMALL,
        "grid": {**SMALL["grid"], "clusters": [6]},
        "sims": 2,
        "sims_per_shard": 2,
    }
    here.run(ESTIMATES, config=part)
    first = sorted(here.result("estimates").rglob("*.parquet"))
    before = {path: path.stat().st_mtime_ns for path in first}
    run = here.run(ESTIMATES, config={**SMALL, "sims_per_shard": 2})
    assert here.result("estimates.parquet").read_bytes() == reference
    assert {path: path.stat().st_mtime_ns for path in first} == before
    assert len(first) == 2
    assert len(sorted(here.result("estimates").rglob("*.parquet"))) == 8
    assert "Traceback" not in run.output


def _planned(output: str) -> dict[str, int]:
    """The jobs of a dry run, by rule."""
    _, table = output.split("Job stats", 1)
    rows = re.findall(r"^ *([a-z_ ]*[a-z]) +(\d+) *$", table, flags=re.MULTILINE)
    return {rule.replace(" ", "_"): int(jobs) for rule, jobs in rows}


def test_a_level_less_runs_no_fit_and_a_level_more_its_own(
    checkout: Callable[..., Checkout], reference: bytes
) -> None:
    here = checkout()
    fewer = {**SMALL, "grid": {**SMALL["grid"], "between_cluster_sigma": [1]}}
    here.run(ESTIMATES, config=SMALL)
    assert _planned(here.run(ESTIMATES, "--dry-run", config=fewer).output) == {
        "aggregate": 1,
        "total": 1,
    }
    here.run(ESTIMATES, config=fewer)
    half = pq.read_table(here.result("estimates.parquet"))
    whole = pq.read_table(pa.BufferReader(reference))
    assert half.equals(whole.filter(pc.equal(whole["between_cluster_sigma"], 1)))

    # A mark in what was fitted, which only a fit would wipe out.
    shard = here.result("estimates/clusters=6/obs_per_cluster=6/between_cluster_sigma=1")
    table = pq.read_table(shard / "sims=0-3.parquet", partitioning=None)
    marked = pc.add(table["p_value"], 1)
    marked = table.set_column(table.column_names.index("p_value"), "p_value", marked)
    pq.write_table(marked, shard / "sims=0-3.parquet")
    more = {**SMALL, "grid": {**SMALL["grid"], "between_cluster_sigma": [1, 3], "clusters": [6]}}
    plan = _planned(here.run(ESTIMATES, "--dry-run", config=more).output)
    assert plan == {"simulate": 1, "fit": 1, "score": 1, "aggregate": 1, "total": 4}
    here.run(ESTIMATES, config=more)
    p_value = pq.read_table(here.result("estimates.parquet"))["p_value"].to_numpy()
    assert (p_value[: len(p_value) // 2] >= 1).all()
    assert (p_value[len(p_value) // 2 :] <= 1).all()
    assert "Nothing to be done" in here.run(ESTIMATES, config=more).output


def test_a_new_strategy_fits_itself_alone_and_gives_the_same_bits(
    checkout: Callable[..., Checkout], reference: bytes
) -> None:
    here = checkout()
    here.run(ESTIMATES, config={**SMALL, "strategies": ["mixed_maximal", "cluster_robust"]})
    whole = ["cluster_robust", "two_stage", "mixed_maximal", "mixed_intercept"]
    here.run(ESTIMATES, config={**SMALL, "strategies": whole})
    assert here.result("estimates.parquet").read_bytes() == reference


def _survivors(folder: Path) -> list[int]:
    """Processes that still work in a folder."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            if Path(os.readlink(process / "cwd")) == folder and int(process.name) != os.getpid():
                found.append(int(process.name))
        except OSError:
            continue
    return found


@pytest.mark.skipif(not Path("/proc").exists(), reason="needs /proc to find what to kill")
def test_killed_at_random_moments_it_resumes_to_the_same_bits(
    checkout: Callable[..., Checkout], reference: bytes
) -> None:
    here = checkout()
    here.write_config({**SMALL, "sims_per_shard": 1})
    command = here.command(ESTIMATES, "--configfile", "mine.yaml")
    killed = 0
    for patience in (2.5, 3.1, 4.3, 5.2):
        process = subprocess.Popen(
            command, cwd=here.folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        time.sleep(patience)
        killed += process.poll() is None
        for pid in (process.pid, *_survivors(here.folder.resolve())):
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                continue
        process.wait()
    assert killed > 0
    run = here.run(*command[5:])
    assert "LockException" not in run.output
    assert here.result("estimates.parquet").read_bytes() == reference
    whole = pq.read_table(here.result("estimates.parquet"))
    assert whole.num_rows == 4 * 4 * 4 * 4


def test_edits_back_and_forth_end_where_a_fresh_run_does(
    checkout: Callable[..., Checkout], reference: bytes
) -> None:
    """An option, an order, a name and the cut into shards change and change back."""
    here = checkout()
    robust = {"strategy": "cluster_robust", "variance": "CR2", "df": "satterthwaite"}
    renamed = {"strategy": "two_stage", "name": "means of slopes"}
    for strategies, size in (
        ([robust, "mixed_intercept", "two_stage"], 4),
        (["mixed_intercept", renamed, robust], 4),
        (["cluster_robust", "two_stage", "mixed_maximal", "mixed_intercept"], 4),
    ):
        config = {**SMALL, "strategies": strategies, "sims_per_shard": size}
        here.run(ESTIMATES, config=config)
    assert here.result("estimates.parquet").read_bytes() == reference


def test_a_new_version_of_an_engine_is_noticed(checkout: Callable[..., Checkout]) -> None:
    here = checkout()
    here.run(ESTIMATES, config=SMALL)
    code = "import importlib.metadata as m; v = m.version; m.version = lambda n: v(n) + '.1'"
    hook = here.folder / "hook"
    hook.mkdir()
    (hook / "sitecustomize.py").write_text(code + "\n")
    path = os.pathsep.join([str(hook), os.environ.get("PYTHONPATH", "")])
    environment = os.environ | {"PYTHONPATH": path}
    plan = here.run(ESTIMATES, "--dry-run", config=SMALL, env=environment)
    assert "fit" in plan.output
    assert "Nothing to be done" not in plan.output
    assert "Nothing to be done" in here.run(ESTIMATES, "--dry-run", config=SMALL).output
