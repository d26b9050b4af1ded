"""How few rows a cluster has."""

from __future__ import annotations

from bisect import bisect_right

import numpy as np

from clustrategy.dgp.process import Process
from clustrategy.dgp.sizes import gamma

RARE = 1e-9


def least_rows(process: Process) -> int:
    """The rows that clusters have at least, but for one cluster in 10^9.

    Sizes are taken as rounded down and as no larger than their mean, rows as missing at the
    largest rate there is, twice the mean. Treatment arms within clusters take up a row each.
    """
    rows = process.obs_per_cluster
    if process.size_cv or process.missing_rate:
        from scipy.special import bdtr, gammainc

        size = np.arange(1, rows + 1)
        at_most = np.where(size < rows, 0.0, 1.0)
        if process.size_cv:
            shape, scale = gamma(process)
            at_most[:-1] = gammainc(shape, size[:-1] / scale)
        share = np.diff(at_most, prepend=0.0)
        observed = 1.0 - 2.0 * process.missing_rate

        def few(number: int) -> float:
            """The share of clusters with no more rows."""
            return float(share @ bdtr(np.minimum(number, size), size, observed))

        rows = max(1, bisect_right(range(rows), RARE, key=few))
    return rows - process.dummies * (process.treatment == "within")
