"""Each sim draws from a generator of its own, whatever stands beside it."""

from __future__ import annotations

import pickle

import numpy as np
import pytest

from clustrategy.dgp.seeds import Generators, Seeds, Stream, Streams

KEY = (3, 1, 4, 1)
SIMS = [4, 0, 17]
COUNTS = np.array([3, 1, 5])


def plain(sim: int, stream: Stream) -> np.random.Generator:
    further = () if stream is Stream.BASE else (int(stream),)
    return np.random.default_rng(np.random.SeedSequence(9, spawn_key=(*KEY, sim, *further)))


@pytest.mark.parametrize("stream", Stream)
@pytest.mark.parametrize(
    ("name", "options"),
    [("standard_normal", ()), ("random", ()), ("chisquare", (5,)), ("chisquare", (0.7,))],
)
def test_draws_of_all_sims_are_those_of_each(stream, name, options):
    found = getattr(Streams.of(9, KEY, SIMS)(stream), name)(*options, COUNTS)
    expected = [
        getattr(plain(sim, stream), name)(*options, size=count)
        for sim, count in zip(SIMS, COUNTS, strict=True)
    ]
    assert np.array_equal(found, np.concatenate(expected))
    same = getattr(Streams.of(9, KEY, SIMS)(stream), name)(*options, 2)
    assert np.array_equal(same[:2], getattr(plain(SIMS[0], stream), name)(*options, size=2))
    assert same.size == 2 * len(SIMS)


def test_uniform_and_whole_numbers_of_all_sims_are_those_of_each():
    base, other = (Streams.of(9, KEY, SIMS)(stream) for stream in (Stream.BASE, Stream.SIZES))
    uniform, whole = base.uniform(-1.5, 0.7, 4), other.integers(40, 6)
    for place, sim in enumerate(SIMS):
        assert np.array_equal(uniform[place], plain(sim, Stream.BASE).uniform(-1.5, 0.7, 4))
        assert np.array_equal(whole[place], plain(sim, Stream.SIZES).integers(40, size=6))


def test_a_stream_goes_on_where_it_was_and_a_part_begins_anew():
    streams = Streams.of(9, KEY, SIMS)
    first, second = (streams(Stream.BASE).random(2).reshape(3, 2) for _ in range(2))
    for place, sim in enumerate(SIMS):
        assert np.array_equal([*first[place], *second[place]], plain(sim, Stream.BASE).random(4))
    part = streams.part(slice(1, 3))
    assert np.array_equal(part(Stream.BASE).random(2), first[1:].reshape(-1))
    assert len(part(Stream.BASE)) == 2


def test_no_numbers_of_a_sim_are_no_numbers():
    generators = Generators([np.random.default_rng(1), np.random.default_rng(2)])
    expected = np.random.default_rng(2).random(2)
    assert np.array_equal(generators.random(np.array([0, 2])), expected)


def test_seeds_are_made_when_they_are_asked_for():
    seeds = Seeds(9, KEY, range(10**9), Stream.RESAMPLING)
    assert len(seeds) == 10**9
    some = seeds[5:9]
    assert [it.spawn_key for it in some] == [(*KEY, sim, 7) for sim in range(5, 9)]
    assert seeds[-1].spawn_key == (*KEY, 10**9 - 1, 7) and seeds[6].entropy == 9
    assert Seeds(9, KEY, range(3), Stream.BASE)[2].spawn_key == (*KEY, 2)
    assert pickle.loads(pickle.dumps(some)) == some
