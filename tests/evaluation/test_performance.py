"""Performance measures: by hand, by naive loops, and their MCSE by repeating the study."""

from __future__ import annotations

import statistics
from collections.abc import Callable
from fractions import Fraction
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import t

import clustrategy
from clustrategy.core.errors import ConfigError, DataError
from clustrategy.core.shard import Floats
from clustrategy.evaluation import measures
from clustrategy.evaluation.measures import MEASURES, NAMES, Replicates, Settings

HAND = pd.DataFrame({"estimate": [1.0, 2, 3, 6], "std_error": [1.0, 2, 1, 2]})
Z975 = 1.959963984540054


def by_measure(table: pd.DataFrame) -> dict[str, tuple[float, float, int]]:
    """The values, MCSEs and n of a table of one group."""
    rows = table[["measure", "value", "mcse", "n"]].itertuples(index=False)
    return {measure: (value, mcse, n) for measure, value, mcse, n in rows}


def test_four_estimates_by_hand() -> None:
    """Estimates 1, 2, 3, 6 of 2 with standard errors 1, 2, 1, 2; normal limits."""
    found = by_measure(clustrategy.performance(HAND, truth=2))
    S2 = 14 / 3
    ratios = [Fraction(9, 13), Fraction(6, 19), Fraction(3, 7), Fraction(2)]
    mean = sum(ratios) / 4
    jackknife = float(Fraction(3, 4) * sum((r - mean) ** 2 for r in ratios)) ** 0.5
    relative = (2.5 / S2) ** 0.5
    expected = {
        "bias": (1, (S2 / 4) ** 0.5),
        "relative_bias": (0.5, (S2 / 4) ** 0.5 / 2),
        "median_bias": (0.5, 5 / 3.92),
        "empirical_se": (S2**0.5, (S2 / 6) ** 0.5),
        "mse": (4.5, (177 / 12) ** 0.5),
        "rmse": (4.5**0.5, (177 / 12) ** 0.5 / (2 * 4.5**0.5)),
        "model_se": (2.5**0.5, 0.075**0.5),
        "relative_error": (relative - 1, relative * (0.03 + 1 / 6) ** 0.5),
        "variance_ratio": (2.5 / S2, jackknife),
        "variance_df": (12.5 / 3, (25 / 3) ** 0.5),
        "coverage": (0.75, (0.1875 / 4) ** 0.5),
        "bias_eliminated_coverage": (0.75, (0.1875 / 4) ** 0.5),
        "rejection_rate": (0.5, 0.25),
        "interval_width": (3 * Z975, 2 * Z975 * (1 / 3) ** 0.5 / 2),
        "unusable_rate": (0, 0),
    }
    for measure, numbers in expected.items():
        assert found[measure] == pytest.approx((*numbers, 4), rel=1e-12), measure
    # One interval misses from above: its lower limit is 6 - 2 z.
    assert found["interval_score"][0] == pytest.approx(3 * Z975 + 40 * (4 - 2 * Z975) / 4)
    # Quartiles 1.75 and 3.75 by interpolation.
    assert found["robust_se"][0] == pytest.approx(2 / 1.3489795003921634)
    assert list(found) == [name for name in NAMES if name != "relative_precision"]


def test_size_adjusted_power_by_hand() -> None:
    """The test is as strict as makes one in five of the tests of the true value reject."""
    errors = np.array([-2.0, -1.0, 0.5, 0.0, 3.0, 0.2])
    table = pd.DataFrame({"estimate": 1 + errors, "std_error": 1.0})
    found = by_measure(clustrategy.performance(table, truth=1, alpha=0.2))
    # The 0.2 quantile of six p-values is the second smallest: |z| = 2. Estimates with more: 4.
    assert found["size_adjusted_power"][0] == 1 / 6
    assert found["rejection_rate"][0] == 2 / 6, "those with |z| of 1.28 or more: 1.5 and 4"


