from __future__ import annotations

import warnings
from typing import NamedTuple

import numpy as np
import pandas as pd
import pytest
import scipy.stats
from hypothesis import given, settings

from clustrategy.core.shard import INTERCEPT, Shard
from clustrategy.engines.chosen import Strategy
from tests.dense import Dense, lower
from tests.material import (
    GOLDEN,
    few,
    fit,
    fitted,
    golden,
    needs_glmm,
    random_shard,
    same_bits,
    shards,
)

MODELS = ("mixed_maximal", "mixed_intercept")
ENGINES = ("numpy", pytest.param("glmm", marks=needs_glmm))
FITTED = [(name, model) for name in GOLDEN for model in MODELS if GOLDEN[name][model] is not None]
SINGULAR = [(name, model) for name, model in FITTED if GOLDEN[name][model]["best"]["singular"]]


class Tolerance(NamedTuple):
    """How near an engine comes to the numbers of R's optimum, which have their own rounding."""

    criterion: float
    estimate: float
    std_error: float
    sigma: float
    theta: float
    df: float
    real: float


TOLERANCE = {
    "numpy": Tolerance(1e-8, 1e-5, 2e-5, 1e-6, 1e-4, 5e-5, 1e-6),
    "glmm": Tolerance(1e-6, 1e-4, 1e-4, 1e-5, 1e-3, 2e-4, 1e-5),
}
# Between two fits of one dataset: estimates in standard errors, df.
REPEATED = {"numpy": (1e-5, 1e-4), "glmm": (1e-4, 2e-3)}


# --- lme4, optimised to the end -----------------------------------------------------------


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize(("name", "model"), FITTED)
def test_the_best_optimum_is_reached(name, model, engine):
    best, to = GOLDEN[name][model]["best"], TOLERANCE[engine]
    found = fit(golden(name), model, engine=engine)
    np.testing.assert_allclose(found.reml_criterion[0], best["reml"], rtol=0, atol=to.criterion)
    unit = np.array(best["std_error"])
    np.testing.assert_allclose(found.estimate[0] / unit, best["estimate"] / unit, atol=to.estimate)
    np.testing.assert_allclose(found.std_error[0], unit, rtol=to.std_error)
    np.testing.assert_allclose(found.sigma[0], best["sigma"], rtol=to.sigma)
    np.testing.assert_allclose(found.theta[0], best["theta"], rtol=to.theta, atol=1e-4)
    np.testing.assert_allclose(found.df[0], best["df"], rtol=to.df)
    assert found.singular[0] == best["singular"]
    assert found.status[0] == ("singular" if best["singular"] else "ok")


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize(("name", "model"), FITTED)
def test_the_numbers_are_lmertests_where_lme4_reached_the_optimum(name, model, engine):
    expected = GOLDEN[name][model]
    found = fit(golden(name), model, engine=engine)
    if expected["reml"] - expected["best"]["reml"] < 1e-6:
        np.testing.assert_allclose(found.df[0], expected["df"], atol=1e-2)
        np.testing.assert_allclose(found.std_error[0], expected["std_error"], rtol=2e-4)
        assert found.singular[0] == expected["singular"]
    else:  # and is not above it elsewhere
        assert found.reml_criterion[0] < expected["reml"]


