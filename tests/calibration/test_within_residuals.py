"""What is left of the rows when the clusters' random effects are taken out."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from scipy.linalg import block_diag
from scipy.special import digamma, polygamma

from clustrategy.calibration.within_residuals import WithinResiduals
from clustrategy.core.shard import Floats, Ints
from tests.material import few

SIZES = np.array([1, 2, 5, 8])


def design() -> np.ndarray:
    rng = np.random.default_rng(4)
    return np.column_stack([np.ones(16), rng.normal(size=16)])


def of_intercepts(y: Floats, sizes: Ints) -> WithinResiduals:
    """Rows that have nothing but intercepts, random and fixed."""
    return WithinResiduals.of(y, np.ones((y.size, 1)), np.ones((y.size, 1)), sizes)


def test_they_are_the_residuals_of_each_clusters_own_regression():
    y = np.random.default_rng(5).normal(size=16)
    found = WithinResiduals.of(y, design(), design(), SIZES)
    np.testing.assert_allclose(found.df, [0, 0, 3, 6])
    np.testing.assert_allclose(found.expected, [0, 0, 3, 6])
    assert found.squares[:2].tolist() == [0.0, 0.0]
    for g, rows in ((2, slice(3, 8)), (3, slice(8, 16))):
        slope, intercept = np.polyfit(design()[rows, 1], y[rows], 1)
        own = y[rows] - intercept - slope * design()[rows, 1]
        np.testing.assert_allclose(found.squares[g], own @ own, rtol=1e-12)


@few
@given(seed=st.integers(0, 10**6), p=st.integers(1, 5), slopes=st.booleans())
def test_fixed_effects_take_their_degrees_of_freedom_where_they_vary(seed, p, slopes):
    """By the projection on all columns at once, those of random effects one set a cluster."""
    rng = np.random.default_rng(seed)
    n = rng.integers(1, 7, size=7)
    g = np.repeat(np.arange(7), n)
    X = np.column_stack([np.ones(g.size), rng.normal(size=(g.size, p))])
    X[:, 1] *= 1e6 * (g < 3)  # a predictor that varies in some clusters only
    Z = X[:, :2] if slopes else X[:, :1]
    y = rng.normal(size=g.size)
    found = WithinResiduals.of(y, X, Z, n)
    starts = np.cumsum(n) - n
    each = block_diag(*[Z[a : a + size] for a, size in zip(starts, n, strict=True)])
    columns = np.column_stack([each, X])
    columns = columns / np.maximum(np.linalg.norm(columns, axis=0), 1e-300)
    A = np.eye(g.size) - columns @ np.linalg.pinv(columns, rcond=1e-10)
    blocks = [A[g == one][:, g == one] for one in range(7)]
    expected = np.array([np.trace(block) for block in blocks])
    np.testing.assert_allclose(found.expected, expected, atol=1e-8)
    np.testing.assert_allclose(found.expected.sum(), g.size - np.linalg.matrix_rank(columns))
    some = np.flatnonzero(expected > 1e-6)
    df = [expected[one] ** 2 / (blocks[one] * blocks[one]).sum() for one in some]
    np.testing.assert_allclose(found.df[some], df, rtol=1e-6)
    e = A @ y
    squares = np.bincount(g, e * e, minlength=7)
    np.testing.assert_allclose(found.squares, squares, atol=1e-8)
    moved = WithinResiduals.of(y + X[:, 2:] @ rng.normal(size=p - 1), X, Z, n)
    np.testing.assert_allclose(moved.squares, found.squares, atol=1e-8)


def test_clusters_without_two_rows_have_no_variances():
    found = of_intercepts(np.arange(4.0), np.ones(4, dtype=int))
    assert found.variances_by_cluster() is None


def test_variances_of_clusters_vary_as_much_as_is_estimated():
    """Of equal sizes all shrink alike, and are then stretched to the moment estimate."""
    rng = np.random.default_rng(2)
    sd = np.exp(rng.normal(size=40))
    y = (rng.normal(size=(40, 6)) * sd[:, None]).ravel()
    within = of_intercepts(y, np.full(40, 6))
    variances, spread = within.variances_by_cluster()
    logs = np.log(within.squares / 5) - digamma(2.5) + np.log(2.5)
    noise = polygamma(1, 2.5)
    # Equal sampling variances: REML is the moment estimator.
    np.testing.assert_allclose(spread**2, logs.var(ddof=1) - noise, rtol=1e-6)
    expected = logs.mean() + spread / logs.std(ddof=1) * (logs - logs.mean())
    np.testing.assert_allclose(np.log(variances), expected, rtol=1e-6, atol=1e-8)


def test_clusters_that_tell_less_shrink_more():
    """Of 4 rows that scatter least and 40 that scatter little these have the smaller variance."""
    rng = np.random.default_rng(3)
    sizes = np.tile([4, 40], 12)
    y = rng.normal(size=sizes.sum()) * np.repeat(np.exp(rng.normal(size=24) / 2), sizes)
    y[:4] = 0.12 * np.array([-1.0, 1.0, -1.0, 1.0])
    y[4:44] = 0.2 * np.tile([-1.0, 1.0], 20)
    variances, spread = of_intercepts(y, sizes).variances_by_cluster()
    assert variances[1] < variances[0]
    np.testing.assert_allclose(np.log(variances).std(ddof=1), spread, rtol=1e-12)


def test_a_cluster_without_degrees_of_freedom_has_the_typical_variance():
    y = np.random.default_rng(6).normal(size=16) * np.repeat([1.0, 1.0, 1.0, 30.0], SIZES)
    variances, _ = of_intercepts(y, SIZES).variances_by_cluster()
    own = np.log(variances[1:])
    assert own.min() < np.log(variances[0]) < own.max()
