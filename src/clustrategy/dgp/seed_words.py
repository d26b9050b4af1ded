"""The words that seed the generators of many sims, worked out at once.

`SeedSequence` hashes its entropy word by word. The seeds of a cell's sims differ in the last words
alone, so the others are hashed once, by numpy itself, and the last ones in arrays.

References
----------
O'Neill (2015), Developing a seed_seq alternative; numpy/random/bit_generator.pyx.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.random.bit_generator import ISeedSequence
from numpy.typing import NDArray

Words = NDArray[np.uint64]

POOL = 4
"""The words that a seed sequence keeps, and those that PCG64 asks for."""

MIX_LEFT, MIX_RIGHT = np.uint32(0xCA01F9DD), np.uint32(0x4973F715)
INPUT, INPUT_STEP = 0x43B0D7E5, 0x931E8875
OUTPUT, OUTPUT_STEP = 0x8B51F9DD, 0x58F38DED
SHIFT = np.uint32(16)

FEW = 4
"""Of so many sims numpy itself makes the words faster."""


class Seeded(ISeedSequence):
    """A seed sequence whose words are known."""

    def __init__(self, words: Words) -> None:
        self._words = words

    def generate_state(self, n_words: int, dtype: object = np.uint32) -> Words:  # type: ignore[override]
        """Return the four words of 64 bits that PCG64 asks for."""
        if n_words != POOL or dtype is not np.uint64:
            raise NotImplementedError(f"PCG64 asked for {n_words} words of {dtype}")
        return self._words


def seed_words(
    seed: int, key: tuple[int, ...], sims: Sequence[int], further: tuple[int, ...]
) -> Words:
    """Return `SeedSequence(seed, spawn_key=(*key, sim, *further)).generate_state(4, uint64)`.

    Those of few sims are numpy's own, and of more those of the first: if they are not what is
    worked out here, all are.

    Parameters
    ----------
    seed : int
        The entropy.
    key, further : tuple of int
        What comes before and after the sim in the spawn key; `further` has words below 2**32.
    sims : Sequence of int
        The numbers of the sims.

    Returns
    -------
    (S, 4) array
        The words of each sim.
    """
    if len(sims) > FEW and 0 <= min(sims) and max(sims) < 2**32:
        words = _worked_out(seed, key, sims, further)
        if np.array_equal(words[0], _of_numpy(seed, (*key, sims[0], *further))):
            return words
    own = [_of_numpy(seed, (*key, sim, *further)) for sim in sims]
    return np.array(own, dtype=np.uint64).reshape(-1, POOL)


def _of_numpy(seed: int, key: tuple[int, ...]) -> Words:
    words = np.random.SeedSequence(seed, spawn_key=key).generate_state(POOL, np.uint64)
    return np.asarray(words, dtype=np.uint64)


def _worked_out(
    seed: int, key: tuple[int, ...], sims: Sequence[int], further: tuple[int, ...]
) -> Words:
    pool = np.asarray(np.random.SeedSequence(seed, spawn_key=key).pool)[:, None]
    hashed = POOL * (max(POOL, _length(seed)) + sum(map(_length, key)))
    constants = _constants(INPUT, INPUT_STEP, hashed, POOL * (1 + len(further)))
    for place, word in enumerate((np.array(sims, dtype=np.uint32), *further)):
        own = constants[POOL * place : POOL * (place + 1) + 1]
        pool = MIX_LEFT * pool - MIX_RIGHT * _hashed(np.asarray(word, np.uint32), own)
        pool ^= pool >> SHIFT
    words = _hashed(np.concatenate([pool, pool]), _constants(OUTPUT, OUTPUT_STEP, 0, 2 * POOL))
    return np.ascontiguousarray(words.T, dtype="<u4").view("<u8").astype(np.uint64, copy=False)


def _length(number: int) -> int:
    """Return how many words of 32 bits a number has."""
    return max(1, -(-int(number).bit_length() // 32))


def _constants(first: int, step: int, hashed: int, count: int) -> NDArray[np.uint32]:
    """Return (count + 1, 1) constants of the hash, each `step` times the one before.

    They are those that come after `hashed` words.
    """
    powers = range(hashed, hashed + count + 1)
    found = [[first * pow(step, power, 2**32) % 2**32] for power in powers]
    return np.array(found, dtype=np.uint32)


def _hashed(words: NDArray[np.uint32], constants: NDArray[np.uint32]) -> NDArray[np.uint32]:
    """Hash words, each row with a constant and the next one."""
    found = (words ^ constants[:-1]) * constants[1:]
    return np.asarray(found ^ (found >> SHIFT))
