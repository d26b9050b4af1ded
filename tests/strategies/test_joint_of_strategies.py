"""Joint tests of several coefficients, of every strategy."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest
import statsmodels.api as sm
from hypothesis import given, settings
from hypothesis import strategies as st
from statsmodels.stats import multivariate

from clustrategy.core.inference import t_inference
from clustrategy.core.joint_tests import JointTests
from clustrategy.core.shard import Shard
from clustrategy.engines.chosen import Strategy
from clustrategy.estimation.resampling import all_signs
from clustrategy.estimation.wild_bootstrap import weights_of
from tests.factors import GOLDEN, GROUPS, NUMBERS, factors, random_factors, recoded
from tests.golden.random_datasets import random_dataset
from tests.material import few, fit, golden, join, random_shard

EVERY = [
    ("ols", {}),
    ("cluster_robust", {}),
    ("cluster_robust", {"variance": "CR1", "df": "G-p"}),
    ("cluster_robust", {"variance": "CR0", "df": "normal"}),
    ("cluster_robust", {"variance": "pymer4", "df": "N-p"}),
    ("cluster_robust", {"variance": "CR2", "df": "satterthwaite"}),
    ("cluster_robust", {"variance": "CV3", "df": "satterthwaite"}),
    ("fixed_effects", {}),
    ("fixed_effects", {"variance": "CR2", "df": "satterthwaite"}),
    ("gee", {}),
    ("gee", {"variance": "mancl_derouen", "correlation": "independence", "df": "G-1"}),
    ("gee", {"variance": "ford_westgate", "df": "G-k"}),
    ("gee", {"variance": "fay_graubard"}),
    ("gee", {"variance": "morel_bokossa_neerchal"}),
    ("two_stage", {}),
    ("two_stage", {"adjust": "slopes"}),
    ("two_stage", {"test": "sign_flip", "draws": 99}),
    ("two_stage", {"weights": "precision"}),
    ("two_stage", {"weights": "precision", "test": "hartung_knapp"}),
    ("two_stage", {"weights": "precision", "test": "sign_flip"}),
    ("wild_cluster_bootstrap", {"draws": 99}),
    ("wild_cluster_bootstrap", {"draws": 99, "weights": "webb", "impose_null": False}),
    ("wild_cluster_bootstrap", {"draws": 99, "weights": "mammen"}),
    ("wild_cluster_bootstrap", {"draws": 99, "variant": "B"}),
    ("mixed_intercept", {}),
    ("mixed_intercept", {"df": "kenward_roger"}),
    ("mixed_intercept", {"df": "normal"}),
    ("mixed_intercept", {"variance": "CR2"}),
    ("mixed_intercept", {"variance": "CR2", "df": "normal"}),
    ("mixed_maximal", {"df": "kenward_roger"}),
    ("mixed", {"random": ("(Intercept)",), "df": "kenward_roger"}),
    ("mixed_uncorrelated", {}),
    ("mixed_fallback", {"variance": "CR2"}),
    ("mixed_selected", {"by": "AIC"}),
]


def joint(shard: Shard, strategy: str, *groups: object, **entry: object) -> JointTests:
    """Joint tests by a strategy's entry in the config."""
    columns = [np.asarray(group) for group in groups]
    return Strategy.parse({"strategy": strategy, **entry}).joint_tests(shard, columns)


def only(tests: JointTests) -> list[float]:
    """The numbers of the one test."""
    return [float(getattr(tests, name)[0, 0]) for name in NUMBERS]


# --- what holds for every strategy ----------------------------------------------------------


@pytest.mark.parametrize(("name", "entry"), EVERY)
@pytest.mark.parametrize("seed", [1, 2])
def test_of_one_coefficient_it_is_the_strategys_own_test(name, entry, seed):
    shard = join(random_shard(seed, 2, 8, 3, (5, 9)), random_shard(seed + 9, 1, 8, 3, 6))
    found, tests = fit(shard, name, **entry), joint(shard, name, [0], [1], [2], **entry)
    single = t_inference(found.estimate, found.std_error, found.df)
    own = np.where(np.isnan(found.p_value), single.p_value, found.p_value)
    assert np.isfinite(tests.statistic[:, 1:]).all() and (tests.message[:, 1:] == "").all()
    tested = np.isfinite(found.std_error)
    np.testing.assert_allclose(tests.statistic, single.statistic**2, rtol=1e-9)
    np.testing.assert_allclose(tests.den_df, np.where(tested, found.df, np.nan), rtol=1e-9)
    np.testing.assert_allclose(tests.p_value, np.where(tested, own, np.nan), rtol=1e-8)
    assert (tests.num_df[tested] == 1.0).all()
    if np.isfinite(found.p_value).any():
        assert np.array_equal(tests.p_value, found.p_value)


