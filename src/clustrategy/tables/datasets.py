"""Simulated datasets and their true coefficients as rows."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pyarrow as pa

from clustrategy.core.shard import INTERCEPT, Floats, Shard

TRUTH = pa.schema([("sim", pa.int64()), ("term", pa.string()), ("value", pa.float64())])


def dataset_schema(terms: Sequence[str]) -> pa.Schema:
    """Return the columns of datasets: sim, cluster, DV and the predictors."""
    numbers = [(name, pa.float64()) for name in ("DV", *terms[1:])]
    return pa.schema([("sim", pa.int32()), ("cluster", pa.int32()), *numbers])


def datasets_table(shard: Shard, sims: Sequence[int]) -> pa.Table:
    """Make a row per observation of simulated datasets; the column of ones is left out."""
    cluster = np.tile(np.arange(1, shard.clusters + 1, dtype=np.int32), shard.sims)
    columns = [
        np.repeat(np.asarray(sims, dtype=np.int32), shard.n_obs),
        np.repeat(cluster, shard.n.reshape(-1)),
        shard.y,
        *(np.ascontiguousarray(x) for x in shard.X.T[1:]),
    ]
    return pa.table(columns, schema=dataset_schema(shard.terms))


def shard_from_datasets(table: pa.Table) -> tuple[Shard, list[int]]:
    """Read the shard, and the numbers of its sims, from a table made by `datasets_table`.

    The seeds of the datasets are not in the table: what resamples draws otherwise than in the study
    they are from. To make a dataset of a study again with its seed, `simulate` its sim.
    """
    sim, cluster = (table[name].to_numpy() for name in ("sim", "cluster"))
    first = np.flatnonzero(np.r_[True, (sim[1:] != sim[:-1]) | (cluster[1:] != cluster[:-1])])
    sizes = np.diff(np.r_[first, sim.size]).astype(np.int64)
    names = table.column_names[3:]
    X = np.column_stack([np.ones(sim.size), *(table[name].to_numpy() for name in names)])
    sims = np.unique(sim)
    shard = Shard(table["DV"].to_numpy(), X, sizes.reshape(sims.size, -1), (INTERCEPT, *names))
    return shard, sims.tolist()


def truth_table(truth: Floats, terms: Sequence[str], sims: Sequence[int]) -> pa.Table:
    """Make a row per sim and coefficient that generated it."""
    sim = np.repeat(np.asarray(sims, dtype=np.int64), len(terms))
    return pa.table([sim, list(terms) * len(sims), truth.reshape(-1)], schema=TRUTH)
