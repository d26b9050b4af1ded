"""Whose fault a difference between engine and reference is."""

from __future__ import annotations

from copy import deepcopy

import numpy as np
import pytest

from clustrategy.audit import tolerances as bounds
from clustrategy.audit.judgement import best_criterion, judge
from clustrategy.core.fits import Fits
from clustrategy.engines.chosen import Strategy
from clustrategy.estimation.mixed.fit import NO_MINIMUM, at_theta
from clustrategy.estimation.mixed.models import MODELS
from tests.material import GOLDEN, golden, join, random_shard

MAXIMAL = Strategy.parse("mixed_maximal")
SHARD = random_shard(3, sims=2, clusters=12, p=3, rows=8)
EVERY = np.ones(2, dtype=bool)


def fitted(shard=SHARD, strategy: Strategy = MAXIMAL) -> Fits:
    return strategy.fit(shard)


def verdict(found: Fits, reference: Fits, strategy: Strategy = MAXIMAL) -> list[str]:
    best = best_criterion([found, reference])
    return judge(SHARD, strategy, found, reference, best).tolist()


def test_equal_fits_agree():
    assert verdict(fitted(), fitted()) == ["agree", "agree"]


@pytest.mark.parametrize(
    ("above", "expected"), [(5e-7, "agree"), (1e-5, "reference_slack"), (1e-3, "reference_short")]
)
def test_a_reference_above_the_optimum_is_at_fault(above, expected):
    reference = fitted()
    reference.reml_criterion[1] += above
    assert verdict(fitted(), reference) == ["agree", expected]
    assert verdict(reference, fitted())[1] == ("agree" if above < 1e-6 else "engine_short")


@pytest.mark.parametrize("column", ["estimate", "std_error"])
def test_numbers_apart_at_the_same_optimum_are_the_engines_fault(column):
    reference = fitted()
    getattr(reference, column)[0, 1] *= 1.0 + 1e-3
    assert verdict(fitted(), reference) == ["differ", "agree"]


@pytest.mark.parametrize("name", ["mixed_maximal", "mixed_uncorrelated"])
def test_numbers_apart_that_the_references_theta_explains_are_its_own(name):
    strategy = Strategy.parse(name)
    best = fitted(strategy=strategy)
    reference = at_theta(SHARD, MODELS[name], best.theta * (1 + 1.9e-4), EVERY)
    excess = reference.reml_criterion - best.reml_criterion
    assert (excess > 1e-9).all() and (excess < 1e-6).all()
    moved = np.abs(reference.std_error / best.std_error - 1).max(axis=1)
    assert (moved > bounds.STD_ERROR).all()
    assert verdict(best, reference, strategy) == ["reference_slack"] * 2
    assert verdict(reference, best, strategy) == ["differ"] * 2
    for column in ("estimate", "std_error"):
        wrong = deepcopy(reference)
        getattr(wrong, column)[0, 1] *= 1.0 + 5e-4
        assert verdict(best, wrong, strategy) == ["differ", "reference_slack"]


def test_a_reference_without_a_theta_explains_nothing():
    best = fitted()
    reference = at_theta(SHARD, MODELS["mixed_maximal"], best.theta * (1 + 1.9e-4), EVERY)
    reference.theta = np.full((SHARD.sims, 0), np.nan)
    assert verdict(best, reference) == ["differ"] * 2


def test_exact_degrees_of_freedom_say_whose_are_wrong():
    reference, found = fitted(), fitted()
    reference.df[0, 2] *= 1.05
    assert verdict(found, reference) == ["reference_df", "agree"]
    assert verdict(reference, found) == ["differ", "agree"]


@pytest.mark.parametrize("name", ["sleepstudy-unbalanced", "unbalanced-30x25-1.0", "orthodont"])
def test_the_exact_degrees_of_freedom_are_lmertests_at_its_own_theta(name):
    known, shard = GOLDEN[name]["mixed_maximal"], golden(name)
    found = at_theta(shard, MODELS["mixed_maximal"], np.array([known["theta"]]), np.array([True]))
    np.testing.assert_allclose(found.df[0], known["df"], rtol=1e-3)


