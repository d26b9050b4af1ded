"""The random effects of single clusters: lme4's `ranef`, and the variances that they come from.

Given theta, sigma and the fixed effects, those of a cluster are normal with mean L u_g, where u_g
is the least-squares solution of [Z_g L; I] u = [y_g - X_g beta; 0], and variance
sigma^2 L (L' Z_g' Z_g L + I)^-1 L' (Bates, Maechler, Bolker & Walker 2015, JSS 67(1), section 3.1).
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from clustrategy.core.shard import Floats, Ints
from clustrategy.estimation.mixed.covariance import columnwise


class ConditionalModes(NamedTuple):
    """The random effects of G clusters.

    Attributes
    ----------
    mode : (G, q) array
        lme4's `ranef`.
    std_error : (G, q) array
        Their conditional standard deviations, theta, sigma and the fixed effects taken as known:
        the roots of the diagonals of lme4's `postVar`.
    """

    mode: Floats
    std_error: Floats


def relative_factor(theta: Floats, q: int, correlated: bool) -> Floats:
    """Return L, (q, q) lower triangular, from lme4's theta, (k,)."""
    if not correlated:
        return np.asarray(np.diag(theta[:q]))
    factor = np.zeros((q, q))
    factor[columnwise(q)] = theta[: q * (q + 1) // 2]
    return factor


def conditional_modes(
    triangles: Floats, random: Ints, estimate: Floats, factor: Floats, sigma: float
) -> ConditionalModes:
    """Compute the random effects of the clusters of one dataset.

    Parameters
    ----------
    triangles : (G, k, p + 1) array
        Triangular factors of `[X_g y_g]`.
    random : (q,) array of int
        The columns of X with random coefficients.
    estimate : (p,) array
        The fixed effects.
    factor : (q, q) array
        L.
    sigma : float
        The residual standard deviation.

    Returns
    -------
    ConditionalModes
    """
    G, k, _ = triangles.shape
    q = random.size
    residual = triangles[..., -1] - triangles[..., :-1] @ estimate
    stacked = np.zeros((G, k + q, q))
    stacked[:, :k] = triangles[..., random] @ factor
    stacked[:, k:] = np.eye(q)
    basis, upper = np.linalg.qr(stacked)
    spherical = np.linalg.solve(upper, (np.swapaxes(basis[:, :k], 1, 2) @ residual[..., None]))
    half = factor @ np.linalg.inv(upper)
    return ConditionalModes(
        np.asarray((factor @ spherical)[..., 0]), sigma * np.sqrt((half * half).sum(axis=2))
    )


def variance_components(
    names: list[str], factor: Floats, sigma: float, correlated: bool
) -> dict[str, float]:
    """Return the standard deviations and correlations of random effects, lme4's `VarCorr`.

    Parameters
    ----------
    names : list of str
        The q random coefficients.
    factor : (q, q) array
        L.
    sigma : float
        The residual standard deviation.
    correlated : bool
        Whether they may correlate.

    Returns
    -------
    dict
        By broom.mixed's names: `sd__(Intercept)`, `cor__(Intercept).IV1`. A correlation with an
        effect that does not vary is NaN.
    """
    covariance = sigma**2 * factor @ factor.T
    spread = np.sqrt(np.diagonal(covariance))
    found = {f"sd__{name}": float(one) for name, one in zip(names, spread, strict=True)}
    for j, second in enumerate(names):
        for i, first in enumerate(names[:j]):
            both = spread[i] * spread[j]
            if correlated:
                share = float(covariance[i, j] / both) if both > 0.0 else float("nan")
                found[f"cor__{first}.{second}"] = share
    return found
