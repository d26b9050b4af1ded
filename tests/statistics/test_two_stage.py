from __future__ import annotations

import numpy as np
import pytest
import scipy.stats
from hypothesis import given

from clustrategy.dataset import INTERCEPT, Shard
from clustrategy.inference import t_inference

from .material import GOLDEN, few, fit, fitted, golden, join, random_shard, shards


@pytest.mark.parametrize("engine", ["numpy", "statsmodels"])
@pytest.mark.parametrize("name", [n for n in GOLDEN if GOLDEN[n]["two_stage"]])
def test_is_lm_in_every_cluster_then_rs_t_test(name, engine):
    expected = GOLDEN[name]["two_stage"]
    shard = golden(name)
    found = fit(shard, "two_stage", engine=engine)
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


@pytest.mark.parametrize("engine", ["numpy", "statsmodels"])
def test_undefined_where_a_cluster_cannot_carry_its_own_regression(engine):
    good = random_shard(1, 1, 4, 3, 6)
    small = random_shard(2, 1, 4, 3, 6)
    small = Shard(small.y[:-4], small.X[:-4], np.array([[6, 6, 6, 2]]), small.terms)
    flat = random_shard(3, 1, 4, 3, 6)
    flat.X[6:12, 1] = 0.3
    zero = random_shard(4, 1, 4, 3, 6)
    zero.X[:12, 2] = 0.0
    found = fit(join(good, small, flat, zero, good), "two_stage", engine=engine)
    assert list(found.status) == ["ok", "undefined", "undefined", "undefined", "ok"]
    assert list(found.message[1:4]) == [
        "1 of 4 clusters have fewer rows than the 3 coefficients",
        "the predictors are linearly dependent in 1 of 4 clusters",
        "the predictors are linearly dependent in 2 of 4 clusters",
    ]
    assert np.isnan([found.estimate[1:4], found.std_error[1:4], found.df[1:4]]).all()
    alone = fit(good, "two_stage", engine=engine)
    for place in (0, 4):
        assert np.array_equal(found.estimate[place], alone.estimate[0])
        assert np.array_equal(found.std_error[place], alone.std_error[0])


@pytest.mark.parametrize("engine", ["numpy", "statsmodels"])
def test_one_cluster_is_undefined(engine):
    shard = Shard(np.arange(5.0), np.ones((5, 1)), np.array([[5]]), (INTERCEPT,))
    found = fit(shard, "two_stage", engine=engine)
    assert (found.status[0], found.message[0]) == ("undefined", "one cluster: two-stage needs two")


@pytest.mark.parametrize("engine", ["numpy", "statsmodels"])
def test_golden_datasets_that_r_cannot_analyse_either(engine):
    for name in ("orthodont", "unbalanced-30x5-0.25", "one-cluster-dummy"):
        assert GOLDEN[name]["two_stage"] is None
        assert fit(golden(name), "two_stage", engine=engine).status[0] == "undefined"
