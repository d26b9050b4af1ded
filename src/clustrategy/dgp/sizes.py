"""How many rows each cluster has."""

from __future__ import annotations

import numpy as np

from clustrategy.core.shard import Floats, Ints
from clustrategy.dgp.process import Process
from clustrategy.dgp.seeds import Stream, Streams

ROUNDING_VARIANCE = 1.0 / 6.0
"""What rounding at random adds to a variance: the mean of f (1 - f) over fractions f."""

LEAST_VARIANCE = 0.01
"""The variance before rounding is at least this."""


def cluster_sizes(process: Process, intercepts: Floats, streams: Streams) -> Ints:
    """Draw the rows of each cluster, at least 1 and on average exactly `obs_per_cluster`.

    With m the mean size, a size is one plus a gamma variate of mean m - 1 and variance
    (m CV)^2 - 1/6. It is rounded up or down at random with the probabilities that keep its mean,
    which adds a variance of 1/6. Its normal score has the correlation `informative_size` with the
    intercept's (a Gaussian copula).

    Parameters
    ----------
    process : Process
        The options.
    intercepts : (S, G) array
        The standard normals behind the clusters' intercepts.
    streams : Streams
        The generators of the sims.

    Returns
    -------
    (S, G) array of int
        The rows of each cluster.
    """
    if process.size_cv == 0:
        return np.full(intercepts.shape, process.obs_per_cluster, dtype=np.int64)
    from scipy.special import gammaincinv, ndtr

    generators = streams(Stream.SIZES)
    normals = generators.standard_normal(process.clusters).reshape(intercepts.shape)
    r = process.informative_size
    score = r * intercepts + np.sqrt(1.0 - r**2) * normals
    shape, scale = gamma(process)
    further = scale * gammaincinv(shape, ndtr(score))
    below = np.floor(further)
    up = generators.random(process.clusters).reshape(intercepts.shape) < further - below
    return 1 + below.astype(np.int64) + up


def size_quantiles(process: Process, count: int) -> Floats:
    """Return (count,) sizes that stand for equal shares of the clusters, before they are rounded.

    Parameters
    ----------
    process : Process
        The options.
    count : int
        How many; one alone where all clusters have as many rows.
    """
    if process.size_cv == 0:
        return np.array([float(process.obs_per_cluster)])
    from scipy.special import gammaincinv

    shape, scale = gamma(process)
    return np.asarray(1.0 + scale * gammaincinv(shape, (np.arange(count) + 0.5) / count))


def gamma(process: Process) -> tuple[float, float]:
    """Return shape and scale of a cluster's rows beyond the first, before they are rounded."""
    mean = process.obs_per_cluster
    variance = max((mean * process.size_cv) ** 2 - ROUNDING_VARIANCE, LEAST_VARIANCE)
    return (mean - 1) ** 2 / variance, variance / (mean - 1)
