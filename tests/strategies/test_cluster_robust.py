from __future__ import annotations

import itertools

import numpy as np
import pandas as pd
import pytest
import scipy.stats
from hypothesis import given

from clustrategy.core.errors import ConfigError
from clustrategy.core.inference import t_inference
from clustrategy.core.shard import INTERCEPT, Shard
from clustrategy.design.from_table import design_from_table
from clustrategy.engines.chosen import Strategy
from tests.material import (
    GOLDEN,
    few,
    fit,
    fitted,
    golden,
    join,
    orthodont,
    random_shard,
    same_bits,
    shards,
    sleepstudy,
)

VARIANCES = ("CR0", "CR1", "CR1S", "CR2", "CR3", "CV3", "pymer4")
DFS = ("G-1", "G-p", "N-p", "satterthwaite", "normal")


def petersen(cluster: str) -> Shard:
    """The test data of Petersen (2009), 500 firms by 10 years, as statsmodels ships them."""
    import importlib.resources

    file = importlib.resources.files("statsmodels") / "stats" / "tests" / "test_data.txt"
    data = pd.read_csv(str(file), sep=r"\s+", header=None, names=["firm", "year", "x", "y"])
    return design_from_table(data, "y ~ x", cluster).shard


# --- clubSandwich -------------------------------------------------------------------------


CLUBSANDWICH = [
    (name, variance)
    for name, variance in itertools.product(GOLDEN, ("CR0", "CR1", "CR1S", "CR2", "CR3"))
    if GOLDEN[name]["robust"][variance] is not None  # CR3 needs every other cluster's fit
]


@pytest.mark.parametrize(("name", "variance"), CLUBSANDWICH)
def test_cluster_robust_is_clubsandwich(name, variance):
    expected = GOLDEN[name]["robust"][variance]
    shard = golden(name)
    found = fit(shard, "cluster_robust", variance=variance, df="satterthwaite")
    np.testing.assert_allclose(found.std_error[0], expected["std_error"], rtol=1e-11)
    np.testing.assert_allclose(found.df[0], expected["df"], rtol=1e-10)
    p = t_inference(found.estimate, found.std_error, found.df).p_value
    np.testing.assert_allclose(p[0], expected["p"], rtol=1e-8)
    plain = fit(shard, "cluster_robust", variance=variance)
    np.testing.assert_array_equal(plain.std_error, found.std_error)
    p = t_inference(plain.estimate, plain.std_error, plain.df).p_value
    np.testing.assert_allclose(p[0], expected["p_t"], rtol=1e-8)


@pytest.mark.parametrize("name", GOLDEN)
def test_pymer4_is_cr1_times_n_over_n_less_p(name):
    shard = golden(name)
    expected = GOLDEN[name]["robust"]["CR1"]["std_error"]
    (N,), p = shard.n_obs, shard.p
    found = fit(shard, "cluster_robust", variance="pymer4", df="G-p")
    np.testing.assert_allclose(
        found.std_error[0], np.sqrt(N / (N - p)) * np.array(expected), rtol=1e-11
    )
    assert set(found.df[0]) == {shard.clusters - p}


@pytest.mark.parametrize("variance", VARIANCES)
def test_degrees_of_freedom_by_name(variance):
    shard = random_shard(3, sims=2, clusters=7, p=3, rows=(4, 9))
    for df in ("G-1", "G-p", "N-p", "normal"):
        found = fit(shard, "cluster_robust", variance=variance, df=df).df
        for sim, rows in enumerate(shard.n.sum(axis=1)):
            expected = {"G-1": 6, "G-p": 4, "N-p": rows - 3, "normal": np.inf}[df]
            assert list(found[sim]) == [expected] * 3


# --- by hand ------------------------------------------------------------------------------


