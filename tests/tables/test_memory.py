"""What takes more memory than is free is refused, wherever the limit is set."""

from __future__ import annotations

import resource
from pathlib import Path
from types import SimpleNamespace

import psutil
import pytest

from clustrategy.core.errors import DataError
from clustrategy.tables import memory
from clustrategy.tables.memory import check_memory, free_memory, out_of_memory

GIB = 2**30


@pytest.fixture(autouse=True)
def _machine(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the machine have 64 GiB free, without `ulimit`."""
    monkeypatch.setattr(psutil, "virtual_memory", lambda: SimpleNamespace(available=64 * GIB))
    monkeypatch.setattr(resource, "getrlimit", lambda _: (resource.RLIM_INFINITY,) * 2)


def put(root: Path, files: dict[str, object]) -> Path:
    for name, content in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"{content}\n")
    return root


V1 = "5:cpu:/job\n4:memory:/job\n1:name=systemd:/"
STAT = "anon 7\ninactive_file 1073741824\ntotal_inactive_file 2147483648"


@pytest.mark.parametrize(
    ("files", "free"),
    [
        ({}, 64),
        ({"proc/self/cgroup": "0::/"}, 64),
        (
            {
                "proc/self/cgroup": "0::/",
                "sys/fs/cgroup/memory.max": 8 * GIB,
                "sys/fs/cgroup/memory.current": 3 * GIB,
            },
            5,
        ),
        (
            {
                "proc/self/cgroup": "0::/",
                "sys/fs/cgroup/memory.max": "max",
                "sys/fs/cgroup/memory.current": 3 * GIB,
            },
            64,
        ),
        # A batch job within a group that has less left; pages of files can be had back.
        (
            {
                "proc/self/cgroup": "0::/slurm/job",
                "sys/fs/cgroup/slurm/job/memory.max": 30 * GIB,
                "sys/fs/cgroup/slurm/job/memory.current": 1 * GIB,
                "sys/fs/cgroup/slurm/memory.max": 40 * GIB,
                "sys/fs/cgroup/slurm/memory.current": 20 * GIB,
                "sys/fs/cgroup/slurm/memory.stat": STAT,
            },
            21,
        ),
        (
            {
                "proc/self/cgroup": V1,
                "sys/fs/cgroup/memory/job/memory.limit_in_bytes": 8 * GIB,
                "sys/fs/cgroup/memory/job/memory.usage_in_bytes": 3 * GIB,
                "sys/fs/cgroup/memory/job/memory.stat": STAT,
                "sys/fs/cgroup/memory/memory.limit_in_bytes": 2**63 - 4096,
                "sys/fs/cgroup/memory/memory.usage_in_bytes": 3 * GIB,
            },
            7,
        ),
        # Docker with version 1: the path is of the host, and the limits are at the top.
        (
            {
                "proc/self/cgroup": "4:memory:/docker/abc",
                "sys/fs/cgroup/memory/memory.limit_in_bytes": 2 * GIB,
                "sys/fs/cgroup/memory/memory.usage_in_bytes": 3 * GIB,
            },
            0,
        ),
    ],
)
def test_limits_of_containers_and_jobs(tmp_path: Path, files: dict[str, object], free: int) -> None:
    assert free_memory(put(tmp_path, files)) == free * GIB


def test_the_limit_of_the_shell(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(resource, "getrlimit", lambda _: (50 * GIB,) * 2)
    free = free_memory(tmp_path)
    assert 0 < 50 * GIB - free < 49 * GIB


def test_the_sentence_has_both_numbers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(memory, "free_memory", lambda: 3 * GIB // 2)
    check_memory("t.csv", 3 * GIB // 2)
    with pytest.raises(DataError) as error:
        check_memory("t.csv", 2500 * GIB)
    assert str(error.value) == (
        "t.csv: reading this takes about 2,500.0 GiB of memory, but 1.5 GiB are free; read fewer "
        "columns, or use a machine with more memory"
    )
    assert str(out_of_memory("t.csv")) == (
        "t.csv: the memory, of which 1.5 GiB are free, is too small to read this; read fewer "
        "columns, or use a machine with more memory"
    )
