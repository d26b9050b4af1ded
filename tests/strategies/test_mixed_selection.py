from __future__ import annotations

import json
from collections import Counter
from functools import cache

import numpy as np
import pytest
import scipy.stats

from clustrategy.audit.judgement import judge
from clustrategy.audit.references import references
from clustrategy.core.errors import ConfigError
from clustrategy.core.fits import Fits
from clustrategy.core.shard import Shard
from clustrategy.dgp import Process, simulate
from clustrategy.engines.chosen import Strategy, registry
from clustrategy.estimation.mixed import fit as fitting
from clustrategy.estimation.mixed import selection, standard_errors
from clustrategy.estimation.mixed.fit import at_theta
from clustrategy.estimation.mixed.models import MODELS
from clustrategy.estimation.mixed.optimizer import minimise, minimise_from
from clustrategy.strategies.mixed import model_of
from tests.dense import Dense
from tests.material import (
    FOLDER,
    fit,
    fitted,
    golden,
    join,
    random_shard,
    same_bits,
)
from tests.selection import SELECTED, assert_is, drawn, tiny

pytestmark = pytest.mark.filterwarnings("error::RuntimeWarning")
CHOSEN = {
    "fallback": {"strategy": "mixed_fallback"},
    "LRT": {"strategy": "mixed_selected"},
    "AIC": {"strategy": "mixed_selected", "by": "AIC"},
}
NEW = ("mixed_uncorrelated", "mixed_fallback", "mixed_selected")


@cache
def crowd() -> Shard:
    """Of every model that can be kept some datasets."""
    return join(*(tiny(sigma, 12) for sigma in (0.1, 0.5, 1.0, 4.0)))


# --- what is kept: the loop in R ----------------------------------------------------------


@pytest.mark.parametrize("how", CHOSEN)
def test_what_is_kept_is_what_a_loop_over_lme4_models_keeps(how):
    for name, shard in drawn().items():
        expected = SELECTED[name][how]
        found = fit(shard, **CHOSEN[how])
        assert found.message[0].split("; ")[0] == f"kept: {expected['kept']}", name
        assert_is(found, expected)


@pytest.mark.parametrize("how", CHOSEN)
def test_the_loop_keeps_models_of_many_kinds(how):
    kept = Counter(entry[how]["kept"].split(" (")[0] for entry in SELECTED.values())
    assert min(kept[kind] for kind in ("maximal", "uncorrelated", "intercept")) >= 5


# --- what is kept: properties -------------------------------------------------------------


def test_the_fallback_is_the_first_model_that_is_ok_bit_for_bit():
    shard = crowd()
    found = fit(shard, "mixed_fallback")
    models = ("maximal", "uncorrelated", "intercept")
    fits = {name: fit(shard, f"mixed_{name}") for name in models}
    kept = Counter()
    for sim in range(shard.sims):
        good = [name for name in models if fits[name].status[sim] == "ok"]
        name = good[0] if good else "intercept"
        kept[name, found.status[sim]] += 1
        expected = fits[name]
        for column in ("estimate", "std_error", "df", "reml_criterion", "sigma", "singular"):
            np.testing.assert_array_equal(
                getattr(found, column)[sim], getattr(expected, column)[sim]
            )
        theta = found.theta[sim]
        np.testing.assert_array_equal(theta[: expected.theta.shape[1]], expected.theta[sim])
        assert np.isnan(theta[expected.theta.shape[1] :]).all()
        said = [f"kept: {name}", expected.message[sim]]
        assert found.message[sim] == "; ".join(filter(None, said))
        assert found.status[sim] == expected.status[sim]
    assert len(kept) == 4


@pytest.mark.parametrize("by", ["LRT", "AIC"])
def test_a_selected_model_that_is_a_strategy_of_its_own_has_its_numbers(by):
    shard = crowd()
    found = fit(shard, "mixed_selected", by=by)
    names = Counter()
    for sim, message in enumerate(found.message):
        name = message.split("; ")[0].removeprefix("kept: ")
        names[name] += 1
        if "(" in name:
            continue
        expected = fit(shard.dataset(sim), f"mixed_{name}")
        np.testing.assert_allclose(
            found.reml_criterion[sim], expected.reml_criterion[0], rtol=0, atol=1e-9
        )
        np.testing.assert_allclose(found.std_error[sim], expected.std_error[0], rtol=1e-6)
        np.testing.assert_allclose(found.df[sim], expected.df[0], rtol=1e-5)
        assert found.status[sim] == expected.status[0]
    assert {"maximal", "uncorrelated", "intercept"} <= set(names)


