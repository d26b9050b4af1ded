"""Satterthwaite's degrees of freedom of the fixed effects of a mixed model.

Giesbrecht & Burns (1985, Biometrics 41, 477-486), as lmerTest (Kuznetsova, Brockhoff &
Christensen 2017, JSS 82(13)): 2 V_kk^2 over the variance of V_kk, by the delta method
from the inverse Hessian of the deviance in (theta, sigma). lmerTest differentiates numerically;
here everything is exact.
"""

from __future__ import annotations

import numpy as np

from clustrategy.core.shard import Floats
from clustrategy.estimation.mixed.reml import Derivatives

EQUAL_DF = 1e-8
"""Degrees of freedom no further apart are taken for equal, as lmerTest has it."""

FLAT_EIGENVALUE = 1e-9
"""Eigenvalues of the scaled Hessian below this share of the largest count as zero."""


def satterthwaite(derivatives: Derivatives, contrasts: Floats) -> Floats:
    """Compute the degrees of freedom of contrasts.

    Parameters
    ----------
    derivatives : Derivatives
        Of the criterion at the optimum.
    contrasts : (S, k, p) array
        What is tested, in the coordinates of J: the variance of a contrast h is sigma^2 h'h.

    Returns
    -------
    (S, k) array
    """
    point = derivatives.point
    S, k, p = contrasts.shape
    D = point.criterion.structure.directions(point.factor)
    _, profiled = derivatives.by_theta()
    nu = point.criterion.nu
    delta = derivatives.log_rss_decrease(D)
    m = D.shape[1]
    # The deviance not profiled over sigma, whose logarithm is the last parameter.
    hessian = np.empty((S, m + 1, m + 1))
    hessian[:, :m, :m] = profiled + nu[:, None, None] * delta[:, :, None] * delta[:, None]
    hessian[:, :m, m] = hessian[:, m, :m] = 2.0 * nu[:, None] * delta
    hessian[:, m, m] = 4.0 * nu
    products = (contrasts[..., :, None] * contrasts[..., None, :]).reshape(S, k, p * p)
    gradient = np.empty((S, k, m + 1))
    gradient[..., :m] = products @ np.swapaxes(derivatives.f_decrease(D), 1, 2)
    variance = (contrasts * contrasts).sum(axis=2)
    gradient[..., m] = 2.0 * variance
    # Scaled, so that what counts as zero does not depend on the units of theta. In a direction in
    # which the deviance is flat, the variances of the estimates do not change either.
    scale = np.sqrt(np.maximum(np.diagonal(hessian, axis1=1, axis2=2), 0.0))
    scale = np.where(scale > 0.0, scale, np.inf)
    values, vectors = np.linalg.eigh(hessian / (scale[:, :, None] * scale[:, None]))
    flat = values <= FLAT_EIGENVALUE * values[:, -1:]
    along = (gradient / scale[:, None]) @ vectors
    inverse = np.where(flat, 0.0, 1.0 / np.where(flat, 1.0, values))
    return variance**2 / (along * along @ inverse[..., None])[..., 0]


def joint_satterthwaite(derivatives: Derivatives, contrasts: Floats) -> Floats:
    """Compute the degrees of freedom of the F test of several contrasts at once.

    Fai & Cornelius (1996, J. Statist. Comput. Simul. 54, 363-378), as lmerTest's contestMD: the F
    statistic is the mean of the squared t statistics of uncorrelated contrasts, the eigenvectors of
    the covariance, and its expectation that of independent ones with their df.

    Parameters
    ----------
    derivatives : Derivatives
        Of the criterion at the optimum.
    contrasts : (S, q, p) array
        What is tested, in the coordinates of J.

    Returns
    -------
    (S,) array
        2 where the expectation is infinite. Unless the df of the uncorrelated contrasts are equal
        it depends on which ones are taken, and so, a little, on how a factor is coded.
    """
    vectors = np.linalg.svd(contrasts)[0]
    df = satterthwaite(derivatives, np.swapaxes(vectors, 1, 2) @ contrasts)
    excess = (2.0 / np.where(df > 2.0, df - 2.0, np.nan)).sum(axis=1)
    with np.errstate(divide="ignore"):
        by_mean = 2.0 * (df.shape[1] + excess) / excess
    equal = (np.abs(np.diff(df, axis=1)) < EQUAL_DF).all(axis=1)
    return np.where(equal, df.mean(axis=1), np.where((df <= 2.0).any(axis=1), 2.0, by_mean))