def test_mean_of_clustered_numbers_by_hand():
    # mean 5; the clusters' residual sums are 1 + (-3) = -2, 3, -1
    y = np.array([6.0, 2.0, 8.0, 4.0])
    shard = Shard(y, np.ones((4, 1)), np.array([[2, 1, 1]]), (INTERCEPT,))
    cr0 = (4 + 9 + 1) / 16
    factor = {
        "CR0": 1,
        "CR1": 3 / 2,
        "CR1S": 3 / 2 * 3 / 3,
        "pymer4": 3 / 2 * 4 / 3,
    }
    for variance, f in factor.items():
        found = fit(shard, "cluster_robust", variance=variance)
        np.testing.assert_allclose(found.std_error[0, 0] ** 2, f * cr0, rtol=1e-14)
    # the mean without each cluster: 6, 4, 16 / 3
    jackknife = 2 / 3 * (1 + 1 + 1 / 9)
    found = fit(shard, "cluster_robust", variance="CV3")
    np.testing.assert_allclose(found.std_error[0, 0] ** 2, jackknife, rtol=1e-13)


@pytest.mark.parametrize("rows", [6, (4, 9)])
def test_cv3_leaves_out_each_cluster_in_turn(rows):
    shard = random_shard(11, sims=1, clusters=8, p=3, rows=rows)
    codes = shard.cluster_codes(0)
    whole = np.linalg.lstsq(shard.X, shard.y)[0]
    without = [np.linalg.lstsq(shard.X[codes != g], shard.y[codes != g])[0] for g in range(8)]
    jackknife = np.sqrt(7 / 8 * ((np.array(without) - whole) ** 2).sum(axis=0))
    cv3 = fit(shard, "cluster_robust", variance="CV3", df="satterthwaite")
    cr3 = fit(shard, "cluster_robust", variance="CR3", df="satterthwaite")
    np.testing.assert_allclose(cv3.std_error[0], jackknife, rtol=1e-11)
    np.testing.assert_allclose(cr3.std_error[0], np.sqrt(8 / 7) * jackknife, rtol=1e-11)
    np.testing.assert_array_equal(cv3.df, cr3.df)


def left_out(shard: Shard) -> np.ndarray:
    """Hansen's jackknife by brute force: (G, p) changes of the coefficients of one dataset."""
    codes = shard.cluster_codes(0)
    whole = np.linalg.lstsq(shard.X, shard.y)[0]
    kept = [codes != g for g in range(shard.clusters)]
    return np.array([np.linalg.pinv(shard.X[k]) @ shard.y[k] - whole for k in kept])


def one_of_its_own(seed: int, clusters: int, rows: int | tuple[int, int]) -> Shard:
    """Datasets of which one cluster alone is treated and another has a measure of its own."""
    shard = random_shard(seed, sims=1, clusters=clusters, p=4, rows=rows)
    codes, X = shard.cluster_codes(0), shard.X.copy()
    X[:, 2] = codes == 2
    X[codes != 5, 3] = 0.0
    return Shard(shard.y + X @ [1.0, -2.0, 3.0, 0.5], X, shard.n, shard.terms)


@pytest.mark.parametrize("rows", [6, (4, 9)])
def test_the_jackknife_is_cr3_where_every_cluster_can_be_left_out(rows):
    shard = random_shard(12, sims=3, clusters=8, p=3, rows=rows)
    found, cr3 = (fit(shard, "cluster_robust", variance=v) for v in ("jackknife", "CR3"))
    assert same_bits(found, cr3)
    for sim in range(3):
        squares = (left_out(shard.dataset(sim)) ** 2).sum(axis=0)
        np.testing.assert_allclose(found.std_error[sim], np.sqrt(squares), rtol=1e-10)


@pytest.mark.parametrize("rows", [6, (4, 9)])
def test_the_jackknife_leaves_out_what_one_cluster_alone_tells_of(rows):
    """There the standard error is no less than the coefficient; that of CR3 is."""
    shard = one_of_its_own(13, 8, rows)
    found = fit(shard, "cluster_robust", variance="jackknife")
    changes = left_out(shard)
    np.testing.assert_allclose(found.std_error[0], np.sqrt((changes**2).sum(axis=0)), rtol=1e-9)
    assert found.status[0] == "ok" and np.isfinite(found.std_error).all()
    assert np.abs(changes[2, 2]) == pytest.approx(abs(found.estimate[0, 2]), rel=1e-9)
    cr3 = fit(shard, "cluster_robust", variance="CR3")
    assert cr3.std_error[0, 2] < abs(found.estimate[0, 2]) < found.std_error[0, 2]


