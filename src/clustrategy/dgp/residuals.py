"""The errors: their distribution, their variance in each cluster, their autocorrelation."""

from __future__ import annotations

import numpy as np

from clustrategy.core.shard import Floats, Ints
from clustrategy.dgp.distributions import standardised
from clustrategy.dgp.process import Process
from clustrategy.dgp.seeds import Stream, Streams


def residuals(process: Process, n: Ints, normals: Floats, streams: Streams) -> Floats:
    """The errors of one dataset.

    Parameters
    ----------
    n : (G,) rows of each cluster.
    normals : (N,) independent standard normals, rows by cluster.
    """
    e = normals
    if process.residual_distribution != "normal":
        rng = streams(Stream.RESIDUAL_DISTRIBUTION)
        e = standardised(process.residual_distribution, e, rng)
    if process.residual_autocorrelation:
        e = autoregressive(e, n, process.residual_autocorrelation)
    if process.residual_variance_cv:
        # a lognormal variance of mean 1: exp(s w - s^2 / 2), s^2 = log(1 + CV^2)
        s = np.sqrt(np.log1p(process.residual_variance_cv**2))
        w = streams(Stream.RESIDUAL_VARIANCES).standard_normal(n.size)
        e = np.repeat(np.exp((s * w - s**2 / 2.0) / 2.0), n) * e
    return process.residual_sigma * e


def autoregressive(innovations: Floats, n: Ints, phi: float) -> Floats:
    """Stationary AR(1) series of variance 1, one for each cluster, of innovations of variance 1."""
    e = innovations.copy()
    first = np.cumsum(n) - n
    for i in range(1, int(n.max())):
        rows = first[n > i] + i
        e[rows] = phi * e[rows - 1] + np.sqrt(1.0 - phi**2) * innovations[rows]
    return e
