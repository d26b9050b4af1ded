from __future__ import annotations

import itertools
import json
from dataclasses import replace

import numpy as np
import pytest
import scipy.stats
import statsmodels.api as sm
from hypothesis import given

from clustrategy.core.errors import ConfigError
from clustrategy.core.fits import OWN_TESTS, Fits
from clustrategy.core.inference import t_inference
from clustrategy.core.shard import INTERCEPT, Shard
from clustrategy.engines.chosen import Strategy
from clustrategy.estimation.first_stage import FirstStage
from clustrategy.estimation.meta_analysis import pool
from tests.material import (
    FOLDER,
    GOLDEN,
    few,
    fit,
    fitted,
    golden,
    join,
    random_shard,
    same_bits,
    shards,
)

META = json.loads((FOLDER / "meta_analysis.json").read_text())["datasets"]
SMALL = json.loads((FOLDER / "small_clusters.json").read_text())["datasets"]
ENGINES = pytest.mark.parametrize("engine", ["numpy", "statsmodels"])


@pytest.mark.parametrize("engine", ["numpy", "statsmodels"])
@pytest.mark.parametrize("name", [n for n in GOLDEN if GOLDEN[n]["two_stage"]])
def test_is_lm_in_every_cluster_then_rs_t_test(name, engine):
    expected = GOLDEN[name]["two_stage"]
    shard = golden(name)
    found = fit(shard, "two_stage", engine=engine, small_clusters="keep")
    np.testing.assert_allclose(found.estimate[0], expected["estimate"], rtol=1e-11)
    np.testing.assert_allclose(found.std_error[0], expected["std_error"], rtol=1e-11)
    assert set(found.df[0]) == {shard.clusters - 1}
    p = t_inference(found.estimate, found.std_error, found.df).p_value
    np.testing.assert_allclose(p[0], expected["p"], rtol=1e-9)


def test_real_data():
    # R 4.2: lm(Reaction ~ Days) per subject, t.test of the slopes
    for name, slope, std_error, p in (
        ("sleepstudy", 10.467285959596, 1.54578889629473, 3.26378807133186e-06),
        ("sleepstudy-unbalanced", 8.97678361525319, 1.5254604006425, 1.8015364677665e-05),
    ):
        found = fit(golden(name), "two_stage")
        test = t_inference(found.estimate, found.std_error, found.df)
        assert found.df[0, 1] == 17
        np.testing.assert_allclose(found.estimate[0, 1], slope, rtol=1e-12)
        np.testing.assert_allclose(found.std_error[0, 1], std_error, rtol=1e-12)
        np.testing.assert_allclose(test.p_value[0, 1], p, rtol=1e-11)


def test_intercepts_alone_are_a_t_test_of_the_cluster_means():
    shard = random_shard(4, 1, 9, 1, (1, 6))
    means = [part.mean() for part in np.split(shard.y, np.cumsum(shard.n[0])[:-1])]
    test = scipy.stats.ttest_1samp(means, 0)
    found = fit(shard, "two_stage")
    np.testing.assert_allclose(found.estimate[0, 0] / found.std_error[0, 0], test.statistic)
    assert found.df[0, 0] == test.df == 8


@pytest.mark.parametrize("p", [1, 2, 4])
def test_clusters_of_as_many_rows_as_coefficients_are_interpolated(p):
    shard = random_shard(5, 1, 6, p, p)
    each = np.linalg.solve(shard.X.reshape(6, p, p), shard.y.reshape(6, p, 1))[..., 0]
    found = fit(shard, "two_stage")
    assert found.status[0] == "ok"
    np.testing.assert_allclose(found.estimate[0], each.mean(axis=0), rtol=1e-9)
    np.testing.assert_allclose(found.std_error[0], each.std(axis=0, ddof=1) / 6**0.5, rtol=1e-9)


@given(shards())
@few
def test_properties(shard):
    found = fitted(shard, "two_stage")
    rows = np.concatenate(
        [np.arange(r.start, r.stop)[::-1] for r in map(shard.rows, range(shard.sims))]
    )
    X = shard.X.copy()
    X[:, 1:] += 5.0
    back = fitted(Shard(shard.y[rows], shard.X[rows], shard.n[:, ::-1], shard.terms), "two_stage")
    scaled = fitted(Shard(-1000 * shard.y, shard.X, shard.n, shard.terms), "two_stage")
    moved = fitted(Shard(shard.y, X, shard.n, shard.terms), "two_stage")
    atol = 1e-9 * np.abs([found.estimate, found.std_error]).max()
    np.testing.assert_allclose(back.estimate, found.estimate, rtol=1e-9, atol=atol)
    np.testing.assert_allclose(back.std_error, found.std_error, rtol=1e-9)
    np.testing.assert_allclose(scaled.estimate, -1000 * found.estimate, rtol=1e-9, atol=1e3 * atol)
    np.testing.assert_allclose(scaled.std_error, 1000 * found.std_error, rtol=1e-9)
    slopes = (slice(None), slice(1, None))
    np.testing.assert_allclose(moved.estimate[slopes], found.estimate[slopes], rtol=1e-8, atol=atol)
    np.testing.assert_allclose(moved.std_error[slopes], found.std_error[slopes], rtol=1e-8)
    for sim in range(shard.sims):
        alone = fitted(shard.dataset(sim), "two_stage")
        for column in ("estimate", "std_error", "df"):
            assert np.array_equal(getattr(found, column)[sim], getattr(alone, column)[0])


