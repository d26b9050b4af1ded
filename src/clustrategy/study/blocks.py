"""How the sims of a cell are cut into blocks, and what a block costs.

`sims_per_shard` as a number gives blocks of so many sims. `auto` makes them as large as time and
memory allow:

1. A block has at most `ROWS` rows and takes, by the estimates below, at most `SECONDS` of CPU
   time; one sim it always has. That is the cap. It follows from the size of the cell's datasets
   and from the strategies and their engines.
2. With a cap of 50 or more the blocks are 0-49, 50-99, 100-199, 200-399, ...: each ends at a
   50 * 2**k. Once the next would exceed the cap, all further ones are as large as the last.
3. With a cap below 50 all blocks are as large as the cap.
4. The last block ends with the last sim.

So more sims leave all blocks as they are but the last, where it was not full. Neither do the other
cells of the grid matter: a level more or less leaves the blocks of all other levels as they are.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import NamedTuple

from clustrategy.core.cells import Cell, shard_path
from clustrategy.dgp.drawn import AnyProcess
from clustrategy.strategies.registry import DEFAULT_ENGINE

SECONDS = 6.0
ROWS = 2_000_000
FIRST = 50


@dataclass(frozen=True)
class Block:
    """Consecutive sims of one cell: the unit of work and of resuming.

    Attributes
    ----------
    cell : Cell
        The factors' values.
    first, last : int
        The numbers of its first and last sim.
    """

    cell: Cell
    first: int
    last: int

    @property
    def sims(self) -> range:
        """The numbers of its sims."""
        return range(self.first, self.last + 1)

    @property
    def path(self) -> str:
        """Where its shards are in the folder of their kind."""
        return shard_path(self.cell, self.sims)

    def head(self, sims: int) -> Block:
        """Return the block of its first sims, as far as they are below `sims`."""
        return Block(self.cell, self.first, min(self.last, sims - 1))


class Cost(NamedTuple):
    """CPU seconds that something takes for one dataset."""

    once: float
    row: float
    cluster: float = 0.0

    def __call__(self, clusters: int, rows: int) -> float:
        """Return the seconds for a dataset of so many clusters and rows."""
        return self.once + self.row * rows + self.cluster * clusters


LME4 = Cost(6e-2, 1.5e-4)
FIT = {
    DEFAULT_ENGINE: Cost(1e-4, 5e-8, 2e-6),
    "glmm": Cost(1e-3, 4e-7),
    "statsmodels": Cost(2e-3, 1e-6),
    "lme4": LME4,
    "lme4_unbounded": Cost(2 * LME4.once, 2 * LME4.row),
}
SLOW_STRATEGIES = {
    "wild_cluster_bootstrap": Cost(2e-3, 0.0, 1e-5),
    "mixed_selected": Cost(2e-3, 0.0, 1e-5),
    "mixed_fallback": Cost(1e-3, 0.0, 5e-6),
}
"""What takes our own engine far longer than the rest."""
DRAW = Cost(1e-4, 3e-8)
"""To draw a dataset and to write what came of it; its rows count once for each column."""


class Chosen(NamedTuple):
    """What a fit's cost depends on: the names of a strategy and of its engine."""

    strategy: str
    engine: str


def seconds(process: AnyProcess, strategies: Iterable[Chosen]) -> float:
    """Estimate the CPU seconds that one dataset takes, drawing included.

    Parameters
    ----------
    process : Process or GivenProcess
        Which says how large a dataset is.
    strategies : iterable of Chosen
        An engine that is not known is taken to be as slow as lme4.
    """
    clusters, rows = process.clusters, process.rows
    total = DRAW(clusters, rows * (len(process.terms) + 1))
    for name, engine in strategies:
        cost = FIT.get(engine, LME4)
        if engine == DEFAULT_ENGINE:
            cost = SLOW_STRATEGIES.get(name, cost)
        total += cost(clusters, rows)
    return total


def cap(process: AnyProcess, strategies: Iterable[Chosen]) -> int:
    """Return the most sims of a block."""
    return max(1, min(int(SECONDS / seconds(process, strategies)), ROWS // process.rows))


def equal(sims: int, size: int) -> list[range]:
    """Cut sims into blocks of `size` sims."""
    return [range(first, min(first + size, sims)) for first in range(0, sims, size)]


def doubling(sims: int, most: int) -> list[range]:
    """Cut sims into blocks that grow up to a cap, as the module says."""
    if most < FIRST:
        return equal(sims, most)
    blocks, first, size = [], 0, FIRST
    while first < sims:
        blocks.append(range(first, min(first + size, sims)))
        first += size
        if size < first <= most:
            size = first
    return blocks


def most_blocks(sims: int, most: int) -> int:
    """Return a number that the blocks of `doubling` do not exceed: each is over half the cap."""
    return -(-2 * sims // most) + sims.bit_length()
