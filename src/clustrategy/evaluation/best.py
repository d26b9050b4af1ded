"""Which of several strategies could have the most power: multiple comparisons with the best."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import NormalDist
from typing import NamedTuple

import numpy as np

from clustrategy.core.shard import Floats


class Comparison(NamedTuple):
    """A strategy's power less that of the best of the others.

    Attributes
    ----------
    value, mcse : float
        The difference from the one that has the most power, as found, and its standard error.
    low, high : float
        Limits of the difference from whichever is the best, each of the level asked for: if `high`
        is below 0, some other one is better; if `low` is above 0, none is.
    """

    value: float
    mcse: float
    low: float
    high: float


def with_the_best(
    powers: Floats, influences: Sequence[Floats], confidence: float = 0.95
) -> list[Comparison]:
    """Compare each strategy with the best of the others.

    Parameters
    ----------
    powers : (k, cells) array
        The power of each of at least two strategies in each cell; means over cells are compared.
    influences : Sequence of (k, S) array
        By cell, how much each dataset moves each power; NaN where it was not used. Strategies see
        the same datasets, so that most of their Monte Carlo errors is not in their differences.
    confidence : float
        The level of each limit, whichever of the others is the best.

    Returns
    -------
    list of Comparison
        One for each strategy.

    Notes
    -----
    Multiple comparisons with the best (Hsu 1984, Annals of Statistics 12, 1136-1144). Differences
    have unequal variances, so that Bonferroni's quantile of k - 1 of them stands for Dunnett's.
    """
    k = len(powers)
    critical = NormalDist().inv_cdf(1 - (1 - confidence) / (k - 1))
    mean = powers.mean(axis=1)
    difference = mean[:, None] - mean
    error = np.sqrt(sum(_variances(each) for each in influences)) / len(influences)
    compared = []
    for i in range(k):
        others = np.arange(k) != i
        apart, errors = difference[i, others], error[i, others]
        rival = int(apart.argmin())
        low, high = (apart - critical * errors).min(), (apart + critical * errors).min()
        compared.append(
            Comparison(float(apart[rival]), float(errors[rival]), float(low), float(high))
        )
    return compared


def _variances(influence: Floats) -> Floats:
    """Return (k, k) the variances of the differences of means, by the datasets that both use."""
    k = len(influence)
    out = np.zeros((k, k))
    for i in range(k):
        difference = influence[i] - influence
        known = ~np.isnan(difference)
        n = known.sum(axis=1)
        with np.errstate(divide="ignore", invalid="ignore"):
            centre = np.where(known, difference, 0.0).sum(axis=1) / n
            squares = np.where(known, difference - centre[:, None], 0.0) ** 2
            out[i] = squares.sum(axis=1) / (n * (n - 1.0))
    return np.where(np.isfinite(out), out, np.inf)
