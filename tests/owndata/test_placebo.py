"""The placebo check: its size, what it finds out, and what it says."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from scipy import stats

from clustrategy import calibrate
from clustrategy.calibration.working_model import working_model
from clustrategy.core.errors import ConfigError, DataError
from clustrategy.core.shard import INTERCEPT, Shard
from clustrategy.design.from_table import design_from_table
from clustrategy.design.random_effects import RandomEffects
from clustrategy.dgp.given import GivenProcess, draw_given
from clustrategy.engines.chosen import Strategy
from clustrategy.owndata.placebo import SCHEMA, placebo
from clustrategy.owndata.placebo_words import finding

pytestmark = pytest.mark.filterwarnings("error::RuntimeWarning")

OLS = Strategy.parse("ols")
FIXED = Strategy.parse("fixed_effects")
WILD = Strategy.parse({"strategy": "wild_cluster_bootstrap", "draws": 39, "name": "wild"})


def trial(clusters: int = 12, rows: int = 6) -> Shard:
    """A time within clusters and an arm between them."""
    n = np.full((1, clusters), rows)
    time = np.tile(np.linspace(-1.0, 1.0, rows), clusters)
    arm = np.repeat(np.arange(clusters) % 2, rows).astype(float)
    X = np.column_stack([np.ones(time.size), time, arm])
    return Shard(np.zeros(time.size), X, n, (INTERCEPT, "time", "arm"))


SHARD = trial()
TERMS = {"time": (1,), "arm": (2,)}
PROCESS = GivenProcess(SHARD, (INTERCEPT,), np.array([[0.25]]), 1.0)


def outcome(process: GivenProcess, sim: int, beta: float = 0.0) -> Shard:
    """The dataset with an outcome of a process, `beta` the effect of all predictors."""
    y = draw_given(process, 99, "real", [sim]).y
    return replace(process.shard, y=y + process.shard.X @ np.array([3.0, beta, beta]))


def check(shard: Shard, *strategies: Strategy, **options: object) -> pa.Table:
    arguments = {"terms": TERMS, "process": PROCESS, "seed": 1, "draws": 20, "outcomes": 39}
    return placebo(shard, strategies=strategies or (OLS,), **{**arguments, **options})


def test_p_values_are_uniform_if_the_working_model_is_right():
    """None is smaller than uniform ones are; ties make them larger."""
    p = np.array(
        [check(outcome(PROCESS, sim), OLS, terms={"arm": (2,)})["p_value"] for sim in range(30)],
        dtype=float,
    ).reshape(-1)
    for level in (0.05, 0.1, 0.2, 0.5):
        assert (p <= level).sum() <= stats.binom.ppf(0.999, p.size, level)
    assert (p <= 0.5).mean() > 0.25
    assert stats.kstest(p, "uniform", alternative="greater").pvalue > 0.001


WIDE = replace(PROCESS, shard=trial(24))
INDEPENDENT = replace(WIDE, covariance=np.zeros((1, 1)))
SLOPES = {"random": (INTERCEPT, "time"), "covariance": np.diag([0.25, 1.0])}


@pytest.mark.parametrize(
    ("model", "wrong", "term"),
    [
        (INDEPENDENT, {"autocorrelation": 0.8}, "arm"),
        (INDEPENDENT, {"covariance": np.eye(1)}, "arm"),
        (WIDE, SLOPES, "time"),
    ],
    ids=["errors correlate from row to row", "clusters differ", "slopes vary"],
)
def test_a_wrong_working_model_is_found_out(model, wrong, term):
    """In more of five outcomes than where it is right, and by rates that are too high."""
    found = {True: 0, False: 0}
    for sim in range(5):
        for is_right in found:
            real = outcome(model if is_right else replace(model, **wrong), sim)
            only = {term: TERMS[term]}
            (row,) = check(real, terms=only, process=model, draws=30).to_pylist()
            found[is_right] += not row["agrees"] and row["rate"] > row["expected_high"]
    assert found[True] <= 1
    assert found[False] >= 4


def test_true_effects_are_no_disagreement():
    """All numbers but rounding are those of the outcome without effects."""
    without, large = (check(outcome(PROCESS, 3, beta), OLS, FIXED) for beta in (0.0, 50.0))
    assert without.equals(large)


def test_expected_rates_are_those_of_least_squares_with_independent_errors():
    """Without random effects OLS is exact: 5 %, but for what its residuals lack."""
    process = GivenProcess(SHARD, (), np.zeros((0, 0)), 2.0)
    found = check(outcome(process, 1), process=process, draws=50, outcomes=99).to_pylist()
    for row in found:
        assert abs(row["expected"] - 0.05) < 0.01 + 3 * row["expected_mcse"]
        assert row["expected_low"] <= row["expected"] <= row["expected_high"]


def test_the_rate_is_the_share_that_a_loop_finds():
    """Every placebo fitted by itself, to the outcome less what least squares fits."""
    from clustrategy.dgp.seeds import cell_key
    from clustrategy.owndata.placebos import placebos

    process = replace(PROCESS, shard=trial(6))
    real = outcome(process, 5)
    rows = {row["term"]: row for row in check(real, process=process, seed=7).to_pylist()}
    rest = real.y - real.X @ np.linalg.lstsq(real.X, real.y)[0]
    for term, columns in TERMS.items():
        key = cell_key({"placebo": term})
        rng = np.random.default_rng(np.random.SeedSequence(7, spawn_key=key))
        made = placebos(real, columns, 20, rng)
        assert made.times.max() > 1
        rejections = 0
        for one, times in zip(made.designs(), made.times, strict=True):
            X = one.X
            beta, (rss,), *_ = np.linalg.lstsq(X, rest)
            df = rest.size - 3
            se = np.sqrt(rss / df * np.linalg.inv(X.T @ X)[columns[0], columns[0]])
            rejections += times * (2 * stats.t.sf(abs(beta[columns[0]]) / se, df) < 0.05)
        assert rows[term]["rate"] == rejections / 20


def test_the_interval_and_the_p_value_say_the_same():
    real = [outcome(process, sim) for process in (WIDE, replace(WIDE, **SLOPES)) for sim in (0, 1)]
    found = pa.concat_tables([check(one, terms={"time": (1,)}, process=WIDE) for one in real])
    assert {row["agrees"] for row in found.to_pylist()} == {True, False}
    for row in found.to_pylist():
        assert row["agrees"] == (row["p_value"] > 0.05)
        assert row["p_value_all"] >= 1 / 40


def test_the_correction_for_all_rows_takes_their_dependence_into_account():
    """The same test under another name changes nothing; one that differs makes it no smaller."""
    real = outcome(replace(WIDE, **SLOPES), 1)
    arguments = {"terms": {"time": (1,)}, "process": WIDE}
    alone, same, more = (
        check(real, *strategies, **arguments)["p_value_all"][0].as_py()
        for strategies in (
            (OLS,),
            (OLS, Strategy.parse({"strategy": "ols", "name": "b"})),
            (OLS, FIXED),
        )
    )
    assert alone == same == 1 / 40
    assert more >= alone
    real = outcome(WIDE, 0)
    alone, more = (
        check(real, *strategies, **arguments)["p_value_all"][0].as_py()
        for strategies in ((OLS,), (OLS, FIXED))
    )
    assert 1 / 40 < alone < more


def test_a_term_does_not_depend_on_what_stands_beside_it_nor_a_strategy():
    real = outcome(PROCESS, 2)
    rows = check(real, OLS, FIXED).to_pylist()
    (alone,) = check(real, OLS, terms={"arm": (2,)}).to_pylist()
    (both,) = [row for row in rows if (row["term"], row["strategy"]) == ("arm", "ols")]
    for row in (alone, both):
        del row["p_value_all"], row["sentence"]
    assert alone == both
    assert check(real, OLS, FIXED).equals(check(real, OLS, FIXED))
    assert not check(real, seed=2).equals(check(real, seed=1))


def test_rows_without_numbers_say_why():
    rows = check(outcome(PROCESS, 1), FIXED, WILD).to_pylist()
    notes = {(row["term"], row["strategy"]): row["note"] for row in rows}
    assert notes == {
        ("time", "fixed_effects"): "",
        ("time", "wild"): "it resamples, which takes too long for so many placebos",
        ("arm", "fixed_effects"): "the strategy does not test this coefficient",
        ("arm", "wild"): "it resamples, which takes too long for so many placebos",
    }
    none = [row for row in rows if row["note"]]
    assert all(row["rate"] is None and row["agrees"] is None for row in none)
    assert all(row["p_value_all"] is None and row["outcomes"] == 0 for row in none)
    assert none[0]["sentence"] == f"time, wild: {none[0]['note']}."


def test_a_formula_without_predictors_has_an_empty_check():
    found = check(outcome(PROCESS, 1), terms={})
    assert (found.num_rows, found.schema) == (0, SCHEMA)


def test_two_clusters_have_no_check():
    shard = trial(clusters=2)
    process = replace(PROCESS, shard=shard)
    found = check(outcome(process, 1), process=process)
    assert found.schema == SCHEMA
    assert all(note.startswith("no placebo: ") for note in found["note"].to_pylist())


def test_the_columns_of_a_factor_have_a_row_each():
    rng = np.random.default_rng(3)
    data = pd.DataFrame(
        {
            "school": np.repeat(np.arange(12), 5),
            "kind": np.repeat(["a", "b", "c"] * 4, 5),
            "y": rng.standard_normal(60),
        }
    )
    design = design_from_table(data, "y ~ kind", "school")
    model = working_model(design.shard, RandomEffects.of([[INTERCEPT]], True, ("1",)))
    process = GivenProcess(design.shard, (INTERCEPT,), model.covariance, model.sigma)
    found = check(design.shard, terms=design.terms, process=process)
    assert found["term"].to_pylist() == ["kind[T.b]", "kind[T.c]"]
    assert found["placebos"].to_pylist() == [20, 20]
    assert not found["rate"].null_count


def test_a_calibration_has_the_check_of_its_table():
    real = outcome(PROCESS, 4)
    codes = real.cluster_codes(0)
    data = pd.DataFrame({"g": codes, "time": real.X[:, 1], "arm": real.X[:, 2], "y": real.y})
    found = calibrate(
        data,
        "y ~ time + arm",
        cluster="g",
        strategies=["ols", "fixed_effects"],
        sims=10,
        scenarios="upper_80",
        seed=6,
    )
    columns = design_from_table(data, "y ~ time + arm", "g").terms
    (model,) = [one.process for one in found.given.scenarios if one.name == "estimated"]
    expected = placebo(real, columns, found.study.strategies, model, seed=6)
    pd.testing.assert_frame_equal(found.placebo(), expected.to_pandas())


def rows_of(**changes: object) -> list[dict[str, object]]:
    row = dict.fromkeys(SCHEMA.names) | {"term": "x", "rate": 0.06, "expected": 0.05}
    return [row | {"agrees": True, "p_value_all": 0.8} | changes]


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        ([], "No term of this table has a placebo that a strategy could test"),
        (rows_of(), "Placebos are rejected on these data as often as the working model says"),
        (
            rows_of() + rows_of(agrees=False, p_value_all=0.3),
            "1 of 2 placebo rates is outside what the working model says, no more than chance "
            "explains",
        ),
        (
            rows_of() + rows_of(agrees=False, p_value_all=0.02, rate=0.4),
            "The working model does not describe these data: placebos of x are rejected more often "
            "than it says",
        ),
        (
            rows_of(p_value_all=0.01, rate=0.4) + rows_of(p_value_all=0.01, rate=0.0, term="z"),
            "The working model does not describe these data: placebos of x and z are rejected "
            "otherwise than it says",
        ),
        (
            rows_of(p_value_all=0.01, rate=0.0),
            "The working model does not describe these data: placebos of x are rejected less often "
            "than it says",
        ),
    ],
)
def test_the_finding_of_all_rows(rows, said):
    assert finding(rows) == said


@pytest.mark.parametrize(
    ("changes", "error", "match"),
    [
        ({"draws": 0}, ConfigError, "draws must be at least 1, found 0"),
        ({"outcomes": 38}, ConfigError, "outcomes must be at least 39, .*, found 38"),
        ({"alpha": 1.0}, ConfigError, "alpha must be between 0 and 1, both excluded, found 1"),
        ({"strategies": ()}, ConfigError, "the placebo check needs at least one strategy"),
        ({"process": replace(PROCESS, shard=trial(rows=7))}, ValueError, "another design"),
    ],
)
def test_what_makes_no_sense_is_refused(changes, error, match):
    arguments = {"strategies": (OLS,), "process": PROCESS, "seed": 1, "outcomes": 39}
    with pytest.raises(error, match=match):
        placebo(SHARD, TERMS, **{**arguments, **changes})


def test_predictors_that_depend_on_each_other_are_refused():
    shard = replace(SHARD, X=SHARD.X[:, [0, 1, 1]])
    with pytest.raises(DataError, match="linearly dependent"):
        check(shard, process=replace(PROCESS, shard=shard))
