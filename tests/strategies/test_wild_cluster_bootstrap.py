from __future__ import annotations

import json
from itertools import product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from clustrategy.core.fits import Fits
from clustrategy.core.shard import INTERCEPT, Shard
from clustrategy.dgp import simulate
from clustrategy.dgp.process import Process
from clustrategy.engines.chosen import Strategy
from clustrategy.estimation.wild_bootstrap import ISLANDS, weights_of
from tests.material import FOLDER, few, fit, golden, join, random_shard

GOLDEN = json.loads((FOLDER / "wild_bootstrap.json").read_text())["datasets"]
IMPOSED = pytest.mark.parametrize("imposed", (True, False))
EACH_VARIANT = pytest.mark.parametrize("variant", "CSVB")
WEIGHTS = ("rademacher", "webb", "mammen")
OWN = ("estimate", "std_error", "df", "p_value", "p_value_low", "conf_low", "conf_high")


def first_clusters(shard: Shard, clusters: int) -> Shard:
    """The first clusters of one dataset."""
    rows = slice(shard.n[0, :clusters].sum())
    return Shard(shard.y[rows], shard.X[rows], shard.n[:, :clusters], shard.terms)


def low(fits: Fits) -> np.ndarray:
    """The lower end of the p-values: the p-value itself where there is one alone."""
    return np.where(np.isnan(fits.p_value_low), fits.p_value, fits.p_value_low)


def arms(seed: int, clusters: int, rows: int, covariate: bool = True) -> Shard:
    """Every other cluster treated, and a predictor that varies within clusters."""
    shard = random_shard(seed, 1, clusters, 3 if covariate else 2, rows)
    shard.X[:, 1] = np.repeat(np.arange(clusters) % 2, rows)
    return shard


def flagged(fits: Fits, shard: Shard) -> np.ndarray:
    """Of which coefficients the message says that values outside are not rejected either."""
    named = [message.partition(f"{ISLANDS}: ")[2].split(", ") for message in fits.message]
    return np.array([[term in terms for term in shard.terms] for terms in named])