def test_the_only_treated_cluster_of_the_jackknife_by_hand():
    # means 1, 3 and 8: the effect is 6 and its changes are -6, -1 and 1; the intercept's 0, -1, 1
    y, X = np.array([8.0, 1.0, 3.0]), np.array([[1.0, 1.0], [1.0, 0.0], [1.0, 0.0]])
    shard = Shard(np.repeat(y, 2), np.repeat(X, 2, axis=0), np.full((1, 3), 2), (INTERCEPT, "x"))
    found = fit(shard, "cluster_robust", variance="jackknife")
    np.testing.assert_allclose(found.std_error[0] ** 2, [2.0, 38.0], rtol=1e-12)
    assert found.df[0].tolist() == [2.0, 2.0]


def test_the_jackknife_has_no_df_of_satterthwaite():
    entry = {"strategy": "cluster_robust", "variance": "jackknife", "df": "satterthwaite"}
    with pytest.raises(ConfigError, match="the jackknife has no df: satterthwaite; .* CR3"):
        Strategy.parse(entry)


def test_groups_of_one_coefficient_are_tested_by_the_jackknife_as_by_itself():
    shard = one_of_its_own(14, 9, 5)
    found = fit(shard, "cluster_robust", variance="jackknife")
    joint = Strategy.parse({"strategy": "cluster_robust", "variance": "jackknife"})
    tests = joint.joint_tests(shard, [np.array([k]) for k in range(4)])
    ratio = found.estimate[0] / found.std_error[0]
    np.testing.assert_allclose(tests.statistic[0], ratio**2, rtol=1e-9)


@pytest.mark.parametrize(("arms", "rows"), [(3, 4), (5, 1), (10, 7)])
def test_two_arms_of_whole_clusters_are_a_t_test_of_the_cluster_means(arms, rows):
    """CR2 with Satterthwaite's df is exact there; the factors of the others are known."""
    rng = np.random.default_rng(arms)
    treated = np.repeat(np.arange(2 * arms) % 2, rows).astype(float)
    y = rng.standard_normal(2 * arms * rows) + np.repeat(rng.standard_normal(2 * arms), rows)
    X = np.column_stack([np.ones_like(y), treated])
    shard = Shard(y, X, np.full((1, 2 * arms), rows), (INTERCEPT, "x"))
    means = y.reshape(-1, rows).mean(axis=1)
    test = scipy.stats.ttest_ind(means[1::2], means[::2])
    unbiased = (test.confidence_interval().high - test.confidence_interval().low) / 2
    unbiased /= scipy.stats.t.ppf(0.975, 2 * arms - 2)
    a, G = arms, 2 * arms
    scale = {
        "CR0": (a - 1) / a,
        "CR1": G / (G - 1) * (a - 1) / a,
        "CR2": 1,
        "CR3": a / (a - 1),
        "CV3": (G - 1) / G * a / (a - 1),
    }
    for variance, s in scale.items():
        found = fit(shard, "cluster_robust", variance=variance, df="satterthwaite")
        np.testing.assert_allclose(found.std_error[0, 1], np.sqrt(s) * unbiased, rtol=1e-11)
        np.testing.assert_allclose(found.df[0, 1], 2 * (arms - 1), rtol=1e-11)


# --- numbers of other people --------------------------------------------------------------

