from __future__ import annotations

import hashlib
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from scipy import stats

from clustrategy.core.cells import level
from clustrategy.core.shard import Floats
from clustrategy.dgp import Process, Simulation, cell_key, simulate, smallest
from clustrategy.dgp import draw as drawing
from clustrategy.dgp.seeds import Stream, Streams
from clustrategy.dgp.sizes import cluster_sizes, further_rows
from clustrategy.tables.datasets import datasets_table, shard_from_datasets
from tests.material import few

CELL = {"clusters": 4, "obs_per_cluster": 3, "between_cluster_sigma": 0.5}
PROCESS = Process(4, 3, 0.5, 2, {"uniform": [0, 1]}, 1.0)


def bits(simulation: Simulation, sims: int) -> list[bytes]:
    """The numbers of each sim, truth and cluster coefficients included."""
    shard = simulation.shard
    return [
        b"".join(
            part.tobytes()
            for part in (
                shard.dataset(s).y,
                shard.dataset(s).X,
                simulation.truth[s],
                simulation.cluster_coefficients[s],
            )
        )
        for s in range(sims)
    ]


@given(st.lists(st.integers(0, 19), min_size=1, max_size=6))
@few
def test_a_sim_is_the_same_whatever_stands_beside_it(sims):
    all_sims = bits(simulate(PROCESS, 1, CELL, range(20)), 20)
    assert bits(simulate(PROCESS, 1, CELL, sims), len(sims)) == [all_sims[sim] for sim in sims]


def test_seed_cell_and_sim_each_make_other_data():
    def first(seed: int, cell: dict[str, float], sim: int) -> bytes:
        return bits(simulate(PROCESS, seed, cell, [sim]), 1)[0]

    other = {**CELL, "between_cluster_sigma": 0.25}
    assert len({first(1, CELL, 0), first(2, CELL, 0), first(1, CELL, 1), first(1, other, 0)}) == 4


def test_cell_key_is_the_sha_256_of_the_sorted_values():
    # printf '{"between_cluster_sigma": 0.25, "clusters": 10}' | sha256sum
    digest = bytes.fromhex("07f533b156661ed8e47c4f99ce21e7cc")
    key = cell_key({"clusters": 10, "between_cluster_sigma": 0.25})
    assert key == tuple(int(word) for word in np.frombuffer(digest, "<u4"))


def test_cell_key_of_text_and_lists_is_that_of_their_paths():
    # printf '{"clusters": 10, "coefficients": "0,0.5", "treatment": "within"}' | sha256sum
    digest = bytes.fromhex("d47e5e363c91336a4655ed143fb290ff")
    key = cell_key({"treatment": "within", "clusters": 10, "coefficients": [0.0, 0.5]})
    assert key == tuple(int(word) for word in np.frombuffer(digest, "<u4"))


@pytest.mark.parametrize("factor", ["clusters", "between_cluster_sigma"])
def test_levels_1_and_1_0_are_the_same_cell(factor):
    assert cell_key({factor: level(factor, 1)}) == cell_key({factor: level(factor, 1.0)})


def test_sample_moments():
    # 400 sims of 20 x 10 x 2 slopes; each bound is 5 Monte Carlo standard errors
    process = Process(20, 10, 0.5, 2, {"uniform": [-1, 3]}, 2.0)
    drawn = simulate(process, 7, CELL, range(400))
    truth, shard = drawn.truth, drawn.shard
    assert abs(truth.mean() - 1) < 5 * (4 / 12**0.5) / 1200**0.5
    # Var of the sample variance of a uniform: (mu4 - sigma^4) / n = 4^4 (1/80 - 1/144) / n
    assert abs(truth.var() - 16 / 12) < 5 * (256 * (1 / 80 - 1 / 144) / 1200) ** 0.5
    assert truth.min() >= -1 and truth.max() <= 3
    deviation = drawn.cluster_coefficients - truth[:, None]
    error = shard.y - (shard.X * np.repeat(drawn.cluster_coefficients.reshape(-1, 3), 10, 0)).sum(1)
    normal = {
        "coefficients": (deviation.reshape(-1, 3), 0.5),
        "predictors": (shard.X[:, 1:], 1.0),
        "errors": (error[:, None], 2.0),
    }
    for name, (x, sigma) in normal.items():
        count = np.sqrt(len(x))
        assert np.all(np.abs(x.mean(0)) < 5 * sigma / count), name
        assert np.all(np.abs(x.var(0) - sigma**2) < 5 * sigma**2 * np.sqrt(2) / count), name
        correlations = np.tril(np.atleast_2d(np.corrcoef(x.T)), -1)
        assert np.all(np.abs(correlations) < 5 / count), name
    assert np.all(shard.X[:, 0] == 1)
    # clusters, and rows of a cluster, are independent
    pairs = deviation[:, :-1, 0] * deviation[:, 1:, 0] / 0.25
    assert abs(pairs.mean()) < 5 / np.sqrt(pairs.size)
    rows = error.reshape(-1, 10)
    assert abs((rows[:, :-1] * rows[:, 1:]).mean() / 4) < 5 / np.sqrt(rows[:, 1:].size)


def test_residual_sigma_scales_the_errors_alone():
    none, one, four = (
        simulate(replace(PROCESS, residual_sigma=sigma), 1, CELL, range(3))
        for sigma in (0.0, 1.0, 4.0)
    )
    for other in (one, four):
        assert np.array_equal(other.shard.X, none.shard.X)
        assert np.array_equal(other.truth, none.truth)
        assert np.array_equal(other.cluster_coefficients, none.cluster_coefficients)
    error = one.shard.y - none.shard.y
    np.testing.assert_allclose(four.shard.y - none.shard.y, 4 * error, rtol=0, atol=1e-14)
    b = np.repeat(none.cluster_coefficients.reshape(-1, 3), 3, axis=0)
    np.testing.assert_allclose(none.shard.y, (none.shard.X * b).sum(1), rtol=1e-14, atol=1e-14)


