"""Which rows are observed."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from clustrategy.core.shard import Floats, Ints
from clustrategy.dgp.process import Process
from clustrategy.dgp.seeds import Stream, Streams


def observed(process: Process, n: Ints, X: Floats, streams: Streams) -> NDArray[np.bool_]:
    """Whether each row of one dataset is there, given its IV1 alone (Rubin 1976: at random).

    A row is missing with probability 2 m Phi(IV1), m the missing rate, which is also its mean.
    Of a cluster that would lose all rows the one whose draw was furthest from it stays.

    Parameters
    ----------
    n : (G,) rows of each cluster.
    X : (N, predictors + 1), rows by cluster.
    """
    from scipy.special import ndtr

    # a treatment arm of two has mean 1/2 and standard deviation 1/2
    standard = X[:, 1] if process.continuous else 2.0 * X[:, 1] - 1.0
    rng = streams(Stream.MISSING)
    margin = rng.random(standard.size) - 2.0 * process.missing_rate * ndtr(standard)
    furthest = np.maximum.reduceat(margin, np.cumsum(n) - n)
    return (margin >= 0) | (margin == np.repeat(furthest, n))