def test_relative_precision_by_hand() -> None:
    """Variances 14/3 and 1, correlation of (1, 2, 3, 6) and (0, 1, 2, 1) = 2 / sqrt(14 * 2)."""
    table = pd.DataFrame(
        {
            "sim": [1, 2, 3, 4, 4, 3, 2, 1],
            "strategy": ["ours"] * 4 + ["theirs"] * 4,
            "estimate": [1.0, 2, 3, 6, 1, 2, 1, 0],
        }
    )
    found = clustrategy.performance(
        table, truth=2, by="strategy", reference={"strategy": "ours"}
    ).set_index(["strategy", "measure"])
    value, mcse, n = found.loc[("theirs", "relative_precision")]
    correlation = 2 / 28**0.5
    assert (value, n) == (pytest.approx(14 / 3 / (2 / 3) - 1), 4)
    assert mcse == pytest.approx(2 * 7 * ((1 - correlation**2) / 3) ** 0.5)
    assert found.loc[("ours", "relative_precision"), ["value", "mcse"]].tolist() == [0, 0]
    assert found.loc[("ours", "bias"), "value"] == 1


def naive_jackknife(values: Callable[[list[int]], float], n: int) -> float:
    """The jackknife standard error of a function of the places of the replicates."""
    left_out = [values([i for i in range(n) if i != j]) for j in range(n)]
    mean = statistics.fmean(left_out)
    return ((n - 1) / n * sum((x - mean) ** 2 for x in left_out)) ** 0.5


def test_jackknife_against_a_loop_that_leaves_each_out() -> None:
    rng = np.random.default_rng(3)
    n = 25
    e, f = rng.standard_t(4, (2, n))
    V = rng.chisquare(5, n) / 5

    def ratio(rows: list[int]) -> float:
        return statistics.fmean(V[rows]) / statistics.variance(e[rows])

    expected = {
        "variance_ratio": ratio,
        "relative_error": lambda rows: ratio(rows) ** 0.5,
        "empirical_se": lambda rows: statistics.stdev(e[rows]),
        "variance_df": lambda rows: (
            2 * statistics.fmean(V[rows]) ** 2 / statistics.variance(V[rows])
        ),
    }
    own, other = (replicates(x, np.sqrt(V), truth=0.0) for x in (e, f))
    settings = Settings(jackknife=True)
    for name, function in expected.items():
        found = measures.evaluate(name, own, settings)
        assert found.mcse == pytest.approx(naive_jackknife(function, n), rel=1e-9), name
    found = measures.relative_precision(own, other, settings)
    gain = naive_jackknife(lambda r: statistics.variance(f[r]) / statistics.variance(e[r]), n)
    assert found.mcse == pytest.approx(gain, rel=1e-9)


def replicates(error: Floats, std_error: Floats, truth: float, df: float = 8.0) -> Replicates:
    """Replicates of estimates with t limits."""
    n = error.size
    true = np.full(n, truth)
    return Replicates.of(true + error, true, std_error, np.full(n, df))


MOMENTS = {
    "empirical_se",
    "mse",
    "rmse",
    "model_se",
    "relative_error",
    "variance_ratio",
    "variance_df",
    "bias_eliminated_coverage",
    "interval_width",
    "interval_score",
}
"""What needs a finite variance, as docs/measures.md lists it; of biases the MCSE alone does."""


@pytest.mark.parametrize("name", MEASURES)
def test_what_needs_a_finite_variance(name: str) -> None:
    rng = np.random.default_rng(4)
    own = replicates(rng.standard_normal(40), rng.uniform(0.5, 2, 40), truth=1.0)
    plain = measures.evaluate(name, own, Settings())
    found = measures.evaluate(name, own, Settings(), finite_variance=False)
    assert np.isfinite([plain.value, plain.mcse]).all() and plain.note == ""
    value, mcse = plain.value, plain.mcse
    if name in MOMENTS:
        value = np.nan
    if name in MOMENTS | {"bias", "relative_bias"}:
        mcse = np.nan
    np.testing.assert_equal([found.value, found.mcse, found.n], [value, mcse, 40])
    assert found.note == ("no finite variance" if np.isnan(mcse) else "")