class Rows:
    """The bootstrap of one coefficient on all rows, a regression of every draw."""

    def __init__(
        self, shard: Shard, weights: np.ndarray, column: int, imposed: bool, variant: str = "C"
    ) -> None:
        assert shard.sims == 1
        self.X, self.y, self.column, self.imposed = shard.X, shard.y, column, imposed
        self.codes = shard.cluster_codes(0)
        self.weights = weights[self.codes]
        self.bread = np.linalg.inv(self.X.T @ self.X)
        self.jackknifed_scores, self.jackknifed_variance = variant in "SB", variant in "VB"

    def fit(self, Y: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """The coefficients, standard error of ours and residuals, of columns of responses."""
        b = self.bread @ self.X.T @ Y
        e = Y - self.X @ b
        G = self.codes.max() + 1
        if self.jackknifed_variance:
            without = [self.without(g, self.X, Y)[self.column] for g in range(G)]
            squares = (G - 1) ** 2 / G**2 * (np.array(without) - b[self.column]) ** 2
        else:
            influence = (self.X @ self.bread[self.column])[:, None] * e
            squares = np.array([influence[self.codes == g].sum(axis=0) ** 2 for g in range(G)])
        return b, np.sqrt(G / (G - 1) * squares.sum(axis=0)), e

    def without(self, g: int, X: np.ndarray, Y: np.ndarray) -> np.ndarray:
        """The coefficients of a regression on all clusters but one."""
        others = self.codes != g
        return np.linalg.lstsq(X[others], Y[others])[0]

    def statistics(self, value: float) -> tuple[float, np.ndarray]:
        """|t| of a null value and of all draws."""
        b, se, e = (part[..., 0] for part in self.fit(self.y[:, None]))
        t = abs(b[self.column] - value) / se
        centre, y, model = b[self.column], self.y, np.arange(self.X.shape[1])
        if self.imposed:
            model = np.delete(model, self.column)
            y = self.y - self.X[:, self.column] * value
            b = np.zeros(len(b))
            b[self.column] = centre = value
            b[model] = np.linalg.lstsq(self.X[:, model], y)[0]
            e = self.y - self.X @ b
        if self.jackknifed_scores:
            for g in range(self.codes.max() + 1):
                rows, X = self.codes == g, self.X[:, model]
                e[rows] = y[rows] - X[rows] @ self.without(g, X, y)
        drawn, errors, _ = self.fit((self.X @ b)[:, None] + self.weights * e[:, None])
        return t, np.abs(drawn[self.column] - centre) / errors

    def p_value(self, value: float) -> tuple[float, float]:
        """The shares of draws with |t*| >= |t| and > |t|."""
        t, draws = self.statistics(value)
        return (draws >= t * (1 - 1e-8)).mean(), (draws > t * (1 + 1e-8)).mean()


# --- wildboottest and regressions on all rows ---------------------------------------------


@IMPOSED
@EACH_VARIANT
@pytest.mark.parametrize("name", GOLDEN)
def test_all_sign_vectors_are_wildboottest(name, variant, imposed):
    shard = first_clusters(golden(name), GOLDEN[name]["clusters"])
    found = fit(shard, "wild_cluster_bootstrap", variant=variant, impose_null=imposed)
    upper, lower = np.array(GOLDEN[name]["restricted" if imposed else "unrestricted"][variant]).T
    np.testing.assert_allclose(found.p_value[0], upper, rtol=1e-12)
    np.testing.assert_allclose(low(found)[0], lower, rtol=1e-12)
    assert np.array_equal(np.isnan(found.p_value_low[0]), upper == lower)


CASES = [(5, 4, "rademacher", 99), (14, (2, 9), "rademacher", 399), (9, (3, 6), "webb", 299)]
CASES += [(12, (2, 9), "mammen", 499)]
CASES = [(*case, "C") for case in CASES]
CASES += [(8, (3, 6), "webb", 59, variant) for variant in "SVB"]


@IMPOSED
@pytest.mark.parametrize(("clusters", "rows", "weights", "draws", "variant"), CASES)
def test_p_values_and_limits_are_those_of_regressions_on_all_rows(
    clusters, rows, weights, draws, variant, imposed
):
    shard = random_shard(clusters, 1, clusters, 3, rows)
    v = weights_of(shard, 0, weights, draws)
    options = {"variant": variant, "weights": weights, "draws": draws, "impose_null": imposed}
    nulls = np.array([[[0.0, -0.4, 2.0], [1.1, 0.0, 1e3], [0.9, -7.0, 0.0]]])
    chosen = Strategy.parse({"strategy": "wild_cluster_bootstrap", **options})
    found = chosen.fit(shard, nulls)
    for column in range(3):
        brute = Rows(shard, v, column, imposed, variant)
        upper, lower = brute.p_value(0.0)
        assert found.p_nulls[0, column, column] == found.p_value[0, column]
        expected = [brute.p_value(value)[0] for value in nulls[0, column]]
        np.testing.assert_allclose(found.p_nulls[0, column], expected, rtol=1e-12)
        assert found.p_value[0, column] == pytest.approx(upper, rel=1e-12)
        assert low(found)[0, column] == pytest.approx(lower, rel=1e-12)
        estimate, se = found.estimate[0, column], found.std_error[0, column]
        for limit, side in ((found.conf_low[0, column], -1), (found.conf_high[0, column], 1)):
            if np.isinf(limit):
                assert brute.p_value(estimate + side * 500.0 * se)[0] > 0.05
            else:
                assert brute.p_value(limit - side * 1e-5 * se)[0] > 0.05
                assert brute.p_value(limit + side * 1e-5 * se)[0] <= 0.05


@IMPOSED
def test_null_values_in_the_interval_are_those_that_are_not_rejected(imposed):
    shard = random_shard(3, 1, 11, 3, (2, 7))
    v = weights_of(shard, 0, "rademacher", 199)
    found = fit(shard, "wild_cluster_bootstrap", draws=199, impose_null=imposed)
    for column in range(3):
        brute = Rows(shard, v, column, imposed)
        estimate, se = found.estimate[0, column], found.std_error[0, column]
        values = estimate + se * np.linspace(-9.0, 9.0, 73)
        rejected = np.array([brute.p_value(value)[0] <= 0.05 for value in values])
        outside = (values < found.conf_low[0, column]) | (values > found.conf_high[0, column])
        assert np.array_equal(rejected, outside) and 0 < outside.sum() < 73


def test_the_interval_is_the_connected_set_and_other_pieces_are_told():
    """By regressions on all rows at null values from 0.1 to 10,000 standard errors away."""
    for seed, islands in ((2, True), (6, False)):
        shard = arms(seed, 8, 4)
        v = weights_of(shard, 0, "rademacher", 128)
        found = fit(shard, "wild_cluster_bootstrap", draws=128)
        assert found.status[0] == "ok" and flagged(found, shard)[0, 0] == islands
        brute = Rows(shard, v, 0, True)
        low, high = found.conf_low[0, 0], found.conf_high[0, 0]
        far = found.std_error[0, 0] * np.geomspace(0.1, 1e4, 60)
        values = found.estimate[0, 0] + np.concatenate([-far[::-1], far])
        accepted = np.array([brute.p_value(value)[0] > 0.05 for value in values])
        within = (low <= values) & (values <= high)
        assert accepted[within].all() and accepted[~within].any() == islands
        assert 0.05 >= brute.p_value(low - 1e-6 * (high - low))[0]
        assert 0.05 >= brute.p_value(high + 1e-6 * (high - low))[0]


ARMS = {"clusters": 10, "treatment": "between"}
UNEQUAL = {"clusters": 12, "size_cv": 1.5, "predictor_icc": [1, 0]}


@pytest.mark.parametrize(
    ("factors", "sim", "p_value", "limits", "value"),
    [
        (ARMS, 8, 7 / 512, (0.63801, 1.22447), -15.0),
        (UNEQUAL, 473, 54 / 999, (0.15344, 1.50799), 0),
    ],
)
def test_a_set_in_pieces_has_the_limits_of_the_piece_around_the_estimate(
    factors, sim, p_value, limits, value
):
    """Limits that search from far away found were -20.2 in the first of these two."""
    cell = {"clusters": factors["clusters"], "obs_per_cluster": 20, "between_cluster_sigma": 0.5}
    process = Process(
        predictors=2, coefficients=[0.5, 0.3, 0.8], residual_sigma=1.0, **(cell | factors)
    )
    shard = simulate(process, 5, cell, [sim]).shard
    found = fit(shard, "wild_cluster_bootstrap")
    assert found.p_value[0, 0] == pytest.approx(p_value, rel=1e-12)
    np.testing.assert_allclose((found.conf_low[0, 0], found.conf_high[0, 0]), limits, atol=5e-5)
    assert found.message[0] == f"{ISLANDS}: {INTERCEPT}" and found.status[0] == "ok"
    brute = Rows(shard, weights_of(shard, 0, "rademacher", 999), 0, True)
    ends = np.array([limits[0] - 1e-4, limits[0] + 1e-4, limits[1] - 1e-4, limits[1] + 1e-4, value])
    accepted = [brute.p_value(end)[0] > 0.05 for end in ends]
    assert accepted == [False, True, True, False, True]


@st.composite
def awkward(draw: st.DrawFn) -> Shard:
    """Arms, unequal clusters, or small whole numbers with many ties."""
    seed = draw(st.integers(0, 10**6))
    kind = draw(st.sampled_from(["arms", "unequal", "ties"]))
    if kind == "arms":
        return join(*(arms(seed + k, 10, 3) for k in range(4)))
    if kind == "unequal":
        return random_shard(seed, 4, draw(st.integers(6, 14)), 2, (2, 20))
    shard = random_shard(seed, 4, draw(st.integers(6, 10)), 2, 2)
    return Shard(np.round(1.5 * shard.y), np.round(shard.X), shard.n, shard.terms)


@IMPOSED
@pytest.mark.parametrize("weights", WEIGHTS)
@given(awkward())
@few
def test_zero_is_outside_where_it_is_rejected_and_inside_where_not_unless_told(
    weights, imposed, shard
):
    found = fit(shard, "wild_cluster_bootstrap", weights=weights, draws=199, impose_null=imposed)
    usable = np.isfinite(found.p_value)
    rejected = (found.p_value <= 0.05)[usable]
    outside = ((found.conf_low > 0.0) | (found.conf_high < 0.0))[usable]
    told = flagged(found, shard)[usable]
    assert outside[rejected].all() and (told | ~outside)[~rejected].all()
    assert imposed or not told.any()


@pytest.mark.parametrize(
    ("variant", "variance"), [("C", "CR1"), ("S", "CR1"), ("V", "CV3"), ("B", "CV3")]
)
def test_standard_errors_are_cr1_or_the_jackknife(variant, variance):
    shard = random_shard(4, 3, 12, 4, (2, 9))
    found = fit(shard, "wild_cluster_bootstrap", variant=variant, draws=9)
    expected = fit(shard, "cluster_robust", variance=variance)
    np.testing.assert_allclose(found.estimate, expected.estimate, rtol=1e-14)
    np.testing.assert_allclose(found.std_error, expected.std_error, rtol=1e-12)
    assert np.isnan(found.df).all()


@EACH_VARIANT
def test_where_all_clusters_have_one_design_the_members_are_one(variant):
    """Leaving a cluster out multiplies all that counts by G/(G - 1)."""
    X = random_shard(1, 1, 1, 3, 7).X
    y = random_shard(2, 1, 8, 2, 7).y
    shard = Shard(y, np.tile(X, (8, 1)), np.full((1, 8), 7), (INTERCEPT, "x1", "x2"))
    nulls = np.full((1, 3, 2), [-0.3, 0.4])
    of_all = [
        Strategy.parse({"strategy": "wild_cluster_bootstrap", "variant": one}).fit(shard, nulls)
        for one in ("C", variant)
    ]
    for name in ("p_value", "p_value_low", "p_nulls"):
        classic, found = (getattr(one, name) for one in of_all)
        np.testing.assert_array_equal(found, classic)
    for name in ("conf_low", "conf_high"):
        classic, found = (getattr(one, name) for one in of_all)
        np.testing.assert_allclose(found, classic, rtol=1e-7)


@EACH_VARIANT
@pytest.mark.parametrize("far", [0.0, 1e3, 1e6])
def test_with_two_arms_alone_signs_all_alike_tie_whatever_the_member(variant, far):
    """Jackknifed residuals are then multiples of the plain ones, and give back |t| as they do."""
    shard = arms(4, 8, 3, covariate=False)
    moved = Shard(shard.y + far * shard.X[:, 1], shard.X, shard.n, shard.terms)
    found = fit(moved, "wild_cluster_bootstrap", variant=variant)
    classic = fit(moved, "wild_cluster_bootstrap")
    assert found.p_value[0, 1] == classic.p_value[0, 1] >= 2.0**-7
    assert far == 0.0 or (found.p_value[0, 1], found.p_value_low[0, 1]) == (2.0**-7, 0.0)


@IMPOSED
@EACH_VARIANT
def test_a_cluster_that_cannot_be_left_out_leaves_the_others_tested(variant, imposed):
    """Its own mean and slope are two predictors: no test of the slope, an answer for the rest."""
    shard = random_shard(3, 1, 9, 4, 6)
    first = np.arange(54) < 6
    shard.X[first, 1], shard.X[:, 2] = 0.0, first
    shard.X[~first, 3] = 0.0
    found = fit(shard, "wild_cluster_bootstrap", variant=variant, impose_null=imposed)
    assert found.status[0] == "ok" and "left out: x3" in found.message[0]
    assert np.isfinite([found.p_value[0, :3], found.std_error[0, :3]]).all()
    assert (found.conf_low[0, :3] < found.conf_high[0, :3]).all()
    assert np.isnan(found.p_value[0, 3])


# --- few clusters -------------------------------------------------------------------------


@pytest.mark.parametrize("clusters", range(2, 11))
def test_a_far_coefficient_has_the_least_p_value_that_so_many_clusters_allow(clusters):
    """Only the vector of ones and its opposite reach the observed statistic, and tie with it."""
    shard = random_shard(8, 1, clusters, 2, 6)
    shard.X[:, 1] -= np.repeat(shard.X[:, 1].reshape(-1, 6).mean(axis=1), 6)
    for far in (1e2, 1e4, 1e6):
        moved = Shard(shard.y + far * shard.X[:, 1], shard.X, shard.n, shard.terms)
        found = fit(moved, "wild_cluster_bootstrap")
        assert found.p_value[0, 1] == 2.0 ** (1 - clusters)
        assert found.p_value_low[0, 1] == 0.0


@IMPOSED
@pytest.mark.parametrize("seed", range(4))
def test_a_cluster_at_the_mean_of_a_predictor_is_not_nothing(imposed, seed):
    """It has no part in the coefficient, but moves the intercept, and so the others' residuals."""
    rng = np.random.default_rng(seed)
    x, codes = np.repeat([-2.0, -1.0, 0.0, 1.0, 2.0], 4), np.repeat(np.arange(5), 4)
    y = rng.standard_normal(20) + 2.0 * rng.standard_normal(5)[codes] + 0.5 * x
    shard = Shard(y, np.column_stack([np.ones(20), x]), np.full((1, 5), 4), (INTERCEPT, "x"))
    found = fit(shard, "wild_cluster_bootstrap", impose_null=imposed)
    rows = Rows(shard, weights_of(shard, 0, "rademacher", 999), 1, imposed)
    share, above = rows.p_value(0.0)
    assert (found.p_value[0, 1], low(found)[0, 1]) == (share, above)


@pytest.mark.parametrize(("clusters", "ends"), [(4, False), (5, False), (6, True), (10, True)])
def test_with_five_clusters_no_null_value_is_rejected(clusters, ends):
    found = fit(random_shard(2, 2, clusters, 2, (4, 9)), "wild_cluster_bootstrap")
    assert (np.isfinite(found.conf_low) == ends).all()
    assert (np.isfinite(found.conf_high) == ends).all()


@pytest.mark.parametrize("effect", [0.0, 1e2, 1e5, 1e8])
def test_a_coefficient_of_five_clusters_out_of_ten_is_never_rejected(effect):
    """The intercept is the mean of the five clusters without treatment; the others say nothing."""
    shard = arms(4, 10, 3, covariate=False)
    moved = Shard(shard.y + effect, shard.X, shard.n, shard.terms)
    found = fit(moved, "wild_cluster_bootstrap")
    assert found.p_value[0, 0] >= 2.0**-4
    assert effect == 0.0 or found.p_value[0, 0] == 2.0**-4
    assert np.isneginf(found.conf_low[0, 0]) and np.isposinf(found.conf_high[0, 0])
    assert np.isfinite([found.conf_low[0, 1], found.conf_high[0, 1]]).all()
    assert found.message[0] == ""


def test_a_mean_of_clusters_is_a_sign_flip_test_with_the_t_statistic():
    """Webb (2023): with the null imposed, |t*| of the mean of one number a cluster."""
    y = np.array([3.0, 1.0, 2.0, 5.0, -1.0, 4.0, 2.5])
    shard = Shard(y, np.ones((7, 1)), np.ones((1, 7), dtype=np.int64), (INTERCEPT,))
    found = fit(shard, "wild_cluster_bootstrap")
    flipped = y * (1.0 - 2.0 * (np.arange(128)[:, None] >> np.arange(7) & 1))
    t = np.abs(flipped.mean(axis=1)) / flipped.std(axis=1, ddof=1)
    assert found.p_value[0, 0] == (t >= t[0] * (1 - 1e-12)).mean()
    assert found.p_value_low[0, 0] == (t > t[0] * (1 + 1e-12)).mean()


# --- properties ---------------------------------------------------------------------------


@st.composite
def small(draw: st.DrawFn) -> Shard:
    """One dataset of so few clusters that all sign vectors are taken."""
    rows = draw(st.sampled_from([5, (4, 9)]))
    clusters, p = draw(st.integers(3, 8)), draw(st.integers(1, 3))
    return random_shard(draw(st.integers(0, 10**6)), 1, clusters, p, rows)


def close(found: Fits, expected: Fits, scale: float = 1.0, shift: object = 0.0) -> None:
    """Whether the tests of two fits are the same, the limits but for scale and shift."""
    np.testing.assert_allclose(found.p_value, expected.p_value, rtol=1e-12)
    np.testing.assert_allclose(found.p_value_low, expected.p_value_low, rtol=1e-12)
    size = abs(scale) * expected.std_error
    ends = ("conf_low", "conf_high") if scale > 0 else ("conf_high", "conf_low")
    for mine, theirs in zip(("conf_low", "conf_high"), ends, strict=True):
        wanted = scale * getattr(expected, theirs) + shift
        np.testing.assert_allclose(
            (getattr(found, mine) - found.estimate) / size,
            (wanted - scale * expected.estimate - shift) / size,
            rtol=1e-6,
            atol=1e-6,
        )


@IMPOSED
@given(small())
@few
def test_scaling_the_response_scales_the_limits(imposed, shard):
    expected = fit(shard, "wild_cluster_bootstrap", impose_null=imposed)
    for scale in (1000.0, -0.001):
        scaled = Shard(scale * shard.y, shard.X, shard.n, shard.terms)
        close(fit(scaled, "wild_cluster_bootstrap", impose_null=imposed), expected, scale)


@IMPOSED
@given(small(), st.integers(0, 10**6))
@few
def test_the_order_of_clusters_does_not_matter(imposed, shard, seed):
    order = np.random.default_rng(seed).permutation(shard.clusters)
    blocks = np.split(np.arange(len(shard.y)), np.cumsum(shard.n[0])[:-1])
    rows = np.concatenate([blocks[g] for g in order])
    other = Shard(shard.y[rows], shard.X[rows], shard.n[:, order], shard.terms)
    close(
        fit(other, "wild_cluster_bootstrap", impose_null=imposed),
        fit(shard, "wild_cluster_bootstrap", impose_null=imposed),
    )


@IMPOSED
@given(small())
@few
def test_adding_the_predictors_moves_the_interval_with_the_estimate(imposed, shard):
    expected = fit(shard, "wild_cluster_bootstrap", impose_null=imposed)
    b = np.arange(1.0, 1.0 + shard.p)
    moved = Shard(shard.y + shard.X @ b, shard.X, shard.n, shard.terms)
    found = fit(moved, "wild_cluster_bootstrap", impose_null=imposed)
    for name in ("conf_low", "conf_high"):
        np.testing.assert_allclose(
            getattr(found, name), getattr(expected, name) + b, rtol=1e-7, atol=1e-7
        )
    v = weights_of(shard, 0, "rademacher", 999)
    for column in range(shard.p):
        upper, lower = Rows(shard, v, column, imposed).p_value(-b[column])
        assert found.p_value[0, column] == pytest.approx(upper, rel=1e-12)
        assert low(found)[0, column] == pytest.approx(lower, rel=1e-12)


@IMPOSED
@pytest.mark.parametrize(
    ("weights", "variant"), [*product(WEIGHTS, "C"), *product(["webb"], "SVB")]
)
def test_a_shard_gives_the_bits_of_its_datasets(imposed, weights, variant):
    parts = [random_shard(seed, 2, 12, 3, rows) for seed, rows in ((1, 6), (2, (3, 9)))]
    shard = join(*parts)
    shard.X[shard.rows(1), 2] = 2.0 * shard.X[shard.rows(1), 1]
    entry = {"impose_null": imposed, "weights": weights, "draws": 199, "variant": variant}
    together = fit(shard, "wild_cluster_bootstrap", **entry)
    alone = [fit(shard.dataset(sim), "wild_cluster_bootstrap", **entry) for sim in range(4)]
    both = Fits.concatenate(alone)
    assert list(together.status) == list(both.status) == ["ok", "undefined", "ok", "ok"]
    for name in OWN:
        assert np.array_equal(getattr(together, name), getattr(both, name), equal_nan=True)


# --- what cannot be tested ----------------------------------------------------------------


def test_where_there_is_no_answer_there_is_a_reason():
    def said(shard: Shard) -> tuple[str, str]:
        found = fit(shard, "wild_cluster_bootstrap")
        assert np.isnan([getattr(found, name) for name in OWN]).all()
        return found.status[0], found.message[0]

    one = random_shard(1, 1, 1, 2, 8)
    assert said(one) == ("undefined", "one cluster: a cluster-robust variance needs two")
    assert said(random_shard(1, 1, 2, 3, 1)) == ("undefined", "2 rows, 3 coefficients")
    dependent = random_shard(1, 1, 5, 3, 6)
    dependent.X[:, 2] = 2.0 - 3.0 * dependent.X[:, 1]
    assert said(dependent) == ("undefined", "the predictors are linearly dependent")
    exact = random_shard(1, 1, 5, 3, 6)
    exact.y[:] = exact.X @ [1.0, 2.0, 3.0]
    assert said(exact)[1].startswith("the predictors explain the response exactly")
    arms = random_shard(1, 1, 2, 2, 8)
    arms.X[:, 1] = np.repeat([0.0, 1.0], 8)
    assert said(arms) == ("undefined", "a standard error is zero")


def test_what_is_left_out_and_what_lies_outside_are_both_told():
    shard = arms(2, 10, 4)
    shard.X[36:, 2] = 0.0
    own = np.zeros((40, 2))
    own[36:] = [[1.0, 1.0], [1.0, 2.0], [1.0, 4.0], [1.0, 7.0]]
    wider = Shard(shard.y, np.column_stack([shard.X, own]), shard.n, (*shard.terms, "x3", "x4"))
    found = fit(wider, "wild_cluster_bootstrap")
    assert found.status[0] == "ok"
    assert found.message[0] == (
        f"a standard error is zero, and left out: x4; {ISLANDS}: {INTERCEPT}"
    )
    assert np.array_equal(np.isnan(found.p_value[0]), np.isnan(found.conf_low[0]))
    assert np.flatnonzero(np.isnan(found.p_value[0])).tolist() == [4]