def test_the_golden_datasets_hold_what_matters():
    """Optima that lme4 misses, singular and regular ones: else the tests above prove little."""
    missed = [
        (name, model)
        for name, model in FITTED
        if GOLDEN[name][model]["reml"] - GOLDEN[name][model]["best"]["reml"] > 0.01
    ]
    assert len(missed) >= 2 and len(SINGULAR) >= 5 and len(FITTED) - len(SINGULAR) >= 20


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("name", ["sleepstudy", "sleepstudy-unbalanced", "orthodont"])
def test_real_data(name, engine):
    # lmerTest on R 4.2, nloptwrap with tight tolerances: REMLcrit, SE, df
    numbers = {
        "sleepstudy": (1743.62827195849, [6.82455626155296, 1.54578889288849], [17, 17]),
        "sleepstudy-unbalanced": (
            1393.62496202367,
            [7.51596969825369, 1.51189140863761],
            [15.0441192398985, 17.5841199352092],
        ),
        "orthodont": (
            432.581661502613,
            [1.01853184822194, 0.0859995106732804, 1.59573272989233, 0.134735339082078],
            [25, 25, 25, 25],
        ),
    }
    intercept = {
        "sleepstudy": (
            1786.46508539492,
            [9.7467163080762, 0.804221428545719],
            [22.8101985873533, 161],
        ),
        "sleepstudy-unbalanced": (
            1438.90975419944,
            [10.1846893681895, 0.811982022811831],
            [22.4728915626841, 128.395198549303],
        ),
        "orthodont": (
            433.757249201136,
            [0.981312236680274, 0.0775011049183193, 1.53742080529747, 0.121420896103416],
            [103.986361028112, 79, 103.98636104072, 79],
        ),
    }
    for model, expected in (("mixed_maximal", numbers[name]), ("mixed_intercept", intercept[name])):
        criterion, std_error, df = expected
        found, to = fit(golden(name), model, engine=engine), TOLERANCE[engine].real
        np.testing.assert_allclose(found.reml_criterion[0], criterion, rtol=0, atol=1e-8)
        np.testing.assert_allclose(found.std_error[0], std_error, rtol=to)
        np.testing.assert_allclose(found.df[0], df, rtol=to)


# --- the model by hand --------------------------------------------------------------------


@pytest.mark.parametrize("engine", ENGINES)
@given(shard=shards())
@settings(few, max_examples=20)
def test_criterion_estimates_and_standard_errors_belong_to_theta(engine, shard):
    shard = shard.dataset(0)
    to = {"numpy": 1e-8, "glmm": 1e-6}[engine]
    for model, random in zip(MODELS, (list(range(shard.p)), [0]), strict=True):
        found = fitted(shard, model, engine=engine)
        dense = Dense.of(shard, random)
        criterion, beta, std_error, sigma = dense.fit(found.theta[0])
        np.testing.assert_allclose(found.reml_criterion[0], criterion, rtol=0, atol=0.1 * to)
        np.testing.assert_allclose(found.estimate[0], beta, rtol=to, atol=0.1 * to)
        np.testing.assert_allclose(found.std_error[0], std_error, rtol=to)
        np.testing.assert_allclose(found.sigma[0], sigma, rtol=0.1 * to)
        rng = np.random.default_rng(0)
        for step in (1e-3, 1e-2, 0.1, 1.0):
            other = lower(found.theta[0] + step * rng.standard_normal(found.theta.shape[1]))
            assert dense.criterion(other @ other.T) > criterion - 0.1 * to


@pytest.mark.parametrize("engine", ENGINES)
@given(shard=shards())
@few
def test_order_and_scale_do_not_matter(engine, shard):
    shard = shard.dataset(0)
    ends = np.cumsum(shard.n[0])
    blocks = np.split(np.arange(len(shard.y)), ends[:-1])
    rows = np.concatenate([block[::-1] for block in blocks[::-1]])
    to, to_df = REPEATED[engine]
    for model in MODELS:

        def again(y, X=shard.X, n=shard.n, model=model):
            return fitted(Shard(y, X, n, shard.terms), model, engine=engine)

        found = again(shard.y)
        back = again(shard.y[rows], shard.X[rows], shard.n[:, ::-1])
        scaled = again(-1e3 * shard.y)
        for other, scale in ((back, 1.0), (scaled, -1e3)):
            unit = abs(scale) * found.std_error
            np.testing.assert_allclose(other.std_error, unit, rtol=to)
            np.testing.assert_allclose(
                other.estimate / unit, scale * found.estimate / unit, atol=to
            )
            np.testing.assert_allclose(other.df, found.df, rtol=to_df)
        df = len(shard.y) - shard.p
        for other, shift in ((back, 0.0), (scaled, 2 * df * np.log(1e3))):
            np.testing.assert_allclose(
                other.reml_criterion - shift,
                found.reml_criterion,
                rtol=0,
                atol=TOLERANCE[engine].criterion,
            )


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize(("arms", "rows"), [(4, 3), (9, 5)])
def test_two_arms_of_whole_clusters_are_a_t_test_of_the_cluster_means(arms, rows, engine):
    rng = np.random.default_rng(arms)
    treated = np.repeat(np.arange(2 * arms) % 2, rows).astype(float)
    y = rng.standard_normal(treated.size) + 2 * np.repeat(rng.standard_normal(2 * arms), rows)
    X = np.column_stack([np.ones_like(y), treated])
    shard = Shard(y, X, np.full((1, 2 * arms), rows), (INTERCEPT, "x"))
    means = y.reshape(-1, rows).mean(axis=1)
    test = scipy.stats.ttest_ind(means[1::2], means[::2])
    for model in MODELS:  # the treatment does not vary within clusters: both are one model
        found = fitted(shard, model, engine=engine)
        assert found.status[0] == "ok" and found.theta.shape == (1, 1)
        np.testing.assert_allclose(
            found.estimate[0, 1] / found.std_error[0, 1], test.statistic, rtol=1e-6
        )
        np.testing.assert_allclose(found.df[0, 1], 2 * arms - 2, rtol=1e-5)


