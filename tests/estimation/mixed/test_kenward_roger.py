from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given

from clustrategy.core.shard import INTERCEPT, Shard
from clustrategy.estimation.mixed.kenward_roger import Adjustment, kenward_roger
from clustrategy.estimation.mixed.reml import Criterion, Point
from tests.dense import Dense
from tests.material import few, fitted, golden, random_shard
from tests.points import (
    FITTED,
    GOLDEN,
    contrasts_of,
    diagonal,
    equal_clusters,
    fits,
    golden_point,
    point_at,
    sigma_of,
    symmetric,
)


def unstructured(point: Point) -> np.ndarray:
    return symmetric(point.criterion.sims, point.criterion.q)


def of_coefficients(point: Point) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Variances before and after they are adjusted and df, of X's coefficients."""
    contrasts = contrasts_of(point)
    adjusted, df = kenward_roger(Adjustment.of(point, unstructured(point)), contrasts)
    return (contrasts**2).sum(axis=2), adjusted, df


# --- lmerTest and pbkrtest ----------------------------------------------------------------


@pytest.mark.parametrize(("name", "model"), FITTED)
def test_is_lmertests_at_the_same_theta(name, model):
    """Singular fits among them: there pbkrtest goes on as elsewhere, and so do we."""
    expected = GOLDEN[name][model]
    point = golden_point(name, model)
    basis = unstructured(point)
    if model == "mixed_uncorrelated":
        basis = diagonal(point.criterion.random_root)
    variance, df = kenward_roger(Adjustment.of(point, basis), contrasts_of(point))
    sigma = sigma_of(point)
    np.testing.assert_allclose(sigma[0, 0], expected["sigma"], rtol=1e-10)
    std_error, given_df = expected["kenward_roger"].values()
    np.testing.assert_allclose((sigma * np.sqrt(variance))[0], std_error, rtol=1e-10)
    np.testing.assert_allclose(df[0], given_df, rtol=1e-10)


def test_the_golden_fits_are_of_many_kinds():
    singular = [GOLDEN[name][model]["singular"] for name, model in FITTED]
    assert sum(singular) >= 8 and len(singular) - sum(singular) >= 20
    adjusted = [
        np.max(np.divide(fit["kenward_roger"]["std_error"], fit["std_error"]))
        for fit in (GOLDEN[name][model] for name, model in FITTED)
    ]
    assert max(adjusted) > 1.2 and min(adjusted) < 1.0 + 1e-6


# --- written out --------------------------------------------------------------------------


def pbkrtest(dense: Dense, psi: np.ndarray, changes: list[np.ndarray]):
    """Variances over sigma^2 before and after they are adjusted and df, N x N matrices and all.

    As vcovAdj and Lb_ddf have it (Halekoh & Hojsgaard 2014, sections 3 and 6), the variance of
    the residuals the last parameter; of one contrast the degrees of freedom are 2 / A_2.
    """
    V, X = dense.V(psi), dense.X
    inverse = np.linalg.inv(V)
    Phi = dense.C(psi)
    G = [dense.spread(change) for change in changes] + [np.eye(len(V))]
    P = [-X.T @ inverse @ g @ inverse @ X for g in G]
    Q = [[X.T @ inverse @ g @ inverse @ h @ inverse @ X for h in G] for g in G]
    m = range(len(G))
    twice = [
        [
            np.trace(inverse @ G[r] @ inverse @ G[s])
            - 2 * np.trace(Phi @ Q[r][s])
            + np.trace(Phi @ P[r] @ Phi @ P[s])
            for s in m
        ]
        for r in m
    ]
    W = 2 * np.linalg.inv(twice)
    U = sum(W[r, s] * (Q[r][s] - P[r] @ Phi @ P[s]) for r in m for s in m)
    plain = np.diag(Phi)
    changes = np.array([np.diag(Phi @ p @ Phi) / plain for p in P])
    A = (changes * (W @ changes)).sum(axis=0)
    return plain, np.diag(Phi + 2 * Phi @ U @ Phi), 2 / A


