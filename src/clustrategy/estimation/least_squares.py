"""Least squares on whole shards, from the triangular factors of their clusters.

Ordinary least squares with its classical standard errors (`ols`) and with cluster-robust ones
(`cluster_robust`). Notation as in Pustejovsky & Tipton (2018, JBES 36, 672-683): M is the
inverse of X'X, H_g the hat matrix of cluster g, e_g its residuals.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from clustrategy.core.fits import Fits
from clustrategy.core.shard import Floats, Shard

RANK_TOLERANCE = 1e-7
ROUNDING = 1e-13
NO_RESIDUAL = "the predictors explain the response exactly: there is no residual variance"
NO_DF = "no residual degrees of freedom: N - p is not positive"


def full_rank(triangle: Floats) -> NDArray[np.bool_]:
    """Whether the columns of (..., k, p) upper triangles are linearly independent.

    As R's lm: a column counts as dependent when what is left of it after the earlier ones is
    below 1e-7 of its length.
    """
    length = np.sqrt((triangle * triangle).sum(axis=-2))
    rest = np.abs(np.diagonal(triangle, axis1=-2, axis2=-1))
    return (rest > RANK_TOLERANCE * length).all(axis=-1)


@dataclass
class Solution:
    """Least squares of each dataset.

    Attributes
    ----------
    estimate : (S, p).
    root : (S, p, p) the matrix W with W W' = M.
    residual_ss : (S,) the residual sum of squares.
    defined : (S,) whether X has full rank; the numbers of the others mean nothing.
    """

    estimate: Floats
    root: Floats
    residual_ss: Floats
    defined: NDArray[np.bool_]


def solve(shard: Shard) -> Solution:
    """Ordinary least squares on whole datasets."""
    return back_substitute(shard.whole, shard.n_obs)


def back_substitute(whole: Floats, n_obs: NDArray[np.int64]) -> Solution:
    """Least squares from (S, p + 1, p + 1) triangular factors of `[X y]` of so many rows."""
    p = whole.shape[-1] - 1
    triangle = whole[:, :p, :p]
    defined = (n_obs >= p) & full_rank(triangle)
    triangle = np.where(defined[:, None, None], triangle, np.eye(p))
    root: Floats = np.asarray(np.linalg.inv(triangle))
    estimate = (root @ whole[:, :p, p:])[..., 0]
    return Solution(estimate, root, whole[:, p, p] ** 2, defined)


def explained(triangles: Floats, n_obs: NDArray[np.int64], solution: Solution) -> NDArray[np.bool_]:
    """(S,) whether the residuals are nothing but rounding.

    Parameters
    ----------
    triangles : (S, G, k, p + 1) triangular factors of `[X_g y_g]`.
    n_obs : (S,) rows of each dataset, N.
    """
    lengths = np.sqrt((triangles * triangles).sum(axis=(1, 2)))
    terms = lengths[:, :-1] * np.abs(solution.estimate)
    largest = np.maximum(lengths[:, -1], terms.max(axis=1))
    return np.asarray(
        np.sqrt(solution.residual_ss) <= ROUNDING * np.sqrt(n_obs) * largest, dtype=np.bool_
    )


def fit_ols(shard: Shard) -> Fits:
    """Ordinary least squares with its classical standard errors, t with N - p df."""
    fits = Fits.blank(shard.sims, shard.p)
    solution = solve(shard)
    df = shard.n_obs - shard.p
    with np.errstate(divide="ignore", invalid="ignore"):
        variance = solution.residual_ss / df
        fits.sigma[:] = np.sqrt(variance)
        fits.std_error[:] = np.sqrt(variance[:, None] * (solution.root**2).sum(axis=2))
    fits.estimate[:] = solution.estimate
    fits.df[:] = df[:, None]
    mark_undefined(shard, fits, solution)
    return fits


def mark_undefined(shard: Shard, fits: Fits, solution: Solution) -> None:
    """Fail the fits to datasets in which least squares has no one solution."""
    fits.fail(
        shard.n_obs < shard.p,
        "undefined",
        [f"{rows} rows, {shard.p} coefficients" for rows in shard.n_obs],
    )
    fits.fail(~solution.defined, "undefined", "the predictors are linearly dependent")
    fits.fail(shard.n_obs <= shard.p, "undefined", NO_DF)
    fits.fail(explained(shard.triangles, shard.n_obs, solution), "undefined", NO_RESIDUAL)
