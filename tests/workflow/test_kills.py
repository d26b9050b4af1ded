"""Killed at random moments, a study resumes to the same bits."""

from __future__ import annotations

import os
import random
import signal
import time
from collections.abc import Callable
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from tests.conftest import ESTIMATES, SMALL, Checkout, started

STUDY = {**SMALL, "sims_per_shard": 1}


def _workers(folder: Path) -> list[int]:
    """The processes that work in a folder, the newest last."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            if Path(os.readlink(process / "cwd")) == folder and int(process.name) != os.getpid():
                found.append(int(process.name))
        except OSError:
            continue
    return sorted(found)


def _kill(pids: list[int]) -> None:
    for pid in filter(None, pids):
        try:
            os.kill(pid, signal.SIGKILL)
        except ProcessLookupError:
            continue


def _job(folder: Path) -> list[int]:
    """The newest job of a run, as soon as there is one; none where the run is over."""
    end = time.monotonic() + 2.0
    while time.monotonic() < end:
        _, *jobs = _workers(folder) or [0]
        if jobs:
            return jobs[-1:]
        time.sleep(0.01)
    return []


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc").exists(), reason="needs /proc to find what to kill")
@pytest.mark.parametrize("whom", ["the group", "Snakemake alone", "one job"])
def test_killed_at_random_moments_it_resumes_to_the_same_bits(
    checkout: Callable[..., Checkout], small: Checkout, whom: str
) -> None:
    """Seven moments each, from the plan of the run to its last table."""
    here = checkout()
    folder = here.folder.resolve()
    here.write_config(STUDY)
    arguments = here.command(ESTIMATES, "--configfile", "mine.yaml")[3:]
    moments = random.Random(whom)
    killed = 0
    for _ in range(7):
        wait = started(arguments, folder)
        time.sleep(moments.uniform(0.2, 1.2) if whom == "one job" else moments.uniform(0.4, 2.4))
        main, *jobs = _workers(folder) or [0]
        match whom:
            case "the group":
                _kill([main, *jobs])
            case "Snakemake alone":
                _kill([main])
            case "one job":
                _kill(_job(folder))
        code = wait().code
        killed += code != 0
        while whom == "Snakemake alone" and _workers(folder):
            time.sleep(0.1)
        if code == 0:
            for shard in list(here.result("fits").rglob("*.parquet"))[::3]:
                shard.unlink()
            here.result("estimates.parquet").unlink(missing_ok=True)
    assert killed > 0
    run = here.run(ESTIMATES, config=STUDY)
    assert "LockException" not in run.output
    found = here.result("estimates.parquet").read_bytes()
    assert found == small.result("estimates.parquet").read_bytes()
    assert pq.read_table(here.result("estimates.parquet")).num_rows == 4 * 4 * 4 * 4
    assert not [path for path in here.result("").rglob(".*.parquet") if path.exists()]
