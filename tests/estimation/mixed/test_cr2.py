from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from clustrategy.core.shard import Shard
from clustrategy.estimation.mixed.cr2 import Sandwich, cr2
from clustrategy.estimation.mixed.reml import Point
from tests.dense import Dense
from tests.material import few, fitted, golden, join, random_shard
from tests.points import (
    FITTED,
    GOLDEN,
    contrasts_of,
    equal_clusters,
    fits,
    golden_point,
    point_at,
)


def of_coefficients(point: Point, shard: Shard) -> tuple[np.ndarray, np.ndarray]:
    """Standard errors and df of X's coefficients."""
    variance, df = cr2(Sandwich.of(point, contrasts_of(point)))
    return point.criterion.scale[:, None] * np.sqrt(variance), df


# --- clubSandwich -------------------------------------------------------------------------


@pytest.mark.parametrize(("name", "model"), FITTED)
def test_is_clubsandwichs_at_the_same_theta(name, model):
    """Among them a predictor that lives in one cluster alone: B_g has an eigenvalue of zero."""
    std_error, df = of_coefficients(golden_point(name, model), golden(name))
    expected = GOLDEN[name][model]["CR2"]
    np.testing.assert_allclose(std_error[0], expected["std_error"], rtol=1e-10)
    np.testing.assert_allclose(df[0], expected["df"], rtol=1e-10)


# --- written out --------------------------------------------------------------------------


def root(matrix: np.ndarray, power: float) -> np.ndarray:
    values, vectors = np.linalg.eigh(matrix)
    powers = np.where(values > 1e-10, np.maximum(values, 1e-10) ** power, 0.0)
    return (vectors * powers) @ vectors.T


