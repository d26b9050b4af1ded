"""Ordinary least squares on whole shards, from the triangular factors of their clusters."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from clustrategy.core.fits import Fits
from clustrategy.core.joint_tests import JointTests
from clustrategy.core.shard import Floats, Ints, Shard
from clustrategy.estimation.wald import NO_VARIANCE, Turned

RANK_TOLERANCE = 1e-7
"""What must be left of a column's length after the earlier columns, as R's lm has it."""

RESIDUAL_ROUNDING = 1e-13
"""The size of a residual, relative to the terms that it is a difference of, that is rounding."""

DEPENDENT = "the predictors are linearly dependent"
NO_RESIDUAL = "the predictors explain the response exactly: there is no residual variance"
NO_DF = "no residual degrees of freedom: N - p is not positive"


def full_rank(triangle: Floats) -> NDArray[np.bool_]:
    """Tell whether columns are linearly independent, as R's lm judges it.

    Parameters
    ----------
    triangle : (..., k, p) array
        Upper triangular factors of the columns.

    Returns
    -------
    (...) array of bool
        Whether of every column more than `RANK_TOLERANCE` of its length is left after the earlier
        ones.
    """
    length = np.sqrt((triangle * triangle).sum(axis=-2))
    rest = np.abs(np.diagonal(triangle, axis1=-2, axis2=-1))
    return (rest > RANK_TOLERANCE * length).all(axis=-1)


@dataclass
class Solution:
    """Least squares of each dataset.

    Attributes
    ----------
    estimate : (S, p) array
        The coefficients.
    root : (S, p, p) array
        W with W W' = (X'X)^-1.
    residual_ss : (S,) array
        The residual sum of squares.
    defined : (S,) array of bool
        Whether X has full rank; where not, the numbers mean nothing.
    """

    estimate: Floats
    root: Floats
    residual_ss: Floats
    defined: NDArray[np.bool_]


def solve(shard: Shard) -> Solution:
    """Compute ordinary least squares of each dataset."""
    return back_substitute(shard.whole, shard.n_obs)


def back_substitute(whole: Floats, n_obs: Ints) -> Solution:
    """Compute least squares from triangular factors.

    Parameters
    ----------
    whole : (S, p + 1, p + 1) array
        Triangular factors of `[X y]`.
    n_obs : (S,) array of int
        Rows of each dataset.

    Returns
    -------
    Solution
    """
    p = whole.shape[-1] - 1
    triangle = whole[:, :p, :p]
    defined = (n_obs >= p) & full_rank(triangle)
    triangle = np.where(defined[:, None, None], triangle, np.eye(p))
    root: Floats = np.asarray(np.linalg.inv(triangle))
    estimate = (root @ whole[:, :p, p:])[..., 0]
    return Solution(estimate, root, whole[:, p, p] ** 2, defined)


def residual_rounding(triangles: Floats, n_obs: Ints, estimate: Floats) -> Floats:
    """Compute how long residuals may be that are nothing but rounding.

    Parameters
    ----------
    triangles : (S, G, k, p + 1) array
        Triangular factors of `[X_g y_g]`, or of `[X y]` as of one cluster.
    n_obs : (S,) array of int
        Rows of each dataset.
    estimate : (S, p) array
        Least squares of the same.

    Returns
    -------
    (S,) array
        In the units of y.
    """
    lengths = np.sqrt((triangles * triangles).sum(axis=(1, 2)))
    terms = lengths[:, :-1] * np.abs(estimate)
    largest = np.maximum(lengths[:, -1], terms.max(axis=1))
    return np.asarray(RESIDUAL_ROUNDING * np.sqrt(n_obs) * largest)


def explained(triangles: Floats, n_obs: Ints, solution: Solution) -> NDArray[np.bool_]:
    """Tell whether the residuals are nothing but rounding.

    Parameters
    ----------
    triangles : (S, G, k, p + 1) array
        Triangular factors of `[X_g y_g]`.
    n_obs : (S,) array of int
        Rows of each dataset.
    solution : Solution
        Least squares of the same.

    Returns
    -------
    (S,) array of bool
    """
    rounding = residual_rounding(triangles, n_obs, solution.estimate)
    return np.asarray(np.sqrt(solution.residual_ss) <= rounding, dtype=np.bool_)


def fit_ols(shard: Shard) -> Fits:
    """Fit least squares with classical standard errors and N - p degrees of freedom."""
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


def joint_ols(shard: Shard, groups: Sequence[Ints]) -> JointTests:
    """Test groups of coefficients by the F test of least squares, N - p degrees of freedom.

    Parameters
    ----------
    shard : Shard
        The datasets.
    groups : sequence of (q,) array of int
        The columns of X of each group.

    Returns
    -------
    JointTests
    """
    tests, solution = JointTests.blank(shard.sims, groups), solve(shard)
    df = (shard.n_obs - shard.p).astype(np.float64)
    for place, group in enumerate(groups):
        estimate = Turned.of(solution.root[:, group])(solution.estimate[:, group])
        with np.errstate(divide="ignore", invalid="ignore"):
            mean_square = (estimate * estimate).sum(axis=1) / len(group)
            tests.fill(place, mean_square / (solution.residual_ss / df), df, NO_VARIANCE)
    return tests.agree_with(fit_ols(shard), groups, shard.terms)


def mark_undefined(shard: Shard, fits: Fits, solution: Solution) -> None:
    """Fail the fits without a unique solution or without residuals.

    Parameters
    ----------
    shard : Shard
        The datasets.
    fits : Fits
        Marked in place.
    solution : Solution
        Least squares of the same.
    """
    fits.fail(
        shard.n_obs < shard.p,
        "undefined",
        [f"{rows} rows, {shard.p} coefficients" for rows in shard.n_obs],
    )
    fits.fail(~solution.defined, "undefined", DEPENDENT)
    fits.fail(shard.n_obs <= shard.p, "undefined", NO_DF)
    fits.fail(explained(shard.triangles, shard.n_obs, solution), "undefined", NO_RESIDUAL)
