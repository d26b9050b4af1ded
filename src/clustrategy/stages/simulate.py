"""Draw the datasets of a shard."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from clustrategy import tables
from clustrategy.dgp import Process, simulate


def simulate_shard(
    job: Mapping[str, Any], sims: Sequence[int], *, datasets: str, truth: str
) -> None:
    """Write the datasets and the true coefficients of some sims of a cell.

    Parameters
    ----------
    job : `seed`, `cell` and `process`, as `Study` gives them.
    sims : which sims.
    datasets, truth : the files to write.
    """
    drawn = simulate(Process(**job["process"]), job["seed"], job["cell"], sims)
    terms = drawn.shard.terms
    tables.write_parquet(tables.truth_table(drawn.truth, terms, sims), truth, {})
    tables.write_parquet(tables.datasets_table(drawn.shard, sims), datasets, {})
