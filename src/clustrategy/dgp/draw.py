"""Drawing the datasets of a cell."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import NamedTuple

import numpy as np

from clustrategy.core.cells import Level
from clustrategy.core.shard import Floats, Ints, Shard
from clustrategy.dgp.distributions import standardised
from clustrategy.dgp.missing import observed
from clustrategy.dgp.predictors import design
from clustrategy.dgp.process import Process
from clustrategy.dgp.residuals import residuals
from clustrategy.dgp.seeds import Stream, Streams, cell_key, seed_of, streams
from clustrategy.dgp.sizes import cluster_sizes


@dataclass(frozen=True)
class Simulation:
    """Datasets and the truth that generated them.

    Attributes
    ----------
    shard : Shard
        The S datasets.
    truth : (S, p) array
        The population coefficients.
    cluster_coefficients : (S, G, p) array
        The coefficients of each cluster.
    """

    shard: Shard
    truth: Floats
    cluster_coefficients: Floats


class _Dataset(NamedTuple):
    y: Floats
    X: Floats
    n: Ints
    truth: Floats
    cluster_coefficients: Floats


def simulate(
    process: Process, seed: int, cell: Mapping[str, Level], sims: Sequence[int]
) -> Simulation:
    """Draw some sims of a cell.

    Parameters
    ----------
    process : Process
        The data-generating process of the cell.
    seed : int
        The study's seed.
    cell : Mapping
        The levels that identify the cell.
    sims : Sequence of int
        The numbers of the sims. Each is the same whatever stands beside it.

    Examples
    --------
    Two datasets of 3 clusters with 4 rows each:

    >>> from clustrategy import simulate
    >>> from clustrategy.dgp import Process
    >>> cell = {"clusters": 3, "obs_per_cluster": 4, "between_cluster_sigma": 0.5}
    >>> process = Process(**cell, predictors=1, coefficients=[1.0, 0.3], residual_sigma=1.0)
    >>> drawn = simulate(process, seed=1, cell=cell, sims=range(2))
    >>> drawn.shard.X.shape, drawn.shard.terms
    ((24, 2), ('(Intercept)', 'IV1'))
    >>> drawn.truth
    array([[1. , 0.3],
           [1. , 0.3]])
    >>> again = simulate(process, seed=1, cell=cell, sims=[1])
    >>> bool((again.shard.y == drawn.shard.y[12:]).all())
    True
    """
    key = cell_key(cell)
    drawn = [_draw(process, cache(streams(seed, key, sim))) for sim in sims]
    y, X = (np.concatenate(parts) for parts in list(zip(*drawn, strict=True))[:2])
    n, truth, coefficients = (np.stack(parts) for parts in list(zip(*drawn, strict=True))[2:])
    seeds = tuple(seed_of(seed, key, sim, Stream.RESAMPLING) for sim in sims)
    return Simulation(Shard(y, X, n, process.terms, seeds), truth, coefficients)


def _draw(process: Process, generators: Streams) -> _Dataset:
    rng = generators(Stream.BASE)
    p = process.predictors + 1
    if isinstance(process.coefficients, Mapping):
        low, high = process.coefficients["uniform"]
        truth = rng.uniform(low, high, size=p)
    else:
        truth = np.array(process.coefficients, dtype=float)
    normals = rng.standard_normal((process.clusters, p))
    z = _deviations(process, normals, generators)
    b = truth + process.sigmas * z
    n = cluster_sizes(process, normals[:, 0], generators)
    X = design(process, n, z[:, 0], generators)
    e = residuals(process, n, rng.standard_normal(len(X)), generators)
    y = (X * np.repeat(b, n, axis=0)).sum(axis=-1) + e
    if process.missing_rate:
        there = observed(process, n, X, generators)
        n = np.add.reduceat(there, np.cumsum(n) - n, dtype=np.int64)
        y, X = y[there], X[there]
    return _Dataset(y, X, n, truth, b)


def _deviations(process: Process, normals: Floats, generators: Streams) -> Floats:
    """Return (G, p) the clusters' deviations over their standard deviations.

    Independent variates are drawn from the distribution. Then the slopes' are mixed with the
    intercept's: z_k = rho z_0 + sqrt(1 - rho^2) z'_k.
    """
    z = normals
    if process.random_distribution != "normal":
        rng = generators(Stream.CLUSTER_DISTRIBUTION)
        z = standardised(process.random_distribution, z, rng)
    rho = process.intercept_slope_correlation
    if rho:
        z = np.concatenate([z[:, :1], rho * z[:, :1] + np.sqrt(1.0 - rho**2) * z[:, 1:]], axis=1)
    return z
