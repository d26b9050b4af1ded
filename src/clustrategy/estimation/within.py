"""Fixed effects of the clusters: the within estimator with cluster-robust variances.

The triangular factor of `[1 X_g y_g]` without its first row and column is that of `[X_g y_g]` less
the cluster's means, which the first step of the factorisation takes off. So this is least
squares on smaller triangles, and no dummy variable is ever formed. CR2 and Satterthwaite's degrees
of freedom are the same with the dummies as without (Pustejovsky & Tipton 2018, JBES 36, 672-683,
theorem 2 as corrected in 2023: it holds for ordinary least squares). CR3 and CV3 are those of the
smaller triangles: the jackknife, which loses a cluster together with its dummy. With the dummies
I - H_g has no inverse.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from clustrategy.core.fits import NUMBERS, Fits
from clustrategy.core.joint_tests import JointTests
from clustrategy.core.shard import INTERCEPT, Floats, Ints, Shard
from clustrategy.estimation.cluster_robust import (
    Df,
    Sandwich,
    Variance,
    fits_of,
    joint_sandwich,
    leave_out_zeros,
    mark_no_test,
    sandwich,
)
from clustrategy.estimation.least_squares import (
    NO_RESIDUAL,
    RANK_TOLERANCE,
    Solution,
    back_substitute,
    explained,
)

NOTHING_VARIES = "no predictor varies within clusters"
DEPENDENT_WITHIN = "the predictors are linearly dependent within clusters"
NO_DF_WITHIN = "no residual degrees of freedom: N - G is not more than the slopes"


class Within(NamedTuple):
    """Least squares on the rows less their clusters' means.

    Attributes
    ----------
    triangles : (S, G, k, p) array
        Triangular factors of these rows of the clusters, without the intercept.
    solution : Solution
        Their least squares.
    """

    triangles: Floats
    solution: Solution


def fit_within(shard: Shard, variance: Variance, df: Df) -> Fits:
    """Fit least squares with an intercept for every cluster and a cluster-robust variance.

    Parameters
    ----------
    shard : Shard
        The datasets.
    variance, df : str
        As of `fit_cluster_robust`; their p counts the slopes and one intercept.

    Returns
    -------
    Fits
        Without numbers of the intercept and of predictors that vary within no cluster.
    """

    def slopes(part: Shard) -> Fits:
        solution, parts = _sandwich(part, variance)
        return _fits(part, solution, parts, df)

    return estimable(shard, slopes)


def joint_within(shard: Shard, groups: Sequence[Ints], variance: Variance, df: Df) -> JointTests:
    """Test groups of coefficients with an intercept for every cluster.

    Parameters
    ----------
    shard : Shard
        The datasets.
    groups : sequence of (q,) array of int
        The columns of X of each group.
    variance, df : str
        As of `fit_within`.

    Returns
    -------
    JointTests
        As of `joint_cluster_robust`.
    """
    tests, fits = JointTests.blank(shard.sims, groups), Fits.blank(shard.sims, shard.p)
    for sims, pattern, part in _parts(shard, fits):
        solution, parts = _sandwich(part, variance)
        _put(_fits(part, solution, parts, df), sims, pattern, fits)
        there = [place for place, group in enumerate(groups) if pattern[group].all()]
        own = [np.cumsum(pattern)[groups[place]] - 1 for place in there]
        found = joint_sandwich(solution, parts, part.n_obs, part.p, df, own)
        tests.put(np.flatnonzero(sims), found, there)
    return tests.agree_with(fits, groups, shard.terms)


def _sandwich(part: Shard, variance: Variance) -> tuple[Solution, Sandwich]:
    within = solve_within(part)
    parts = sandwich(within.triangles, within.solution, part.n_obs, part.p, variance)
    return within.solution, parts


def _fits(part: Shard, solution: Solution, parts: Sandwich, df: Df) -> Fits:
    fits = fits_of(solution, parts, part.n_obs, part.p, df)
    mark_undefined(part, fits, solution)
    mark_no_test(fits, part.clusters, df)
    leave_out_zeros(fits, part.terms[1:])
    return fits


def solve_within(part: Shard) -> Within:
    """Compute least squares on the rows less their clusters' means.

    Parameters
    ----------
    part : Shard
        Datasets whose first term is the intercept.

    Returns
    -------
    Within
    """
    within = np.ascontiguousarray(part.triangles[..., 1:, 1:])
    whole = np.linalg.qr(within.reshape(part.sims, -1, part.p), mode="r")
    return Within(within, back_substitute(np.asarray(whole), part.n_obs))


def mark_undefined(part: Shard, fits: Fits, solution: Solution) -> None:
    """Fail the fits without a unique solution or without residuals within clusters.

    Parameters
    ----------
    part : Shard
        The datasets.
    fits : Fits
        Marked in place.
    solution : Solution
        Least squares within clusters.
    """
    fits.fail(part.n_obs - part.clusters < part.p, "undefined", NO_DF_WITHIN)
    fits.fail(~solution.defined, "undefined", DEPENDENT_WITHIN)
    exact = explained(part.triangles[..., 1:], part.n_obs, solution)
    fits.fail(exact, "undefined", NO_RESIDUAL)


def intercept_first(shard: Shard) -> Shard:
    """Return a shard whose first column of X is one of ones: the shard itself, if that is so."""
    if shard.terms[0] == INTERCEPT:
        return shard
    X = np.column_stack([np.ones(shard.y.size), shard.X])
    return Shard(shard.y, X, shard.n, (INTERCEPT, *shard.terms))


def varying(shard: Shard) -> NDArray[np.bool_]:
    """Find the columns of X that vary within clusters, as R's lm would after the dummies.

    Parameters
    ----------
    shard : Shard
        The datasets.

    Returns
    -------
    (S, p) array of bool
    """
    wider = intercept_first(shard)
    design = wider.triangles[..., wider.p - shard.p : wider.p]
    squares = (design * design).sum(axis=1)
    within = squares[:, 1:].sum(axis=1)
    return within > RANK_TOLERANCE**2 * squares.sum(axis=1)


def estimable(shard: Shard, slopes: Callable[[Shard], Fits]) -> Fits:
    """Fit each dataset with those predictors that vary within its clusters.

    Parameters
    ----------
    shard : Shard
        The datasets.
    slopes : callable
        Fits a shard whose predictors all vary; their estimates are the last columns of its fits.

    Returns
    -------
    Fits

    Raises
    ------
    ValueError
        Where the model's first term is not an intercept.
    """
    out = Fits.blank(shard.sims, shard.p)
    for sims, pattern, part in _parts(shard, out):
        _put(slopes(part), sims, pattern, out)
    return out


def _parts(
    shard: Shard, fits: Fits
) -> Iterator[tuple[NDArray[np.bool_], NDArray[np.bool_], Shard]]:
    """Yield datasets by the predictors that vary: which, (S,), these, (p,), and a shard of both.

    Fits without any are failed.
    """
    if shard.terms[0] != INTERCEPT:
        raise ValueError("fixed effects of the clusters need a model with an intercept")
    varies = varying(shard)
    for pattern in np.unique(varies, axis=0):
        sims = (varies == pattern).all(axis=1)
        if pattern.any():
            yield sims, pattern, _part(shard, sims, pattern)
        else:
            fits.fail(sims, "undefined", NOTHING_VARIES)


def _put(found: Fits, sims: NDArray[np.bool_], pattern: NDArray[np.bool_], out: Fits) -> None:
    """Fill in the fits to some datasets, whose last columns are of the predictors that vary."""
    for name in NUMBERS:
        values = getattr(found, name)
        if values.ndim > 1:
            getattr(out, name)[np.ix_(sims, pattern)] = values[:, -pattern.sum() :]
        else:
            getattr(out, name)[sims] = values
    out.status[sims], out.message[sims] = found.status, found.message


def _part(shard: Shard, sims: NDArray[np.bool_], pattern: NDArray[np.bool_]) -> Shard:
    """Take some datasets of a shard, with the intercept and some predictors."""
    columns = np.flatnonzero(pattern | (np.arange(shard.p) == 0))
    if sims.all() and columns.size == shard.p:
        return shard
    rows = np.repeat(sims, shard.n_obs)
    X = np.ascontiguousarray(shard.X[rows][:, columns])
    return Shard(shard.y[rows], X, shard.n[sims], tuple(shard.terms[c] for c in columns))