@given(fit=fits())
@few
def test_is_kenward_roger_written_out(fit):
    shard, random, factor = fit
    q = len(random)
    dense = Dense.of(shard, random)

    def check(factor: np.ndarray, basis: np.ndarray, changes: list[np.ndarray]) -> None:
        point = point_at(shard, random, factor)
        adjusted, df = kenward_roger(Adjustment.of(point, basis), contrasts_of(point))
        plain, expected, expected_df = pbkrtest(dense, factor @ factor.T, changes)
        np.testing.assert_allclose(adjusted[0], expected, rtol=1e-8)
        np.testing.assert_allclose(df[0], expected_df, rtol=1e-8)
        assert (adjusted[0] >= plain * (1 - 1e-10)).all()

    whole = symmetric(1, q)
    check(factor, whole, list(whole[0].reshape(-1, q, q)))
    root = Criterion.of(shard.triangles, shard.n_obs, np.array(random)).random_root
    single = [np.outer(unit, unit) for unit in np.eye(q)]
    check(np.diag(np.diagonal(factor)), diagonal(root), single)


def test_any_contrast():
    """What is tested of X's coefficients is, in other coordinates of X, one of them."""
    shard = random_shard(8, 1, 6, 3, (4, 9))
    T = np.array([[1.0, 2.0, -1.0], [0.0, 3.0, 0.5], [0.0, 1.0, 2.0]])
    turned = Shard(shard.y, shard.X @ np.linalg.inv(T), shard.n, shard.terms)
    factor = np.array([[0.7, 0.0, 0.0], [0.2, 0.5, 0.0], [-0.1, 0.3, 0.0]])
    point = point_at(shard, [0, 1, 2], factor)
    found = kenward_roger(Adjustment.of(point, unstructured(point)), T @ contrasts_of(point))
    _, *expected = of_coefficients(point_at(turned, [0, 1, 2], T @ factor))
    np.testing.assert_allclose(found, expected, rtol=1e-9)


def test_any_basis_of_the_same_directions():
    point = point_at(random_shard(9, 2, 6, 3, (4, 9)), [0, 2], np.array([[0.7, 0], [0.2, 0.5]]))
    basis = unstructured(point)
    T = np.array([[1.0, 2.0, -1.0], [0.0, 3.0, 0.5], [0.0, 1.0, 2.0]])
    expected = kenward_roger(Adjustment.of(point, basis), contrasts_of(point))
    found = kenward_roger(Adjustment.of(point, T @ basis), contrasts_of(point))
    np.testing.assert_allclose(found, expected, rtol=1e-9)


# --- in closed form -----------------------------------------------------------------------


@pytest.mark.parametrize("size", [0.0, 0.2, 3.0, 1e3])
def test_equal_clusters_have_as_many_df_as_clusters_less_one(size):
    """The clusters' coefficients are a sample of the normal distribution, as of two-stage."""
    point = point_at(equal_clusters(), [0, 1, 2], size * np.tri(3))
    plain, adjusted, df = of_coefficients(point)
    np.testing.assert_allclose(adjusted, plain, rtol=1e-8)
    np.testing.assert_allclose(df, 7 - 1, rtol=1e-7)


@pytest.mark.parametrize("size", [0.0, 0.2, 3.0, 1e3])
def test_randomised_blocks(size):
    point = point_at(equal_clusters(), [0], np.array([[size]]))
    plain, adjusted, df = of_coefficients(point)
    centred = np.repeat([[7 * 6 - 7 - 2]], 2, axis=0)
    np.testing.assert_allclose(adjusted, plain, rtol=1e-9)
    np.testing.assert_allclose(df[:, 1:], np.repeat(centred, 2, axis=1), rtol=1e-9)


@pytest.mark.parametrize(("arms", "rows"), [(3, 2), (4, 3), (9, 5)])
def test_two_arms_of_whole_clusters_have_as_many_as_clusters_less_two(arms, rows):
    rng = np.random.default_rng(arms)
    treated = np.repeat(np.arange(2 * arms) % 2, rows).astype(float)
    X = np.column_stack([np.ones_like(treated), treated])
    y = rng.standard_normal(treated.size)
    shard = Shard(y, X, np.full((1, 2 * arms), rows), (INTERCEPT, "x"))
    plain, adjusted, df = of_coefficients(point_at(shard, [0], np.array([[0.6]])))
    np.testing.assert_allclose(adjusted, plain, rtol=1e-9)
    np.testing.assert_allclose(df, 2 * arms - 2, rtol=1e-9)


