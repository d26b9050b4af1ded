"""What the mixed-model strategies mean, whichever engine fits them.

`mixed_maximal` gives every cluster its own intercept and its own slope of every predictor that
varies within clusters (Barr, Levy, Scheepers & Tily 2013, JML 68, 255-278); `mixed_intercept`
gives it an intercept alone. Both by REML, with Satterthwaite's degrees of freedom.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from clustrategy.dataset import INTERCEPT, Floats, Shard
from clustrategy.fits import Fit, Fits, fit_each
from clustrategy.strategies import strategy
from clustrategy.strategies.least_squares import solve

SINGULAR_TOLERANCE = 1e-4

FitOne = Callable[[Shard, Sequence[int]], Fit]


def random_columns(shard: Shard) -> list[int]:
    """The columns of X whose coefficients can differ between clusters.

    A column that is, within each cluster, a multiple of an earlier one is left out: a
    cluster-level predictor (a multiple of the intercept), or its product with a predictor that
    is there already.
    """
    starts = np.concatenate([[0], np.cumsum(shard.n.reshape(-1))[:-1]])
    kept: list[int] = []
    for column in range(shard.p):
        x = shard.X[:, column]
        if not any(_proportional(shard.X[:, other], x, starts) for other in kept):
            kept.append(column)
    return kept


def _proportional(x: Floats, y: Floats, starts: np.ndarray) -> bool:
    xx, xy, yy = (np.add.reduceat(product, starts) for product in (x * x, x * y, y * y))
    return bool(np.all(xx * yy - xy * xy <= 1e-12 * xx * yy))


def register(engine: str, fit_one: FitOne) -> None:
    """Register both mixed-model strategies for an engine that fits one dataset at a time.

    Parameters
    ----------
    engine : its name.
    fit_one : takes a shard of one dataset and the columns of X that have random coefficients.
    """

    @strategy("mixed_maximal", engine=engine)
    def maximal(shard: Shard) -> Fits:
        return _fit(shard, random_columns(shard), fit_one)

    @strategy("mixed_intercept", engine=engine)
    def intercept(shard: Shard) -> Fits:
        if INTERCEPT not in shard.terms:
            raise ValueError("a random intercept needs a model with an intercept")
        return _fit(shard, [shard.terms.index(INTERCEPT)], fit_one)

    for function in (maximal, intercept):
        function.__module__ = fit_one.__module__


def _fit(shard: Shard, random: list[int], fit_one: FitOne) -> Fits:
    q, G = len(random), shard.clusters
    fits = Fits.blank(shard.sims, shard.p, q * (q + 1) // 2)
    if G < 2:
        everywhere = np.ones(shard.sims, dtype=bool)
        fits.fail(everywhere, "undefined", "one cluster: a mixed model needs two")
    fits.fail(
        shard.n_obs <= G * q,
        "undefined",
        [f"{rows} rows, not more than the {G * q} random effects" for rows in shard.n_obs],
    )
    fits.fail(~solve(shard).defined, "undefined", "the predictors are linearly dependent")
    return fit_each(shard, lambda one: fit_one(one, random), fits)