def test_between_cluster_sigma_scales_the_clusters_deviations_alone():
    one, three = (
        simulate(replace(PROCESS, between_cluster_sigma=sigma), 1, CELL, [0]) for sigma in (1, 3)
    )
    assert np.array_equal(one.truth, three.truth) and np.array_equal(one.shard.X, three.shard.X)
    np.testing.assert_allclose(
        three.cluster_coefficients - three.truth,
        3 * (one.cluster_coefficients - one.truth),
        rtol=1e-13,
    )


def test_given_coefficients_are_the_truth_of_every_sim():
    drawn = simulate(replace(PROCESS, coefficients=[0.0, 2.0, -1.0]), 1, CELL, range(3))
    assert drawn.truth.tolist() == [[0.0, 2.0, -1.0]] * 3


def test_shape_and_names():
    drawn = simulate(PROCESS, 1, CELL, [5, 2])
    assert drawn.shard.n.tolist() == [[3] * 4] * 2
    assert drawn.shard.terms == ("(Intercept)", "IV1", "IV2")
    assert drawn.truth.shape == (2, 3) and drawn.cluster_coefficients.shape == (2, 4, 3)
    alone = simulate(replace(PROCESS, predictors=0), 1, CELL, [0])
    assert alone.shard.terms == ("(Intercept)",) and np.all(alone.shard.X == 1)


def test_without_options_a_dataset_is_the_plain_recipe():
    """Bit for bit: what results of earlier versions stand on."""
    drawn = simulate(PROCESS, 3, CELL, [5])
    rng = np.random.default_rng(np.random.SeedSequence(3, spawn_key=(*cell_key(CELL), 5)))
    truth = rng.uniform(0, 1, size=3)
    b = truth + 0.5 * rng.standard_normal((4, 3))
    X = np.ones((4, 3, 3))
    X[..., 1:] = rng.standard_normal((4, 3, 2))
    y = (X * b[:, None]).sum(axis=-1) + rng.standard_normal((4, 3))
    assert np.array_equal(drawn.truth[0], truth)
    assert np.array_equal(drawn.cluster_coefficients[0], b)
    assert np.array_equal(drawn.shard.X, X.reshape(12, 3))
    assert np.array_equal(drawn.shard.y, y.reshape(12))


@pytest.mark.parametrize("predictors", [0, 1, 6, 7, 8, 16, 140])
def test_terms_are_summed_as_numpy_sums_them(predictors):
    """Bit for bit, on both sides of eight terms, from which on numpy sums them by pairs."""
    process = replace(PROCESS, predictors=predictors, obs_per_cluster=50, residual_sigma=0.0)
    drawn = simulate(process, 3, CELL, range(2))
    b = np.repeat(drawn.cluster_coefficients.reshape(8, -1), 50, axis=0)
    assert np.array_equal(drawn.shard.y, (drawn.shard.X * b).sum(axis=-1))


EVERY_OPTION: dict[str, Any] = {
    "predictors": 4,
    "coefficients": {"uniform": [-1, 3]},
    "sigma_ratios": [1, 0.5, 2, 0, 1],
    "intercept_slope_correlation": -0.4,
    "predictor_correlation": 0.3,
    "predictor_icc": [0.0, 0.4, 1.0],
    "treatment": "within",
    "size_cv": 0.7,
    "informative_size": 0.5,
    "residual_distribution": "t",
    "random_distribution": "contaminated",
    "residual_variance_cv": 0.5,
    "residual_autocorrelation": 0.6,
    "endogeneity": 0.3,
    "missing_rate": 0.2,
}


FEW_TREATED: dict[str, Any] = {
    "between_cluster_sigma": None,
    "icc": 0.3,
    "slope_sd": [0.2, 0.0],
    "treatment": "between",
    "treated": 1,
    "intercept_variance_ratio": 4.0,
    "residual_variance_ratio": 0.5,
    "size_cv": 0.5,
}

ANY_PREDICTORS: dict[str, Any] = {
    "predictors": 4,
    "predictor_distribution": ["binary", "uniform", "normal", "uniform"],
    "predictor_correlation": 0.3,
    "predictor_icc": [0.1, 0.5, 0.3, 1.0],
    "size_cv": 0.5,
    "size_distribution": "pareto",
}


@pytest.mark.parametrize(
    "options",
    [{}, {"size_cv": 1.5}, {"missing_rate": 0.4}, EVERY_OPTION, FEW_TREATED, ANY_PREDICTORS],
)
@pytest.mark.parametrize("rows", [1, 30])
def test_how_many_rows_are_drawn_at_once_changes_nothing(rows, options, monkeypatch):
    process = replace(PROCESS, **options)
    together = simulate(process, 1, CELL, range(40))
    monkeypatch.setattr(drawing, "ROWS", rows)
    parted = simulate(process, 1, CELL, range(40))
    assert bits(parted, 40) == bits(together, 40)
    assert np.array_equal(parted.shard.n, together.shard.n)
    assert parted.shard.n.sum() == parted.shard.y.size == len(parted.shard.X)


def test_there_is_room_for_more_rows_than_are_expected(monkeypatch):
    monkeypatch.setattr(drawing, "ROWS", 40)
    process = replace(PROCESS, obs_per_cluster=10, size_cv=2.0)
    seed = next(seed for seed in range(100) if sizes_of(process, seed).sum() > 3 * process.rows)
    drawn = simulate(process, seed, CELL, range(2))
    alone = [bits(simulate(process, seed, CELL, [sim]), 1)[0] for sim in range(2)]
    assert bits(drawn, 2) == alone
    assert drawn.shard.X[:, 0].tolist() == [1.0] * sizes_of(process, seed).sum()


def sizes_of(process: Process, seed: int) -> np.ndarray:
    return simulate(process, seed, CELL, range(2)).shard.n


# SHA-256 of what these processes gave when sims were drawn one by one (commit 26a32fd), each with
# the decimals that all platforms agree on: all of them, where only sums, products and roots are
# taken of numpy's draws.
FORMER = [
    ({"predictors": 3}, None, "0a13c1275bb454488dfbb9395dab2ce7e9595edeae40371f8ee99e5602fb7078"),
    (
        {**EVERY_OPTION, "size_cv": 0.0, "informative_size": 0.0},
        9,
        "63610f432f316dbf1527119208625f53d257f86fe2eb9c85145d47fe18d3e5f7",
    ),
    (EVERY_OPTION, 9, "92aee8ab519c2db353a096ff6f3760496677009dde9b4475f05098008db66ffd"),
]


