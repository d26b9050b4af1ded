"""The random effects of single clusters."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from functools import cache

import numpy as np
import pytest
from hypothesis import given as given_by
from hypothesis import strategies as st

from clustrategy.core.fits import Fits
from clustrategy.core.shard import INTERCEPT, Shard
from clustrategy.engines.chosen import Strategy
from clustrategy.estimation.mixed.conditional_modes import conditional_modes
from clustrategy.estimation.mixed.fit import at_theta
from clustrategy.estimation.mixed.models import given
from clustrategy.estimation.mixed.random_coefficients import RandomCoefficients, absence
from clustrategy.estimation.own_coefficients import own_coefficients
from tests.dense import Dense, lower
from tests.material import FOLDER, few, fit, fitted, golden, join, random_shard
from tests.selection import SELECTED, drawn

LME4 = json.loads((FOLDER / "conditional_modes.json").read_text())["models"]
IDS = [f"{model['dataset']}: {model['formula']}" for model in LME4]

pytestmark = pytest.mark.filterwarnings("error::RuntimeWarning")


def shard_of(model: dict) -> Shard:
    """The dataset, without the intercept where the model has none."""
    whole = golden(model["dataset"])
    if INTERCEPT in model["estimate"]:
        return whole
    return Shard(whole.y, whole.X[:, 1:], whole.n, whole.terms[1:])


def at(shard: Shard, random: list[str], theta: list[float], correlated: bool = True) -> Fits:
    """The model at a given theta."""
    there = np.array([theta])
    return at_theta(shard, given(random, correlated), there, np.array([True]))


# --- lme4 ---------------------------------------------------------------------------------


@pytest.mark.parametrize("model", LME4, ids=IDS)
def test_random_effects_and_variance_components_are_lme4s_at_its_theta(model):
    shard = shard_of(model)
    fits = at(shard, model["random"], model["theta"], model["correlated"])
    assert fits.singular[0] == model["singular"]
    found = conditional_modes(shard, fits)
    assert [shard.terms[column] for column in found.columns] == model["random"]
    mode, std_error, whole = (
        np.array([model[name][term] for term in model["random"]]).T
        for name in ("mode", "std_error", "coef")
    )
    same = {"rtol": 1e-8, "atol": 1e-10 * fits.sigma[0]}
    np.testing.assert_allclose(found.mode, mode, **same)
    np.testing.assert_allclose(found.std_error, std_error, **same)
    np.testing.assert_allclose(fits.estimate[0, found.columns] + found.mode, whole, **same)
    spread = RandomCoefficients.of(fits).components(shard.terms)
    expected = {
        "sd__Observation"
        if row["var1"] is None
        else f"sd__{row['var1']}"
        if row["var2"] is None
        else f"cor__{row['var1']}.{row['var2']}": row["sdcor"]
        for row in model["VarCorr"]
    }
    assert list(spread) == list(expected)
    for name, value in expected.items():
        np.testing.assert_allclose(spread[name], value, rtol=1e-8, atol=1e-10, err_msg=name)


@cache
def ours(place: int) -> Fits:
    """Our fit of one of lme4's models."""
    model = LME4[place]
    options = {"random": model["random"], "correlated": model["correlated"]}
    return fit(shard_of(model), "mixed", **options)


NEAR = 1e-6
"""So near the criteria are where both searches ended at one optimum."""


@pytest.mark.parametrize("place", range(len(LME4)), ids=IDS)
def test_a_strategy_finds_lme4s_optimum_and_its_random_effects(place):
    model, fits = LME4[place], ours(place)
    assert fits.status[0] == ("singular" if model["singular"] else "ok")
    assert fits.reml_criterion[0] < model["reml"] + 1e-7
    if abs(fits.reml_criterion[0] - model["reml"]) < NEAR:
        estimate = list(model["estimate"].values())
        np.testing.assert_allclose(fits.estimate[0], estimate, rtol=1e-5, atol=1e-6)
        mode = np.array([model["mode"][term] for term in model["random"]]).T
        found = conditional_modes(shard_of(model), fits).mode
        np.testing.assert_allclose(found, mode, rtol=0, atol=1e-4 * fits.sigma[0])


