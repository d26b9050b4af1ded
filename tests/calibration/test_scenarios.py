"""What is not known of one's own data."""

from __future__ import annotations

import json
from functools import cache

import numpy as np
import pandas as pd
import pytest
from scipy.optimize import minimize_scalar

from clustrategy.calibration.scenarios import Scenario, scenarios
from clustrategy.core.scenarios import NAMES
from clustrategy.core.shard import INTERCEPT
from clustrategy.design.from_table import design_from_table
from clustrategy.estimation.mixed.reml import Criterion
from tests.examples.student import twin
from tests.material import FOLDER, orthodont, sleepstudy

LME4 = json.loads((FOLDER / "profile.json").read_text())["models"]

pytestmark = pytest.mark.filterwarnings("error::RuntimeWarning")


def of(data: object, formula: str, cluster: str, random: str | None = None, **options: bool):
    design = design_from_table(data, formula, cluster, random)
    return {one.name: one for one in scenarios(design, **options)}


@cache
def sleep() -> dict[str, Scenario]:
    return of(sleepstudy(), "Reaction ~ Days", "Subject", ordered=True)


@cache
def orthodont_intercepts() -> dict[str, Scenario]:
    """The model of the golden limits: a random intercept alone."""
    return of(orthodont(), "distance ~ age * nsex", "Subject", random="1")


@cache
def two_schools() -> dict[str, Scenario]:
    """The student data, or a table with the same sums."""
    return of(twin(), "G3 ~ absences", "school")


def trial(clusters: int = 8, rows: int = 6, ratio: float = 1.0) -> pd.DataFrame:
    """A cluster-level treatment; residuals of the treated are `ratio` times as large."""
    rng = np.random.default_rng(7)
    g = np.repeat(np.arange(clusters), rows)
    treat = g % 2
    y = rng.normal(size=clusters)[g] + rng.normal(size=g.size) * np.where(treat, ratio, 1.0)
    return pd.DataFrame({"g": g, "treat": treat, "y": y})


@pytest.mark.parametrize("found", [sleep, orthodont_intercepts, two_schools])
def test_the_names_are_those_of_the_list_whatever_the_data(found):
    assert list(found()) == list(NAMES)
    for one in found().values():
        assert one.words == NAMES[one.name]
        assert (one.process is None) == one.note.startswith("left out: ")


def test_the_estimates_are_those_of_lme4():
    """In the units of X, whatever was centred: lme4's VarCorr of sleepstudy."""
    process = sleep()["estimated"].process
    assert process.random == (INTERCEPT, "Days")
    sd = np.sqrt(np.diagonal(process.covariance))
    np.testing.assert_allclose(sd, [24.7404, 5.9221], rtol=1e-5)
    np.testing.assert_allclose(process.covariance[0, 1] / sd.prod(), 0.0656, atol=5e-5)
    np.testing.assert_allclose(process.sigma, 25.5918, rtol=1e-5)


@pytest.mark.parametrize("level", [0.8, 0.95])
@pytest.mark.parametrize(("side", "end"), [("lower", "low"), ("upper", "high")])
def test_limits_are_those_of_lme4s_criterion(level, side, end):
    name = f"{side}_{100 * level:.0f}"
    # A slope's limits do not hang on where its predictor has its zero.
    slope = np.sqrt(sleep()[name].process.covariance[1, 1])
    known = LME4[0]["limits"][1][str(level)][end]
    np.testing.assert_allclose(slope, known, rtol=1e-5)
    intercept = np.sqrt(orthodont_intercepts()[name].process.covariance[0, 0])
    known = LME4[4]["limits"][0][str(level)][end]
    np.testing.assert_allclose(intercept, known, rtol=1e-5)


