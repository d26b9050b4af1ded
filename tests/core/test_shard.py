from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from clustrategy.core.shard import INTERCEPT, Shard
from tests.material import few, join, random_shard, shards


@pytest.fixture
def unbalanced() -> Shard:
    """Two datasets of clusters of 2 and 1, and of 1 and 3 rows, numbered 0 to 6."""
    y = np.arange(7.0)
    return Shard(y, np.column_stack([np.ones(7), 10 * y]), np.array([[2, 1], [1, 3]]), ("a", "b"))


def test_shape_of_unbalanced_data(unbalanced):
    assert (unbalanced.sims, unbalanced.clusters, unbalanced.p) == (2, 2, 2)
    assert list(unbalanced.n_obs) == [3, 4]
    assert unbalanced.rows(0) == slice(0, 3) and unbalanced.rows(1) == slice(3, 7)
    assert list(unbalanced.cluster_codes(0)) == [0, 0, 1]
    assert list(unbalanced.cluster_codes(1)) == [0, 1, 1, 1]


def test_one_dataset_of_a_shard(unbalanced):
    one = unbalanced.dataset(1)
    assert list(one.y) == [3, 4, 5, 6] and list(one.X[:, 1]) == [30, 40, 50, 60]
    assert one.n.tolist() == [[1, 3]] and one.terms == ("a", "b")


def test_every_call_gives_the_generator_of_a_dataset_anew(unbalanced):
    seeds = (np.random.SeedSequence(5, spawn_key=(1,)), np.random.SeedSequence(6))
    shard = replace(unbalanced, seeds=seeds)
    expected = np.random.default_rng(np.random.SeedSequence(6)).random(3)
    for found in (shard.generator(1), shard.generator(1), shard.dataset(1).generator(0)):
        assert np.array_equal(found.random(3), expected)
    assert not np.array_equal(shard.generator(0).random(3), expected)
    without = [unbalanced.generator(sim).random(3) for sim in (0, 1)]
    assert np.array_equal(*without), "a shard without seeds gives all datasets the same draws"
    assert np.array_equal(unbalanced.dataset(1).generator(0).random(3), without[0])


def test_balanced_keeps_the_order_sim_cluster_row():
    y = np.arange(12.0).reshape(2, 3, 2)
    X = np.stack([np.ones_like(y), -y], axis=-1)
    shard = Shard.balanced(y, X, [INTERCEPT, "x"])
    assert list(shard.y) == list(range(12)) and list(shard.X[:, 1]) == [-i for i in range(12)]
    assert shard.n.tolist() == [[2, 2, 2], [2, 2, 2]] and shard.terms == (INTERCEPT, "x")


@given(
    seed=st.integers(0, 10**6),
    sims=st.integers(1, 3),
    clusters=st.integers(1, 5),
    p=st.integers(1, 4),
    rows=st.sampled_from([1, 2, 4, 7, (1, 8)]),
)
@few
def test_triangles_hold_the_cross_products_of_each_cluster(seed, sims, clusters, p, rows):
    shard = random_shard(seed, sims, clusters, p, rows)
    joined = np.column_stack([shard.X, shard.y])
    ends = np.cumsum(shard.n.reshape(-1))
    triangles = shard.triangles.reshape(-1, p + 1, p + 1)
    for triangle, end, size in zip(triangles, ends, shard.n.reshape(-1), strict=True):
        block = joined[end - size : end]
        cross = block.T @ block
        np.testing.assert_allclose(
            triangle.T @ triangle, cross, rtol=0, atol=1e-13 * np.abs(cross).max()
        )
        assert not np.tril(triangle, -1).any() and not triangle[size:].any()


def test_triangles_lose_no_digits_to_a_large_mean():
    # x'x of such a column has 3e16 for its size; its spread about the mean is 5
    x = 1e8 + np.arange(4.0)
    shard = Shard.balanced(x[None, None], np.stack([np.ones(4), x], -1)[None, None], "ab")
    np.testing.assert_allclose(abs(shard.triangles[0, 0, 1, 1]), np.sqrt(5), rtol=1e-7)


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("where", ["y", "X"])
def test_finite_names_the_one_dataset_that_is_not(value, where):
    parts = [random_shard(seed, sims=1) for seed in range(3)]
    if where == "y":
        parts[1].y[-1] = value
    else:
        parts[1].X[0, 2] = value
    assert list(join(*parts).finite) == [True, False, True]


@given(shards())
@few
def test_whole_triangles_have_the_cross_products_of_the_rows(shard):
    for sim, triangle in enumerate(shard.whole):
        rows = np.column_stack([shard.X, shard.y])[shard.rows(sim)]
        assert np.array_equal(triangle, np.triu(triangle))
        np.testing.assert_allclose(triangle.T @ triangle, rows.T @ rows, rtol=1e-11, atol=1e-11)


@pytest.mark.parametrize(
    ("x", "y", "inside"),
    [(1, 1, True), (1e60, 1e60, True), (1e71, 1, False), (1, 1e-71, False), (1e40, 1e-40, False)],
)
def test_numbers_whose_products_keep_their_digits(x, y, inside):
    shard = random_shard(1, 3, 2, 2, 3)
    X, response = shard.X.copy(), shard.y.copy()
    rows = shard.rows(1)
    X[rows, 1] *= x / np.abs(X[rows, 1]).max()
    response[rows] *= y / np.abs(response[rows]).max()
    found = Shard(response, X, shard.n, shard.terms).in_range
    assert found.tolist() == [True, inside, True]


def test_columns_of_zeros_are_in_range():
    shard = random_shard(1, 2, 2, 2, 3)
    assert Shard(0 * shard.y, 0 * shard.X, shard.n, shard.terms).in_range.all()
