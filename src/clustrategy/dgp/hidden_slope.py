"""A covariate that no model has, whose slope differs between clusters."""

from __future__ import annotations

import numpy as np

from clustrategy.core.shard import Floats, Ints
from clustrategy.dgp.process import Process
from clustrategy.dgp.seeds import Stream, Streams


def hidden_slope(process: Process, n: Ints, within: Floats, streams: Streams) -> Floats:
    """Draw what the covariate adds to the outcome: its value times the cluster's slope.

    The covariate is standard normal, without an ICC, and correlates by `predictor_correlation` with
    each of the K normals by which predictors vary within clusters: with rho the correlation, it is
    a sum(x) + sqrt(1 - K rho a) u, where a = rho / (1 + (K - 1) rho) and u is independent of all
    else. Its slope is normal with mean 0 and standard deviation `hidden_slope_sd`.

    Parameters
    ----------
    process : Process
        The options.
    n : (S, G) array
        The rows of each cluster.
    within : (R, K) array
        The normals by which predictors vary within clusters.
    streams : Streams
        The generators of the sims.

    Returns
    -------
    (R,) array
        Rows by dataset and cluster.
    """
    generators = streams(Stream.HIDDEN_SLOPE)
    slopes = process.hidden_slope_sd * generators.standard_normal(n.shape[1])
    covariate = generators.standard_normal(n.sum(axis=1))
    rho, K = process.predictor_correlation, within.shape[1]
    if rho and K:
        a = rho / (1.0 + (K - 1) * rho)
        covariate = a * within.sum(axis=1) + np.sqrt(1.0 - K * rho * a) * covariate
    return np.repeat(slopes, n.reshape(-1)) * covariate