@ENGINES
def test_clusters_without_coefficients_cannot_be_kept(engine):
    good = random_shard(1, 1, 4, 3, 6)
    small = random_shard(2, 1, 4, 3, 6)
    small = Shard(small.y[:-4], small.X[:-4], np.array([[6, 6, 6, 2]]), small.terms)
    flat = random_shard(3, 1, 4, 3, 6)
    flat.X[6:12, 1] = 0.3
    zero = random_shard(4, 1, 4, 3, 6)
    zero.X[:12, 2] = 0.0
    found = fit(
        join(good, small, flat, zero, good), "two_stage", engine=engine, small_clusters="keep"
    )
    assert list(found.status) == ["ok", "undefined", "undefined", "undefined", "ok"]
    assert list(found.message[1:4]) == [
        "1 of 4 clusters that cannot be kept: 1 with fewer rows than the 3 coefficients",
        "1 of 4 clusters that cannot be kept: 1 with linearly dependent predictors",
        "2 of 4 clusters that cannot be kept: 2 with linearly dependent predictors",
    ]
    assert np.isnan([found.estimate[1:4], found.std_error[1:4], found.df[1:4]]).all()
    alone = fit(good, "two_stage", engine=engine)
    for place in (0, 4):
        assert np.array_equal(found.estimate[place], alone.estimate[0])
        assert np.array_equal(found.std_error[place], alone.std_error[0])


@ENGINES
def test_one_cluster_is_undefined(engine):
    shard = Shard(np.arange(5.0), np.ones((5, 1)), np.array([[5]]), (INTERCEPT,))
    found = fit(shard, "two_stage", engine=engine)
    assert (found.status[0], found.message[0]) == ("undefined", "one cluster: two-stage needs two")


@ENGINES
def test_a_golden_dataset_that_r_cannot_analyse_either(engine):
    name = "unbalanced-30x5-0.25"
    assert GOLDEN[name]["two_stage"] is None
    found = fit(golden(name), "two_stage", engine=engine, small_clusters="keep")
    assert found.status[0] == "undefined"


# --- small clusters -----------------------------------------------------------------------


@ENGINES
@pytest.mark.parametrize("name", list(SMALL))
def test_small_clusters_are_left_out_of_rs_numbers_too(name, engine):
    shard, expected = golden(name), SMALL[name]
    found = fit(shard, "two_stage", engine=engine)
    left_out = expected["clusters"] - expected["kept"]
    assert found.status[0] == "ok"
    assert found.message[0].startswith(f"{left_out} of {expected['clusters']} clusters left out: ")
    for column in ("estimate", "std_error", "df"):
        np.testing.assert_allclose(getattr(found, column)[0], expected[column], rtol=1e-11)
    p = t_inference(found.estimate, found.std_error, found.df).p_value
    np.testing.assert_allclose(p[0], expected["p"], rtol=1e-9)


def with_small(seed: int, *kinds: str) -> tuple[Shard, Shard]:
    """A dataset of 9 clusters that begins with some small ones, and the others alone."""
    shard = random_shard(seed, 1, 9, 3, 6)
    rows = np.ones(54, dtype=bool)
    for g, kind in enumerate(kinds):
        if kind == "flat":
            shard.X[6 * g : 6 * g + 6, 2] = 1.0
        else:
            rows[6 * g + int(kind) : 6 * g + 6] = False
    n = rows.reshape(9, 6).sum(axis=1)[None]
    left = 6 * len(kinds)
    others = Shard(shard.y[left:], shard.X[left:], n[:, len(kinds) :], shard.terms)
    return Shard(shard.y[rows], shard.X[rows], n, shard.terms), others


KINDS = [(), ("2", "3", "flat", "1"), ("3",), ("flat", "3")]


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"engine": "statsmodels"},
        {"weights": "precision", "test": "hartung_knapp"},
        {"test": "sign_flip", "draws": 19},
        {"weights": "precision", "test": "sign_flip", "draws": 19},
    ],
)
def test_a_dataset_has_the_bits_of_the_one_without_its_small_clusters(options):
    pairs = [with_small(seed, *kinds) for seed, kinds in enumerate(KINDS)]
    found = fit(join(*(whole for whole, _ in pairs)), "two_stage", **options)
    others = Fits.concatenate([fit(other, "two_stage", **options) for _, other in pairs])
    assert set(found.status) == {"ok"} and same_bits(found, others)
    assert list(found.df[:, 1]) == [8, 4, 7, 6]
    assert list(found.message) == [
        "",
        "4 of 9 clusters left out: 2 with fewer rows than the 3 coefficients, "
        "1 with as many rows as coefficients, 1 with linearly dependent predictors",
        "1 of 9 clusters left out: 1 with as many rows as coefficients",
        "2 of 9 clusters left out: 1 with as many rows as coefficients, "
        "1 with linearly dependent predictors",
    ]