@pytest.mark.parametrize(("name", "entry"), EVERY)
# Clusters of one row, two clusters, one, predictors in several units, a response far from 0.
@pytest.mark.parametrize("number", [9, 28, 96, 212, 441])
def test_awkward_datasets_have_their_own_test_or_a_reason(name, entry, number):
    _, shard = random_dataset(number)
    found = fit(shard, name, **entry)
    tests = joint(shard, name, *([k] for k in range(shard.p)), **entry)
    single = t_inference(found.estimate, found.std_error, found.df)
    own = np.where(np.isnan(found.p_value), single.p_value, found.p_value)
    usable = np.isin(found.status, ("ok", "singular"))[:, None]
    tested = np.isfinite(found.std_error) & usable
    assert np.array_equal(tests.message == "", tested)
    np.testing.assert_allclose(tests.p_value[tested], own[tested], rtol=1e-7, atol=1e-12)
    assert np.isnan(tests.p_value[~tested]).all()


CODED = [
    (name, entry)
    for name, entry in EVERY
    # Their random effects, or the tau^2 of their means, are those of a coding; so are Fay and
    # Graubard's shares of the information.
    if name not in ("mixed_uncorrelated", "mixed_fallback", "mixed_selected")
    and entry.get("variance") != "fay_graubard"
]


@pytest.mark.parametrize(("name", "entry"), CODED)
@given(seed=st.integers(0, 10**6), factor=st.sampled_from(["f", "g"]))
@settings(few, max_examples=3)
def test_the_coding_of_a_factor_does_not_matter(name, entry, seed, factor):
    shard, coded = random_factors(seed), ["f", "g"]
    groups = dict(GROUPS)
    if name == "two_stage":
        # The clusters' intercepts, on which g is tested, are those of f's reference level.
        coded, groups = [factor], {factor: GROUPS[factor]}
    one = joint(shard, name, *groups.values(), **entry)
    other = joint(recoded(shard, seed, *coded), name, *groups.values(), **entry)
    assert np.array_equal(one.message, other.message)
    for column in NUMBERS:
        # But for which uncorrelated contrasts Fai and Cornelius take: test_joint_mixed.
        if name == "mixed_intercept" and entry == {} and column in ("den_df", "p_value"):
            continue
        np.testing.assert_allclose(getattr(one, column), getattr(other, column), rtol=1e-6)


@pytest.mark.parametrize(("name", "entry"), EVERY)
def test_a_shard_gives_the_tests_of_its_datasets(name, entry):
    shard = join(random_shard(1, 2, 7, 3, (5, 9)), random_shard(4, 1, 7, 3, 6))
    together = joint(shard, name, [1, 2], [2], **entry)
    alone = [joint(shard.dataset(sim), name, [1, 2], [2], **entry) for sim in range(3)]
    for column in NUMBERS:
        expected = np.concatenate([getattr(one, column) for one in alone])
        np.testing.assert_allclose(getattr(together, column), expected, rtol=1e-10)
    assert np.array_equal(together.message, np.concatenate([one.message for one in alone]))


@pytest.mark.parametrize(("name", "entry"), EVERY)
def test_without_a_usable_fit_there_is_its_message_and_no_neighbour_is_harmed(name, entry):
    good, bad = random_shard(1, 1, 6, 3, 7), random_shard(2, 1, 6, 3, 7)
    bad.X[:, 2] = bad.X[:, 1]
    found = joint(join(good, bad, good), name, [1, 2], **entry)
    alone = joint(good, name, [1, 2], **entry)
    assert found.message[1, 0] == fit(bad, name, **entry).message[0] != ""
    assert np.isnan([getattr(found, column)[1, 0] for column in NUMBERS]).all()
    for sim in (0, 2):
        assert found.message[sim, 0] == alone.message[0, 0]
        numbers = [getattr(found, column)[sim, 0] for column in NUMBERS]
        np.testing.assert_allclose(numbers, only(alone), rtol=1e-10)