@pytest.mark.parametrize("n", [5, 40])
def test_the_error_of_the_robust_se(n: int) -> None:
    """Of two quartiles whose densities are taken from quantiles around them, by NumPy."""
    e = np.random.default_rng(6).standard_normal(n)
    half = 1.96 * (0.25 * 0.75 / n) ** 0.5
    influence = 0.0
    for share, sign in ((0.25, -1), (0.75, 1)):
        ends = np.clip([share - half, share + half], 0, 1)
        sparsity = np.ptp(np.quantile(e, ends)) / np.ptp(ends)
        influence -= sign * sparsity * (e <= np.quantile(e, share))
    mcse = np.std(influence, ddof=1) / n**0.5 / 1.3489795003921634
    found = measures.evaluate("robust_se", replicates(e, np.ones(n), 0.0), Settings())
    assert found.mcse == pytest.approx(mcse)


STUDIES, SIMS, DF = 500, 250, 8.0


def study(rng: np.random.Generator, heavy: bool) -> tuple[Replicates, Replicates]:
    """Two strategies on the same datasets, the second less precise and correlated with the first.

    The heavy-tailed errors are t with 9 degrees of freedom, whose kurtosis Morris's formula of the
    empirical SE does not know of.
    """
    draw = (lambda n: rng.standard_t(9, n)) if heavy else rng.standard_normal
    e = draw(SIMS)
    f = e + 0.7 * draw(SIMS)
    V, W = rng.chisquare(DF, (2, SIMS)) / DF
    return replicates(e, np.sqrt(V), 1.5, DF), replicates(f, 0.9 * np.sqrt(V + W), 1.5, DF)


@pytest.mark.parametrize("heavy", [False, True])
def test_mcse_is_the_spread_of_the_measure_over_repeated_studies(heavy: bool) -> None:
    """Of every measure and every paired difference.

    An SD over R studies is known to sqrt((kurtosis - 1) / (4 R)) of itself.
    """
    rng = np.random.default_rng(7)
    settings = Settings(jackknife=heavy)
    found: dict[str, list[Any]] = {}
    for _ in range(STUDIES):
        own, other = study(rng, heavy)
        for name in MEASURES:
            found.setdefault(name, []).append(measures.evaluate(name, own, settings))
            paired = measures.difference(name, other, own, settings)
            found.setdefault(f"difference of {name}", []).append(paired)
        gain = measures.relative_precision(other, own, settings)
        found.setdefault("relative_precision", []).append(gain)
        failed = rng.random((2, SIMS)) < [[0.1], [0.2]]
        found.setdefault("unusable_rate", []).append(measures.unusable_rate(~failed[0]))
        more = measures.unusable_difference(*~failed)
        found.setdefault("difference of unusable_rate", []).append(more)
    # The size of a p-value's quantile is rough: it has a slope from a few rejections.
    rough = {name: 0.06 if "size_adjusted" in name or "robust" in name else 0.0 for name in found}
    for name, results in found.items():
        values = np.array([result.value for result in results])
        claimed = np.sqrt(np.mean([result.mcse**2 for result in results]))
        z = (values - values.mean()) / values.std()
        tolerance = 4.5 * np.sqrt(((z**4).mean() - 1) / (4 * STUDIES)) + rough[name]
        assert claimed == pytest.approx(values.std(ddof=1), rel=tolerance), name


def test_the_normal_formula_is_too_small_for_heavy_tails() -> None:
    rng = np.random.default_rng(11)
    table = pd.DataFrame({"estimate": rng.standard_t(5, 4000)})
    normal, free = (
        by_measure(clustrategy.performance(table, truth=0, mcse=mcse))["empirical_se"][1]
        for mcse in ("morris", "jackknife")
    )
    assert free > 1.2 * normal


arrays = st.integers(0, 2**32 - 1).map(
    lambda seed: np.random.default_rng(seed).normal(size=(2, 15))
)
INVARIANT = {
    "relative_error",
    "variance_ratio",
    "variance_df",
    "coverage",
    "bias_eliminated_coverage",
}


