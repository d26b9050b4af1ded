from __future__ import annotations

import warnings

import numpy as np
import pytest
import scipy.optimize
from hypothesis import given, settings
from hypothesis import strategies as st

from clustrategy.core.shard import INTERCEPT, Shard
from clustrategy.dgp import Process, simulate
from clustrategy.estimation.mixed import fit as fitting
from clustrategy.estimation.mixed import optimizer
from clustrategy.estimation.mixed.optimizer import Minimum, minimise
from clustrategy.estimation.mixed.reml import Criterion
from tests.dense import Dense, lower
from tests.material import few, fit, needs_glmm, random_shard, same_bits, shards

MODELS = ("mixed_maximal", "mixed_intercept")
pytestmark = pytest.mark.filterwarnings("error::RuntimeWarning")


def ragged(
    seed: int, sims: int = 40, clusters: int = 8, q: int = 4, p: int = 4, spread: float = 3.0
) -> Shard:
    """Clusters of 1 to q + 7 rows, so of fewer than q too, the first p - q columns not random."""
    rng = np.random.default_rng(seed)
    n = rng.integers(1, q + 8, (sims, clusters))
    n[:, 0] += np.maximum(0, clusters * q + p + 2 - n.sum(axis=1))
    codes = np.repeat(np.arange(n.size), n.reshape(-1))
    X = rng.standard_normal((codes.size, p))
    X[:, 0] = 1.0
    b = spread * rng.standard_normal((n.size, q)) @ rng.standard_normal((q, q))
    y = (X[:, :q] * b[codes]).sum(axis=1) + rng.standard_normal(codes.size)
    return Shard(y, X, n, (INTERCEPT, *(f"x{k}" for k in range(1, p))))


@st.composite
def raggeds(draw: st.DrawFn) -> tuple[Shard, int]:
    """Such shards of one to four random coefficients, and how many."""
    q = draw(st.integers(1, 4))
    p = q + draw(st.integers(0, 2))
    clusters, spread = draw(st.integers(2, 12)), draw(st.sampled_from([0.01, 0.3, 3.0, 30.0]))
    return ragged(draw(st.integers(0, 10**6)), 12, clusters, q, p, spread), q


def tiny(sigma: float, sims: int) -> Shard:
    """Datasets of 10 clusters, 5 rows and 4 coefficients each."""
    process = Process(10, 5, sigma, 3, {"uniform": [0, 1]}, 1.0)
    return simulate(process, 7, {"clusters": 10, "s": sigma}, range(sims)).shard


def criterion_of(shard: Shard, q: int) -> Criterion:
    return Criterion.of(shard.triangles, shard.n_obs, np.arange(q))


def is_optimum(criterion: Criterion, minimum: Minimum) -> np.ndarray:
    """(S,) the conditions of Karush, Kuhn and Tucker for the least over semidefinite Psi.

    The derivative with respect to Psi vanishes on the range of Psi and is positive semidefinite:
    along no unit vector v does the slope -s against vv' promise to lower the criterion by more
    than s^2 / 2c, c the curvature there.
    """
    derivatives = criterion.at(minimum.factor).derivatives()
    S, q = criterion.sims, criterion.q
    psi, slope = derivatives.point.psi, derivatives.slope
    spread = 1.0 + np.abs(psi).max(axis=(1, 2))
    vanishes = np.abs(slope @ psi).max(axis=(1, 2)) < 1e-3 * spread
    values, vectors = np.linalg.eigh(slope)
    v = vectors[:, :, 0]
    along = (v[:, :, None] * v[:, None, :]).reshape(S, 1, q * q)
    curvature = np.abs(derivatives.hessian(along)[:, 0, 0])
    return vanishes & (np.minimum(values[:, 0], 0.0) ** 2 <= 2.1e-8 * curvature)


def by_bfgs(criterion: Criterion, starts: int, size: float = 2.0) -> float:
    """The least criterion of the one dataset that another method reaches from random starts."""

    def value_and_gradient(theta: np.ndarray):
        point = criterion.at(lower(theta)[None])
        return point.value[0], point.derivatives().by_theta()[0][0]

    rng = np.random.default_rng(0)
    k = criterion.q * (criterion.q + 1) // 2
    found = [
        scipy.optimize.minimize(
            value_and_gradient, size * rng.standard_normal(k), jac=True, options={"gtol": 1e-6}
        ).fun
        for _ in range(starts)
    ]
    return min(found)


# --- how low it goes ----------------------------------------------------------------------