@pytest.mark.parametrize("engine", ENGINES)
def test_orthodont_sex_is_a_t_test_of_the_cluster_means(engine):
    # R: t.test on the 27 subjects' means, SE and df
    shard = golden("orthodont")
    shard = Shard(shard.y, shard.X[:, [0, 2]], shard.n, (INTERCEPT, "nsex"))
    found = fitted(shard, "mixed_intercept", engine=engine)
    np.testing.assert_allclose(found.estimate[0, 1], -2.32102272727273, rtol=1e-9)
    np.testing.assert_allclose(found.std_error[0, 1], 0.761416848547539, rtol=1e-6)
    np.testing.assert_allclose(found.df[0, 1], 25, rtol=1e-6)


# --- another implementation ---------------------------------------------------------------


@pytest.mark.parametrize(
    "name", ["sleepstudy-unbalanced", "unbalanced-30x25-1.0", "balanced-10x5-4.0", "orthodont"]
)
def test_mixedlm_agrees(name):
    mixedlm = pytest.importorskip("mixedlm")
    shard = golden(name)
    terms = list(shard.terms[1:])
    data = pd.DataFrame(shard.X[:, 1:], columns=terms)
    data = data.assign(y=shard.y, cluster=[f"g{code:02d}" for code in shard.cluster_codes(0)])
    random = "x1" if name == "orthodont" else " + ".join(terms)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        other = mixedlm.lmer(f"y ~ {' + '.join(terms)} + ({random} | cluster)", data)
    found = fit(shard, "mixed_maximal")
    unit = found.std_error[0]
    np.testing.assert_allclose(found.reml_criterion[0], other.REMLcrit(), rtol=0, atol=1e-6)
    estimate = np.array(list(other.fixef().values()))
    np.testing.assert_allclose(found.estimate[0] / unit, estimate / unit, atol=1e-4)
    np.testing.assert_allclose(unit, np.sqrt(np.diag(other.vcov())), rtol=1e-4)


# --- which coefficients vary between clusters ---------------------------------------------


@pytest.mark.parametrize("engine", ["numpy", pytest.param("lme4", marks=pytest.mark.lme4)])
def test_without_an_intercept(engine, request):
    if engine == "lme4":
        request.getfixturevalue("needs_r")
    full = random_shard(1, 1, 8, 3, 8)
    shard = Shard(full.y, full.X[:, 1:], full.n, full.terms[1:])
    found = fitted(shard, "mixed_maximal", engine=engine)
    criterion, beta, std_error, _ = Dense.of(shard, [0, 1]).fit(found.theta[0])
    np.testing.assert_allclose(found.reml_criterion[0], criterion, rtol=0, atol=1e-7)
    np.testing.assert_allclose(found.estimate[0], beta, rtol=1e-7)
    np.testing.assert_allclose(found.std_error[0], std_error, rtol=1e-7)


@pytest.mark.parametrize("engine", ENGINES)
def test_a_random_intercept_needs_an_intercept(engine):
    full = random_shard(1, 1, 8, 3, 8)
    shard = Shard(full.y, full.X[:, 1:], full.n, full.terms[1:])
    refused = fit(shard, "mixed_intercept", engine=engine)
    assert refused.status[0] == "error" and "needs a model with an intercept" in refused.message[0]


