"""The slopes of predictors within clusters and between them, and whether they agree.

Mundlak (1978, Econometrica 46, 69-85): beside a predictor its cluster means are predictors, too.
The predictor's own coefficient is then the slope within clusters, that of the means what the slope
between clusters is more than that.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from clustrategy.core.shard import Floats, Shard
from clustrategy.design.variation import cluster_means, differs_within
from clustrategy.estimation.cluster_robust import fit_cluster_robust
from clustrategy.estimation.least_squares import full_rank, solve

ROUNDING = 1e-9
"""Cluster means that differ by no more than this share of the predictor's spread are equal."""


class Slopes(NamedTuple):
    """Slopes of each of the p columns of X.

    Attributes
    ----------
    pooled : (p,) array
        By least squares.
    within, between : (p,) array
        Given the cluster means of all predictors that vary both within clusters and between them;
        NaN for the others, and where clusters are too few to tell.
    difference_p_value : (p,) array
        Of the test that both are equal, by CR2 with Satterthwaite's degrees of freedom.
    """

    pooled: Floats
    within: Floats
    between: Floats
    difference_p_value: Floats


def slopes(shard: Shard) -> Slopes:
    """Compute the slopes within and between clusters, all in one regression.

    Parameters
    ----------
    shard : Shard
        One dataset, X of full rank.

    Returns
    -------
    Slopes
    """
    from clustrategy.core.inference import t_inference

    p = shard.p
    pooled = solve(shard).estimate[0]
    within, between, p_value = np.full((3, p), np.nan)
    means = cluster_means(shard)
    spread = np.sqrt(((shard.X - shard.X.mean(axis=0)) ** 2).mean(axis=0))
    both = differs_within(shard).any(axis=0) & (np.ptp(means, axis=0) > ROUNDING * spread)
    if both.any():
        further = np.repeat(means[:, both], shard.n[0], axis=0)
        terms = (*shard.terms, *(f"mean of {shard.terms[place]}" for place in np.flatnonzero(both)))
        wide = Shard(shard.y, np.column_stack([shard.X, further]), shard.n, terms)
        constant = int((~differs_within(shard).any(axis=0)).sum() + both.sum())
        if constant < shard.clusters and full_rank(wide.whole[0, :-1, :-1]):
            fits = fit_cluster_robust(wide, "CR2", "satterthwaite")
            test = t_inference(fits.estimate, fits.std_error, fits.df)
            within[both] = fits.estimate[0, :p][both]
            between[both] = within[both] + fits.estimate[0, p:]
            p_value[both] = test.p_value[0, p:]
    return Slopes(pooled, within, between, p_value)
