"""Where the predictors vary: within clusters, or between them."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from clustrategy.core.shard import Floats, Ints, Shard

FEWEST_WITHIN = 3
"""Clusters within which a predictor is to vary for an estimate within clusters."""


class Variation(NamedTuple):
    """How each of the p columns of X varies.

    Attributes
    ----------
    varies_in : (p,) array of int
        The number of clusters in which it varies.
    between_share : (p,) array
        The share of its sum of squares about the mean that lies between clusters; NaN where it is
        constant.
    treated, untreated : (p,) array
        The clusters in which it is 1, and in which it is 0, if it is 0 or 1 and constant within
        clusters; else NaN.
    """

    varies_in: Ints
    between_share: Floats
    treated: Floats
    untreated: Floats


def starts(shard: Shard) -> Ints:
    """Return the first row of each cluster of one dataset, (G,)."""
    sizes = shard.n[0]
    return np.cumsum(sizes) - sizes


def cluster_means(shard: Shard) -> Floats:
    """Return the means of the columns of X in each cluster of one dataset, (G, p)."""
    sums = np.add.reduceat(shard.X, starts(shard), axis=0)
    return np.asarray(sums / shard.n[0][:, None])


def differs_within(shard: Shard) -> NDArray[np.bool_]:
    """Tell in which clusters the columns of X differ between rows, (G, p)."""
    first = starts(shard)
    least, most = (of.reduceat(shard.X, first, axis=0) for of in (np.minimum, np.maximum))
    return np.asarray(least != most)


def variation(shard: Shard) -> Variation:
    """Find where the predictors vary.

    Parameters
    ----------
    shard : Shard
        One dataset.

    Returns
    -------
    Variation
    """
    varies = differs_within(shard).sum(axis=0)
    largest = np.abs(shard.X).max(axis=0)
    unit = np.where(largest == 0.0, 1.0, largest)
    means, sizes = cluster_means(shard) / unit, shard.n[0][:, None]
    mean = (sizes * means).sum(axis=0) / sizes.sum()
    between = (sizes * (means - mean) ** 2).sum(axis=0)
    whole = ((shard.X / unit - mean) ** 2).sum(axis=0)
    first = shard.X[starts(shard)]
    constant = (varies == 0) & (first == first[0]).all(axis=0)
    share = np.where(constant, np.nan, between / np.where(constant, 1.0, whole))
    share[~constant & (varies == 0)] = 1.0
    two = np.isin(first, (0.0, 1.0)).all(axis=0) & (varies == 0) & ~constant
    treated = np.where(two, (first == 1.0).sum(axis=0), np.nan)
    return Variation(varies, share, treated, np.where(two, shard.clusters - treated, np.nan))