# --- how a fit went -----------------------------------------------------------------------


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize(("name", "model"), SINGULAR)
def test_singular_fits_are_flagged_and_say_so(name, model, engine):
    found = fit(golden(name), model, engine=engine)
    assert found.status[0] == "singular" and found.singular[0] and found.message[0]
    assert np.isfinite([found.estimate, found.std_error, found.df]).all()
    assert lower(found.theta[0]).diagonal().min() < 1e-4


@pytest.mark.parametrize("engine", ["numpy", "glmm", "lme4"])
def test_what_cannot_be_fitted_is_undefined(engine):
    def status(shard: Shard, model: str) -> tuple[str, str]:
        found = Strategy.parse(model, engine).fit(shard)
        assert np.isnan([found.estimate, found.std_error, found.df]).all()
        return found.status[0], found.message[0]

    small = golden("unbalanced-30x5-0.25")
    assert status(small, "mixed_maximal") == (
        "undefined",
        "90 rows, not more than the 120 random effects",
    )
    equal = random_shard(1, 1, 5, 3, 3)
    assert status(equal, "mixed_maximal")[1] == "15 rows, not more than the 15 random effects"
    lone = random_shard(1, 1, 1, 2, 9)
    for model in MODELS:
        assert status(lone, model) == ("undefined", "one cluster: a mixed model needs two")
        dependent = random_shard(1, 1, 5, 3, 9)
        dependent.X[:, 2] = dependent.X[:, 1]
        expected = ("undefined", "the predictors are linearly dependent")
        assert status(dependent, model) == expected
    single = random_shard(1, 1, 3, 5, 2)
    said = "one residual degree of freedom cannot tell variances apart"
    assert status(single, "mixed_intercept") == ("undefined", said)


def test_a_criterion_that_falls_for_ever_has_no_fit():
    """Where X and the clusters' own intercepts explain the response: on to a residual of zero."""
    ends = {"undefined": 0, "fitted": 0}
    for seed in range(20):
        shard = random_shard(seed, 10, 4, 4, (1, 2))
        found = fit(shard, "mixed_intercept")
        for sim in np.flatnonzero(shard.n_obs > 5):
            dense = Dense.of(shard.dataset(int(sim)), [0])
            *near, far = [dense.criterion(np.array([[psi]])) for psi in (0.0, 0.01, 1.0, 1e2, 1e6)]
            if found.status[sim] == "undefined":
                assert "explain the response exactly" in found.message[sim]
                assert far < min(near)
                assert np.isnan([found.estimate[sim], found.std_error[sim]]).all()
                ends["undefined"] += 1
            else:
                assert found.status[sim] in ("ok", "singular")
                assert found.reml_criterion[sim] < far - 1e-6
                ends["fitted"] += 1
    assert min(ends.values()) > 10


@pytest.mark.parametrize("engine", ENGINES)
def test_a_response_without_any_variance_is_a_row_with_a_reason(engine):
    shard = golden("balanced-10x5-4.0")
    found = fit(Shard(0 * shard.y, shard.X, shard.n, shard.terms), "mixed_maximal", engine=engine)
    assert found.status[0] in ("undefined", "not_converged") and found.message[0]
    assert np.isnan([found.estimate, found.std_error, found.df]).all()


@pytest.mark.parametrize("engine", ENGINES)
def test_maximal_without_predictors_is_intercept_only(engine):
    shard = random_shard(3, 2, 6, 1, 5)
    one, other = (fitted(shard, model, engine=engine) for model in MODELS)
    assert same_bits(one, other)


@pytest.mark.parametrize("name", ["mixed_maximal", "mixed_intercept"])
def test_as_many_coefficients_between_clusters_as_clusters_leave_no_variance(name):
    rng = np.random.default_rng(2)
    cluster = np.repeat(np.arange(3), 6)
    X = np.column_stack([np.ones(18), cluster == 1, cluster == 2, rng.standard_normal(18)])
    terms = (INTERCEPT, "IV1", "IV2", "IV3")
    found = fit(Shard(rng.standard_normal(18), X.astype(float), np.full((1, 3), 6), terms), name)
    assert (found.status[0], found.message[0]) == (
        "undefined",
        "3 clusters cannot carry a variance beside 3 cluster-level terms",
    )
