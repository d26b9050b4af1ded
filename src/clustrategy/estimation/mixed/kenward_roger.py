"""Kenward and Roger's variances and degrees of freedom of the fixed effects of a mixed model.

Kenward & Roger (1997, Biometrics 53, 983-997), for one contrast at a time and with the expected
information, as pbkrtest (Halekoh & Hojsgaard 2014, JSS 59(9)) and with it lmerTest. V is linear
in its parameters, so that the second derivatives in the variance vanish.

The parameters here are those of Psi and sigma^2, whose direction is V itself. pbkrtest has the
identity for V; both span the same linear space of covariances, and hence give the same numbers.
Along V the variance needs no adjustment, and the information on Psi is that of `reml`, sigma
estimated.
"""

from __future__ import annotations

import numpy as np

from clustrategy.core.shard import Floats
from clustrategy.estimation.mixed.reml import Derivatives, Point

UNIDENTIFIED_EIGENVALUE = 1e-13
"""Psi is not identified where the scaled information has eigenvalues up to this."""


def kenward_roger(point: Point, contrasts: Floats, basis: Floats) -> tuple[Floats, Floats]:
    """Compute adjusted variances of contrasts and their degrees of freedom.

    Parameters
    ----------
    point : Point
        The optimum.
    contrasts : (S, k, p) array
        What is tested, in the coordinates of J: the variance of a contrast h is sigma^2 h'h before
        it is adjusted.
    basis : (S, m, q q) array
        Symmetric matrices, the free directions of Psi, which is a sum of them.

    Returns
    -------
    variance : (S, k) array
        Adjusted variances over sigma^2.
    df : (S, k) array
    """
    S, m, _ = basis.shape
    p = point.criterion.p
    derivatives = point.derivatives()
    falls = derivatives.f_decrease(basis)
    W = _covariance(derivatives, basis, falls)
    # Phi is I in the coordinates of J, and P_r is -F_r.
    F = falls.reshape(S, m, p, p)
    FWF = np.swapaxes(F.reshape(S, m * p, p), 1, 2) @ (W @ falls).reshape(S, m * p, p)
    adjustment = _sum_of_q(point, np.swapaxes(basis, 1, 2) @ W @ basis) - FWF
    plain = (contrasts * contrasts).sum(axis=2)
    adjusted = plain + 2.0 * ((contrasts @ adjustment) * contrasts).sum(axis=2)
    products = (contrasts[..., :, None] * contrasts[..., None, :]).reshape(S, -1, p * p)
    nu = point.criterion.nu[:, None]
    # How the logarithm of a variance changes with Psi, sigma as it then is.
    change = (products @ np.swapaxes(falls, 1, 2)) / plain[..., None]
    change -= (_traces(derivatives, basis) / nu)[:, None]
    return adjusted, 2.0 / (2.0 / nu + ((change @ W) * change).sum(axis=2))


def _traces(derivatives: Derivatives, D: Floats) -> Floats:
    """Return the derivative of log|V| + log|F|, (S, m), along directions of Psi."""
    nu = derivatives.point.criterion.nu[:, None]
    return derivatives.gradient(D) + nu * derivatives.log_rss_decrease(D)


def _covariance(derivatives: Derivatives, D: Floats, falls: Floats) -> Floats:
    """Compute W, (S, m, m), the inverse of the expected information on Psi, sigma estimated.

    In directions without information Psi is not identified and counts as known.
    """
    information = derivatives.information(D)
    # Scaled by the terms that it is a difference of: zero is then what rounding leaves of them.
    sizes = np.abs((D @ derivatives.expected * D).sum(axis=2)) + (falls * falls).sum(axis=2)
    scale = np.sqrt(np.where(sizes > 0.0, sizes, np.inf))
    values, vectors = np.linalg.eigh(information / (scale[:, :, None] * scale[:, None]))
    none = values <= UNIDENTIFIED_EIGENVALUE
    half = vectors * np.sqrt(np.where(none, 0.0, 2.0 / np.where(none, 1.0, values)))[:, None]
    half /= scale[..., None]
    return half @ np.swapaxes(half, 1, 2)


def _sum_of_q(point: Point, weights: Floats) -> Floats:
    """Sum W_rs Q_rs, (S, p, p), in the coordinates of J, from the sum of W_rs D_r (x) D_s."""
    p, q, S = point.criterion.p, point.criterion.q, point.criterion.sims
    # K = sum_rs W_rs D_r M D_s of each cluster.
    by_m = weights.reshape(S, q, q, q, q).transpose(0, 1, 4, 2, 3).reshape(S, q * q, q * q)
    M = np.ascontiguousarray(np.moveaxis(point.N[:, :q], 2, 0)).reshape(S, q * q, -1)
    K = (np.ascontiguousarray(by_m) @ M).reshape(S, 1, q, q, -1)
    N = np.ascontiguousarray(point.N[:, :p].transpose(2, 1, 0, 3))
    KN = K[:, :, :, 0] * N[:, :, :1]
    for j in range(1, q):
        KN += K[:, :, :, j] * N[:, :, j, None]
    Q = KN.reshape(S, p, -1) @ np.swapaxes(N.reshape(S, p, -1), 1, 2)
    return np.swapaxes(point.J, 1, 2) @ (0.5 * (Q + np.swapaxes(Q, 1, 2))) @ point.J