@pytest.mark.parametrize(
    "name", ["cluster_robust", "fixed_effects", "gee", "wild_cluster_bootstrap"]
)
def test_no_more_coefficients_than_clusters_tell_apart_have_a_robust_test(name):
    """The scores of three clusters add up to zero: they carry two coefficients."""
    tests = joint(random_shard(3, 1, 3, 4, 12), name, [1, 2, 3], [1, 2])
    assert list(tests.message[0]) == ["the variance of the coefficients together is singular", ""]
    assert np.isnan([getattr(tests, column)[0, 0] for column in NUMBERS]).all()


# --- R's packages -------------------------------------------------------------------------


@pytest.mark.parametrize("dataset", GOLDEN)
@pytest.mark.parametrize(
    ("name", "key", "entry"),
    [
        ("ols", None, {}),
        ("cluster_robust", "CR1S", {}),
        ("cluster_robust", "CR2", {"variance": "CR2", "df": "satterthwaite"}),
        ("fixed_effects", "CR2", {"variance": "CR2", "df": "satterthwaite"}),
    ],
)
def test_is_that_of_lm_and_clubsandwich(dataset, name, key, entry):
    for group, expected in GOLDEN[dataset][name].items():
        numbers = expected if key is None else expected[key]
        tests = joint(factors(dataset), name, GROUPS[group], **entry)
        np.testing.assert_allclose(only(tests), [numbers[n] for n in NUMBERS], rtol=1e-10)


@pytest.mark.parametrize("dataset", GOLDEN)
@pytest.mark.parametrize(
    ("key", "entry"),
    [
        ("satterthwaite", {}),
        ("kenward_roger", {"df": "kenward_roger"}),
        ("CR2", {"variance": "CR2"}),
    ],
)
def test_is_that_of_lmertest_pbkrtest_and_clubsandwich(dataset, key, entry):
    expected = GOLDEN[dataset]["mixed_intercept"]["tests"]
    tests = joint(factors(dataset), "mixed_intercept", *GROUPS.values(), **entry)
    for column in NUMBERS:
        numbers = [expected[group][key][column] for group in GROUPS]
        np.testing.assert_allclose(getattr(tests, column)[0], numbers, rtol=1e-6)


# --- statsmodels --------------------------------------------------------------------------


@pytest.mark.parametrize("dataset", ["balanced", "sleep-unbalanced"])
def test_gee_is_the_wald_test_of_statsmodels(dataset):
    shard = factors(dataset)
    model = sm.GEE(
        shard.y, shard.X, shard.cluster_codes(0), cov_struct=sm.cov_struct.Exchangeable()
    )
    expected = model.fit(ctol=1e-12, maxiter=200).wald_test(np.eye(6)[[3, 4]], scalar=True)
    statistic, num_df, den_df, p_value = only(joint(shard, "gee", [3, 4]))
    np.testing.assert_allclose(2.0 * statistic, expected.statistic, rtol=1e-8)
    np.testing.assert_allclose(p_value, expected.pvalue, rtol=1e-8)
    assert (num_df, den_df) == (2, np.inf)


def own_regressions(shard: Shard, columns: list[int]) -> tuple[np.ndarray, np.ndarray]:
    """Coefficients and squared standard errors of every cluster of one dataset."""
    starts = np.cumsum(shard.n[0])[:-1]
    parts = zip(np.split(shard.X[:, columns], starts), np.split(shard.y, starts), strict=True)
    each = [sm.OLS(y, X).fit() for X, y in parts]
    return np.array([one.params for one in each]), np.array([one.bse**2 for one in each])


def test_two_stage_is_hotellings_test_of_the_mean_coefficients():
    shard = random_shard(5, 1, 9, 4, (7, 12))
    b, _ = own_regressions(shard, [0, 1, 2, 3])
    expected = multivariate.test_mvmean(b[:, [3, 1]])
    found = only(joint(shard, "two_stage", [3, 1]))
    np.testing.assert_allclose(found, [expected.statistic, 2, 7, expected.pvalue], rtol=1e-10)


def test_two_stage_with_a_cluster_level_predictor_is_hotellings_test_of_two_samples():
    """Girls and boys of nlme's Orthodont: intercept and slope at once."""
    shard = golden("orthodont")
    b, _ = own_regressions(shard, [0, 1])
    girl = shard.X[np.cumsum(shard.n[0]) - 1, 2] == 1
    expected = multivariate.test_mvmean_2indep(b[girl], b[~girl])
    found = only(joint(shard, "two_stage", [2, 3]))
    np.testing.assert_allclose(found, [expected.statistic, 2, 24, expected.pvalue], rtol=1e-9)


