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

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from clustrategy.core.fits import NUMBERS, Fits
from clustrategy.core.shard import INTERCEPT, Floats, Shard
from clustrategy.estimation.cluster_robust import (
    Df,
    Variance,
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
DEPENDENT = "the predictors are linearly dependent within clusters"
NO_ROWS = "no residual degrees of freedom: N - G is not more than the slopes"


def fit_within(shard: Shard, variance: Variance, df: Df) -> Fits:
    """Least squares with an intercept for every cluster and a cluster-robust variance.

    The intercept and the predictors that vary within no cluster are not estimated. The p of the
    small-sample factors and of the degrees of freedom counts the slopes and one intercept, as
    Stata's `xtreg, fe vce(cluster)` does: the variance is robust to whatever is common to a
    cluster, so its intercept costs nothing.

    Parameters
    ----------
    variance, df : as of `cluster_robust`.
    """

    def slopes(part: Shard) -> Fits:
        within, solution = solve_within(part)
        fits = sandwich(within, solution, part.n_obs, part.p, variance, df)
        mark_undefined(part, fits, solution)
        mark_no_test(fits, part.clusters, df)
        leave_out_zeros(fits, part.terms[1:])
        return fits

    return estimable(shard, slopes)


def solve_within(part: Shard) -> tuple[Floats, Solution]:
    """(S, G, k, p) the triangles of the rows less their clusters' means, and least squares."""
    within = np.ascontiguousarray(part.triangles[..., 1:, 1:])
    whole = np.linalg.qr(within.reshape(part.sims, -1, part.p), mode="r")
    return within, back_substitute(np.asarray(whole), part.n_obs)


def mark_undefined(part: Shard, fits: Fits, solution: Solution) -> None:
    """Fail the fits that leave no residuals or have no one solution, that within clusters."""
    fits.fail(part.n_obs - part.clusters < part.p, "undefined", NO_ROWS)
    fits.fail(~solution.defined, "undefined", DEPENDENT)
    exact = explained(part.triangles[..., 1:], part.n_obs, solution)
    fits.fail(exact, "undefined", NO_RESIDUAL)


def varying(shard: Shard) -> NDArray[np.bool_]:
    """(S, p) which columns of X vary within clusters, judged as R's lm would after the dummies."""
    design = shard.triangles[..., : shard.p]
    squares = (design * design).sum(axis=1)
    within = squares[:, 1:].sum(axis=1)
    return within > RANK_TOLERANCE**2 * squares.sum(axis=1)


def estimable(shard: Shard, slopes: Callable[[Shard], Fits]) -> Fits:
    """Fit each dataset with those predictors that vary within its clusters.

    Parameters
    ----------
    slopes : fits a shard whose predictors all vary; their estimates are its last columns.

    Raises
    ------
    ValueError : for a model whose first term is not an intercept.
    """
    if shard.terms[0] != INTERCEPT:
        raise ValueError("fixed effects of the clusters need a model with an intercept")
    out = Fits.blank(shard.sims, shard.p)
    varies = varying(shard)
    for pattern in np.unique(varies, axis=0):
        sims = (varies == pattern).all(axis=1)
        if not pattern.any():
            out.fail(sims, "undefined", NOTHING_VARIES)
            continue
        found = slopes(_part(shard, sims, pattern))
        for name in NUMBERS:
            values = getattr(found, name)
            if values.ndim == 2:
                getattr(out, name)[np.ix_(sims, pattern)] = values[:, -pattern.sum() :]
            else:
                getattr(out, name)[sims] = values
        out.status[sims], out.message[sims] = found.status, found.message
    return out


def _part(shard: Shard, sims: NDArray[np.bool_], pattern: NDArray[np.bool_]) -> Shard:
    """Some datasets of a shard, with the intercept and some predictors."""
    columns = np.flatnonzero(pattern | (np.arange(shard.p) == 0))
    if sims.all() and columns.size == shard.p:
        return shard
    rows = np.repeat(sims, shard.n_obs)
    X = np.ascontiguousarray(shard.X[rows][:, columns])
    return Shard(shard.y[rows], X, shard.n[sims], tuple(shard.terms[c] for c in columns))