def test_lme4_stopped_at_our_optimum_in_most_models():
    """So that the test above compares the random effects of some."""
    far = [ours(place).reml_criterion[0] - model["reml"] for place, model in enumerate(LME4)]
    assert sum(abs(apart) < NEAR for apart in far) >= 12


# --- properties ---------------------------------------------------------------------------


def test_they_are_those_of_the_model_written_out():
    """b = Psi Z' V^-1 (y - X beta), with the variance of b given y, beta and theta known."""
    shard = random_shard(4, 1, 6, 3, (2, 7))
    theta = [0.8, -0.3, 0.0, 0.4, 0.2, 0.5]
    fits = at(shard, list(shard.terms), theta)
    found, dense = conditional_modes(shard, fits), Dense.of(shard, [0, 1, 2])
    psi = lower(np.array(theta)) @ lower(np.array(theta)).T
    inverse = np.linalg.inv(dense.V(psi))
    weighted = inverse @ (shard.y - shard.X @ fits.estimate[0])
    for g in range(6):
        rows = dense.codes == g
        Z = shard.X[rows]
        np.testing.assert_allclose(found.mode[g], psi @ Z.T @ weighted[rows], rtol=1e-9)
        variance = psi - psi @ Z.T @ inverse[np.ix_(rows, rows)] @ Z @ psi
        expected = fits.sigma[0] * np.sqrt(np.diag(variance))
        np.testing.assert_allclose(found.std_error[g], expected, rtol=1e-9)


@given_by(st.integers(0, 10**6))
@few
def test_where_the_fixed_effects_are_the_same_columns_they_sum_to_zero(seed):
    """The normal equations of the fixed effects: sum_g Z_g' V_g^-1 r_g = 0, Psi times it too."""
    shard = random_shard(seed, 1, 7, 3, (2, 8))
    fits = at(shard, list(shard.terms), [0.9, 0.2, -0.1, 0.7, 0.3, 0.4])
    mode = conditional_modes(shard, fits).mode
    np.testing.assert_allclose(mode.sum(axis=0), 0.0, atol=1e-10 * np.abs(mode).max())


@given_by(st.integers(0, 10**6))
@few
def test_they_go_from_nothing_to_what_the_clusters_own_regressions_say(seed):
    """As the variances between clusters grow from 0 without end."""
    shard = random_shard(seed, 1, 5, 2, (5, 9))
    terms = list(shard.terms)
    small = conditional_modes(shard, at(shard, terms, [1e-5, 0.0, 1e-5]))
    assert np.abs(small.mode).max() < 1e-7 and small.std_error.max() < 1e-4
    zero = conditional_modes(shard, at(shard, terms, [0.0, 0.0, 0.0]))
    assert not zero.mode.any() and not zero.std_error.any()
    fits = at(shard, terms, [1e6, 0.0, 1e6])
    large, own = conditional_modes(shard, fits), own_coefficients(shard)
    np.testing.assert_allclose(fits.estimate[0] + large.mode, own.estimate[0], rtol=1e-5, atol=1e-8)


def test_a_singular_fit_has_clusters_on_a_line():
    """A correlation of -1: the slopes are a multiple of the intercepts."""
    shard = random_shard(1, 1, 6, 2, 5)
    fits = at(shard, list(shard.terms), [0.5, -0.25, 0.0])
    found = conditional_modes(shard, fits)
    np.testing.assert_allclose(found.mode[:, 1], -0.5 * found.mode[:, 0], rtol=1e-12)
    np.testing.assert_allclose(found.std_error[:, 1], 0.5 * found.std_error[:, 0], rtol=1e-12)
    spread = RandomCoefficients.of(fits).components(shard.terms)
    assert spread["cor__(Intercept).x1"] == pytest.approx(-1.0, abs=1e-12)