@pytest.mark.parametrize("weights", ["equal", "precision"])
def test_two_stage_of_a_cluster_level_factor_is_the_f_test_over_the_clusters(weights):
    full = random_factors(6, 12, (8, 14))
    shard = Shard(
        full.y, full.X[:, [0, 3, 4, 5]], full.n, tuple(full.terms[k] for k in (0, 3, 4, 5))
    )
    b, v = own_regressions(shard, [0, 3])
    Z = shard.X[np.cumsum(shard.n[0]) - 1][:, :3]
    w = np.ones(12)
    if weights == "precision":
        # The one tau^2 with which the residuals have their restricted expectation.
        w = 1.0 / (v[:, 0] + reml_by_search(b[:, 0], v[:, 0], Z))
    expected = sm.WLS(b[:, 0], Z, weights=w).fit().f_test(np.eye(3)[1:])
    test = "t" if weights == "equal" else "hartung_knapp"
    found = only(joint(shard, "two_stage", [1, 2], weights=weights, test=test))
    np.testing.assert_allclose(found, [expected.fvalue, 2, 9, expected.pvalue], rtol=1e-6)
    if weights == "precision":
        spread = np.linalg.inv((Z.T * w) @ Z)
        gamma = spread @ (Z.T * w) @ b[:, 0]
        wald = gamma[1:] @ np.linalg.solve(spread[1:, 1:], gamma[1:])
        plain = only(joint(shard, "two_stage", [1, 2], weights=weights))
        np.testing.assert_allclose(plain[:3], [wald / 2, 2, 9], rtol=1e-6)


def reml_by_search(b: np.ndarray, v: np.ndarray, Z: np.ndarray) -> float:
    """tau^2 by the restricted likelihood written out, on ever finer grids."""

    def criterion(tau2: float) -> float:
        w = 1.0 / (v + tau2)
        ZWZ = (Z.T * w) @ Z
        e = b - Z @ np.linalg.solve(ZWZ, (Z.T * w) @ b)
        return float(-np.log(w).sum() + np.linalg.slogdet(ZWZ)[1] + w @ e**2)

    low, high = 0.0, 10.0 * float(b.var())
    for _ in range(12):
        grid = np.linspace(low, high, 21)
        best = int(np.argmin([criterion(tau2) for tau2 in grid]))
        low, high = grid[max(best - 1, 0)], grid[min(best + 1, 20)]
    return 0.5 * (low + high)


# --- resampling by brute force ------------------------------------------------------------


def test_sign_flips_are_those_of_hotellings_statistic():
    shard = random_shard(8, 1, 7, 3, (6, 9))
    b, _ = own_regressions(shard, [0, 1, 2])
    flipped = [multivariate.test_mvmean((s[:, None] * b)[:, 1:]).statistic for s in all_signs(7)]
    statistic, num_df, den_df, p_value = only(joint(shard, "two_stage", [1, 2], test="sign_flip"))
    np.testing.assert_allclose((statistic, num_df, den_df), (flipped[0], 2, 5), rtol=1e-9)
    assert p_value == np.mean(np.array(flipped) >= flipped[0] * (1.0 - 1e-9))


def coefficients_without(codes: np.ndarray, X: np.ndarray, y: np.ndarray) -> list[np.ndarray]:
    """The regressions without each cluster."""
    left = [codes != g for g in range(codes.max() + 1)]
    return [np.linalg.lstsq(X[rows], y[rows])[0] for rows in left]


def robust_wald(
    y: np.ndarray,
    X: np.ndarray,
    codes: np.ndarray,
    group: list[int],
    to: object,
    variance: str = "CR1",
) -> float:
    """The Wald statistic over q of the hypothesis that the group has these values."""
    G, inverse = codes.max() + 1, np.linalg.inv(X.T @ X)
    beta = inverse @ X.T @ y
    e = y - X @ beta
    parts = np.array([inverse @ X[codes == g].T @ e[codes == g] for g in range(G)])
    factor = G / (G - 1)
    if variance == "CV3":
        parts, factor = np.array(coefficients_without(codes, X, y)) - beta, (G - 1) / G
    V = (parts.T @ parts * factor)[np.ix_(group, group)]
    difference = beta[group] - to
    return float(difference @ np.linalg.solve(V, difference)) / len(group)


REFITTED = [*product(["rademacher", "webb"], [True, False], "C")]
REFITTED += [*product(["webb"], [True, False], "SVB")]


