"""The working model of a table whose residuals are correlated from row to row."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from clustrategy.calibration.restricted_likelihood import whitened
from clustrategy.calibration.working_model import WorkingModel
from clustrategy.core.shard import Floats, Shard
from clustrategy.estimation.mixed.profile import Profile

GRID = (-0.95, -0.8, -0.6, -0.4, -0.2, 0.0, 0.15, 0.3, 0.45, 0.6, 0.7, 0.8, 0.88, 0.95, 0.98)
"""Correlations among which the best is sought before it is sought near there: the criterion may
have two minima, one with much variance between clusters, one with a high correlation."""

PRECISION = 1e-5
"""Of the correlation."""

SAME = 1e-5
"""Criteria that differ by less are the same."""


class Autoregression(NamedTuple):
    """What is estimated together.

    Attributes
    ----------
    rho : float
        The correlation of the residuals of successive rows of a cluster.
    covariance : (q, q) array
        The covariance matrix of the random coefficients of the working model.
    sigma : float
        The standard deviation of a residual.
    criterion : float
        REMLcrit.
    """

    rho: float
    covariance: Floats
    sigma: float
    criterion: float


def autoregression(model: WorkingModel) -> Autoregression | None:
    """Estimate a first-order autoregression and the variances of a working model by REML.

    They are estimated together: a model without the correlation finds part of it between clusters,
    where neighbours' likeness makes means vary, and less than there is within them.

    Parameters
    ----------
    model : WorkingModel
        Its rows in their order.

    Returns
    -------
    Autoregression or None
        None where the rows do not tell: the criterion is as low at other correlations, or least at
        the end of the range.

    Notes
    -----
    Rows that are whitened for a correlation are those of an ordinary mixed model, whose REMLcrit,
    plus the log determinant of the correlations, (N - G) log(1 - rho^2), is to be least.
    """
    from scipy.optimize import minimize_scalar

    on_grid = [fitted(model, rho) for rho in GRID]
    values = np.array([_criterion(one) for one in on_grid])
    best = int(values.argmin())
    if best in (0, values.size - 1) or (values <= values[best] + SAME).sum() != 1:
        return None
    found = minimize_scalar(
        lambda rho: _criterion(fitted(model, rho)),
        bounds=(GRID[best - 1], GRID[best + 1]),
        method="bounded",
        options={"xatol": PRECISION},
    )
    return min(on_grid[best], fitted(model, float(found.x)), key=_criterion)


def _criterion(found: Autoregression | None) -> float:
    return np.inf if found is None else found.criterion


def fitted(model: WorkingModel, rho: float) -> Autoregression | None:
    """Estimate the variances where the correlation is known, by REML.

    Parameters
    ----------
    model : WorkingModel
        Which coefficients are random, and whether they correlate; none are where it has no fit.
    rho : float
        The correlation of successive rows.

    Returns
    -------
    Autoregression or None
        None where no optimum is found.
    """
    scaled, n = model.scaled, model.scaled.n[0]
    rows = np.vstack([scaled.X.T, model.residuals])
    rows = whitened(rows, np.ones(n.sum()), rho, np.cumsum(n) - n)
    X, y = np.ascontiguousarray(rows[:-1].T), rows[-1]
    rest = float((n - 1).sum() * np.log1p(-rho * rho))
    if model.fits is None:
        sigma, criterion = _independent(X, y)
        return Autoregression(rho, model.covariance, sigma, criterion + rest) if sigma else None
    triangles = Shard(y, X, scaled.n, scaled.terms).triangles[0]
    try:
        profile = Profile.of(triangles, y.size, model.columns, correlated=model.correlated)
    except ValueError:
        return None
    return Autoregression(rho, profile.covariance, profile.sigma, profile.minimum + rest)


def _independent(X: Floats, y: Floats) -> tuple[float, float]:
    """Return the standard deviation of independent rows, and REMLcrit, infinite where it is 0."""
    basis, triangle = np.linalg.qr(X)
    left = y - basis @ (basis.T @ y)
    nu = y.size - X.shape[1]
    variance = float(left @ left) / nu
    if variance == 0.0:
        return 0.0, np.inf
    determinant = 2.0 * float(np.log(np.abs(np.diagonal(triangle))).sum())
    criterion = nu * (1.0 + np.log(2.0 * np.pi * variance)) + determinant
    return float(np.sqrt(variance)), float(criterion)
