"""Wild cluster bootstrap tests of several coefficients at once.

As `wild_bootstrap`, whose notation this keeps, with the Wald statistic in the place of t. Of q
coefficients, the rows of W are T' Q' with T triangular and Q'Q = I, and theta = T'^-1 times the
estimates. With A_g = Q' B_g and the residuals under the null that all q are zero, whose scores are
z_g + B_g Q theta, a draw has

    w = sum v_g (z_g + B_g Q theta),    theta* = Q' w,    V* = sum f_g f_g',
    f_g = v_g c_g - A_g w,    c_g = Q' z_g + A_g Q theta,

and W* = theta*' V*^-1 theta* is at least the W of the data where W V* - theta* theta*' has an
eigenvalue that is not positive, also where V* is singular. Without the null imposed the residuals
have the scores z_g. A draw with one weight for all clusters that have a part in theta*, or whose
residuals, fitted anew, change those of such clusters, gives back W; without the null imposed its
W* is 0. The sums over the clusters are products of matrices of cluster by draw: the
cost is O(G q^2 p) a draw.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from clustrategy.core.joint_tests import JointTests
from clustrategy.core.shard import Floats, Ints, Shard
from clustrategy.estimation.wald import NO_VARIANCE, Turned, wald
from clustrategy.estimation.wild_bootstrap import (
    NO_PART,
    TIE_TOLERANCE,
    Weights,
    least_squares,
    same_weight,
    weights_of,
)

DRAWS_AT_ONCE = 100
"""Draws whose squared weights are held at once."""


def joint_wild_bootstrap(
    shard: Shard, groups: Sequence[Ints], impose_null: bool, weights: Weights, draws: int
) -> JointTests:
    """Test groups of coefficients by the wild cluster bootstrap.

    Parameters
    ----------
    shard : Shard
        The datasets.
    groups : sequence of (q,) array of int
        The columns of X of each group.
    impose_null, weights, draws
        As of `fit_wild_bootstrap`; all groups share the weights of its own tests.

    Returns
    -------
    JointTests
        The Wald statistic over q with the CR1 variance, and the share of draws in which it is at
        least that of the data.
    """
    tests = JointTests.blank(shard.sims, groups)
    fits, (solution, half, scores, _) = least_squares(shard)
    fits.df[np.isfinite(fits.std_error)] = np.inf  # the draws need none
    cr1 = shard.clusters / np.float64(max(shard.clusters - 1, 1))
    drawn: dict[int, Floats] = {}
    for place, group in enumerate(groups):
        turned = Turned.of(solution.root[:, group])
        theta = turned(solution.estimate[:, group])
        observed = wald(theta, scores @ turned.basis, solution.residual_ss)
        p_value = np.full(shard.sims, np.nan)
        for sim in map(int, np.flatnonzero(np.isfinite(observed))):
            if sim not in drawn:
                drawn[sim] = weights_of(shard, sim, weights, draws)
            p_value[sim] = _share(
                half[sim],
                scores[sim],
                turned.basis[sim],
                theta[sim],
                observed[sim],
                drawn[sim],
                impose_null,
            )
        tests.fill(place, observed / (cr1 * group.size), np.nan, NO_VARIANCE, p_value)
    return tests.agree_with(fits, groups, shard.terms)


def _share(
    half: Floats,
    scores: Floats,
    basis: Floats,
    theta: Floats,
    observed: float,
    weights: Floats,
    impose_null: bool,
) -> float:
    """Return the share of draws of one dataset with W* >= W.

    Everything is divided by the root of V of the data, V = I then, so that eigenvalues are near 1.
    """
    G, _, p = half.shape
    q = theta.size
    V = np.linalg.cholesky((basis.T @ scores.T) @ (scores @ basis))
    B = np.swapaxes(half, 1, 2) @ half
    A = np.linalg.solve(V, basis.T @ B)
    under_null = scores + B @ (basis @ theta) if impose_null else scores
    c = np.linalg.solve(V, basis.T @ under_null.T)
    shares = ((half @ basis) ** 2).sum(axis=(1, 2))
    stacked = A.reshape(G * q, p)
    spilled = ((scores @ (stacked.T @ stacked)) * scores).sum(axis=1)
    same, _ = same_weight(weights, ((shares > NO_PART) | (spilled > NO_PART))[None])
    A = np.ascontiguousarray(np.moveaxis(A, 0, 2))
    AA = np.einsum("sag,tbg->stab", A, A, optimize=True).reshape(q * q, p * p)
    cA = (c[:, None, None] * A).reshape(q * q * p, G)
    cc = (c[:, None] * c).reshape(q * q, G)
    turn = np.linalg.solve(V, basis.T)
    above = np.zeros(weights.shape[1], dtype=bool)
    for start in range(0, weights.shape[1], DRAWS_AT_ONCE):
        v = weights[:, start : start + DRAWS_AT_ONCE]
        w = under_null.T @ v
        star = turn @ w
        crossed = ((cA @ v).reshape(q, q, p, -1) * w).sum(axis=2)
        spread = (cc @ (v * v)).reshape(q, q, -1) - crossed - np.swapaxes(crossed, 0, 1)
        ww = (w[:, None] * w).reshape(p * p, -1)
        spread += (AA @ ww).reshape(q, q, -1)
        excess = (1.0 - TIE_TOLERANCE) * observed * spread - star[:, None] * star
        least = np.linalg.eigvalsh(np.moveaxis(excess, 2, 0))[:, 0]
        above[start : start + DRAWS_AT_ONCE] = least <= 0.0
    above[same[0]] = impose_null
    return float(above.mean())
