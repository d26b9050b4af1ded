"""Cluster-robust variances of least squares, from the triangular factors of the clusters.

Notation as in Pustejovsky & Tipton (2018, JBES 36, 672-683): M is the inverse of X'X, H_g the hat
matrix of cluster g, e_g its residuals.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from clustrategy.core.fits import OWN_TESTS, Fits
from clustrategy.core.shard import Floats, Shard
from clustrategy.estimation.least_squares import Solution, mark_undefined, solve

ZERO = 1e-10
EIGENVALUE_TOLERANCE = 1e-12
NO_ERROR = "a standard error is zero"
ONE_CLUSTER = "one cluster: a cluster-robust variance needs two"

Variance = Literal["CR0", "CR1", "CR1S", "CR2", "CR3", "CV3", "pymer4"]
Df = Literal["G-1", "G-p", "N-p", "satterthwaite", "normal"]


def fit_cluster_robust(shard: Shard, variance: Variance, df: Df) -> Fits:
    """Ordinary least squares with a cluster-robust variance.

    Parameters
    ----------
    variance : CR0 (Liang & Zeger 1986); CR1 = CR0 G/(G-1); CR1S = CR1 (N-1)/(N-p), as Stata and
        statsmodels; pymer4 = CR1 N/(N-p); CR2 (Bell & McCaffrey 2002) and CR3, as clubSandwich;
        CV3 = CR3 (G-1)/G, the jackknife.
    df : of the t distribution; `satterthwaite` as Bell & McCaffrey (2002) and Pustejovsky &
        Tipton (2018), under the working model of independent, homoskedastic errors.
    """
    solution = solve(shard)
    fits = sandwich(shard.triangles, solution, shard.n_obs, shard.p, variance, df)
    mark_undefined(shard, fits, solution)
    mark_no_test(fits, shard.clusters, df)
    leave_out_zeros(fits, shard.terms)
    return fits


def influences(triangles: Floats, solution: Solution) -> tuple[Floats, Floats]:
    """What every cluster-robust variance is made of.

    Parameters
    ----------
    triangles : (S, G, k, p + 1) triangular factors of `[X_g y_g]`.

    Returns
    -------
    half : (S, G, k, p) X_g W in the coordinates of the triangles; H_g = half half'.
    residual : (S, G, k) e_g in the same coordinates.
    """
    p = triangles.shape[-1] - 1
    design = triangles[..., :p]
    residual = triangles[..., p] - (design @ solution.estimate[:, None, :, None])[..., 0]
    return design @ solution.root[:, None], residual


def sandwich(
    triangles: Floats,
    solution: Solution,
    n_obs: NDArray[np.int64],
    counted: int,
    variance: Variance,
    df: Df,
) -> Fits:
    """Least squares with a cluster-robust variance, as `cluster_robust` explains the options.

    Parameters
    ----------
    triangles : (S, G, k, p + 1) triangular factors of `[X_g y_g]`.
    n_obs : (S,) rows of each dataset, N.
    counted : the p of the small-sample factors and of the degrees of freedom.
    """
    sims, G, _, width = triangles.shape
    fits = Fits.blank(sims, width - 1)
    half, residual = influences(triangles, solution)
    if variance in ("CR2", "CR3", "CV3"):
        adjustment = _adjustment(half, -0.5 if variance == "CR2" else -1.0)
        residual = (adjustment @ residual[..., None])[..., 0]
    scores = (np.swapaxes(half, 2, 3) @ residual[..., None])[..., 0]
    influence = scores @ np.swapaxes(solution.root, 1, 2)
    with np.errstate(divide="ignore", invalid="ignore"):
        factor = _small_sample_factor(variance, G, n_obs, counted)
        fits.std_error[:] = np.sqrt(factor[:, None] * without_zeros(influence, solution))
    fits.estimate[:] = solution.estimate
    if df == "satterthwaite":
        adjusted = adjustment @ half if variance in ("CR2", "CR3", "CV3") else half
        fits.df[:] = _satterthwaite(half, adjusted, solution.root)
    elif df == "N-p":
        fits.df[:] = (n_obs - counted)[:, None]
    else:
        fits.df[:] = {"G-1": G - 1.0, "G-p": float(G - counted), "normal": np.inf}[df]
    return fits


def mark_no_test(fits: Fits, clusters: int, df: Df) -> None:
    """Fail the fits whose variance or degrees of freedom do not exist."""
    if clusters < 2:
        fits.fail(np.ones(fits.status.shape, dtype=bool), "undefined", ONE_CLUSTER)
    none = ~(fits.df > 0)
    if df == "satterthwaite":
        none &= np.isfinite(fits.std_error)
    no_df = np.asarray(none.any(axis=1))
    reason = f"no degrees of freedom: {df} is not positive with {clusters} clusters"
    fits.fail(no_df, "undefined", reason)


def without_zeros(influence: Floats, solution: Solution) -> Floats:
    """(S, p) sums of squares over the clusters of influences (S, G, p), NaN where they are zero.

    They are whatever the response is where a coefficient is about clusters that have residuals of
    their own no more: a cluster's dummy, or as many arms of clusters as clusters.
    """
    squares = (influence * influence).sum(axis=1)
    unit = solution.residual_ss[:, None] * (solution.root * solution.root).sum(axis=2)
    return np.asarray(np.where(squares > ZERO**2 * unit, squares, np.nan))


def leave_out_zeros(fits: Fits, terms: Sequence[str]) -> None:
    """Leave out the tests of coefficients whose standard error is zero; fail fits without any."""
    zero = np.isfinite(fits.estimate) & np.isnan(fits.std_error)
    for name in ("df", *OWN_TESTS):
        getattr(fits, name)[zero] = np.nan
    tested = np.isfinite(fits.estimate) & ~zero
    fits.fail(np.asarray(zero.any(axis=1) & ~tested.any(axis=1)), "undefined", NO_ERROR)
    for sim in np.flatnonzero(zero.any(axis=1) & (fits.status == "ok")):
        left = ", ".join(np.asarray(terms)[zero[sim]])
        fits.message[sim] = f"{NO_ERROR}, and left out: {left}"


def _small_sample_factor(variance: Variance, G: int, N: NDArray[np.int64], p: int) -> Floats:
    cr1 = G / np.float64(G - 1)
    factors = {
        "CR1": cr1 + 0.0 * N,
        "CR1S": cr1 * (N - 1) / (N - p),
        "pymer4": cr1 * N / (N - p),
        "CV3": (G - 1) / G + 0.0 * N,
    }
    return np.asarray(factors.get(variance, np.ones(N.shape)), dtype=np.float64)


def _adjustment(half: Floats, power: float) -> Floats:
    """(S, G, k, k): (I - H_g) to a power, in the coordinates of the clusters' triangles.

    H_g = half half'. Eigenvalues at zero (a predictor that lives in one cluster alone) are left
    out: the Moore-Penrose inverse, as clubSandwich takes for CR2. For CR3, where clubSandwich
    stops, the cluster then counts as if it said nothing of that predictor.
    """
    values, vectors = np.linalg.eigh(np.eye(half.shape[2]) - half @ np.swapaxes(half, 2, 3))
    with np.errstate(divide="ignore", invalid="ignore"):
        powers = np.where(values > EIGENVALUE_TOLERANCE, values**power, 0.0)
    return (vectors * powers[..., None, :]) @ np.swapaxes(vectors, 2, 3)


def _satterthwaite(half: Floats, adjusted: Floats, root: Floats) -> Floats:
    """(S, p) degrees of freedom (tr P)^2 / tr(P^2) of each coefficient's variance.

    P_gh = w_g' (I - H)_gh w_h with w_g = A_g X_g M c: a diagonal less a matrix of rank p, so
    that both traces cost O(G p^2).
    """
    weights = adjusted @ np.swapaxes(root, 1, 2)[:, None]
    size = (weights * weights).sum(axis=2)
    inner = np.swapaxes(half, 2, 3) @ weights
    overlap = (inner * inner).sum(axis=2)
    by_term = np.moveaxis(inner, 3, 1)
    gram = np.swapaxes(by_term, 2, 3) @ by_term
    trace = (size - overlap).sum(axis=1)
    squared = (size * size - 2.0 * size * overlap).sum(axis=1) + (gram * gram).sum(axis=(2, 3))
    with np.errstate(divide="ignore", invalid="ignore"):
        return trace * trace / squared