def test_slopes_go_before_the_intercept_in_any_order_of_the_columns():
    """Each slope's variance zero in turn: the one that is not there goes, the others stay."""
    for absent in (1, 2, 3):
        shard = random_shard(20 + absent, 1, 30, 4, 12)
        rng = np.random.default_rng(absent)
        b = np.repeat(1.5 * rng.standard_normal((30, 4)), 12, axis=0)
        b[:, absent] = 0.4
        shard = Shard(
            (shard.X * b).sum(axis=1) + rng.standard_normal(360), shard.X, shard.n, shard.terms
        )
        # the residuals' variance of the slope that is absent is nothing but chance
        left = [f"x{k}" for k in (1, 2, 3) if k != absent]
        found = fitted(shard, "mixed_selected", by="AIC")
        assert found.message[0] == f"kept: uncorrelated ({' + '.join(left)})"
        dense = Dense.of(shard, [k for k in range(4) if k != absent])
        theta = found.theta[0][~np.isnan(found.theta[0])]
        assert theta.shape == (3,)
        criterion = dense.criterion(np.diag(theta**2))
        np.testing.assert_allclose(found.reml_criterion[0], criterion, rtol=0, atol=1e-9)


def test_a_model_without_fit_is_passed_over():
    """Fewer rows than random effects of the maximal model, but not of simpler ones."""
    shard = random_shard(2, 3, 8, 4, 3)
    assert set(fit(shard, "mixed_maximal").status) == {"undefined"}
    found = fit(shard, "mixed_fallback")
    intercept = fit(shard, "mixed_intercept")
    assert same_bits(found, _padded(intercept, found.theta.shape[1]))
    for by in ("LRT", "AIC"):
        selected = fit(shard, "mixed_selected", by=by)
        assert set(selected.status) <= {"ok", "singular"}
        assert (np.isfinite(selected.theta).sum(axis=1) <= 2).all()


def _padded(fits: Fits, width: int) -> Fits:
    return Fits.concatenate([fits, Fits.blank(0, fits.estimate.shape[1], width)])


@pytest.mark.parametrize("name", ["mixed_fallback", "mixed_selected"])
def test_what_no_model_can_be_fitted_to_keeps_its_reason(name):
    lone = random_shard(1, 1, 1, 2, 9)
    dependent = random_shard(1, 1, 5, 3, 9)
    dependent.X[:, 2] = dependent.X[:, 1]
    exact = random_shard(1, 1, 6, 3, 8)
    exact = Shard(exact.X.sum(axis=1), exact.X, exact.n, exact.terms)
    for shard, words in (
        (lone, "one cluster: a mixed model needs two"),
        (dependent, "the predictors are linearly dependent"),
        (exact, "the predictors explain the response exactly: there is no residual variance"),
    ):
        found = fit(shard, name)
        assert (found.status[0], found.message[0]) == ("undefined", words)
        assert np.isnan([found.estimate, found.std_error, found.df]).all()


@pytest.mark.parametrize("name", ["mixed_fallback", "mixed_selected"])
def test_a_model_that_explains_the_response_exactly_is_passed_over(name):
    shard = random_shard(1, 2, 6, 3, 8)
    b = np.repeat(np.random.default_rng(0).standard_normal((12, 3)), 8, axis=0)
    shard = Shard((shard.X * b).sum(axis=1), shard.X, shard.n, shard.terms)
    assert "no residual variance" in fit(shard, "mixed_maximal").message[0]
    assert "no residual variance" in fit(shard, "mixed_uncorrelated").message[0]
    found = fit(shard, name)
    assert set(found.message) <= {"kept: intercept", "kept: uncorrelated (x1)"}
    assert set(found.status) == {"ok"}


def test_without_an_intercept_there_is_no_random_intercept_to_end_with():
    full = tiny(1.0, 12)
    shard = Shard(full.y, full.X[:, 1:], full.n, full.terms[1:])
    maximal, uncorrelated = (fit(shard, f"mixed_{name}") for name in ("maximal", "uncorrelated"))
    found = fit(shard, "mixed_fallback")
    for sim in range(shard.sims):
        good = [one for one in (maximal, uncorrelated) if one.status[sim] == "ok"]
        if good:
            np.testing.assert_array_equal(found.estimate[sim], good[0].estimate[sim])
        else:
            assert found.status[sim] == "error"
            assert "needs a model with an intercept" in found.message[sim]
    assert set(found.status) == {"ok", "error"}
    assert set(fit(shard, "mixed_selected").status) == {"error"}


