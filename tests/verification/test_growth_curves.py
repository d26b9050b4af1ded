"""The maximal model's test of a cluster-level predictor where clusters' own slopes are known."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from scipy import stats

from clustrategy.core.shard import Shard
from clustrategy.dgp import Process
from clustrategy.engines.chosen import Strategy
from clustrategy.verification.cells import growth_curves
from clustrategy.verification.closed_forms import growth_curve_rejection
from clustrategy.verification.expected import expectations


def regressions(
    sims: int, clusters: int, slopes: int, predictors: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Regress intercepts on cluster-level predictors and slopes that have nothing to do with them.

    Returns
    -------
    (sims,) arrays
        The first predictor's coefficient, its squared standard error by the regression, and that of
        REML: the sum of squares divided by nu, as if the coefficients of the slopes were known.
    """
    rng = np.random.default_rng(8)
    x = np.ones((sims, clusters, 1 + predictors + slopes))
    x[..., 1:] = rng.standard_normal((sims, clusters, predictors + slopes))
    y = rng.standard_normal((sims, clusters, 1))
    inverse = np.linalg.inv(x.transpose(0, 2, 1) @ x)
    b = inverse @ x.transpose(0, 2, 1) @ y
    squares = ((y - x @ b) ** 2).sum(axis=(1, 2))
    alone = x[..., : 1 + predictors]
    without = np.linalg.inv(alone.transpose(0, 2, 1) @ alone)[:, 1, 1]
    nu = clusters - 1 - predictors
    return b[:, 1, 0], squares / (nu - slopes) * inverse[:, 1, 1], squares / nu * without


@pytest.mark.parametrize(
    ("clusters", "sizes"),
    [(10, [0.05, 0.091, 0.156, 0.250]), (30, [0.05, 0.059, 0.070]), (100, [0.05, 0.052, 0.055])],
)
def test_sizes_with_two_cluster_level_predictors(clusters: int, sizes: list[float]) -> None:
    found = [growth_curve_rejection(clusters, q, 2) for q in range(len(sizes))]
    assert found == pytest.approx(sizes, abs=7e-4)


@pytest.mark.parametrize(("slopes", "predictors"), [(1, 1), (2, 2), (3, 1)])
def test_sizes_against_the_regression_itself(slopes: int, predictors: int) -> None:
    """And the remedy: the regression's own test, with nu - q degrees of freedom, is exact."""
    sims, nu = 20_000, 9 - predictors
    b, own, reml = regressions(sims, 10, slopes, predictors)
    for statistic, c, size in [
        (b / np.sqrt(reml), stats.t(nu).ppf(0.975), growth_curve_rejection(10, slopes, predictors)),
        (
            b / np.sqrt(reml),
            stats.norm.ppf(0.975),
            growth_curve_rejection(10, slopes, predictors, normal=True),
        ),
        (b / np.sqrt(own), stats.t(nu - slopes).ppf(0.975), 0.05),
    ]:
        error = np.sqrt(size * (1 - size) / sims)
        assert (np.abs(statistic) > c).mean() == pytest.approx(size, abs=4 * error)


