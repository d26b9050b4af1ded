"""The errors: their distribution, their variance in each cluster, their autocorrelation."""

from __future__ import annotations

import numpy as np

from clustrategy.core.shard import Floats, Ints
from clustrategy.dgp.distributions import standardised
from clustrategy.dgp.process import Process
from clustrategy.dgp.seeds import Stream, Streams


def residuals(process: Process, n: Ints, X: Floats, normals: Floats, streams: Streams) -> Floats:
    """Draw the errors of some datasets.

    Parameters
    ----------
    process : Process
        The options.
    n : (S, G) array
        The rows of each cluster.
    X : (R, predictors + 1) array
        The predictors, of which the last is the dummy of the treated arm if arms differ.
    normals : (R,) array
        Independent standard normals, rows by dataset and cluster.
    streams : Streams
        The generators of the sims.

    Returns
    -------
    (R,) array
        The errors, rows by dataset and cluster.
    """
    e, rows = normals, n.reshape(-1)
    if process.residual_distribution != "normal":
        generators = streams(Stream.RESIDUAL_DISTRIBUTION)
        e = standardised(process.residual_distribution, e, generators, n.sum(axis=1))
    if process.residual_autocorrelation:
        e = autoregressive(e, rows, process.residual_autocorrelation)
    if process.residual_variance_cv:
        # A lognormal variance of mean 1 is exp(s w - s^2 / 2) with s^2 = log(1 + CV^2).
        s = np.sqrt(np.log1p(process.residual_variance_cv**2))
        w = streams(Stream.RESIDUAL_VARIANCES).standard_normal(n.shape[1])
        e = np.repeat(np.exp((s * w - s**2 / 2.0) / 2.0), rows) * e
    _, ratio = process.variance_ratios
    if ratio != 1:
        e = np.where(X[:, -1] == 1, np.sqrt(ratio), 1.0) * e
    return process.residual_sigma * e


def autoregressive(innovations: Floats, n: Ints, phi: float) -> Floats:
    """Turn innovations of variance 1 into a stationary AR(1) series of variance 1 per cluster.

    Parameters
    ----------
    innovations : (..., N) array
        Independent draws, rows by cluster.
    n : (G,) array
        The rows of each cluster.
    phi : float
        The correlation of neighbouring rows.
    """
    e = innovations.copy()
    first = np.cumsum(n) - n
    for i in range(1, int(n.max())):
        rows = first[n > i] + i
        e[..., rows] = phi * e[..., rows - 1] + np.sqrt(1.0 - phi**2) * innovations[..., rows]
    return e
