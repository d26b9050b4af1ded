"""The random generators of sims: those of a sim depend on seed, cell and sim alone."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import IntEnum, unique
from functools import partial
from typing import overload

import numpy as np

from clustrategy.core.cells import Level, format_level
from clustrategy.core.shard import Floats, Ints
from clustrategy.dgp.seed_words import Seeded, Words, seed_words

ESTIMAND = "estimand"
"""The one option of a process that bears on no number of a dataset."""


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
    HIDDEN_SLOPE = 8


def cell_key(cell: Mapping[str, Level]) -> tuple[int, ...]:
    """Return the words by which a cell's values, not its place in the grid, enter its seeds.

    `1` and `1.0` are the same value; text and lists count as they stand in paths. The `estimand`
    does not count: it is no part of the data.
    """
    values = {factor: _plain(value) for factor, value in cell.items() if factor != ESTIMAND}
    digest = hashlib.sha256(json.dumps(values, sort_keys=True).encode()).digest()
    return tuple(int.from_bytes(digest[i : i + 4], "little") for i in range(0, 16, 4))


def _plain(value: Level) -> int | float | str:
    if isinstance(value, (int, float)):
        return int(value) if value == int(value) else float(value)
    return format_level(value)


@dataclass(frozen=True)
class Seeds(Sequence[np.random.SeedSequence]):
    """What seeds a stream of some sims of a cell, made when it is asked for.

    Attributes
    ----------
    seed : int
        The study's seed.
    key : tuple of int
        The `cell_key` of the cell.
    sims : Sequence of int
        The numbers of the sims.
    stream : Stream
        Which of their streams.
    """

    seed: int
    key: tuple[int, ...]
    sims: Sequence[int]
    stream: Stream

    def __len__(self) -> int:
        return len(self.sims)

    @overload
    def __getitem__(self, place: int) -> np.random.SeedSequence: ...
    @overload
    def __getitem__(self, place: slice) -> Seeds: ...
    def __getitem__(self, place: int | slice) -> np.random.SeedSequence | Seeds:
        if isinstance(place, slice):
            return replace(self, sims=self.sims[place])
        key = (*self.key, self.sims[place], *self._further)
        return np.random.SeedSequence(self.seed, spawn_key=key)

    @property
    def words(self) -> Words:
        """(S, 4) the words by which they seed a generator."""
        return seed_words(self.seed, self.key, self.sims, self._further)

    @property
    def _further(self) -> tuple[int, ...]:
        return () if self.stream is Stream.BASE else (int(self.stream),)


class Generators:
    """A generator of each of S sims. What they draw comes in one array, sim by sim.

    Parameters
    ----------
    generators : Sequence of Generator
        One of each sim.
    """

    def __init__(self, generators: Sequence[np.random.Generator]) -> None:
        self._generators = generators

    def __len__(self) -> int:
        return len(self._generators)

    def standard_normal(self, counts: int | Ints) -> Floats:
        """Draw as many standard normals of each sim as `counts`, one number or (S,)."""
        return self._filled(counts, np.random.Generator.standard_normal)

    def random(self, counts: int | Ints) -> Floats:
        """Draw as many numbers from U(0, 1) of each sim as `counts`, one number or (S,)."""
        return self._filled(counts, np.random.Generator.random)

    def chisquare(self, df: float, counts: int | Ints) -> Floats:
        """Draw as many chi-squares of each sim as `counts`, one number or (S,)."""
        # As numpy has it: 2 Gamma(df / 2); its own function cannot fill an array.
        fill = partial(np.random.Generator.standard_gamma, shape=df / 2.0)
        return 2.0 * self._filled(counts, fill)

    def uniform(self, low: float, high: float, count: int) -> Floats:
        """Draw (S, count) numbers from U(low, high)."""
        return np.array([rng.uniform(low, high, count) for rng in self._generators])

    def integers(self, high: int, count: int) -> Ints:
        """Draw (S, count) whole numbers from 0 to high - 1."""
        return np.array([rng.integers(high, size=count) for rng in self._generators])

    def _filled(self, counts: int | Ints, fill: Callable[..., object]) -> Floats:
        each = [counts] * len(self) if isinstance(counts, int) else counts.tolist()
        found, start = np.empty(sum(each)), 0
        for rng, count in zip(self._generators, each, strict=True):
            fill(rng, out=found[start : start + count])
            start += count
        return found


class Streams:
    """The generators of some sims of a cell, by stream.

    Parameters
    ----------
    words_of : Callable
        A function from `Stream` to the words (S, 4) that seed its generators.
    """

    def __init__(self, words_of: Callable[[Stream], Words]) -> None:
        self._words_of = words_of
        self._words: dict[Stream, Words] = {}
        self._generators: dict[Stream, Generators] = {}

    @classmethod
    def of(cls, seed: int, key: tuple[int, ...], sims: Sequence[int]) -> Streams:
        """Return the generators of sims.

        Parameters
        ----------
        seed, key, sims
            As of `Seeds`.
        """
        return cls(lambda stream: Seeds(seed, key, sims, stream).words)

    def __call__(self, stream: Stream) -> Generators:
        """Return the generators of a stream, the same ones at every call."""
        if stream not in self._generators:
            generators = [_generator(own) for own in self.words(stream)]
            self._generators[stream] = Generators(generators)
        return self._generators[stream]

    def part(self, places: slice) -> Streams:
        """Return the generators of some of the sims, as at their first call."""
        return Streams(lambda stream: self.words(stream)[places])

    def words(self, stream: Stream) -> Words:
        """Return the words (S, 4) that seed the generators of a stream."""
        if stream not in self._words:
            self._words[stream] = self._words_of(stream)
        return self._words[stream]


def _generator(words: Words) -> np.random.Generator:
    return np.random.Generator(np.random.PCG64(Seeded(words)))  # type: ignore[arg-type]
