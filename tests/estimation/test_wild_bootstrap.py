from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from clustrategy.estimation.wild_bootstrap import weights_of
from tests.material import random_shard


def test_all_sign_vectors_are_taken_where_they_are_not_more_than_the_draws():
    shard = random_shard(2, 1, 6, 2, 5)
    assert weights_of(shard, 0, "rademacher", 31).shape == (6, 31)
    signs = weights_of(shard, 0, "rademacher", 32)
    assert len({tuple(column) for column in signs.T}) == signs.shape[1] == 32
    assert set(signs[0]) == {1.0} and set(signs[1:].ravel()) == {-1.0, 1.0}
    assert (signs[:, 0] == 1.0).all()


@pytest.mark.parametrize(
    ("weights", "third"), [("rademacher", 0.0), ("webb", 0.0), ("mammen", 1.0)]
)
def test_weights_have_mean_zero_and_variance_one(weights, third):
    v = weights_of(random_shard(1, 1, 100, 2, 2), 0, weights, 20_000)
    assert v.shape == (100, 20_000)
    for power, moment in ((1, 0.0), (2, 1.0), (3, third)):
        sample = v**power
        assert abs(sample.mean() - moment) < 5 * max(sample.std(), 1e-12) / np.sqrt(v.size)
    found, counts = np.unique(v, return_counts=True)
    golden_ratio = (1 + np.sqrt(5)) / 2
    points, shares = {
        "rademacher": ([-1, 1], [1 / 2] * 2),
        "webb": (np.outer([-1, 1], np.sqrt([1 / 2, 1, 3 / 2])).ravel(), [1 / 6] * 6),
        "mammen": ([1 - golden_ratio, golden_ratio], [golden_ratio / 5**0.5, 1 / (5 + 5**0.5) * 2]),
    }[weights]
    np.testing.assert_allclose(found, np.sort(points), rtol=1e-14)
    np.testing.assert_allclose(counts / v.size, shares, atol=5 * 0.5 / np.sqrt(v.size))


def test_weights_follow_from_the_seed_and_from_no_number_of_the_data():
    seeds = tuple(map(np.random.SeedSequence, (1, 2)))
    shard = replace(random_shard(1, 2, 20, 2, 5), seeds=seeds)
    one, other = (weights_of(shard, sim, "webb", 50) for sim in (0, 1))
    assert not np.array_equal(one, other)
    assert np.array_equal(one, weights_of(shard.dataset(0), 0, "webb", 50))
    assert np.array_equal(other, weights_of(shard.dataset(1), 0, "webb", 50))
    elsewhere = replace(shard, y=-3.0 * shard.y, X=shard.X + 1.0)
    assert np.array_equal(one, weights_of(elsewhere, 0, "webb", 50))