def test_limits_keep_correlations_and_do_not_hang_on_the_zero_of_a_predictor():
    moved = of(sleepstudy().assign(Days=sleepstudy()["Days"] + 1990), "Reaction ~ Days", "Subject")
    for name in ("estimated", "upper_95", "slopes_vary", "resampled"):
        near, far = sleep()[name].process.covariance, moved[name].process.covariance
        there = np.array([[1.0, 1990.0], [0.0, 1.0]])  # the intercept at the same days
        np.testing.assert_allclose(there @ far @ there.T, near, rtol=1e-3)
    at_means = np.array([[1.0, 4.5], [0.0, 1.0]])

    def correlation(name: str) -> float:
        c = at_means @ sleep()[name].process.covariance @ at_means.T
        return c[0, 1] / np.sqrt(c[0, 0] * c[1, 1])

    for name in ("upper_95", "lower_80", "slopes_vary"):
        np.testing.assert_allclose(correlation(name), correlation("estimated"), rtol=1e-8)


def test_slopes_vary_though_the_working_model_has_none():
    assert orthodont_intercepts()["estimated"].process.random == (INTERCEPT,)
    one = orthodont_intercepts()["slopes_vary"]
    # The product with a cluster-level predictor is no slope of its own.
    assert one.process.random == (INTERCEPT, "age")
    assert "age 0.3" in one.note or "age 0.4" in one.note
    assert "not in the working model" in one.note
    np.testing.assert_array_equal(np.linalg.eigvalsh(one.process.covariance) > 0.0, True)


@pytest.mark.parametrize("random", [None, "1"])
def test_many_slopes_have_their_limits_with_all_else_held(random, monkeypatch):
    """Optimising all else anew took minutes; this counts what it took them for."""
    evaluations = []
    at = Criterion.at
    monkeypatch.setattr(Criterion, "at", lambda *given: evaluations.append(1) or at(*given))
    rng = np.random.default_rng(0)
    g = np.repeat(np.arange(15), 15)
    data = pd.DataFrame(rng.normal(size=(225, 8)), columns=list("abcdefij"))
    y = rng.normal(size=225) + rng.normal(size=15)[g] + 0.5 * rng.normal(size=15)[g] * data["a"]
    found = of(data.assign(g=g, y=y), "y ~ a + b + c + d + e + f + i + j", "g", random)
    assert len(evaluations) < 500
    assert len(found["slopes_vary"].process.random) == 9
    said = "; limits of each without correlations, and with all else at its estimate"
    assert said in found["slopes_vary"].note
    assert (said in found["upper_95"].note) == (random is None)


def test_without_a_predictor_within_clusters_there_are_no_slopes():
    found = of(trial(), "y ~ treat", "g")
    assert found["slopes_vary"].process is None
    assert found["slopes_vary"].note == "left out: no predictor varies within clusters"


def test_the_limits_of_two_clusters_are_beyond_the_responses_deviation():
    one = two_schools()["upper_95"]
    shard = one.process.shard
    slope = np.sqrt(one.process.covariance[1, 1])
    assert 1.0 < slope * shard.X[:, 1].std() / shard.y.std() < 4.0
    for name in ("estimated", "lower_80", "lower_95"):
        assert two_schools()[name].process.covariance.tolist() == [[0.0, 0.0], [0.0, 0.0]]
    assert two_schools()["slopes_vary"].process.covariance[1, 1] == one.process.covariance[1, 1]
    assert two_schools()["resampled"].note.startswith("left out: the fit is singular")


def clusters_apart(apart: float = 1.0, more: float = 0.0) -> pd.DataFrame:
    """Four clusters of 20 rows whose means are far from one another; `more` on the predictor."""
    rng = np.random.default_rng(3)
    g = np.repeat(np.arange(4), 20)
    errors = rng.normal(size=(4, 20))
    errors = (errors - errors.mean(axis=1, keepdims=True)).reshape(-1)
    x = np.tile(rng.normal(size=20), 4)
    y = apart * np.array([-3.0, -1.0, 1.0, 3.0])[g] + errors
    return pd.DataFrame({"g": g, "x": x, "y": y, "shifted": y + more * x})


