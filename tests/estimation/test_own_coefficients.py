"""The clusters' own regressions, also those of clusters that cannot tell every coefficient."""

from __future__ import annotations

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from clustrategy.core.shard import INTERCEPT, Shard
from clustrategy.estimation.own_coefficients import own_coefficients
from tests.material import FOLDER, few, golden, join, random_shard

SMALL_CLUSTERS = json.loads((FOLDER / "small_clusters.json").read_text())["datasets"]

pytestmark = pytest.mark.filterwarnings("error::RuntimeWarning")


@pytest.mark.parametrize("name", SMALL_CLUSTERS)
def test_their_means_over_clusters_with_residuals_are_rs(name):
    found, shard = own_coefficients(golden(name)), golden(name)
    kept = shard.n[0] > shard.p
    assert kept.sum() == SMALL_CLUSTERS[name]["kept"]
    assert np.array_equal(np.isfinite(found.std_error[0]).all(axis=1), kept)
    mean = found.estimate[0, kept].mean(axis=0)
    np.testing.assert_allclose(mean, SMALL_CLUSTERS[name]["estimate"], rtol=1e-9)


@given(seed=st.integers(0, 10**6))
@few
def test_they_are_least_squares_in_each_cluster(seed):
    """Clusters too small for it tell nothing, those without residuals no standard errors."""
    shard = random_shard(seed, 2, 6, 3, (1, 6))
    found = own_coefficients(shard)
    ends = np.cumsum(shard.n.reshape(-1))[:-1]
    clusters = zip(np.split(shard.y, ends), np.split(shard.X, ends), strict=True)
    for g, (y, X) in enumerate(clusters):
        place, n = np.unravel_index(g, shard.n.shape), len(y)
        assert found.identified[place].tolist() == [n >= 3] * 3
        if n < 3:
            assert np.isnan([found.estimate[place], found.std_error[place]]).all()
            continue
        expected = np.linalg.lstsq(X, y)[0]
        np.testing.assert_allclose(found.estimate[place], expected, rtol=1e-6, atol=1e-8)
        if n == 3:
            assert np.isnan(found.std_error[place]).all()
            continue
        variance = np.sum((y - X @ expected) ** 2) / (n - 3) * np.linalg.inv(X.T @ X)
        np.testing.assert_allclose(found.std_error[place], np.sqrt(np.diag(variance)), rtol=1e-6)


def by_hand(arms: list[list[float]], ages: list[list[float]], scores: list[list[float]]) -> Shard:
    X = np.column_stack([np.ones(sum(map(len, arms))), np.concatenate(arms), np.concatenate(ages)])
    sizes = np.array([[len(arm) for arm in arms]])
    return Shard(np.concatenate(scores), X, sizes, (INTERCEPT, "arm", "age"))


def test_a_cluster_of_one_arm_tells_the_slope_of_age():
    """With nobody treated its intercept as well; with all treated only the sum of the two."""
    ages, scores = [0.0, 1.0, 2.0, 3.0], [1.0, 2.0, 2.0, 3.0]
    arms = [[0.0, 1.0, 0.0, 1.0], [0.0] * 4, [1.0] * 4, [2.0] * 4]
    found = own_coefficients(by_hand(arms, [ages] * 4, [scores] * 4))
    assert found.identified[0].tolist() == [
        [True, True, True],
        [True, False, True],
        [False, False, True],
        [False, False, True],
    ]
    # By hand: slope 0.6, intercept 1.1, residuals -0.1, 0.3, -0.3, 0.1 with two df.
    slope, intercept = 0.6, 1.1
    np.testing.assert_allclose(found.estimate[0, 1:, 2], slope, rtol=1e-12)
    np.testing.assert_allclose(found.std_error[0, 1:, 2], np.sqrt(0.1 / 5.0), rtol=1e-12)
    np.testing.assert_allclose(found.estimate[0, 1, 0], intercept, rtol=1e-12)
    np.testing.assert_allclose(found.std_error[0, 1, 0], np.sqrt(0.1 * 0.7), rtol=1e-12)
    for numbers in (found.estimate, found.std_error):
        assert np.array_equal(np.isnan(numbers), ~found.identified)


def test_two_rows_of_one_age_tell_neither_slope_nor_intercept():
    found = own_coefficients(
        by_hand([[0, 1, 0, 1], [0, 0]], [[1, 2, 3, 5], [7, 7]], [[1, 2, 3, 3], [4, 6]])
    )
    assert found.identified[0].tolist() == [[True] * 3, [False] * 3]


def test_units_and_a_shift_do_not_decide_what_is_identified():
    ages, scores = [0.0, 1.0, 2.0, 3.0], [1.0, 2.0, 2.0, 3.0]
    arms = [[0.0, 1.0, 0.0, 1.0], [1.0] * 4]
    one = own_coefficients(by_hand(arms, [ages] * 2, [scores] * 2))
    shard = by_hand(arms, [ages] * 2, [scores] * 2)
    X = shard.X * [1.0, 1e6, 1e-6] + [0.0, 0.0, 3e-3]
    other = own_coefficients(Shard(shard.y, X, shard.n, shard.terms))
    assert np.array_equal(one.identified, other.identified)
    np.testing.assert_allclose(other.estimate[..., 2], one.estimate[..., 2] * 1e6, rtol=1e-6)


def test_cluster_level_predictors_are_part_of_the_intercepts():
    shard = golden("orthodont")
    found = own_coefficients(shard)
    assert found.identified[0].all(axis=0).tolist() == [True, True, False, False]
    assert not found.identified[0, :, 2:].any()
    rows = slice(0, int(shard.n[0, 0]))
    slope, intercept = np.polyfit(shard.X[rows, 1], shard.y[rows], 1)
    np.testing.assert_allclose(found.estimate[0, 0, :2], [intercept, slope], rtol=1e-10)


def test_datasets_with_other_constant_predictors_are_apart():
    first, second = random_shard(1, 1, 5, 3, 6), random_shard(2, 1, 5, 3, 6)
    second.X[:, 2] = np.repeat(np.arange(5.0), 6)
    together = own_coefficients(join(first, second))
    for sim, shard in enumerate((first, second)):
        alone = own_coefficients(shard)
        for name in ("estimate", "std_error", "identified"):
            np.testing.assert_array_equal(getattr(together, name)[sim], getattr(alone, name)[0])
    assert together.identified[:, :, 2].tolist() == [[True] * 5, [False] * 5]
