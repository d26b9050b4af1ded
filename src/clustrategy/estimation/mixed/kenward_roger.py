"""Kenward and Roger's variances and degrees of freedom of the fixed effects of a mixed model.

Kenward & Roger (1997, Biometrics 53, 983-997), with the expected information, as pbkrtest (Halekoh
& Hojsgaard 2014, JSS 59(9)) and with it lmerTest. V is linear in its parameters, so that the second
derivatives in the variance vanish.

The parameters here are those of Psi and sigma^2, whose direction is V itself. pbkrtest has the
identity for V; both span the same linear space of covariances, and hence give the same numbers.
Along V the variance needs no adjustment, and the information on Psi is that of `reml`, sigma
estimated.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from clustrategy.core.shard import Floats
from clustrategy.estimation.mixed.reml import Derivatives, Point
from clustrategy.estimation.wald import Turned

UNIDENTIFIED_EIGENVALUE = 1e-13
"""Psi is not identified where the scaled information has eigenvalues up to this."""


NEAR_TWO = 1e-2
"""The scaling of F is 1 where its denominator's df are so near 2, as pbkrtest has it."""


BOTH_ZERO = 1e-10
"""Two numbers up to this are taken for equal, which balanced data with 2 df make zero. pbkrtest has
1e-14, which rounding exceeds."""


class Adjustment(NamedTuple):
    """What the tests of all contrasts share.

    Attributes
    ----------
    falls : (S, m, p p) array
        How F decreases along the directions of Psi, in the coordinates of J.
    log_sigma : (S, m) array
        How the logarithm of sigma^2 decreases with them.
    W : (S, m, m) array
        The covariance of the estimates of Psi.
    matrix : (S, p, p) array
        Half of what the covariance of the estimates grows by, over sigma^2, in the coordinates of
        J: there it is the identity.
    nu : (S, 1) array
        N - p.
    """

    falls: Floats
    log_sigma: Floats
    W: Floats
    matrix: Floats
    nu: Floats

    @classmethod
    def of(cls, point: Point, basis: Floats) -> Adjustment:
        """Compute it at the optimum.

        Parameters
        ----------
        point : Point
            The optimum.
        basis : (S, m, q q) array
            Symmetric matrices, the free directions of Psi, which is a sum of them.
        """
        S, m, _ = basis.shape
        p = point.criterion.p
        derivatives = point.derivatives()
        falls = derivatives.f_decrease(basis)
        W = _covariance(derivatives, basis, falls)
        # Phi is I in the coordinates of J, and P_r is -F_r.
        F = falls.reshape(S, m, p, p)
        FWF = np.swapaxes(F.reshape(S, m * p, p), 1, 2) @ (W @ falls).reshape(S, m * p, p)
        matrix = _sum_of_q(point, np.swapaxes(basis, 1, 2) @ W @ basis) - FWF
        nu = point.criterion.nu[:, None]
        return cls(falls, _traces(derivatives, basis) / nu, W, matrix, nu)


def kenward_roger(adjustment: Adjustment, contrasts: Floats) -> tuple[Floats, Floats]:
    """Compute adjusted variances of contrasts and their degrees of freedom.

    Parameters
    ----------
    adjustment : Adjustment
        At the optimum.
    contrasts : (S, k, p) array
        What is tested, in the coordinates of J: the variance of a contrast h is sigma^2 h'h before
        it is adjusted.

    Returns
    -------
    variance : (S, k) array
        Adjusted variances over sigma^2.
    df : (S, k) array
    """
    S, p, _ = adjustment.matrix.shape
    W, nu = adjustment.W, adjustment.nu
    plain = (contrasts * contrasts).sum(axis=2)
    adjusted = plain + 2.0 * ((contrasts @ adjustment.matrix) * contrasts).sum(axis=2)
    products = (contrasts[..., :, None] * contrasts[..., None, :]).reshape(S, -1, p * p)
    # How the logarithm of a variance changes with Psi, sigma as it then is.
    change = (products @ np.swapaxes(adjustment.falls, 1, 2)) / plain[..., None]
    change -= adjustment.log_sigma[:, None]
    return adjusted, 2.0 / (2.0 / nu + ((change @ W) * change).sum(axis=2))