@given(arrays, st.floats(0.01, 100), st.booleans(), st.floats(-5, 5))
def test_shift_and_scale(data: Floats, size: float, flip: bool, shift: float) -> None:
    """What is in the unit of the outcome scales with it, and all but the tests forget the truth."""
    c = -size if flip else size
    se = np.exp(0.3 * data[1])
    before = replicates(data[0], se, truth=1.0)
    after = replicates(c * data[0], size * se, truth=c * 1.0)
    shifted = replicates(data[0], se, truth=1.0 + shift)
    tests = {"rejection_rate", "size_adjusted_power", "relative_bias"}
    for name in MEASURES:
        a, b, moved = (measures.evaluate(name, r, Settings()) for r in (before, after, shifted))
        factor = 1.0 if name in INVARIANT | tests else size**2 if name == "mse" else size
        sign = np.sign(c) if name in ("bias", "median_bias") else 1.0
        assert b.value == pytest.approx(sign * factor * a.value, rel=1e-7, abs=1e-9 * factor), name
        assert b.mcse == pytest.approx(factor * a.mcse, rel=1e-7, abs=1e-9 * factor), name
        if name not in tests:
            assert moved[:2] == pytest.approx(a[:2], rel=1e-7, abs=1e-9), name


def test_failures_are_counted_and_not_used() -> None:
    table = pd.DataFrame(
        {
            "estimate": [1.0, 3, 99, np.nan, 2],
            "std_error": [1.0, 1, 1, 1, np.nan],
            "df": [np.inf, np.inf, 5, 5, 5],
            "status": ["ok", "singular", "not_converged", "ok", "ok"],
        }
    )
    found = by_measure(clustrategy.performance(table, truth=2))
    assert found["unusable_rate"] == (0.4, pytest.approx(0.048**0.5), 5)
    assert found["bias"] == (0, pytest.approx((1 / 3) ** 0.5), 3)
    assert found["model_se"] == (1, 0, 2), "n says which rows a measure is of"
    assert found["relative_error"][2] == 2
    assert found["interval_width"][0] == pytest.approx(2 * Z975)
    strict = by_measure(clustrategy.performance(table, truth=2, usable=["ok"]))
    assert strict["unusable_rate"][0] == 0.6


def test_own_tests_and_limits_are_taken_as_they_are() -> None:
    table = HAND.assign(
        p_value=[0.01, 0.04, np.nan, 0.9], conf_low=0.0, conf_high=[1, 3, 5, np.inf]
    )
    found = by_measure(clustrategy.performance(table, truth=2))
    assert found["rejection_rate"][0::2] == (pytest.approx(2 / 3), 3), "missing is not rejected"
    assert found["coverage"][0] == 0.75
    assert np.isnan(found["interval_width"][0]), "a mean width that is infinite is no number"
    assert np.isnan(found["size_adjusted_power"][0]), "their null distribution is not known"


def test_rows_without_df_have_normal_tests_and_limits() -> None:
    table = HAND.assign(df=[np.nan, 3.0, np.nan, 3.0])
    mixed = by_measure(clustrategy.performance(table, truth=2))
    as_they_should = by_measure(clustrategy.performance(table.fillna({"df": np.inf}), truth=2))
    assert mixed == as_they_should
    assert mixed["coverage"][2] == mixed["rejection_rate"][2] == len(HAND)


def test_tests_of_some_groups_alone_leave_the_others_their_size_adjusted_power() -> None:
    rng = np.random.default_rng(1)
    table = pd.DataFrame({"method": np.repeat(["t", "own"], 50), "estimate": rng.normal(1, 1, 100)})
    table = table.assign(std_error=1.0, df=np.repeat([9.0, np.nan], 50))
    table["p_value"] = 2 * t.sf(table["estimate"].abs(), 9)
    table.loc[50:, "p_value"] = rng.uniform(size=50)
    found = clustrategy.performance(table, truth=1, by="method").set_index(["method", "measure"])
    alone = clustrategy.performance(table[:50], truth=1).set_index("measure")
    adjusted = found["value"].xs("size_adjusted_power", level="measure")
    assert adjusted["t"] == alone.loc["size_adjusted_power", "value"] > 0
    assert np.isnan(adjusted["own"])


def test_truth_may_be_a_column() -> None:
    table = HAND.assign(true=[1.0, 2, 2, 3])
    found = by_measure(clustrategy.performance(table, truth="true"))
    assert found["bias"][0] == 1
    assert found["relative_bias"][0] == 0.5, "the mean error over the mean truth"
    assert found["empirical_se"][0] == pytest.approx(2**0.5), "of the errors 0, 0, 1, 3"
    zero = by_measure(clustrategy.performance(HAND, truth=0))
    assert np.isnan(zero["relative_bias"][0])
    assert np.isnan(zero["size_adjusted_power"][0])


