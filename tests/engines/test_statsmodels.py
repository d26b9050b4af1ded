from __future__ import annotations

import numpy as np
import pytest
import statsmodels.api as sm

from clustrategy.core.errors import ConfigError
from clustrategy.core.inference import t_inference
from clustrategy.engines.chosen import Strategy
from tests.material import GOLDEN, fit, golden, join, random_shard

SOME = ["balanced-10x5-1.0", "unbalanced-30x25-1.0", "sleepstudy-unbalanced", "orthodont"]


@pytest.mark.parametrize("name", SOME)
def test_ols_of_both_engines_is_rs_lm(name):
    expected = GOLDEN[name]["robust"]
    for engine in ("statsmodels", "numpy"):
        found = fit(golden(name), "ols", engine=engine)
        np.testing.assert_allclose(found.estimate[0], expected["estimate"], rtol=1e-10)
        np.testing.assert_allclose(found.std_error[0], expected["std_error"], rtol=1e-10)
        np.testing.assert_allclose(found.sigma[0], expected["sigma"], rtol=1e-11)
        assert set(found.df[0]) == {expected["df"]}


@pytest.mark.parametrize("df", ["G-1", "N-p", "normal"])
@pytest.mark.parametrize("variance", ["CR0", "CR1S", "CR3", "CV3"])
@pytest.mark.parametrize("name", SOME)
def test_cluster_robust_of_both_engines_is_statsmodels_itself(name, variance, df):
    shard = golden(name)
    expected = sm.OLS(shard.y, shard.X).fit(
        cov_type="cluster-crv3" if variance in ("CR3", "CV3") else "cluster",
        cov_kwds={
            "groups": shard.cluster_codes(0),
            "use_correction": variance in ("CR1S", "CV3"),
            "df_correction": df == "G-1",
        },
        use_t=df != "normal",
    )
    for engine in ("statsmodels", "numpy"):
        found = fit(shard, "cluster_robust", engine=engine, variance=variance, df=df)
        np.testing.assert_allclose(found.estimate[0], expected.params, rtol=1e-10)
        np.testing.assert_allclose(found.std_error[0], expected.bse, rtol=1e-10)
        test = t_inference(found.estimate, found.std_error, found.df)
        np.testing.assert_allclose(test.p_value[0], expected.pvalues, rtol=1e-8, atol=1e-300)
        limits = np.column_stack([test.conf_low[0], test.conf_high[0]])
        np.testing.assert_allclose(limits, expected.conf_int(), rtol=1e-9)


@pytest.mark.parametrize("name", SOME)
def test_statsmodels_standard_errors_are_clubsandwichs(name):
    for variance in ("CR0", "CR1S", "CR3"):
        found = fit(golden(name), "cluster_robust", engine="statsmodels", variance=variance)
        expected = GOLDEN[name]["robust"][variance]["std_error"]
        np.testing.assert_allclose(found.std_error[0], expected, rtol=1e-10)


def test_what_it_does_not_have_is_refused_by_name():
    entry = {"strategy": "cluster_robust", "engine": "statsmodels", "variance": "CR2"}
    with pytest.raises(
        ConfigError, match="variance must be one of CR0, CR1S, CR3, CV3, found 'CR2'"
    ):
        Strategy.parse(entry)


def test_dependent_predictors_are_a_row_without_numbers_and_harm_no_neighbour():
    parts = [random_shard(seed, 1, 5, 3, 6) for seed in range(3)]
    parts[1].X[:, 2] = 2.0 - 3.0 * parts[1].X[:, 1]
    for strategy in ("ols", "cluster_robust"):
        found = fit(join(*parts), strategy, engine="statsmodels")
        assert found.status[0] == found.status[2] == "ok"
        assert found.status[1] in ("undefined", "error")
        assert found.message[1] == "the predictors are linearly dependent"
        assert np.isnan([found.estimate[1], found.std_error[1], found.df[1]]).all()
        for place in (0, 2):
            alone = fit(parts[place], strategy, engine="statsmodels")
            assert np.array_equal(found.std_error[place], alone.std_error[0])


def test_cr3_is_made_of_the_estimates_without_each_cluster():
    shard = random_shard(2, 1, 7, 3, (4, 9))
    clusters = shard.cluster_codes(0)
    whole = np.linalg.lstsq(shard.X, shard.y)[0]
    left_out = [
        np.linalg.lstsq(shard.X[clusters != g], shard.y[clusters != g])[0] for g in range(7)
    ]
    squares = ((np.array(left_out) - whole) ** 2).sum(axis=0)
    for variance, factor in (("CR3", 1), ("CV3", 6 / 7)):
        found = fit(shard, "cluster_robust", engine="statsmodels", variance=variance)
        np.testing.assert_allclose(found.std_error[0], np.sqrt(factor * squares), rtol=1e-10)


@pytest.mark.parametrize("strategy", ["ols", "cluster_robust"])
@pytest.mark.parametrize(
    ("clusters", "p", "rows"), [(1, 2, 8), (3, 3, 1), (2, 3, 1)], ids=["G=1", "N=p", "N<p"]
)
def test_where_there_is_no_answer_both_engines_give_none(strategy, clusters, p, rows):
    shard = random_shard(1, 1, clusters, p, rows)
    ours = fit(shard, strategy)
    theirs = fit(shard, strategy, engine="statsmodels")
    assert (ours.status[0] == "ok") == (theirs.status[0] == "ok")
    assert np.array_equal(np.isfinite(ours.std_error), np.isfinite(theirs.std_error))
