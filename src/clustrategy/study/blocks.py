"""How the sims of a cell are cut into shards.

`sims_per_shard` as a number gives shards of so many sims. `auto` makes them as large as time and
memory allow:

1. A shard has at most `ROWS` rows and takes, by the estimates in `FIT` and `DRAW`, at most
   `SECONDS` of CPU time; one sim it always has. That is the cap. It follows from the size of the
   cell's datasets and from the strategies and their engines.
2. With a cap of 50 or more the shards are 0-49, 50-99, 100-199, 200-399, ...: each ends at a
   50 * 2**k. Once the next would exceed the cap, all further ones are as large as the last.
3. With a cap below 50 all shards are as large as the cap.
4. The last shard ends with the last sim.

So more sims leave all shards as they are but the last, where it was not full. Neither do the other
cells of the grid matter: a level more or less leaves the shards of all other levels as they are.
The few seconds are those of one shard; a job has a shard of each cell of one size.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from clustrategy.strategies.registry import DEFAULT_ENGINE

SECONDS = 6.0
ROWS = 2_000_000
FIRST = 50


class Cost(NamedTuple):
    """CPU seconds of something that is done to one dataset."""

    once: float
    row: float
    cluster: float = 0.0

    def __call__(self, clusters: int, rows: int) -> float:
        """The seconds for a dataset of so many clusters and rows."""
        return self.once + self.row * rows + self.cluster * clusters


LME4 = Cost(6e-2, 1.5e-4)
FIT = {
    DEFAULT_ENGINE: Cost(1e-4, 5e-8, 2e-6),
    "glmm": Cost(1e-3, 4e-7),
    "statsmodels": Cost(2e-3, 1e-6),
    "lme4": LME4,
    "lme4_unbounded": Cost(2 * LME4.once, 2 * LME4.row),
}
# Of our own engine, what takes far longer than the rest.
DEAR = {
    "wild_cluster_bootstrap": Cost(2e-3, 0.0, 1e-5),
    "mixed_selected": Cost(2e-3, 0.0, 1e-5),
    "mixed_fallback": Cost(1e-3, 0.0, 5e-6),
}
# Simulating, writing and reading a dataset, its rows counted once for each column.
DRAW = Cost(1e-4, 3e-8)


def cap(strategies: Iterable[tuple[str, str]], *, clusters: int, rows: int, predictors: int) -> int:
    """The most sims of a shard.

    Parameters
    ----------
    strategies : name and engine of each; an engine that is not known is taken to be as slow as
        lme4.
    clusters, rows, predictors : the size of a dataset, all its rows together.
    """
    seconds = DRAW(clusters, rows * (predictors + 2))
    for name, engine in strategies:
        cost = FIT.get(engine, LME4)
        if engine == DEFAULT_ENGINE:
            cost = DEAR.get(name, cost)
        seconds += cost(clusters, rows)
    return max(1, min(int(SECONDS / seconds), ROWS // rows))


def equal(sims: int, size: int) -> list[range]:
    """Shards of `size` sims."""
    return [range(first, min(first + size, sims)) for first in range(0, sims, size)]


def doubling(sims: int, cap: int) -> list[range]:
    """Shards that grow up to the cap, as the module says."""
    if cap < FIRST:
        return equal(sims, cap)
    shards, first, size = [], 0, FIRST
    while first < sims:
        shards.append(range(first, min(first + size, sims)))
        first += size
        if size < first <= cap:
            size = first
    return shards
