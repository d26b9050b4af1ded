"""Random signs of the clusters of a dataset."""

from __future__ import annotations

from functools import cache

import numpy as np

from clustrategy.core.shard import Floats, Shard


@cache
def all_signs(G: int) -> Floats:
    """Return all vectors of +1 and -1 whose first element is +1, the vector of ones first.

    A two-sided test does not tell a vector from its opposite.

    Parameters
    ----------
    G : int
        The number of clusters.

    Returns
    -------
    (2^(G-1), G) array
    """
    signs: Floats = np.where(np.arange(2 ** (G - 1))[:, None] >> np.arange(G)[::-1] & 1, -1.0, 1.0)
    signs.setflags(write=False)
    return signs


def are_few(G: int, draws: int) -> bool:
    """Tell whether there are no more sign vectors than draws."""
    return G < 63 and 2 ** (G - 1) <= draws


def signs(shard: Shard, sim: int, G: int, draws: int) -> Floats:
    """Return vectors of +1 and -1, the vector of ones first.

    All of them where they are few, else that first one and `draws` random ones. Counted
    together with the first, random ones give a valid test (Phipson & Smyth 2010, SAGMB 9, 39).

    Parameters
    ----------
    shard : Shard
        The datasets.
    sim : int
        The one by whose seed they are drawn.
    G : int
        How many of its clusters count.
    draws : int
        Random vectors.

    Returns
    -------
    (k, G) array
    """
    if are_few(G, draws):
        return all_signs(G)
    negative = shard.generator(sim).integers(0, 2, (draws + 1, G), dtype=np.int8)
    negative[0] = 0
    return np.where(negative, -1.0, 1.0)