@pytest.mark.parametrize(("weights", "impose_null", "variant"), REFITTED)
def test_the_wild_bootstrap_is_refitting_every_draw(weights, impose_null, variant):
    shard, group = random_shard(6, 1, 6, 4, (5, 9)), [1, 3]
    codes, X, y = shard.cluster_codes(0), shard.X, shard.y
    variance = "CV3" if variant in "VB" else "CR1"
    beta = np.linalg.lstsq(X, y)[0]
    model = [k for k in range(4) if not impose_null or k not in group]
    fitted = X[:, model] @ np.linalg.lstsq(X[:, model], y)[0]
    e = y - fitted
    if variant in "SB":
        without = np.array(coefficients_without(codes, X[:, model], y))
        e = y - (X[:, model] * without[codes]).sum(axis=1)
    null = np.zeros(2) if impose_null else beta[group]
    v = weights_of(shard, 0, weights, 40)
    drawn = [
        robust_wald(fitted + column[codes] * e, X, codes, group, null, variance) for column in v.T
    ]
    observed = robust_wald(y, X, codes, group, 0.0, variance)
    options = {"weights": weights, "impose_null": impose_null, "draws": 40, "variant": variant}
    statistic, num_df, den_df, p_value = only(
        joint(shard, "wild_cluster_bootstrap", group, **options)
    )
    np.testing.assert_allclose(statistic, observed, rtol=1e-9)
    assert (num_df, np.isnan(den_df)) == (2, True)
    assert p_value == np.mean(np.array(drawn) >= observed * (1.0 - 1e-9))


def test_a_draw_with_one_weight_in_clusters_without_a_part_alone_is_no_tie():
    """The middle cluster has the mean of x, but moves the intercept, and so the residuals."""
    rng = np.random.default_rng(0)
    x, codes = np.repeat([-2.0, -1.0, 0.0, 1.0, 2.0], 4), np.repeat(np.arange(5), 4)
    y = rng.standard_normal(20) + 2.0 * rng.standard_normal(5)[codes] + 0.5 * x
    X = np.column_stack([np.ones(20), x])
    shard = Shard(y, X, np.full((1, 5), 4), ("(Intercept)", "x"))
    e = y - y.mean()
    drawn = [robust_wald(y.mean() + s[codes] * e, X, codes, [1], 0.0) for s in all_signs(5)]
    expected = np.mean(np.array(drawn) >= robust_wald(y, X, codes, [1], 0.0) * (1.0 - 1e-9))
    assert only(joint(shard, "wild_cluster_bootstrap", [1]))[3] == expected


@pytest.mark.parametrize("effect", [1e2, 1e5, 1e7])
def test_coefficients_far_from_zero_tie_with_the_flip_of_an_arm_alone(effect):
    """Both arms' means are far from 0, and W does not know the sign of either: 2 of 512 draws."""
    shard = random_shard(4, 1, 10, 2, 3)
    shard.X[:, 1] = np.repeat(np.arange(10) % 2, 3)
    moved = Shard(shard.y + effect, shard.X, shard.n, shard.terms)
    assert only(joint(moved, "wild_cluster_bootstrap", [0, 1]))[3] == 2.0 / 512.0


# --- no test, and why ---------------------------------------------------------------------


def test_a_coefficient_that_is_not_tested_is_named():
    tests = joint(factors("balanced"), "fixed_effects", GROUPS["g"], [1, 3], [1, 2])
    assert list(tests.message[0]) == [
        "the strategy does not test gv, gw",
        "the strategy does not test gv",
        "",
    ]


def test_two_stage_says_why_it_has_no_joint_test():
    shard = golden("orthodont")
    several = joint(shard, "two_stage", [0, 1], weights="precision")
    assert several.message[0, 0] == (
        "with precision weights each coefficient is weighted by a tau^2 of its own"
    )
    apart = joint(shard, "two_stage", [1, 2], [0, 2, 3])
    assert set(apart.message[0]) == {
        "the coefficients are of regressions over the clusters that differ in their predictors"
    }
    few_clusters = joint(random_shard(1, 1, 3, 4, 8), "two_stage", [1, 2, 3], [1, 2])
    assert list(few_clusters.message[0]) == [
        "the scatter of the clusters' coefficients is singular",
        "",
    ]


def test_no_degrees_of_freedom_are_said():
    """Four coefficients, and four clusters that are hardly enough for one: eta is below 3."""
    shard = random_shard(1, 1, 4, 5, 8)
    tests = joint(shard, "cluster_robust", [1, 2, 3, 4], variance="CR2", df="satterthwaite")
    assert tests.message[0, 0] == "no degrees of freedom"
    assert np.isnan([getattr(tests, name)[0, 0] for name in NUMBERS]).all()
