"""Drawing the datasets of a cell."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from clustrategy.core.cells import Level
from clustrategy.core.shard import Floats, Ints, Shard
from clustrategy.dgp.arms import dummies
from clustrategy.dgp.distributions import standardised
from clustrategy.dgp.estimand import over_persons
from clustrategy.dgp.hidden_slope import hidden_slope
from clustrategy.dgp.missing import observed
from clustrategy.dgp.predictors import fill_design
from clustrategy.dgp.process import Process
from clustrategy.dgp.residuals import residuals
from clustrategy.dgp.seeds import Generators, Seeds, Stream, Streams, cell_key
from clustrategy.dgp.sizes import cluster_sizes

ROWS = 16_384
"""The rows that are drawn at once: so few that what is made of them stays in the cache."""

EIGHT = 8
"""Of fewer numbers numpy's sums add one after the other."""


@dataclass(frozen=True)
class Simulation:
    """Datasets and the truth that generated them.

    Attributes
    ----------
    shard : Shard
        The S datasets.
    truth : (S, p) array
        The population coefficients, averages of the clusters' over what `estimand` says.
    cluster_coefficients : (S, G, p) array
        The coefficients of each cluster.
    """

    shard: Shard
    truth: Floats
    cluster_coefficients: Floats


class _Rows:
    """The rows of datasets, filled from the first to the last.

    Parameters
    ----------
    expected : int
        How many rows there may be; there is room for more when they come.
    p : int
        The columns of X.
    """

    def __init__(self, expected: int, p: int) -> None:
        self._y, self._X, self._filled = np.empty(expected), np.empty((expected, p)), 0

    def free(self, count: int) -> tuple[Floats, Floats]:
        """Return y and X of so many rows, to be filled."""
        end = self._filled + count
        if end > self._y.size:
            y, X = self.filled
            self._y, self._X = np.empty(end + end // 8), np.empty((end + end // 8, X.shape[1]))
            self._y[: y.size], self._X[: y.size] = y, X
        return self._y[self._filled : end], self._X[self._filled : end]

    def keep(self, count: int) -> None:
        """Take so many of the rows that were free as filled."""
        self._filled += count

    @property
    def filled(self) -> tuple[Floats, Floats]:
        """The rows that are filled, of y and of X."""
        return self._y[: self._filled], self._X[: self._filled]


class _Clusters(NamedTuple):
    n: Ints
    truth: Floats
    coefficients: Floats


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
    streams = Streams.of(seed, key, sims)
    at_once = max(1, ROWS // process.rows)
    starts = range(0, len(sims), at_once)
    rows = _Rows(len(sims) * process.rows, process.predictors + 1)
    drawn = [_draw(process, streams.part(slice(at, at + at_once)), rows) for at in starts]
    n, truth, coefficients = (np.concatenate(parts) for parts in zip(*drawn, strict=True))
    if process.estimand == "persons":
        truth += over_persons(process)
    seeds = Seeds(seed, key, sims, Stream.RESAMPLING)
    return Simulation(Shard(*rows.filled, n, process.terms, seeds), truth, coefficients)


def _draw(process: Process, streams: Streams, rows: _Rows) -> _Clusters:
    base = streams(Stream.BASE)
    p = process.predictors + 1
    truth = _truth(process, base)
    normals = base.standard_normal(process.clusters * p).reshape(-1, process.clusters, p)
    z = _deviations(process, normals, streams)
    b = truth[:, None] + _sigmas(process) * z
    n = cluster_sizes(process, normals[..., 0], streams)
    N = n.sum(axis=1)
    y, X = rows.free(int(N.sum()))
    within = fill_design(process, n, z[..., 0], streams, X)
    e = residuals(process, n, X, base.standard_normal(N), streams)
    np.add(_expected(X, b, n), e, out=y)
    if process.hidden_slope_sd:
        y += hidden_slope(process, n, within, streams)
    if process.missing_rate:
        there = observed(process, n, X, streams)
        starts = np.cumsum(n) - n.reshape(-1)
        n = np.add.reduceat(there, starts, dtype=np.int64).reshape(n.shape)
        kept = int(n.sum())
        y[:kept], X[:kept] = y[there], X[there]
        y = y[:kept]
    rows.keep(y.size)
    return _Clusters(n, truth, b)


def _truth(process: Process, base: Generators) -> Floats:
    """Return (S, p) the means over clusters of the coefficients."""
    p = process.predictors + 1
    if isinstance(process.coefficients, Mapping):
        low, high = process.coefficients["uniform"]
        return base.uniform(low, high, p)
    return np.repeat(np.array([process.coefficients], dtype=float), len(base), axis=0)


def _deviations(process: Process, normals: Floats, streams: Streams) -> Floats:
    """Return (S, G, p) the clusters' deviations over their standard deviations.

    Independent variates are drawn from the distribution. Then the slopes' are mixed with the
    intercept's: z_k = rho z_0 + sqrt(1 - rho^2) z'_k.
    """
    z = normals
    if process.random_distribution != "normal":
        generators = streams(Stream.CLUSTER_DISTRIBUTION)
        z = standardised(process.random_distribution, z, generators, z[0].size)
    rho = process.intercept_slope_correlation
    if rho:
        first = z[..., :1]
        z = np.concatenate([first, rho * first + np.sqrt(1.0 - rho**2) * z[..., 1:]], axis=-1)
    return z


def _sigmas(process: Process) -> Floats:
    """Return the standard deviation of each coefficient, (p,), or of each cluster's, (G, p)."""
    ratio, _ = process.variance_ratios
    if ratio == 1:
        return process.sigmas
    sigmas = np.tile(process.sigmas, (process.clusters, 1))
    treated = dummies(process, np.arange(process.clusters))[:, 0]
    sigmas[treated, 0] *= np.sqrt(ratio)
    return sigmas


def _expected(X: Floats, b: Floats, n: Ints) -> Floats:
    """Return (R,) X b_g, summed as numpy's `sum(axis=-1)` does, whose first column of X is 1."""
    p, rows = b.shape[-1], n.reshape(-1)
    if p >= EIGHT:
        return np.asarray((X * np.repeat(b.reshape(-1, p), rows, axis=0)).sum(axis=-1))
    y = np.repeat(b[..., 0], rows)
    for k in range(1, p):
        term = np.repeat(b[..., k], rows)
        term *= X[:, k]
        y += term
    return y
