from __future__ import annotations

from collections import Counter
from functools import partial

import numpy as np
import pytest
from hypothesis import given, settings

from clustrategy.core.shard import INTERCEPT, Shard
from clustrategy.estimation.mixed import optimizer
from clustrategy.estimation.mixed.models import random_columns
from clustrategy.estimation.mixed.optimizer import minimise
from clustrategy.estimation.mixed.reml import Criterion
from tests.dense import Dense, gradient, hessian
from tests.material import (
    few,
    fit,
    fitted,
    golden,
    join,
    random_shard,
    shards,
)
from tests.selection import EXPECTED, SELECTED, assert_is, drawn, tiny

pytestmark = pytest.mark.filterwarnings("error::RuntimeWarning")
UNCORRELATED = EXPECTED["uncorrelated"]


# --- lme4 ---------------------------------------------------------------------------------


@pytest.mark.parametrize("expected", UNCORRELATED, ids=lambda entry: entry["dataset"])
def test_uncorrelated_is_lme4s_on_the_golden_datasets(expected):
    assert_is(fit(golden(expected["dataset"]), "mixed_uncorrelated"), expected)


@pytest.mark.parametrize("name", SELECTED)
def test_uncorrelated_is_lme4s_on_small_ones_and_never_above(name):
    expected = SELECTED[name]["uncorrelated"]
    found = fit(drawn()[name], "mixed_uncorrelated")
    assert_is(found, expected)
    assert found.reml_criterion[0] < expected["lme4_reml"] + 1e-8


def test_the_uncorrelated_fits_hold_singular_ones():
    both = [*UNCORRELATED, *(entry["uncorrelated"] for entry in SELECTED.values())]
    several = Counter(min(2, sum(t < 1e-4 for t in one["theta"])) for one in both)
    assert several[0] >= 20 and several[1] >= 10 and several[2] >= 5


@pytest.mark.lme4
@pytest.mark.parametrize(
    ("engine", "scale", "to"),
    [("lme4", 1.0, 1e-3), ("lme4_unbounded", 1.0, 1e-6), ("lme4_unbounded", 1e3, 1e-6)],
)
def test_the_engines_of_lme4_give_each_random_coefficient_a_term(engine, scale, to, needs_r):
    shard = random_shard(3, 1, 12, 3, (4, 20))
    shard.X[:, 1] = scale * (shard.X[:, 1] + 1.0)
    found = fit(shard, "mixed_uncorrelated")
    other = fit(shard, "mixed_uncorrelated", engine=engine)
    np.testing.assert_allclose(found.reml_criterion, other.reml_criterion, rtol=0, atol=to)
    np.testing.assert_allclose(found.std_error, other.std_error, rtol=max(1e-5, to))
    np.testing.assert_allclose(found.theta, other.theta, rtol=1e-3, atol=to)
    np.testing.assert_allclose(found.df, other.df, rtol=1e-3)


# --- the model by hand --------------------------------------------------------------------


def deviance(dense: Dense, parameters: np.ndarray):
    """The REML deviance as a function of L's diagonal and sigma."""
    theta, sigma = parameters[:-1], parameters[-1]
    dets, _, rss = dense.parts(np.diag(theta * theta))
    return dets + dense.nu * np.log(2.0 * np.pi * sigma**2) + rss / sigma**2


def satterthwaite(dense: Dense, theta: np.ndarray, sigma: float) -> np.ndarray:
    """Degrees of freedom by the delta method, all derivatives taken numerically."""

    def variances(parameters: np.ndarray) -> np.ndarray:
        return parameters[-1] ** 2 * np.diag(dense.C(np.diag(parameters[:-1] ** 2)))

    at = np.append(theta, sigma)
    values, vectors = np.linalg.eigh(hessian(partial(deviance, dense), at))
    kept = values > 1e-8
    along = gradient(variances, at) @ vectors[:, kept]
    return 2.0 * variances(at) ** 2 / (2.0 * along**2 / values[kept]).sum(axis=1)


