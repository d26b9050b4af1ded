from __future__ import annotations

import numpy as np

from clustrategy.core.shard import Shard
from clustrategy.estimation.resampling import generator_of, signs
from tests.material import random_shard


def test_all_sign_vectors_where_they_are_few():
    found = signs(random_shard(1, 1, 5), 16)
    assert found.shape == (16, 5) and set(found.ravel()) == {1.0, -1.0}
    assert (found[0] == 1).all() and len(np.unique([*found, *-found], axis=0)) == 32


def test_random_ones_after_the_first_where_they_are_many():
    found = signs(random_shard(1, 1, 6), 30)
    assert found.shape == (31, 6) and (found[0] == 1).all()
    many = signs(random_shard(1, 1, 70), 4000)[1:]
    # means of 4000 fair signs, and of their products
    assert np.abs(many.mean(axis=0)).max() < 5 / 4000**0.5
    products = many.T @ many / 4000 - np.eye(70)
    assert np.abs(products).max() < 5 / 4000**0.5


def test_draws_hang_on_the_response_alone_and_not_on_its_last_digits():
    shard = random_shard(2, 1, 30)
    nearly = Shard(shard.y * (1 + 1e-15), 2 * shard.X, shard.n, shard.terms)
    other = Shard(shard.y + 1e-3, shard.X, shard.n, shard.terms)
    first = generator_of(shard).random(5)
    assert np.array_equal(first, generator_of(nearly).random(5))
    assert not np.array_equal(first, generator_of(other).random(5))
    assert np.array_equal(signs(shard, 99), signs(nearly, 99))
