"""Leverage, partial leverage and effective clusters: R's and Stata's packages, closed forms."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from clustrategy.core.errors import DataError
from clustrategy.core.shard import INTERCEPT, Shard
from clustrategy.design.leverage import effective_clusters, leverage
from tests.design.golden_designs import DESIGNS, nlswork, random_design, reordered, shard_of
from tests.material import few

SEEDS = st.integers(0, 10**6)


def of(X: np.ndarray, sizes: list[int], *terms: str) -> Shard:
    y = np.random.default_rng(0).normal(size=len(X))
    return Shard(y, X.astype(float), np.array([sizes], dtype=np.int64), terms)


def of_clusters(values: list[float], sizes: list[int]) -> Shard:
    """An intercept, and a predictor that is constant within clusters."""
    x = np.repeat(values, sizes)
    return of(np.column_stack([np.ones(x.size), x]), sizes, INTERCEPT, "x")


def by_hand(shard: Shard, rho: float) -> np.ndarray:
    """G / (1 + CV^2) of the gammas with the covariances of all rows written out."""
    inverse = np.linalg.inv(shard.X.T @ shard.X)
    gammas = []
    for g in range(shard.clusters):
        X = shard.X[shard.cluster_codes(0) == g]
        omega = np.full((len(X), len(X)), rho)
        np.fill_diagonal(omega, 1.0)
        gammas.append(np.diagonal(inverse @ X.T @ omega @ X @ inverse))
    gamma = np.array(gammas)
    cv = gamma.std(axis=0) / gamma.mean(axis=0)
    return shard.clusters / (1.0 + cv**2)


@pytest.mark.parametrize("name", DESIGNS)
def test_leverage_is_that_of_summclust_for_r(name):
    found, known = leverage(shard_of(name)), DESIGNS[name]
    np.testing.assert_allclose(found.leverage, known["leverage"], rtol=1e-10)
    np.testing.assert_allclose(found.partial, known["partial"], rtol=1e-10)


@pytest.mark.parametrize("name", DESIGNS)
def test_effective_clusters_are_those_of_effclust(name):
    shard, known = shard_of(name), DESIGNS[name]
    np.testing.assert_allclose(effective_clusters(shard), known["effective"], rtol=1e-9)
    ours = effective_clusters(shard, 0.999)
    np.testing.assert_allclose(ours, known["effective_rho999"], rtol=1e-9)


def summary(values: np.ndarray) -> list[float]:
    """As Stata prints it: least, median, most, coefficient of variation."""
    cv = values.std(ddof=1) / abs(values.mean())
    return [values.min(), np.median(values), values.max(), cv]


def test_the_example_of_summclust_for_stata():
    """Its page, https://github.com/mattdwebb/summclust, for msp: six decimals, three of G*."""
    shard = nlswork().shard
    msp = shard.terms.index("msp")
    printed = [0.085945, 2.794231, 17.008305, 1.166238]
    np.testing.assert_allclose(summary(leverage(shard).leverage), printed, rtol=0, atol=5.1e-7)
    effective = [effective_clusters(shard, rho)[msp] for rho in (0.0, 0.5, 1.0)]
    np.testing.assert_allclose(effective, [5.495, 1.433, 1.376], rtol=0, atol=5.1e-4)


def test_the_partial_leverages_of_the_example_are_those_of_union_without_msp():
    """So the page has them under the name of msp; of msp they are 1 over 5.495 in squares."""
    shard = nlswork().shard
    rest = np.array([name != "msp" for name in shard.terms])
    terms = tuple(name for name in shard.terms if name != "msp")
    partial = leverage(Shard(shard.y, shard.X[:, rest], shard.n, terms)).partial
    printed = [0.000700, 0.038554, 0.353148, 1.320154]
    ours = summary(partial[:, terms.index("union")])
    np.testing.assert_allclose(ours, printed, rtol=0, atol=5.1e-7)


def test_an_intercept_alone_goes_by_the_sizes():
    sizes = [1, 2, 3, 10]
    shard = of(np.ones((16, 1)), sizes, INTERCEPT)
    found = leverage(shard)
    np.testing.assert_allclose(found.leverage, np.array(sizes) / 16, rtol=1e-13)
    np.testing.assert_allclose(found.partial[:, 0], np.array(sizes) / 16, rtol=1e-13)
    np.testing.assert_allclose(effective_clusters(shard), [16**2 / 114], rtol=1e-13)
    np.testing.assert_allclose(effective_clusters(shard, 1.0), [114**2 / 10098], rtol=1e-13)


@pytest.mark.parametrize(("treated", "untreated"), [(1, 9), (3, 7), (5, 5)])
@pytest.mark.parametrize("rho", [0.0, 0.999])
def test_a_treatment_of_equal_clusters_in_closed_form(treated, untreated, rho):
    """The residuals are 1 - share and -share, so that G* = G^2 ab / (a^3 + b^3)."""
    shard = of_clusters([1.0] * treated + [0.0] * untreated, [4] * 10)
    known = 100 * treated * untreated / (treated**3 + untreated**3)
    np.testing.assert_allclose(effective_clusters(shard, rho)[1], known, rtol=1e-12)
    partial = leverage(shard).partial[:, 1]
    expected = [untreated / (10 * treated)] * treated + [treated / (10 * untreated)] * untreated
    np.testing.assert_allclose(partial, expected, rtol=1e-12)