@given(shard=shards())
@settings(few, max_examples=15)
def test_numbers_of_an_uncorrelated_fit_belong_to_its_theta_which_is_an_optimum(shard):
    shard = shard.dataset(0)
    found = fitted(shard, "mixed_uncorrelated")
    theta, sigma = found.theta[0], found.sigma[0]
    assert theta.shape == (shard.p,) and (theta >= 0).all()
    dense = Dense.of(shard, range(shard.p))
    psi = np.diag(theta**2)
    criterion = dense.criterion(psi)
    _, beta, rss = dense.parts(psi)
    np.testing.assert_allclose(found.reml_criterion[0], criterion, rtol=0, atol=1e-9)
    np.testing.assert_allclose(found.estimate[0], beta, rtol=1e-8, atol=1e-9)
    np.testing.assert_allclose(sigma, np.sqrt(rss / dense.nu), rtol=1e-8)
    np.testing.assert_allclose(
        found.std_error[0], sigma * np.sqrt(np.diag(dense.C(psi))), rtol=1e-8
    )
    np.testing.assert_allclose(found.df[0], satterthwaite(dense, theta, sigma), rtol=1e-5)
    rng = np.random.default_rng(0)
    for step in (1e-3, 1e-2, 0.1, 1.0):
        other = theta + step * rng.standard_normal(theta.size)
        assert dense.criterion(np.diag(other**2)) > criterion - 1e-9


@pytest.mark.parametrize("seed", range(4))
def test_no_variance_that_is_zero_would_lower_the_criterion_were_it_not(seed):
    """And of those that are not zero the derivative vanishes: Karush, Kuhn and Tucker."""
    shard = tiny((0.1, 0.3, 0.6, 1.0)[seed], 40)
    criterion = Criterion.of(shard.triangles, shard.n_obs, np.arange(4)).diagonal()
    minimum = minimise(criterion)
    assert minimum.converged.all()
    point = minimum.point
    structure = point.criterion.structure
    slope = point.derivatives().slope
    slopes = structure.rank_one_directions(slope).slopes
    theta = structure.theta(point.factor)
    zero = np.abs(theta) < 1e-4
    assert zero.any() and not zero.all()
    assert (slopes[zero] > -1e-3).all()
    np.testing.assert_allclose((slopes * theta)[~zero], 0.0, atol=1e-3)


def test_of_several_minima_it_finds_the_least():
    """Against 8 random starts each; 200 tiny datasets, of which a few have several."""
    shard = tiny(2.0, 200)
    criterion = Criterion.of(shard.triangles, shard.n_obs, np.arange(4)).diagonal()
    found = minimise(criterion).point.reml_criterion - criterion.constant
    many = criterion.take(np.tile(np.arange(200), 8))
    rng = np.random.default_rng(1)
    starts = np.abs(rng.standard_normal((1600, 4))) * 10.0 ** rng.uniform(-2, 1.3, (1600, 1))
    ends = optimizer._trust_region(many.at(many.structure.factor(starts)))
    values = np.where(ends.converged, many.at(ends.factor).value, np.inf).reshape(8, 200)
    assert (values.max(axis=0) - values.min(axis=0) > 1e-4).sum() >= 1
    assert (found <= values.min(axis=0) + 1e-6).all()


def test_where_only_the_intercept_varies_all_models_are_one():
    shard = random_shard(3, 4, 9, 1, (4, 8))
    one = fitted(shard, "mixed_intercept")
    for name in ("mixed_uncorrelated", "mixed_fallback", "mixed_selected"):
        other = fitted(shard, name)
        np.testing.assert_allclose(other.reml_criterion, one.reml_criterion, rtol=1e-13)
        np.testing.assert_allclose(other.std_error, one.std_error, rtol=1e-9)
        np.testing.assert_allclose(other.df, one.df, rtol=1e-7)
        np.testing.assert_allclose(other.theta, one.theta, rtol=1e-7, atol=1e-9)
        if name != "mixed_uncorrelated":
            assert set(other.message) <= {"kept: intercept", f"kept: intercept; {one.message[0]}"}