@pytest.mark.parametrize(("options", "decimals", "digest"), FORMER)
def test_numbers_are_those_of_sims_drawn_one_by_one(options, decimals, digest):
    drawn = simulate(replace(PROCESS, **options), 20190218, CELL, range(30))
    found = hashlib.sha256()
    for part in (drawn.shard.y, drawn.shard.X, drawn.truth, drawn.cluster_coefficients):
        exact = part if decimals is None else np.round(part, decimals) + 0.0
        found.update(exact.tobytes())
    found.update(drawn.shard.n.tobytes())
    assert found.hexdigest() == digest


# The options, each by moments that it is documented to have: means of numbers that are
# independent between clusters, so that their Monte Carlo error is known.

MANY = Process(5000, 6, 0.5, 3, [0.0, 1.0, -1.0, 2.0], 2.0)


class Drawn:
    """One dataset of `MANY` with options: parts with a row for each cluster, standardised."""

    def __init__(self, **options: Any) -> None:
        self.process = replace(MANY, **options)
        drawn = simulate(self.process, 11, {}, [0])
        shard, b = drawn.shard, drawn.cluster_coefficients[0]
        p = self.process.predictors + 1
        self.n, self.X, self.b = shard.n[0], shard.X, b
        self.deviation = (b - drawn.truth[0]) / (self.process.between_cluster_sigma or 1.0)
        self.error = (shard.y - (shard.X * np.repeat(b, self.n, 0)).sum(1)) / 2.0
        if (self.n == self.n[0]).all():
            self.error = self.error.reshape(-1, self.n[0])
            self.x = shard.X.reshape(-1, self.n[0], p)[..., 1:]


def assert_mean(values: Floats, expected: object) -> None:
    """Means over the first axis, of independent values, are within 4.5 standard errors."""
    error = values.std(axis=0, ddof=1) / np.sqrt(len(values))
    z = (values.mean(axis=0) - np.asarray(expected)) / error
    assert np.all(np.abs(z) < 4.5), z


def moments(x: Floats, y: Floats) -> Floats:
    """The products of the columns of x with those of y, row by row."""
    return x[..., :, None] * y[..., None, :]


def contaminated_cdf(x: Floats) -> Floats:
    wide = x * np.sqrt(1.8)
    return 0.9 * stats.norm.cdf(wide) + 0.1 * stats.norm.cdf(wide / 3)


DISTRIBUTIONS = {
    "normal": (stats.norm.cdf, 0.0, 3.0),
    "t": (lambda x: stats.t.cdf(x * np.sqrt(5 / 3), 5), 0.0, None),
    "skewed": (lambda x: stats.expon.cdf(x + 1), 2.0, 9.0),
    "contaminated": (contaminated_cdf, 0.0, 3.0 + 16 / 3),
}


@pytest.mark.parametrize("part", ["residual", "random"])
@pytest.mark.parametrize("name", DISTRIBUTIONS)
def test_distributions(part, name):
    cdf, skewness, kurtosis = DISTRIBUTIONS[name]
    drawn = Drawn(**{f"{part}_distribution": name})
    other = Drawn()
    x = drawn.error if part == "residual" else drawn.deviation
    assert stats.kstest(x.ravel(), cdf).pvalue > 1e-5
    assert_mean(x, 0)
    assert_mean(x**2, 1)
    # the sixth moment of t with 5 df is infinite, and so is the error of a skewness
    if kurtosis is not None:
        assert_mean((x**3).mean(1), skewness)
        assert_mean((x**4).mean(1), kurtosis)
    # independent of each other: rows of a cluster, coefficients of a cluster
    assert_mean(moments(x, x)[:, 0, 1:], 0)
    if part == "residual":
        assert np.array_equal(drawn.b, other.b)
    else:
        np.testing.assert_allclose(drawn.error, other.error, atol=1e-12)
    assert np.array_equal(drawn.X, other.X)


def test_sigma_ratios():
    drawn = Drawn(sigma_ratios=[1, 0, 0.5, 2])
    assert np.all(drawn.deviation[:, 1] == 0)
    assert_mean(drawn.deviation[:, [0, 2, 3]] ** 2, [1, 0.25, 4])


@pytest.mark.parametrize("icc", [0.02, 0.3])
def test_icc_is_the_correlation_of_rows_where_slopes_do_not_differ(icc):
    drawn = simulate(replace(MANY, between_cluster_sigma=None, icc=icc), 11, {}, [0])
    rows = (drawn.shard.y - drawn.shard.X @ drawn.truth[0]).reshape(-1, 6)
    pairs = rows[:, :, None] * rows[:, None, :]
    variance = 4.0 / (1.0 - icc)
    assert_mean(pairs[:, np.triu_indices(6, 1)[0], np.triu_indices(6, 1)[1]], icc * variance)
    assert_mean(np.diagonal(pairs, axis1=1, axis2=2), variance)


def test_slope_sd_is_that_of_the_slopes_and_icc_leaves_them_alone():
    options = {"between_cluster_sigma": None, "icc": 0.2, "predictor_icc": [0, 1]}
    within = Drawn(**options, slope_sd=[0.3, 0.7, 1.5], treatment="within")
    assert_mean(within.deviation[:, [0, 1, 3]] ** 2, [4.0 * 0.2 / 0.8, 0.09, 2.25])
    assert np.all(within.deviation[:, 2] == 0)
    one = Drawn(**options, slope_sd=0.3, treatment="between")
    assert np.all(one.deviation[:, 2:] == 0)
    # The same draws, whatever they are multiplied by.
    np.testing.assert_allclose(one.deviation[:, :2], within.deviation[:, :2], rtol=0, atol=1e-12)