# R 4.2: lm and clubSandwich; CV3 by leaving out each cluster. SE, then Satterthwaite's df.
REAL = {
    "sleepstudy": {
        "CR0": ([6.63227680702453, 1.50223678231343], [17, 17]),
        "CR1": ([6.82455653206909, 1.54578889629473], [17, 17]),
        "CR1S": ([6.84369978575133, 1.55012491854642], [17, 17]),
        "CR2": ([6.82455653206907, 1.54578889629472], [17, 17]),
        "CR3": ([7.02241073684947, 1.59060365186128], [17, 17]),
        "CV3": ([6.82455653206911, 1.54578889629473], [17, 17]),
        "ols": ([6.61015404428758, 1.23819529804982], [178, 178]),
    },
    "sleepstudy-unbalanced": {
        "CR0": ([6.95505223227631, 1.57421934376281], [15.8355383014778, 16.0119218790607]),
        "CR1": ([7.15668970456586, 1.61985834095576], [15.8355383014778, 16.0119218790607]),
        "CR1S": ([7.18132554232638, 1.62543446189019], [15.8355383014778, 16.0119218790607]),
        "CR2": ([7.17324055940039, 1.62639014989249], [15.7832818757747, 15.9487083390055]),
        "CR3": ([7.39866633768433, 1.68035652158132], [15.7298003107125, 15.8839120806875]),
        "CV3": ([7.19021125017491, 1.63301300725504], [15.7298003107125, 15.8839120806875]),
        "ols": ([7.33777631339464, 1.36547668323931], [145, 145]),
    },
    "orthodont": {
        "CR0": (
            [1.17148092332352, 0.0983475531517574, 1.37778505976658, 0.116867301798753],
            [15, 15, 21.8756250178576, 21.8756250178576],
        ),
        "CR1S": (
            [1.21089266406529, 0.101656226976686, 1.42413742154419, 0.120799029330957],
            [15, 15, 21.8756250178576, 21.8756250178576],
        ),
        "CR2": (
            [1.20990029504845, 0.101572916132533, 1.42911694863784, 0.121249143552969],
            [15, 15, 21.6534653465346, 21.6534653465346],
        ),
        "CR3": (
            [1.24957965154511, 0.104904056695209, 1.48250379000313, 0.125807743735585],
            [15, 15, 21.4285714285714, 21.4285714285714],
        ),
        "CV3": (
            [1.22622096287504, 0.102943060293305, 1.4547909951925, 0.123455989756103],
            [15, 15, 21.4285714285714, 21.4285714285714],
        ),
        "ols": (
            [1.4162241885077, 0.126167278482328, 2.21879688338862, 0.19766613686862],
            [104] * 4,
        ),
    },
    "petersen firm": {
        "CR0": ([0.0669389612153517, 0.0505400490605134], [498.671618279608, 310.053392730898]),
        "CR1S": ([0.0670127036987728, 0.0505957258840297], [498.671618279608, 310.053392730898]),
        "CR2": ([0.0670409371731422, 0.0506777667403127], [498.669996884542, 308.75638131895]),
        "CR3": ([0.0671431477798571, 0.0508159663101462], [498.666108985803, 307.452928739749]),
        "CV3": ([0.0670759710268886, 0.0507651249104109], [498.666108985803, 307.452928739749]),
        "ols": ([0.0283593162656653, 0.0285832877912833], [4998, 4998]),
    },
    "petersen year": {
        "CR0": ([0.0221843724906563, 0.0316723361514065], [8.99999395607014, 8.99142773238395]),
        "CR1S": ([0.0233867211009489, 0.0333889134119265], [8.99999395607014, 8.99142773238395]),
        "CR2": ([0.0233928142172267, 0.0333960820160147], [9.00000665230778, 8.98943607815992]),
        "CR3": ([0.0246676350036587, 0.035214204719004], [9.00004613818925, 8.98726180562416]),
        "CV3": ([0.0234017733303772, 0.0334071278710511], [9.00004613818925, 8.98726180562416]),
    },
}
COEFFICIENTS = {
    "sleepstudy": [251.405104848485, 10.467285959596],
    "sleepstudy-unbalanced": [250.890013120373, 10.1384288925114],
    "orthodont": [16.340625, 0.784374999999998, 1.03210227272724, -0.304829545454543],
    "petersen firm": [0.0296797207345178, 1.0348334394617],
    "petersen year": [0.0296797207345178, 1.0348334394617],
}