def test_the_same_predictors_in_every_cluster_give_the_variances_of_the_models_in_turn():
    """Orthogonal x, the same in each cluster: the coefficients' estimates do not correlate.

    Then a diagonal Psi leaves each coefficient an analysis of variance of its own: SE and
    df = G - 1 are those of two-stage, as of the maximal model.
    """
    G, n = 12, 7
    rng = np.random.default_rng(8)
    x = np.linalg.qr(
        np.column_stack([np.ones(n), np.linspace(-1, 1, n), np.linspace(-1, 1, n) ** 2])
    )
    X = np.tile(x[0] * np.sqrt(n), (G, 1))
    X[:, 0] = 1.0
    y = (X * np.repeat(rng.standard_normal((G, 3)), n, axis=0)).sum(axis=1)
    y += 0.3 * rng.standard_normal(G * n)
    shard = Shard(y, X, np.full((1, G), n), (INTERCEPT, "x1", "x2"))
    found, own = fitted(shard, "mixed_uncorrelated"), fitted(shard, "two_stage")
    assert found.status[0] == "ok"
    np.testing.assert_allclose(found.estimate, own.estimate, rtol=1e-9)
    np.testing.assert_allclose(found.std_error, own.std_error, rtol=1e-7)
    np.testing.assert_allclose(found.df, G - 1, rtol=1e-6)


@pytest.mark.parametrize("scale", [1e3, 1e-6])
def test_units_do_not_matter_to_an_uncorrelated_model(scale):
    shard = join(random_shard(1, 2, 10, 3, (4, 9)), random_shard(12, 2, 10, 3, (4, 9)))
    plain = fitted(shard, "mixed_uncorrelated")
    assert set(plain.status) == {"ok", "singular"}
    units = np.array([1.0, scale, 1.0])
    found = fitted(Shard(shard.y, shard.X * units, shard.n, shard.terms), "mixed_uncorrelated")
    shift = 2 * np.log(scale)  # of log|X' V^-1 X|
    np.testing.assert_allclose(
        found.reml_criterion - shift, plain.reml_criterion, rtol=0, atol=1e-9
    )
    np.testing.assert_allclose(found.std_error * units, plain.std_error, rtol=1e-9)
    np.testing.assert_allclose(found.df, plain.df, rtol=1e-6)
    np.testing.assert_allclose(found.theta * units, plain.theta, rtol=1e-6, atol=1e-7)


def test_a_shift_of_a_predictor_makes_another_uncorrelated_model():
    """But it is fitted as well, whose criterion can be checked in full."""
    shard = random_shard(4, 1, 12, 3, (6, 12))
    X = shard.X.copy()
    X[:, 1] += 1e3
    shifted = Shard(shard.y, X, shard.n, shard.terms)
    plain, found = (fitted(one, "mixed_uncorrelated") for one in (shard, shifted))
    assert abs(found.reml_criterion[0] - plain.reml_criterion[0]) > 0.1
    dense = Dense.of(shifted, range(3))
    criterion = dense.criterion(np.diag(found.theta[0] ** 2))
    np.testing.assert_allclose(found.reml_criterion[0], criterion, rtol=0, atol=1e-6)
    for step in (1e-6, 1e-4, 1e-2, 1.0):
        for sign in (-1.0, 1.0):
            for place in range(3):
                theta = found.theta[0].copy()
                theta[place] *= 1.0 + sign * step
                assert dense.criterion(np.diag(theta**2)) > criterion - 1e-6


def test_cluster_level_predictors_get_no_random_slope():
    shard = golden("orthodont")
    assert np.flatnonzero(random_columns(shard)[0]).tolist() == [0, 1]
    assert fitted(shard, "mixed_uncorrelated").theta.shape == (1, 2)
