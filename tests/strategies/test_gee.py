from __future__ import annotations

import json
from typing import get_args

import numpy as np
import pytest
import scipy.linalg
import scipy.stats
import statsmodels.api as sm
from hypothesis import given
from hypothesis import strategies as st
from statsmodels.genmod.cov_struct import Exchangeable, Independence

from clustrategy.core.errors import ConfigError
from clustrategy.core.fits import Fits
from clustrategy.core.inference import t_inference
from clustrategy.core.shard import INTERCEPT, Shard
from clustrategy.engines import statsmodels_gee
from clustrategy.engines.chosen import Strategy
from clustrategy.estimation import gee, least_squares
from tests.material import FOLDER, GOLDEN, few, fit, fitted, golden, join, random_shard, same_bits

GEESMV = json.loads((FOLDER / "gee.json").read_text())["datasets"]
VARIANCES = list(get_args(gee.Variance))
CLUBSANDWICH = {"robust": "CR0", "kauermann_carroll": "CR2", "mancl_derouen": "CR3"}
SOME = [name for name in GOLDEN if name != "one-cluster-dummy"]


# --- against other software ---------------------------------------------------------------


@pytest.mark.parametrize("variance", ["robust", "mancl_derouen"])
@pytest.mark.parametrize("correlation", ["exchangeable", "independence"])
@pytest.mark.parametrize("name", SOME)
def test_both_engines_are_statsmodels_itself(name, correlation, variance):
    shard = golden(name)
    structure = Exchangeable() if correlation == "exchangeable" else Independence()
    expected = sm.GEE(shard.y, shard.X, shard.cluster_codes(0), cov_struct=structure).fit(
        ctol=1e-11 * np.linalg.norm(shard.X) * np.linalg.norm(shard.y),
        cov_type="bias_reduced" if variance == "mancl_derouen" else variance,
    )
    assert expected.converged
    for engine in ("numpy", "statsmodels"):
        found = fit(shard, "gee", engine=engine, correlation=correlation, variance=variance)
        assert found.status[0] == "ok"
        np.testing.assert_allclose(found.estimate[0], expected.params, rtol=1e-8)
        np.testing.assert_allclose(found.std_error[0], expected.bse, rtol=1e-8)
        np.testing.assert_allclose(found.sigma[0] ** 2, expected.scale, rtol=1e-8)
        test = t_inference(found.estimate, found.std_error, found.df)
        np.testing.assert_allclose(test.p_value[0], expected.pvalues, rtol=1e-6, atol=1e-300)


@pytest.mark.parametrize("name", GEESMV)
def test_fay_graubard_and_morel_bokossa_neerchal_are_geesmvs(name):
    for correlation, variances in GEESMV[name].items():
        assert sorted(variances) == ["fay_graubard", "morel_bokossa_neerchal"]
        for variance, std_error in variances.items():
            found = fit(golden(name), "gee", correlation=correlation, variance=variance)
            np.testing.assert_allclose(found.std_error[0], std_error, rtol=1e-11)


@pytest.mark.parametrize("variance", CLUBSANDWICH)
@pytest.mark.parametrize("name", SOME)
def test_with_independence_the_variances_are_clubsandwichs(name, variance):
    expected = GOLDEN[name]["robust"]
    found = fit(golden(name), "gee", correlation="independence", variance=variance)
    np.testing.assert_allclose(found.estimate[0], expected["estimate"], rtol=1e-9)
    std_error = expected[CLUBSANDWICH[variance]]["std_error"]
    np.testing.assert_allclose(found.std_error[0], std_error, rtol=1e-9)


# --- against the formulas written out -----------------------------------------------------


