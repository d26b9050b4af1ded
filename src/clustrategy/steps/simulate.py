"""Draw the datasets of shards."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from clustrategy.core.cells import read_shard_path
from clustrategy.dgp import Process, simulate
from clustrategy.tables.datasets import datasets_table, truth_table
from clustrategy.tables.files import write_parquet


def simulate_shards(
    seed: int, dgp: Mapping[str, Any], *, datasets: Sequence[str], truth: Sequence[str]
) -> None:
    """Write the datasets and the true coefficients of shards, one after the other.

    Parameters
    ----------
    seed : the study's seed.
    dgp : the data-generating process but for what the cells set.
    datasets, truth : the files to write; their paths say which cells and sims.
    """
    for path, true in zip(datasets, truth, strict=True):
        cell, sims = read_shard_path(path)
        job = {"seed": seed, "cell": cell, "process": {**dgp, **cell}}
        simulate_shard(job, sims, datasets=path, truth=true)


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
    write_parquet(truth_table(drawn.truth, terms, sims), truth, {})
    write_parquet(datasets_table(drawn.shard, sims), datasets, {})
