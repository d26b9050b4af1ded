"""How much of the true variance CR2 finds, if errors correlate within clusters.

CR2's adjustment is exact for independent errors. For errors of covariance Omega, here
exchangeable (Imbens & Kolesar 2016, REStat 98, 701-712, have it for the degrees of freedom), the
variance of an estimate is sum_g c'X_g'Omega_g X_g c, c its column of (X'X)^-1, and the expectation
of CR2 sum_g w_g' [(I - H) Omega (I - H)]_gg w_g, w_g = A_g X_g c. Where one cluster has most rows
of an arm its residuals are nearly zero by construction, and CR2 finds a small part of the variance.
"""

from __future__ import annotations

import numpy as np

from clustrategy.core.shard import INTERCEPT, Floats, Shard
from clustrategy.design.variation import starts
from clustrategy.estimation.cluster_robust import adjustment, influences
from clustrategy.estimation.least_squares import solve


def cr2_share(shard: Shard, rho: float) -> Floats:
    """Compute the expectation of CR2 variances over the true ones.

    Parameters
    ----------
    shard : Shard
        One dataset, X of full rank.
    rho : float
        The correlation of errors within clusters, 0 to 1.

    Returns
    -------
    (p,) array
        1 with rho = 0; NaN for a model without an intercept.
    """
    if INTERCEPT not in shard.terms or not 0.0 <= rho <= 1.0:
        return np.full(shard.p, np.nan)
    solution = solve(shard)
    root = solution.root[0]
    inverse = root @ root.T
    half = influences(shard.triangles, solution).half
    weights = (adjustment(half, -0.5) @ (half @ root.T))[0]
    design = shard.triangles[0, ..., :-1]
    ones = design[..., shard.terms.index(INTERCEPT)]
    sums = np.add.reduceat(shard.X, starts(shard), axis=0)
    spread = (1.0 - rho) * shard.X.T @ shard.X + rho * sums.T @ sums
    # Of each cluster and coefficient: w'w, 1'w, X'w, and what (I - H) takes away, X (X'X)^-1 X'w.
    square = (weights * weights).sum(axis=1)
    total = (ones[..., None] * weights).sum(axis=1)
    inner = np.swapaxes(design, 1, 2) @ weights
    away = inverse @ inner
    own = (1.0 - rho) * square + rho * total * total
    crossed = (1.0 - rho) * (inner * away).sum(axis=1)
    crossed += rho * total * (sums[:, None] @ away)[:, 0]
    rest = (away * (spread @ away)).sum(axis=1)
    expected = (own - 2.0 * crossed + rest).sum(axis=0)
    plain = design @ inverse
    true = (1.0 - rho) * (plain * plain).sum(axis=(0, 1)) + rho * ((sums @ inverse) ** 2).sum(
        axis=0
    )
    return np.asarray(expected / true)
