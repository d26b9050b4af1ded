"""Cluster-robust variances of least squares, from the triangular factors of the clusters.

Notation as in Pustejovsky & Tipton (2018, JBES 36, 672-683): M is the inverse of X'X, H_g the hat
matrix of cluster g, e_g its residuals.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, NamedTuple

import numpy as np

from clustrategy.core.fits import OWN_TESTS, Fits
from clustrategy.core.joint_tests import JointTests
from clustrategy.core.shard import Floats, Ints, Shard
from clustrategy.estimation.hotelling import approximate_f, hotelling_df
from clustrategy.estimation.least_squares import Solution, mark_undefined, solve
from clustrategy.estimation.wald import NO_VARIANCE, Turned, wald

ZERO_STD_ERROR = 1e-10
"""A robust standard error is zero below this share of sqrt(RSS [(X'X)^-1]_kk)."""

EIGENVALUE_TOLERANCE = 1e-12
"""Eigenvalues of I - H_g below this count as zero."""

NO_ERROR = "a standard error is zero"
ONE_CLUSTER = "one cluster: a cluster-robust variance needs two"

NO_SATTERTHWAITE = (
    "the jackknife has no df: satterthwaite; where every cluster can be left out, it is "
    "variance: CR3, which has them"
)

Variance = Literal["CR0", "CR1", "CR1S", "CR2", "CR3", "CV3", "pymer4"]
VarianceOrJackknife = Literal[Variance, "jackknife"]
Df = Literal["G-1", "G-p", "N-p", "satterthwaite", "normal"]


class Influences(NamedTuple):
    """What every cluster-robust variance is made of, in the coordinates of the triangles.

    Attributes
    ----------
    half : (S, G, k, p) array
        X_g W, so that H_g = half half'.
    residual : (S, G, k) array
        e_g.
    """

    half: Floats
    residual: Floats


class Sandwich(NamedTuple):
    """A cluster-robust variance before it is summed over the clusters.

    Attributes
    ----------
    half, adjusted : (S, G, k, p) array
        X_g W, and A_g X_g W with what the residuals are multiplied by.
    scores : (S, G, p) array
        W' X_g' A_g e_g.
    factor : (S,) array
        What the sum of their squares is multiplied by.
    """

    half: Floats
    adjusted: Floats
    scores: Floats
    factor: Floats


def fit_cluster_robust(shard: Shard, variance: VarianceOrJackknife, df: Df) -> Fits:
    """Fit least squares with a cluster-robust variance.

    Parameters
    ----------
    shard : Shard
        The datasets.
    variance : str
        CR0 (Liang & Zeger 1986, Biometrika 73, 13-22); CR1 = CR0 G/(G-1); CR1S = CR1 (N-1)/(N-p),
        as Stata and statsmodels; pymer4 = CR1 N/(N-p); CR2 (Bell & McCaffrey 2002, Survey
        Methodology 28, 169-181) and CR3, as clubSandwich; CV3 = CR3 (G-1)/G, the jackknife;
        jackknife, that of Hansen (2025, J Appl Econom), which is CR3 where every
        cluster can be left out.
    df : str
        Degrees of freedom of the t distribution; `satterthwaite` as Bell & McCaffrey (2002) and
        Pustejovsky & Tipton (2018), under the working model of independent, homoskedastic errors.

    Returns
    -------
    Fits
    """
    solution = solve(shard)
    parts = sandwich(shard.triangles, solution, shard.n_obs, shard.p, variance)
    return _fits(shard, solution, parts, df)


def joint_cluster_robust(
    shard: Shard, groups: Sequence[Ints], variance: VarianceOrJackknife, df: Df
) -> JointTests:
    """Test groups of coefficients by least squares with a cluster-robust variance.

    Parameters
    ----------
    shard : Shard
        The datasets.
    groups : sequence of (q,) array of int
        The columns of X of each group.
    variance, df : str
        As of `fit_cluster_robust`.

    Returns
    -------
    JointTests
        The Wald statistic over q with F(q, df), with `satterthwaite` the approximate Hotelling test
        of `hotelling`.
    """
    solution = solve(shard)
    parts = sandwich(shard.triangles, solution, shard.n_obs, shard.p, variance)
    tests = joint_sandwich(solution, parts, shard.n_obs, shard.p, df, groups)
    return tests.agree_with(_fits(shard, solution, parts, df), groups, shard.terms)


def _fits(shard: Shard, solution: Solution, parts: Sandwich, df: Df) -> Fits:
    fits = fits_of(solution, parts, shard.n_obs, shard.p, df)
    mark_undefined(shard, fits, solution)
    mark_no_test(fits, shard.clusters, df)
    leave_out_zeros(fits, shard.terms)
    return fits


def influences(triangles: Floats, solution: Solution) -> Influences:
    """Compute what every cluster-robust variance is made of.

    Parameters
    ----------
    triangles : (S, G, k, p + 1) array
        Triangular factors of `[X_g y_g]`.
    solution : Solution
        Least squares of the same.

    Returns
    -------
    Influences
    """
    p = triangles.shape[-1] - 1
    design = triangles[..., :p]
    residual = triangles[..., p] - (design @ solution.estimate[:, None, :, None])[..., 0]
    return Influences(design @ solution.root[:, None], residual)


def sandwich(
    triangles: Floats, solution: Solution, n_obs: Ints, counted: int, variance: VarianceOrJackknife
) -> Sandwich:
    """Compute what a cluster-robust variance of least squares is the sum of.

    Parameters
    ----------
    triangles : (S, G, k, p + 1) array
        Triangular factors of `[X_g y_g]`.
    solution : Solution
        Least squares of the same.
    n_obs : (S,) array of int
        Rows of each dataset, N.
    counted : int
        The p of the small-sample factors.
    variance : str
        As of `fit_cluster_robust`.

    Returns
    -------
    Sandwich
    """
    half, residual = influences(triangles, solution)
    adjusted = half
    if variance in ("CR2", "CR3", "CV3", "jackknife"):
        adjust = adjustment(half, -0.5 if variance == "CR2" else -1.0)
        residual = (adjust @ residual[..., None])[..., 0]
        adjusted = adjust @ half
    scores = (np.swapaxes(half, 2, 3) @ residual[..., None])[..., 0]
    if variance == "jackknife":
        _leave_out_what_identifies(triangles, solution, half, scores)
    with np.errstate(divide="ignore", invalid="ignore"):
        factor = _small_sample_factor(variance, triangles.shape[1], n_obs, counted)
    return Sandwich(half, adjusted, scores, factor)


def _leave_out_what_identifies(
    triangles: Floats, solution: Solution, half: Floats, scores: Floats
) -> None:
    """Put the jackknife's scores in the place of those of clusters without which X has less rank.

    Without such a cluster the coefficients are the least-squares solution of least length, by the
    Moore-Penrose inverse in the units of X: a coefficient that no other cluster tells of is zero.

    Parameters
    ----------
    triangles, solution
        As of `sandwich`.
    half : (S, G, k, p) array
        As of `Sandwich`.
    scores : (S, G, p) array
        Changed in place.
    """
    p = half.shape[3]
    lengths = np.linalg.eigvalsh(np.swapaxes(half, 2, 3) @ half)
    lost = np.where(
        solution.defined[:, None], (1.0 - lengths < EIGENVALUE_TOLERANCE).sum(axis=2), 0
    )
    for sim, cluster in np.argwhere(lost > 0):
        others = np.delete(triangles[sim], cluster, axis=0).reshape(-1, p + 1)
        rank = p - lost[sim, cluster]
        left, values, right = np.linalg.svd(others[:, :p], full_matrices=False)
        along = (left[:, :rank].T @ others[:, p]) / values[:rank]
        change = solution.estimate[sim] - right[:rank].T @ along
        scores[sim, cluster] = np.linalg.solve(solution.root[sim], change)


def fits_of(solution: Solution, parts: Sandwich, n_obs: Ints, counted: int, df: Df) -> Fits:
    """Compute a cluster-robust variance of least squares.

    Parameters
    ----------
    solution : Solution
        Least squares.
    parts : Sandwich
        Of the same.
    n_obs : (S,) array of int
        Rows of each dataset, N.
    counted : int
        The p of the degrees of freedom.
    df : str
        As of `fit_cluster_robust`.

    Returns
    -------
    Fits
        Undefined ones not yet marked.
    """
    sims, G, p = parts.scores.shape
    fits = Fits.blank(sims, p)
    influence = parts.scores @ np.swapaxes(solution.root, 1, 2)
    with np.errstate(divide="ignore", invalid="ignore"):
        squares = sum_of_squares(influence, solution)
        fits.std_error[:] = np.sqrt(parts.factor[:, None] * squares)
    fits.estimate[:] = solution.estimate
    if df == "satterthwaite":
        fits.df[:] = satterthwaite(parts.half, parts.adjusted, solution.root)
    else:
        fits.df[:] = _degrees(df, G, n_obs, counted)[:, None]
    return fits


def joint_sandwich(
    solution: Solution,
    parts: Sandwich,
    n_obs: Ints,
    counted: int,
    df: Df,
    groups: Sequence[Ints],
) -> JointTests:
    """Test groups of coefficients by a cluster-robust variance of least squares.

    Parameters
    ----------
    solution, parts, n_obs, counted, df
        As of `fits_of`.
    groups : sequence of (q,) array of int
        The coefficients of each group.

    Returns
    -------
    JointTests
        Unusable fits not yet left out.
    """
    sims, G, _ = parts.scores.shape
    tests = JointTests.blank(sims, groups)
    transposed = np.swapaxes(parts.half, 2, 3)
    for place, group in enumerate(groups):
        turned = Turned.of(solution.root[:, group])
        estimate, basis = turned(solution.estimate[:, group]), turned.basis[:, None]
        with np.errstate(divide="ignore", invalid="ignore"):
            squares = wald(estimate, parts.scores @ turned.basis, solution.residual_ss)
            statistic = squares / parts.factor
        if df == "satterthwaite":
            weights = parts.adjusted @ basis
            eta = hotelling_df(_by_column(weights), _by_column(transposed @ weights))
            statistic, den_df = approximate_f(statistic, len(group), eta)
        else:
            statistic, den_df = statistic / len(group), _degrees(df, G, n_obs, counted)
        tests.fill(place, statistic, den_df, NO_VARIANCE)
    return tests


def _by_column(matrices: Floats) -> Floats:
    """Move the clusters of (S, G, m, q) last and the columns first: (S, q, m, G)."""
    return np.ascontiguousarray(np.swapaxes(matrices, 1, 3))


def _degrees(df: Df, G: int, N: Ints, p: int) -> Floats:
    if df == "N-p":
        return (N - p).astype(np.float64)
    return np.full(N.shape, {"G-1": G - 1.0, "G-p": float(G - p), "normal": np.inf}[df])


def mark_no_test(fits: Fits, clusters: int, df: Df) -> None:
    """Fail the fits whose variance or degrees of freedom do not exist.

    Parameters
    ----------
    fits : Fits
        Marked in place.
    clusters : int
        G.
    df : str
        As of `fit_cluster_robust`.
    """
    if clusters < 2:
        fits.fail(np.ones(fits.status.shape, dtype=bool), "undefined", ONE_CLUSTER)
    none = ~(fits.df > 0)
    if df == "satterthwaite":
        none &= np.isfinite(fits.std_error)
    no_df = np.asarray(none.any(axis=1))
    reason = f"no degrees of freedom: {df} is not positive with {clusters} clusters"
    fits.fail(no_df, "undefined", reason)


def sum_of_squares(influence: Floats, solution: Solution) -> Floats:
    """Sum the squared influences of the clusters, NaN where the sum is zero by construction.

    That is so for a coefficient that depends on clusters without residuals only, such as a
    cluster's own dummy, or where there are as many arms as clusters.

    Parameters
    ----------
    influence : (S, G, p) array
        What each cluster adds to the estimates.
    solution : Solution
        Least squares of the same.

    Returns
    -------
    (S, p) array
    """
    squares = (influence * influence).sum(axis=1)
    unit = solution.residual_ss[:, None] * (solution.root * solution.root).sum(axis=2)
    return np.asarray(np.where(squares > ZERO_STD_ERROR**2 * unit, squares, np.nan))


def leave_out_zeros(fits: Fits, terms: Sequence[str]) -> None:
    """Leave out the tests of coefficients whose standard error is zero; fail fits without any.

    Parameters
    ----------
    fits : Fits
        Changed in place; a standard error of zero is NaN beside an estimate.
    terms : sequence of str
        The names of the coefficients.
    """
    zero = np.isfinite(fits.estimate) & np.isnan(fits.std_error)
    for name in ("df", *OWN_TESTS):
        getattr(fits, name)[zero] = np.nan
    tested = np.isfinite(fits.estimate) & ~zero
    fits.fail(np.asarray(zero.any(axis=1) & ~tested.any(axis=1)), "undefined", NO_ERROR)
    for sim in np.flatnonzero(zero.any(axis=1) & (fits.status == "ok")):
        left = ", ".join(np.asarray(terms)[zero[sim]])
        fits.message[sim] = f"{NO_ERROR}, and left out: {left}"


def _small_sample_factor(variance: VarianceOrJackknife, G: int, N: Ints, p: int) -> Floats:
    cr1 = G / np.float64(G - 1)
    factors = {
        "CR1": cr1 + 0.0 * N,
        "CR1S": cr1 * (N - 1) / (N - p),
        "pymer4": cr1 * N / (N - p),
        "CV3": (G - 1) / G + 0.0 * N,
    }
    return np.asarray(factors.get(variance, np.ones(N.shape)), dtype=np.float64)


def adjustment(half: Floats, power: float) -> Floats:
    """Raise I - H_g to a power, (S, G, k, k), in the coordinates of the clusters' triangles.

    Eigenvalues at zero (a predictor that varies in one cluster alone) are left out: the
    Moore-Penrose inverse, as clubSandwich takes for CR2. For CR3, where clubSandwich stops, the
    cluster then counts as if it said nothing of that predictor.
    """
    values, vectors = np.linalg.eigh(np.eye(half.shape[2]) - half @ np.swapaxes(half, 2, 3))
    with np.errstate(divide="ignore", invalid="ignore"):
        powers = np.where(values > EIGENVALUE_TOLERANCE, values**power, 0.0)
    return (vectors * powers[..., None, :]) @ np.swapaxes(vectors, 2, 3)


def satterthwaite(half: Floats, adjusted: Floats, root: Floats) -> Floats:
    """Compute Satterthwaite's degrees of freedom (tr P)^2 / tr(P^2) of coefficients' variances.

    P_gh = w_g' (I - H)_gh w_h with w_g = A_g X_g M c: a diagonal less a matrix of rank p, so
    that both traces cost O(G p^2).

    Parameters
    ----------
    half, adjusted : (S, G, k, p) array
        As of `Sandwich`.
    root : (S, q, p) array
        The rows of W of q coefficients.

    Returns
    -------
    (S, q) array
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
