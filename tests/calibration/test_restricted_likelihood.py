"""Restricted likelihoods of scenarios against the N x N matrices written out."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from clustrategy.calibration.restricted_likelihood import RestrictedLikelihood, ScenarioLikelihoods
from clustrategy.core.shard import INTERCEPT
from clustrategy.dgp.given import draw_given
from tests.dense import Dense
from tests.dgp.test_given import OPTIONS, PROCESS, covariance_of_rows

pytestmark = pytest.mark.filterwarnings("error::RuntimeWarning")

SCENARIOS = {name: replace(PROCESS, **options) for name, options in OPTIONS.items()}


def responses(sims: int = 6) -> np.ndarray:
    return draw_given(PROCESS, 11, "any", range(sims)).y.reshape(sims, -1)


def dense(y: np.ndarray, X: np.ndarray, V: np.ndarray) -> float:
    """The restricted log-likelihood by the N x N matrices, the common factor at its estimate."""
    inverse = np.linalg.inv(V)
    F = X.T @ inverse @ X
    e = y - X @ np.linalg.solve(F, X.T @ inverse @ y)
    nu = y.size - X.shape[1]
    dets = np.linalg.slogdet(V)[1] + np.linalg.slogdet(F)[1]
    return -(dets + nu * (1.0 + np.log(2.0 * np.pi * (e @ inverse @ e) / nu))) / 2.0


@pytest.mark.parametrize("name", SCENARIOS)
def test_log_likelihoods_are_those_of_the_whole_matrices(name):
    process, y = SCENARIOS[name], responses()
    found = RestrictedLikelihood.of(process).log_likelihoods(y)
    V = covariance_of_rows(process)
    expected = [dense(each, process.shard.X, V) for each in y]
    np.testing.assert_allclose(found, expected, rtol=1e-11)


def test_a_mixed_model_has_minus_half_its_reml_criterion():
    y = responses(1)
    shard = replace(PROCESS.shard, y=y[0])
    criterion = Dense.of(shard, [0, 1]).criterion(PROCESS.covariance / PROCESS.sigma**2)
    found = RestrictedLikelihood.of(PROCESS).log_likelihoods(y)
    # The scale of V is of no account: the common factor takes it up.
    assert found[0] == pytest.approx(-criterion / 2.0, rel=1e-12)


def test_shortfalls_are_differences_from_the_best():
    y = responses()
    whole = np.array(
        [
            [dense(each, one.shard.X, covariance_of_rows(one)) for one in SCENARIOS.values()]
            for each in y
        ]
    )
    found = ScenarioLikelihoods.of([*SCENARIOS.values()]).shortfalls(y)
    np.testing.assert_allclose(found, whole.max(axis=1, keepdims=True) - whole, atol=2e-6)
    assert (found.min(axis=1) == 0.0).all()


def test_scenarios_with_the_same_variances_are_exactly_as_likely():
    names = ("normal", "resampled residuals", "resampled effects")
    double = replace(PROCESS, covariance=4.0 * PROCESS.covariance, sigma=3.0)
    found = ScenarioLikelihoods.of([*(SCENARIOS[name] for name in names), double]).shortfalls(
        responses()
    )
    assert (found == 0.0).all()


def test_coefficients_and_units_of_the_response_are_of_no_account():
    likelihoods = ScenarioLikelihoods.of([*SCENARIOS.values()])
    y, X = responses(), PROCESS.shard.X
    moved = 1e3 * (y + X @ np.array([500.0, -3.0, 7.0]))
    np.testing.assert_allclose(likelihoods.shortfalls(moved), likelihoods.shortfalls(y), atol=2e-6)


def test_a_response_has_the_same_bits_whatever_stands_beside_it():
    likelihoods = ScenarioLikelihoods.of([*SCENARIOS.values()])
    y = responses(7)
    whole = likelihoods.shortfalls(y)
    parts = [likelihoods.shortfalls(y[a:b]) for a, b in ((0, 1), (1, 4), (4, 7))]
    np.testing.assert_array_equal(np.concatenate(parts), whole)
    np.testing.assert_array_equal(y, responses(7))


def test_random_effects_that_dwarf_the_residuals_lose_few_digits():
    far = replace(PROCESS, covariance=1e8 * PROCESS.covariance)
    y = draw_given(far, 2, "any", range(4)).y.reshape(4, -1)
    found = RestrictedLikelihood.of(far).log_likelihoods(y)
    assert PROCESS.random == (INTERCEPT, "x")
    # The differences of two such scenarios do not need the inverse of a matrix near to singular.
    other = replace(far, sigma=3.0)
    apart = found - RestrictedLikelihood.of(other).log_likelihoods(y)
    expected = [
        dense(each, far.shard.X, covariance_of_rows(far))
        - dense(each, far.shard.X, covariance_of_rows(other))
        for each in y
    ]
    np.testing.assert_allclose(apart, expected, rtol=1e-4)
