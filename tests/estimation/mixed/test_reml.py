from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from clustrategy.core.shard import INTERCEPT, Shard
from clustrategy.estimation.mixed import reml
from clustrategy.estimation.mixed.covariance import columnwise, directions
from clustrategy.estimation.mixed.models import random_columns
from clustrategy.estimation.mixed.reml import Criterion, Derivatives
from tests.dense import Dense, gradient, hessian, lower
from tests.material import few, fit, fitted, golden, join, random_shard

MODELS = ("mixed_maximal", "mixed_intercept")
# q, p and the least and largest cluster: with clusters smaller than q, and q from 1 to 6.
DESIGNS = [
    (1, 1, (3, 8)),
    (1, 4, (2, 9)),
    (2, 2, (1, 9)),
    (2, 5, (2, 9)),
    (3, 3, (2, 9)),
    (4, 4, (2, 12)),
    (5, 6, (4, 15)),
    (6, 6, (3, 20)),
]


def design(q: int, p: int, rows: tuple[int, int]) -> tuple[Shard, np.ndarray]:
    """A dataset, and the columns with random coefficients: every other one first, then the rest."""
    order = np.concatenate([np.arange(0, p, 2), np.arange(1, p, 2)])
    return random_shard(10 * q + p, 1, 8, p, rows), np.sort(order[:q])


def somewhere(criterion: Criterion, rank: int, seed: int = 1) -> np.ndarray:
    """(1, q, q) a lower triangular factor of that rank."""
    factor = np.tril(np.random.default_rng(seed).standard_normal((1, criterion.q, criterion.q)))
    factor[:, :, rank:] = 0.0
    return factor


def covariance(criterion: Criterion, factor: np.ndarray) -> np.ndarray:
    """Psi in the units of the data."""
    root = criterion.random_root[0] @ factor[0]
    return root @ root.T


@pytest.fixture(params=DESIGNS, ids=lambda d: f"q{d[0]}p{d[1]}")
def made(request) -> tuple[Criterion, Dense]:
    shard, random = design(*request.param)
    return Criterion.of(shard.triangles, shard.n_obs, random), Dense.of(shard, random)


def along(derivatives: Derivatives, D: np.ndarray) -> np.ndarray:
    """Directions (k, q, q) as `gradient`, `hessian` and `information` take them."""
    return D.reshape(1, len(D), -1)


