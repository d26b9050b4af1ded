"""How few rows a cluster has."""

from __future__ import annotations

import numpy as np

from clustrategy.dgp.process import Process
from clustrategy.dgp.sizes import further_rows

RARE = 1e-9


def least_rows(process: Process) -> int:
    """The rows that clusters have at least, but for one cluster in 10^9.

    Of the sizes and of the rows observed each that quantile; the latter as if every row were
    missing at the largest rate there is, twice the mean. Treatment arms within clusters take up a
    row each.
    """
    rows = process.obs_per_cluster
    if process.size_cv:
        rows = 1 + int(further_rows(process, np.array([RARE]))[0])
    if process.missing_rate:
        from scipy.special import bdtr

        below = bdtr(np.arange(rows + 1), rows, 1.0 - 2.0 * process.missing_rate)
        rows = max(1, int(np.searchsorted(below, RARE, side="right")))
    return rows - process.dummies * (process.treatment == "within")
