"""Monte Carlo error of what a figure shows: intervals and bands of 95 %."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from statistics import NormalDist

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from clustrategy.evaluation import wilson as rates

Z_95 = NormalDist().inv_cdf(0.975)


def wilson(count: ArrayLike, total: ArrayLike) -> tuple[NDArray, NDArray]:
    """Return the ends of Wilson's 95 % interval of a proportion, of one trial at least."""
    return rates.wilson(np.asarray(count, dtype=float) / np.asarray(total, dtype=float), total)


@lru_cache
def median_rank(n: int) -> int:
    """Return the rank of the order statistic at which the median's 95 % interval begins.

    The interval runs from the value of this rank from below to that of this rank from above, and
    covers with at least 95 % for any continuous distribution. Zero means that ``n`` values are too
    few for such an interval.
    """
    rank, below, term = 0, 0, 1
    while 40 * (below + term) <= 2**n:
        below += term
        term = term * (n - rank) // (rank + 1)
        rank += 1
    return rank


def median_interval(values: NDArray) -> tuple[float, float]:
    """Return the order-statistic 95 % interval of a median, NaN for fewer than six values."""
    rank = median_rank(len(values))
    if rank == 0:
        return np.nan, np.nan
    ordered = np.sort(values)
    return float(ordered[rank - 1]), float(ordered[-rank])


def null_band(n: int, rate: float) -> tuple[float, float]:
    """Return the ends between which 95 % of the rates found in `n` sims are, if `rate` is true."""
    half = Z_95 * (rate * (1 - rate) / max(n, 1)) ** 0.5
    return max(rate - half, 0.0), min(rate + half, 1.0)


def mean_over_cells(values: pd.DataFrame, by: Sequence[str]) -> pd.DataFrame:
    """Return the means of value over cells, which are independent, with their mcse, and cells."""
    squares = values.assign(square=values["mcse"].fillna(0) ** 2)
    means = squares.groupby([*by], as_index=False, sort=False).agg(
        value=("value", "mean"), square=("square", "sum"), cells=("value", "size")
    )
    return means.assign(mcse=np.sqrt(means["square"]) / means["cells"])