def dense(shard: Shard, variance: str) -> tuple[np.ndarray, np.ndarray, float]:
    """Estimates, standard errors and correlation from n x n matrices."""
    codes, N, p = shard.cluster_codes(0), len(shard.y), shard.p
    X, y = shard.X, shard.y
    same = codes[:, None] == codes
    pairs = same & ~np.eye(N, dtype=bool)
    alpha = 0.0
    for _ in range(200):
        V = np.where(pairs, alpha, 0.0) + np.eye(N)
        inverse = np.linalg.inv(V)
        M = np.linalg.inv(X.T @ inverse @ X)
        e = y - X @ M @ X.T @ inverse @ y
        scale = e @ e / (N - p)
        alpha = e @ pairs @ e / 2 / scale / (pairs.sum() / 2 - p)
    middle = np.zeros((p, p))
    for g in range(shard.clusters):
        rows = codes == g
        D, Vi = X[rows], np.linalg.inv(V[np.ix_(rows, rows)])
        left = np.eye(len(D)) - D @ M @ D.T @ Vi
        adjustments = {
            "mancl_derouen": [np.linalg.inv(left)],
            "kauermann_carroll": [np.linalg.inv(scipy.linalg.sqrtm(left))],
        }
        adjustments["ford_westgate"] = sum(adjustments.values(), [])
        adjusted = adjustments.get(variance, [np.eye(len(D))])
        # Kauermann & Carroll: residuals with the working covariance keep it once adjusted
        if variance == "kauermann_carroll":
            kept = adjusted[0] @ left @ V[np.ix_(rows, rows)] @ adjusted[0].T
            np.testing.assert_allclose(kept, V[np.ix_(rows, rows)], atol=1e-10)
        for one in adjusted:
            score = D.T @ Vi @ one @ e[rows]
            if variance == "fay_graubard":
                score /= np.sqrt(1 - np.minimum(0.75, np.diag(D.T @ Vi @ D @ M)))
            middle += np.outer(score, score) / len(adjusted)
    V = M @ middle @ M
    if variance == "morel_bokossa_neerchal":
        G, model = shard.clusters, scale * M
        effect = max(1.0, np.trace(model @ middle / scale**2) / p)
        share = p / (G - p) if G > 3 * p else 0.5
        V = (N - 1) / (N - p) * G / (G - 1) * V + share * effect * model
    return M @ X.T @ inverse @ y, np.sqrt(np.diag(V)), alpha


@pytest.mark.parametrize("variance", VARIANCES)
@pytest.mark.parametrize("rows", [6, (1, 9)])
def test_sandwiches_are_those_of_n_by_n_matrices(variance, rows):
    # the bound of Fay & Graubard bites with 8 clusters of unequal sizes; 12 > 3 p, 8 < 3 p
    for seed, clusters in ((0, 8), (1, 8), (2, 8), (5, 12)):
        shard = random_shard(seed, 1, clusters, 3, rows)
        shard.y[:] += 2.0 * (shard.cluster_codes(0) % 3)
        estimate, std_error, alpha = dense(shard, variance)
        assert alpha > 0.5
        found = fit(shard, "gee", variance=variance)
        np.testing.assert_allclose(found.estimate[0], estimate, rtol=1e-10)
        np.testing.assert_allclose(found.std_error[0], std_error, rtol=1e-9)


@pytest.mark.parametrize("variance", CLUBSANDWICH)
def test_two_arms_of_whole_clusters_are_least_squares(variance):
    # equal clusters, a predictor constant within them: H_g is the same whatever the correlation
    shard = random_shard(3, 2, 10, 2, 7)
    shard.X[:, 1] = np.tile(np.repeat([0.0, 1.0], 35), 2)
    found = fit(shard, "gee", variance=variance)
    expected = fit(shard, "cluster_robust", variance=CLUBSANDWICH[variance], df="normal")
    np.testing.assert_allclose(found.estimate, expected.estimate, rtol=1e-10)
    np.testing.assert_allclose(found.std_error, expected.std_error, rtol=1e-10)
    assert np.isinf(found.df).all()


@pytest.mark.parametrize(("df", "value"), [("normal", np.inf), ("G-1", 8), ("G-p", 6), ("G-k", 8)])
def test_degrees_of_freedom(df, value):
    for engine in ("numpy", "statsmodels"):
        found = fit(random_shard(1, 2, 9, 3, 6), "gee", df=df, engine=engine)
        assert set(found.df.ravel()) == {value}


