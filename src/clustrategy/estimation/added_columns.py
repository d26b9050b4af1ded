"""Columns that a strategy sets beside the model's own, fits, and does not report.

The cluster means of the predictors (Mundlak 1978, Econometrica 46, 69-85), and the products of
cluster-level predictors with those whose slopes differ between clusters.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from clustrategy.core.fits import Fits
from clustrategy.core.joint_tests import JointTests
from clustrategy.core.shard import INTERCEPT, Floats, Ints, Shard
from clustrategy.estimation.least_squares import RANK_TOLERANCE
from clustrategy.estimation.within import varying

MEAN_ROUNDING = 1e-12
"""Means that differ by less than this share of the predictor's size are the same."""


class Added(NamedTuple):
    """Columns to be set beside those of a shard.

    Attributes
    ----------
    columns : (R, m) array
        Their values; zero in a dataset that has no use for one.
    names : tuple of str
        What messages call them.
    """

    columns: Floats
    names: tuple[str, ...]


Part = tuple[Ints, Shard]
"""Which datasets, and a shard of them with their columns, the model's own first."""


def cluster_means(shard: Shard) -> Added:
    """Return the cluster means of the predictors that vary within clusters.

    Parameters
    ----------
    shard : Shard
        The datasets.

    Returns
    -------
    Added
        Less their mean over the clusters, where the model has an intercept to take it.
    """
    means = _means(shard)
    if INTERCEPT in shard.terms:
        size = _length(means)
        means = means - means.mean(axis=1, keepdims=True)
        means[np.broadcast_to(_length(means) <= MEAN_ROUNDING * size, means.shape)] = 0.0
    means[np.broadcast_to(~varying(shard)[:, None], means.shape)] = 0.0
    return Added(_by_row(shard, means), tuple(f"mean of {term}" for term in shard.terms))


def cross_level_products(shard: Shard, slopes: NDArray[np.bool_]) -> Added:
    """Return the products of predictors that have random slopes with cluster-level predictors.

    Both are centred, each at its mean over the clusters: so the coefficient of a predictor stays
    its slope averaged over the clusters, and that of a cluster-level predictor its effect where the
    others are at their averages, wherever their zeros are.

    Parameters
    ----------
    shard : Shard
        The datasets.
    slopes : (S, p) array of bool
        The columns of X that have random coefficients.

    Returns
    -------
    Added
    """
    means = _means(shard)
    middle = np.asarray(means.mean(axis=1, keepdims=True))
    varies = varying(shard)
    within = np.broadcast_to((slopes & varies)[:, None], means.shape)
    centred = shard.X - _by_row(shard, np.broadcast_to(middle, means.shape))
    rows = np.where(_by_row(shard, within), centred, 0.0)
    of_cluster = _by_row(shard, np.where(varies[:, None], 0.0, means - middle))
    pairs = [
        (x, z)
        for x in np.flatnonzero((slopes & varies).any(axis=0)).tolist()
        for z in np.flatnonzero(~varies.all(axis=0)).tolist()
        if shard.terms[z] != INTERCEPT and x != z
    ]
    columns = np.empty((len(shard.y), len(pairs)))
    for place, (x, z) in enumerate(pairs):
        columns[:, place] = rows[:, x] * of_cluster[:, z]
    names = tuple(f"{shard.terms[x]} times {shard.terms[z]}" for x, z in pairs)
    return Added(columns, names)


def widened(shard: Shard, added: Added) -> Iterator[Part]:
    """Set columns beside those of the datasets, in each those that say anything new.

    A column that is linearly dependent on earlier ones is left out: what the model has with it, it
    has without.

    Parameters
    ----------
    shard : Shard
        The datasets.
    added : Added
        The columns.

    Yields
    ------
    Part
        All datasets that take the same columns.
    """
    wide = _beside(shard, added, np.ones(len(added.names), dtype=bool))
    triangle = wide.whole[:, : wide.p, : wide.p]
    length = np.sqrt((triangle * triangle).sum(axis=1))
    rest = np.abs(np.diagonal(triangle, axis1=1, axis2=2))
    new = (rest > RANK_TOLERANCE * length)[:, shard.p :]
    for pattern in np.unique(new, axis=0):
        sims = np.flatnonzero((new == pattern).all(axis=1))
        if sims.size == shard.sims:
            yield sims, wide if pattern.all() else _beside(shard, added, pattern)
        else:
            some = np.isin(np.arange(shard.sims), sims)
            rows = np.repeat(some, shard.n_obs)
            seeds = None if shard.seeds is None else [shard.seeds[sim] for sim in sims.tolist()]
            part = Shard(shard.y[rows], shard.X[rows], shard.n[sims], shard.terms, seeds)
            yield sims, _beside(part, Added(added.columns[rows], added.names), pattern)


def with_means(shard: Shard, wanted: bool) -> Iterator[Part]:
    """Yield the datasets with the cluster means of their predictors, or as they are."""
    if wanted:
        yield from widened(shard, cluster_means(shard))
    else:
        yield np.arange(shard.sims), shard


def fit_parts(shard: Shard, parts: Iterator[Part], fit: Callable[[Ints, Shard], Fits]) -> Fits:
    """Fit datasets with the columns set beside their own.

    Parameters
    ----------
    shard : Shard
        The datasets without them.
    parts : iterator of Part
        The datasets with them.
    fit : callable
        Fits a part.

    Returns
    -------
    Fits
        Of the model's own coefficients.
    """
    places, found = [], []
    for sims, part in parts:
        fits = fit(sims, part)
        if part is shard:
            return fits
        places.append(sims)
        found.append(fits.of_first(shard.p))
    return Fits.concatenate(found).take(np.argsort(np.concatenate(places)))


def joint_parts(
    shard: Shard,
    parts: Iterator[Part],
    groups: Sequence[Ints],
    joint: Callable[[Ints, Shard], JointTests],
) -> JointTests:
    """Test groups of the model's own coefficients, with the columns set beside them.

    Parameters
    ----------
    shard, parts
        As of `fit_parts`.
    groups : sequence of (q,) array of int
        The columns of X of each group.
    joint : callable
        Tests them in a part.

    Returns
    -------
    JointTests
    """
    tests = JointTests.blank(shard.sims, groups)
    for sims, part in parts:
        tests.put(sims, joint(sims, part))
    return tests


def _means(shard: Shard) -> Floats:
    """Return the cluster means of the columns of X, (S, G, p)."""
    sizes = shard.n.reshape(-1)
    sums = np.add.reduceat(shard.X, np.cumsum(sizes) - sizes, axis=0)
    return np.asarray(sums / sizes[:, None]).reshape(shard.sims, shard.clusters, shard.p)


def _length(means: Floats) -> Floats:
    """Return the root mean square over the clusters, (S, 1, p)."""
    return np.asarray(np.sqrt((means * means).mean(axis=1, keepdims=True)))


def _by_row(shard: Shard, values: NDArray[Any]) -> NDArray[Any]:
    """Give every row the values, (S, G, m), of its cluster."""
    return np.repeat(values.reshape(-1, values.shape[-1]), shard.n.reshape(-1), axis=0)


def _beside(shard: Shard, added: Added, which: NDArray[np.bool_]) -> Shard:
    if not which.any():
        return shard
    X = np.column_stack([shard.X, added.columns[:, which]])
    names = [name for name, there in zip(added.names, which, strict=True) if there]
    return Shard(shard.y, X, shard.n, (*shard.terms, *names), shard.seeds)
