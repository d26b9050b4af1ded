from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings

from clustrategy.core.shard import INTERCEPT, Shard
from clustrategy.estimation.mixed.models import random_columns
from tests.dense import Dense, gradient, lower
from tests.material import GOLDEN, few, fit, fitted, golden, random_shard, shards

MODELS = ("mixed_maximal", "mixed_intercept")
FITTED = [(name, model) for name in GOLDEN for model in MODELS if GOLDEN[name][model] is not None]
# Written out in full they are matrices of N x N.
SMALL = [(name, model) for name, model in FITTED if len(golden(name).y) <= 200]


def random_of(shard: Shard, model: str) -> list[int]:
    if model == "mixed_intercept":
        return [0]
    return np.flatnonzero(random_columns(shard.dataset(0))[0]).tolist()


# --- lmerTest -----------------------------------------------------------------------------


@pytest.mark.parametrize(("name", "model"), FITTED)
def test_is_lmertests_where_that_reached_the_optimum(name, model):
    expected = GOLDEN[name][model]
    found = fitted(golden(name), model).df[0]
    # at the optimum without bounds, by numerical derivatives
    np.testing.assert_allclose(found, expected["best"]["df"], rtol=5e-5)
    if expected["reml"] - expected["best"]["reml"] < 1e-6:
        np.testing.assert_allclose(found, expected["df"], rtol=2e-3)


# --- the deviance written out, differentiated ---------------------------------------------


@pytest.mark.parametrize(("name", "model"), SMALL)
def test_is_the_delta_method_on_the_dense_deviance(name, model):
    """Singular optima among them: there the deviance can be flat in some directions."""
    shard = golden(name)
    found = fitted(shard, model)
    dense = Dense.of(shard, random_of(shard, model))
    at = np.append(found.theta[0], found.sigma[0])
    assert np.abs(gradient(dense.deviance, at)).max() < 1e-2
    expected = dense.satterthwaite(found.theta[0], found.sigma[0])
    np.testing.assert_allclose(found.df[0], expected, rtol=1e-8)


def test_the_small_golden_datasets_hold_singular_optima():
    singular = [GOLDEN[name][model]["best"]["singular"] for name, model in SMALL]
    assert sum(singular) >= 5 and len(singular) - sum(singular) >= 10


@given(shard=shards())
@settings(few, max_examples=10)
def test_is_the_delta_method_on_random_data(shard):
    shard = shard.dataset(0)
    for model in MODELS:
        found = fitted(shard, model)
        dense = Dense.of(shard, random_of(shard, model))
        expected = dense.satterthwaite(found.theta[0], found.sigma[0])
        np.testing.assert_allclose(found.df[0], expected, rtol=1e-5)


def test_a_direction_in_which_the_deviance_is_flat_is_left_out():
    """Data centred within clusters, as ipsative scores are: the intercepts have no variance.

    Psi is then diag(0, psi), L's first row zero, and one of the elements of its second row is
    redundant. The slope has the df of two-stage; the intercept those of sigma, all rows but one
    for the mean and one for the slope of each cluster.
    """
    G, n = 8, 6
    rng = np.random.default_rng(4)
    x = np.tile(np.linspace(-1, 1, n), G)
    y = np.repeat(2 + rng.standard_normal(G), n) * x + rng.standard_normal(G * n)
    y -= np.repeat(y.reshape(G, n).mean(axis=1), n)
    X = np.column_stack([np.ones(G * n), x])
    found = fitted(Shard(y, X, np.full((1, G), n), (INTERCEPT, "x")), "mixed_maximal")
    assert found.status[0] == "singular"
    np.testing.assert_allclose(found.df[0], [G * n - 1 - G, G - 1], rtol=1e-6)