@pytest.mark.parametrize("options", [{}, {"engine": "statsmodels"}, {"weights": "precision"}])
def test_datasets_with_small_clusters_are_refused(options):
    wholes = [with_small(seed, *kinds)[0] for seed, kinds in enumerate(KINDS)]
    found = fit(join(*wholes), "two_stage", small_clusters="refuse", **options)
    assert list(found.status) == ["ok", *["undefined"] * 3]
    assert found.message[2] == "1 of 9 clusters refused: 1 with as many rows as coefficients"
    assert np.isnan(found.estimate[1:]).all()
    assert np.array_equal(found.std_error[0], fit(wholes[0], "two_stage", **options).std_error[0])


@ENGINES
@pytest.mark.parametrize("small_clusters", ["drop", "refuse", "keep"])
def test_paired_measurements_have_the_paired_t_test(engine, small_clusters):
    first, second = np.random.default_rng(2).standard_normal((2, 12))
    X = np.tile([[1.0, 0.0], [1.0, 1.0]], (12, 1))
    y = np.column_stack([first, second]).ravel()
    shard = Shard(y, X, np.full((1, 12), 2), (INTERCEPT, "second"))
    found = fit(shard, "two_stage", engine=engine, small_clusters=small_clusters)
    test = scipy.stats.ttest_rel(second, first)
    assert (found.status[0], found.message[0]) == ("ok", "")
    np.testing.assert_allclose(found.estimate[0, 1] / found.std_error[0, 1], test.statistic)
    assert found.df[0, 1] == test.df


@ENGINES
def test_incomplete_pairs_are_left_out(engine):
    first, second = np.random.default_rng(2).standard_normal((2, 12))
    X = np.tile([[1.0, 0.0], [1.0, 1.0]], (12, 1))
    y = np.column_stack([first, second]).ravel()
    shard = Shard(y[1:], X[1:], np.array([[1, *[2] * 11]]), (INTERCEPT, "second"))
    found = fit(shard, "two_stage", engine=engine)
    test = scipy.stats.ttest_rel(second[1:], first[1:])
    np.testing.assert_allclose(found.estimate[0, 1] / found.std_error[0, 1], test.statistic)
    assert found.message[0] == (
        "1 of 12 clusters left out: 1 with fewer rows than the 2 coefficients"
    )


def test_means_of_one_row_count_but_have_no_weight():
    shard = random_shard(4, 1, 9, 1, (1, 6))
    assert fit(shard, "two_stage").message[0] == ""
    single = int((shard.n == 1).sum())
    found = fit(shard, "two_stage", weights="precision")
    assert found.df[0, 0] == 8 - single < 8
    assert found.message[0] == (
        f"{single} of 9 clusters left out: {single} with as many rows as coefficients"
    )


@ENGINES
def test_too_few_clusters_that_are_left_are_undefined(engine):
    none, one = with_small(1, *["2"] * 9)[0], with_small(2, *["3"] * 8)[0]
    level = random_shard(3, 1, 9, 3, 6)
    level.X[:, 2] = np.repeat([1.0, *[0.0] * 8], 6)
    rows = np.r_[:2, 6:54]
    level = Shard(level.y[rows], level.X[rows], np.array([[2, *[6] * 8]]), level.terms)
    level.X[:2, 1] = 1.0
    found = fit(join(none, one, level), "two_stage", engine=engine)
    assert set(found.status) == {"undefined"}
    assert list(found.message) == [
        "9 of 9 clusters left out: 9 with fewer rows than the 3 coefficients; "
        "no cluster: two-stage needs two",
        "8 of 9 clusters left out: 8 with as many rows as coefficients; "
        "one cluster: two-stage needs two",
        "1 of 9 clusters left out: 1 with linearly dependent predictors; "
        "the predictors are linearly dependent",
    ]


