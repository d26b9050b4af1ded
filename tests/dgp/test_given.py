"""Outcomes on a design that is given, against closed forms."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from clustrategy.core.errors import ConfigError, DataError
from clustrategy.core.inference import t_inference
from clustrategy.core.shard import INTERCEPT, Floats, Shard
from clustrategy.dgp import cell_key
from clustrategy.dgp.given import GivenProcess, draw_given
from tests.material import few, fitted

pytestmark = pytest.mark.filterwarnings("error::RuntimeWarning")


def design(*sizes: int) -> Shard:
    """An intercept, a predictor that varies within clusters, and one that is 0 or 1 by cluster."""
    n = np.array([sizes])
    x = np.random.default_rng(5).standard_normal(n.sum())
    arm = np.repeat(np.arange(n.size) % 2, n[0])
    X = np.column_stack([np.ones(n.sum()), x, arm])
    return Shard(np.full(n.sum(), np.nan), X, n, (INTERCEPT, "x", "arm"))


def pool(rows: int, columns: int, spread: Floats) -> Floats:
    """Skewed vectors of mean 0 whose second moments are `spread`."""
    found = np.random.default_rng(6).exponential(size=(rows, columns))
    found -= found.mean(axis=0)
    own = np.linalg.cholesky(found.T @ found / rows)
    return found @ np.linalg.inv(own).T @ np.linalg.cholesky(spread).T


SPREAD = np.array([[0.8, 0.3], [0.3, 0.5]])
PROCESS = GivenProcess(design(4, 1, 3), (INTERCEPT, "x"), SPREAD, 1.5)
RESIDUALS = 3.0 * pool(40, 1, np.eye(1))[:, 0]

OPTIONS = {
    "normal": {},
    "no random effects": {"random": (), "covariance": np.zeros((0, 0))},
    "a slope alone": {"random": ("x",), "covariance": np.array([[0.7]])},
    "a singular matrix": {"covariance": np.array([[0.64, -0.4], [-0.4, 0.25]])},
    "a variance of 0": {"covariance": np.diag([0.0, 0.6])},
    "variances by cluster": {"sigma": np.array([0.5, 1.0, 2.0])},
    "autocorrelation": {"autocorrelation": 0.6},
    "negative autocorrelation": {"autocorrelation": -0.4, "sigma": np.array([0.5, 1.0, 2.0])},
    "resampled residuals": {"residuals": RESIDUALS},
    "autocorrelated resampled residuals": {"residuals": RESIDUALS, "autocorrelation": 0.5},
    "resampled effects": {"effects": pool(9, 2, SPREAD)},
}


def covariance_of_rows(process: GivenProcess) -> Floats:
    """(R, R) Z D Z' + sigma_g^2 rho^|i - j| within clusters, 0 between them."""
    shard = process.shard
    Z = shard.X[:, [shard.terms.index(name) for name in process.random]]
    codes = shard.cluster_codes(0)
    sigma = np.broadcast_to(process.sigma, shard.clusters)[codes]
    apart = np.abs(np.subtract.outer(np.arange(codes.size), np.arange(codes.size)))
    lagged = np.where(apart == 0, 1.0, float(process.autocorrelation) ** apart)
    whole = Z @ process.covariance @ Z.T + sigma * sigma[:, None] * lagged
    return np.where(codes == codes[:, None], whole, 0.0)


@pytest.mark.parametrize("name", OPTIONS)
def test_rows_have_the_mean_and_the_covariances_of_the_process(name):
    process = replace(PROCESS, **OPTIONS[name])
    y = draw_given(process, 3, name, range(2000)).y.reshape(2000, -1)
    products = y[:, :, None] * y[:, None]
    for found, expected in ((y, 0.0), (products, covariance_of_rows(process))):
        error = found.std(axis=0, ddof=1) / np.sqrt(len(found))
        z = (found.mean(axis=0) - expected) / error
        assert np.abs(z).max() < 4.5


