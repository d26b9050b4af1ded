"""Small made-up data that show what repeated measures do."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

PERSONS, REPEATS = 3, 7
SLOPE = 0.4


def dependence(seed: int) -> pa.Table:
    """Draw three little datasets.

    Parameters
    ----------
    seed : int
        The study's seed.

    Returns
    -------
    Table
        `panel`, `person`, `x`, `y`. The panel `once` has 21 persons measured once; `repeated` has
        3 persons measured 7 times, each around a level of their own; `simpson` the same persons,
        whose levels fall as their x rises although each one's own slope is positive.
    """
    rng = np.random.default_rng(np.random.SeedSequence(seed, spawn_key=(1,)))
    n = PERSONS * REPEATS
    person = np.repeat(np.arange(PERSONS), REPEATS)
    once_x = np.linspace(-1.7, 1.7, n)
    once_y = SLOPE * once_x + 0.5 * rng.normal(size=n)
    centre = np.array([-1.2, 0.1, 1.2])
    level = np.array([0.9, -1.1, 0.3])
    repeated_x = centre[person] + 0.35 * rng.normal(size=n)
    repeated_y = level[person] + SLOPE * (repeated_x - centre[person]) + 0.3 * rng.normal(size=n)
    offset = np.tile(np.linspace(-0.8, 0.8, REPEATS), PERSONS)
    simpson_x = 1.5 * (person - 1) + offset
    simpson_y = -1.8 * (person - 1) + 0.7 * offset + 0.2 * rng.normal(size=n)
    return pa.table(
        {
            "panel": np.repeat(["once", "repeated", "simpson"], n),
            "person": np.concatenate([np.arange(n), person, person]) + 1,
            "x": np.concatenate([once_x, repeated_x, simpson_x]),
            "y": np.concatenate([once_y, repeated_y, simpson_y]),
        }
    )