def joint_kenward_roger(
    adjustment: Adjustment, contrasts: Floats, estimate: Floats
) -> tuple[Floats, Floats]:
    """Test several contrasts at once.

    Parameters
    ----------
    adjustment : Adjustment
        At the optimum.
    contrasts : (S, q, p) array
        What is tested, in the coordinates of J.
    estimate : (S, q) array
        Theirs, over sigma.

    Returns
    -------
    statistic : (S,) array
        F times its scaling factor, as pbkrtest's KRmodcomp and lmerTest report it; NaN where the
        adjusted covariance is not positive definite.
    den_df : (S,) array
        NaN where they or the factor are not positive.

    Notes
    -----
    With Q the orthonormal rows that span the contrasts and G_r the q x q matrices by which their
    covariance, relative to itself, changes with the parameters, those of Psi with covariance W and
    log sigma^2, given Psi, with variance 2 / nu and G = I,

        A1 = sum_rs W_rs tr G_r tr G_s,    A2 = sum_rs W_rs tr(G_r G_s),

    and from these factor and df as Kenward & Roger (1997, section 3) have them. For q = 1 they come
    to 1 and 2 / A2.
    """
    S, q, p = contrasts.shape
    W, nu = adjustment.W, adjustment.nu[:, 0]
    turned = Turned.of(contrasts)
    Q = turned.basis[:, None]
    identity = np.eye(q)
    G = np.swapaxes(Q, 2, 3) @ adjustment.falls.reshape(S, -1, p, p) @ Q
    G = G - adjustment.log_sigma[..., None, None] * identity
    traces = np.trace(G, axis1=2, axis2=3)
    flat = G.reshape(S, -1, q * q)
    A1 = ((W @ traces[..., None])[..., 0] * traces).sum(axis=1) + 2.0 * q * q / nu
    A2 = ((W @ flat) * flat).sum(axis=(1, 2)) + 2.0 * q / nu
    den_df, factor = 2.0 / A2, np.ones(S)
    if q > 1:
        den_df, factor = _scaled(q, A1, A2)
    matrix = np.swapaxes(turned.basis, 1, 2) @ adjustment.matrix @ turned.basis
    values, vectors = np.linalg.eigh(identity + matrix + np.swapaxes(matrix, 1, 2))
    definite = values[:, 0] > 0.0
    along = (np.swapaxes(vectors, 1, 2) @ turned(estimate)[..., None])[..., 0]
    squares = (along * along / np.where(definite[:, None], values, np.nan)).sum(axis=1)
    return factor * squares / q, np.where((den_df > 0.0) & (factor > 0.0), den_df, np.nan)


def _scaled(q: int, A1: Floats, A2: Floats) -> tuple[Floats, Floats]:
    """Return degrees of freedom and scaling factor of a test of several contrasts."""
    B = (A1 + 6.0 * A2) / (2.0 * q)
    g = ((q + 1.0) * A1 - (q + 4.0) * A2) / ((q + 2.0) * A2)
    c = np.array([g, q - g, q + 2.0 - g]) / (3.0 * q + 2.0 * (1.0 - g))
    V0, V1, V2 = 1.0 + c[0] * B, 1.0 - c[1] * B, 1.0 - c[2] * B
    inverse_mean = 1.0 - A2 / q
    with np.errstate(divide="ignore", invalid="ignore"):
        both = (np.abs(inverse_mean) < BOTH_ZERO) & (np.abs(V1) < BOTH_ZERO)
        ratio = np.where(both, 1.0, inverse_mean / V1)
        df = 4.0 + (q + 2.0) / (ratio**2 * V0 / V2 - 1.0)
        factor = df * inverse_mean / (df - 2.0)
    return df, np.where(np.abs(df - 2.0) < NEAR_TWO, 1.0, factor)


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