@pytest.mark.parametrize(("level", "cut"), [(0.8, 1.642374), (0.95, 3.841459)])
def test_the_upper_limit_of_a_balanced_intercept_is_that_of_two_chi_squares(level, cut):
    """Of MSW with 76 and MSB with 3 degrees of freedom, sigma^2 free: chi-square(1)'s quantiles."""
    data = clusters_apart()
    means = data.groupby("g")["y"].mean().to_numpy()
    within = float(((data["y"] - means[data["g"]]) ** 2).sum() / 76)
    between = 20 * float(means.var(ddof=1))
    found = of(data, "y ~ 1", "g")
    tau = float(np.sqrt(found[f"upper_{level * 100:.0f}"].process.covariance[0, 0]))

    def excess(variance: float) -> float:
        total = variance + 20 * tau**2
        parts = ((76, variance / within), (3, total / between))
        return sum(df * (np.log(ratio) + 1.0 / ratio - 1.0) for df, ratio in parts)

    assert minimize_scalar(excess, (0.5 * within, within)).fun == pytest.approx(cut, rel=1e-4)
    assert tau > data["y"].std()


def test_scenarios_do_not_depend_on_the_coefficients():
    one, other = (of(clusters_apart(more=10.0), f"{y} ~ x", "g") for y in ("y", "shifted"))
    for name, scenario in one.items():
        if scenario.process is not None:
            np.testing.assert_allclose(
                scenario.process.covariance, other[name].process.covariance, rtol=1e-5, err_msg=name
            )


def test_a_limit_beyond_four_deviations_is_four_and_that_is_said():
    data = clusters_apart(apart=1e3)
    data = data[data["g"].isin([0, 3])]
    one = of(data, "y ~ 1", "g")["upper_95"]
    assert "the limit for (Intercept) is beyond 4 times what alone would vary" in one.note
    tau = np.sqrt(one.process.covariance[0, 0])
    assert tau == pytest.approx(4.0 * data["y"].std(ddof=1), rel=1e-12)


@pytest.mark.parametrize(("clusters", "there"), [(7, False), (8, True)])
def test_few_effects_are_not_resampled(clusters: int, there: bool):
    rng = np.random.default_rng(5)
    g = np.repeat(np.arange(clusters), 5)
    data = pd.DataFrame({"g": g, "y": rng.normal(size=clusters)[g] + rng.normal(size=g.size)})
    one = of(data, "y ~ 1", "g")["resampled"]
    assert (one.process is not None) is there
    assert there or one.note == "left out: 7 clusters have too few effects to resample"


def test_variances_by_cluster_keep_the_pooled_one():
    process = sleep()["variance_by_cluster"].process
    assert process.sigma.shape == (18,)
    assert process.sigma.max() > 3.0 * process.sigma.min()
    np.testing.assert_allclose((process.sigma**2).mean(), 25.5918**2, rtol=1e-5)


def test_variances_by_cluster_vary_as_the_note_says():
    one = sleep()["variance_by_cluster"]
    spread = np.log(one.process.sigma**2).std(ddof=1)
    assert one.note.endswith(f"the standard deviation of the logs of the variances is {spread:.2f}")


def test_where_clusters_variances_do_not_differ_the_scenario_is_the_estimated_one():
    found = of(trial(clusters=14), "y ~ treat", "g")
    one = found["variance_by_cluster"]
    assert one.note.startswith("as `estimated`: ")
    assert one.process.sigma == found["estimated"].process.sigma


def test_where_no_mixed_model_can_be_fitted_rows_are_independent_and_that_is_said():
    found = of(trial(clusters=2), "y ~ treat", "g")
    said = found["estimated"].note
    assert said.startswith("the working model has independent rows (not a random intercept: 2 ")
    process = found["estimated"].process
    assert process.covariance.tolist() == [[0.0]]
    y = process.shard.y.reshape(2, 6)
    np.testing.assert_allclose(process.sigma, np.sqrt(y.var(axis=1, ddof=1).mean()), rtol=1e-12)
    means = y - y.mean(axis=1, keepdims=True)
    np.testing.assert_allclose(
        found["upper_80"].process.covariance, [[means.var(ddof=1)]], rtol=1e-12
    )
    assert "no limit for (Intercept), as the data do not suffice" in found["upper_80"].note