def test_the_df_of_cluster_level_coefficients():
    """10 clusters, two predictors within them and two between: t(7), in whatever company."""
    shard = random_shard(1, 2, 10, 5, 6)
    shard.X[:, 3:] = np.repeat(np.arange(20.0), 6)[:, None] ** [1, 2]
    within = random_shard(2, 1, 10, 5, 6)
    for engine in ("numpy", "statsmodels"):
        found = fit(join(shard, within), "gee", df="G-k", engine=engine)
        assert found.df.tolist() == [[7.0] * 5] * 2 + [[9.0] * 5]
    bare = Shard(shard.y, shard.X[:, 1:], shard.n, shard.terms[1:])
    assert (fit(bare, "gee", df="G-k").df == 8.0).all()
    few = random_shard(1, 1, 3, 3, 6)
    few.X[:, 1:] = np.repeat(np.arange(3.0), 6)[:, None] ** [1, 2]
    assert "no degrees of freedom: G-k is not positive" in fit(few, "gee", df="G-k").message[0]


def test_kauermann_and_carroll_are_exact_for_two_arms_of_equal_clusters():
    """The t test of cluster means has G - 2 degrees of freedom, and this is that test."""
    shard = random_shard(3, 1, 10, 2, 7)
    shard.X[:, 1] = np.repeat([0.0, 1.0], 35)
    found = fit(shard, "gee", variance="kauermann_carroll", df="G-k")
    test = t_inference(found.estimate, found.std_error, found.df)
    means = shard.y.reshape(10, 7).mean(axis=1)
    expected = scipy.stats.ttest_ind(means[5:], means[:5])
    np.testing.assert_allclose(test.p_value[0, 1], expected.pvalue, rtol=1e-10)


# --- properties ---------------------------------------------------------------------------


@given(st.integers(0, 10**6), st.sampled_from([7, (1, 12)]))
@few
def test_units_shifts_and_the_order_of_columns(seed, rows):
    shard = random_shard(seed, 2, 10, 3, rows)
    found = fitted(shard, "gee", variance="kauermann_carroll")
    X = shard.X.copy()
    X[:, 1:] = 3.0 * X[:, 1:] + 1e4
    moved = Shard(-1e3 * shard.y + 1e5, X, shard.n, shard.terms)
    moved = fitted(moved, "gee", variance="kauermann_carroll")
    np.testing.assert_allclose(
        moved.estimate[:, 1:], -1e3 / 3 * found.estimate[:, 1:], rtol=1e-8, atol=1e-6
    )
    np.testing.assert_allclose(moved.std_error[:, 1:], 1e3 / 3 * found.std_error[:, 1:], rtol=1e-8)
    back = Shard(shard.y, shard.X[:, ::-1], shard.n, shard.terms[::-1])
    back = fitted(back, "gee", variance="kauermann_carroll")
    atol = 1e-9 * np.abs(found.estimate).max()
    np.testing.assert_allclose(back.estimate[:, ::-1], found.estimate, rtol=1e-9, atol=atol)
    np.testing.assert_allclose(back.std_error[:, ::-1], found.std_error, rtol=1e-9)


def test_models_without_an_intercept():
    shard = random_shard(5, 1, 9, 3, (3, 8))
    bare = Shard(shard.y, shard.X[:, 1:], shard.n, shard.terms[1:])
    ours, theirs = fit(bare, "gee"), fit(bare, "gee", engine="statsmodels")
    np.testing.assert_allclose(ours.estimate, theirs.estimate, rtol=1e-9)
    np.testing.assert_allclose(ours.std_error, theirs.std_error, rtol=1e-9)


@pytest.mark.parametrize("variance", VARIANCES)
@pytest.mark.parametrize("correlation", ["exchangeable", "independence"])
def test_a_shard_gives_the_bits_of_its_datasets(correlation, variance):
    options = {"correlation": correlation, "variance": variance}
    parts = [random_shard(s, 2, 30, 4, rows) for s, rows in enumerate([6, (1, 40), (3, 5)])]
    parts[1].X[:, 2] = np.repeat(np.arange(60.0) % 7, parts[1].n.ravel())
    one = join(*parts)
    together = fit(one, "gee", **options)
    alone = Fits.concatenate([fit(one.dataset(s), "gee", **options) for s in range(one.sims)])
    assert set(together.status) == {"ok"} and same_bits(together, alone)


# --- what cannot be fitted ----------------------------------------------------------------


