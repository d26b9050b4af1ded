"""The averages over persons, against closed forms and integrals of another form."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from scipy import integrate, stats

from clustrategy.dgp import Process, cell_key, simulate
from clustrategy.dgp.distributions import mean_given
from clustrategy.dgp.estimand import over_persons


def process(rows: int = 21, clusters: int = 10, **options: Any) -> Process:
    plain: dict[str, Any] = {"predictors": 1, "coefficients": [0.0, 0.0], "residual_sigma": 1.0}
    plain |= {"size_cv": 1.0, "informative_size": 0.6}
    return Process(clusters, rows, 0.5, **(plain | options))


@pytest.mark.parametrize(("rows", "cv", "r"), [(21, 1.0, 0.6), (5, 0.5, -0.3), (200, 3.0, 1.0)])
def test_lognormal_sizes_in_closed_form(rows: int, cv: float, r: float) -> None:
    """E[n z] = cov(exp(mu + s x), r x) = r s E exp(mu + s x), and the first row adds none."""
    of = process(
        rows,
        size_distribution="lognormal",
        size_cv=cv,
        informative_size=r,
        intercept_slope_correlation=-0.4,
    )
    s = np.sqrt(np.log(1 + ((rows * cv) ** 2 - 1 / 6) / (rows - 1) ** 2))
    intercept = 0.5 * r * s * (rows - 1) / rows
    np.testing.assert_allclose(over_persons(of), [intercept, -0.4 * intercept], rtol=1e-8)


def mean_slope(derivative: Any) -> float:
    """E f'(x), which is E[x f(x)] for a standard normal x (Stein 1981)."""
    return float(integrate.quad(lambda x: derivative(x) * stats.norm.pdf(x), -12, 12)[0])


def hazard(x: float) -> float:
    return float(np.exp(stats.norm.logpdf(x) - stats.norm.logsf(x)))


def test_exponential_sizes() -> None:
    """A gamma of shape 1 is -20 log Phi(-x), of slope 20 times the normal's hazard."""
    of = process(size_cv=np.sqrt(400 + 1 / 6) / 21)
    slope = mean_slope(hazard)
    # 1 / 1.107, of the exponential and the normal in Liu & Der Kiureghian (1986)
    assert slope == pytest.approx(1 / 1.107, abs=5e-4)
    np.testing.assert_allclose(over_persons(of)[0], 0.5 * 0.6 * 20 * slope / 21, rtol=1e-8)


def test_pareto_sizes() -> None:
    """Of power 2.5: the squared CV is 1 / (2.5 x 0.5), the least value 20 x 1.5 / 2.5."""
    of = process(size_distribution="pareto", size_cv=np.sqrt(400 / 1.25 + 1 / 6) / 21)
    slope = mean_slope(lambda x: 12 / 2.5 * hazard(x) * np.exp(-stats.norm.logsf(x) / 2.5))
    np.testing.assert_allclose(over_persons(of)[0], 0.5 * 0.6 * slope / 21, rtol=1e-8)


@pytest.mark.parametrize("r", [-1.0, 0.3, 1.0])
def test_the_mean_of_skewed_deviations(r: float) -> None:
    for score in (-2.0, 0.5, 4.0):
        found = mean_given("skewed", np.array([score]), r)[0]
        rest = np.sqrt(1 - r**2)

        def deviation(x: float, score: float = score, rest: float = rest) -> float:
            return float(-stats.norm.logsf(r * score + rest * x) - 1.0)

        expected = integrate.quad(lambda x: deviation(x) * stats.norm.pdf(x), -9, 9)[0]
        assert found == pytest.approx(expected, abs=1e-9)


def test_the_mean_of_deviations_that_are_scaled_normals() -> None:
    """Their scales' means: of t with 5 df by its integral, of the contaminated 1.2 / sqrt(1.8)."""
    score = np.array([-1.0, 2.0])
    scale = integrate.quad(lambda v: np.sqrt(3 / v) * stats.chi2.pdf(v, 5), 0, np.inf)[0]
    np.testing.assert_allclose(mean_given("t", score, 0.7), 0.7 * scale * score, rtol=1e-8)
    found = mean_given("contaminated", score, 0.7)
    np.testing.assert_allclose(found, 0.7 * 1.2 / np.sqrt(1.8) * score, rtol=1e-12)


def test_an_arm_of_clusters_with_a_variance_of_its_own() -> None:
    """Treated clusters' intercepts vary by 1, twice as much: E[n b] / E[n] in both arms."""
    of = process(
        clusters=20_000,
        predictors=2,
        coefficients=[1.0, 0.0, 3.0],
        treatment="between",
        treated=0.25,
        intercept_variance_ratio=4.0,
        estimand="persons",
    )
    drawn = simulate(of, 2, {}, [0])
    shift = over_persons(of)
    np.testing.assert_allclose(shift, [shift[0], 0.0, shift[0]])
    n, b = drawn.shard.n[0], drawn.cluster_coefficients[0]
    first = np.cumsum(n) - n
    treated = drawn.shard.X[first, 2] == 1
    assert treated.sum() == 5000
    both = drawn.truth[0, 0], drawn.truth[0, [0, 2]].sum()
    for arm, effect, level in zip((~treated, treated), (0.0, 3.0), both, strict=True):
        apart = n[arm] * (b[arm, 0] + effect - level)
        assert abs(apart.mean()) < 4.5 * stats.sem(apart)


def test_where_sizes_tell_nothing_the_averages_are_the_same() -> None:
    assert over_persons(process(informative_size=0.0)).tolist() == [0.0, 0.0]
    assert over_persons(process(size_cv=0.0, informative_size=0.0)).tolist() == [0.0, 0.0]


@pytest.mark.parametrize("option", [{"size_distribution": "pareto"}, {"size_cv": 0.3}])
def test_the_estimand_changes_the_truth_alone(option: dict[str, Any]) -> None:
    cells = [{"clusters": 10, "estimand": level} for level in ("clusters", "persons")]
    assert cell_key(cells[0]) == cell_key(cells[1]) == cell_key({"clusters": 10})
    clusters, persons = (
        simulate(process(**option, estimand=cell["estimand"]), 1, cell, range(3)) for cell in cells
    )
    assert np.array_equal(persons.shard.y, clusters.shard.y)
    assert np.array_equal(persons.cluster_coefficients, clusters.cluster_coefficients)
    shift = persons.truth - clusters.truth
    np.testing.assert_allclose(shift, np.tile(over_persons(process(**option)), (3, 1)))
    assert shift[0, 0] > 0.05