@pytest.mark.parametrize("n", [0, 1, 2])
def test_few_replicates_give_what_they_can(n: int) -> None:
    found = by_measure(clustrategy.performance(HAND[:n], truth=2))
    assert all(result[2] == n for result in found.values())
    assert np.isnan(found["bias"][0]) == (n == 0)
    for measure in ("bias", "mse", "interval_width"):
        assert np.isnan(found[measure][1]) == (n < 2), measure
    assert np.isnan(found["empirical_se"][0]) == (n < 2)
    assert np.isnan(found["variance_ratio"][1]), "nothing is left when one is left out"


def test_estimates_that_do_not_vary() -> None:
    table = pd.DataFrame({"estimate": [2.0] * 8, "std_error": [1.0] * 8})
    found = by_measure(clustrategy.performance(table, truth=2))
    assert found["empirical_se"][:2] == (0, 0)
    for measure in ("relative_error", "variance_ratio", "variance_df"):
        assert np.isnan(found[measure][0]), measure
    assert found["coverage"] == (1, 0, 8)


def test_groups_and_their_order() -> None:
    table = pd.concat([HAND.assign(a=a, b=b) for a, b in [("z", 1), ("x", 2), ("x", 1)]])
    table = table.sample(frac=1, random_state=1)
    found = clustrategy.performance(table, truth=2, by=["a", "b"])
    assert list(found) == ["a", "b", "measure", "value", "mcse", "n"]
    first = table.drop_duplicates(["a", "b"])[["a", "b"]]
    assert found[["a", "b"]].drop_duplicates().values.tolist() == first.values.tolist()
    biases = found[found["measure"] == "bias"]
    assert (biases["value"] == 1).all() and (biases["n"] == 4).all()
    only = clustrategy.performance(HAND[["estimate"]], truth=2)["measure"].tolist()
    assert only == [
        *("bias", "relative_bias", "median_bias", "empirical_se"),
        *("robust_se", "mse", "rmse", "unusable_rate"),
    ]
    empty = clustrategy.performance(table[:0], truth=2, by=["a", "b"])
    assert empty.empty and list(empty) == list(found)


@pytest.mark.parametrize(
    ("arguments", "error", "sentence"),
    [
        ({"truth": "trut"}, DataError, "the estimates have no column 'trut'"),
        (
            {"truth": 2, "by": "estimat"},
            DataError,
            r"no column 'estimat' \(did you mean 'estimate'\?\); they have estimate, std_error, x",
        ),
        ({"truth": np.nan}, ConfigError, "truth must be a finite number or the name of a column"),
        ({"truth": None}, ConfigError, "truth must be a finite number .* found nothing"),
        ({"truth": 2, "alpha": 5}, ConfigError, "alpha must be between 0 and 1, found 5"),
        (
            {"truth": 2, "mcse": "jack"},
            ConfigError,
            "mcse must be one of morris, jackknife,",
        ),
        ({"truth": 2, "by": "n"}, ConfigError, "by: the result has a column 'n' of its own"),
        ({"truth": 2, "by": "x", "reference": {"y": 1}}, ConfigError, "'y' is not among"),
        ({"truth": 2, "by": "x", "reference": "a"}, ConfigError, "of 'by' .* found 'a'$"),
        (
            {"truth": 2, "by": "x", "reference": {"x": "a"}, "replicate": "rep"},
            DataError,
            "no column 'rep', which is to pair their rows",
        ),
        ({"truth": 2, "by": "x", "reference": {"x": "c"}}, DataError, "no row of the estimates"),
        ({"truth": 2, "by": "x", "reference": {"x": "a"}}, DataError, "more than one row of sim 1"),
    ],
)
def test_what_is_wrong_is_one_sentence(
    arguments: dict[str, Any], error: type[Exception], sentence: str
) -> None:
    table = HAND.assign(x="a", sim=1, n=9) if "by" in arguments else HAND
    with pytest.raises(error, match=sentence):
        clustrategy.performance(table, **arguments)


