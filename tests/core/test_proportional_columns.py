from __future__ import annotations

import numpy as np

from clustrategy.core.proportional_columns import first_proportional, ratios
from clustrategy.estimation.mixed.models import random_columns
from tests.golden.random_datasets import random_dataset
from tests.material import random_shard


def test_cluster_level_predictors_and_their_products_are_proportional_to_what_they_multiply():
    shard = random_shard(1, 3, 6, 6, 4)
    level = np.repeat(np.arange(18.0) - 4.0, 4)
    level[:24] += 0.5 * np.arange(24)  # in the first dataset it varies within clusters
    shard.X[:, 2] = level
    shard.X[:, 4] = level * shard.X[:, 1]
    shard.X[:, 5] = -3.0 * shard.X[:, 3]
    found = first_proportional(shard.triangles[..., :6])
    assert found.tolist() == [[0, 1, 2, 3, 4, 3], [0, 1, 0, 3, 1, 3], [0, 1, 0, 3, 1, 3]]
    triangles = shard.triangles[1:]
    expected = level.reshape(18, 4)[6:, 0].reshape(2, 6)
    for column, base in ((2, 0), (4, 1)):
        ratio = ratios(triangles[..., column], triangles[..., base])
        np.testing.assert_allclose(ratio, expected, rtol=1e-12, atol=1e-12)
    np.testing.assert_allclose(ratios(triangles[..., 5], triangles[..., 3]), -3.0, rtol=1e-12)


def test_columns_proportional_to_no_earlier_one_are_those_with_random_coefficients():
    found = 0
    for number in range(0, 500, 3):
        _, shard = random_dataset(number)
        if shard.finite.all():
            own = first_proportional(shard.triangles[..., : shard.p]) == np.arange(shard.p)
            assert np.array_equal(own, random_columns(shard))
            found += int((~own).any())
    assert found >= 5


def test_a_shift_does_not_make_a_predictor_one_of_clusters():
    """Within-cluster standard deviations of 1 and less about a mean of a million and more."""
    rng = np.random.default_rng(1)
    x = rng.standard_normal((1, 15, 8))
    ones = np.ones(x.shape)
    for shift in (1e5, 2e6, 5e6):
        design = np.stack([ones, x + shift], axis=-1)
        assert first_proportional(design).tolist() == [[0, 1]], shift
    assert first_proportional(np.stack([ones, x[..., :1] * ones + 5e6], axis=-1)).tolist() == [
        [0, 0]
    ]
