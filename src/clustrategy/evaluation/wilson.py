"""Wilson's interval of a rate, also of one that is a mean over terms of the same datasets."""

from __future__ import annotations

from statistics import NormalDist

import numpy as np
from numpy.typing import ArrayLike

from clustrategy.core.shard import Floats


def wilson(share: ArrayLike, n: ArrayLike, confidence: float = 0.95) -> tuple[Floats, Floats]:
    """Return the ends of Wilson's (1927) interval of a rate.

    Parameters
    ----------
    share : array_like
        The rate found, from 0 to 1.
    n : array_like
        The independent trials, above 0; need not be whole.
    confidence : float
        The level of the interval. One of its ends alone is a limit of level
        (1 + confidence) / 2.
    """
    return ends(share, n, NormalDist().inv_cdf(0.5 + confidence / 2))


def ends(share: ArrayLike, n: ArrayLike, z: float) -> tuple[Floats, Floats]:
    """Return the rates that lie z of their own standard errors from the one found."""
    share, n = np.asarray(share, dtype=float), np.asarray(n, dtype=float)
    denominator = 1 + z**2 / n
    centre = (share + z**2 / (2 * n)) / denominator
    half = z / denominator * np.sqrt(share * (1 - share) / n + z**2 / (4 * n**2))
    return np.clip(centre - half, 0, 1), np.clip(centre + half, 0, 1)


def effective_trials(share: float, by_dataset: Floats, terms: int) -> float:
    """Return how many independent trials tell as much about a rate as datasets of several terms.

    That is R (1 - R) / MCSE², R the rate and MCSE the standard error of the mean over datasets. It
    lies between the number of datasets, which it is where all terms of a dataset go together or
    where nothing can be told, and that of the terms in them.

    Parameters
    ----------
    share : float
        The rate, R.
    by_dataset : (n,) array
        The mean over the terms of each dataset.
    terms : int
        The terms of each dataset.
    """
    n = by_dataset.size
    variance = np.mean((by_dataset - share) ** 2)
    if n < 2 or variance <= 0 or terms == 1:
        return float(n)
    return float(np.clip(n * share * (1 - share) / variance, n, n * terms))
