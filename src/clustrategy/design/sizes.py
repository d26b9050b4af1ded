"""How large the clusters are, and how unequal."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from clustrategy.core.shard import Shard


class Sizes(NamedTuple):
    """The sizes of the clusters of one dataset.

    Attributes
    ----------
    smallest, largest : int
    median, mean : float
    cv : float
        Their standard deviation (of G - 1) over their mean, as Stata's `summclust` has it; NaN of
        one cluster.
    """

    smallest: int
    median: float
    mean: float
    largest: int
    cv: float


def sizes(shard: Shard) -> Sizes:
    """Summarise the sizes of the clusters.

    Parameters
    ----------
    shard : Shard
        One dataset.

    Returns
    -------
    Sizes
    """
    n = shard.n[0]
    cv = float(n.std(ddof=1) / n.mean()) if n.size > 1 else float("nan")
    return Sizes(int(n.min()), float(np.median(n)), float(n.mean()), int(n.max()), cv)
