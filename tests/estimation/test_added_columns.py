from __future__ import annotations

import numpy as np
import pytest

from clustrategy.core.shard import INTERCEPT, Shard
from clustrategy.estimation.added_columns import cluster_means, cross_level_products, widened
from tests.material import join, random_shard

# Two clusters of 2 and 3 rows: x varies in both, its means are 2 and 5; z is 1 and 4.
X = np.column_stack([np.ones(5), [1.0, 3.0, 4.0, 5.0, 6.0], [1.0, 1.0, 4.0, 4.0, 4.0]])
HAND = Shard(np.arange(5.0), X, np.array([[2, 3]]), (INTERCEPT, "x", "z"))


def test_cluster_means_by_hand():
    added = cluster_means(HAND)
    assert added.names == ("mean of (Intercept)", "mean of x", "mean of z")
    np.testing.assert_allclose(added.columns[:, 1], [-1.5, -1.5, 1.5, 1.5, 1.5], rtol=1e-15)
    assert not added.columns[:, [0, 2]].any()
    bare = Shard(HAND.y, X[:, 1:], HAND.n, HAND.terms[1:])
    np.testing.assert_allclose(cluster_means(bare).columns[:, 0], [2, 2, 5, 5, 5], rtol=1e-15)


def test_cross_level_products_by_hand():
    """Centred at the means over clusters, 3.5 and 2.5, not at those over rows."""
    added = cross_level_products(HAND, np.array([[True, True, False]]))
    assert added.names == ("x times z",)
    expected = (X[:, 1] - 3.5) * [-1.5, -1.5, 1.5, 1.5, 1.5]
    np.testing.assert_allclose(added.columns[:, 0], expected, rtol=1e-15)
    none = cross_level_products(HAND, np.array([[True, False, False]]))
    assert none.columns.shape == (5, 0)


def test_what_says_nothing_new_is_left_out():
    """The same values in every cluster, a mean that is there already, a product that is."""
    shard = random_shard(1, 1, 8, 4, 5)
    shard.X[:, 1] = 1e3 + np.tile([0.1, 0.7, 0.2, 0.9, 0.3], 8)  # whose means round differently
    shard.X[:, 3] = np.repeat(shard.X[:, 2].reshape(8, 5).mean(axis=1), 5)
    ((_, part),) = widened(shard, cluster_means(shard))
    assert part.terms == shard.terms
    interaction = np.column_stack([shard.X, shard.X[:, 2] * shard.X[:, 3]])
    own = Shard(shard.y, interaction, shard.n, (*shard.terms, "x2:x3"))
    slopes = np.array([[True, False, True, False, False]])
    ((_, part),) = widened(own, cross_level_products(own, slopes))
    assert part.terms == own.terms
    ((_, part),) = widened(shard, cross_level_products(shard, slopes[:, :4]))
    assert part.terms == (*shard.terms, "x2 times x3")


def test_every_dataset_has_the_columns_that_it_needs():
    with_seeds = tuple(map(np.random.SeedSequence, range(3)))
    datasets = [random_shard(seed, 1, 6, 3, (4, 7)) for seed in range(3)]
    datasets[1].X[:, 2] = np.repeat(np.arange(6.0), datasets[1].n[0])
    one = join(*datasets)
    shard = Shard(one.y, one.X, one.n, one.terms, with_seeds)
    found = {tuple(sims): part for sims, part in widened(shard, cluster_means(shard))}
    assert {sims: part.p for sims, part in found.items()} == {(1,): 4, (0, 2): 5}
    third = found[0, 2].dataset(1)
    np.testing.assert_array_equal(third.y, datasets[2].y)
    np.testing.assert_array_equal(third.X[:, :3], datasets[2].X)
    assert third.seeds[0] is with_seeds[2]
    (alone,) = (part for _, part in widened(datasets[2], cluster_means(datasets[2])))
    np.testing.assert_array_equal(third.X, alone.X)


@pytest.mark.parametrize("rows", [5, (3, 8)])
def test_with_the_means_a_predictor_is_at_right_angles_to_all_between_clusters(rows):
    """Frisch, Waugh and Lovell: the residual of x on its mean has no cluster-level part."""
    shard = random_shard(4, 1, 7, 2, rows)
    ((_, part),) = widened(shard, cluster_means(shard))
    beside = part.X[:, [0, 2]]
    rest = part.X[:, 1] - beside @ np.linalg.lstsq(beside, part.X[:, 1])[0]
    sums = np.add.reduceat(rest, np.cumsum(shard.n[0]) - shard.n[0])
    np.testing.assert_allclose(sums, 0.0, atol=1e-12)