@pytest.mark.parametrize("distribution", ["normal", "skewed"])
@pytest.mark.parametrize("rho", [-0.6, 0.8, 1.0])
def test_intercept_slope_correlation(rho, distribution):
    z = Drawn(intercept_slope_correlation=rho, random_distribution=distribution).deviation
    expected = np.full((4, 4), rho**2)
    expected[0] = expected[:, 0] = rho
    np.fill_diagonal(expected, 1.0)
    assert_mean(moments(z, z), expected)
    own = Drawn(random_distribution=distribution).deviation
    mixed = rho * own[:, :1] + np.sqrt(1 - rho**2) * own[:, 1:]
    np.testing.assert_allclose(z, np.column_stack([own[:, 0], mixed]), rtol=0, atol=1e-12)


@pytest.mark.parametrize("rho", [-0.45, 0.7])
def test_predictor_correlation(rho):
    drawn = Drawn(predictor_correlation=rho)
    expected = np.full((3, 3), rho)
    np.fill_diagonal(expected, 1.0)
    assert_mean(moments(drawn.x, drawn.x).mean(1), expected)
    assert_mean(moments(drawn.x[:, 0], drawn.x[:, 1]), 0)
    assert np.array_equal(drawn.b, Drawn().b)


@pytest.mark.parametrize("rho", [0.0, 0.5])
def test_predictor_icc(rho):
    share = np.array([0.0, 0.3, 1.0])
    drawn = Drawn(predictor_icc=share.tolist(), predictor_correlation=rho)
    own = np.where(np.eye(3) > 0, 1.0, rho)
    between = own * np.sqrt(np.outer(share, share))
    within = own * np.sqrt(np.outer(1 - share, 1 - share))
    assert_mean(moments(drawn.x, drawn.x).mean(1), between + within)
    assert_mean(moments(drawn.x[:, 0], drawn.x[:, 1]), between)
    assert np.all(drawn.x[..., 2] == drawn.x[:, :1, 2])
    # the slope of a predictor that is constant within clusters is the same in all of them
    assert np.all(drawn.deviation[:, 3] == 0)
    assert_mean(drawn.deviation[:, :3] ** 2, 1)
    # what varies within a cluster are the draws of predictors without an ICC, only smaller
    whole = Drawn(predictor_correlation=rho).x
    within, drawn_within = (x - x.mean(axis=1, keepdims=True) for x in (whole, drawn.x))
    np.testing.assert_allclose(drawn_within, np.sqrt(1 - share) * within, rtol=0, atol=1e-12)
    same = Drawn(predictor_icc=[0.3, 0.3, 0.3]), Drawn(predictor_icc=0.3)
    assert np.array_equal(same[0].X, same[1].X)


ONE: dict[str, Any] = {"predictors": 1, "coefficients": [0.0, 0.0]}


@pytest.mark.parametrize("share", [0.0, 0.4, 1.0])
@pytest.mark.parametrize("shape", ["uniform", "binary"])
def test_predictor_distribution(shape, share):
    drawn, plain = (
        Drawn(predictor_distribution=name, predictor_icc=share, **ONE) for name in (shape, "normal")
    )
    x = drawn.x[..., 0]
    assert_mean(x, 0)
    assert_mean(x[:-1, 0] * x[1:, 0], 0)
    if shape == "binary":
        assert {*x.reshape(-1).tolist()} == {-1.0, 1.0}
    else:
        assert stats.kstest(x[:, 0], stats.uniform(-(3**0.5), 2 * 3**0.5).cdf).pvalue > 1e-5
    # two rows of a cluster correlate by the ICC
    if share == 1:
        assert np.all(x == x[:, :1])
    else:
        assert_mean(x[:, 0] * x[:, 5], share)
    assert np.array_equal(drawn.b, plain.b)
    np.testing.assert_allclose(drawn.error, plain.error, rtol=0, atol=1e-12)


@pytest.mark.parametrize(
    ("shapes", "rho"),
    [
        (("normal", "uniform", "binary"), 0.5),
        (("normal", "uniform", "binary"), -0.3),
        (("binary", "binary", "uniform"), 0.4),
        (("uniform", "uniform", "normal"), 0.7),
    ],
)
@pytest.mark.parametrize("shares", [(0.0, 0.0, 0.0), (0.0, 0.3, 0.5), (0.2, 1.0, 1.0)])
def test_predictors_of_any_distribution_correlate_as_asked(shapes, rho, shares):
    """Exactly: as normal ones do."""
    drawn = Drawn(predictor_distribution=shapes, predictor_correlation=rho, predictor_icc=shares)
    assert drawn.process.conflict is None
    share = np.array(shares)
    between = rho * np.sqrt(np.outer(share, share))
    within = rho * np.sqrt(np.outer(1 - share, 1 - share))
    for j, k in [(0, 1), (0, 2), (1, 2)]:
        assert_mean((drawn.x[..., j] * drawn.x[..., k]).mean(1), between[j, k] + within[j, k])
        assert_mean(drawn.x[:, 0, j] * drawn.x[:, 1, k], between[j, k])
    for k in range(3):
        x = drawn.x[..., k]
        assert (shares[k] == 1) == bool(np.all(x == x[:, :1]))
        if shares[k] < 1:
            assert_mean(x[:, 0] * x[:, 1], shares[k])


def test_normals_without_correlation_are_those_of_normal_predictors():
    drawn = Drawn(predictor_distribution=["normal", "normal", "binary"], predictor_icc=0.3)
    np.testing.assert_allclose(drawn.x[..., :2], Drawn(predictor_icc=0.3).x[..., :2], atol=1e-12)


def test_treatment_of_clusters():
    process = replace(PROCESS, clusters=8, treatment="between", arms=3, predictors=3)
    process = replace(process, coefficients=[0.0, 1.0, 2.0, 3.0])
    drawn = simulate(process, 1, CELL, range(3))
    arms = drawn.shard.X.reshape(3, 8, 3, 4)[..., 2:]
    assert np.all(arms == arms[:1, :, :1])
    assert sorted(arms[0, :, 0].tolist()) == 3 * [[0, 0]] + 2 * [[0, 1]] + 3 * [[1, 0]]
    assert np.all(drawn.cluster_coefficients[..., 2:] == [2.0, 3.0])
    assert np.all(drawn.cluster_coefficients[..., :2] != [0.0, 1.0])


