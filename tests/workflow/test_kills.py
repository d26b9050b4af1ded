"""Killed at random moments, a study resumes to the same bits."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from tests.conftest import ESTIMATES, SMALL, Checkout

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
    for pid in pids:
        try:
            os.kill(pid, signal.SIGKILL)
        except ProcessLookupError:
            continue


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc").exists(), reason="needs /proc to find what to kill")
@pytest.mark.parametrize("whom", ["the group", "Snakemake alone", "one job"])
def test_killed_at_random_moments_it_resumes_to_the_same_bits(
    checkout: Callable[..., Checkout], small: Checkout, whom: str
) -> None:
    """Seven moments each, while shards and tables are written as often as not."""
    here = checkout()
    folder = here.folder.resolve()
    here.write_config(STUDY)
    command = here.command(ESTIMATES, "--configfile", "mine.yaml")
    moments = random.Random(whom)
    killed = 0
    for _ in range(7):
        process = subprocess.Popen(
            command, cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        # Most of a run is Snakemake's own start; what follows it is of interest.
        while process.poll() is None and len(_workers(folder)) < 2:
            time.sleep(0.02)
        time.sleep(moments.uniform(0.0, 1.3))
        if process.poll() is None:
            killed += 1
        match whom:
            case "the group":
                _kill(_workers(folder))
            case "Snakemake alone":
                _kill([process.pid])
            case "one job":
                _kill([pid for pid in _workers(folder) if pid != process.pid][-1:])
        process.wait()
        while whom == "Snakemake alone" and _workers(folder):
            time.sleep(0.05)
        if not killed or process.returncode == 0:
            for shard in list(here.result("fits").rglob("*.parquet"))[::3]:
                shard.unlink()
            here.result("estimates.parquet").unlink(missing_ok=True)
    assert killed > 0
    run = here.run(*command[5:])
    assert "LockException" not in run.output
    found = here.result("estimates.parquet").read_bytes()
    assert found == small.result("estimates.parquet").read_bytes()
    assert pq.read_table(here.result("estimates.parquet")).num_rows == 4 * 4 * 4 * 4
    assert not [path for path in here.result("").rglob(".*.parquet") if path.exists()]