def no_pairs() -> Shard:
    return random_shard(1, 1, 8, 2, 1)


def opposites() -> Shard:
    # pairs of 1 and -1: alpha = -(2G - 1) / (2 (G - 1)), below -1
    y = np.tile([1.0, -1.0], 8) + np.repeat(np.arange(8) % 2 * 1e-3, 2)
    X = np.column_stack([np.ones(16), np.repeat(np.arange(8) // 4, 2) * 1.0])
    return Shard(y, X, np.full((1, 8), 2), (INTERCEPT, "x1"))


def explained() -> Shard:
    shard = random_shard(2, 1, 8, 2, 4)
    return Shard(shard.X @ [2.0, 3.0], shard.X, shard.n, shard.terms)


def dependent() -> Shard:
    shard = random_shard(2, 1, 8, 2, 4)
    shard.X[:, 1] = 3.0
    return shard


@pytest.mark.parametrize("engine", ["numpy", "statsmodels"])
@pytest.mark.parametrize(
    ("shard", "message"),
    [
        (no_pairs(), gee.NO_PAIRS),
        (opposites(), gee.NO_CORRELATION),
        (explained(), least_squares.NO_RESIDUAL),
        (dependent(), "the predictors are linearly dependent"),
        (random_shard(1, 1, 8, 9, 1), "8 rows, 9 coefficients"),
    ],
)
def test_undefined_and_harms_no_neighbour(shard, message, engine):
    good = random_shard(9, 1, 8, shard.p, 6)
    found = fit(join(good, shard, good), "gee", engine=engine)
    assert list(found.status) == ["ok", "undefined", "ok"]
    assert found.message[1] == message
    assert np.isnan([found.estimate[1], found.std_error[1], found.df[1]]).all()
    alone = fit(good, "gee", engine=engine)
    for place in (0, 2):
        assert np.array_equal(found.std_error[place], alone.std_error[0])


@pytest.mark.parametrize("engine", ["numpy", "statsmodels"])
def test_too_few_clusters(engine):
    one = fit(random_shard(1, 2, 1, 2, 8), "gee", engine=engine)
    assert set(one.status) == {"undefined"} and set(one.message) == {gee.ONE_CLUSTER}
    few = fit(random_shard(1, 2, 3, 3, 8), "gee", df="G-p", engine=engine)
    assert set(few.status) == {"undefined"} and "G-p is not positive" in few.message[0]


@pytest.mark.parametrize("engine", ["numpy", "statsmodels"])
@pytest.mark.filterwarnings("ignore:Iteration limit")
def test_fits_that_do_not_settle_keep_their_numbers(engine, monkeypatch):
    shard = random_shard(1, 2, 8, 3, (2, 9))
    settled = fit(shard, "gee", engine=engine)
    monkeypatch.setattr(gee, "MAX_ITERATIONS", 3)
    found = fit(shard, "gee", engine=engine)
    assert set(found.status) == {"not_converged"} and set(found.message) == {gee.ENDLESS}
    np.testing.assert_allclose(found.estimate, settled.estimate, rtol=0.05)
    assert not np.array_equal(found.estimate, settled.estimate)


def test_a_predictor_that_lives_in_one_cluster_is_left_out_of_its_adjustment():
    # clubSandwich's CR2 takes the Moore-Penrose inverse as well
    shard = golden("one-cluster-dummy")
    found = fit(shard, "gee", correlation="independence", variance="kauermann_carroll")
    expected = GOLDEN["one-cluster-dummy"]["robust"]["CR2"]["std_error"]
    np.testing.assert_allclose(found.std_error[0], expected, rtol=1e-8)


def test_what_does_not_exist_is_refused_by_name():
    with pytest.raises(ConfigError, match="robust, mancl_derouen, found 'kauermann_carroll'"):
        Strategy.parse(
            {"strategy": "gee", "engine": "statsmodels", "variance": "kauermann_carroll"}
        )
    with pytest.raises(ConfigError, match="correlation must be one of exchangeable, independence"):
        Strategy.parse({"strategy": "gee", "correlation": "ar1"})
    assert statsmodels_gee.versions().keys() == {"statsmodels"}
