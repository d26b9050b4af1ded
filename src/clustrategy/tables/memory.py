"""How much memory is free, and whether it is enough: asked before a large table is read."""

from __future__ import annotations

import resource
from collections.abc import Iterator
from pathlib import Path

import psutil

from clustrategy.core.errors import DataError

_GIB = 2**30
_UNLIMITED = 2**60
"""Control groups without a limit say a number near 2^63."""


def check_memory(what: object, needed: float) -> None:
    """Refuse what takes more memory than is free.

    Parameters
    ----------
    what : object
        The file, or whatever else messages name.
    needed : float
        Bytes, by estimate.

    Raises
    ------
    DataError
        If fewer are free; the sentence has both numbers.
    """
    free = free_memory()
    if needed > free:
        raise DataError(
            f"{what}: reading this takes about {_size(needed)} of memory, but {_size(free)} are "
            "free; read fewer columns, or use a machine with more memory"
        )


def out_of_memory(what: object) -> DataError:
    """Return the error for a table whose reading ran out of memory nevertheless."""
    return DataError(
        f"{what}: the memory, of which {_size(free_memory())} are free, is too small to read this; "
        "read fewer columns, or use a machine with more memory"
    )


def free_memory(root: Path = Path("/")) -> int:
    """Return how many bytes this process can still take.

    Parameters
    ----------
    root : Path
        Where the folders proc and sys are.

    Returns
    -------
    int
        The least of what the machine has, what the container or batch job allows (control groups
        of version 1 and 2) and what `ulimit -v` allows.
    """
    free = [psutil.virtual_memory().available, *_left_in_groups(root)]
    limit, _ = resource.getrlimit(resource.RLIMIT_AS)
    if limit != resource.RLIM_INFINITY:
        # What is reserved without being used, as by the pools of Arrow, is still to be had.
        free.append(limit - psutil.Process().memory_info().rss)
    return max(0, min(free))


def _left_in_groups(root: Path) -> Iterator[int]:
    """Yield the bytes that each control group of this process has left."""
    try:
        lines = (root / "proc/self/cgroup").read_text().splitlines()
    except OSError:
        return
    for line in lines:
        _, _, rest = line.partition(":")
        controllers, _, group = rest.partition(":")
        if not controllers:
            mount, limit, usage, cached = "", "memory.max", "memory.current", "inactive_file"
        elif "memory" in controllers.split(","):
            mount, cached = "memory", "total_inactive_file"
            limit, usage = "memory.limit_in_bytes", "memory.usage_in_bytes"
        else:
            continue
        top = root / "sys/fs/cgroup" / mount
        # In a container the group's own path is often not there: its limits are at the top.
        folder = top / group.strip("/")
        for place in [folder, *folder.parents][: len(folder.parts) - len(top.parts) + 1]:
            allowed, used = _number(place / limit), _number(place / usage)
            if allowed is not None and used is not None and allowed < _UNLIMITED:
                yield allowed - used + _statistic(place / "memory.stat", cached)


def _number(file: Path) -> int | None:
    try:
        return int(file.read_text())
    except (OSError, ValueError):  # The word "max" is no limit.
        return None


def _statistic(file: Path, name: str) -> int:
    """Return a number of memory.stat: pages of files count as used, but can be had back."""
    try:
        pairs = dict(line.split() for line in file.read_text().splitlines())
        return int(pairs[name])
    except (OSError, ValueError, KeyError):
        return 0


def _size(number: float) -> str:
    return f"{number / _GIB:,.1f} GiB" if number >= _GIB / 10 else f"{number / 2**20:,.1f} MiB"
