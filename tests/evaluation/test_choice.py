"""Choosing by the data that are then tested: hand calculations, closed forms, and words."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy import stats

from clustrategy.calibration.restricted_likelihood import ScenarioLikelihoods
from clustrategy.core.shard import INTERCEPT, Shard
from clustrategy.dgp.given import GivenProcess, draw_given
from clustrategy.evaluation.cell_verdicts import FALSE_POSITIVES, POWER, UNUSABLE, Key, Rules
from clustrategy.evaluation.choice import (
    ALWAYS,
    CHOSEN,
    CLOSEST,
    PLAUSIBLE,
    RULES,
    Candidates,
    Choice,
    Outcomes,
    choice_table,
    judge_choice,
)
from clustrategy.evaluation.choice_in_words import choice_sentences
from clustrategy.evaluation.regions import LIBERAL, Regions

pytestmark = pytest.mark.filterwarnings("error::RuntimeWarning")

NAN = np.nan
# `bold` finds more, but is safe in the first scenario alone.
TWO = Candidates(
    ("bold", "meek"),
    np.array([[True, False], [True, True]]),
    np.array([[0.05, 0.2], [0.04, 0.05]]),
    np.array([[0.9, 0.8], [0.6, 0.5]]),
)


def judged(candidates: Candidates, shortfalls: Any, outcomes: Outcomes, **more: Any) -> Choice:
    options = {"kind": "x", "terms": ("x",), "effect": 0.5, **more}
    return judge_choice(Rules(), candidates, np.asarray(shortfalls), outcomes, **options)


def test_a_choice_between_two_by_hand():
    shortfalls = [[0.0, 5.0], [0.0, 1.92], [0.0, 1.93], [1.0, 0.0], [9.0, 0.0], [0.0, 0.0]]
    bold, meek = [1.0, 1.0, 0.0, 1.0, 1.0, 0.0], [0.0, 0.0, 1.0, 0.0, NAN, 1.0]
    found = judged(TWO, shortfalls, Outcomes(np.array([bold, meek]), np.ones((2, 6))))
    rates = {rule: found.judged[Key(rule, "x", FALSE_POSITIVES)].found for rule in RULES}
    # bold, meek, bold, meek, meek, meek: 1, 0, 0, 0, nothing, 1.
    assert (rates[PLAUSIBLE].value, rates[PLAUSIBLE].n) == (pytest.approx(2 / 5), 5)
    # bold, bold, bold, meek, meek, and where both are equally likely, meek: 1, 1, 0, 0, nothing, 1.
    assert (rates[CLOSEST].value, rates[CLOSEST].n) == (pytest.approx(3 / 5), 5)
    # meek: 0, 0, 1, 0, nothing, 1.
    assert (rates[ALWAYS].value, rates[ALWAYS].n) == (pytest.approx(2 / 5), 5)
    shares = {key: share.value for key, share in found.shares.items()}
    assert shares == {
        (PLAUSIBLE, "x", "bold"): pytest.approx(2 / 6),
        (PLAUSIBLE, "x", "meek"): pytest.approx(4 / 6),
        (CLOSEST, "x", "bold"): pytest.approx(3 / 6),
        (CLOSEST, "x", "meek"): pytest.approx(3 / 6),
        (ALWAYS, "x", "meek"): 1.0,
    }
    assert found.judged[Key(ALWAYS, "x", UNUSABLE)].found.value == pytest.approx(1 / 6)
    assert found.judged[Key(CLOSEST, "x", POWER, 0.5)].found.value == 1.0


@pytest.mark.parametrize(("unusable", "safe"), [(100, True), (101, False)])
def test_a_choice_that_often_has_no_usable_test_is_not_safe(unusable, safe):
    marks = (np.arange(2000) % 100 < 4).astype(float)
    marks[:unusable] = NAN
    found = judged(TWO, np.zeros((2000, 2)), Outcomes(np.array([marks, marks]), np.ones((2, 2000))))
    assert found.judged[Key(CLOSEST, "x", FALSE_POSITIVES)].safe is safe


def test_the_power_is_that_of_the_chosen_tests():
    findings = np.array([[1.0, 1.0, 0.0, 1.0], [0.0, 0.0, 0.0, NAN]])
    shortfalls = [[0.0, 9.0], [9.0, 0.0], [0.0, 9.0], [9.0, 0.0]]
    found = judged(TWO, shortfalls, Outcomes(np.zeros((2, 4)), findings))
    power = found.judged[Key(CLOSEST, "x", POWER, 0.5)].found
    assert (power.value, power.n) == (pytest.approx(1 / 3), 3)


@pytest.mark.parametrize(
    ("safe", "rate", "power", "expected"),
    [
        # None is safe in both: the lowest worst rate.
        ([[1, 0], [0, 1]], [[0.04, 0.2], [0.1, 0.05]], [[0.9, 0.9], [0.1, 0.1]], 1),
        # One without a rate is not chosen for it.
        ([[0, 0], [0, 0]], [[NAN, 0.01], [0.2, 0.3]], [[0.9, 0.9], [0.1, 0.1]], 1),
        # The mean of the power decides.
        ([[1, 1], [1, 1]], [[0.05, 0.05], [0.05, 0.05]], [[0.5, 0.5], [0.1, 0.95]], 1),
        # Of equal ones the first.
        ([[1, 1], [1, 1]], [[0.05, 0.05], [0.01, 0.01]], [[0.5, 0.7], [0.7, 0.5]], 0),
        # A power that is not known counts for nothing, but to be safe is more.
        ([[0, 0], [1, 1]], [[0.2, 0.2], [0.05, 0.05]], [[0.9, 0.9], [NAN, NAN]], 1),
    ],
)
def test_what_is_recommended_by_two_scenarios(safe, rate, power, expected):
    found = Candidates(("a", "b"), np.array(safe, dtype=bool), np.array(rate), np.array(power))
    assert found.recommended(np.array([True, True])) == expected


SHORTFALLS = arrays(float, (7, 3), elements=st.sampled_from([0.0, 0.5, 1.9, 2.0, 30.0])).map(
    lambda found: found - found.min(axis=1, keepdims=True)
)


@given(SHORTFALLS, arrays(float, (3, 7), elements=st.sampled_from([0.0, 1.0, NAN])))
def test_what_is_safe_and_best_everywhere_has_its_own_rate(shortfalls, rejected):
    best = np.array([[0.3] * 3, [0.9] * 3, [0.95] * 3])
    safe = np.array([[True] * 3, [True] * 3, [False] * 3])
    candidates = Candidates(("a", "b", "c"), safe, np.full((3, 3), 0.05), best)
    found = judged(candidates, shortfalls, Outcomes(rejected, rejected))
    own = rejected[1][~np.isnan(rejected[1])]
    for rule in RULES:
        rate = found.judged[Key(rule, "x", FALSE_POSITIVES)].found
        assert rate.n == own.size
        assert not own.size or rate.value == own.mean()


@given(
    SHORTFALLS,
    arrays(bool, (4, 3)),
    arrays(float, (4, 3), elements=st.sampled_from([0.03, 0.05, 0.1, NAN])),
    arrays(float, (4, 3), elements=st.sampled_from([0.2, 0.8, NAN])),
)
def test_a_dataset_has_the_same_choice_whatever_stands_beside_it(shortfalls, safe, rate, power):
    candidates = Candidates(("a", "b", "c", "d"), safe, rate, power)
    for most in RULES.values():
        alone = [candidates.chosen(one[None], most)[0] for one in shortfalls]
        assert candidates.chosen(shortfalls, most).tolist() == alone


def test_kinds_that_no_strategy_tests_are_left_out():
    none = replace(TWO, rate=np.full((2, 2), NAN), safe=np.zeros((2, 2), dtype=bool))
    found = judged(none, [[0.0, 1.0]], Outcomes(*np.full((2, 2, 1), NAN)))
    assert found == Choice({}, {})


# A treatment of whole clusters, 4 against 4 of 5 rows each; variances between clusters.
G, ROWS = 8, 5
VARIANCES = (0.0, 1.5)
TRUE = 0.3
SIMS = 2500


def trial(variance: float) -> GivenProcess:
    arm = np.repeat(np.arange(G) % 2, ROWS).astype(float)
    X = np.column_stack([np.ones(G * ROWS), arm])
    shard = Shard(np.zeros(G * ROWS), X, np.full((1, G), ROWS), (INTERCEPT, "arm"))
    return GivenProcess(shard, (INTERCEPT,), np.array([[variance]]), 1.0)


def closest_is_none(between: np.ndarray, within: np.ndarray) -> np.ndarray:
    """Whether no variance between clusters is the most likely, by the sums of squares.

    REML's criterion is (G - 2) log r + (N - 2) log(W + B / r) for r = 1 + ROWS tau^2 / sigma^2.
    """
    ratios = [1.0 + ROWS * variance for variance in VARIANCES]
    criteria = np.array(
        [(G - 2) * np.log(r) + (G * ROWS - 2) * np.log(within + between / r) for r in ratios]
    )
    return np.asarray(criteria.argmin(axis=0) == 0)


def pretest_size(variance: float, points: int = 300) -> float:
    """The size of OLS where no variance is the most likely, else of t on cluster means."""
    ratio = 1.0 + ROWS * variance
    share = (np.arange(points) + 0.5) / points
    between = ratio * stats.chi2.ppf(share, G - 2)[:, None]
    within = stats.chi2.ppf(share, G * ROWS - G)
    ols = stats.t.isf(0.025, G * ROWS - 2) * np.sqrt((between + within) / (G * ROWS - 2) / ratio)
    means = stats.t.isf(0.025, G - 2) * np.sqrt(between / (G - 2) / ratio)
    needed = np.where(closest_is_none(between, within), ols, means)
    return float(2.0 * stats.norm.sf(needed).mean())


def test_a_pretest_for_clusters_has_the_size_of_its_closed_form_and_is_liberal():
    processes = [trial(variance) for variance in VARIANCES]
    y = draw_given(trial(TRUE), 4, "any", range(SIMS)).y.reshape(SIMS, G, ROWS)
    means = y.mean(axis=2)
    arms = means[:, 1::2], means[:, ::2]
    estimate = arms[0].mean(axis=1) - arms[1].mean(axis=1)
    between = ROWS * sum(((arm - arm.mean(axis=1, keepdims=True)) ** 2).sum(axis=1) for arm in arms)
    within = ((y - means[..., None]) ** 2).sum(axis=(1, 2))
    spread = 4.0 / (G * ROWS)
    p_values = [
        2 * stats.t.sf(np.abs(estimate) / np.sqrt(spread * (between + within) / 38), 38),
        2 * stats.t.sf(np.abs(estimate) / np.sqrt(spread * between / 6), 6),
    ]
    rejected = (np.array(p_values) <= 0.05).astype(float)
    candidates = Candidates(
        ("ols", "means"),
        np.array([[True, False], [True, True]]),
        np.array([[0.05, 0.4], [0.05, 0.05]]),
        np.array([[0.9, 0.9], [0.7, 0.4]]),
    )
    shortfalls = ScenarioLikelihoods.of(processes).shortfalls(y.reshape(SIMS, -1))
    np.testing.assert_array_equal(shortfalls[:, 0] == 0.0, closest_is_none(between, within))
    outcomes = Outcomes(rejected, rejected)
    found = judge_choice(
        Rules(), candidates, shortfalls, outcomes, kind="arm", terms=("arm",), effect=1.0
    )
    pretest = found.judged[Key(CLOSEST, "arm", FALSE_POSITIVES)]
    expected = pretest_size(TRUE)
    assert expected > 0.1
    assert abs(pretest.found.value - expected) < 4.0 * pretest.found.mcse
    assert pretest.verdict.word == LIBERAL and not pretest.safe
    # The report's rule takes OLS only where the data speak against all clustering.
    report = found.judged[Key(PLAUSIBLE, "arm", FALSE_POSITIVES)].found.value
    assert abs(report - 0.05) < abs(pretest.found.value - 0.05)


def table_of(*rejections: float, sims: int = 2000, always: float = 0.05, **more: Any) -> pa.Table:
    """Two scenarios where `bold` rejects a share, and `meek` another: the data tell them apart."""
    choices = []
    for place, share in enumerate(rejections):
        shortfalls = np.full((sims, 2), 9.0)
        shortfalls[:, place] = 0.0
        marks = (np.arange(sims) % 1000 < 1000 * np.array([[share], [always]])).astype(float)
        marks = np.where(np.array([[share], [always]]) < 0, NAN, marks)
        choices.append([judged(more.get("of", TWO), shortfalls, Outcomes(marks, marks))])
    names = ["estimated", "upper_95"][: len(rejections)]
    return choice_table(names, choices, Rules())


def test_the_table_has_every_scenario_and_then_the_worst():
    table = table_of(0.12, 0.3)
    rows = table.to_pylist()
    rates = [one for one in rows if one["measure"] == FALSE_POSITIVES]
    assert [(one["scenario"], one["rule"], one["value"]) for one in rates] == [
        ("estimated", PLAUSIBLE, 0.12),
        ("estimated", CLOSEST, 0.12),
        ("estimated", ALWAYS, 0.05),
        ("upper_95", PLAUSIBLE, 0.05),
        ("upper_95", CLOSEST, 0.05),
        ("upper_95", ALWAYS, 0.05),
        (None, PLAUSIBLE, 0.12),
        (None, CLOSEST, 0.12),
        (None, ALWAYS, 0.05),
    ]
    worst = rates[-3]
    assert worst["scope"] == "all" and worst["worst_cell"] == "scenario estimated"
    assert (worst["safe"], worst["liberal_cells"], worst["cells"]) == (False, 1, 2)
    assert worst["mcse"] == pytest.approx(np.sqrt(0.12 * 0.88 / 2000))
    # The interval of the worst of two has the level 97.5 %: Wilson's, written out.
    z = stats.norm.isf(0.0125)
    centre = (0.12 + z**2 / 4000) / (1 + z**2 / 2000)
    half = z / (1 + z**2 / 2000) * np.sqrt(0.12 * 0.88 / 2000 + z**2 / 4 / 2000**2)
    assert (worst["conf_low"], worst["conf_high"]) == pytest.approx((centre - half, centre + half))
    chosen = [one for one in rows if one["measure"] == CHOSEN]
    assert [(one["scenario"], one["rule"], one["chosen"], one["value"]) for one in chosen] == [
        ("estimated", PLAUSIBLE, "bold", 1.0),
        ("estimated", CLOSEST, "bold", 1.0),
        ("estimated", ALWAYS, "meek", 1.0),
        ("upper_95", PLAUSIBLE, "meek", 1.0),
        ("upper_95", CLOSEST, "meek", 1.0),
        ("upper_95", ALWAYS, "meek", 1.0),
    ]
    assert table.schema.names[0] == "scenario"


def test_candidates_are_the_cells_of_the_verdicts():
    def line(strategy: str, scenario: str, measure: str, value: float | None, **more: Any) -> dict:
        return {
            "scope": "cell",
            "kind": "x",
            "strategy": strategy,
            "scenario": scenario,
            "measure": measure,
            "effect": None,
            "value": value,
            "safe": None,
            **more,
        }

    adjusted = "size_adjusted_power"
    rows = [
        line("a", "s", FALSE_POSITIVES, 0.04, safe=True),
        line("a", "t", FALSE_POSITIVES, 0.08, safe=False),
        line("b", "s", FALSE_POSITIVES, None),
        line("a", "s", adjusted, 0.7, effect=0.5),
        line("a", "s", adjusted, 0.9, effect=1.0),
        line("a", "t", adjusted, 0.6, effect=0.5, kind="z"),
        line("a", "t", adjusted, 0.6, effect=0.5, scope="all"),
        line("a", "t", POWER, 0.6, effect=0.5),
    ]
    found = Candidates.of(rows, "x", 0.5, ["a", "b"], ["s", "t"])
    np.testing.assert_array_equal(found.safe, [[True, False], [False, False]])
    np.testing.assert_array_equal(found.rate, [[0.04, 0.08], [NAN, NAN]])
    np.testing.assert_array_equal(found.power, [[0.7, NAN], [NAN, NAN]])


LIST = (
    "Choosing between bold and meek by the variance components of the same data, and then testing "
    "x,"
)


@pytest.mark.parametrize(
    ("table", "expected"),
    [
        (
            table_of(0.12, 0.3),
            f"{LIST} rejects a true null hypothesis in 12.0 % (0.7) at worst (scenario estimated): "
            "that is liberal. With meek whatever the data it is 5.0 % (0.5). Do not choose so: "
            "settle on one before the response is looked at.",
        ),
        (
            table_of(0.052, 0.3),
            f"{LIST} rejects a true null hypothesis in 5.2 % (0.5) at worst (scenario estimated): "
            "that is safe in all scenarios. With meek whatever the data it is 5.0 % (0.5).",
        ),
        (
            table_of(0.07, 0.3, sims=1000),
            f"{LIST} rejects a true null hypothesis in 7.0 % (0.8) at worst (scenario estimated): "
            "that is not shown to be safe in all scenarios. With meek whatever the data it is "
            "5.0 % (0.7).",
        ),
        (
            table_of(0.2, 0.3, of=replace(TWO, safe=TWO.safe & [[False], [True]])),
            "For x the variance components of the same data leave no choice: whatever they are, it "
            "is meek, which rejects a true null hypothesis in 5.0 % (0.5): that is safe in all "
            "scenarios.",
        ),
        (
            table_of(-1.0, -1.0, always=-1.0),
            "For x nothing can be said of choosing by the same data: no test is usable.",
        ),
    ],
)
def test_what_is_said(table, expected):
    assert choice_sentences(table) == [expected]


def test_the_estimate_is_not_to_be_taken_at_its_word_where_that_is_liberal():
    sims = 2000
    shortfalls = np.tile([0.0, 1.0], (sims, 1))
    marks = (np.arange(sims) % 1000 < np.array([[150], [50]])).astype(float)
    choice = judged(TWO, shortfalls, Outcomes(marks, marks))
    assert choice_sentences(choice_table(["estimated"], [[choice]], Rules())) == [
        "For x the variance components of the same data leave no choice: whatever they are, it is "
        "meek, which rejects a true null hypothesis in 5.0 % (0.5): that is safe. Do not take the "
        "estimated components at their word: to choose as if they were known rejects in 15.0 % "
        "(0.8)."
    ]


def test_the_intercept_is_spoken_of_only_where_there_is_nothing_else():
    def of(*kinds: str) -> pa.Table:
        outcomes = Outcomes(*np.zeros((2, 2, 2000)))
        shortfalls = np.tile([0.0, 9.0], (2000, 1))
        choices = [judged(TWO, shortfalls, outcomes, kind=kind, terms=(kind,)) for kind in kinds]
        return choice_table(["estimated"], [choices], Rules())

    start = "Choosing bold by the variance components of the same data, and then testing "
    (said,) = choice_sentences(of("intercept", "x"))
    assert said.startswith(f"{start}x,")
    (said,) = choice_sentences(of("intercept"))
    assert said.startswith(f"{start}intercept,")


def test_the_level_of_the_regions_is_the_one_asked_for():
    shortfalls = np.tile([0.0, 9.0], (2000, 1))
    marks = np.tile((np.arange(2000) % 1000 < 50).astype(float), (2, 1))
    rules = Rules(Regions(alpha=0.01))
    found = judge_choice(
        rules, TWO, shortfalls, Outcomes(marks, marks), kind="x", terms=("x",), effect=0.5
    )
    assert found.judged[Key(CLOSEST, "x", FALSE_POSITIVES)].verdict.word == LIBERAL
