"""Seeds that are worked out for many sims at once, against numpy's own."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from clustrategy.dgp import seed_words
from tests.material import few

words = st.integers(0, 2**32 - 1) | st.sampled_from([0, 1, 2**31, 2**32 - 1])
entropy = words | st.integers(2**32, 2**170)


def numpys(seed: int, key: tuple[int, ...], sim: int, further: tuple[int, ...]) -> list[int]:
    sequence = np.random.SeedSequence(seed, spawn_key=(*key, sim, *further))
    return sequence.generate_state(4, np.uint64).tolist()


@given(
    seed=entropy,
    key=st.lists(entropy, max_size=5).map(tuple),
    sims=st.lists(words, min_size=7, max_size=9),
    further=st.lists(words, max_size=2).map(tuple),
)
@few
def test_words_are_numpys_and_only_the_first_are_asked_of_numpy(seed, key, sims, further):
    asked, of_numpy = [], seed_words._of_numpy
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(
            seed_words, "_of_numpy", lambda seed, key: [asked.append(key), of_numpy(seed, key)][1]
        )
        found = seed_words.seed_words(seed, key, sims, further)
    assert found.tolist() == [numpys(seed, key, sim, further) for sim in sims]
    assert asked == [(*key, sims[0], *further)]


@pytest.mark.parametrize("constant", ["MIX_LEFT", "MIX_RIGHT", "INPUT", "INPUT_STEP", "OUTPUT"])
def test_where_numpy_hashes_otherwise_its_own_words_are_taken(constant, monkeypatch):
    other = type(getattr(seed_words, constant))(12345)
    monkeypatch.setattr(seed_words, constant, other)
    found = seed_words.seed_words(5, (1, 2), range(9), (7,))
    assert found.tolist() == [numpys(5, (1, 2), sim, (7,)) for sim in range(9)]


def test_sims_of_more_than_one_word_none_and_one():
    sims = [3, 1, 4, 1, 2**32, 5, 9, 2**40 + 1]
    found = seed_words.seed_words(5, (1, 2), sims, ())
    assert found.tolist() == [numpys(5, (1, 2), sim, ()) for sim in sims]
    assert seed_words.seed_words(5, (1, 2), [], ()).shape == (0, 4)
    assert seed_words.seed_words(5, (1, 2), [9], ()).tolist() == [numpys(5, (1, 2), 9, ())]


def test_a_generator_from_words_is_the_one_from_the_seed_sequence():
    words = seed_words.seed_words(5, (1, 2), range(9), (3,))
    for sim, own in enumerate(words):
        found = np.random.PCG64(seed_words.Seeded(own))  # type: ignore[arg-type]
        expected = np.random.PCG64(np.random.SeedSequence(5, spawn_key=(1, 2, sim, 3)))
        assert found.state == expected.state


def test_whole_numbers_of_numpy_are_numbers_too():
    seed, key, sims = np.int64(5), (np.uint32(1), np.int64(2**33)), np.arange(7, 14)
    found = seed_words.seed_words(seed, key, sims, (3,))  # type: ignore[arg-type]
    assert found.tolist() == [numpys(5, (1, 2**33), sim, (3,)) for sim in range(7, 14)]


def test_other_words_than_those_of_pcg64_are_refused():
    own = seed_words.seed_words(5, (1, 2), range(2), ())[1]
    with pytest.raises(NotImplementedError, match="624 words"):
        np.random.MT19937(seed_words.Seeded(own))  # type: ignore[arg-type]