@pytest.mark.parametrize(
    ("options", "nearly"),
    [
        ({"size_cv": 0.3}, 3),
        ({"size_cv": 0.3, "size_distribution": "lognormal"}, 2),
        ({"missing_rate": 0.1}, 4),
        ({"missing_rate": 0.25, "missing_mechanism": "MCAR"}, 2),
        ({"size_cv": 0.3, "missing_rate": 0.1}, 5),
    ],
)
def test_hardly_a_cluster_has_fewer_than_the_least_rows(options, nearly, monkeypatch):
    monkeypatch.setattr(smallest, "RARE", 0.01)
    process = replace(PROCESS, clusters=100, obs_per_cluster=20, **options)
    n = simulate(process, 1, CELL, range(100)).shard.n
    least = smallest.least_rows(process)
    assert 1 < least < 20
    assert (n < least).mean() <= 0.01 < (n < least + nearly).mean()


def test_as_many_clusters_are_treated_as_are_asked_for():
    options = {"treatment": "between", "size_cv": 0.5}
    for treated, count in ((3, 3), (4999, 4999), (0.25, 1250), (1e-3, 5)):
        drawn = Drawn(**options, treated=treated)
        dummy = np.add.reduceat(drawn.X[:, 3], np.cumsum(drawn.n) - drawn.n)
        assert (dummy == drawn.n).sum() == count and (dummy == 0).sum() == 5000 - count
        # and nothing else is other than it would be
        half = Drawn(**options)
        assert np.array_equal(drawn.X[:, :3], half.X[:, :3]) and np.array_equal(drawn.b, half.b)


@pytest.mark.parametrize(("treated", "share"), [(1, 1 / 6), (5, 5 / 6), (1 / 3, 1 / 3)])
def test_as_many_rows_of_a_cluster_are_treated_as_are_asked_for(treated, share):
    assert np.all(Drawn(treatment="within", treated=treated).x[..., 2].sum(1) == 6 * share)
    drawn = Drawn(treatment="within", treated=treated, size_cv=0.5)
    dummy = np.add.reduceat(drawn.X[:, 3], np.cumsum(drawn.n) - drawn.n)
    assert np.all(np.abs(dummy - share * drawn.n) <= 0.5)


def test_the_treated_clusters_intercepts_have_a_variance_of_their_own():
    options = {"treatment": "between", "treated": 2000, "intercept_slope_correlation": 0.6}
    one, four = (Drawn(**options, intercept_variance_ratio=ratio) for ratio in (1.0, 4.0))
    treated = four.x[:, 0, 2] == 1
    assert treated.sum() == 2000
    assert_mean(four.deviation[treated, 0] ** 2, 4.0)
    assert_mean(four.deviation[~treated, 0] ** 2, 1.0)
    # The slopes, their correlation with the intercept, and all else are as they were.
    assert_mean(four.deviation[treated, 0] * four.deviation[treated, 1], 2 * 0.6)
    assert np.array_equal(four.b[:, 1:], one.b[:, 1:])
    assert np.array_equal(four.b[~treated], one.b[~treated])
    assert np.array_equal(four.X, one.X)
    np.testing.assert_allclose(four.error, one.error, rtol=0, atol=1e-12)


@pytest.mark.parametrize("treatment", ["between", "within"])
def test_the_treated_arm_s_errors_have_a_variance_of_their_own(treatment):
    options = {"treatment": treatment, "treated": 1 / 3, "residual_autocorrelation": 0.5}
    one, other = (Drawn(**options, residual_variance_ratio=ratio) for ratio in (1.0, 0.25))
    treated = other.x[..., 2] == 1
    # Errors of which the others are half, whatever else they have.
    expected = np.where(treated, 0.5, 1.0) * one.error
    np.testing.assert_allclose(other.error, expected, rtol=0, atol=1e-12)
    assert_mean(other.error[treated[:, 1], 1] ** 2, 0.25)
    assert_mean(other.error[~treated[:, 0], 0] ** 2, 1.0)
    assert np.array_equal(other.X, one.X) and np.array_equal(other.b, one.b)


def test_treatment_within_clusters():
    process = replace(PROCESS, obs_per_cluster=7, treatment="within", predictors=1)
    drawn = simulate(process, 1, CELL, range(3))
    arms = drawn.shard.X.reshape(3, 4, 7, 2)[..., 1]
    assert np.all(arms == [0, 1, 0, 1, 0, 1, 0])
    assert np.all(drawn.cluster_coefficients[..., 1] != drawn.truth[:, None, 1])
    uneven = simulate(replace(process, size_cv=0.8), 1, CELL, range(3)).shard
    assert len(set(uneven.n.ravel())) > 3
    starts = np.cumsum(uneven.n) - uneven.n.ravel()
    for start, size in zip(starts, uneven.n.ravel(), strict=True):
        assert uneven.X[start : start + size, 1].tolist() == [i % 2 for i in range(size)]


def sizes(normals: Floats, **options: Any) -> np.ndarray:
    process = replace(MANY, clusters=len(normals), **options)
    return cluster_sizes(process, normals[None], Streams.of(5, (), [0]))[0]


@pytest.mark.parametrize(("mean", "cv"), [(2, 0.3), (5, 0.8), (25, 0.5), (25, 2.0)])
def test_sizes(mean, cv):
    n = sizes(np.zeros(50_000), obs_per_cluster=mean, size_cv=cv).astype(float)
    assert n.min() >= 1
    assert_mean(n, mean)
    # what rounding adds to the variance is left out of it before: to about 1 % of the CV
    square, error = (n - mean) ** 2, 4.5 * stats.sem((n - mean) ** 2)
    assert abs(square.mean() - (mean * cv) ** 2) < error + 0.02 * (mean * cv) ** 2


HEAVY = ("lognormal", "pareto")


@pytest.mark.parametrize("distribution", HEAVY)
@pytest.mark.parametrize(("mean", "cv"), [(2, 0.3), (5, 0.8), (25, 0.5), (25, 2.0)])
def test_the_mean_of_heavy_tailed_sizes_is_exact(mean, cv, distribution):
    options = {"obs_per_cluster": mean, "size_cv": cv, "size_distribution": distribution}
    n = sizes(np.zeros(50_000), **options).astype(float)
    assert n.min() >= 1
    assert_mean(n, mean)


