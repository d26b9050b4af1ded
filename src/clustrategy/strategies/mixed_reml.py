"""Mixed models on whole shards: REML by Newton's method, exact Satterthwaite df."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from clustrategy.dataset import Floats, Shard
from clustrategy.fits import Fits
from clustrategy.newton import minimise, triangular
from clustrategy.reml import Criterion, columnwise
from clustrategy.satterthwaite import satterthwaite
from clustrategy.strategies import mixed

# Clusters that are worked on at once: enough to hide the cost of a call, few enough for the cache.
CLUSTERS_AT_ONCE = 5000
SINGULAR = "boundary (singular) fit: a variance is zero or a correlation is 1 or -1"
NOT_FINITE = "the fit gave numbers that are not finite"
NO_MINIMUM = "the clusters' own coefficients explain the response exactly: no residual variance"
ENDLESS = "the search for the REML optimum did not end"


def fit(shard: Shard, random: NDArray[np.bool_], fits: Fits) -> None:
    """Fill in the fits that have not failed already."""
    wanted = fits.status == "ok"
    at_once = max(1, CLUSTERS_AT_ONCE // shard.clusters)
    for pattern in np.unique(random[wanted], axis=0):
        sims = np.flatnonzero(wanted & (random == pattern).all(axis=1))
        for start in range(0, sims.size, at_once):
            _fit_some(shard, sims[start : start + at_once], np.flatnonzero(pattern), fits)


def _fit_some(shard: Shard, sims: NDArray[np.int64], random: NDArray[np.int64], fits: Fits) -> None:
    criterion = Criterion.of(shard.triangles[sims], shard.n_obs[sims], random)
    minimum = minimise(criterion)
    derivatives = criterion.at(minimum.factor).derivatives()
    point = derivatives.point
    contrasts = criterion.root @ point.J
    sigma = criterion.scale * np.sqrt(point.rss / criterion.nu)
    fits.estimate[sims] = criterion.estimate(point.beta)
    fits.std_error[sims] = sigma[:, None] * np.sqrt((contrasts * contrasts).sum(axis=2))
    fits.df[sims] = satterthwaite(derivatives, contrasts)
    fits.sigma[sims] = sigma
    fits.reml_criterion[sims] = point.value + criterion.constant
    theta = relative_factor(criterion, minimum.factor)
    fits.theta[sims, : theta.shape[1]] = theta
    fits.singular[sims] = mixed.singular(theta)
    fits.optimizer_warning[sims] = ~minimum.converged
    numbers = np.concatenate([fits.estimate, fits.std_error, fits.df], axis=1)
    here = np.isin(np.arange(shard.sims), sims)
    fits.fail(np.isin(np.arange(shard.sims), sims[minimum.endless]), "undefined", NO_MINIMUM)
    fits.fail(here & ~np.isfinite(numbers).all(axis=1), "error", NOT_FINITE)
    fitted = here & (fits.status == "ok")
    stuck, boundary = fitted & fits.optimizer_warning, fitted & fits.singular
    fits.status[boundary], fits.message[boundary] = "singular", SINGULAR
    fits.status[stuck], fits.message[stuck] = "not_converged", ENDLESS


def relative_factor(criterion: Criterion, factor: Floats) -> Floats:
    """(S, k) lme4's theta."""
    rows, columns = columnwise(criterion.q)
    return triangular(criterion.random_root @ factor)[:, rows, columns]


def df_at(shard: Shard, random: NDArray[np.bool_], theta: Floats) -> Floats:
    """(p,) exact Satterthwaite degrees of freedom at a theta of the one dataset of a shard.

    Parameters
    ----------
    shard : one dataset.
    random : (p,) the columns of X that have random coefficients.
    theta : (k,) lme4's, by column.
    """
    criterion = Criterion.of(shard.triangles, shard.n_obs, np.flatnonzero(random))
    rows, columns = columnwise(criterion.q)
    factor = np.zeros((1, criterion.q, criterion.q))
    factor[0, rows, columns] = theta
    inside = np.asarray(np.linalg.solve(criterion.random_root, factor), dtype=np.float64)
    point = criterion.at(triangular(inside))
    return satterthwaite(point.derivatives(), criterion.root @ point.J)[0]


mixed.register("numpy", fit, module=__name__)