@pytest.mark.parametrize(
    ("options", "end"),
    [
        ({}, ""),
        ({"engine": "statsmodels"}, ""),
        ({"test": "sign_flip"}, "and left out: (Intercept), level"),
    ],
)
def test_second_stages_count_the_clusters_that_are_left(options, end):
    shard = random_shard(7, 1, 9, 2, 6)
    level = np.repeat(np.random.default_rng(1).standard_normal(9), 6)
    X, n, terms = np.column_stack([shard.X, level]), shard.n, (*shard.terms, "level")
    small = Shard(shard.y[5:], X[5:], np.array([[1, *[6] * 8]]), terms)
    found = fit(small, "two_stage", **options)
    others = fit(Shard(shard.y[6:], X[6:], n[:, 1:], terms), "two_stage", **options)
    assert same_bits(found, others) and found.df[0, 1] == 7
    left_out = "1 of 9 clusters left out: 1 with fewer rows than the 2 coefficients"
    assert found.message[0] == "; ".join(filter(None, [left_out, others.message[0]]))
    assert found.message[0].endswith(end)


# --- predictors that are constant within clusters -----------------------------------------


@ENGINES
def test_cross_level_interactions_are_lmers_where_every_cluster_has_the_same_rows(engine):
    # distance ~ age * female: female is constant within children, age * female a multiple of age
    expected = GOLDEN["orthodont"]["mixed_maximal"]["best"]
    found = fit(golden("orthodont"), "two_stage", engine=engine)
    np.testing.assert_allclose(found.estimate[0], expected["estimate"], rtol=1e-9)
    np.testing.assert_allclose(found.std_error[0], expected["std_error"], rtol=1e-7)
    assert set(found.df[0]) == {25}
    np.testing.assert_allclose(found.df[0], expected["df"], rtol=1e-6)


@ENGINES
def test_intercepts_are_regressed_on_cluster_level_predictors(engine):
    shard = random_shard(7, 1, 9, 2, (4, 7))
    codes = shard.cluster_codes(0)
    level = np.random.default_rng(1).standard_normal((2, 9))
    X = np.column_stack([shard.X[:, 0], level[0][codes], shard.X[:, 1], level[1][codes]])
    each = np.array(
        [np.linalg.lstsq(shard.X[codes == g], shard.y[codes == g])[0] for g in range(9)]
    )
    second = sm.OLS(each[:, 0], np.column_stack([np.ones(9), *level])).fit()
    slope = scipy.stats.ttest_1samp(each[:, 1], 0.0)
    wide = Shard(shard.y, X, shard.n, (INTERCEPT, "w1", "x", "w2"))
    found = fit(wide, "two_stage", engine=engine)
    np.testing.assert_allclose(found.estimate[0, [0, 1, 3]], second.params, rtol=1e-9)
    np.testing.assert_allclose(found.std_error[0, [0, 1, 3]], second.bse, rtol=1e-9)
    np.testing.assert_allclose(found.estimate[0, 2], each[:, 1].mean(), rtol=1e-10)
    test = t_inference(found.estimate, found.std_error, found.df)
    np.testing.assert_allclose(test.p_value[0, [0, 1, 3]], second.pvalues, rtol=1e-8)
    np.testing.assert_allclose(test.p_value[0, 2], slope.pvalue, rtol=1e-9)
    assert list(found.df[0]) == [6, 6, 8, 6]


def test_clusters_of_one_row_are_ordinary_least_squares():
    shard = random_shard(3, 2, 12, 4, 1)
    found, expected = fit(shard, "two_stage"), fit(shard, "ols")
    np.testing.assert_allclose(found.estimate, expected.estimate, rtol=1e-10)
    np.testing.assert_allclose(found.std_error, expected.std_error, rtol=1e-10)
    assert set(found.df.ravel()) == {8}


@ENGINES
def test_second_stages_that_do_not_exist_are_undefined(engine):
    few = random_shard(1, 1, 3, 4, 6)
    few.X[:, 1:3] = np.repeat([[1.0, 2.0], [3.0, 5.0], [4.0, 1.0]], 6, axis=0)
    constant = random_shard(2, 1, 3, 4, 6)
    constant.X[:, 2] = 7.0
    good = random_shard(3, 1, 3, 4, 6)
    found = fit(join(good, few, constant), "two_stage", engine=engine)
    assert list(found.status) == ["ok", "undefined", "undefined"]
    assert list(found.message[1:]) == [
        "3 clusters cannot carry a regression with 3 coefficients over them",
        "the predictors are linearly dependent",
    ]
    alone = fit(good, "two_stage", engine=engine)
    assert np.array_equal(found.std_error[0], alone.std_error[0])


# --- cluster-level predictors beside the clusters' slopes ----------------------------------


def two_levels(seed: int, clusters: int, *columns: str, rows: object = (6, 9)) -> Shard:
    """One dataset with predictors x1, x2 within clusters, w1, w2 of clusters and products."""
    plain = random_shard(seed, 1, clusters, 3, rows)
    codes = plain.cluster_codes(0)
    level = np.random.default_rng(seed).standard_normal((2, clusters))[:, codes]
    known = {"x1": plain.X[:, 1], "x2": plain.X[:, 2], "w1": level[0], "w2": level[1]}
    known["x2:w1"] = known["x2"] * known["w1"]
    X = np.column_stack([plain.X[:, 0], *(known[column] for column in columns)])
    return Shard(plain.y, X, plain.n, (INTERCEPT, *columns))