# --- determinism --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("mixed_uncorrelated", {}),
        ("mixed_fallback", {}),
        ("mixed_selected", {}),
        ("mixed_selected", {"by": "AIC", "df": "normal"}),
    ],
)
def test_the_bits_of_a_dataset_do_not_depend_on_its_shard(name, options):
    shard = crowd()
    some = range(0, shard.sims, 3)
    together = fit(shard, name, **options).take(np.array(some))
    alone = Fits.concatenate([fit(shard.dataset(sim), name, **options) for sim in some])
    assert same_bits(together, alone)
    assert list(together.message) == list(alone.message)


@pytest.mark.parametrize("by", ["LRT", "AIC"])
def test_models_are_searched_for_a_few_datasets_at_once(monkeypatch, by):
    """However many slopes there are to drop: memory is that of a few datasets."""
    shard, datasets = join(*(crowd().dataset(sim) for sim in range(0, crowd().sims, 8))), []

    def counted(search):
        def counting(criterion, *start):
            datasets.append(criterion.sims)
            return search(criterion, *start)

        return counting

    expected = fit(shard, "mixed_selected", by=by)
    monkeypatch.setattr(fitting, "CLUSTERS_AT_ONCE", 2 * shard.clusters)
    for search in (minimise, minimise_from):
        monkeypatch.setattr(selection, search.__name__, counted(search))
    found = fit(shard, "mixed_selected", by=by)
    assert max(datasets) == 2
    assert same_bits(found, expected)
    assert list(found.message) == list(expected.message)


@pytest.mark.parametrize("name", NEW)
def test_datasets_of_one_shard_may_differ_in_which_predictors_are_random(name):
    varying = random_shard(5, 1, 8, 3, (5, 9))
    constant = Shard(varying.y, varying.X.copy(), varying.n, varying.terms)
    constant.X[:, 1] = np.linspace(-1.0, 1.0, 8)[constant.cluster_codes(0)]
    parts = (varying, constant, varying)
    both = fitted(join(*parts), name)
    assert same_bits(both, Fits.concatenate([fitted(part, name) for part in parts]))


# --- options ------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["mixed_maximal", "mixed_intercept", *NEW])
def test_normal_degrees_of_freedom_change_nothing_else(name):
    shard = join(random_shard(1, 2, 10, 3, (4, 9)), random_shard(12, 2, 10, 3, (12, 20)))
    plain, normal = fitted(shard, name), fitted(shard, name, df="normal")
    assert np.isinf(normal.df).all() and np.isfinite(plain.df).all()
    np.testing.assert_array_equal(normal.std_error, plain.std_error)
    np.testing.assert_array_equal(normal.theta, plain.theta)
    assert list(normal.message) == list(plain.message)


@pytest.mark.parametrize("name", ["mixed_maximal", "mixed_intercept", *NEW])
def test_kenward_and_roger_have_a_variance_of_their_own(name):
    with pytest.raises(ConfigError, match="df: kenward_roger goes with its own variance; with"):
        Strategy.parse({"strategy": name, "df": "kenward_roger", "variance": "CR2"})
    for options in (
        {"df": "kenward_roger"},
        {"variance": "CR2"},
        {"variance": "CR2", "df": "normal"},
    ):
        assert Strategy.parse({"strategy": name, **options}).options == options


@pytest.mark.parametrize("name", ["mixed_maximal", "mixed_uncorrelated", "mixed_intercept"])
def test_variances_and_df_come_from_where_the_options_say(name, monkeypatch):
    """Both modules replaced by ones that answer with multiples of the model's own variance."""
    seen = {}

    class Adjustment:
        @staticmethod
        def of(point, basis):
            seen["basis"] = np.array(basis)

    class Sandwich:
        @staticmethod
        def of(point, contrasts):
            return point, contrasts

    def kenward_roger(adjustment, contrasts):
        return 4.0 * (contrasts**2).sum(axis=2), np.full(contrasts.shape[:2], 7.0)

    def cr2(parts):
        point, contrasts = parts
        sigma2 = (point.rss / point.criterion.nu)[:, None]
        return 9.0 * sigma2 * (contrasts**2).sum(axis=2), np.full(contrasts.shape[:2], 5.0)

    for replaced in (Adjustment, Sandwich, kenward_roger, cr2):
        monkeypatch.setattr(standard_errors, replaced.__name__, replaced)
    shard = random_shard(7, 3, 9, 3, (6, 12))
    plain = fitted(shard, name)
    found = fitted(shard, name, df="kenward_roger")
    np.testing.assert_allclose(found.std_error, 2.0 * plain.std_error, rtol=1e-14)
    assert (found.df == 7.0).all()
    free = {"mixed_maximal": 6, "mixed_uncorrelated": 3, "mixed_intercept": 1}[name]
    q = 1 if name == "mixed_intercept" else 3
    assert seen["basis"].shape == (3, free, q * q)
    for df, expected in (("satterthwaite", 5.0), ("normal", np.inf)):
        found = fitted(shard, name, variance="CR2", df=df)
        np.testing.assert_allclose(found.std_error, 3.0 * plain.std_error, rtol=1e-12)
        assert (found.df == expected).all()