@pytest.mark.parametrize(("name", "variance"), [(n, v) for n in REAL for v in REAL[n]])
def test_real_data(name, variance):
    std_error, df = REAL[name][variance]
    shard = petersen(name.split()[1]) if name.startswith("petersen") else golden(name)
    if variance == "ols":
        found = fit(shard, "ols")
    else:
        found = fit(shard, "cluster_robust", variance=variance, df="satterthwaite")
    # statsmodels' copy of the panel has 7 digits, R's had more
    rtol, atol = (1e-7, 2e-9) if name.startswith("petersen") else (1e-11, 0)
    np.testing.assert_allclose(found.estimate[0], COEFFICIENTS[name], rtol=rtol, atol=atol)
    np.testing.assert_allclose(found.std_error[0], std_error, rtol=rtol)
    np.testing.assert_allclose(found.df[0], df, rtol=max(rtol, 1e-10))


@pytest.mark.parametrize(("cluster", "published"), [("firm", "0.0506"), ("year", "0.0334")])
def test_petersens_published_standard_errors(cluster, published):
    assert f"{fit(petersen(cluster), 'cluster_robust').std_error[0, 1]:.4f}" == published
    intercept = {"firm": "0.0670", "year": "0.0234"}[cluster]
    assert f"{fit(petersen(cluster), 'cluster_robust').std_error[0, 0]:.4f}" == intercept


def test_balanced_data_with_the_same_predictor_in_every_cluster():
    """Two-stage, CR1, CR2, the jackknife and the maximal mixed model are then one thing."""
    for data, formula, cluster, slope, std_error, df in (
        (sleepstudy(), "Reaction ~ Days", "Subject", 10.467285959596, 1.54578889629473, 17),
        (orthodont(), "distance ~ age", "Subject", 0.660185185185185, 0.0712532707708714, 26),
    ):
        shard = design_from_table(data, formula, cluster).shard
        one = [
            fit(shard, "two_stage"),
            *(fit(shard, "cluster_robust", variance=v) for v in ("CR1", "CR2", "CV3")),
        ]
        for found in one:
            np.testing.assert_allclose(found.estimate[0, 1], slope, rtol=1e-12)
            np.testing.assert_allclose(found.std_error[0, 1], std_error, rtol=1e-12)
            assert found.df[0, 1] == df
        maximal = fit(shard, "mixed_maximal")
        np.testing.assert_allclose(maximal.estimate[0, 1], slope, rtol=1e-9)
        np.testing.assert_allclose(maximal.std_error[0, 1], std_error, rtol=1e-6)
        np.testing.assert_allclose(maximal.df[0, 1], df, rtol=1e-5)


# --- properties ---------------------------------------------------------------------------

ENTRIES = [
    ("ols", {}),
    *(("cluster_robust", {"variance": v, "df": "satterthwaite"}) for v in VARIANCES),
]


def every_fit(shard: Shard):
    return [(name, options, fitted(shard, name, **options)) for name, options in ENTRIES]


def close(found, expected, scale=1.0, columns=slice(None)):
    for column, s in (("estimate", scale), ("std_error", abs(scale)), ("df", 1.0)):
        wanted = s * getattr(expected, column)[:, columns]
        size = np.abs(wanted).max(initial=1e-300)
        np.testing.assert_allclose(
            getattr(found, column)[:, columns], wanted, rtol=1e-9, atol=1e-9 * size
        )


@given(shards())
@few
def test_order_of_rows_and_of_clusters_does_not_matter(shard):
    rng = np.random.default_rng(0)
    order, sizes, start = [], [], 0
    for n in shard.n:
        blocks = np.split(np.arange(start, start + n.sum()), np.cumsum(n)[:-1])
        places = rng.permutation(len(n))
        order += [rng.permutation(blocks[g]) for g in places]
        sizes.append(n[places])
        start += n.sum()
    rows = np.concatenate(order)
    other = Shard(shard.y[rows], shard.X[rows], np.array(sizes), shard.terms)
    for (*_, one), (*_, two) in zip(every_fit(shard), every_fit(other), strict=True):
        close(two, one)