def own_regressions(shard: Shard, columns: list[int]) -> np.ndarray:
    """(G, k) coefficients of every cluster by itself."""
    codes = shard.cluster_codes(0)
    rows = [codes == g for g in range(shard.clusters)]
    return np.array([np.linalg.lstsq(shard.X[r][:, columns], shard.y[r])[0] for r in rows])


def test_beside_slopes_cluster_level_predictors_have_the_regression_with_them():
    shard = two_levels(7, 11, "x1", "w1", "x2", "w2")
    found = fit(shard, "two_stage", adjust="slopes")
    intercept, *slopes = own_regressions(shard, [0, 1, 3]).T
    first = np.cumsum(shard.n[0]) - 1
    level = shard.X[first][:, [2, 4]]
    second = sm.OLS(intercept, np.column_stack([np.ones(11), level, *slopes])).fit()
    np.testing.assert_allclose(found.estimate[0, [2, 4]], second.params[1:3], rtol=1e-9)
    np.testing.assert_allclose(found.std_error[0, [2, 4]], second.bse[1:3], rtol=1e-9)
    assert found.df[0].tolist() == [8.0, 10.0, 6.0, 10.0, 6.0]
    plain = fit(shard, "two_stage")
    for column in ("estimate", "std_error", "df"):
        same = getattr(found, column)[0, [0, 1, 3]], getattr(plain, column)[0, [0, 1, 3]]
        np.testing.assert_array_equal(*same)


def test_slopes_that_a_cluster_level_predictor_moves_are_responses_and_stand_beside_nothing():
    shard = two_levels(8, 12, "x1", "x2", "w1", "x2:w1")
    found = fit(shard, "two_stage", adjust="slopes")
    intercept, x1, x2 = own_regressions(shard, [0, 1, 2]).T
    level = shard.X[np.cumsum(shard.n[0]) - 1, 3]
    for response, column in ((intercept, 3), (x2, 4)):
        second = sm.OLS(response, np.column_stack([np.ones(12), level, x1])).fit()
        np.testing.assert_allclose(found.estimate[0, column], second.params[1], rtol=1e-8)
        np.testing.assert_allclose(found.std_error[0, column], second.bse[1], rtol=1e-8)
        assert found.df[0, column] == 9


@pytest.mark.parametrize("origin", [0.7, -30.0])
def test_beside_slopes_it_does_not_matter_where_the_predictors_are_zero(origin):
    """Without them it does: the intercepts are those at the origin."""
    shard = two_levels(9, 12, "x1", "x2", "w1")
    moved = Shard(shard.y, shard.X + [0.0, origin, -origin, 0.0], shard.n, shard.terms)
    here, there = (fit(one, "two_stage", adjust="slopes") for one in (shard, moved))
    np.testing.assert_allclose(there.estimate[0, 3], here.estimate[0, 3], rtol=1e-7)
    np.testing.assert_allclose(there.std_error[0, 3], here.std_error[0, 3], rtol=1e-7)
    plain = [fit(one, "two_stage").std_error[0, 3] for one in (shard, moved)]
    assert abs(plain[1] / plain[0] - 1.0) > 0.1


def test_without_slopes_or_cluster_level_predictors_there_is_nothing_to_adjust():
    for shard in (two_levels(3, 9, "x1", "x2"), two_levels(3, 9, "w1", "w2")):
        assert same_bits(fit(shard, "two_stage", adjust="slopes"), fit(shard, "two_stage"))


def test_slopes_that_leave_no_degrees_of_freedom_or_do_not_differ_are_no_covariates():
    shard = two_levels(4, 5, "x1", "x2", "w1", "w2")
    assert fit(shard, "two_stage").status[0] == "ok"
    few = fit(shard, "two_stage", adjust="slopes")
    assert (few.status[0], few.message[0]) == (
        "undefined",
        "5 clusters cannot carry a regression with 5 coefficients over them, 2 of slopes",
    )
    flat = replace(two_levels(5, 9, "x1", "w1"))
    flat = Shard(flat.X @ [0.0, 2.0, 0.0], flat.X, flat.n, flat.terms)
    offsets = np.random.default_rng(0).standard_normal(9)[flat.cluster_codes(0)]
    found = fit(replace(flat, y=flat.y + offsets), "two_stage", adjust="slopes")
    assert found.status[0] == "undefined"