@pytest.mark.parametrize("name", ["mixed_uncorrelated", "mixed_intercept"])
@pytest.mark.parametrize(
    ("key", "options"),
    [("kenward_roger", {"df": "kenward_roger"}), ("CR2", {"variance": "CR2"})],
)
def test_kenward_roger_and_cr2_are_those_of_pbkrtest_and_clubsandwich(name, key, options):
    """At the theta where lme4 stopped, which for these models is the optimum within 1e-4."""
    known = json.loads((FOLDER / "mixed_inference.json").read_text())["datasets"]
    compared = 0
    for dataset, models in known.items():
        if models[name] is None:
            continue
        expected, found = models[name][key], fitted(golden(dataset), name, **options)
        np.testing.assert_allclose(found.std_error[0], expected["std_error"], rtol=1e-4)
        np.testing.assert_allclose(found.df[0], expected["df"], rtol=1e-4)
        compared += 1
    assert compared >= 10


# --- the audit ----------------------------------------------------------------------------


def test_uncorrelated_models_are_audited_by_lme4_those_that_are_selected_by_nothing():
    assert list(registry()["mixed_uncorrelated"]) == ["numpy", "lme4", "lme4_unbounded"]
    found = [one.engine for one in references(Strategy.parse("mixed_uncorrelated"), "lme4")]
    assert found == ["lme4", "lme4_unbounded"]
    assert model_of("mixed_uncorrelated", {}) is MODELS["mixed_uncorrelated"]
    for name in ("mixed_fallback", "mixed_selected"):
        assert list(registry()[name]) == ["numpy"]
        assert references(Strategy.parse(name), "lme4") == []
        assert model_of(name, {}) is None


def test_the_audit_recomputes_the_df_of_an_uncorrelated_reference():
    shard = random_shard(3, 1, 12, 3, (6, 12))
    found = fitted(shard, "mixed_uncorrelated")
    exact = at_theta(shard, MODELS["mixed_uncorrelated"], found.theta, np.array([True]))
    np.testing.assert_allclose(exact.df, found.df, rtol=1e-9)
    reference = fitted(shard, "mixed_uncorrelated")
    reference.df *= 1.1
    strategy = Strategy.parse("mixed_uncorrelated")
    verdict = judge(shard, strategy, found, reference, found.reml_criterion)
    assert verdict.tolist() == ["reference_df"]


def test_the_level_of_the_tests_is_that_of_the_paper():
    assert selection.ALPHA == 0.2


# --- what ignoring random slopes costs ----------------------------------------------------


@pytest.mark.parametrize("sigma", [0.1, 0.25, 1.0])
def test_a_random_intercept_alone_rejects_true_nulls_as_often_as_slopes_make_it(sigma):
    """With p iid predictors and slopes of SD tau the size is about 2 Phi(-1.96 / sqrt(lambda)).

    lambda = (s^2 + tau^2 (n + p)) / (s^2 + p tau^2), what the slopes' variance is over what the
    model takes it for; the test with the uncorrelated model keeps its level.
    """
    n, p, sims = 25, 3, 400
    process = Process(30, n, sigma, p, [0.0] * (p + 1), 1.0)
    shard = simulate(process, 11, {"clusters": 30, "s": sigma}, range(sims)).shard

    def rejected(strategy: str) -> np.ndarray:
        found = fitted(shard, strategy)
        statistic = np.abs(found.estimate / found.std_error)[:, 1:]
        return (statistic > scipy.stats.t.ppf(0.975, found.df[:, 1:])).mean()

    inflation = (1.0 + sigma**2 * (n + p)) / (1.0 + sigma**2 * p)
    expected = 2.0 * scipy.stats.norm.cdf(-1.96 / np.sqrt(inflation))
    assert abs(rejected("mixed_intercept") - expected) < 0.04
    assert abs(rejected("mixed_uncorrelated") - 0.05) < 0.025
