"""Which rows are observed."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from clustrategy.core.shard import Floats, Ints
from clustrategy.dgp.process import Process
from clustrategy.dgp.seeds import Stream, Streams


def observed(process: Process, n: Ints, X: Floats, streams: Streams) -> NDArray[np.bool_]:
    """Decide which rows of one dataset are observed.

    Rows are missing at random given IV1 (Rubin 1976): with probability 2 m Phi(IV1), whose mean is
    the missing rate m. If a cluster would lose all its rows, the one whose draw was furthest from
    missing stays.

    Parameters
    ----------
    process : Process
        The options.
    n : (G,) array
        The rows of each cluster.
    X : (N, predictors + 1) array
        The predictors, rows by cluster.
    streams : Streams
        The generators of the sim.

    Returns
    -------
    (N,) array of bool
        Whether each row is observed.
    """
    from scipy.special import ndtr

    # The dummy of one of two arms has mean 1/2 and standard deviation 1/2.
    standard = X[:, 1] if process.continuous else 2.0 * X[:, 1] - 1.0
    rng = streams(Stream.MISSING)
    margin = rng.random(standard.size) - 2.0 * process.missing_rate * ndtr(standard)
    furthest = np.maximum.reduceat(margin, np.cumsum(n) - n)
    return (margin >= 0) | (margin == np.repeat(furthest, n))
