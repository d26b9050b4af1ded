"""The cheapest way to a power: how many clusters, and how many rows of each."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from clustrategy.planning.search import whole


@dataclass(frozen=True)
class Costs:
    """What clusters and rows cost.

    Attributes
    ----------
    cluster, row : float
        Of one more cluster, without its rows, and of one row.
    """

    cluster: float
    row: float

    def of(self, clusters: float, rows: float) -> float:
        """Return what a study costs, with so many rows in a cluster."""
        return clusters * (self.cluster + rows * self.row)


@dataclass(frozen=True)
class Pair:
    """Clusters and rows that have the power asked for.

    Attributes
    ----------
    clusters, rows : int
        The clusters, and the rows of each.
    cost : float
        What they cost together.
    """

    clusters: int
    rows: int
    cost: float


def cheapest(
    needed: Mapping[int, float], costs: Costs, rows: tuple[int, int], clusters: tuple[int, int]
) -> Pair | None:
    """Return the cheapest pair of clusters and rows.

    Parameters
    ----------
    needed : Mapping of int to float
        The clusters needed with some numbers of rows. Between them it is a + b / rows, as the
        variance of a cluster's mean is, by least squares of relative errors.
    costs : Costs
        Of clusters and rows.
    rows, clusters : (int, int)
        The fewest and the most of each.

    Returns
    -------
    Pair or None
        None where no number of clusters in the range is enough.

    Examples
    --------
    Where 20 + 300 / rows clusters are needed:

    >>> cheapest({5: 80.0, 10: 50.0, 30: 30.0}, Costs(100, 5), (5, 40), (10, 90))
    Pair(clusters=38, rows=17, cost=7030)
    """
    known = {m: G for m, G in needed.items() if np.isfinite(G)}
    if not known:
        return None
    m = np.array(list(known), dtype=float)
    G = np.array(list(known.values()))
    tried = np.arange(rows[0], rows[1] + 1)
    if m.size == 1:
        expected = np.where(tried == m[0], G[0], np.inf)
    else:
        X = np.column_stack([np.ones(m.size), 1.0 / m]) / G[:, None]
        a, b = np.linalg.lstsq(X, np.ones(m.size))[0]
        expected = a + b / tried
    expected = np.maximum(expected, clusters[0])
    enough = np.flatnonzero([whole(one) <= clusters[1] for one in expected])
    if not enough.size:
        return None
    # Of the numbers before they are rounded: rounding is luck.
    best = min(enough, key=lambda place: costs.of(float(expected[place]), int(tried[place])))
    need, chosen = int(whole(expected[best])), int(tried[best])
    return Pair(need, chosen, costs.of(need, chosen))
