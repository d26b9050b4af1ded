"""The random generators of a sim: they depend on seed, cell and sim alone."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from enum import IntEnum, unique
from functools import partial

import numpy as np

from clustrategy.core.cells import Level, format_level


@unique
class Stream(IntEnum):
    """What a generator is for.

    `BASE` draws what every dataset has. Each option draws from a stream of its own, so that it
    leaves all other draws as they are. `RESAMPLING` is what strategies draw by that resample.
    """

    BASE = 0
    CLUSTER_DISTRIBUTION = 1
    SIZES = 2
    BETWEEN_PREDICTORS = 3
    RESIDUAL_DISTRIBUTION = 4
    RESIDUAL_VARIANCES = 5
    MISSING = 6
    RESAMPLING = 7


Streams = Callable[[Stream], np.random.Generator]


def cell_key(cell: Mapping[str, Level]) -> tuple[int, ...]:
    """Return the words by which a cell's values, not its place in the grid, enter its seeds.

    `1` and `1.0` are the same value; text and lists count as they stand in paths.
    """
    values = {factor: _plain(value) for factor, value in cell.items()}
    digest = hashlib.sha256(json.dumps(values, sort_keys=True).encode()).digest()
    return tuple(int.from_bytes(digest[i : i + 4], "little") for i in range(0, 16, 4))


def _plain(value: Level) -> int | float | str:
    if isinstance(value, (int, float)):
        return int(value) if value == int(value) else float(value)
    return format_level(value)


def streams(seed: int, key: tuple[int, ...], sim: int) -> Streams:
    """Return a function from `Stream` to the generators of one sim.

    Parameters
    ----------
    seed : int
        The study's seed.
    key : tuple of int
        The `cell_key` of its cell.
    sim : int
        Its number.
    """
    return partial(_generator, seed, key, sim)


def seed_of(seed: int, key: tuple[int, ...], sim: int, stream: Stream) -> np.random.SeedSequence:
    """Return what seeds a generator of one sim.

    Parameters
    ----------
    seed, key, sim
        As of `streams`.
    stream : Stream
        Which of its generators.
    """
    further = () if stream is Stream.BASE else (int(stream),)
    return np.random.SeedSequence(seed, spawn_key=(*key, sim, *further))


def _generator(seed: int, key: tuple[int, ...], sim: int, stream: Stream) -> np.random.Generator:
    return np.random.Generator(np.random.PCG64(seed_of(seed, key, sim, stream)))