@pytest.mark.parametrize("distribution", HEAVY)
@pytest.mark.parametrize(("mean", "cv"), [(5, 0.25), (25, 0.25)])
def test_the_cv_of_heavy_tailed_sizes(mean, cv, distribution):
    options = {"obs_per_cluster": mean, "size_cv": cv, "size_distribution": distribution}
    n = sizes(np.zeros(50_000), **options).astype(float)
    square, error = (n - mean) ** 2, 4.5 * stats.sem((n - mean) ** 2)
    assert abs(square.mean() - (mean * cv) ** 2) < error + 0.02 * (mean * cv) ** 2


# Of mean 1000 and SD 700.7: Pareto's power is 1 + sqrt(1 + (1000 / 700.7)^2) = 2.74266, its least
# value 1000 x 1.74266 / 2.74266.
S = np.log(1 + 0.7007**2) ** 0.5
LARGE = {
    "gamma": stats.gamma((1000 / 700.7) ** 2, scale=700.7**2 / 1000),
    "lognormal": stats.lognorm(S, scale=1000 * np.exp(-(S**2) / 2)),
    "pareto": stats.pareto(2.74266, scale=635.39),
}


@pytest.mark.parametrize("distribution", LARGE)
def test_large_sizes_are_one_more_than_a_variate(distribution):
    options: dict[str, Any] = {"obs_per_cluster": 1001, "size_cv": 0.7}
    n = sizes(np.zeros(20_000), size_distribution=distribution, **options)
    known = LARGE[distribution]
    assert known.mean() == pytest.approx(1000, rel=1e-4)
    assert known.std() == pytest.approx(700.7, rel=1e-4)
    # the middle of each step of the rounding
    spread = n - 1 + np.random.default_rng(0).uniform(-0.5, 0.5, n.size)
    assert stats.kstest(spread, known.cdf).pvalue > 1e-5


@pytest.mark.parametrize("distribution", ["gamma", *HEAVY])
def test_the_share_of_small_clusters_is_that_of_their_distribution(distribution):
    process = replace(
        MANY, clusters=1, obs_per_cluster=9, size_cv=0.8, size_distribution=distribution
    )
    further = further_rows(process)
    score = np.array([-4.0, -2.0, -0.5, 0.3, 1.9, 4.0])
    np.testing.assert_allclose(further.at_most(further.at_score(score)), stats.norm.cdf(score))
    assert further.at_most(further.at_score(np.array([-30.0])) / 2) <= 1e-9


def test_informative_sizes():
    z = np.random.default_rng(1).standard_normal(20_000)
    options = {"obs_per_cluster": 400, "size_cv": 0.5}
    gamma = stats.gamma((399 / 200) ** 2, scale=200**2 / 399)
    for r in (-0.6, 0.0, 0.3):
        n = sizes(z, informative_size=r, **options)
        score = stats.norm.ppf(gamma.cdf(np.maximum(n - 1, 0.5)))
        assert_mean(score * z, r)
    n = sizes(z, informative_size=1.0, **options)
    assert np.all(np.diff(n[np.argsort(z)]) >= -1)


def test_a_cluster_s_size_goes_with_its_intercept():
    drawn = Drawn(size_cv=0.6, informative_size=0.7)
    z, n = drawn.deviation, drawn.n.astype(float)
    assert_mean(n, 6)
    # E[x Q(Phi(x))], Q the quantile function of 1 + gamma with mean 5 and SD 3.6; by quadrature
    x = np.linspace(-8, 8, 20_001)
    gamma = stats.gamma((5 / 3.6) ** 2, scale=3.6**2 / 5)
    slope = np.trapezoid(x * gamma.ppf(stats.norm.cdf(x)) * stats.norm.pdf(x), x)
    assert_mean(n * z[:, 0], 0.7 * slope)
    assert_mean(n[:, None] * z[:, 1:], 0)
    assert np.array_equal(drawn.b, Drawn().b)


@pytest.mark.parametrize("distribution", DISTRIBUTIONS)
@pytest.mark.parametrize(
    "options",
    [{}, {"size_distribution": "lognormal"}, {"size_distribution": "pareto", "size_cv": 0.5}],
    ids=str,
)
def test_the_average_over_persons(options, distribution):
    process = replace(
        MANY,
        **{"size_cv": 0.8, "informative_size": 0.7, "intercept_slope_correlation": 0.6, **options},
        random_distribution=distribution,
        estimand="persons",
    )
    drawn = simulate(process, 3, {}, [0])
    n, b = drawn.shard.n[0][:, None], drawn.cluster_coefficients[0]
    assert_mean(n * (b - drawn.truth[0]), 0)
    assert np.all(drawn.truth[0] - process.coefficients > 0.05)


@pytest.mark.parametrize("distribution", ["normal", "contaminated"])
def test_residual_variances(distribution):
    drawn = Drawn(residual_variance_cv=0.5, residual_distribution=distribution)
    square = drawn.error**2
    assert_mean(drawn.error, 0)
    assert_mean(square, 1)
    # errors of a cluster are independent given its variance: E v^2 = 1 + CV^2
    assert_mean(square[:, 0] * square[:, 1], 1.25)
    assert_mean(square[:-1, 0] * square[1:, 0], 1)
    assert np.array_equal(drawn.X, Drawn().X) and np.array_equal(drawn.b, Drawn().b)


def test_residual_variances_are_lognormal():
    drawn = Drawn(residual_variance_cv=1.5, clusters=300, obs_per_cluster=500)
    log = np.log((drawn.error**2).mean(1))
    # log of a mean square of 500 normals: mean -1/500, variance 2/500
    s2 = np.log(1 + 1.5**2)
    assert stats.kstest(log, stats.norm(-s2 / 2 - 1 / 500, np.sqrt(s2 + 2 / 500)).cdf)[1] > 1e-5


