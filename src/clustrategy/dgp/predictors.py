"""The predictors: continuous ones of variance 1, and dummies of treatment arms."""

from __future__ import annotations

import numpy as np

from clustrategy.core.shard import Floats, Ints
from clustrategy.dgp.arms import dummies
from clustrategy.dgp.copula import mixed, shaped
from clustrategy.dgp.process import Process
from clustrategy.dgp.seeds import Stream, Streams


def fill_design(
    process: Process, n: Ints, intercepts: Floats, streams: Streams, X: Floats
) -> Floats:
    """Draw the designs of some datasets.

    Parameters
    ----------
    process : Process
        The options.
    n : (S, G) array
        The rows of each cluster.
    intercepts : (S, G) array
        The clusters' deviations of the intercept, of variance 1.
    streams : Streams
        The generators of the sims.
    X : (R, predictors + 1) array
        What is filled: ones, continuous predictors and dummies; rows by dataset and cluster.

    Returns
    -------
    (R, K) array
        The standard normals by which the continuous predictors vary within clusters.
    """
    rows = n.reshape(-1)
    X[:, 0] = 1.0
    # Column by column: as rows, which have few numbers each, they take thrice the time.
    continuous, within = _continuous(process, n, intercepts, streams)
    for k, x in enumerate(continuous.T):
        X[:, 1 + k] = x
    if process.dummies:
        if process.treatment == "between":
            unit = np.repeat(np.arange(rows.size) % n.shape[1], rows)
        else:
            unit = np.arange(len(X)) - np.repeat(np.cumsum(rows) - rows, rows)
        X[:, 1 + process.continuous :] = dummies(process, unit)
    return within


def _continuous(
    process: Process, n: Ints, intercepts: Floats, streams: Streams
) -> tuple[Floats, Floats]:
    """Draw (R, K) predictors, correlated with each other, within clusters and with intercepts.

    Beside them stand the normals by which they vary within clusters.
    """
    K, rho, share = process.continuous, process.predictor_correlation, process.between_share
    rows, N = n.reshape(-1), n.sum(axis=1)
    within = streams(Stream.BASE).standard_normal(K * N).reshape(N.sum(), K)
    means = np.zeros((n.size, K))
    if share.any():
        normals = streams(Stream.BETWEEN_PREDICTORS).standard_normal(K * n.shape[1])
        means = normals.reshape(n.size, K)
    if process.behind is None:
        x = within = exchangeable(within, rho)
        if share.any():
            means = exchangeable(means, rho)
            x = np.sqrt(share) * np.repeat(means, rows, axis=0) + np.sqrt(1.0 - share) * x
    else:
        x = mixed(within, process.behind.within)
        x += np.repeat(mixed(means, process.behind.between), rows, axis=0)
        for k, shape in enumerate(process.shapes):
            x[:, k] = shaped(x[:, k], shape)
    if process.endogeneity:
        r = process.endogeneity
        x = x.copy()
        x[:, 0] = r * np.repeat(intercepts, rows) + np.sqrt(1.0 - r**2) * x[:, 0]
    return x, within


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