@given(shards())
@few
def test_scaling_y_scales_estimates_and_standard_errors(shard):
    scaled = Shard(-1000.0 * shard.y, shard.X, shard.n, shard.terms)
    for (*_, one), (*_, two) in zip(every_fit(shard), every_fit(scaled), strict=True):
        close(two, one, scale=-1000.0)


@given(shards())
@few
def test_shifting_predictors_changes_the_intercept_alone(shard):
    X = shard.X.copy()
    X[:, 1:] += 5.0
    moved = Shard(shard.y, X, shard.n, shard.terms)
    for (*_, one), (*_, two) in zip(every_fit(shard), every_fit(moved), strict=True):
        close(two, one, columns=slice(1, None))
        np.testing.assert_allclose(
            two.estimate[:, 0],
            one.estimate[:, 0] - 5.0 * one.estimate[:, 1:].sum(axis=1),
            atol=1e-8,
        )


# --- what cannot be fitted ----------------------------------------------------------------


def numpy_fits():
    return [
        ("ols", {}),
        *(("cluster_robust", dict(variance=v, df=d)) for v, d in itertools.product(VARIANCES, DFS)),
    ]


@pytest.mark.parametrize(("name", "options"), numpy_fits())
def test_dependent_predictors_are_undefined_and_harm_no_neighbour(name, options):
    parts = [random_shard(seed, 1, 5, 3, 6) for seed in range(3)]
    parts[1].X[:, 2] = 2.0 - 3.0 * parts[1].X[:, 1]
    found = fit(join(*parts), name, **options)
    assert list(found.status) == ["ok", "undefined", "ok"]
    assert found.message[1] == "the predictors are linearly dependent"
    assert np.isnan([found.estimate[1], found.std_error[1], found.df[1]]).all()
    for place in (0, 2):
        alone = fit(parts[place], name, **options)
        for column in ("estimate", "std_error", "df"):
            assert np.array_equal(getattr(found, column)[place], getattr(alone, column)[0])


def test_as_many_rows_as_coefficients():
    shard = random_shard(1, 2, 3, 3, 1)
    found = fit(shard, "ols")
    assert list(found.status) == ["undefined"] * 2
    assert set(found.message) == {"no residual degrees of freedom: N - p is not positive"}
    for variance in VARIANCES:
        other = fit(shard, "cluster_robust", variance=variance)
        assert [*other.status, *other.message] == [*found.status, *found.message]
    other = fit(shard, "wild_cluster_bootstrap")
    assert [*other.status, *other.message] == [*found.status, *found.message]


def test_fewer_rows_than_coefficients():
    shard = random_shard(1, 1, 2, 3, 1)
    for name in ("ols", "cluster_robust"):
        found = fit(shard, name)
        assert (found.status[0], found.message[0]) == ("undefined", "2 rows, 3 coefficients")


@pytest.mark.parametrize("variance", VARIANCES)
@pytest.mark.parametrize("df", ["N-p", "normal", "G-1"])
def test_one_cluster_is_undefined(variance, df):
    found = fit(random_shard(1, 2, 1, 2, 8), "cluster_robust", variance=variance, df=df)
    assert list(found.status) == ["undefined"] * 2
    assert set(found.message) == {"one cluster: a cluster-robust variance needs two"}
    assert np.isnan(found.std_error).all()


def test_no_more_clusters_than_coefficients_leave_no_g_less_p():
    found = fit(random_shard(1, 1, 3, 3, 8), "cluster_robust", df="G-p")
    assert found.status[0] == "undefined" and "G-p" in found.message[0]


