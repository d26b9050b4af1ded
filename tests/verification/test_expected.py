"""What must be found, and in which designs nothing is known."""

from __future__ import annotations

from dataclasses import astuple, replace
from typing import Any

import numpy as np
import pytest
from scipy import stats
from scipy.special import gamma

from clustrategy.dgp import Process
from clustrategy.engines.chosen import Strategy
from clustrategy.verification.cells import arms, has_one_predictor
from clustrategy.verification.expected import expectations
from tests.verification.studies import BETWEEN, STRATEGIES


@pytest.mark.parametrize(
    "change",
    [
        {"size_cv": 0.5},
        {"residual_distribution": "t"},
        {"intercept_slope_correlation": 0.3},
        {"treatment": "none"},
        {"predictors": 3, "coefficients": [0, 0, 0, 0]},
        {"coefficients": {"uniform": [0, 1]}},
        {"treatment": "within", "sigma_ratios": [1, 0, 1]},
        {"predictors": 1, "coefficients": [0, 0], "arms": 2, "treated": 3},
        {"predictors": 1, "coefficients": [0, 0], "arms": 2, "residual_variance_ratio": 4.0},
    ],
)
def test_other_designs_have_no_closed_form(change: dict[str, Any]) -> None:
    process = replace(BETWEEN, **change)
    assert arms(process) is None
    assert not has_one_predictor(process)
    assert not list(expectations(process, STRATEGIES[0]))


def test_a_design_by_an_icc_has_the_closed_form_of_the_same_sigmas() -> None:
    by_sigma = replace(BETWEEN, between_cluster_sigma=0.5, residual_sigma=1.0)
    by_icc = replace(by_sigma, between_cluster_sigma=None, icc=0.2)
    assert arms(by_icc) == arms(by_sigma) is not None


def test_numbers_and_monte_carlo_errors_of_a_difference_between_arms() -> None:
    """All by hand, where the variance estimate has the scale 4/5 and 8 degrees of freedom.

    Five clusters of six rows to an arm: Var T = 2 (1 + 1/6) / 5, V = 4/5 Var T chi2(8) / 8, and
    the test is by t with 14 df.
    """
    strategy = Strategy.parse({"strategy": "cluster_robust", "variance": "CR0", "df": "G-1"})
    *_, (term, theta, found) = expectations(BETWEEN, strategy)
    assert (term, theta) == ("IV2", 0.6)
    v, s, nu, c = 2 * (7 / 6) / 5, 4 / 5, 8, stats.t(14).ppf(0.975)
    t, chi = stats.nct(nu, 0.6 / np.sqrt(v)), stats.chi(nu)
    power = t.sf(c * np.sqrt(s)) + t.cdf(-c * np.sqrt(s))
    covered = 1 - 2 * stats.t(nu).sf(c * np.sqrt(s))
    width = 2 * c * np.sqrt(v * s / nu)
    # V has the coefficient of variation sqrt(2 / nu), its square root about half of it, and a
    # standard deviation of T in n datasets that of sqrt(1 / (2 n)).
    expected = {
        "bias": (0, np.sqrt(v)),
        "median_bias": (0, np.sqrt(v * np.pi / 2)),
        "empirical_se": (np.sqrt(v), np.sqrt(v / 2)),
        "mse": (v, v * np.sqrt(2)),
        "model_se": (np.sqrt(s * v), np.sqrt(s * v) / np.sqrt(2 * nu)),
        "relative_error": (np.sqrt(s) - 1, np.sqrt(s) * np.sqrt(1 / (2 * nu) + 1 / 2)),
        "variance_ratio": (s, s * np.sqrt(2 / nu + 2)),
        # Var log(mean^2 / variance) n = 4 CV^2 - 4 skewness CV + kurtosis - 1 of a chi-square.
        "variance_df": (nu, nu * np.sqrt(8 / nu - 4 * 4 / nu + 2 + 12 / nu)),
        "rejection_rate": (power, np.sqrt(power * (1 - power))),
        "coverage": (covered, np.sqrt(covered * (1 - covered))),
        "interval_width": (width * chi.mean(), width * chi.std()),
    }
    assert astuple(found.pop("robust_se")) == pytest.approx((np.sqrt(v), None))
    assert {name: astuple(one) for name, one in found.items()} == {
        name: pytest.approx(numbers, rel=1e-9, abs=1e-12) for name, numbers in expected.items()
    }