def test_the_maximal_model_is_that_regression() -> None:
    """Of the clusters' own coefficients, which have errors of a millionth of their spread."""
    rng = np.random.default_rng(9)
    clusters, rows = 9, 8
    own = rng.standard_normal((clusters, 3))
    treated = np.arange(clusters) % 2.0
    x = rng.standard_normal((clusters, rows, 2))
    X = np.ones((clusters, rows, 4))
    X[..., 1:3], X[..., 3] = x, treated[:, None]
    y = own[:, [0]] + (x * own[:, None, 1:]).sum(axis=-1)
    y += 1e-6 * rng.standard_normal((clusters, rows))
    terms = ("(Intercept)", "IV1", "IV2", "IV3")
    shard = Shard(y.reshape(-1), X.reshape(-1, 4), np.full((1, clusters), rows), terms)
    fits = Strategy.parse("mixed_maximal").fit(shard)
    remedied = Strategy.parse({"strategy": "mixed_maximal", "cross_level": True}).fit(shard)

    design = np.column_stack([np.ones(clusters), treated, own[:, 1:]])
    b, (squares,), *_ = np.linalg.lstsq(design, own[:, 0])
    spread = ((treated - treated.mean()) ** 2).sum()
    assert fits.estimate[0, 3] == pytest.approx(b[1], rel=1e-4)
    assert fits.std_error[0, 3] == pytest.approx(np.sqrt(squares / 7 / spread), rel=1e-4)
    assert fits.df[0, 3] == pytest.approx(7, abs=1e-2)

    # With cross-level products: the t test of the clusters' own values where x is average.
    centre = x.mean(axis=(0, 1))
    values = own[:, 0] + own[:, 1:] @ centre
    arms = [values[treated == arm] for arm in (1, 0)]
    expected = stats.ttest_ind(*arms)
    assert remedied.estimate[0, 3] == pytest.approx(arms[0].mean() - arms[1].mean(), rel=1e-4)
    found = remedied.estimate[0, 3] / remedied.std_error[0, 3]
    assert found == pytest.approx(expected.statistic, rel=1e-4)
    assert remedied.df[0, 3] == pytest.approx(expected.df, abs=1e-2)


PROCESS = Process(
    10, 6, 1.0, 4, {"uniform": [0.0, 0.0]}, residual_sigma=0.01, treatment="between", arms=3
)


@pytest.mark.parametrize(
    ("entry", "size"),
    [
        ("mixed_maximal", 0.156),
        ({"strategy": "mixed_maximal", "df": "normal"}, 0.222),
        ({"strategy": "mixed_maximal", "cross_level": True}, 0.05),
        ("mixed_uncorrelated", 0.05),
        ({"strategy": "mixed_uncorrelated", "df": "normal"}, 2 * stats.t(7).sf(1.959964)),
        ("two_stage", 0.05),
    ],
)
def test_what_is_expected_of_a_treatment_of_whole_clusters(entry: Any, size: float) -> None:
    found = [*expectations(PROCESS, Strategy.parse(entry))]
    assert [(one.term, one.true_value) for one in found] == [("IV3", 0.0), ("IV4", 0.0)]
    for one in found:
        rate = one.measures.pop("rejection_rate")
        assert rate.value == pytest.approx(size, abs=5e-4)
        assert rate.unit == pytest.approx(np.sqrt(rate.value * (1 - rate.value)))
        assert not one.measures


@pytest.mark.parametrize(
    "entry",
    [
        "ols",
        "cluster_robust",
        "mixed_intercept",
        {"strategy": "mixed_maximal", "df": "kenward_roger"},
        {"strategy": "mixed_maximal", "variance": "CR2"},
        {"strategy": "mixed_maximal", "within_between": True, "cross_level": True},
        {"strategy": "two_stage", "weights": "precision"},
    ],
)
def test_of_others_nothing_is_expected(entry: Any) -> None:
    assert not [*expectations(PROCESS, Strategy.parse(entry))]


@pytest.mark.parametrize(
    "change",
    [
        {"residual_sigma": 0.1},
        {"obs_per_cluster": 4},
        {"clusters": 5},
        {"treatment": "within"},
        {"predictors": 2},
        {"sigma_ratios": [1, 1, 0, 1, 1]},
        {"size_cv": 0.5},
        {"coefficients": {"uniform": [0, 1]}},
    ],
)
def test_other_designs_are_no_growth_curves(change: dict[str, Any]) -> None:
    assert growth_curves(PROCESS) is not None
    assert growth_curves(replace(PROCESS, **change)) is None


def test_effects_are_passed_over() -> None:
    process = replace(PROCESS, coefficients=[0, 0, 0, 0, 1])
    assert [one.term for one in expectations(process, Strategy.parse("mixed_maximal"))] == ["IV3"]