def test_moments_of_clusters_means_slopes_and_neighbours():
    """Of 600 clusters of 6 rows, the predictor -1 and 1 in turn: closed forms."""
    G, n, tau, slope, sigma, rho = 600, 6, 0.7, 0.4, 1.2, 0.5
    x = np.tile([-1.0, 1.0], G * n // 2)
    shard = Shard(x, np.column_stack([np.ones(x.size), x]), np.full((1, G), n), (INTERCEPT, "x"))
    process = GivenProcess(shard, (INTERCEPT, "x"), np.diag([tau**2, slope**2]), sigma)
    y = draw_given(process, 1, "plain", range(5)).y.reshape(-1, n)
    x = x[:n]
    count = len(y)
    slopes = y @ x / n
    rest = y - y.mean(axis=1, keepdims=True) - slopes[:, None] * x
    # A variance estimated from m normals has a relative error of sqrt(2 / m).
    for found, expected, m in (
        (y.mean(axis=1), tau**2 + sigma**2 / n, count),
        (slopes, slope**2 + sigma**2 / n, count),
        (rest * np.sqrt(n / (n - 2)), sigma**2, count * (n - 2)),
    ):
        assert abs((found**2).mean() / expected - 1.0) < 4.5 * np.sqrt(2.0 / m)
    nothing = replace(process, covariance=np.zeros((2, 2)), autocorrelation=rho)
    e = draw_given(nothing, 1, "autocorrelated", range(5)).y.reshape(-1, n) / sigma
    for lag in range(n):
        products = (e[:, : n - lag] * e[:, lag:]).mean(axis=1)
        assert abs(products.mean() - rho**lag) < 4.5 * products.std() / np.sqrt(count)
    between = e[:-1, -1] * e[1:, 0]
    assert abs(between.mean()) < 4.5 / np.sqrt(count)


def test_a_sim_is_the_plain_recipe():
    """Bit for bit: errors first, then the clusters' effects."""
    process = replace(PROCESS, random=(INTERCEPT,), covariance=np.array([[0.25]]))
    key = cell_key({"scenario": "estimated"})
    normals = np.random.default_rng(np.random.SeedSequence(8, spawn_key=(*key, 3)))
    e, z = 1.5 * normals.standard_normal(8), normals.standard_normal(3)
    drawn = draw_given(process, 8, "estimated", [3])
    assert np.array_equal(drawn.y, e + 0.5 * np.repeat(z, [4, 1, 3]))
    resampling = np.random.SeedSequence(8, spawn_key=(*key, 3, 7))
    expected = np.random.default_rng(resampling).random(3)
    assert np.array_equal(drawn.generator(0).random(3), expected)


@pytest.mark.parametrize("name", OPTIONS)
@given(sims=st.lists(st.integers(0, 11), min_size=1, max_size=5))
@few
def test_a_sim_is_the_same_whatever_stands_beside_it(name, sims):
    process = replace(PROCESS, **OPTIONS[name])
    whole, some = (draw_given(process, 1, name, which) for which in (range(12), sims))
    for place, sim in enumerate(sims):
        assert np.array_equal(some.y[some.rows(place)], whole.y[whole.rows(sim)])
        assert np.array_equal(some.triangles[place], whole.triangles[sim])
        assert some.generator(place).random() == whole.generator(sim).random()


def test_seed_name_and_sim_each_make_other_outcomes_in_any_order():
    asked = [(1, "estimated", 0), (2, "estimated", 0), (1, "upper_95", 0), (1, "estimated", 1)]

    def draws(order: list[tuple[int, str, int]]) -> dict[tuple[int, str, int], bytes]:
        return {
            (seed, name, sim): draw_given(PROCESS, seed, name, [sim]).y.tobytes()
            for seed, name, sim in order
        }

    found = draws(asked)
    assert len(set(found.values())) == len(asked)
    assert draws(asked[::-1]) == found


def test_options_draw_from_streams_of_their_own():
    def y(**options: object) -> Floats:
        return draw_given(replace(PROCESS, **options), 1, "any", range(4)).y

    still = {"random": (), "covariance": np.zeros((0, 0))}
    effects = y() - y(**still)
    np.testing.assert_allclose(y(residuals=RESIDUALS) - y(**still, residuals=RESIDUALS), effects)
    other = {"effects": OPTIONS["resampled effects"]["effects"]}
    errors = y(**other) - (y(**other, residuals=RESIDUALS) - y(**still, residuals=RESIDUALS))
    np.testing.assert_allclose(errors, y(**still), atol=1e-12)


@pytest.mark.parametrize("correlation", [0.0, 0.9, -1.0])
@pytest.mark.parametrize("place", [0, 1])
def test_draws_do_not_jump_where_a_variance_reaches_zero(place, correlation):
    def y(small: float) -> Floats:
        sd = np.ones(2)
        sd[place] = small
        spread = sd * sd[:, None] * np.array([[1.0, correlation], [correlation, 1.0]])
        return draw_given(replace(PROCESS, covariance=spread), 2, "limit", range(20)).y

    at_zero, largest = y(0.0), np.abs(PROCESS.shard.X).max()
    for small in (1e-2, 1e-4, 1e-6):
        assert 0.0 < np.abs(y(small) - at_zero).max() < 20.0 * largest * small


def test_draws_do_not_depend_on_the_predictors_units():
    shard, unit = PROCESS.shard, np.array([1.0, 1e6])
    X = shard.X * np.array([1.0, 1e6, 1.0])
    spread = SPREAD / unit / unit[:, None]
    process = replace(PROCESS, shard=replace(shard, X=X), covariance=spread)
    one, other = (draw_given(each, 1, "units", range(9)).y for each in (PROCESS, process))
    np.testing.assert_allclose(other, one, rtol=1e-12, atol=1e-12)


def test_resampled_numbers_are_those_of_the_pools():
    sigma = np.array([0.5, 1.0, 2.0])
    process = replace(PROCESS, random=(), covariance=np.zeros((0, 0)), residuals=RESIDUALS)
    e = draw_given(replace(process, sigma=sigma), 1, "pool", range(30)).y.reshape(30, -1)
    e /= sigma[PROCESS.shard.cluster_codes(0)]
    known = RESIDUALS / 3.0
    nearest = known[np.abs(e[..., None] - known).argmin(axis=-1)]
    np.testing.assert_allclose(e, nearest, rtol=1e-12)
    assert len(np.unique(nearest)) == 40
    effects = OPTIONS["resampled effects"]["effects"]
    process = replace(PROCESS, effects=effects, sigma=1e-12)
    for dataset in draw_given(process, 1, "pool", range(10)).y.reshape(10, -1):
        b = np.linalg.lstsq(PROCESS.shard.X[:4, :2], dataset[:4])[0]
        assert np.abs(effects - b).max(axis=1).min() < 1e-10  # a whole vector of one cluster's


def test_the_t_test_on_cluster_means_holds_its_level():
    """Four clusters against four: 5 % whatever the intraclass correlation."""
    n = np.full((1, 8), 5)
    treat = np.repeat(np.arange(8) % 2, 5)
    trial = Shard(np.zeros(40), np.column_stack([np.ones(40), treat]), n, (INTERCEPT, "treat"))
    process = GivenProcess(trial, (INTERCEPT,), np.array([[0.3]]), 1.0)
    drawn = draw_given(process, 4, "estimated", range(4000))
    fits = fitted(drawn, "two_stage")
    found = t_inference(fits.estimate, fits.std_error, fits.df).p_value[:, 1]
    means = drawn.y.reshape(4000, 8, 5).mean(axis=2)
    known = stats.ttest_ind(means[:, 1::2], means[:, ::2], axis=1).pvalue
    np.testing.assert_allclose(found, known, rtol=1e-9)
    assert abs((found < 0.05).mean() - 0.05) < 4.5 * np.sqrt(0.05 * 0.95 / 4000)
    assert stats.kstest(found, "uniform").pvalue > 1e-4


@given(
    sizes=st.lists(st.integers(1, 6), min_size=1, max_size=5),
    random=st.lists(st.sampled_from([INTERCEPT, "x", "arm"]), unique=True),
    sims=st.integers(1, 4),
)
@few
def test_the_design_stays_as_it_is(sizes, random, sims):
    shard = design(*sizes)
    process = GivenProcess(shard, tuple(random), np.eye(len(random)), 1.0)
    drawn = draw_given(process, 1, "shapes", range(sims))
    assert drawn.y.shape == (sims * sum(sizes),) and np.isfinite(drawn.y).all()
    assert drawn.n.tolist() == [sizes] * sims and drawn.terms == shard.terms
    assert len(drawn.seeds) == sims and drawn.triangles.shape == (sims, len(sizes), 4, 4)
    assert np.array_equal(drawn.X, np.concatenate([shard.X] * sims))


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"random": ("y",)}, "'y', which is not one of the columns of the design"),
        ({"random": ("x", "x")}, "random has 'x' 2 times"),
        ({"covariance": np.eye(3)}, r"shape \(2, 2\), as random has 2 columns, found \(3, 3\)"),
        ({"covariance": np.diag([1.0, np.nan])}, "covariance must be finite numbers"),
        ({"covariance": np.array([[1.0, 0.2], [0.3, 1.0]])}, "covariance must be symmetric"),
        ({"covariance": np.diag([1.0, -0.1])}, "no negative variance"),
        ({"covariance": np.array([[1.0, 1.1], [1.1, 1.0]])}, "no negative variance"),
        ({"sigma": 0.0}, "sigma must be finite and above 0, found 0"),
        ({"sigma": np.array([1.0, -2.0, np.inf])}, "sigma must be finite and above 0, found -2"),
        ({"sigma": np.nan}, "sigma must be finite and above 0, found nan"),
        ({"sigma": np.ones(2)}, r"one of each of the 3 clusters, found an array of shape \(2,\)"),
        ({"autocorrelation": 1.0}, "between -1 and 1, both excluded, found 1"),
        ({"autocorrelation": -1.0}, "found -1"),
        ({"autocorrelation": np.nan}, "found nan"),
        (
            {"residuals": np.zeros((2, 2))},
            r"list of finite numbers, .* shape \(2, 2\)",
        ),
        ({"residuals": np.array([])}, "residuals must be a list of finite numbers"),
        ({"residuals": np.array([1.0, np.nan])}, "residuals must be a list of finite numbers"),
        ({"residuals": np.zeros(3)}, "residuals must not all be 0"),
        ({"residuals": np.array([1.0, 2.0])}, "residuals must have a mean of 0, found 1.5"),
        ({"effects": np.zeros((5, 3))}, "2 each as random has 2 columns"),
        ({"effects": np.zeros((0, 2))}, "effects must be rows of finite numbers"),
        ({"effects": np.full((9, 2), np.nan)}, "effects must be rows of finite numbers"),
        ({"effects": pool(9, 2, SPREAD) + 0.1}, "effects must have means of 0"),
        ({"effects": 1.1 * pool(9, 2, SPREAD)}, "effects must have the covariance matrix"),
    ],
)
def test_what_cannot_be_is_said_in_a_sentence(changes, sentence):
    with pytest.raises(ConfigError, match=sentence):
        replace(PROCESS, **changes)


def test_the_design_is_one_dataset_of_finite_numbers():
    shard = PROCESS.shard
    both = Shard(np.zeros(4), np.ones((4, 1)), np.array([[2], [2]]), (INTERCEPT,))
    with pytest.raises(DataError, match="must be one dataset, found 2"):
        GivenProcess(both, (), np.zeros((0, 0)), 1.0)
    X = shard.X.copy()
    X[3, 1] = np.inf
    with pytest.raises(DataError, match="the column 'x' of the design must be finite"):
        replace(PROCESS, shard=replace(shard, X=X))


@pytest.mark.parametrize("unit", [1e-9, 1.0, 1e9])
def test_what_rounding_leaves_of_a_mean_is_judged_in_the_units_of_the_pool(unit):
    effects, spread = unit * OPTIONS["resampled effects"]["effects"], unit**2 * SPREAD
    process = replace(PROCESS, covariance=spread, effects=effects, residuals=unit * RESIDUALS)
    for name, scale in (("residuals", 3.0), ("effects", 1.0)):
        near, far = (getattr(process, name) + share * unit * scale for share in (1e-10, 1e-6))
        replace(process, **{name: near})
        with pytest.raises(ConfigError, match=f"{name} must have"):
            replace(process, **{name: far})
