"""The slopes of predictors within clusters and between them, and whether they agree.

Mundlak (1978, Econometrica 46, 69-85): beside a predictor its cluster means are predictors, too, as
in y ~ x + mean(x). The coefficient of x is then the slope within clusters, which y ~ (x - mean(x))
+ mean(x) gives as well; that of mean(x) is what the slope between clusters is more than it.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from clustrategy.core.inference import t_inference
from clustrategy.core.shard import INTERCEPT, Floats, Shard
from clustrategy.design.full_rank import solve_full_rank
from clustrategy.design.variation import cluster_means, differs_within
from clustrategy.estimation.cluster_robust import fits_of, sandwich, satterthwaite
from clustrategy.estimation.least_squares import back_substitute, explained

ROUNDING = 1e-9
"""Cluster means that differ by no more than this share of the predictor's spread are equal."""


class Slopes(NamedTuple):
    """Slopes of each of the p columns of X.

    Attributes
    ----------
    pooled : (p,) array
        By least squares of y on X.
    within, between : (p,) array
        By least squares of y on X and the cluster means of all columns that vary both within
        clusters and between them; NaN for the other columns, and for all if the clusters are too
        few for so many means.
    signs_differ : (p,) array of bool
        Whether pooled, within and between are of one sign or not; False where one is NaN.
    difference_p_value : (p,) array
        Of the test that the slope between clusters is that within them, by CR2 with Satterthwaite's
        degrees of freedom; NaN where there is none.
    """

    pooled: Floats
    within: Floats
    between: Floats
    signs_differ: NDArray[np.bool_]
    difference_p_value: Floats


def slopes(shard: Shard) -> Slopes:
    """Compute the slopes within and between clusters, all in one regression.

    Parameters
    ----------
    shard : Shard
        One dataset.

    Returns
    -------
    Slopes
        NaN where the numbers of a column are out of range (`Shard.in_range`).

    Raises
    ------
    DataError
        If coefficients depend on each other.
    """
    pooled, within, between, p_value = np.full((4, shard.p), np.nan)
    if shard.in_range.all():
        pooled = solve_full_rank(shard).estimate[0]
        varies = differs_within(shard).any(axis=0)
        means = cluster_means(shard)
        both = varies & (np.ptp(means, axis=0) > ROUNDING * shard.X.std(axis=0))
        constant = int((~varies).sum() + both.sum())
        if both.any() and constant < shard.clusters:
            within[both], more, p_value[both] = _mundlak(shard, means, both)
            between = within.copy()
            between[both] += more
    signs = np.sign([pooled, within, between])
    differ = (signs != signs[0]).any(axis=0) & ~np.isnan(within)
    return Slopes(pooled, within, between, differ, p_value)


def _mundlak(shard: Shard, means: Floats, both: NDArray[np.bool_]) -> Floats:
    """Return the slopes within, what those between are more, and its p-values, (3, q).

    Within a cluster a mean is a multiple of the intercept, so that its column is known in the
    coordinates of the cluster's triangle.
    """
    triangles, ones = _with_ones(shard)
    n_obs, p = shard.n_obs, shard.p
    centred = means[:, both]
    if INTERCEPT in shard.terms:
        centred = centred - shard.X[:, both].mean(axis=0)
    further = ones[..., None] * centred[:, None]
    wide = np.concatenate([triangles[..., :p], further, triangles[..., p:]], axis=2)[None]
    width = wide.shape[-1]
    whole: Floats = np.asarray(np.linalg.qr(wide.reshape(1, -1, width), mode="r"))
    solution = back_substitute(whole, n_obs)
    if not solution.defined.all():
        return np.full((3, width - 1 - p), np.nan)
    parts = sandwich(wide, solution, n_obs, width - 1, "CR2")
    estimate = solution.estimate[0]
    std_error = fits_of(solution, parts, n_obs, width - 1, "normal").std_error[0, p:]
    rows = (solution.root[:, [row]] for row in range(p, width - 1))  # All at once take gigabytes.
    df = np.array([satterthwaite(parts.half, parts.adjusted, row)[0, 0] for row in rows])
    p_value = t_inference(estimate[p:], std_error, df).p_value
    if explained(wide, n_obs, solution).all():
        p_value[:] = np.nan
    return np.stack([estimate[:p][both], estimate[p:], p_value])


def _with_ones(shard: Shard) -> tuple[Floats, Floats]:
    """Return the triangles of [X_g y_g], (G, k, p + 1), and a column of ones in them, (G, k)."""
    if INTERCEPT in shard.terms:
        triangles = shard.triangles[0]
        return triangles, triangles[..., shard.terms.index(INTERCEPT)]
    X = np.column_stack([np.ones(shard.y.size), shard.X])
    triangles = Shard(shard.y, X, shard.n, (INTERCEPT, *shard.terms)).triangles[0]
    return triangles[..., 1:], triangles[..., 0]
