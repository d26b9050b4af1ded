from __future__ import annotations

import json

import numpy as np
import pytest
import statsmodels.api as sm
from hypothesis import given

from clustrategy.core.fits import Fits
from clustrategy.core.inference import t_inference
from clustrategy.core.shard import INTERCEPT, Shard
from tests.material import FOLDER, few, fit, golden, join, random_shard, same_bits, shards

GOLDEN = json.loads((FOLDER / "fixed_effects.json").read_text())["datasets"]
VARIANCES = ("CR0", "CR1", "CR1S", "CR2", "CR3", "CV3", "pymer4")
DFS = ("G-1", "G-p", "N-p", "satterthwaite", "normal")
RATIOS = ("balanced-10x5-1.0", "unbalanced-30x25-1.0", "unbalanced-30x5-0.25", "orthodont")


def counted(shard: Shard, slopes: int) -> dict[str, float]:
    """CR1S with the p of plm, of xtreg (ours) and of a dummy variable lm."""
    (N,), G = shard.n_obs, shard.clusters
    return {
        name: np.sqrt(G / (G - 1) * (N - 1) / (N - p))
        for name, p in (("plm", slopes), ("xtreg", slopes + 1), ("lm", slopes + G))
    }


def dummies(shard: Shard) -> np.ndarray:
    """The design of one dataset with a dummy for every cluster in place of the intercept."""
    codes = shard.cluster_codes(0)
    return np.column_stack([codes[:, None] == np.arange(shard.clusters), shard.X[:, 1:]])


# --- clubSandwich -------------------------------------------------------------------------


@pytest.mark.parametrize("variance", ["CR0", "CR1", "CR2", "CR3"])
@pytest.mark.parametrize("name", GOLDEN)
def test_within_estimator_is_plm_with_clubsandwich(name, variance):
    shard, expected = golden(name), GOLDEN[name]
    terms = [shard.terms.index(term) for term in expected["terms"]]
    left_out = [k for k in range(shard.p) if k not in terms]
    found = fit(shard, "fixed_effects", variance=variance, df="satterthwaite")
    assert found.status[0] == "ok"
    assert np.isnan([found.estimate, found.std_error, found.df])[..., left_out].all()
    np.testing.assert_allclose(found.estimate[0, terms], expected["estimate"], rtol=1e-10)
    models = ("plm",) if variance == "CR3" else ("plm", "lm")
    for by in (expected[model][variance] for model in models):
        np.testing.assert_allclose(found.std_error[0, terms], by["std_error"], rtol=1e-9)
        np.testing.assert_allclose(found.df[0, terms], by["df"], rtol=1e-8)
        p = t_inference(found.estimate, found.std_error, found.df).p_value[0, terms]
        np.testing.assert_allclose(p, by["p"], rtol=1e-7)
        p = t_inference(found.estimate, found.std_error, shard.clusters - 1.0 + 0 * found.df)
        np.testing.assert_allclose(p.p_value[0, terms], by["p_t"], rtol=1e-7)


@pytest.mark.parametrize("name", RATIOS)
def test_cr1s_counts_the_slopes_and_one_intercept(name):
    shard, expected = golden(name), GOLDEN[name]
    terms = [shard.terms.index(term) for term in expected["terms"]]
    found = fit(shard, "fixed_effects").std_error[0, terms]
    factor = counted(shard, len(terms))
    for model in ("plm", "lm"):
        theirs = np.array(expected[model]["CR1S"]["std_error"])
        np.testing.assert_allclose(found / factor["xtreg"], theirs / factor[model], rtol=1e-9)


def test_cr1s_of_pyfixest():
    """`feols("y ~ x1 + x2 + x3 | cluster", vcov={"CRV1": "cluster"})` of pyfixest 0.60."""
    for name, expected in (
        ("balanced-10x5-1.0", [0.33783641, 0.31652448, 0.40190381]),
        ("unbalanced-30x25-1.0", [0.20961165, 0.19000233, 0.2477221]),
    ):
        found = fit(golden(name), "fixed_effects").std_error[0, 1:]
        np.testing.assert_allclose(found, expected, atol=1e-8)


# --- a dummy for every cluster ------------------------------------------------------------