def test_what_counts_is_by_the_status() -> None:
    own = HAND.assign(status=["converged", "converged", "stopped", "stopped"])
    for usable in ("converged", ["converged"]):
        found = by_measure(clustrategy.performance(own, truth=2, usable=usable))
        assert found["bias"][0] == -0.5 and found["unusable_rate"] == (0.5, 0.25, 4)
    with pytest.raises(ConfigError, match="no estimate has the status ok or singular; .* have con"):
        clustrategy.performance(own, truth=2)
    with pytest.raises(ConfigError, match=r"no status 'convergd' \(did you mean 'converged'\?\)"):
        clustrategy.performance(own, truth=2, usable="convergd")
    failed = clustrategy.performance(HAND.assign(status="error"), truth=2)
    assert by_measure(failed)["unusable_rate"] == (1, 0, 4)


def test_a_column_must_hold_numbers() -> None:
    with pytest.raises(DataError, match="the column 'std_error' of the estimates must hold"):
        clustrategy.performance(HAND.assign(std_error="x"), truth=2)


def test_one_standard_error_for_all_has_no_variance_of_its_own() -> None:
    table = pd.DataFrame({"estimate": np.linspace(0.9, 1.2, 50), "std_error": 0.1})
    found = by_measure(clustrategy.performance(table, truth=1))
    assert np.isnan(found["variance_df"][:2]).all()


def test_infinite_intervals_have_no_mean_width_and_say_so() -> None:
    r = Replicates.of(
        np.array([0.1, -0.2, 0.3]),
        np.zeros(3),
        np.ones(3),
        np.full(3, 9.0),
        conf_low=np.array([-1.0, -np.inf, -1.0]),
        conf_high=np.array([1.0, np.inf, 1.0]),
    )
    settings = Settings(0.05, 0.95, False)
    for measure in ("interval_width", "interval_score"):
        found = measures.evaluate(measure, r, settings)
        assert np.isnan(found.value) and found.note == "some intervals have no end"
    assert measures.evaluate("coverage", r, settings)[:3] == (1, 0, 3)


@pytest.mark.parametrize(
    ("wrong", "sentence"),
    [
        ({"std_error": [1.0, -0.5, 1, 1]}, "std_error must not be negative, as it is in row 1"),
        ({"p_value": [0.1, 0.2, 2, 0]}, "p_value must be between 0 and 1, as it is in row 2"),
        (
            {"conf_low": [1.0] * 4, "conf_high": [2, 2, 2, 0.5]},
            "conf_low must not be above conf_high, as it is in row 3",
        ),
        ({"conf_low": [0.0] * 4}, "a column 'conf_low' but no column 'conf_high'"),
        ({"conf_high": [0.0] * 4}, "a column 'conf_high' but no column 'conf_low'"),
    ],
)
def test_numbers_that_cannot_be_are_refused(wrong: dict[str, Any], sentence: str) -> None:
    with pytest.raises(DataError, match=sentence):
        clustrategy.performance(HAND.assign(**wrong), truth=2)


@pytest.mark.parametrize("n", [0, 1, 2, 3, 4, 5, 40])
@pytest.mark.parametrize("alike", [True, False])
def test_whatever_is_not_there_has_a_note(n: int, alike: bool) -> None:
    spread = np.zeros(n) if alike else np.random.default_rng(n).normal(size=n)
    own, other = (
        Replicates.of(1 + spread * k, np.ones(n), np.exp(spread), np.full(n, 9.0)) for k in (1, 2)
    )
    results = {
        "relative_precision": measures.relative_precision(own, other, Settings()),
        "unusable_rate": measures.unusable_rate(spread > 0),
    }
    for name in measures.MEASURES:
        results[name] = measures.evaluate(name, own, Settings())
        results[f"{name} less"] = measures.difference(name, own, other, Settings())
    for name, found in results.items():
        there = np.isfinite([found.value, found.mcse]).all()
        assert there == (found.note == ""), name
        if not there:
            few = "no usable replicates" if n == 0 else "too few replicates"
            assert found.note == ("the replicates do not vary" if n > 3 else few), name
            assert alike or n < 4, name