@given(shards())
@few
def test_a_shard_gives_the_bits_of_its_datasets(shard):
    for name, options, together in every_fit(shard):
        for sim in range(shard.sims):
            alone = fit(shard.dataset(sim), name, **options)
            for column in ("estimate", "std_error", "df", "sigma"):
                assert np.array_equal(
                    getattr(together, column)[sim], getattr(alone, column)[0], equal_nan=True
                ), (name, options, column)
        assert same_bits(together, fit(shard, name, **options))


# --- standard errors of zero ----------------------------------------------------------------

ROBUST = [
    ("cluster_robust", {}),
    ("cluster_robust", {"variance": "CR2", "df": "satterthwaite"}),
    ("gee", {}),
    ("gee", {"variance": "mancl_derouen", "df": "G-1"}),
    ("wild_cluster_bootstrap", {}),
]


def arms(*clusters: int, rows: int = 6) -> Shard:
    """Clusters of these arms: the intercept, a dummy for each arm but 0, and a predictor."""
    rng = np.random.default_rng(3)
    arm = np.repeat(clusters, rows)
    dummies = [arm == k for k in range(1, max(clusters) + 1)]
    columns = [np.ones(arm.size), *dummies, rng.standard_normal(arm.size)]
    terms = (INTERCEPT, *(f"IV{k}" for k in range(1, len(columns))))
    n = np.full((1, len(clusters)), rows)
    y = rng.standard_normal(arm.size) + np.repeat(rng.standard_normal(len(clusters)), rows)
    return Shard(y, np.column_stack(columns).astype(float), n, terms)


@pytest.mark.parametrize(("name", "entry"), ROBUST)
def test_as_many_arms_as_clusters_leave_nothing_to_test_by(name: str, entry: dict) -> None:
    shard = arms(0, 1, 2)
    found = fit(Shard(shard.y, shard.X[:, :3].copy(), shard.n, shard.terms[:3]), name, **entry)
    assert (found.status[0], found.message[0]) == (
        "undefined",
        "a standard error is zero",
    )
    assert np.isnan(found.std_error).all()


@pytest.mark.parametrize(("name", "entry"), ROBUST)
def test_a_coefficient_whose_standard_error_is_zero_keeps_its_estimate_alone(
    name: str, entry: dict
) -> None:
    """The intercept is the mean of the one cluster of arm 0, whose residuals sum to zero."""
    shard = arms(0, 1, 1, 1, 1)
    shard = Shard(shard.y, shard.X[:, :2].copy(), shard.n, shard.terms[:2])
    found = fit(shard, name, **entry)
    assert found.status[0] == "ok"
    assert found.message[0] == "a standard error is zero, and left out: (Intercept)"
    np.testing.assert_allclose(found.estimate[0, 0], shard.y[:6].mean(), rtol=1e-10)
    assert np.isnan([found.std_error[0, 0], found.df[0, 0], found.p_value[0, 0]]).all()
    assert found.std_error[0, 1] > 0.01


# --- within and between -------------------------------------------------------------------


@pytest.mark.parametrize("rows", [6, (2, 12)])
@pytest.mark.parametrize("variance", ["CR0", "CR1", "CR2", "CR3", "CV3"])
def test_with_cluster_means_it_is_fixed_effects(variance, rows):
    """Of what varies within clusters; what does not keeps a coefficient."""
    shard = random_shard(1, 2, 9, 4, rows)
    shard.X[:, 3] = np.repeat(np.random.default_rng(1).standard_normal(18), shard.n.ravel())
    options = {"variance": variance, "df": "satterthwaite"}
    found = fitted(shard, "cluster_robust", within_between=True, **options)
    expected = fit(shard, "fixed_effects", **options)
    for column in ("estimate", "std_error", "df"):
        there, here = (getattr(fits, column)[:, 1:3] for fits in (expected, found))
        np.testing.assert_allclose(here, there, rtol=1e-10)
    groups = [np.array([1, 2])]
    joint = [
        Strategy.parse({"strategy": name, **options, **more}).joint_tests(shard, groups).p_value
        for name, more in (("cluster_robust", {"within_between": True}), ("fixed_effects", {}))
    ]
    np.testing.assert_allclose(*joint, rtol=1e-8)
