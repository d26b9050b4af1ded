"""Random signs of the clusters that depend on a dataset alone."""

from __future__ import annotations

import hashlib

import numpy as np

from clustrategy.dataset import Floats, Shard


def generator_of(dataset: Shard) -> np.random.Generator:
    """A generator whose seed is a digest of the response of the one dataset of a shard.

    So a dataset has the same draws wherever and in whatever company it is analysed. The response
    is rounded to single precision first, since another processor may compute its last digits
    otherwise.
    """
    rounded = dataset.y.astype("<f4").tobytes()
    return np.random.default_rng(int.from_bytes(hashlib.sha256(rounded).digest()))


def signs(dataset: Shard, draws: int) -> Floats:
    """(k, G) vectors of +1 and -1, the first of +1 alone.

    All 2^G where they are at most draws + 1, else that first one and `draws` random ones. Counted
    together with the first, random ones give a valid test (Phipson & Smyth 2010, SAGMB 9, 39).

    Parameters
    ----------
    dataset : a shard of one dataset.
    draws : of random vectors.
    """
    G = dataset.clusters
    if G < 63 and 2**G <= draws + 1:
        negative = np.arange(2**G)[:, None] >> np.arange(G) & 1
    else:
        negative = generator_of(dataset).integers(0, 2, (draws + 1, G), dtype=np.int8)
        negative[0] = 0
    return np.where(negative, -1.0, 1.0)
