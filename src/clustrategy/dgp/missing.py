"""Which rows are observed."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from clustrategy.core.shard import Floats, Ints
from clustrategy.dgp.process import Process
from clustrategy.dgp.seeds import Stream, Streams


def observed(process: Process, n: Ints, X: Floats, streams: Streams) -> NDArray[np.bool_]:
    """Decide which rows of some datasets are observed.

    With m the missing rate, rows are missing completely at random with probability m, or at random
    given IV1 with probability 2 m Phi(IV1), whose mean is m (Rubin 1976). If a cluster would lose
    all its rows, the one whose draw was furthest from missing stays.

    Parameters
    ----------
    process : Process
        The options.
    n : (S, G) array
        The rows of each cluster.
    X : (R, predictors + 1) array
        The predictors, rows by dataset and cluster.
    streams : Streams
        The generators of the sims.

    Returns
    -------
    (R,) array of bool
        Whether each row is observed.
    """
    drawn = streams(Stream.MISSING).random(n.sum(axis=1))
    margin = drawn - _probability(process, X)
    rows = n.reshape(-1)
    furthest = np.maximum.reduceat(margin, np.cumsum(rows) - rows)
    return (margin >= 0) | (margin == np.repeat(furthest, rows))


def _probability(process: Process, X: Floats) -> float | Floats:
    """Return with which probability each row is missing."""
    if not process.missing_by_iv1:
        return process.missing_rate
    from scipy.special import ndtr

    # The dummy of one of two arms has mean 1/2 and standard deviation 1/2.
    standard = X[:, 1] if process.continuous else 2.0 * X[:, 1] - 1.0
    return np.asarray(2.0 * process.missing_rate * ndtr(standard))
