"""The oracle's standard errors, against closed forms and generalised least squares."""

from __future__ import annotations

from statistics import NormalDist
from typing import Any

import numpy as np
import pytest

from clustrategy.dgp import Process, simulate
from clustrategy.dgp.oracle import is_by_oracle, oracle_effects, oracle_standard_errors


def process(clusters: int = 12, rows: int = 20, sigma: float = 0.5, **options: Any) -> Process:
    return Process(
        clusters,
        rows,
        sigma,
        **{"predictors": 1, "coefficients": [0.0, 0.0], "residual_sigma": 1.0, **options},
    )


def test_cluster_means_and_slopes_in_closed_form() -> None:
    """The intercept is the mean of the first arm, of 6 clusters."""
    found = oracle_standard_errors(
        process(
            predictors=3,
            coefficients=[0.0] * 4,
            predictor_icc=[0, 1],
            treatment="between",
            sigma_ratios=[2, 1, 1, 1],
        )
    )
    mean, slope = 1.0 + 1 / 20, 0.25 + 1 / 20
    expected = [mean / 6, slope / 12, mean / 12, mean / 6 + mean / 6]
    np.testing.assert_allclose(found**2, expected, rtol=1e-12)


def test_arms_within_clusters_in_closed_form() -> None:
    """Of three arms of 10 rows each: the difference of two means, and its variance by cluster."""
    found = oracle_standard_errors(
        process(rows=30, predictors=2, coefficients=[0.0] * 3, treatment="within", arms=3)
    )
    np.testing.assert_allclose(found[1:] ** 2, (0.25 + 2 / 10) / 12, rtol=1e-12)


def test_uneven_arms_of_clusters() -> None:
    found = oracle_standard_errors(process(clusters=11, treatment="between"))
    np.testing.assert_allclose(found[1] ** 2, (0.25 + 1 / 20) * (1 / 6 + 1 / 5), rtol=1e-12)


def test_few_treated_clusters_with_variances_of_their_own() -> None:
    """The difference of the means of 9 and of 3 clusters."""
    found = oracle_standard_errors(
        process(
            predictors=2,
            coefficients=[0.0] * 3,
            predictor_icc=1,
            treatment="between",
            treated=3,
            intercept_variance_ratio=4.0,
            residual_variance_ratio=2.0,
        )
    )
    control, treated = 0.25 + 1 / 20, 4 * 0.25 + 2 / 20
    expected = [control / 9, 1 / (9 / control + 3 / treated), control / 9 + treated / 3]
    np.testing.assert_allclose(found**2, expected, rtol=1e-12)


def test_few_treated_rows_with_a_variance_of_their_own() -> None:
    """The difference of the means of 15 and of 5 rows, whose errors have a variance of 4."""
    found = oracle_standard_errors(
        process(treatment="within", treated=5, residual_variance_ratio=4.0)
    )
    np.testing.assert_allclose(found[1] ** 2, (0.25 + 1 / 15 + 4 / 5) / 12, rtol=1e-12)


def test_a_hidden_slope_is_as_errors_to_the_oracle() -> None:
    """Its variance of 1 adds to that of errors, 1, and of treated ones, 4 (5 rows) or 2."""
    plain = oracle_standard_errors(process(hidden_slope_sd=1.0))
    np.testing.assert_allclose(plain**2, (0.25 + 2 / 20) / 12, rtol=1e-12)
    few = {"treatment": "within", "treated": 5, "residual_variance_ratio": 4.0}
    within = oracle_standard_errors(process(hidden_slope_sd=1.0, **few))
    np.testing.assert_allclose(within[1] ** 2, (0.25 + 2 / 15 + 5 / 5) / 12, rtol=1e-12)
    few = {"treatment": "between", "treated": 3, "residual_variance_ratio": 2.0}
    between = oracle_standard_errors(process(hidden_slope_sd=1.0, **few))
    expected = (0.25 + 2 / 20) / 9 + (0.25 + 3 / 20) / 3
    np.testing.assert_allclose(between[1] ** 2, expected, rtol=1e-12)


@pytest.mark.parametrize(
    "options",
    [
        {"predictor_icc": 0.9},
        {"predictor_icc": 0.3, "intercept_slope_correlation": 0.6},
        {"size_cv": 1.0},
        {"size_cv": 0.5, "treatment": "within"},
        {"treatment": "between", "size_cv": 1.5},
    ],
    ids=str,
)
def test_generalised_least_squares_with_the_true_covariance(options: dict[str, Any]) -> None:
    """Of 3,000 clusters: what they tell together is what the formula says, but for chance."""
    of = process(clusters=3000, rows=60, **options)
    cell = {"clusters": 3000, "obs_per_cluster": 60, "between_cluster_sigma": 0.5}
    shard = simulate(of, 7, cell, [0]).shard
    rho, sigmas = of.intercept_slope_correlation, of.sigmas
    psi = np.outer(sigmas, sigmas) * np.array([[1, rho], [rho, 1]])
    ends = np.cumsum(shard.n[0])
    information = np.zeros((2, 2))
    for Z in np.split(shard.X, ends[:-1]):
        information += Z.T @ np.linalg.solve(np.eye(len(Z)) + Z @ psi @ Z.T, Z)
    gls = np.sqrt(np.diagonal(np.linalg.inv(information)))
    np.testing.assert_allclose(oracle_standard_errors(of), gls, rtol=0.03)


def test_effects_have_the_power_asked_for() -> None:
    of = process()
    alpha, powers = 0.05, [0.06, 0.5, 0.8, 0.95]
    (_, found) = oracle_effects(of, powers, alpha).values()
    normal, critical = NormalDist(), NormalDist().inv_cdf(1 - alpha / 2)
    error = oracle_standard_errors(of)[1]
    for effect, power in zip(found, powers, strict=True):
        by_hand = normal.cdf(effect / error - critical) + normal.cdf(-effect / error - critical)
        assert by_hand == pytest.approx(power, abs=1e-9)


def test_a_term_of_a_table_may_be_called_as_the_key_is() -> None:
    assert is_by_oracle({"oracle_power": [0.5]})
    assert is_by_oracle({"oracle_power": [0.5], "alpha": 0.05})
    assert not is_by_oracle({"(Intercept)": [0.5], "oracle_power": [0.5]})
    assert not is_by_oracle([0.5])
    assert not is_by_oracle(None)