def test_a_variance_that_nothing_is_known_of_counts_as_known():
    """Clusters in X and in Z: slopes have the df of least squares and their own variances."""
    shard = random_shard(4, 1, 4, 2, (4, 8))
    dummies = (shard.cluster_codes(0)[:, None] == np.arange(1, 4)).astype(float)
    X = np.column_stack([shard.X, dummies])
    shard = Shard(shard.y, X, shard.n, (*shard.terms, "c1", "c2", "c3"))
    for size in (0.0, 0.8, 30.0):
        plain, adjusted, df = of_coefficients(point_at(shard, [0], np.array([[size]])))
        np.testing.assert_allclose(adjusted, plain, rtol=1e-9)
        np.testing.assert_allclose(df[0, 1], len(shard.y) - 5, rtol=1e-9)


def test_units_do_not_matter():
    shard = random_shard(6, 1, 8, 3, (4, 8))
    factor = np.array([[0.8, 0.0, 0.0], [0.1, 0.5, 0.0], [0.2, 0.0, 0.4]])
    units = np.array([1.0, 1e6, 1e-6])
    scaled = Shard(1e3 * shard.y + 1e6, shard.X * units, shard.n, shard.terms)
    _, plain, df = of_coefficients(point_at(shard, [0, 1, 2], factor))
    _, adjusted, found = of_coefficients(point_at(scaled, [0, 1, 2], factor / units[:, None]))
    np.testing.assert_allclose(adjusted, plain / units**2, rtol=1e-7)
    np.testing.assert_allclose(found, df, rtol=1e-7)


@pytest.mark.parametrize("random", [[0], [0, 1, 2]])
def test_a_shift_of_the_predictors_leaves_their_slopes_alone(random):
    shard = random_shard(7, 1, 8, 3, (4, 8))
    moved = Shard(shard.y, shard.X + [0.0, 1e6, 1e6], shard.n, shard.terms)
    factor = (0.5 * np.tri(3))[: len(random), : len(random)]
    back = np.eye(3)
    back[0, 1:] = -1e6
    there = back[: len(random), : len(random)] @ factor
    plain = of_coefficients(point_at(shard, random, factor))
    found = of_coefficients(point_at(moved, random, there))
    np.testing.assert_allclose(np.array(found)[..., 1:], np.array(plain)[..., 1:], rtol=1e-8)


# --- after a fit --------------------------------------------------------------------------


def test_adjusted_variances_are_those_of_lmertest_at_our_optimum():
    """`sleepstudy`, unbalanced: lme4 stops near the optimum, and so do its adjusted variances."""
    shard = golden("sleepstudy-unbalanced")
    found = fitted(shard, "mixed_maximal")
    a, b, c = found.theta[0]
    point = point_at(shard, [0, 1], np.array([[a, 0.0], [b, c]]))
    _, adjusted, df = of_coefficients(point)
    expected = GOLDEN["sleepstudy-unbalanced"]["mixed_maximal"]["kenward_roger"]
    np.testing.assert_allclose(
        (sigma_of(point) * np.sqrt(adjusted))[0], expected["std_error"], rtol=1e-4
    )
    np.testing.assert_allclose(df[0], expected["df"], rtol=1e-4)


@pytest.mark.parametrize("random", [[0], [0, 2], [0, 1, 2]])
@pytest.mark.parametrize("rows", [7, (4, 9)])
def test_bits_do_not_depend_on_the_shard(random, rows):
    shard = random_shard(12, 5, 9, 3, rows)
    factor = 0.6 * np.tri(len(random))
    point = point_at(shard, random, factor)
    whole = kenward_roger(Adjustment.of(point, unstructured(point)), contrasts_of(point))
    for sim in range(shard.sims):
        alone = point_at(shard.dataset(sim), random, factor)
        one = kenward_roger(Adjustment.of(alone, unstructured(alone)), contrasts_of(alone))
        for all_of_them, single in zip(whole, one, strict=True):
            assert np.array_equal(all_of_them[sim], single[0])