def test_variances_by_arm_are_the_arms_mean_squares_and_keep_the_pooled_one():
    data = trial(ratio=3.0)
    found = of(data, "y ~ treat", "g")
    sigma = found["variance_by_arm"].process.sigma
    within = data.groupby("g")["y"].var(ddof=1).to_numpy().reshape(4, 2).mean(axis=0)
    np.testing.assert_allclose(sigma[1] / sigma[0], np.sqrt(within[1] / within[0]), rtol=1e-12)
    assert sigma.tolist() == np.tile(sigma[:2], 4).tolist()
    pooled = found["estimated"].process.sigma
    np.testing.assert_allclose((sigma**2).mean(), pooled**2, rtol=1e-12)
    assert "where treat is 1" in found["variance_by_arm"].note


def test_predictors_that_vary_in_one_arm_alone_do_not_make_its_variance_smaller():
    """Six of them cost its 24 rows 6 of the 20 degrees of freedom that its clusters leave."""
    g, rng = np.repeat(np.arange(8), 6), np.random.default_rng(1)
    within = rng.normal(size=(48, 6)) * (g < 4)[:, None]
    data = pd.DataFrame(within, columns=list("abcdef"))
    outcome = rng.normal(size=48) + rng.normal(size=8)[g]
    data = data.assign(g=g, treat=(g < 4) * 1, y=outcome)
    sigma = of(data, "y ~ treat + a + b + c + d + e + f", "g", "1")["variance_by_arm"].process.sigma
    columns = np.column_stack([np.eye(8)[g], within])
    e = outcome - columns @ np.linalg.lstsq(columns, outcome)[0]
    known = (e[g < 4] @ e[g < 4] / 14) / (e[g >= 4] @ e[g >= 4] / 20)
    np.testing.assert_allclose((sigma[0] / sigma[-1]) ** 2, known, rtol=1e-8)


def test_residuals_and_effects_to_resample_have_the_moments_of_the_model():
    process = sleep()["resampled"].process
    assert process.residuals.shape == (180,)
    assert process.effects.shape == (18, 2)
    np.testing.assert_allclose(process.residuals.mean(), 0.0, atol=1e-10)
    np.testing.assert_allclose(process.residuals.std(), process.sigma, rtol=1e-12)
    np.testing.assert_allclose(process.effects.mean(axis=0), 0.0, atol=1e-9)
    second = process.effects.T @ process.effects / 18
    np.testing.assert_allclose(second, process.covariance, rtol=1e-8)


def test_an_autocorrelation_is_estimated_together_with_the_variances():
    """Those of nlme, `lme(Reaction ~ Days, random = ~ Days | Subject, correlation = corAR1())`.

    A model without the correlation has a slope of 5.92 and residuals of 25.6.
    """
    one = sleep()["autocorrelated"]
    found = one.process
    numbers = [found.autocorrelation, np.sqrt(found.covariance[1, 1]), found.sigma]
    np.testing.assert_allclose(numbers, [0.492103, 4.669654, 30.661843], rtol=1e-4)
    assert one.note == (
        "the correlation of successive rows is 0.49; standard deviations that are estimated "
        "together with it (and without it): (Intercept) 35.4 (37.5), Days 4.67 (5.92), residuals "
        "30.7 (25.6)"
    )


def test_rows_have_an_autocorrelation_only_where_they_have_an_order():
    none = orthodont_intercepts()["autocorrelated"]
    assert none.process is None
    assert none.note == "left out: the rows of a cluster were not said to have an order"


def test_the_design_is_passed_on_as_it_is():
    for one in sleep().values():
        if one.process is not None:
            np.testing.assert_array_equal(one.process.shard.X[:10, 1], np.arange(10.0))


def test_a_predictors_units_leave_nothing_out():
    """lme4 would call a slope singular whose predictor has large numbers."""
    data = sleepstudy()
    found = of(data.assign(Days=data["Days"] * 1e7), "Reaction ~ Days", "Subject")
    assert "correlated" in found["estimated"].note
    assert found["resampled"].process is not None
    slope = np.sqrt(found["estimated"].process.covariance[1, 1])
    np.testing.assert_allclose(slope, 5.9221e-7, rtol=1e-4)