def test_with_fixed_effects_strong_correlation_changes_nothing_but_where_it_is_all():
    rng = np.random.default_rng(3)
    sizes = [3, 4, 5, 9]
    codes = np.repeat(np.arange(4), sizes)
    X = np.column_stack([np.eye(4)[codes], rng.normal(size=21) + 1e3 * codes])
    shard = of(X, sizes, "a", "b", "c", "d", "x")
    none = effective_clusters(shard)[4]
    np.testing.assert_allclose(effective_clusters(shard, 0.999)[4], none, rtol=1e-9)
    assert np.isnan(effective_clusters(shard, 1.0)[4])


@few
@given(SEEDS, st.floats(0.0, 1.0))
def test_effective_clusters_by_the_covariances_of_all_rows(seed, rho):
    shard = random_design(seed)
    np.testing.assert_allclose(effective_clusters(shard, rho), by_hand(shard, rho), rtol=1e-8)


@few
@given(SEEDS)
def test_sums_and_bounds(seed):
    shard = random_design(seed, p=4)
    found = leverage(shard)
    np.testing.assert_allclose(found.leverage.sum(), 4.0, rtol=1e-12)
    np.testing.assert_allclose(found.partial.sum(axis=0), 1.0, rtol=1e-12)
    assert (found.leverage > 0).all() and (found.leverage <= shard.n[0] + 1e-12).all()
    effective = effective_clusters(shard)
    np.testing.assert_allclose(effective, 1.0 / (found.partial**2).sum(axis=0), rtol=1e-12)
    assert (effective >= 1.0).all() and (effective <= shard.clusters).all()


@few
@given(SEEDS)
def test_units_of_a_column_and_the_coding_of_the_others_change_nothing_of_it(seed):
    """Partial leverage and G* of the last column; the leverage of clusters is of the space."""
    rng = np.random.default_rng(seed)
    shard = random_design(seed, p=4)
    others = np.eye(3) * 3.0 + rng.normal(size=(3, 3))
    X = np.column_stack([shard.X[:, :3] @ others, 1e5 * shard.X[:, 3] + shard.X[:, 2]])
    other = Shard(shard.y, X, shard.n, shard.terms)
    one, two = leverage(shard), leverage(other)
    np.testing.assert_allclose(two.leverage, one.leverage, rtol=1e-8)
    np.testing.assert_allclose(two.partial[:, 3], one.partial[:, 3], rtol=1e-8)
    for rho in (0.0, 0.999):
        np.testing.assert_allclose(
            effective_clusters(other, rho)[3], effective_clusters(shard, rho)[3], rtol=1e-7
        )


@few
@given(SEEDS)
def test_the_order_of_clusters_is_nothing_but_an_order(seed):
    shard = random_design(seed)
    order = np.random.default_rng(seed).permutation(shard.clusters)
    one, two = leverage(shard), leverage(reordered(shard, order))
    np.testing.assert_allclose(two.leverage, one.leverage[order], rtol=1e-11)
    np.testing.assert_allclose(two.partial, one.partial[order], rtol=1e-10)
    ours = effective_clusters(reordered(shard, order), 0.999)
    np.testing.assert_allclose(ours, effective_clusters(shard, 0.999), rtol=1e-10)


def test_one_cluster_has_it_all():
    shard = random_design(4, clusters=2).dataset(0)
    shard = Shard(shard.y, shard.X, shard.n.sum(axis=1, keepdims=True), shard.terms)
    found = leverage(shard)
    np.testing.assert_allclose(found.leverage, [3.0], rtol=1e-12)
    np.testing.assert_allclose(found.partial, [[1.0, 1.0, 1.0]], rtol=1e-12)
    np.testing.assert_allclose(effective_clusters(shard, 0.999), 1.0, rtol=1e-12)


@pytest.mark.parametrize("compute", [leverage, effective_clusters])
def test_dependent_predictors_are_named(compute):
    shard = random_design(4)
    X = np.column_stack([shard.X * [1.0, 1.0, 1e9], 2.0 * shard.X[:, 2] - 1.0])
    shard = Shard(shard.y, X, shard.n, (*shard.terms, "again"))
    with pytest.raises(DataError, match="^the predictors are linearly dependent: 'again' is a"):
        compute(shard)


def test_more_coefficients_than_rows_are_counted():
    with pytest.raises(DataError, match=r"^2 rows cannot carry 3 coefficients \(a, b, c\): leave"):
        leverage(of(np.array([[1, 2, 4], [1, 3, 9]]), [1, 1], "a", "b", "c"))


@pytest.mark.filterwarnings("error")
def test_where_products_lose_digits_there_are_no_numbers():
    shard = random_design(4)
    X = shard.X * [1.0, 1.0, 1e160]
    shard = Shard(shard.y, X, shard.n, shard.terms)
    found = leverage(shard)
    assert found.leverage.shape == (7,) and found.partial.shape == (7, 3)
    assert np.isnan(found.leverage).all() and np.isnan(found.partial).all()
    assert np.isnan(effective_clusters(shard, 0.5)).all()
