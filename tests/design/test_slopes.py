"""Slopes within and between clusters: clubSandwich, statsmodels, and constructed ones."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from statsmodels.regression.linear_model import OLS, WLS

from clustrategy.core.errors import DataError
from clustrategy.core.shard import INTERCEPT, Shard
from clustrategy.design.slopes import slopes
from tests.design.golden_designs import DESIGNS, random_design, reordered, shard_of
from tests.material import few

SEEDS = st.integers(0, 10**6)


def numbers(shard: Shard) -> np.ndarray:
    found = slopes(shard)
    return np.array([found.pooled, found.within, found.between, found.difference_p_value])


def named(shard: Shard) -> Shard:
    """The same dataset whose first column is called an intercept."""
    return Shard(shard.y, shard.X, shard.n, (INTERCEPT, *shard.terms[1:]))


def mean_of_rows(shard: Shard, rows: np.ndarray) -> np.ndarray:
    codes = shard.cluster_codes(0)
    sums = np.zeros((shard.clusters, *rows.shape[1:]))
    np.add.at(sums, codes, rows)
    return (sums.T / shard.n[0]).T[codes]


@pytest.mark.parametrize("name", DESIGNS)
def test_they_are_those_of_lm_and_clubsandwich(name):
    shard, known = shard_of(name), DESIGNS[name]
    found = slopes(shard)
    places = [shard.terms.index(term) for term in known["means"]]
    np.testing.assert_allclose(found.within[places], known["within"], rtol=1e-9)
    np.testing.assert_allclose(found.between[places], known["between"], rtol=1e-9)
    np.testing.assert_allclose(found.difference_p_value[places], known["p_value"], rtol=1e-7)
    rest = np.setdiff1d(np.arange(shard.p), places)
    assert np.isnan([found.within[rest], found.between[rest]]).all()
    assert np.isnan(found.difference_p_value[rest]).all() and not found.signs_differ[rest].any()
    pooled = OLS(shard.y, shard.X).fit().params
    np.testing.assert_allclose(found.pooled, pooled, rtol=1e-9)


@few
@given(SEEDS)
def test_within_is_by_deviations_and_between_by_means(seed):
    """All columns but the intercept vary in both ways: y - mean on x - mean, mean on mean."""
    shard = named(random_design(seed, clusters=9, p=3, most=5))
    X = shard.X.copy()
    X[:, 1] = np.random.default_rng(seed).normal(size=len(X)) + X[:, 2]
    shard = Shard(shard.y, X, shard.n, shard.terms)
    x, y = mean_of_rows(shard, X), mean_of_rows(shard, shard.y)
    found = slopes(shard)
    within = OLS(shard.y - y, (X - x)[:, 1:]).fit().params
    first = np.cumsum(shard.n[0]) - shard.n[0]
    between = WLS(y[first], x[first], weights=shard.n[0]).fit().params[1:]
    np.testing.assert_allclose(found.within[1:], within, rtol=1e-7, atol=1e-9)
    np.testing.assert_allclose(found.between[1:], between, rtol=1e-7, atol=1e-9)


@pytest.mark.parametrize("intercept", [True, False])
def test_a_paradox_of_simpson(intercept):
    """y = -x + 3 mean(x), to the last digit: nothing is left to test the difference by."""
    x = np.array([0.0, 2.0, 4.0, 5.0, 6.0, 7.0, 10.0, 12.0])
    n = np.array([[3, 3, 2]])
    y = -x + 3.0 * np.repeat([2.0, 6.0, 11.0], [3, 3, 2])
    ones = np.ones((8, 1)) if intercept else np.zeros((8, 0))
    terms = (INTERCEPT, "x") if intercept else ("x",)
    found = slopes(Shard(y, np.column_stack([ones, x]), n, terms))
    np.testing.assert_allclose([found.within[-1], found.between[-1]], [-1.0, 2.0], rtol=1e-12)
    assert found.signs_differ.tolist() == [False] * intercept + [True]
    assert np.isnan(found.difference_p_value[-1])


def test_signs_that_agree_do_not_differ():
    shard = shard_of("sleepstudy-unbalanced")
    found = slopes(shard)
    assert found.within[1] > 0 and found.between[1] > 0 and found.pooled[1] > 0
    assert not found.signs_differ.any()


def test_without_an_intercept_means_are_predictors_all_the_same():
    shard = random_design(11, clusters=9)
    shard = Shard(shard.y, shard.X[:, 2:], shard.n, ("x",))
    wide = np.column_stack([shard.X, mean_of_rows(shard, shard.X)])
    within, more = OLS(shard.y, wide).fit().params
    found = slopes(shard)
    np.testing.assert_allclose(found.within, [within], rtol=1e-10)
    np.testing.assert_allclose(found.between, [within + more], rtol=1e-10)
    with_zeros = named(Shard(shard.y, shard.X, shard.n, ("x",)))
    assert with_zeros.terms == (INTERCEPT,)


@pytest.mark.parametrize("columns", [[0, 1], [0, 3]])
def test_a_predictor_that_varies_in_one_way_alone_has_one_slope(columns):
    """Between clusters alone, or within them alone: with equal means."""
    shard = random_design(5, clusters=8)
    deviations = shard.X[:, 2] - mean_of_rows(shard, shard.X[:, 2])
    X = np.column_stack([shard.X, deviations])[:, columns]
    found = slopes(Shard(shard.y, X, shard.n, (INTERCEPT, "x")))
    assert np.isfinite(found.pooled).all()
    assert np.isnan([found.within, found.between, found.difference_p_value]).all()
    assert not found.signs_differ.any()


@pytest.mark.parametrize(("clusters", "known"), [(3, False), (4, True)])
def test_clusters_must_be_more_than_what_varies_between_them(clusters, known):
    """The intercept, a 0/1 column of clusters and one mean are three."""
    found = slopes(named(random_design(6, clusters=clusters)))
    assert np.isfinite([found.within[2], found.between[2]]).all() == known
    assert np.isfinite(found.pooled).all()


def test_means_that_depend_on_each_other_give_none():
    shard = random_design(6, clusters=9)
    square = mean_of_rows(shard, shard.X[:, 2]) + np.sin(np.arange(len(shard.y)))
    square -= mean_of_rows(shard, np.sin(np.arange(len(shard.y))))
    shard = Shard(shard.y, np.column_stack([shard.X, square]), shard.n, (INTERCEPT, "t", "x", "z"))
    found = slopes(shard)
    assert np.isfinite(found.pooled).all() and np.isnan([found.within, found.between]).all()


@few
@given(SEEDS)
def test_units_zero_and_order(seed):
    """A slope has the units of y over those of x; where x is zero does not matter."""
    shard = named(random_design(seed, clusters=9, p=4))
    order = np.random.default_rng(seed).permutation(shard.clusters)
    X = shard.X * [1.0, 1.0, 1e-3, 1.0] + [0.0, 0.0, 0.0, 1e5]
    ours = numbers(reordered(Shard(1e4 * shard.y, X, shard.n, shard.terms), order))
    known = numbers(shard)
    known[:3, 2:] *= [1e7, 1e4]
    np.testing.assert_allclose(ours[:, 2:], known[:, 2:], rtol=1e-5, atol=1e-7)


def test_means_that_hardly_differ_for_their_size_are_told_apart():
    """As dates in seconds: 1e8, deviations of 100 and means that differ by 1."""
    near = named(random_design(7, clusters=12))
    codes = near.cluster_codes(0)
    mean = mean_of_rows(near, near.X[:, 2])
    x = 100.0 * (near.X[:, 2] - mean) + np.random.default_rng(1).normal(size=12)[codes]
    shards = []
    for zero in (0.0, 1e8):
        X = np.column_stack([near.X[:, :2], x + zero])
        shards.append(Shard(near.y, X, near.n, near.terms))
    np.testing.assert_allclose(*(numbers(one)[:, 2] for one in shards[::-1]), rtol=1e-5)


def test_dependent_predictors_are_named():
    shard = random_design(4)
    X = np.column_stack([shard.X, shard.X[:, 1]])
    with pytest.raises(DataError, match="^the predictors are linearly dependent: 'again' is a"):
        slopes(Shard(shard.y, X, shard.n, (*shard.terms, "again")))


@pytest.mark.filterwarnings("error")
def test_where_products_lose_digits_there_are_no_numbers():
    shard = random_design(4)
    found = slopes(Shard(1e160 * shard.y, shard.X, shard.n, shard.terms))
    assert np.isnan([found.pooled, found.within, found.between]).all()
    assert not found.signs_differ.any()
