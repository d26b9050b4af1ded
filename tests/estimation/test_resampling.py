from __future__ import annotations

from dataclasses import replace

import numpy as np

from clustrategy.estimation.resampling import signs
from tests.material import random_shard


def test_all_sign_vectors_where_they_are_few():
    found = signs(random_shard(1, 1, 5), 0, 5, 16)
    assert found.shape == (16, 5) and set(found.ravel()) == {1.0, -1.0}
    assert (found[0] == 1).all() and len(np.unique([*found, *-found], axis=0)) == 32


def test_random_ones_after_the_first_where_they_are_many():
    found = signs(random_shard(1, 1, 6), 0, 6, 30)
    assert found.shape == (31, 6) and (found[0] == 1).all()
    many = signs(random_shard(1, 1, 70), 0, 70, 4000)[1:]
    # means of 4000 fair signs, and of their products
    assert np.abs(many.mean(axis=0)).max() < 5 / 4000**0.5
    products = many.T @ many / 4000 - np.eye(70)
    assert np.abs(products).max() < 5 / 4000**0.5


def test_signs_are_those_of_the_seed_and_of_as_many_clusters_as_count():
    shard = random_shard(2, 3, 30)
    seeds = tuple(map(np.random.SeedSequence, (5, 6, 5)))
    seeded = replace(shard, seeds=seeds)
    found = [signs(seeded, sim, 20, 99) for sim in range(3)]
    assert found[0].shape == (100, 20)
    assert np.array_equal(found[0], found[2]) and not np.array_equal(found[0], found[1])
    assert np.array_equal(found[1], signs(seeded.dataset(1), 0, 20, 99))
    other = replace(seeded, y=shard.y + 1e-3, X=2 * shard.X)
    assert np.array_equal(found[0], signs(other, 0, 20, 99))