@pytest.mark.parametrize("q", [1, 2])
def test_an_optimum_without_random_variance(q):
    """Psi = 0: the variances of the estimates follow sigma alone, so that df is N - p."""
    shard = random_shard(5, 1, 9, 2, 8)
    ols = fit(shard, "ols")
    y = shard.y - (shard.X * ols.estimate[0]).sum(axis=1)
    # Residuals without anything of the clusters' own intercepts and slopes in them.
    for rows in np.split(np.arange(72), 9):
        y[rows] -= shard.X[rows] @ np.linalg.lstsq(shard.X[rows], y[rows])[0]
    found = fitted(Shard(y, shard.X, shard.n, shard.terms), MODELS[q % 2])
    assert found.status[0] == "singular" and (found.theta == 0).all()
    np.testing.assert_allclose(found.df[0], 72 - 2, rtol=1e-12)


# --- in closed form -----------------------------------------------------------------------


@pytest.mark.parametrize(("clusters", "rows"), [(3, 4), (8, 2), (20, 7)])
def test_the_mean_of_a_balanced_one_way_layout_has_as_many_as_clusters_less_one(clusters, rows):
    rng = np.random.default_rng(clusters)
    y = rng.standard_normal(clusters * rows) + 3 * np.repeat(rng.standard_normal(clusters), rows)
    shard = Shard(y, np.ones((len(y), 1)), np.full((1, clusters), rows), (INTERCEPT,))
    found = fitted(shard, "mixed_intercept")
    # ANOVA: Var(mean) = MSB / N, MSB on G - 1 degrees of freedom
    means = y.reshape(clusters, rows).mean(axis=1)
    between = rows * means.var(ddof=1)
    assert found.status[0] == "ok"
    np.testing.assert_allclose(found.std_error[0, 0], np.sqrt(between / len(y)), rtol=1e-8)
    np.testing.assert_allclose(found.df[0, 0], clusters - 1, rtol=1e-8)


@pytest.mark.parametrize(("arms", "rows"), [(3, 2), (4, 3), (9, 5)])
def test_two_arms_of_whole_clusters_have_as_many_as_clusters_less_two(arms, rows):
    rng = np.random.default_rng(arms)
    treated = np.repeat(np.arange(2 * arms) % 2, rows).astype(float)
    y = rng.standard_normal(treated.size) + 2 * np.repeat(rng.standard_normal(2 * arms), rows)
    X = np.column_stack([np.ones_like(y), treated])
    shard = Shard(y, X, np.full((1, 2 * arms), rows), (INTERCEPT, "x"))
    for model in MODELS:
        found = fitted(shard, model)
        assert found.status[0] == "ok"
        np.testing.assert_allclose(found.df[0, 1], 2 * arms - 2, rtol=1e-8)


def test_a_balanced_predictor_within_clusters_has_the_df_of_the_randomised_blocks():
    """Every cluster sees the same x; with slopes that differ it is the test of two-stage."""
    G, n = 7, 6
    rng = np.random.default_rng(2)
    x = np.tile(np.linspace(-1, 1, n), G)
    X, rows = np.column_stack([np.ones(G * n), x]), np.full((1, G), n)
    y = np.repeat(2 * rng.standard_normal(G), n) + x + rng.standard_normal(G * n)
    found = fitted(Shard(y, X, rows, (INTERCEPT, "x")), "mixed_intercept")
    np.testing.assert_allclose(found.df[0], [G - 1, G * n - G - 1], rtol=1e-8)
    y += np.repeat(2 * rng.standard_normal(G), n) * x
    found = fitted(Shard(y, X, rows, (INTERCEPT, "x")), "mixed_maximal")
    assert found.status[0] == "ok"
    np.testing.assert_allclose(found.df[0], [G - 1, G - 1], rtol=1e-6)


def test_theta_may_be_read_back_from_the_fit():
    """The dense deviance is least at the fit's theta and sigma: the point the df belong to."""
    shard = random_shard(2, 1, 12, 2, 9)
    found = fitted(shard, "mixed_maximal")
    dense = Dense.of(shard, [0, 1])
    at = np.append(found.theta[0], found.sigma[0])
    least = dense.deviance(at)
    factor = lower(found.theta[0])
    np.testing.assert_allclose(least, dense.criterion(factor @ factor.T), rtol=1e-12)
    np.testing.assert_allclose(least, found.reml_criterion[0], rtol=1e-12)
    assert np.abs(gradient(dense.deviance, at)).max() < 1e-5