@pytest.mark.parametrize(
    ("name", "model"),
    [
        (name, model)
        for name in sorted(GOLDEN)
        for model in ("mixed_maximal", "mixed_intercept")
        if GOLDEN[name].get(model) is not None
    ],
)
def test_at_lme4s_own_theta_the_numbers_are_lme4s(name, model):
    known, shard = GOLDEN[name][model], golden(name)
    found = at_theta(shard, MODELS[model], np.atleast_2d(known["theta"]), np.array([True]))
    assert found.reml_criterion[0] == pytest.approx(known["reml"], abs=1e-8)
    np.testing.assert_allclose(found.estimate[0], known["estimate"], rtol=1e-9, atol=1e-9)
    np.testing.assert_allclose(found.std_error[0], known["std_error"], rtol=1e-9)


def test_a_reference_that_stops_where_there_is_no_minimum_stopped_short():
    reference, found = fitted(), fitted()
    everywhere = np.ones(SHARD.sims, dtype=bool)
    found.fail(everywhere, "undefined", NO_MINIMUM)
    assert verdict(found, reference) == ["engine_failed", "engine_failed"]
    reference.sigma[0] *= 1e-3
    assert verdict(found, reference) == ["reference_short", "engine_failed"]


def test_fits_without_numbers():
    good, bad, doubtful = fitted(), fitted(), fitted()
    bad.fail(np.array([True, False]), "error", "no")
    doubtful.status[0] = "not_converged"
    assert verdict(good, bad) == ["reference_failed", "agree"]
    assert verdict(bad, good) == ["engine_failed", "agree"]
    assert verdict(bad, deepcopy(bad)) == ["both_failed", "agree"]
    assert verdict(doubtful, good) == ["engine_failed", "agree"]
    assert verdict(bad, doubtful) == ["both_failed", "agree"]
    assert verdict(good, doubtful) == ["agree", "agree"]  # a warning, but the right numbers


@pytest.mark.parametrize(("shift", "expected"), [(1e-12, "agree"), (1e-9, "differ")])
def test_least_squares_agree_to_the_tenth_digit(shift, expected):
    strategy = Strategy.parse("cluster_robust")
    reference = fitted(strategy=strategy)
    reference.std_error[0, 0] *= 1.0 + shift
    assert verdict(fitted(strategy=strategy), reference, strategy) == [expected, "agree"]


def test_the_engine_is_not_above_lme4_on_the_golden_datasets():
    names = [name for name in GOLDEN if GOLDEN[name]["mixed_maximal"] is not None]
    for name in names:
        known = GOLDEN[name]["mixed_maximal"]
        found = fitted(golden(name))
        least = min(known["reml"], known["best"]["reml"])
        assert found.reml_criterion[0] <= least + bounds.CRITERION, name


def test_a_shard_of_different_datasets_has_a_verdict_for_each():
    shard = join(golden("balanced-10x5-4.0"), golden("balanced-10x5-1.0"))
    found = MAXIMAL.fit(shard)
    worse = deepcopy(found)
    worse.reml_criterion[0] += 1.0
    best = best_criterion([found, worse])
    assert judge(shard, MAXIMAL, found, worse, best).tolist() == [
        "reference_short",
        "agree",
    ]


def test_an_engine_whose_numbers_are_not_those_of_its_own_theta_differs():
    best = fitted()
    reference = at_theta(SHARD, MODELS["mixed_maximal"], best.theta * (1 + 1.9e-4), EVERY)
    wrong = deepcopy(best)
    wrong.std_error[0, 1] *= 1.0 + 5e-4
    assert verdict(wrong, reference) == ["differ", "reference_slack"]


def test_estimates_and_df_without_a_standard_error_in_least_squares():
    strategy = Strategy.parse("cluster_robust")
    found, reference = (fitted(strategy=strategy) for _ in range(2))
    found.std_error[:, 0] = found.df[:, 0] = np.nan
    assert verdict(found, reference, strategy) == ["agree", "agree"]
    found.estimate[1, 0] *= 1.0 + 1e-9
    assert verdict(found, reference, strategy) == ["agree", "differ"]
    found.df[0, 1] = np.nan
    assert verdict(found, reference, strategy) == ["differ", "differ"]
