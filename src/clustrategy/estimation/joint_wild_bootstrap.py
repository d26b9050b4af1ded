"""Wild cluster bootstrap tests of several coefficients at once.

As `wild_bootstrap`, whose notation this keeps, with the Wald statistic in the place of t. Of q
coefficients, the rows of W are T' Q' with T triangular and Q'Q = I, and theta = T'^-1 times the
estimates. With A_g = Q' B_g, the residuals under the null that all q are zero, whose scores are
s_g = z_g + B_g Q theta, and c_g = Q' s_g, a draw has

    w = sum v_g s_g,    theta* = Q' w,    V* = sum f_g f_g',    f_g = v_g c_g - A_g w,

and W* = theta*' V*^-1 theta* is at least the W of the data where W V* - theta* theta*' has an
eigenvalue that is not positive, also where V* is singular. Without the null imposed the residuals
have the scores z_g. The other members of the family have other s_g, c_g and A_g (`wild_scores`).

Unless residuals are jackknifed, a draw with one weight for all clusters that have a part in theta*,
or in the residuals of those that have one, gives back W; without the null imposed its W* is 0. The
cost is O(G q (p + q)) a draw. The sums of products that V* is made of would cost less, but where
the coefficients are far from 0 their difference keeps no digits.
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
    same_weight,
    weights_of,
)
from clustrategy.estimation.wild_scores import SCORES, Parts, Variant, jackknifed, least_squares

ELEMENTS_AT_ONCE = 2**20
"""How many elements of f_g are held at once."""


def joint_wild_bootstrap(
    shard: Shard,
    groups: Sequence[Ints],
    variant: Variant,
    impose_null: bool,
    weights: Weights,
    draws: int,
) -> JointTests:
    """Test groups of coefficients by the wild cluster bootstrap.

    Parameters
    ----------
    shard : Shard
        The datasets.
    groups : sequence of (q,) array of int
        The columns of X of each group.
    variant, impose_null, weights, draws
        As of `fit_wild_bootstrap`; all groups share the weights of its own tests.

    Returns
    -------
    JointTests
        The Wald statistic over q with the CR1 variance, of V and B with CV3, and the share of
        draws in which it is at least that of the data.
    """
    tests = JointTests.blank(shard.sims, groups)
    fits, parts = least_squares(shard, variant)
    solution = parts.solution
    fits.df[np.isfinite(fits.std_error)] = np.inf  # the draws need none
    drawn: dict[int, Floats] = {}
    for place, group in enumerate(groups):
        turned = Turned.of(solution.root[:, group])
        theta = turned(solution.estimate[:, group])
        observed = wald(theta, parts.scores @ turned.basis, solution.residual_ss)
        p_value = np.full(shard.sims, np.nan)
        for sim in map(int, np.flatnonzero(np.isfinite(observed))):
            if sim not in drawn:
                drawn[sim] = weights_of(shard, sim, weights, draws)
            p_value[sim] = _share(
                parts,
                sim,
                turned.basis[sim],
                theta[sim],
                observed[sim],
                drawn[sim],
                impose_null,
            )
        tests.fill(place, observed / (parts.factor * group.size), np.nan, NO_VARIANCE, p_value)
    return tests.agree_with(fits, groups, shard.terms)


def _share(
    parts: Parts,
    sim: int,
    basis: Floats,
    theta: Floats,
    observed: float,
    weights: Floats,
    impose_null: bool,
) -> float:
    """Return the share of draws of one dataset with W* >= W.

    Everything is divided by the root of V of the data, V = I then, so that eigenvalues are near 1.
    """
    half, scores = parts.half[sim], parts.scores[sim]
    G, _, p = half.shape
    q = theta.size
    V = np.linalg.cholesky((basis.T @ scores.T) @ (scores @ basis))
    lifted = np.swapaxes(parts.adjusted[sim] @ basis, 1, 2)
    raw = lifted @ half
    A = np.linalg.solve(V, raw)
    residual = parts.residual[sim][..., None]
    if impose_null:
        residual = residual + half @ (basis @ theta)[:, None]
    if parts.variant in SCORES:
        null = basis[None] if impose_null else None
        residual = jackknifed(half[None], null, residual[None])[0]
    under_null = (np.swapaxes(half, 1, 2) @ residual)[..., 0]
    c = np.linalg.solve(V, (lifted @ residual)[..., 0].T)
    shares = ((half @ basis) ** 2).sum(axis=(1, 2))
    triangle = np.asarray(np.linalg.qr(raw.reshape(G * q, p), mode="r"))
    spilled = ((half @ triangle.T) ** 2).sum(axis=(1, 2))
    same, _ = same_weight(weights, ((shares > NO_PART) | (spilled > NO_PART))[None])
    A = np.ascontiguousarray(np.swapaxes(A, 0, 1))
    turn = np.linalg.solve(V, basis.T)
    above = np.zeros(weights.shape[1], dtype=bool)
    at_once = max(1, ELEMENTS_AT_ONCE // (G * q))
    for start in range(0, above.size, at_once):
        v = weights[:, start : start + at_once]
        w = under_null.T @ v
        star = turn @ w
        f = c[..., None] * v - A @ w
        spread = np.zeros((q, q, v.shape[1]))
        for s in range(q):  # the lower triangle: all that eigvalsh reads
            spread[s, : s + 1] = (f[s] * f[: s + 1]).sum(axis=1)
        excess = (1.0 - TIE_TOLERANCE) * observed * spread - star[:, None] * star
        least = np.linalg.eigvalsh(np.moveaxis(excess, 2, 0))[:, 0]
        above[start : start + at_once] = least <= 0.0
    if parts.variant not in SCORES:
        above[same[0]] = impose_null
    return float(above.mean())