@needs_glmm
@given(shard=shards())
@few
def test_the_criterion_is_not_above_glmms(shard):
    for model in MODELS:
        found, other = fit(shard, model), fit(shard, model, engine="glmm")
        both = np.isin(found.status, ["ok", "singular"]) & np.isin(other.status, ["ok", "singular"])
        assert both.any()
        assert (found.reml_criterion <= other.reml_criterion + 1e-7)[both].all()


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("q", [1, 2, 3])
def test_no_other_method_gets_lower_from_random_starts(seed, q):
    shard = random_shard(seed, 1, 8, 3, (5, 12))
    criterion = criterion_of(shard, q)
    minimum = minimise(criterion)
    found = criterion.at(minimum.factor).value[0]
    lowest = by_bfgs(criterion, starts=5)
    assert minimum.converged[0]
    np.testing.assert_allclose(found, lowest, rtol=0, atol=1e-6)
    assert found <= lowest + 1e-8


def test_of_several_minima_it_nearly_always_finds_the_least():
    """Against 10 random starts each; 600 tiny datasets, of which some 25 have several minima."""
    rng = np.random.default_rng(1)
    several = missed = 0
    for sigma in (1.0, 2.0, 4.0):
        criterion = criterion_of(tiny(sigma, 200), 4)
        found = criterion.at(minimise(criterion).factor).value
        many = criterion.take(np.tile(np.arange(200), 10))
        starts = np.tril(rng.standard_normal((2000, 4, 4)))
        starts *= 10.0 ** rng.uniform(-2.0, 1.3, (2000, 1, 1))
        ends = optimizer._trust_region(many, starts)
        values = np.where(ends.converged, many.at(ends.factor).value, np.inf).reshape(10, 200)
        spread = np.where(np.isfinite(values), values, -np.inf).max(axis=0) - values.min(axis=0)
        several += (spread > 1e-4).sum()
        missed += (found > values.min(axis=0) + 1e-6).sum()
    assert several >= 12
    assert missed <= 3  # 1 when this was written


@given(drawn=raggeds())
@settings(few, max_examples=40)
def test_it_ends_in_an_optimum_also_where_clusters_have_fewer_rows_than_coefficients(drawn):
    shard, q = drawn
    criterion = criterion_of(shard, q)
    minimum = minimise(criterion)
    assert minimum.converged.mean() > 0.9
    assert is_optimum(criterion, minimum)[minimum.converged].all()
    factor = minimum.factor
    assert np.array_equal(factor, np.tril(factor))


@pytest.mark.parametrize(
    ("seed", "clusters", "p", "sim"), [(4, 8, 4, 30), (44, 11, 5, 30)], ids=["8", "11"]
)
def test_a_winding_valley_along_the_boundary_is_followed_to_its_end(seed, clusters, p, sim):
    shard = ragged(seed, 40, clusters, 4, p).dataset(sim)
    criterion = criterion_of(shard, 4)
    minimum = minimise(criterion)
    assert minimum.converged[0] and is_optimum(criterion, minimum)[0]
    assert np.linalg.eigvalsh(criterion.at(minimum.factor).psi[0])[0] < 1e-12


def test_what_counts_as_converged_is_where_the_search_ended(monkeypatch):
    monkeypatch.setattr(optimizer, "MAX_ITERATIONS", 6)
    criterion = criterion_of(tiny(1.0, 200), 4)
    minimum = minimise(criterion)
    gradient, hessian = criterion.at(minimum.factor).derivatives().by_theta()
    gain = optimizer.QuadraticModel.of(gradient, hessian).largest_decrease
    assert 10 < minimum.converged.sum() < 190
    assert (gain[minimum.converged] < 1e-6).all() and (gain[~minimum.converged] > 1e-8).all()


def test_regular_optima_are_where_the_dense_gradient_vanishes():
    for seed in range(8):
        shard = random_shard(seed, 1, 12, 2, 9)
        criterion = criterion_of(shard, 2)
        factor = minimise(criterion).factor[0]
        root = criterion.random_root[0] @ factor
        dense = Dense.of(shard, [0, 1])
        psi = root @ root.T
        best = dense.criterion(psi)
        rng = np.random.default_rng(seed)
        for size in (1e-4, 1e-3, 1e-2):
            other = root + size * rng.standard_normal((2, 2))
            assert dense.criterion(other @ other.T) > best - 1e-9


# --- alone and among others ---------------------------------------------------------------


@pytest.fixture(scope="module")
def crowd() -> Shard:
    """60 datasets, among them singular ones and ones of several minima."""
    parts = [tiny(sigma, 20) for sigma in (0.1, 1.0, 4.0)]
    return Shard(
        np.concatenate([part.y for part in parts]),
        np.concatenate([part.X for part in parts]),
        np.concatenate([part.n for part in parts]),
        parts[0].terms,
    )