@pytest.mark.parametrize(
    ("variance", "ratio", "cluster_level"),
    [("kauermann_carroll", 1.0, 2), ("mancl_derouen", 1.25, 2), ("kauermann_carroll", 1.0, 1)],
)
def test_gee_with_g_minus_the_cluster_level_coefficients(
    variance: str, ratio: float, cluster_level: int
) -> None:
    """Two arms of 5 clusters, or two within each of 10: t with 8 or 9 df at 1 or 1.25 variances."""
    process = replace(BETWEEN, clusters=10, predictors=1, arms=2, coefficients=[0, 0])
    process = replace(process, treatment="between" if cluster_level == 2 else "within")
    entry = {"strategy": "gee", "variance": variance, "df": "G-k"}
    *_, (_, _, found) = expectations(process, Strategy.parse(entry))
    df = 10 - cluster_level
    size = 2 * stats.t(df).sf(stats.t(df).ppf(0.975) * np.sqrt(ratio))
    assert found["rejection_rate"].value == pytest.approx(size, rel=1e-9)
    others = {**entry, "variance": "fay_graubard"}
    assert not [*expectations(process, Strategy.parse(others))]


def test_numbers_of_one_random_predictor() -> None:
    """Slopes vary by 0.36, errors by 1.44; a cluster of 9 rows has 8 df about its mean."""
    process = Process(4, 9, 0.6, 1, [0, 0.3], 1.2)
    known = {}
    for name in ("ols", "two_stage", "fixed_effects"):
        ((term, theta, known[name]),) = expectations(process, Strategy.parse(name))
        assert (term, theta) == ("IV1", 0.3)
    for found in known.values():
        assert astuple(found.pop("bias")) == astuple(found.pop("median_bias")) == (0, None)
    assert not known["ols"]

    # Of a mean of 4 slopes of variance .36 + 1.44 / chi2(8), where E 1 / chi2(8) = 1/6 and
    # E 1 / chi2(8)^2 = 1/24; given it they are normal.
    two_stage = known["two_stage"]
    assert astuple(two_stage.pop("variance_ratio")) == (1, None)
    of_one = 0.36 + 1.44 / 6
    kurtosis = 3 * (0.36**2 + 2 * 0.36 * 1.44 / 6 + 1.44**2 / 24) / of_one**2
    excess = (kurtosis - 3) / 4
    # Of a sum of 4 shares of squares from a Dirichlet distribution; the sum is a chi2(32).
    shares = 4 * gamma(6) / gamma(4) / (gamma(18) / gamma(16))
    for found, variance, fourth in [
        (two_stage, of_one / 4, 3 + excess),
        (known["fixed_effects"], 0.36 * shares + 1.44 / 30, 3),
    ]:
        sd, unit = np.sqrt(variance), np.sqrt(fourth - 1)
        assert {name: astuple(one) for name, one in found.items()} == {
            "empirical_se": pytest.approx((sd, sd * unit / 2)),
            "mse": pytest.approx((variance, variance * unit)),
        }


@pytest.mark.parametrize(("rows", "known"), [(5, 0), (6, 2)])
def test_slopes_of_few_rows_have_no_kurtosis(rows: int, known: int) -> None:
    process = Process(4, rows, 0.6, 1, [0, 0], 1.2)
    ((_, _, found),) = expectations(process, Strategy.parse("two_stage"))
    assert len(found.keys() & {"empirical_se", "mse"}) == known
    assert found["variance_ratio"].value == 1


def test_a_z_test_on_the_means_of_balanced_clusters() -> None:
    """Two arms of G/2 clusters: the pooled t test with the normal distribution's critical value."""
    strategy = Strategy.parse({"strategy": "mixed_intercept", "df": "normal"})
    for clusters, size in [(30, 0.0600), (60, 0.0548), (100, 0.0528)]:
        process = Process(clusters, 6, 1.0, 1, [0, 0], 1.0, treatment="between")
        *_, (term, _, found) = expectations(process, strategy)
        rate = found["rejection_rate"].value
        assert (term, rate) == ("IV1", pytest.approx(size, abs=6e-5))
        assert rate == pytest.approx(2 * stats.t(clusters - 2).sf(stats.norm.ppf(0.975)))