def clubsandwich(dense: Dense, psi: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Standard errors and df by N x N matrices (Pustejovsky & Tipton 2018, sections 2 and 3)."""
    V, X = dense.V(psi), dense.X
    M = dense.C(psi)
    beta = M @ X.T @ np.linalg.solve(V, dense.y)
    residual = dense.y - X @ beta
    I_H = np.eye(len(V)) - X @ M @ X.T @ np.linalg.inv(V)
    scores, weights = [], []
    for g in np.unique(dense.codes):
        rows = dense.codes == g
        here = V[np.ix_(rows, rows)]
        D = np.linalg.cholesky(here).T
        B = here - X[rows] @ M @ X[rows].T
        A = D.T @ root(D @ B @ D.T, -0.5) @ D
        E = M @ X[rows].T @ np.linalg.solve(here, A)
        scores.append(E @ residual[rows])
        weights.append(E @ I_H[rows])
    std_error = np.sqrt((np.array(scores) ** 2).sum(axis=0))
    P = np.einsum("gki,ij,hkj->kgh", weights, V, weights)
    df = np.trace(P, axis1=1, axis2=2) ** 2 / (P**2).sum(axis=(1, 2))
    return std_error, df


@given(fit=fits())
@few
def test_is_cr2_written_out(fit):
    shard, random, factor = fit
    found = of_coefficients(point_at(shard, random, factor), shard)
    expected = clubsandwich(Dense.of(shard, random), factor @ factor.T)
    for numbers, given_numbers in zip(found, expected, strict=True):
        np.testing.assert_allclose(numbers[0], given_numbers, rtol=1e-7)


def test_any_contrast():
    """What is tested of X's coefficients is, in other coordinates of X, one of them."""
    shard = random_shard(8, 1, 6, 3, (4, 9))
    T = np.array([[1.0, 2.0, -1.0], [0.0, 3.0, 0.5], [0.0, 1.0, 2.0]])
    turned = Shard(shard.y, shard.X @ np.linalg.inv(T), shard.n, shard.terms)
    factor = np.array([[0.7, 0.0, 0.0], [0.2, 0.5, 0.0], [-0.1, 0.3, 0.0]])
    point = point_at(shard, [0, 1, 2], factor)
    variance, df = cr2(Sandwich.of(point, T @ contrasts_of(point)))
    other = point_at(turned, [0, 1, 2], T @ factor)
    std_error, expected = of_coefficients(other, turned)
    np.testing.assert_allclose(point.criterion.scale[0] * np.sqrt(variance), std_error, rtol=1e-9)
    np.testing.assert_allclose(df, expected, rtol=1e-9)


# --- in closed form -----------------------------------------------------------------------


@pytest.mark.parametrize("random", [[0], [1], [0, 1, 2]])
def test_without_random_variance_it_is_that_of_least_squares(random):
    shard = random_shard(3, 4, 8, 3, (3, 9))
    found = of_coefficients(point_at(shard, random, np.zeros((len(random),) * 2)), shard)
    expected = fitted(shard, "cluster_robust", variance="CR2", df="satterthwaite")
    np.testing.assert_allclose(found[0], expected.std_error, rtol=1e-11)
    np.testing.assert_allclose(found[1], expected.df, rtol=1e-11)


@pytest.mark.parametrize("size", [0.0, 0.3, 4.0, 1e4, 1e6])
@pytest.mark.parametrize("random", [[0], [0, 2], [0, 1, 2]])
def test_of_equal_clusters_it_is_two_stage(random, size):
    """Whatever the random variances; as they grow, so does the condition of V."""
    shard = equal_clusters()
    std_error, df = of_coefficients(point_at(shard, random, size * np.eye(len(random))), shard)
    expected = fitted(shard, "two_stage")
    np.testing.assert_allclose(std_error, expected.std_error, rtol=1e-8)
    np.testing.assert_allclose(df, shard.clusters - 1, rtol=1e-8)


def test_a_cluster_of_one_row_and_one_without_variation():
    shard = random_shard(5, 1, 7, 3, (1, 4))
    shard.X[shard.cluster_codes(0) == 2, 1:] = 0.5
    assert (shard.n == 1).any()
    factor = np.array([[0.6, 0.0], [0.3, 0.4]])
    found = of_coefficients(point_at(shard, [0, 1], factor), shard)
    expected = clubsandwich(Dense.of(shard, [0, 1]), factor @ factor.T)
    np.testing.assert_allclose(np.squeeze(found), expected, rtol=1e-9)


@pytest.mark.parametrize("sizes", [[6, 6], [5, 8]])
def test_as_many_arms_as_clusters_leave_no_variance(sizes):
    """Their residuals add up to zero in each cluster, whatever the response."""
    treated = np.repeat([0.0, 1.0], sizes)
    X = np.column_stack([np.ones_like(treated), treated])
    y = np.random.default_rng(1).standard_normal(treated.size)
    shard = Shard(y, X, np.array([sizes]), ("(Intercept)", "x"))
    std_error, df = of_coefficients(point_at(shard, [0], np.array([[0.8]])), shard)
    assert (std_error == 0.0).all() and np.isnan(df).all()


def test_in_the_mean_over_the_working_model_the_variance_is_right():
    """The weights of the clusters' residuals alone; V right, CR2 has no bias."""
    G, n, sigma = 5, 4, 0.7
    rng = np.random.default_rng(6)
    X = np.column_stack([np.ones(G * n), rng.standard_normal((G * n, 2))])
    codes = np.repeat(np.arange(G), n)
    V = np.eye(G * n) + sigma**2 * (codes[:, None] == codes)
    # The variance is a quadratic form in y, of which the columns of V's root give the mean.
    responses = np.linalg.cholesky(V).T
    shard = Shard(
        responses.reshape(-1),
        np.tile(X, (G * n, 1)),
        np.full((G * n, G), n),
        ("(Intercept)", "x1", "x2"),
    )
    point = point_at(shard, [0], np.array([[sigma]]))
    std_error, _ = of_coefficients(point, shard)
    mean = (std_error**2).sum(axis=0)
    expected = np.diag(np.linalg.inv(X.T @ np.linalg.solve(V, X)))
    np.testing.assert_allclose(mean, expected, rtol=1e-9)


def test_units_and_shifts_do_not_matter():
    shard = random_shard(6, 1, 8, 3, (4, 8))
    factor = np.array([[0.8, 0.0, 0.0], [0.1, 0.5, 0.0], [0.2, 0.0, 0.4]])
    units = np.array([1.0, 1e6, 1e-6])
    scaled = Shard(1e3 * (shard.y + 1e6), shard.X * units, shard.n, shard.terms)
    plain, df = of_coefficients(point_at(shard, [0, 1, 2], factor), shard)
    other = point_at(scaled, [0, 1, 2], factor / units[:, None])
    std_error, found = of_coefficients(other, scaled)
    np.testing.assert_allclose(std_error, 1e3 * plain / units, rtol=1e-7)
    np.testing.assert_allclose(found, df, rtol=1e-9)


@pytest.mark.parametrize("random", [[0], [0, 1, 2]])
def test_a_shift_of_the_predictors_leaves_their_slopes_alone(random):
    shard = random_shard(7, 1, 8, 3, (4, 8))
    moved = Shard(shard.y, shard.X + [0.0, 1e6, 1e6], shard.n, shard.terms)
    factor = (0.5 * np.tri(3))[: len(random), : len(random)]
    back = np.eye(3)
    back[0, 1:] = -1e6
    there = back[: len(random), : len(random)] @ factor
    plain = of_coefficients(point_at(shard, random, factor), shard)
    found = of_coefficients(point_at(moved, random, there), moved)
    np.testing.assert_allclose(np.array(found)[..., 1:], np.array(plain)[..., 1:], rtol=1e-8)


@given(
    seed=st.integers(0, 10**6),
    random=st.sampled_from([[0], [0, 1, 2]]),
    shift=st.sampled_from([-(2.0**20), 0.0, 2.0**10, 2.0**20]),
    beside=st.sampled_from([-(2.0**20), 0.0, 2.0**10, 2.0**20]),
    unit=st.sampled_from([1e-6, 1.0, 1e6]),
    of_clusters=st.booleans(),
)
@few
def test_response_and_predictors_may_both_be_far_from_zero(
    seed, random, shift, beside, unit, of_clusters
):
    """The intercept is then another combination of the coefficients."""
    shard = random_shard(seed, 1, 8, 3, (4, 8))
    if of_clusters and random == [0]:
        shard.X[:, 2] = np.random.default_rng(seed).standard_normal(8)[shard.cluster_codes(0)]
    # What is left of the data's own digits once they are shifted.
    shard.X[:, 1:] = (shard.X[:, 1:] + shift) - shift
    shard.y[:] = (shard.y + beside) - beside
    there = shard.X + [0.0, shift, shift]
    moved = Shard(unit * (shard.y + beside), there, shard.n, shard.terms)
    back = np.eye(3)
    back[0, 1:] = -shift
    q = len(random)
    factor = (0.5 * np.tri(3))[:q, :q]
    point = point_at(shard, random, factor)
    variance, df = cr2(Sandwich.of(point, back @ contrasts_of(point)))
    expected = unit * point.criterion.scale[0] * np.sqrt(variance)
    std_error, found = of_coefficients(point_at(moved, random, back[:q, :q] @ factor), moved)
    rtol = 1e-11 + 5e-15 * (abs(shift) + abs(beside))
    np.testing.assert_allclose(std_error, expected, rtol=rtol)
    np.testing.assert_allclose(found, df, rtol=rtol)


@pytest.mark.parametrize("share", [1e-2, 1e-6, 1e-9])
def test_a_cluster_that_tells_nearly_all(share):
    """One coefficient of least squares, `share` of what is known of it from the other clusters.

    With h_g the clusters' leverages, P_gg = h_g and P_gh = -h_g h_h / sqrt((1 - h_g)(1 - h_h)).
    """
    G, n = 6, 4
    rng = np.random.default_rng(2)
    x = rng.standard_normal((G, n))
    x[1:] *= np.sqrt(share * (x[0] @ x[0]) / (x[1:] ** 2).sum())
    shard = Shard.balanced(rng.standard_normal((1, G, n)), x[None, ..., None], ("x",))
    _, df = of_coefficients(point_at(shard, [0], np.zeros((1, 1))), shard)
    known = (x * x).sum(axis=1)
    others = np.array([np.delete(known, g).sum() for g in range(G)])
    h, rest = known / known.sum(), others / known.sum()
    P = np.outer(h, h) / np.sqrt(np.outer(rest, rest))
    P[np.diag_indices(G)] = h
    np.testing.assert_allclose(df[0, 0], 1.0 / (P**2).sum(), rtol=1e-15 / share + 1e-12)


# --- bits ---------------------------------------------------------------------------------


@pytest.mark.parametrize("random", [[0], [0, 2], [0, 1, 2]])
@pytest.mark.parametrize("rows", [7, (4, 9)])
def test_bits_do_not_depend_on_the_shard(random, rows):
    """Nor on a neighbour whose iteration goes on for longer: datasets of very unlike variances."""
    shard = join(random_shard(12, 5, 9, 3, rows), random_shard(13, 1, 9, 3, rows))
    factors = np.array([0.0, 0.3, 1.0, 1e2, 1e4, 1.0])[:, None, None] * np.tri(len(random))
    point = point_at(shard, random, factors)
    whole = cr2(Sandwich.of(point, contrasts_of(point)))
    for sim in range(shard.sims):
        one = shard.dataset(sim)
        alone = point_at(one, random, factors[sim])
        for numbers, single in zip(
            whole, cr2(Sandwich.of(alone, contrasts_of(alone))), strict=True
        ):
            assert np.array_equal(numbers[sim], single[0])
