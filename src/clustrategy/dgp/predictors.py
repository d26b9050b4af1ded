"""The predictors: continuous ones of variance 1, and dummies of treatment arms."""

from __future__ import annotations

import numpy as np

from clustrategy.core.shard import Floats, Ints
from clustrategy.dgp.process import Process
from clustrategy.dgp.seeds import Stream, Streams


def design(process: Process, n: Ints, intercepts: Floats, streams: Streams) -> Floats:
    """Draw the design of one dataset.

    Parameters
    ----------
    process : Process
        The options.
    n : (G,) array
        The rows of each cluster.
    intercepts : (G,) array
        The clusters' deviations of the intercept, of variance 1.
    streams : Streams
        The generators of the sim.

    Returns
    -------
    (N, predictors + 1) array
        Ones, continuous predictors and dummies; rows by cluster.
    """
    cluster = np.repeat(np.arange(n.size), n)
    X = np.ones((cluster.size, process.predictors + 1))
    X[:, 1 : 1 + process.continuous] = _continuous(process, cluster, intercepts, streams)
    if process.dummies:
        rank = np.arange(cluster.size) - np.repeat(np.cumsum(n) - n, n)
        unit = cluster if process.treatment == "between" else rank
        X[:, 1 + process.continuous :] = unit[:, None] % process.arms == np.arange(1, process.arms)
    return X


def _continuous(process: Process, cluster: Ints, intercepts: Floats, streams: Streams) -> Floats:
    """Draw (N, K) predictors, correlated with each other, within clusters and with intercepts."""
    K, rho, share = process.continuous, process.predictor_correlation, process.between_share
    x = exchangeable(streams(Stream.BASE).standard_normal((cluster.size, K)), rho)
    if share.any():
        rng = streams(Stream.BETWEEN_PREDICTORS)
        means = exchangeable(rng.standard_normal((intercepts.size, K)), rho)
        x = np.sqrt(share) * means[cluster] + np.sqrt(1.0 - share) * x
    if process.endogeneity:
        r = process.endogeneity
        x[:, 0] = r * intercepts[cluster] + np.sqrt(1.0 - r**2) * x[:, 0]
    return x


def exchangeable(normals: Floats, rho: float) -> Floats:
    """Give every two columns of independent normals the correlation rho.

    The rows are multiplied by the symmetric square root a I + b J of the correlation matrix
    (1 - rho) I + rho J.
    """
    K = normals.shape[1]
    if rho == 0 or K < 2:
        return normals
    a = np.sqrt(1.0 - rho)
    b = (np.sqrt(1.0 + (K - 1) * rho) - a) / K
    return a * normals + b * normals.sum(axis=1, keepdims=True)