def test_growth_curves_of_large_clusters_have_their_level_only_beside_slopes():
    """The intercepts' regression on slopes, estimated, costs a degree of freedom for each."""
    rng, S, G, n = np.random.default_rng(11), 600, 8, 40
    slope = rng.standard_normal((S, G))
    level = 0.8 * slope + 0.6 * rng.standard_normal((S, G))
    x = np.tile(np.linspace(-1.0, 1.0, n), S * G)
    w = np.tile(np.repeat([0.0, 1.0], n), S * G // 2)
    y = np.repeat(level.ravel(), n) + np.repeat(slope.ravel(), n) * x
    y += 0.05 * rng.standard_normal(y.size)
    X = np.column_stack([np.ones_like(x), x, w])
    shard = Shard(y, X, np.full((S, G), n), (INTERCEPT, "x", "w"))
    share = {}
    for how in ("nothing", "slopes"):
        found = fit(shard, "two_stage", adjust=how)
        test = t_inference(found.estimate, found.std_error, found.df)
        share[how] = (test.p_value[:, 2] < 0.05).mean(), np.median(found.std_error[:, 2])
    assert abs(share["slopes"][0] - 0.05) < 3.5 * np.sqrt(0.05 * 0.95 / S)
    assert share["slopes"][1] < 0.7 * share["nothing"][1]


# --- precision weights --------------------------------------------------------------------

SECOND = {"orthodont": [[0, 2], [1, 3]], "one-cluster-dummy": [[0, 2], [1]]}


@pytest.mark.parametrize("test", ["t", "hartung_knapp"])
@pytest.mark.parametrize("name", list(META))
def test_precision_weights_are_metafors(name, test):
    shard = golden(name)
    found = fit(shard, "two_stage", weights="precision", test=test)
    groups = SECOND.get(name, [[column] for column in range(shard.p)])
    for columns, expected in zip(groups, META[name], strict=True):
        np.testing.assert_allclose(found.estimate[0, columns], expected["estimate"], rtol=1e-9)
        np.testing.assert_allclose(found.std_error[0, columns], expected[test], rtol=1e-9)
        assert set(found.df[0, columns]) == {expected["df"]}


def test_metafors_numbers_hold_estimates_of_no_variance_between_clusters():
    assert min(one["tau2"] for many in META.values() for one in many) == 0


def test_clusters_of_the_same_precision_make_hartung_knapp_the_t_test():
    # equal X and equal residual sums of squares: the residuals are the same but for their sign
    rng = np.random.default_rng(4)
    X = np.column_stack([np.ones(6), rng.standard_normal((6, 2))])
    noise = rng.standard_normal(6)
    noise -= X @ np.linalg.lstsq(X, noise)[0]
    b = rng.standard_normal((7, 3))
    y = b @ X.T + noise * rng.choice([-1.0, 1.0], (7, 1))
    shard = Shard.balanced(y[None], np.tile(X, (1, 7, 1, 1)), (INTERCEPT, "x1", "x2"))
    plain = fit(shard, "two_stage")
    weighted = fit(shard, "two_stage", weights="precision", test="hartung_knapp")
    np.testing.assert_allclose(weighted.estimate, plain.estimate, rtol=1e-9)
    np.testing.assert_allclose(weighted.std_error, plain.std_error, rtol=1e-9)
    same = fit(shard, "two_stage", test="hartung_knapp")
    assert same_bits(same, plain)


def test_weights_need_residual_degrees_of_freedom_and_a_residual_variance():
    good, exact = random_shard(1, 1, 4, 3, 6), random_shard(2, 1, 4, 3, 6)
    small = random_shard(3, 1, 4, 3, 6)
    small = Shard(small.y[:-3], small.X[:-3], np.array([[6, 6, 6, 3]]), small.terms)
    exact.y[:6] = 0.0
    found = fit(join(good, small, exact), "two_stage", weights="precision", small_clusters="keep")
    assert list(found.status) == ["ok", "undefined", "undefined"]
    assert list(found.message[1:]) == [
        "1 of 4 clusters have no residual degrees of freedom for a weight",
        "1 of 4 clusters have no residual variance for a weight",
    ]
    assert np.isnan(found.estimate[1:]).all()


@pytest.mark.parametrize(
    ("rows", "slopes", "finite"),
    # closed form: Var = sigma^2 / (rows - slopes - 2) for a slope of normal predictors
    [(5, 3, False), (4, 3, False), (6, 3, True), (3, 1, False), (4, 1, True), (1, 0, True)],
)
def test_where_estimates_have_a_finite_variance(rows, slopes, finite):
    for options in ({}, {"weights": "precision"}, {"small_clusters": "keep"}):
        strategy = Strategy.parse({"strategy": "two_stage", **options})
        assert strategy.finite_variance(rows, slopes) is finite


# --- sign flips ---------------------------------------------------------------------------


def test_fishers_randomisation_test_of_darwins_maize():
    # Fisher (1935), The Design of Experiments, section 21: 863 of 2^15 sums are at least 314
    heights = [49, -67, 8, 16, 6, 23, 28, 41, 14, 29, 56, 24, 75, 60, -48]
    shard = Shard(np.array(heights, float), np.ones((15, 1)), np.ones((1, 15), int), (INTERCEPT,))
    found = fit(shard, "two_stage", test="sign_flip", draws=2**15 - 1)
    assert found.p_value[0, 0] == 2 * 863 / 2**15
    assert found.conf_low[0, 0] <= 0 < found.estimate[0, 0] < found.conf_high[0, 0]


def weighted_t(b, w):
    mean = w @ b / w.sum()
    return abs(mean) / np.sqrt(w @ (b - mean) ** 2)


@pytest.mark.parametrize("weights", ["equal", "precision"])
def test_sign_flips_are_those_of_the_t_statistic_and_limits_invert_them(weights):
    shard = random_shard(8, 1, 8, 2, (4, 9))
    nulls = np.array([[[0.0, 0.6, 1.3], [0.0, 1.0, -5.0]]])
    chosen = Strategy.parse({"strategy": "two_stage", "weights": weights, "test": "sign_flip"})
    found = chosen.fit(shard, nulls)
    (stage,) = FirstStage.of(shard)
    signs = np.array(list(itertools.product([1, -1], repeat=8)))
    for k in range(2):
        b = stage.coefficients[0, :, k]
        w = np.ones(8)
        if weights == "precision":
            w = pool(b[None], stage.variances[:, :, k], np.ones((1, 8, 1))).weights[0]

        def p_value(value, b=b, w=w):
            observed = weighted_t(b - value, w) * (1 - 1e-10)
            return np.mean([weighted_t(s * (b - value), w) >= observed for s in signs])

        assert found.p_value[0, k] == p_value(0.0)
        assert list(found.p_nulls[0, k]) == [p_value(value) for value in nulls[0, k]]
        low, high = found.conf_low[0, k], found.conf_high[0, k]
        step = 1e-6 * (high - low)
        assert p_value(low + step) > 0.05 >= p_value(low - step)
        assert p_value(high - step) > 0.05 >= p_value(high + step)
    scale = fit(shard, "two_stage", weights=weights, test="hartung_knapp")
    assert np.array_equal(found.std_error, scale.std_error)
    assert np.array_equal(found.estimate, scale.estimate)


def test_sign_flips_hold_their_level_exactly():
    # of all signs that 8 effects can have each is as likely as any other: their p-values are
    # 2/256, 4/256, ... each twice
    effects = np.random.default_rng(5).standard_normal(8)
    signs = np.array(list(itertools.product([1.0, -1.0], repeat=8)))
    shard = Shard((signs * effects).ravel(), np.ones((2048, 1)), np.ones((256, 8), int), ("a",))
    found = fit(shard, "two_stage", test="sign_flip")
    expected = np.repeat(np.arange(2, 257, 2) / 256, 2)
    assert np.array_equal(np.sort(found.p_value[:, 0]), expected)
    # and the interval misses 0 where the test rejects it
    misses = (found.conf_low > 0) | (found.conf_high < 0)
    assert np.array_equal(misses, found.p_value <= 0.05)


def test_few_clusters_have_no_interval():
    # 2 of 2^5 vectors give a p-value of at least 0.0625
    found = fit(random_shard(1, 1, 5, 2, 8), "two_stage", test="sign_flip")
    assert (found.p_value >= 2 / 32).all()
    assert (found.conf_low == -np.inf).all() and (found.conf_high == np.inf).all()


def test_random_flips_come_near_all_flips_and_hang_on_the_seed():
    seeds = tuple(map(np.random.SeedSequence, range(3)))
    shard = replace(random_shard(6, 3, 12, 2, 8), seeds=seeds)
    exact = fit(shard, "two_stage", test="sign_flip", draws=2**12 - 1)
    drawn = fit(shard, "two_stage", test="sign_flip", draws=999)
    error = np.sqrt(exact.p_value * (1 - exact.p_value) / 999) + 1 / 1000
    assert (np.abs(drawn.p_value - exact.p_value) < 4 * error).all()
    assert not np.array_equal(drawn.p_value, exact.p_value)
    assert (drawn.p_value * 1000 % 1 < 1e-9).all() and (drawn.p_value >= 0.001).all()
    for sim in range(3):
        alone = fit(shard.dataset(sim), "two_stage", test="sign_flip", draws=999)
        for column in OWN_TESTS:
            whole = getattr(drawn, column)[sim]
            assert np.array_equal(whole, getattr(alone, column)[0], equal_nan=True)


def test_sign_flips_refuse_cluster_level_predictors():
    found = fit(golden("orthodont"), "two_stage", test="sign_flip")
    assert found.status[0] == "undefined" and "constant within clusters" in found.message[0]
    assert np.isnan([found.estimate, found.p_value]).all()


def test_sign_flips_leave_out_what_is_no_mean_over_the_clusters():
    shard = random_shard(3, 2, 9, 2, 6)
    level = np.repeat(np.random.default_rng(1).standard_normal(18), 6)
    wider = Shard(
        shard.y, np.column_stack([shard.X, level]), shard.n, (*shard.terms, "level of clusters")
    )
    chosen = Strategy.parse({"strategy": "two_stage", "test": "sign_flip"})
    nulls = np.tile([0.5, 1.0], (2, 3, 1))
    found = chosen.fit(wider, nulls)
    alone = chosen.fit(shard, nulls[:, :2])
    plain = fit(wider, "two_stage")
    assert set(found.status) == {"ok"} and np.array_equal(found.estimate, plain.estimate)
    for column in ("std_error", *OWN_TESTS):
        ours, theirs = getattr(found, column), getattr(alone, column)
        np.testing.assert_allclose(ours[:, 1], theirs[:, 1], rtol=1e-12)
        assert np.isnan(ours[:, [0, 2]]).all()
    assert found.message[0].endswith("and left out: (Intercept), level of clusters")


@pytest.mark.parametrize("shift", [0.0, 1e6])
def test_slopes_without_any_spread_have_no_test(shift):
    shard = random_shard(3, 2, 9, 3, (4, 8))
    means = np.random.default_rng(1).standard_normal(18) + shift
    flat = Shard(np.repeat(means, shard.n.reshape(-1)), shard.X, shard.n, shard.terms)
    found = fit(flat, "two_stage")
    assert set(found.status) == {"ok"} and set(found.message) == {
        "a standard error is zero, and left out: x1, x2"
    }
    np.testing.assert_allclose(found.estimate[:, 1:], 0.0, atol=1e-13 * (1.0 + shift))
    assert np.isnan([found.std_error[:, 1:], found.df[:, 1:]]).all()
    test = scipy.stats.ttest_1samp(means.reshape(2, 9), 0, axis=1)
    np.testing.assert_allclose(found.estimate[:, 0] / found.std_error[:, 0], test.statistic)
    for engine in ("numpy", "statsmodels"):
        within = fit(flat, "fixed_effects", engine=engine)
        assert set(within.status) == {"undefined"}
        assert "explain the response exactly" in within.message[0]


# --- all options --------------------------------------------------------------------------

OPTIONS = [
    {"weights": "precision"},
    {"weights": "precision", "test": "hartung_knapp"},
    {"test": "sign_flip", "draws": 99},
    {"weights": "precision", "test": "sign_flip", "draws": 99},
    {"adjust": "slopes"},
]


@pytest.mark.parametrize("options", OPTIONS)
def test_a_shard_gives_the_bits_of_its_datasets(options):
    parts = [random_shard(1, 2, 30, 4, 6), random_shard(2, 2, 30, 4, (6, 40))]
    if "test" not in options or options["test"] != "sign_flip":
        level = random_shard(3, 1, 30, 4, 8)
        level.X[:, 2] = np.repeat(np.arange(30.0) % 4, 8)
        parts.append(level)
    together = fit(join(*parts), "two_stage", **options)
    one = join(*parts)
    alone = Fits.concatenate([fit(one.dataset(s), "two_stage", **options) for s in range(one.sims)])
    assert set(together.status) == {"ok"} and same_bits(together, alone)
    for column in OWN_TESTS:
        assert np.array_equal(getattr(together, column), getattr(alone, column), equal_nan=True)


@pytest.mark.parametrize("options", OPTIONS[:2])
def test_weighted_estimates_change_their_unit_with_the_response(options):
    shard = random_shard(5, 3, 8, 3, (5, 12))
    found = fitted(shard, "two_stage", **options)
    other = Shard(-1e6 * shard.y, shard.X, shard.n, shard.terms)
    scaled = fitted(other, "two_stage", **options)
    np.testing.assert_allclose(scaled.estimate, -1e6 * found.estimate, rtol=1e-9)
    np.testing.assert_allclose(scaled.std_error, 1e6 * found.std_error, rtol=1e-9)


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"weights": "precise"}, "weights must be one of equal, precision, found 'precise'"),
        ({"test": "knha"}, "test must be one of t, hartung_knapp, sign_flip, found 'knha'"),
        ({"draws": 9.5}, "draws must be a whole number, found 9.5"),
        ({"adjust": "slopes", "weights": "precision"}, "found weights: precision"),
        ({"adjust": "slopes", "test": "sign_flip"}, "goes with .* test: t, found test: sign_flip"),
        (
            {"draws": 99, "engine": "statsmodels"},
            "'two_stage' with engine 'statsmodels' has no option 'draws'; it takes small_clusters",
        ),
    ],
)
def test_options_that_do_not_exist_are_refused(options, sentence):
    with pytest.raises(ConfigError, match=sentence):
        Strategy.parse({"strategy": "two_stage", **options})


def test_t_tests_compute_nothing_for_further_null_values():
    shard = random_shard(8, 2, 8, 2, (4, 9))
    chosen = Strategy.parse({"strategy": "two_stage", "weights": "precision"})
    assert same_bits(chosen.fit(shard, np.ones((2, 2, 4))), chosen.fit(shard))
