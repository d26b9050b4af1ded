"""How few rows a cluster has."""

from __future__ import annotations

from bisect import bisect_right

import numpy as np

from clustrategy.dgp.process import Process
from clustrategy.dgp.sizes import further_rows

RARE = 1e-9
"""The share of clusters that may have fewer rows."""


def least_rows(process: Process) -> int:
    """Return the least rows of a cluster, but for a share `RARE` of clusters.

    Sizes are taken as rounded down and as no larger than their mean, and rows as missing at the
    largest rate there is, twice the mean where they are so by IV1. Each binary
    predictor that varies within clusters, and each dummy of arms within them, takes up a row.
    """
    rows = process.obs_per_cluster
    if process.size_cv or process.missing_rate:
        from scipy.special import bdtr

        size = np.arange(1, rows + 1)
        at_most = np.where(size < rows, 0.0, 1.0)
        if process.size_cv:
            at_most[:-1] = further_rows(process).at_most(size[:-1].astype(float))
        share = np.diff(at_most, prepend=0.0)
        observed = 1.0 - (2.0 if process.missing_by_iv1 else 1.0) * process.missing_rate

        def few(number: int) -> float:
            """Return the share of clusters with no more rows."""
            return float(share @ bdtr(np.minimum(number, size), size, observed))

        rows = max(1, bisect_right(range(rows), RARE, key=few))
    return rows - process.varying_binary - process.dummies * (process.treatment == "within")
