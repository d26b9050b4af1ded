"""The random effects of single clusters: lme4's `ranef`.

Given theta, sigma and the fixed effects, the random effects of cluster g are normal. Their mean is
L u_g, u_g the least-squares solution of [Z_g L; I] u = [y_g - X_g beta; 0], and their variance
sigma^2 L (L' Z_g' Z_g L + I)^-1 L' (Bates, Maechler, Bolker & Walker 2015, JSS 67(1), section 3).
Solved by orthogonal triangles, this takes any theta: on the boundary, and so large that the
clusters' coefficients are as good as their own regressions'.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from clustrategy.core.fits import Fits
from clustrategy.core.shard import Floats, Ints, Shard
from clustrategy.estimation.mixed.random_coefficients import RandomCoefficients

CLUSTERS_AT_ONCE = 5000
"""Enough to hide the cost of a call, few enough for the cache."""


class ConditionalModes(NamedTuple):
    """The random effects of G clusters.

    Attributes
    ----------
    columns : (q,) array of int
        The columns of X whose coefficients are random.
    mode : (G, q) array
        How far a cluster's coefficients are from the fixed effects, lme4's `ranef`; the sum of
        both is its `coef`. Shrunken towards 0, the more the less a cluster's rows tell.
    std_error : (G, q) array
        Their conditional standard deviations, theta, sigma and the fixed effects taken as known:
        the roots of the diagonals of lme4's `postVar`.
    """

    columns: Ints
    mode: Floats
    std_error: Floats


def conditional_modes(shard: Shard, fits: Fits, sim: int = 0) -> ConditionalModes:
    """Compute the random effects of the clusters of one dataset.

    Parameters
    ----------
    shard : Shard
        The datasets.
    fits : Fits
        Of any mixed model to them, by any engine, as the strategy returned them.
    sim : int
        Which dataset.

    Returns
    -------
    ConditionalModes

    Raises
    ------
    ValueError
        Where the fit has none; it says why, as `random_coefficients.absence` does.
    """
    random = RandomCoefficients.of(fits, sim)
    q = random.columns.size
    mode, std_error = np.empty((2, shard.clusters, q))
    for start in range(0, shard.clusters, CLUSTERS_AT_ONCE):
        some = slice(start, start + CLUSTERS_AT_ONCE)
        half, mode[some] = _solve(shard.triangles[sim, some], random, fits.estimate[sim])
        std_error[some] = random.sigma * np.sqrt((half * half).sum(axis=2))
    return ConditionalModes(random.columns, mode, std_error)


def _solve(
    triangles: Floats, random: RandomCoefficients, estimate: Floats
) -> tuple[Floats, Floats]:
    """Return of some clusters A with A A' = variance / sigma^2, (g, q, q), and modes, (g, q)."""
    q = random.columns.size
    # Further down the columns of Z's triangles are zero.
    k = int(random.columns.max()) + 1
    X, y = triangles[:, :k, :-1], triangles[:, :k, -1]
    joined = np.zeros((len(triangles), k + q, q + 1))
    joined[:, :k, :q] = X[..., random.columns] @ random.factor
    joined[:, :k, q] = y - X @ estimate
    joined[:, k:, :q] = np.eye(q)
    upper = np.asarray(np.linalg.qr(joined, mode="r"))
    half = random.factor @ np.linalg.inv(upper[:, :q, :q])
    return half, (half @ upper[:, :q, q:])[..., 0]