@pytest.mark.parametrize("rows", [6, (2, 9)])
def test_statsmodels_with_dummies(rows):
    shard = random_shard(5, 1, 8, 3, rows)
    (N,), G = shard.n_obs, shard.clusters
    groups = {"groups": shard.cluster_codes(0)}
    for variance, correction, factor in (
        ("CR0", False, 1.0),
        ("CR1S", True, np.sqrt((N - 3) / (N - G - 2))),
    ):
        model = sm.OLS(shard.y, dummies(shard))
        theirs = model.fit(cov_type="cluster", cov_kwds={**groups, "use_correction": correction})
        for engine in ("numpy", "statsmodels"):
            found = fit(shard, "fixed_effects", variance=variance, engine=engine)
            np.testing.assert_allclose(found.estimate[0, 1:], theirs.params[G:], rtol=1e-11)
            np.testing.assert_allclose(
                factor * found.std_error[0, 1:], theirs.bse[G:], rtol=1e-11, err_msg=variance
            )


@pytest.mark.parametrize("rows", [6, (2, 9)])
def test_cv3_leaves_out_a_cluster_with_its_dummy(rows):
    shard = random_shard(11, 1, 8, 3, rows)
    codes, X = shard.cluster_codes(0), dummies(shard)
    whole = np.linalg.lstsq(X, shard.y)[0][8:]
    without = []
    for g in range(8):
        rest, columns = codes != g, np.arange(10) != g
        without.append(np.linalg.lstsq(X[rest][:, columns], shard.y[rest])[0][7:])
    jackknife = np.sqrt(7 / 8 * ((np.array(without) - whole) ** 2).sum(axis=0))
    cv3 = fit(shard, "fixed_effects", variance="CV3", df="satterthwaite")
    cr3 = fit(shard, "fixed_effects", variance="CR3", df="satterthwaite")
    np.testing.assert_allclose(cv3.std_error[0, 1:], jackknife, rtol=1e-11)
    np.testing.assert_allclose(cr3.std_error[0, 1:], np.sqrt(8 / 7) * jackknife, rtol=1e-11)


@pytest.mark.parametrize("variance", ["CR0", "CR1S", "CR3", "CV3"])
@pytest.mark.parametrize("df", ["G-1", "N-p", "normal"])
def test_both_engines_agree(variance, df):
    parts = [random_shard(3, 2, 7, 3, 3), random_shard(4, 2, 7, 3, (1, 9))]
    shard = join(*parts)
    shard.X[shard.rows(1), 2] = shard.cluster_codes(1) % 2
    ours = fit(shard, "fixed_effects", variance=variance, df=df)
    theirs = fit(shard, "fixed_effects", variance=variance, df=df, engine="statsmodels")
    assert list(ours.status) == list(theirs.status) == ["ok"] * 4
    np.testing.assert_allclose(ours.estimate, theirs.estimate, rtol=1e-11)
    np.testing.assert_allclose(ours.std_error, theirs.std_error, rtol=1e-11)
    np.testing.assert_array_equal(ours.df, theirs.df)


def test_paired_rows_are_a_regression_of_differences_through_the_origin():
    shard = random_shard(7, 1, 12, 3, 2)
    pairs = np.column_stack([shard.X[:, 1:], shard.y]).reshape(12, 2, 3)
    differences = pairs[:, 0] - pairs[:, 1]
    ends = Shard(
        np.ascontiguousarray(differences[:, 2]),
        np.ascontiguousarray(differences[:, :2]),
        np.ones((1, 12), dtype=np.int64),
        ("x1", "x2"),
    )
    for variance in ("CR0", "CR2", "CR3"):
        found = fit(shard, "fixed_effects", variance=variance, df="satterthwaite")
        expected = fit(ends, "cluster_robust", variance=variance, df="satterthwaite")
        for column in ("estimate", "std_error", "df"):
            np.testing.assert_allclose(
                getattr(found, column)[:, 1:], getattr(expected, column), rtol=1e-10
            )


# --- degrees of freedom -------------------------------------------------------------------


@pytest.mark.parametrize("variance", VARIANCES)
def test_degrees_of_freedom_by_name(variance):
    shard = random_shard(3, 2, 7, 3, (4, 9))
    for df in ("G-1", "G-p", "N-p", "normal"):
        found = fit(shard, "fixed_effects", variance=variance, df=df).df
        for sim, rows in enumerate(shard.n_obs):
            expected = {"G-1": 6, "G-p": 4, "N-p": rows - 3, "normal": np.inf}[df]
            assert list(found[sim, 1:]) == [expected] * 2 and np.isnan(found[sim, 0])


# --- what is not estimated ----------------------------------------------------------------


