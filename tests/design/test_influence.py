"""Estimates without each cluster: summclust, and the regressions themselves."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from statsmodels.regression.linear_model import OLS
from statsmodels.stats.outliers_influence import OLSInfluence

from clustrategy.core.errors import DataError
from clustrategy.core.shard import Shard
from clustrategy.design.influence import estimates_without
from tests.design.golden_designs import DESIGNS, nlswork, random_design, reordered, shard_of
from tests.material import few

SEEDS = st.integers(0, 10**6)


def regressions(shard: Shard) -> np.ndarray:
    """The regressions without each cluster, NaN for what they do not tell."""
    found = []
    for g in range(shard.clusters):
        rest = shard.cluster_codes(0) != g
        X = shard.X[rest]
        estimate = np.linalg.lstsq(X, shard.y[rest], rcond=None)[0]
        _, values, vectors = np.linalg.svd(X)
        unknown = np.ones(shard.p, dtype=bool)
        unknown[: values.size] = values < 1e-9 * values[0]
        estimate[(np.abs(vectors[unknown]) > 1e-6).any(axis=0)] = np.nan
        found.append(estimate)
    return np.array(found)


@pytest.mark.parametrize("name", DESIGNS)
def test_they_are_those_of_summclust_for_r(name):
    ours = estimates_without(shard_of(name))
    np.testing.assert_allclose(ours, DESIGNS[name]["without"], rtol=1e-9, atol=1e-10)


def test_the_example_of_summclust_for_stata():
    """https://github.com/mattdwebb/summclust: msp without each industry, and its CV3.

    It counts industries 4 and 11, without which some dummies are not identified, as problems.
    """
    design = nlswork()
    found = estimates_without(design.shard)
    msp = found[:, design.shard.terms.index("msp")]
    kept = ~np.isnan(found).any(axis=1)
    assert [name for name, one in zip(design.names, kept, strict=True) if not one] == ["4", "11"]
    for values, printed, std_error in [
        (msp, [-0.032772, -0.026891, -0.026398, -0.019198], 0.011150),
        (msp[kept], [-0.032772, -0.027082, -0.027571, -0.024202], 0.006701),
    ]:
        ours = [values.min(), np.median(values), values.mean(), values.max()]
        np.testing.assert_allclose(ours, printed, rtol=0, atol=5.1e-7)
        share = (values.size - 1) / values.size
        cv3 = np.sqrt(share * ((values - -0.02693984) ** 2).sum())
        np.testing.assert_allclose(cv3, std_error, rtol=0, atol=5.1e-7)


def test_of_clusters_of_one_row_they_are_statsmodels_dfbeta():
    rng = np.random.default_rng(8)
    X = np.column_stack([np.ones(12), rng.normal(size=(12, 2))])
    y = rng.normal(size=12)
    shard = Shard(y, X, np.ones((1, 12), dtype=np.int64), ("a", "b", "c"))
    fitted = OLS(y, X).fit()
    known = fitted.params - OLSInfluence(fitted).dfbeta
    np.testing.assert_allclose(estimates_without(shard), known, rtol=1e-10)


@few
@given(SEEDS)
def test_they_are_the_regressions_without_the_clusters(seed):
    shard = random_design(seed, clusters=5, p=4)
    np.testing.assert_allclose(estimates_without(shard), regressions(shard), rtol=1e-7, atol=1e-9)


@few
@given(SEEDS)
def test_what_is_not_identified_without_a_cluster_is_nan_and_the_rest_is_not(seed):
    """A dummy of one cluster, and a predictor that lives in another, whatever their units."""
    shard = random_design(seed, clusters=6, p=3)
    codes = shard.cluster_codes(0)
    lives = np.where(codes == 3, shard.X[:, 2], 0.0)
    X = np.column_stack([shard.X, 1e4 * (codes == 1), 1e-4 * lives])
    shard = Shard(shard.y, X, shard.n, ("one", "odd", "x", "first", "third"))
    found = estimates_without(shard)
    expected = np.zeros((6, 5), dtype=bool)
    expected[1, 3] = expected[3, 4] = True
    np.testing.assert_array_equal(np.isnan(found), expected)
    plain = Shard(shard.y, X / [1.0, 1.0, 1.0, 1e4, 1e-4], shard.n, shard.terms)
    known = regressions(plain) / [1.0, 1.0, 1.0, 1e4, 1e-4]
    np.testing.assert_allclose(found, known, rtol=1e-6, atol=1e-8)


def test_an_intercept_goes_with_the_last_cluster_of_the_reference():
    """Two arms: without the only treated cluster no effect, without the untreated no intercept."""
    X = np.column_stack([np.ones(6), [0, 0, 0, 0, 1, 1]]).astype(float)
    y = np.array([1.0, 2.0, 3.0, 6.0, 4.0, 8.0])
    terms = ("(Intercept)", "treat")
    three = estimates_without(Shard(y, X, np.array([[2, 2, 2]]), terms))
    np.testing.assert_allclose(three, [[4.5, 1.5], [1.5, 4.5], [3.0, np.nan]], rtol=1e-12)
    two = estimates_without(Shard(y, X, np.array([[4, 2]]), terms))
    np.testing.assert_allclose(two, [[np.nan, np.nan], [3.0, np.nan]], rtol=1e-12)


@few
@given(SEEDS)
def test_units_and_order(seed):
    shard = random_design(seed)
    units = np.array([1.0, 1.0, 1e-6])
    order = np.random.default_rng(seed).permutation(shard.clusters)
    other = Shard(1e3 * shard.y, shard.X * units, shard.n, shard.terms)
    found = estimates_without(reordered(other, order))
    known = estimates_without(shard)[order] * 1e3 / units
    np.testing.assert_allclose(found, known, rtol=1e-7, atol=1e-7)


def test_without_the_only_cluster_there_is_nothing():
    shard = random_design(4, clusters=2)
    shard = Shard(shard.y, shard.X, shard.n.sum(axis=1, keepdims=True), shard.terms)
    assert np.isnan(estimates_without(shard)).all()


def test_dependent_predictors_are_named():
    shard = random_design(4)
    X = np.column_stack([shard.X, shard.X[:, 1]])
    with pytest.raises(DataError, match="^the predictors are linearly dependent: 'again' is a"):
        estimates_without(Shard(shard.y, X, shard.n, (*shard.terms, "again")))


@pytest.mark.filterwarnings("error")
def test_where_products_lose_digits_there_are_no_numbers():
    shard = random_design(4)
    found = estimates_without(Shard(1e160 * shard.y, shard.X, shard.n, shard.terms))
    assert found.shape == (7, 3) and np.isnan(found).all()
