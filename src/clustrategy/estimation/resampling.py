"""Random signs of the clusters that depend on the dataset only."""

from __future__ import annotations

import hashlib
from functools import cache

import numpy as np

from clustrategy.core.shard import Floats, Shard


def generator_of(dataset: Shard) -> np.random.Generator:
    """Return a generator whose seed is a digest of the one dataset's response.

    So a dataset has the same draws wherever and in whatever company it is analysed. The response
    is rounded to single precision first, since another processor may differ in its last digits,
    and before that scaled by a power of two, so that nothing overflows.

    Parameters
    ----------
    dataset : Shard
        A shard of one dataset.

    Returns
    -------
    numpy.random.Generator
    """
    _, exponent = np.frexp(np.abs(dataset.y).max())
    rounded = np.ldexp(dataset.y, -exponent).astype("<f4").tobytes()
    return np.random.default_rng(int.from_bytes(hashlib.sha256(rounded).digest()))


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


def signs(dataset: Shard, draws: int) -> Floats:
    """Return vectors of +1 and -1, the vector of ones first.

    All of them where they are few, else that first one and `draws` random ones. Counted
    together with the first, random ones give a valid test (Phipson & Smyth 2010, SAGMB 9, 39).

    Parameters
    ----------
    dataset : Shard
        A shard of one dataset.
    draws : int
        Random vectors.

    Returns
    -------
    (k, G) array
    """
    G = dataset.clusters
    if are_few(G, draws):
        return all_signs(G)
    negative = generator_of(dataset).integers(0, 2, (draws + 1, G), dtype=np.int8)
    negative[0] = 0
    return np.where(negative, -1.0, 1.0)
