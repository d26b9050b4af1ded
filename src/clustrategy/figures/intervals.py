"""Interval estimates for the Monte Carlo error of what a figure shows."""

from __future__ import annotations

from functools import lru_cache
from statistics import NormalDist

import numpy as np
from numpy.typing import ArrayLike, NDArray

Z_95 = NormalDist().inv_cdf(0.975)


def wilson(count: ArrayLike, total: ArrayLike) -> tuple[NDArray, NDArray]:
    """Return the ends of the 95% Wilson interval of a proportion.

    Parameters
    ----------
    count
        Number of events.
    total
        Number of trials, at least one.
    """
    n = np.asarray(total, dtype=float)
    share = np.asarray(count, dtype=float) / n
    denominator = 1 + Z_95**2 / n
    centre = (share + Z_95**2 / (2 * n)) / denominator
    half = Z_95 / denominator * np.sqrt(share * (1 - share) / n + Z_95**2 / (4 * n**2))
    return np.clip(centre - half, 0, 1), np.clip(centre + half, 0, 1)


@lru_cache
def median_rank(n: int) -> int:
    """Return the rank of the order statistic that begins the median's 95% interval.

    The interval runs from the smallest value of this rank to the largest one of this rank, and
    its coverage is at least 95% for any continuous distribution. Zero means that ``n`` values
    are too few for such an interval.
    """
    rank, below, term = 0, 0, 1
    while 40 * (below + term) <= 2**n:
        below += term
        term = term * (n - rank) // (rank + 1)
        rank += 1
    return rank


def median_interval(values: NDArray) -> tuple[float, float]:
    """Return the order-statistic 95% interval of a median, NaN for fewer than six values."""
    rank = median_rank(len(values))
    if rank == 0:
        return np.nan, np.nan
    ordered = np.sort(values)
    return float(ordered[rank - 1]), float(ordered[-rank])