def some(shard: Shard, sims: range) -> Shard:
    rows = slice(shard.rows(sims[0]).start, shard.rows(sims[-1]).stop)
    return Shard(shard.y[rows], shard.X[rows], shard.n[sims[0] : sims[-1] + 1], shard.terms)


@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize("size", [1, 3, 7])
def test_the_bits_of_a_dataset_do_not_depend_on_its_shard(crowd, model, size):
    together = fit(crowd, model)
    assert {"ok", "singular"} == set(together.status)
    parts = [range(start, min(start + size, 60)) for start in range(0, 60, size)]
    alone = type(together).concatenate([fit(some(crowd, part), model) for part in parts])
    assert same_bits(together, alone)


@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize("at_once", [1, 70, 250, 10**9])
def test_nor_on_how_many_are_worked_on_at_once(crowd, monkeypatch, model, at_once):
    together = fit(crowd, model)
    monkeypatch.setattr(fitting, "CLUSTERS_AT_ONCE", at_once)
    assert same_bits(together, fit(crowd, model))


# --- no residual variance -----------------------------------------------------------------


@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize("beta", [(0.0, 0.0, 0.0), (3.0, 0.0, 0.0), (1.0, -2.0, 1e5)])
def test_a_response_that_the_predictors_explain_is_undefined(model, beta):
    shard = random_shard(1, 2, 6, 3, 8)
    found = fit(Shard(shard.X @ np.array(beta), shard.X, shard.n, shard.terms), model)
    assert list(found.status) == ["undefined"] * 2
    assert all("no residual variance" in message for message in found.message)
    assert np.isnan([found.estimate, found.std_error, found.df]).all()


@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize("scale", [1e-6, 1.0, 1e6])
def test_a_response_that_predictors_and_clusters_explain_is_undefined(model, scale):
    shard = random_shard(1, 3, 6, 3, 8)
    b = np.random.default_rng(0).standard_normal((18, 3))
    if model == "mixed_intercept":
        b[:, 1:] = b[0, 1:]
    y = scale * (shard.X * np.repeat(b, 8, axis=0)).sum(axis=1)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = fit(Shard(y, shard.X, shard.n, shard.terms), model)
    assert list(found.status) == ["undefined"] * 3
    assert all("no residual variance" in message for message in found.message)
    assert np.isnan([found.estimate, found.std_error, found.df]).all()


@pytest.mark.parametrize("model", MODELS)
def test_a_residual_variance_a_millionth_of_the_others_is_no_obstacle(model):
    """There the cluster coefficients are as good as known: two-stage is the answer."""
    shard = random_shard(1, 3, 6, 3, 8)
    rng = np.random.default_rng(0)
    b = rng.standard_normal((18, 3))
    if model == "mixed_intercept":
        b[:, 1:] = b[0, 1:]
    y = (shard.X * np.repeat(b, 8, axis=0)).sum(axis=1) + 1e-4 * rng.standard_normal(144)
    shard = Shard(y, shard.X, shard.n, shard.terms)
    found = fit(shard, model)
    assert list(found.status) == ["ok"] * 3
    columns = slice(0, 3 if model == "mixed_maximal" else 1)
    b = b.reshape(3, 6, 3)[..., columns]
    np.testing.assert_allclose(found.estimate[:, columns], b.mean(axis=1), atol=1e-3)
    deviation = b.std(axis=1, ddof=1) / np.sqrt(6)
    np.testing.assert_allclose(found.std_error[:, columns], deviation, rtol=1e-3)
    np.testing.assert_allclose(found.df[:, columns], 5.0, rtol=1e-5)
    np.testing.assert_allclose(found.sigma, 1e-4, rtol=0.3)


@pytest.mark.parametrize(
    ("clusters", "p", "rows"), [(6, 4, 8), (10, 4, 5), (12, 9, 12), (5, 3, 40)]
)
def test_the_bits_of_a_dataset_are_the_same_alone_and_among_others(clusters, p, rows):
    shard = random_shard(11, 40, clusters, p, rows)
    for model in MODELS:
        whole = fit(shard, model)
        for sim in range(shard.sims):
            alone = fit(shard.dataset(sim), model)
            for column in ("estimate", "std_error", "df", "reml_criterion", "theta"):
                ours, others = getattr(alone, column)[0], getattr(whole, column)[sim]
                np.testing.assert_array_equal(ours, others)
