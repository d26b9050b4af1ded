"""Verdicts on tables of one's own: their numbers by hand, and what is wrong with a table."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy.stats import norm
from scipy.stats import t as student

from clustrategy import performance, verdicts
from clustrategy.core.errors import ConfigError, DataError
from clustrategy.evaluation.wilson import wilson
from tests.containers import CONTAINERS, assert_same, snapshot

SIMS = 200
TRUTH = 0.7
RNG = np.random.default_rng(1)
TABLE = pd.DataFrame(
    {
        "strategy": np.repeat(["a", "b"], SIMS),
        "sim": np.tile(np.arange(SIMS), 2),
        "estimate": TRUTH + RNG.normal(size=2 * SIMS) * np.repeat([1.0, 1.5], SIMS),
        "std_error": RNG.uniform(0.8, 1.2, 2 * SIMS),
        "df": np.repeat([9.0, 30.0], SIMS),
    }
)


def judge(data: Any, truth: Any = TRUTH, **arguments: Any) -> pd.DataFrame:
    """`verdicts`; the table is the same afterwards."""
    before = snapshot(data)
    try:
        return verdicts(data, truth, **arguments)
    finally:
        assert_same(data, before)


def of(table: pd.DataFrame, measure: str, **where: Any) -> dict[str, Any]:
    """The one row of a measure."""
    rows = table[table["measure"] == measure]
    for name, value in where.items():
        rows = rows[rows[name].isna()] if value is None else rows[rows[name] == value]
    (row,) = rows.to_dict("records")
    return row


def p_null(data: pd.DataFrame, effect: float = 0.0) -> np.ndarray:
    statistic = (data["estimate"] - TRUTH + effect).abs() / data["std_error"]
    return 2 * student.sf(statistic, data["df"])


@pytest.mark.parametrize("label", ["a", "b"])
def test_the_numbers_are_those_of_the_tests_of_the_truth(label: str) -> None:
    found = judge(TABLE, by="strategy", effects=[1.0, 3.0], equivariant=True)
    data = TABLE[TABLE["strategy"] == label]
    rate = of(found, "false_positive_rate", strategy=label)
    assert rate["value"] == (p_null(data) <= 0.05).mean()
    ends = tuple(map(float, wilson(rate["value"], SIMS)))
    assert (rate["conf_low"], rate["conf_high"], rate["n"]) == (*ends, SIMS)
    measured = performance(data, TRUTH).set_index("measure")
    for measure in ("coverage", "relative_error"):
        value = of(found, measure, strategy=label)["value"]
        assert value == pytest.approx(measured.loc[measure, "value"])
    biased = measured.loc["bias", "value"] / measured.loc["empirical_se", "value"]
    assert of(found, "bias", strategy=label)["value"] == pytest.approx(biased)
    for effect in (1.0, 3.0):
        power = of(found, "power", strategy=label, effect=effect)
        assert power["value"] == (p_null(data, effect) <= 0.05).mean()
        shifted = performance(data.assign(estimate=data["estimate"] - TRUTH + effect), effect)
        adjusted = shifted.set_index("measure").loc["size_adjusted_power"]
        row = of(found, "size_adjusted_power", strategy=label, effect=effect)
        assert (row["value"], row["mcse"]) == pytest.approx((adjusted["value"], adjusted["mcse"]))


def test_without_degrees_of_freedom_tests_are_of_the_normal_distribution() -> None:
    data = TABLE[TABLE["strategy"] == "a"]
    expected = (2 * norm.sf((data["estimate"] - TRUTH).abs() / data["std_error"]) <= 0.05).mean()
    assert expected != (p_null(data) <= 0.05).mean()
    for table in (data.drop(columns="df"), data.assign(df=np.nan)):
        row = of(judge(table), "false_positive_rate")
        assert (row["value"], row["n"]) == (expected, SIMS)


@pytest.mark.parametrize("container", CONTAINERS)
def test_the_same_whatever_holds_the_table(container: str) -> None:
    found = judge(CONTAINERS[container](TABLE), by="strategy")
    pd.testing.assert_frame_equal(found, verdicts(TABLE, TRUTH, by="strategy"))


def test_columns_of_any_name_tell_groups_apart() -> None:
    """Also those that the tables of a study have."""
    names = {"strategy": "kind", "sim": "replicate"}
    found = judge(TABLE.rename(columns=names), by="kind", replicate="replicate")
    assert list(found.columns)[0] == "kind" and set(found["kind"]) == {"a", "b"}
    same = verdicts(TABLE, TRUTH, by="strategy")
    np.testing.assert_array_equal(found["value"], same["value"])


def test_power_is_known_of_equivariant_strategies_alone() -> None:
    found = judge(TABLE, by="strategy", effects=1.0)
    for measure in ("power", "size_adjusted_power", "minimal_detectable_effect"):
        row = of(found, measure, strategy="a")
        assert np.isnan(row["value"]) and row["note"].startswith("not known to be equivariant")
    assert of(found, "false_positive_rate", strategy="a")["n"] == SIMS


def test_a_truth_that_is_a_column_may_vary() -> None:
    drawn = RNG.normal(size=len(TABLE))
    moved = TABLE.assign(beta=TRUTH + drawn, estimate=TABLE["estimate"] + drawn)
    options: dict[str, Any] = {"by": "strategy", "effects": 1.0, "equivariant": True}
    found, still = judge(moved, "beta", **options), verdicts(TABLE, TRUTH, **options)
    pd.testing.assert_frame_equal(found, still, rtol=1e-9)


def test_terms_of_one_dataset_count_once() -> None:
    """Two terms that are the same in each dataset tell no more than one of them."""
    one = TABLE[TABLE["strategy"] == "a"]
    alone = of(judge(one), "false_positive_rate")
    twice = of(judge(pd.concat([one, one])), "false_positive_rate")
    for name in ("value", "mcse", "conf_low", "conf_high", "n", "sims_needed"):
        assert twice[name] == pytest.approx(alone[name], rel=1e-12)
    apart = of(judge(pd.concat([one, one]).drop(columns="sim")), "false_positive_rate")
    assert apart["n"] == 2 * SIMS and apart["mcse"] == pytest.approx(alone["mcse"] / np.sqrt(2))
    rows = pd.concat([one, one.assign(estimate=one["estimate"].to_numpy()[::-1])])
    both = of(judge(rows.sample(frac=1, random_state=1)), "false_positive_rate")
    rejected = (p_null(one) <= 0.05).astype(float)
    means = (rejected + (p_null(rows[SIMS:]) <= 0.05)) / 2
    assert both["n"] == SIMS and both["value"] == means.mean()
    assert both["mcse"] == pytest.approx(means.std() / np.sqrt(SIMS))


def foreign(truth: float) -> pd.DataFrame:
    """A table whose p-values are those of a normal distribution, beside a df of 9."""
    data = TABLE[TABLE["strategy"] == "a"].reset_index(drop=True)
    estimate = data["estimate"] - TRUTH + truth
    p_value = 2 * norm.sf(estimate.abs() / data["std_error"])
    return data.assign(estimate=estimate, p_value=p_value)


def test_p_values_that_are_not_of_t_are_the_tests_of_a_truth_of_0() -> None:
    data = foreign(0.0)
    found = judge(data, 0, effects=1.0, equivariant=True)
    rate = of(found, "false_positive_rate")
    assert rate["value"] == (data["p_value"] <= 0.05).mean() and rate["n"] == SIMS
    by_t = of(verdicts(data.drop(columns="p_value"), 0), "false_positive_rate")["value"]
    assert rate["value"] > by_t
    for measure in ("power", "size_adjusted_power", "minimal_detectable_effect"):
        assert of(found, measure)["note"] == "p-values are not of t"


def test_a_few_p_values_that_are_of_t_do_not_stand_for_all() -> None:
    data = foreign(0.0)
    by_t = 2 * student.sf(data["estimate"].abs() / data["std_error"], data["df"])
    for of_t in (slice(0, 5), slice(5, None)):
        mixed = data.assign(
            p_value=np.where(np.isin(data.index, data.index[of_t]), by_t, data.p_value)
        )
        rate = of(judge(mixed, 0), "false_positive_rate")
        assert rate["n"] == SIMS and rate["value"] == (mixed["p_value"] <= 0.05).mean()


def test_p_values_that_are_not_of_t_tell_nothing_of_another_truth() -> None:
    rate = of(judge(foreign(TRUTH)), "false_positive_rate")
    assert np.isnan(rate["value"]) and rate["n"] == 0 and rate["safe"] is False
    assert rate["note"] == "the p-value at the true value is not known"


def test_listed_p_values_are_those_of_the_truth_and_of_the_effects() -> None:
    data = foreign(TRUTH)
    data["p_value_nulls"] = [list(row) for row in RNG.uniform(0, 0.2, (SIMS, 3))]
    lists = np.array(data["p_value_nulls"].to_list())
    found = judge(data, effects=[1.0, 2.0], equivariant=True)
    assert of(found, "false_positive_rate")["value"] == (lists[:, 0] <= 0.05).mean()
    for place, effect in enumerate([1.0, 2.0], start=1):
        row = of(found, "power", effect=effect)
        assert row["value"] == (lists[:, place] <= 0.05).mean()
    other = judge(data, effects=[1.0], equivariant=True)
    assert of(other, "power")["note"] == "tests by resampling: power at the listed effects only"
    data.loc[3, "p_value_nulls"] = None
    assert of(judge(data), "false_positive_rate")["n"] == SIMS - 1


@pytest.mark.parametrize(
    ("value", "sentence"),
    [
        ("0.5", "must hold lists of numbers, found '0.5' in row 0"),
        (0.5, "must hold lists of numbers, found 0.5 in row 0"),
        (["a"], "must hold lists of numbers, found ['a'] in row 0"),
        ([0.1], "must hold lists of one length, found 1 and 2"),
    ],
)
def test_lists_that_are_none_are_named(value: Any, sentence: str) -> None:
    data = TABLE.assign(p_value_nulls=[value, *[[0.1, 0.2]] * (len(TABLE) - 1)])
    with pytest.raises(DataError) as caught:
        verdicts(data, TRUTH)
    assert str(caught.value) == f"the column 'p_value_nulls' of the estimates {sentence}"


def test_statuses_and_gaps_are_counted_beside_the_rate() -> None:
    data = TABLE[TABLE["strategy"] == "a"].assign(status="ok")
    data.loc[:9, "status"] = "not_converged"
    data.loc[10:29, "status"] = "singular"
    data.loc[30, "estimate"] = np.nan
    found = judge(data)
    assert of(found, "unusable_rate")["value"] == 11 / SIMS
    assert of(found, "singular_rate")["value"] == 20 / SIMS
    rate = of(found, "false_positive_rate")
    kept = p_null(data.drop(index=[*range(10), 30])) <= 0.05
    assert (rate["n"], rate["value"]) == (SIMS - 11, kept.mean())
    quiet = data.assign(std_error=10.0)
    assert of(judge(quiet), "false_positive_rate")["safe"] is False, "11 of 200 are unusable"
    enough = of(judge(quiet, usable=["ok", "singular", "not_converged"]), "false_positive_rate")
    assert (enough["safe"], enough["verdict"]) == (True, "conservative")


def test_over_cells_there_is_the_worst_and_the_range() -> None:
    parts = [TABLE.assign(G=n, std_error=TABLE["std_error"] * f) for n, f in ((10, 1), (30, 0.5))]
    found = judge(pd.concat(parts), by=["strategy", "G"], over="G")
    assert list(found.columns)[:2] == ["strategy", "G"]
    for label in ("a", "b"):
        cells = [of(found, "false_positive_rate", strategy=label, G=n)["value"] for n in (10, 30)]
        row = of(found, "false_positive_rate", strategy=label, G=None)
        assert (row["lowest"], row["highest"], row["value"]) == (*cells, cells[1])
        assert row["mean_over_these_cells"] == pytest.approx(np.mean(cells))
        assert (row["cells"], row["worst_cell"]) == (2, "G 30")
        ends = tuple(map(float, wilson(cells[1], SIMS, 0.975)))
        assert (row["conf_low"], row["conf_high"]) == pytest.approx(ends)
        assert "not drawn again" in row["note"]


def test_a_group_without_a_name_is_one_over_cells() -> None:
    data = pd.concat([TABLE.assign(G=n) for n in (10, 30)])
    data["strategy"] = data["strategy"].where(data["strategy"] == "a")
    found = judge(data, by=["strategy", "G"], over="G")
    row = of(found[found["G"].isna()], "coverage", strategy=None)
    assert row["cells"] == 2


def test_from_performance_there_are_the_verdicts_on_it() -> None:
    at_0 = TABLE.assign(estimate=TABLE["estimate"] - TRUTH, true_value=0.0)
    table = performance(at_0, "true_value", by="strategy").assign(true_value=0.0)
    found, own = judge(table, "true_value", by="strategy"), verdicts(at_0, 0, by="strategy")
    columns = ["value", "mcse", "conf_low", "conf_high", "n", "verdict", "between", "safe"]
    for label in ("a", "b"):
        for measure in ("false_positive_rate", "coverage"):
            one, other = (of(each, measure, strategy=label) for each in (found, own))
            for name in columns[:5]:
                assert one[name] == pytest.approx(other[name], rel=1e-12)
            for name in columns[5:]:
                assert one[name] == other[name] or pd.isna([one[name], other[name]]).all()
        assert of(found, "bias", strategy=label)["note"] == (
            "needs the estimates, not their performance"
        )
    elsewhere = judge(table.assign(true_value=TRUTH), "true_value", by="strategy")
    rate = of(elsewhere, "false_positive_rate", strategy="a")
    assert np.isnan(rate["value"]) and "the true value is not 0" in rate["note"]


ONE = pd.DataFrame({"measure": ["rejection_rate"], "value": [0.05], "n": [100.0]})


@pytest.mark.parametrize(
    ("table", "sentence"),
    [
        (
            ONE.assign(n=np.nan),
            "n must be at least 1 where there is a value, which it is not in row 0",
        ),
        (ONE.assign(n=0), "n must be at least 1 where there is a value, which it is not in row 0"),
        (ONE.assign(value=1.5), "rejection_rate must be between 0 and 1, as it is not in row 0"),
        (
            pd.concat([ONE, ONE]),
            "a group has more than one row of 'rejection_rate'; name in 'by' what tells them apart",
        ),
        (ONE.drop(columns="n"), "the estimates have no column 'n'; they have measure, value"),
    ],
)
def test_a_mistake_in_a_table_of_performance_is_one_sentence(
    table: pd.DataFrame, sentence: str
) -> None:
    with pytest.raises(DataError) as caught:
        judge(table, 0)
    assert str(caught.value) == sentence


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ({"over": "n"}, "over: 'n' is not among the columns of 'by'"),
        (
            {"by": "measure"},
            "the estimates have no column 'measure'; they have strategy, sim, estimate, "
            "std_error, df",
        ),
        (
            {"upper": 2},
            "lower, upper and liberal must be 0 <= lower <= 1 <= upper <= liberal < 1 / alpha, "
            "found 0.5, 2 and 1.5 with an alpha of 0.05",
        ),
        (
            {"liberal": 20},
            "lower, upper and liberal must be 0 <= lower <= 1 <= upper <= liberal < 1 / alpha, "
            "found 0.5, 1.3 and 20 with an alpha of 0.05",
        ),
    ],
)
def test_a_mistake_in_the_arguments_is_one_sentence(
    arguments: dict[str, Any], sentence: str
) -> None:
    with pytest.raises((ConfigError, DataError)) as caught:
        judge(TABLE, **arguments)
    assert str(caught.value) == sentence


def test_without_a_truth_it_is_asked_for() -> None:
    with pytest.raises(DataError) as caught:
        verdicts(TABLE)
    assert str(caught.value) == (
        "the estimates have no column 'true_value'; they have strategy, sim, estimate, "
        "std_error, df"
    )


def test_nothing_one_sim_and_no_standard_error_say_so() -> None:
    nothing = judge(TABLE.assign(estimate=np.nan), effects=1.0, equivariant=True)
    rows = nothing[~nothing["measure"].isin(["unusable_rate"])]
    assert set(rows["note"]) == {"no usable fit"} and rows["value"].isna().all()
    assert of(nothing, "unusable_rate")["value"] == 1
    assert of(nothing, "false_positive_rate")["safe"] is False
    single = judge(TABLE[:1], effects=1.0, equivariant=True)
    assert of(single, "relative_error")["note"] == "one sim"
    assert of(single, "false_positive_rate")["verdict"] == "undecided"
    bare = judge(TABLE[["strategy", "estimate"]], by="strategy")
    assert of(bare, "coverage", strategy="a")["note"] == "no column 'std_error'"
    assert np.isfinite(of(bare, "bias", strategy="a")["value"])
