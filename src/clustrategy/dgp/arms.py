"""Which units are in which arm of a treatment."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from clustrategy.core.shard import Floats, Ints
from clustrategy.dgp.process import Process


def dummies(process: Process, units: Ints) -> NDArray[np.bool_]:
    """Return whether units are in each arm but the first.

    Parameters
    ----------
    process : Process
        Its treatment may be of clusters or of rows.
    units : (U,) array
        The numbers, from 0, of clusters in their dataset or of rows in their cluster.

    Returns
    -------
    (U, arms - 1) array of bool
    """
    if process.treated_share is None:
        return units[:, None] % process.arms == np.arange(1, process.arms)
    return is_treated(units, process.treated_share)[:, None] == 1.0


def is_treated(units: Ints, share: float) -> Floats:
    """Return which of numbered units are treated, 0 or 1: of the first n, the share nearest to it.

    Examples
    --------
    >>> is_treated(np.arange(6), 0.5).tolist(), is_treated(np.arange(6), 0.33).tolist()
    ([1.0, 0.0, 1.0, 0.0, 1.0, 0.0], [0.0, 1.0, 0.0, 0.0, 1.0, 0.0])
    """
    return np.floor((units + 1) * share + 0.5) - np.floor(units * share + 0.5)