@pytest.mark.parametrize(("phi", "distribution"), [(0.6, "normal"), (-0.4, "normal"), (0.6, "t")])
def test_residual_autocorrelation(phi, distribution):
    drawn = Drawn(residual_autocorrelation=phi, residual_distribution=distribution)
    rows = np.arange(6)
    expected = phi ** np.abs(rows[:, None] - rows)
    assert_mean(moments(drawn.error, drawn.error), expected)
    assert_mean(drawn.error[:-1, -1] * drawn.error[1:, 0], 0)


def test_autocorrelation_starts_anew_in_every_cluster():
    options: dict[str, Any] = {"size_cv": 0.7, "clusters": 3000}
    drawn, plain = Drawn(residual_autocorrelation=0.9, **options), Drawn(**options)
    assert np.array_equal(drawn.n, plain.n)
    for start, size in zip(np.cumsum(drawn.n) - drawn.n, drawn.n, strict=True):
        e, v = (it.error[start : start + size] for it in (drawn, plain))
        assert e[0] == pytest.approx(v[0], abs=1e-12)
        np.testing.assert_allclose(e[1:], 0.9 * e[:-1] + np.sqrt(0.19) * v[1:], atol=1e-12)


@pytest.mark.parametrize("share", [0.0, 0.4, 1.0])
@pytest.mark.parametrize("distribution", ["normal", "skewed"])
def test_endogeneity(share, distribution):
    r = 0.6
    options = {"predictor_icc": share, "random_distribution": distribution}
    drawn = Drawn(endogeneity=r, predictor_correlation=0.5, **options)
    iv1 = drawn.x[..., 0]
    z0 = drawn.deviation[:, :1]
    assert_mean(iv1 * z0, r)
    assert_mean(iv1**2, 1)
    assert_mean(iv1[:, 0] * iv1[:, 1], r**2 + (1 - r**2) * share)
    assert_mean(iv1 * drawn.x[..., 1], np.sqrt(1 - r**2) * 0.5)
    assert_mean(drawn.x[:, 0, 1:] * z0, 0)
    assert np.array_equal(drawn.b, Drawn(**options).b)


@pytest.mark.parametrize("options", [{}, {"predictor_icc": 0.4, "endogeneity": 0.5}])
@pytest.mark.parametrize("rho", [0.0, -0.3, 0.6])
def test_hidden_slope(rho, options):
    s = 1.5
    plain = Drawn(predictor_correlation=rho, **options)
    drawn = Drawn(predictor_correlation=rho, hidden_slope_sd=s, **options)
    assert np.array_equal(drawn.X, plain.X) and np.array_equal(drawn.b, plain.b)
    # what the covariate adds: its slope, a standard normal, times itself
    added = (drawn.error - plain.error) * 2.0 / s
    assert_mean(added, 0)
    assert_mean(added**2, 1)
    assert_mean(added[:, 0] * added[:, 1], 0)
    # E z^4 E h_1^2 h_2^2, the second 1 as the covariate has no ICC
    assert_mean(added[:, 0] ** 2 * added[:, 1] ** 2, 3)
    assert_mean(added[:-1, 0] ** 2 * added[1:, 0] ** 2, 1)
    assert_mean(added[:, :, None] * drawn.x, np.zeros((6, 3)))
    # Given X, rows covary by what X tells of the covariate. IV2 has the within part
    # sqrt(1 - ICC) w, and E[h w] = rho: E[h_1 h_2 x_1 x_2] = (1 - ICC) rho^2.
    covary = added[:, 0] * added[:, 1] * drawn.x[:, 0, 1] * drawn.x[:, 1, 1]
    assert_mean(covary, (1 - options.get("predictor_icc", 0.0)) * rho**2)
    assert_mean(added * plain.error, 0)


@pytest.mark.parametrize("rate", [0.1, 0.5])
def test_missing_rows(rate):
    options: dict[str, Any] = {"obs_per_cluster": 20, "clusters": 2000}
    whole, drawn = Drawn(**options), Drawn(missing_rate=rate, **options)
    lost = ~np.isin(whole.X[:, 1], drawn.X[:, 1])
    assert np.array_equal(whole.X[~lost], drawn.X)
    np.testing.assert_allclose(whole.error.reshape(-1)[~lost], drawn.error, atol=1e-12)
    assert np.array_equal(lost.reshape(2000, 20).sum(1), 20 - drawn.n)
    gone, x = lost.reshape(2000, 20), whole.x[..., 0]
    assert_mean(gone, rate)
    probability = 2 * rate * stats.norm.cdf(x)
    assert_mean(gone - probability, 0)
    assert_mean((gone - probability) * x, 0)
    assert_mean((gone - probability) * x**2, 0)
    assert_mean((gone - probability) * whole.x[..., 1], 0)
    assert_mean((gone - probability) * whole.error, 0)
    assert_mean(gone[:, 0] * (gone[:, 1] - rate), 0)


@pytest.mark.parametrize("rate", [0.1, 0.5])
def test_rows_missing_completely_at_random(rate):
    options: dict[str, Any] = {"obs_per_cluster": 20, "clusters": 2000}
    whole = Drawn(**options)
    drawn = Drawn(missing_rate=rate, missing_mechanism="MCAR", **options)
    gone = ~np.isin(whole.X[:, 1], drawn.X[:, 1]).reshape(2000, 20)
    assert np.array_equal(whole.X[~gone.reshape(-1)], drawn.X)
    assert_mean(gone, rate)
    for unrelated in (whole.x[..., 0], whole.x[..., 0] ** 2, whole.error, whole.deviation[:, :1]):
        assert_mean((gone - rate) * unrelated, 0)
    # binomial in each cluster, and independent between clusters
    assert_mean((gone.sum(1) - 20 * rate) ** 2, 20 * rate * (1 - rate))
    assert_mean((gone[:-1, 0] - rate) * (gone[1:, 0] - rate), 0)


def test_a_cluster_keeps_a_row_of_those_missing_completely_at_random():
    drawn = Drawn(missing_rate=0.5, missing_mechanism="MCAR", obs_per_cluster=2)
    assert drawn.n.min() == 1
    assert_mean(drawn.n - 1.0, 0.25)