def test_cluster_level_predictors_are_not_estimated_and_do_not_count():
    shard = random_shard(1, 3, 6, 4, (3, 8))
    shard.X[shard.rows(1), 2] = np.repeat([0.1, 0.7, -1.3, 0.2, 0.1, 5.0], shard.n[1])
    found = fit(shard, "fixed_effects")
    assert list(found.status) == ["ok"] * 3 and list(found.message) == [""] * 3
    assert np.isnan(found.std_error).tolist() == [
        [True, False, False, False],
        [True, False, True, False],
        [True, False, False, False],
    ]
    X = np.ascontiguousarray(shard.X[shard.rows(1)][:, [0, 1, 3]])
    small = Shard(shard.y[shard.rows(1)], X, shard.n[1:2], (INTERCEPT, "x1", "x3"))
    alone = fit(small, "fixed_effects")
    for column in ("estimate", "std_error", "df"):
        assert np.array_equal(getattr(found, column)[1, [1, 3]], getattr(alone, column)[0, 1:])


def test_a_predictor_far_from_zero_still_varies():
    shard = random_shard(1, 1, 6, 3, 8)
    expected = fit(shard, "fixed_effects")
    shard.X[:, 1] += 1e5
    found = fit(shard, "fixed_effects")
    np.testing.assert_allclose(found.estimate[0, 1:], expected.estimate[0, 1:], rtol=1e-9)
    np.testing.assert_allclose(found.std_error[0, 1:], expected.std_error[0, 1:], rtol=1e-9)


@pytest.mark.parametrize("engine", ["numpy", "statsmodels"])
def test_where_there_is_no_answer_there_is_a_reason(engine):
    def said(shard: Shard) -> tuple[str, str]:
        found = fit(shard, "fixed_effects", engine=engine)
        assert np.isnan([found.estimate, found.std_error, found.df]).all()
        return found.status[0], found.message[0]

    constant = random_shard(1, 1, 6, 3, 4)
    constant.X[:, 1:] = np.repeat(constant.X[::4, 1:], 4, axis=0)
    assert said(constant) == ("undefined", "no predictor varies within clusters")
    assert said(random_shard(1, 1, 6, 3, 1)) == said(constant)
    assert said(random_shard(1, 1, 6, 1, 4)) == said(constant)
    dependent = random_shard(1, 1, 6, 3, 8)
    dependent.X[:, 2] = 3.0 * dependent.X[:, 1] + np.repeat(np.arange(6.0), 8)
    assert said(dependent)[0] == "undefined" and "linearly dependent" in said(dependent)[1]
    few_rows = said(random_shard(1, 1, 3, 4, 2))
    assert few_rows == (
        "undefined",
        "no residual degrees of freedom: N - G is not more than the slopes",
    )
    assert said(random_shard(1, 1, 1, 3, 9))[1].startswith("one cluster")


@pytest.mark.parametrize("engine", ["numpy", "statsmodels"])
def test_a_model_without_an_intercept_is_an_error(engine):
    shard = random_shard(1, 1, 5, 3, 6)
    bare = Shard(shard.y, np.ascontiguousarray(shard.X[:, 1:]), shard.n, shard.terms[1:])
    found = fit(bare, "fixed_effects", engine=engine)
    assert (found.status[0], found.message[0]) == (
        "error",
        "fixed effects of the clusters need a model with an intercept",
    )


# --- properties ---------------------------------------------------------------------------


@given(shards())
@few
def test_whatever_is_common_to_a_cluster_does_not_matter(shard):
    rng = np.random.default_rng(0)
    steps = 10.0 * np.repeat(rng.standard_normal(shard.n.size), shard.n.reshape(-1))
    moved = Shard(shard.y + steps, shard.X, shard.n, shard.terms)
    for variance in VARIANCES:
        one = fit(shard, "fixed_effects", variance=variance, df="satterthwaite")
        two = fit(moved, "fixed_effects", variance=variance, df="satterthwaite")
        assert list(one.status) == list(two.status)
        for column in ("estimate", "std_error", "df"):
            np.testing.assert_allclose(
                getattr(two, column), getattr(one, column), rtol=1e-9, atol=1e-9
            )


@given(shards())
@few
def test_a_shard_gives_the_bits_of_its_datasets(shard):
    if shard.p > 1:
        shard.X[shard.rows(0), 1] = shard.cluster_codes(0)
    for engine, variance, df in (
        *(("numpy", variance, "satterthwaite") for variance in VARIANCES),
        ("statsmodels", "CR1S", "G-1"),
    ):
        entry = {"engine": engine, "variance": variance, "df": df}
        together = fit(shard, "fixed_effects", **entry)
        alone = [fit(shard.dataset(sim), "fixed_effects", **entry) for sim in range(shard.sims)]
        assert same_bits(together, Fits.concatenate(alone))
        assert list(together.message) == list(Fits.concatenate(alone).message)