def test_the_correlation_with_what_does_not_vary_is_nan():
    fits = at(random_shard(1, 1, 6, 2, 5), [INTERCEPT, "x1"], [0.5, 0.0, 0.0])
    spread = RandomCoefficients.of(fits).components((INTERCEPT, "x1"))
    assert spread["sd__x1"] == 0.0 and np.isnan(spread["cor__(Intercept).x1"])


def test_one_of_many_datasets_and_more_clusters_than_are_worked_on_at_once(monkeypatch):
    shard = random_shard(2, 3, 7, 3, (4, 9))
    fits = fitted(shard, "mixed_maximal")
    expected = conditional_modes(shard.dataset(1), fit(shard.dataset(1), "mixed_maximal"))
    monkeypatch.setattr("clustrategy.estimation.mixed.conditional_modes.CLUSTERS_AT_ONCE", 3)
    found = conditional_modes(shard, fits, 1)
    np.testing.assert_array_equal(found.mode, expected.mode)
    np.testing.assert_array_equal(found.std_error, expected.std_error)


# --- which models have them ---------------------------------------------------------------


def columns(kept: str) -> list[str]:
    """The random coefficients of a model as the selection names it."""
    if kept == "intercept":
        return [INTERCEPT]
    some = re.fullmatch(r"uncorrelated \((.*)\)", kept)
    return [INTERCEPT, *(some[1].split(" + ") if some else ("x1", "x2", "x3"))]


@pytest.mark.parametrize(
    ("name", "options", "key"),
    [
        ("mixed_fallback", {}, "fallback"),
        ("mixed_selected", {"by": "LRT"}, "LRT"),
        ("mixed_selected", {"by": "AIC"}, "AIC"),
    ],
)
def test_random_effects_that_the_data_choose_are_those_that_r_keeps(name, options, key):
    numbers = [number for number, shard in drawn().items() if shard.clusters == 10]
    shard = join(*(drawn()[number] for number in numbers))
    fits = fit(shard, name, **options)
    seen = set()
    for sim, number in enumerate(numbers):
        kept = SELECTED[number][key]["kept"]
        random = RandomCoefficients.of(fits, sim)
        assert [shard.terms[column] for column in random.columns] == columns(kept)
        assert random.correlated == (kept in ("maximal", "intercept"))
        seen.add(kept.partition(" ")[0])
    assert seen == {"maximal", "uncorrelated", "intercept"}
    twin = fit(shard, "mixed", random=[INTERCEPT])
    sim = [SELECTED[number][key]["kept"] for number in numbers].index("intercept")
    found, expected = conditional_modes(shard, fits, sim), conditional_modes(shard, twin, sim)
    np.testing.assert_allclose(found.mode, expected.mode, rtol=1e-6, atol=1e-8)
    np.testing.assert_allclose(found.std_error, expected.std_error, rtol=1e-6, atol=1e-8)


def test_what_has_none_says_why():
    shard = golden("orthodont")
    for name in ("ols", "two_stage", "gee"):
        assert absence(fit(shard, name)) == "not a mixed model: no coefficient is random"
    constant = fit(shard, "mixed", random=["x2"])
    assert absence(constant) == (
        "no usable fit: x2 varies within no cluster: its coefficient cannot be random"
    )
    with pytest.raises(ValueError, match="^no usable fit: x2 varies within no cluster"):
        conditional_modes(shard, constant)
    with pytest.raises(ValueError, match="^not a mixed model"):
        conditional_modes(shard, fit(shard, "ols"))
    infinite = replace(shard, y=np.where(np.arange(shard.y.size) == 3, np.inf, shard.y))
    assert absence(Strategy.parse("mixed_maximal").fit(infinite))
    assert absence(fit(shard, "mixed_intercept")) == ""
