"""The estimates of least squares without each of the clusters in turn."""

from __future__ import annotations

import numpy as np

from clustrategy.core.shard import Floats, Shard
from clustrategy.design.full_rank import solve_full_rank
from clustrategy.estimation.cluster_robust import influences

ALL_OF_IT = 1e-9
"""A cluster that has all but this share of a direction of X has all of it."""


def estimates_without(shard: Shard) -> Floats:
    """Compute the estimates without each cluster.

    With half_g = X_g W, W W' = (X'X)^-1, they are beta - W (I - half_g' half_g)^-1 half_g' e_g
    (Belsley, Kuh & Welsch 1980, section 2.1).

    Parameters
    ----------
    shard : Shard
        One dataset.

    Returns
    -------
    (G, p) array
        NaN where a coefficient is not identified without the cluster; all NaN where the numbers of
        a column are out of range (`Shard.in_range`).

    Raises
    ------
    DataError
        If coefficients depend on each other.
    """
    if not shard.in_range.all():
        return np.full((shard.clusters, shard.p), np.nan)
    solution = solve_full_rank(shard)
    root, estimate = solution.root[0], solution.estimate[0]
    half, residual = (part[0] for part in influences(shard.triangles, solution))
    values, vectors = np.linalg.eigh(np.swapaxes(half, 1, 2) @ half)
    left = 1.0 - values
    none = left <= ALL_OF_IT
    scores = np.swapaxes(vectors, 1, 2) @ (np.swapaxes(half, 1, 2) @ residual[..., None])
    scores[..., 0] *= np.where(none, 0.0, 1.0 / np.where(none, 1.0, left))
    along = root @ vectors
    without = estimate - (along @ scores)[..., 0]
    lengths = np.sqrt((root * root).sum(axis=1))
    lost = (np.abs(along) > np.sqrt(ALL_OF_IT) * lengths[:, None]) & none[:, None]
    return np.where(lost.any(axis=2), np.nan, without)
