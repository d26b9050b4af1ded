"""Packs of blocks: what one job carries.

A pack's name is a digest of what it makes, so that its receipt tells of just that. A pack that has
to be made although its receipt is there, since shards were lost or damaged later, has a number
after its name.
"""

from __future__ import annotations

import heapq
import json
import math
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import NamedTuple

from clustrategy.core.digests import digest
from clustrategy.core.errors import DataError
from clustrategy.study.blocks import Block
from clustrategy.tables.files import write_text

SECONDS = 60.0
"""About what a job of a large study takes, in CPU seconds."""

LEAST = 2.0
"""Less work than this is not worth a job of its own, which takes a second to start."""

PACKS = "packs.json"
"""The file of the packs, beside their receipts."""

PART = ".part"
"""How the files end that say how far a job is."""

EVERY = 1.0
"""So many seconds are at least between two of them."""

_LENGTH = 12


@dataclass(frozen=True)
class Task:
    """A block that has to be made.

    Attributes
    ----------
    block : Block
    made_from : str
        A digest of what its shards are to be made from.
    seconds : float
        The CPU time that it takes, estimated.
    """

    block: Block
    made_from: str
    seconds: float


class Judged(NamedTuple):
    """A block, judged.

    Attributes
    ----------
    block : Block
    task : Task or None
        What has to be made of it, nothing where its shards are good.
    is_missing : bool
        Whether a shard is not there or not whole; else it is stale.
    """

    block: Block
    task: Task | None
    is_missing: bool


@dataclass(frozen=True)
class Pack:
    """The blocks of one job.

    Attributes
    ----------
    blocks : sequence of Block
    seconds : float
        The CPU time that they take, estimated.
    """

    blocks: Sequence[Block]
    seconds: float

    @property
    def datasets(self) -> int:
        """How many datasets its blocks have."""
        return sum(len(block.sims) for block in self.blocks)


def pack(tasks: Sequence[Task], cores: int, folder: str) -> dict[str, Pack]:
    """Pack blocks into jobs of about the same cost.

    Parameters
    ----------
    tasks : sequence of Task
    cores : int
        How many jobs can run at once.
    folder : str
        Where the receipts are.

    Returns
    -------
    dict of str to Pack
        By name: jobs of about a minute, at least so many that the cores are busy, and not so many
        that they cost more to start than to run.
    """
    total = sum(task.seconds for task in tasks)
    jobs = max(math.ceil(total / SECONDS), min(cores, math.ceil(total / LEAST)), 1)
    members: list[list[int]] = [[] for _ in range(min(jobs, len(tasks)))]
    loads = [(0.0, k) for k in range(len(members))]
    for place in sorted(range(len(tasks)), key=lambda place: -tasks[place].seconds):
        load, k = heapq.heappop(loads)
        members[k].append(place)
        heapq.heappush(loads, (load + tasks[place].seconds, k))
    packs = {}
    for places in members:
        chosen = [tasks[place] for place in sorted(places)]
        seconds = sum(task.seconds for task in chosen)
        packs[_name(chosen, folder)] = Pack([task.block for task in chosen], seconds)
    return packs


def _name(tasks: Sequence[Task], folder: str) -> str:
    """Name a pack by what it makes, so that it has no receipt yet."""
    name = digest([[task.block.path, task.made_from] for task in tasks])[:_LENGTH]
    number, free = 1, name
    while receipt(folder, free).exists():
        number += 1
        free = f"{name}-{number}"
    return free


def receipt(folder: str, name: str) -> Path:
    """Return the file that a pack's job leaves behind."""
    return Path(folder, f"{name}.json")


def write_packs(packs: Mapping[str, Pack], path: Path) -> None:
    """Write packs for the jobs to read."""
    content = {
        name: {
            "seconds": one.seconds,
            "blocks": [[block.cell, block.first, block.last] for block in one.blocks],
        }
        for name, one in packs.items()
    }
    write_text(json.dumps({"digest": digest(content), "packs": content}) + "\n", path)


def pack_of(path: Path, name: str) -> Pack:
    """Read one pack.

    Raises
    ------
    DataError
        Where the file does not have it: it is of another run.
    """
    try:
        return read_packs(path)[name]
    except KeyError:
        raise DataError(f"{path}: has no pack {name!r}; run again") from None


class Tally(NamedTuple):
    """How far the job of a pack has come.

    Attributes
    ----------
    datasets : int
        Of the blocks that are made.
    statuses : mapping of str to int
        How many of the fits that were made have each status.
    """

    datasets: int = 0
    statuses: Mapping[str, int] = MappingProxyType({})


def tally(receipt: str | Path) -> Tally:
    """Return how far the job that leaves a receipt has come; all zero where nothing is known."""
    for path in (Path(receipt), _part(receipt)):
        try:
            content = json.loads(path.read_text(encoding="utf-8"))
            return Tally(content["datasets"], content["statuses"])
        except (OSError, ValueError, KeyError, TypeError):
            continue
    return Tally()


def _part(receipt: str | Path) -> Path:
    """Return the file that says how far a job is that has no receipt yet."""
    return Path(receipt).with_suffix(PART)


def carry(name: str, receipt: str, make: Callable[[Block], Mapping[str, int]]) -> None:
    """Make the blocks of a pack one after the other, and leave its receipt.

    Parameters
    ----------
    name : str
        Of the pack, which the file beside the receipt holds.
    receipt : str
        The file to write when all is done.
    make : callable
        Makes a block, and gives how many fits it made have each status.

    Raises
    ------
    DataError
        Where the file of the packs is of another run.
    """
    blocks = pack_of(Path(receipt).with_name(PACKS), name).blocks
    datasets, statuses = 0, Counter[str]()
    said = time.monotonic()
    for block in blocks:
        statuses.update(make(block))
        datasets += len(block.sims)
        if time.monotonic() - said >= EVERY:
            _write(Tally(datasets, statuses), _part(receipt))
            said = time.monotonic()
    _write(Tally(datasets, statuses), receipt)
    _part(receipt).unlink(missing_ok=True)


def _write(tally: Tally, path: str | Path) -> None:
    write_text(json.dumps(tally._asdict()) + "\n", path)


def read_packs(path: Path) -> dict[str, Pack]:
    """Read packs; none where there is no file, or a damaged one."""
    try:
        whole = json.loads(path.read_text(encoding="utf-8"))
        content = whole["packs"]
        if whole["digest"] != digest(content):
            return {}
    except (OSError, ValueError, KeyError, TypeError):
        return {}
    return {
        name: Pack([Block(*block) for block in one["blocks"]], one["seconds"])
        for name, one in content.items()
    }