def symmetric(q: int, seed: int = 2) -> np.ndarray:
    """Directions that span the symmetric matrices, none of them simple."""
    D = np.random.default_rng(seed).standard_normal((q * (q + 1) // 2, q, q))
    return D + D.transpose(0, 2, 1)


# --- the criterion ------------------------------------------------------------------------


def test_criterion_estimates_and_their_covariance_are_those_of_generalised_least_squares(made):
    criterion, dense = made
    for rank in {criterion.q // 2, criterion.q}:
        factor = somewhere(criterion, rank)
        point, psi = criterion.at(factor), covariance(criterion, factor)
        _, beta, rss = dense.parts(psi)
        value = point.value + criterion.constant
        np.testing.assert_allclose(value, dense.criterion(psi), rtol=0, atol=1e-10)
        np.testing.assert_allclose(criterion.estimate(point.beta)[0], beta, atol=1e-11)
        np.testing.assert_allclose(criterion.scale**2 * point.rss, rss, rtol=1e-11)
        C, contrasts = dense.C(psi), (criterion.root @ point.J)[0]
        np.testing.assert_allclose(contrasts @ contrasts.T, C, atol=1e-11 * np.abs(C).max())


def test_without_random_coefficients_it_is_least_squares():
    shard, random = design(2, 3, (4, 9))
    criterion = Criterion.of(shard.triangles, shard.n_obs, random)
    point = criterion.at(np.zeros((1, 2, 2)))
    ols = fit(shard, "ols")
    np.testing.assert_allclose(criterion.estimate(point.beta), ols.estimate, rtol=1e-12)
    sigma = criterion.scale * np.sqrt(point.rss / criterion.nu)
    contrasts = criterion.root @ point.J
    np.testing.assert_allclose(
        sigma[:, None] * np.sqrt((contrasts**2).sum(axis=2)), ols.std_error, rtol=1e-12
    )


def test_in_its_coordinates_x_is_orthogonal_and_the_residuals_are_of_unit_size(made):
    criterion, _ = made
    p = criterion.p
    point = criterion.at(np.zeros((1, criterion.q, criterion.q)))
    rows = criterion.nu[0] + p
    np.testing.assert_allclose(point.J[0] @ point.J[0].T, np.eye(p) / rows, atol=1e-13)
    np.testing.assert_allclose(point.beta, 0.0, atol=1e-13)
    np.testing.assert_allclose(point.rss, rows, rtol=1e-13)


def test_taking_some_datasets_is_having_had_them_alone():
    shard = random_shard(3, 5, 7, 3, (4, 9))
    random = np.array([0, 2])
    whole = Criterion.of(shard.triangles, shard.n_obs, random)
    factor = np.tril(np.random.default_rng(0).standard_normal((5, 2, 2)))
    chosen = np.array([4, 1, 1])
    taken = whole.take(chosen)
    values = whole.at(factor).value
    assert taken.sims == 3 and np.array_equal(taken.at(factor[chosen]).value, values[chosen])
    for sim in range(5):
        one = shard.dataset(sim)
        alone = Criterion.of(one.triangles, one.n_obs, random)
        assert alone.at(factor[sim : sim + 1]).value[0] == values[sim]


def test_pieces_of_the_clusters_add_up_to_all_of_them(monkeypatch):
    """Of 8 clusters 3, 3 and 2, as of 50,000 ones 5,000 at a time."""
    shard, random = design(4, 5, (2, 9))
    criterion = Criterion.of(shard.triangles, shard.n_obs, random)
    for structured in (criterion, criterion.diagonal()):
        factor = structured.structure.uniform(0.7, 1)
        whole = structured.at(factor).derivatives()
        monkeypatch.setattr(reml, "CLUSTERS_AT_ONCE", 3)
        parts = structured.at(factor).derivatives()
        monkeypatch.undo()
        of_point, of_derivatives = (
            "value beta rss J N W residual",
            "slope expected squares NN Nu uu",
        )
        for found, expected, names in (
            (parts.point, whole.point, of_point),
            (parts, whole, of_derivatives),
        ):
            for name in names.split():
                one, other = getattr(found, name), getattr(expected, name)
                np.testing.assert_allclose(one, other, rtol=0, atol=1e-13 * np.abs(other).max())


def test_in_other_coordinates_it_is_the_same_model(made):
    """Recentred where the point is, or elsewhere; turned, a zero variance among those of Psi."""
    criterion, dense = made
    for rank in {criterion.q // 2, criterion.q}:
        elsewhere = criterion.at(30.0 * somewhere(criterion, criterion.q, 5))
        factor = 30.0 * somewhere(criterion, rank)
        psi = covariance(criterion, factor)
        _, beta, rss = dense.parts(psi)
        other, turned = criterion.recentred(elsewhere).turned(factor)
        assert np.abs(turned).max() < 1.0 + 1e-9
        for good in (other, criterion.put(np.array([0]), other)):
            np.testing.assert_allclose(covariance(good, turned), psi, atol=1e-11 * psi.max())
            point = good.at(turned)
            found = point.reml_criterion
            np.testing.assert_allclose(found, dense.criterion(psi), rtol=0, atol=1e-8)
            np.testing.assert_allclose(good.estimate(point.beta)[0], beta, atol=1e-9)
            np.testing.assert_allclose(good.scale**2 * point.rss, rss, rtol=1e-9)
            C, contrasts = dense.C(psi), (good.root @ point.J)[0]
            np.testing.assert_allclose(contrasts @ contrasts.T, C, atol=1e-9 * np.abs(C).max())
            np.testing.assert_allclose(good.nu, good.recentred(point).at(turned).rss, rtol=1e-9)


# --- its derivatives ----------------------------------------------------------------------


def test_derivatives_by_theta_are_those_of_the_dense_criterion(made):
    criterion, dense = made
    for rank in {criterion.q // 2, criterion.q}:
        factor = somewhere(criterion, rank)
        rows, columns = columnwise(criterion.q)

        def value(theta):
            root = criterion.random_root[0] @ lower(theta)
            return dense.criterion(root @ root.T)

        slope, bend = criterion.at(factor).derivatives().by_theta()
        at = factor[0, rows, columns]
        expected = hessian(value, at)
        np.testing.assert_allclose(slope[0], gradient(value, at), atol=1e-10)
        np.testing.assert_allclose(bend[0], expected, atol=1e-9 * np.abs(expected).max())


def test_derivatives_by_psi_are_those_of_the_dense_criterion(made):
    criterion, dense = made
    factor = somewhere(criterion, criterion.q)
    D = symmetric(criterion.q)

    def value(weights):
        change = np.tensordot(weights, D, 1)
        inside = factor[0] @ factor[0].T + change
        return dense.criterion(criterion.random_root[0] @ inside @ criterion.random_root[0].T)

    derivatives = criterion.at(factor).derivatives()
    zero = np.zeros(len(D))
    slope = derivatives.gradient(along(derivatives, D))[0]
    np.testing.assert_allclose(slope, gradient(value, zero), atol=1e-10)
    bend = derivatives.hessian(along(derivatives, D))[0]
    expected = hessian(value, zero, step=2e-4)
    np.testing.assert_allclose(bend, expected, atol=1e-7 * np.abs(expected).max())


def test_information_is_that_of_psi_where_sigma_is_estimated_too(made):
    """tr(Q V_D Q V_E) - tr(Q V_D) tr(Q V_E) / nu, the Schur complement of sigma's."""
    criterion, dense = made
    factor = somewhere(criterion, criterion.q)
    psi, D = covariance(criterion, factor), symmetric(criterion.q)
    root = criterion.random_root[0]
    Q = dense.Q(psi)
    QV = np.array([Q @ dense.spread(root @ d @ root.T) for d in D])
    traces = np.trace(QV, axis1=1, axis2=2)
    expected = np.einsum("dij,eji->de", QV, QV) - np.outer(traces, traces) / dense.nu
    derivatives = criterion.at(factor).derivatives()
    found = derivatives.information(along(derivatives, D))[0]
    np.testing.assert_allclose(found, expected, atol=1e-11 * np.abs(expected).max())
    assert np.linalg.eigvalsh(found)[0] > 0


def test_the_hessian_is_the_information_in_the_mean_over_responses():
    """But for a factor: r^2 is not nu sigma^2, it is estimated.

    Qy over its length is uniform on a sphere of nu dimensions, whose moments of order 4 make the
    mean of the second derivative nu / (nu + 2) times the information. Here 4000 responses.
    """
    shard, random = design(2, 2, (3, 9))
    base = Dense.of(shard, random)
    rng = np.random.default_rng(0)
    sims = 4000
    criterion = Criterion.of(shard.triangles, shard.n_obs, random)
    factor = somewhere(criterion, 2)
    half = np.linalg.cholesky(base.V(covariance(criterion, factor)))
    y = (half @ rng.standard_normal((len(shard.y), sims))).T.reshape(-1)
    many = Shard(y, np.tile(shard.X, (sims, 1)), np.repeat(shard.n, sims, axis=0), shard.terms)
    all_of_them = Criterion.of(many.triangles, many.n_obs, random)
    derivatives = all_of_them.at(np.repeat(factor, sims, axis=0)).derivatives()
    D = np.repeat(along(derivatives, symmetric(2)), sims, axis=0)
    bends = derivatives.hessian(D)
    mean, error = bends.mean(axis=0), bends.std(axis=0) / np.sqrt(sims)
    information = derivatives.information(D)[0]
    nu = base.nu
    assert (np.abs(mean - nu / (nu + 2) * information) < 4 * error).all()
    assert (error < 0.05 * np.abs(information).max()).all()


@pytest.mark.parametrize("q", range(1, 7))
def test_directions_are_the_changes_of_psi_with_each_element_of_theta(q):
    factor = np.tril(np.random.default_rng(q).standard_normal((3, q, q)))
    rows, columns = columnwise(q)
    assert (rows >= columns).all() and (np.diff(columns) >= 0).all()
    D = directions(factor).reshape(3, -1, q, q)
    for sim in range(3):
        theta = factor[sim, rows, columns]
        for i in range(q):
            for j in range(q):
                expected = gradient(lambda t, i=i, j=j: (lower(t) @ lower(t).T)[i, j], theta)
                np.testing.assert_allclose(D[sim, :, i, j], expected, atol=1e-14)


# --- units and origins --------------------------------------------------------------------


def same(found, expected, to: float) -> None:
    """The same standard errors, df and estimates (in standard errors)."""
    unit = expected.std_error
    np.testing.assert_allclose(found.std_error, unit, rtol=to)
    np.testing.assert_allclose(found.estimate / unit, expected.estimate / unit, rtol=0, atol=to)
    np.testing.assert_allclose(found.df, expected.df, rtol=10 * to)


def regular_and_singular() -> Shard:
    shard = join(random_shard(1, 2, 10, 3, (4, 9)), random_shard(12, 2, 10, 3, (12, 20)))
    assert set(fit(shard, "mixed_maximal").status) == {"ok", "singular"}
    return shard


@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize("scale", [1e6, 1e-6])
def test_units_do_not_matter(model, scale):
    shard = regular_and_singular()
    plain = fitted(shard, model)
    df = shard.n_obs - shard.p
    found = fitted(Shard(scale * shard.y, shard.X, shard.n, shard.terms), model)
    shift = 2 * df * np.log(scale)
    np.testing.assert_allclose(
        found.reml_criterion - shift, plain.reml_criterion, rtol=0, atol=1e-9
    )
    np.testing.assert_allclose(found.sigma, scale * plain.sigma, rtol=1e-11)
    np.testing.assert_allclose(found.theta, plain.theta, atol=1e-9)
    for numbers in (found.estimate, found.std_error):
        numbers /= scale
    same(found, plain, 1e-11)
    units = np.array([1.0, scale, 1.0])
    found = fitted(Shard(shard.y, shard.X * units, shard.n, shard.terms), model)
    shift = 2 * np.log(scale)  # of log|X' V^-1 X|
    np.testing.assert_allclose(
        found.reml_criterion - shift, plain.reml_criterion, rtol=0, atol=1e-9
    )
    for numbers in (found.estimate, found.std_error):
        numbers *= units
    same(found, plain, 1e-11)


@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize("what", ["response", "predictor"])
def test_a_shift_by_a_million_leaves_nine_digits(model, what):
    """The data themselves have lost six of sixteen digits then."""
    shard = regular_and_singular()
    plain = fitted(shard, model)
    y, X = shard.y.copy(), shard.X.copy()
    if what == "response":
        y += 1e6
    else:
        X[:, 1] += 1e6
    found = fitted(Shard(y, X, shard.n, shard.terms), model)
    np.testing.assert_allclose(found.reml_criterion, plain.reml_criterion, rtol=0, atol=1e-6)
    np.testing.assert_allclose(found.sigma, plain.sigma, rtol=1e-8)
    if what == "response":
        found.estimate[:, 0] -= 1e6
        same(found, plain, 1e-8)
        return
    slopes = slice(1, None)
    unit = plain.std_error[:, slopes]
    np.testing.assert_allclose(found.std_error[:, slopes], unit, rtol=1e-8)
    difference = (found.estimate - plain.estimate)[:, slopes] / unit
    np.testing.assert_allclose(difference, 0.0, atol=1e-8)
    if model == "mixed_maximal":  # with (1 | cluster) alone the same; df of slopes all the same
        np.testing.assert_allclose(found.df[:, slopes], plain.df[:, slopes], rtol=1e-7)


def test_the_model_is_the_same_in_other_coordinates_of_the_predictors():
    """X T for any T, as long as all columns are random: fitted values and criterion stay."""
    shard = regular_and_singular()
    plain = fitted(shard, "mixed_maximal")
    T = np.array([[1.0, 2.0, -1.0], [0.0, 3.0, 0.5], [0.0, 1.0, 2.0]])
    found = fitted(Shard(shard.y, shard.X @ T, shard.n, shard.terms), "mixed_maximal")
    np.testing.assert_allclose(found.estimate @ T.T, plain.estimate, atol=1e-8)
    np.testing.assert_allclose(found.sigma, plain.sigma, rtol=1e-8)
    shift = 2 * np.log(np.abs(np.linalg.det(T)))
    np.testing.assert_allclose(
        found.reml_criterion - shift, plain.reml_criterion, rtol=0, atol=1e-8
    )


# --- designs of many kinds ----------------------------------------------------------------


@st.composite
def designs(draw: st.DrawFn) -> Shard:
    """One dataset of up to 6 coefficients, some predictors constant within clusters."""
    p = draw(st.integers(1, 6))
    clusters = draw(st.integers(p + 2, 12))
    shard = random_shard(draw(st.integers(0, 10**6)), 1, clusters, p, (p + 1, p + 10))
    codes = shard.cluster_codes(0)
    for column in range(1, p):
        if draw(st.booleans()):
            shard.X[:, column] = np.random.default_rng(column).standard_normal(clusters)[codes]
    return shard


@given(shard=designs())
@few
def test_numbers_of_a_fit_belong_to_its_theta(shard):
    random = np.flatnonzero(random_columns(shard)[0])
    for model, columns in zip(MODELS, (random, [0]), strict=True):
        found = fitted(shard, model)
        q = len(columns)
        assert found.theta.shape == (1, q * (q + 1) // 2)
        dense = Dense.of(shard, columns)
        criterion, beta, std_error, sigma = dense.fit(found.theta[0])
        np.testing.assert_allclose(found.reml_criterion[0], criterion, rtol=0, atol=1e-8)
        np.testing.assert_allclose(found.estimate[0], beta, rtol=1e-8, atol=1e-8)
        np.testing.assert_allclose(found.std_error[0], std_error, rtol=1e-8)
        np.testing.assert_allclose(found.sigma[0], sigma, rtol=1e-8)


@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize("name", ["orthodont", "one-cluster-dummy", "sleepstudy-unbalanced"])
def test_numbers_of_real_designs_belong_to_their_theta(name, model):
    shard = golden(name)
    random = [0] if model == "mixed_intercept" else np.flatnonzero(random_columns(shard)[0])
    found = fitted(shard, model)
    criterion, beta, std_error, _ = Dense.of(shard, random).fit(found.theta[0])
    np.testing.assert_allclose(found.reml_criterion[0], criterion, rtol=0, atol=1e-9)
    np.testing.assert_allclose(found.estimate[0], beta, rtol=1e-9, atol=1e-10)
    np.testing.assert_allclose(found.std_error[0], std_error, rtol=1e-9)


def test_datasets_of_one_shard_may_differ_in_which_predictors_are_random():
    varying = random_shard(5, 1, 8, 3, (5, 9))
    constant = Shard(varying.y, varying.X.copy(), varying.n, varying.terms)
    constant.X[:, 1] = np.linspace(-1.0, 1.0, 8)[constant.cluster_codes(0)]
    both = fitted(join(varying, constant, varying), "mixed_maximal")
    assert np.isfinite(both.theta).sum(axis=1).tolist() == [6, 3, 6]
    for place, shard in enumerate((varying, constant, varying)):
        alone = fitted(shard, "mixed_maximal")
        assert np.array_equal(both.estimate[place], alone.estimate[0])
        assert np.array_equal(both.df[place], alone.df[0])


def test_slopes_without_an_intercept():
    full = random_shard(1, 1, 8, 3, 8)
    shard = Shard(full.y, full.X[:, 1:], full.n, full.terms[1:])
    assert INTERCEPT not in shard.terms
    found = fitted(shard, "mixed_maximal")
    criterion, beta, std_error, _ = Dense.of(shard, [0, 1]).fit(found.theta[0])
    np.testing.assert_allclose(found.reml_criterion[0], criterion, rtol=0, atol=1e-9)
    np.testing.assert_allclose(found.estimate[0], beta, rtol=1e-10)
    np.testing.assert_allclose(found.std_error[0], std_error, rtol=1e-10)


def test_size_of_random_effects_by_moments():
    # Of variance 5, clusters' sums 4, -4, 4, -4: (4 * 16 / 5 - 8) / (4 * 2^2 - 4 * 16 / 5) = 1.5.
    y = np.array([[[1.0, 3.0], [-3.0, -1.0], [1.0, 3.0], [-3.0, -1.0]]])
    alike = np.array([[[1.0, -1.0], [2.0, -2.0], [-3.0, 3.0], [0.5, -0.5]]])
    between = np.repeat([[[1.0], [-1.0], [2.0], [-2.0]]], 2, axis=2)
    for response, expected in ((y, np.sqrt(1.5)), (alike, 0.0), (between, 1e3)):
        shard = Shard.balanced(100.0 + 7.0 * response, np.ones((1, 4, 2, 1)), ("(Intercept)",))
        criterion = Criterion.of(shard.triangles, shard.n_obs, np.array([0]))
        found = np.minimum(criterion.moment_size(), 1e3)  # infinite but for rounding
        np.testing.assert_allclose(found, expected, rtol=1e-12)


def test_a_point_with_another_one_for_some_datasets():
    shard = random_shard(6, 3, 6, 2, (4, 9))
    criterion = Criterion.of(shard.triangles, shard.n_obs, np.arange(2))
    here, there = (criterion.at(criterion.structure.uniform(size, 3)) for size in (0.3, 2.0))
    both = criterion.at(criterion.structure.uniform(np.array([0.3, 2.0, 0.3]), 3))
    found = here.put(np.array([1]), there)
    for name in ("factor", "value", "N", "W", "residual", "J", "beta", "rss"):
        assert np.array_equal(getattr(found, name), getattr(both, name)), name
    assert not np.array_equal(here.value, both.value)