def test_missing_rows_by_arm():
    drawn = Drawn(
        missing_rate=0.3,
        treatment="between",
        predictors=1,
        coefficients=[0, 0],
        obs_per_cluster=30,
    )
    lost = 1 - drawn.n / 30
    assert_mean(lost[0::2], 0.6 * stats.norm.cdf(-1))
    assert_mean(lost[1::2], 0.6 * stats.norm.cdf(1))


def test_a_cluster_keeps_the_row_that_was_furthest_from_missing():
    drawn = Drawn(missing_rate=0.5, obs_per_cluster=2, coefficients=[0.0] * 4)
    whole = Drawn(obs_per_cluster=2, coefficients=[0.0] * 4)
    assert drawn.n.min() == 1
    # both kept: (1 - Phi)(1 - Phi), uniform each; else one is
    assert_mean(drawn.n - 1.0, 0.25)
    assert Drawn(missing_rate=0.5, obs_per_cluster=1).n.tolist() == [1] * 5000
    one = drawn.n == 1
    kept = drawn.X[np.cumsum(drawn.n)[one] - 1, 1]
    pair = whole.x[one, :, 0]
    assert np.all((kept == pair[:, 0]) | (kept == pair[:, 1]))
    # the smaller IV1 is the less likely to be missing
    assert (kept == pair.min(1)).mean() > 0.7


@st.composite
def processes(draw: st.DrawFn) -> Process:
    """Any options that go together."""
    unit, rate = st.floats(-1, 1), st.floats(0, 0.5)
    inside, distribution = st.floats(-0.99, 0.99), st.sampled_from([*DISTRIBUTIONS])
    predictors = draw(st.integers(1, 4))
    treatment = draw(st.sampled_from(["none", "between", "within"]))
    arms = draw(st.integers(2, 3))
    sds, ratio = st.floats(0, 2), st.floats(0.1, 10)
    own: dict[str, Any] = {"treated": st.just(1) | st.floats(0.4, 0.6)}
    own["residual_variance_ratio"] = ratio
    if treatment == "between":
        own["intercept_variance_ratio"] = ratio
    by_sigma = {
        "between_cluster_sigma": sds,
        "sigma_ratios": st.none() | st.lists(sds, min_size=predictors + 1, max_size=predictors + 1),
    }
    by_icc = {
        "between_cluster_sigma": st.none(),
        "icc": st.floats(0, 0.9),
        "slope_sd": st.none() | sds | st.lists(sds, min_size=predictors, max_size=predictors),
    }
    spread = draw(st.fixed_dictionaries(by_sigma) | st.fixed_dictionaries(by_icc))
    arms_apart = st.fixed_dictionaries({}, optional=own)
    process = Process(
        clusters=draw(st.integers(1, 6)),
        obs_per_cluster=draw(st.integers(1, 6)),
        **spread,
        predictors=predictors,
        coefficients={"uniform": [0, 1]},
        residual_sigma=draw(st.floats(0.1, 2)),
        intercept_slope_correlation=draw(unit),
        predictor_correlation=draw(inside),
        predictor_icc=draw(st.sampled_from([0.0, 0.4, 1.0])),
        treatment=treatment,
        arms=arms,
        **draw(arms_apart) if arms == 2 and treatment != "none" else {},
        size_cv=draw(st.floats(0.1, 1.5)),
        size_distribution=draw(st.sampled_from(["gamma", "lognormal", "pareto"])),
        informative_size=draw(unit),
        residual_distribution=draw(distribution),
        random_distribution=draw(distribution),
        residual_variance_cv=draw(st.floats(0, 2)),
        residual_autocorrelation=draw(inside),
        endogeneity=draw(inside),
        missing_rate=draw(rate),
        missing_mechanism=draw(st.sampled_from(["MAR", "MCAR"])),
        hidden_slope_sd=draw(st.floats(0, 2)),
        estimand=draw(st.sampled_from(["clusters", "persons"])),
    )
    assume(process.conflict is None)
    return process


@given(processes(), st.permutations(range(5)))
@few
def test_with_any_options_a_sim_is_the_same_whatever_stands_beside_it(process, order):
    together = simulate(process, 1, CELL, range(5))
    all_sims = bits(together, 5)
    assert bits(simulate(process, 1, CELL, order), 5) == [all_sims[sim] for sim in order]
    assert bits(simulate(process, 1, CELL, [4]), 1) == all_sims[4:]
    shard = together.shard
    assert shard.n.min() >= 1 and shard.n_obs.sum() == len(shard.y)
    assert shard.finite.all()
    assert np.all(shard.X[:, 0] == 1)
    # and it comes back from its table, whatever the sizes of its clusters
    again, sims = shard_from_datasets(datasets_table(shard, range(5)))
    assert sims == [*range(5)] and again.terms == shard.terms
    assert np.array_equal(again.n, shard.n)
    assert np.array_equal(again.y, shard.y) and np.array_equal(again.X, shard.X)


def test_what_resamples_has_a_stream_of_its_own_in_every_dataset():
    cell = {"clusters": 4, "obs_per_cluster": 5, "between_cluster_sigma": 1.0}
    process = Process(**cell, predictors=1, coefficients=[0.0, 0.0], residual_sigma=1.0)

    def numbers(process=process, seed=2, cell=cell, sims=(3,)):
        shard = simulate(process, seed, cell, sims).shard
        return shard.generator(len(sims) - 1).random(4).tolist()

    expected = numbers()
    assert numbers(sims=range(4)) == expected, "whatever stands beside it"
    other = replace(process, coefficients=[3.0, 1.0], residual_sigma=2.0, size_cv=0.5)
    assert numbers(other) == expected, "they do not depend on the data"
    different = [numbers(seed=3), numbers(sims=(4,)), numbers(cell={**cell, "clusters": 6})]
    streams_of_it = Streams.of(2, cell_key(cell), [3])
    assert streams_of_it(Stream.RESAMPLING).random(4).tolist() == expected
    others = [stream for stream in Stream if stream is not Stream.RESAMPLING]
    different += [streams_of_it(stream).random(4).tolist() for stream in others]
    assert len({tuple(numbers) for numbers in [expected, *different]}) == 1 + len(different)
