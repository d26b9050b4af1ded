"""What a study on a table says that a reader should do, against sentences written by hand."""

from __future__ import annotations

from typing import Any

import pytest

from clustrategy.core.scenarios import NAMES
from clustrategy.evaluation.cell_verdicts import table_of
from clustrategy.evaluation.over_cells import named
from clustrategy.evaluation.recommendation import Advice, advice, table_of_kinds
from clustrategy.evaluation.wording import ScenarioWording, Wording, supposed, wording_of
from tests.evaluation.test_recommendation import rows

SAFE, LIBERAL, OPEN = (9, 0, 0), (2, 6, 1), (5, 0, 4)
WORST = "scenario slopes_vary"
SLOPES = "slopes that vary between clusters as much as the data allow"
EFFECTS = {"treat": 0.5, "C(arm)[T.b]": 1.0, "(Intercept)": 0.5}
ABOUT = (
    "This holds for this table's predictors, clusters and sizes, under these scenarios; a choice "
    "made after a look at the estimates voids it."
)


def of_treat(strategy: str, rate: float | None, counts: Any = SAFE, **more: Any) -> list[dict]:
    own: dict[str, Any] = {"kind": "treat", "terms": "treat", "worst": WORST, **more}
    low, high = own.pop("span", (0.52, 0.81))
    found = rows(strategy, rate, counts, **own)
    for line in found:
        if line["measure"] == "size_adjusted_power":
            line |= {"lowest": low, "highest": high}
    return found


def advised(*parts: list[dict], **more: Any) -> Advice:
    table = table_of([row for part in parts for row in part])
    return advice(table, EFFECTS, wording=ScenarioWording(), **{"sims": 1000, **more})


FOUND = "finding an effect of 0.5 in 52 to 81 % of datasets, depending on the scenario"
A_SAFE = of_treat("A", 0.051)
CASES: dict[str, tuple[list[list[dict[str, Any]]], str]] = {
    "one is safe": ([A_SAFE], f"For treat use A: safe in all 9 scenarios, {FOUND}."),
    "two are, the range is that of both": (
        [A_SAFE, of_treat("B", 0.05, span=(0.5, 0.8))],
        "For treat use A or B: safe in all 9 scenarios, finding an effect of 0.5 in 50 to 81 % of "
        "datasets, depending on the scenario.",
    ),
    "the same power in all scenarios": (
        [of_treat("A", 0.05, span=(0.598, 0.602))],
        "For treat use A: safe in all 9 scenarios, finding an effect of 0.5 in 60 % of datasets.",
    ),
    "others are liberal": (
        [
            A_SAFE,
            of_treat("B", 0.244, LIBERAL),
            of_treat("C", 0.12, LIBERAL, worst="scenario upper_95"),
        ],
        f"For treat use A: safe in all 9 scenarios, {FOUND}. Do not use B (24 % false positives at "
        f"worst, in the scenario slopes_vary: {SLOPES}; liberal in 6 of 9 scenarios) or C (12 %, "
        "6 scenarios).",
    ),
    "all are liberal": (
        [of_treat("B", 0.2, (8, 1, 0), worst="scenario upper_95"), of_treat("C", 0.3, LIBERAL)],
        "For treat no strategy is safe; the least liberal is B, with 20.0 % (0.5) false positives "
        "in its worst scenario, upper_95: the random effects' standard deviations at their upper "
        "95 % limits. Do not use C (30 % false positives at worst, in the scenario slopes_vary: "
        f"{SLOPES}; liberal in 6 of 9 scenarios) or B (20 %, 1 scenario).",
    ),
    "all scenarios alike": (
        [of_treat("B", 0.2, LIBERAL, worst=None)],
        "For treat no strategy is safe; the least liberal is B, with 20.0 % (0.5) false positives "
        "in its worst scenario. Do not use B (20 % false positives at worst, liberal in 6 of 9 "
        "scenarios).",
    ),
    "some are open": (
        [A_SAFE, of_treat("B", 0.06, OPEN)],
        f"For treat use A: safe in all 9 scenarios, {FOUND}. B is undecided: not shown to be safe "
        "in each scenario so far.",
    ),
    "all are open": (
        [of_treat("A", 0.06, OPEN)],
        "For treat nothing speaks against A (finds an effect of 0.5 in 60 % of datasets, mean over "
        "these scenarios): not found liberal in any scenario.",
    ),
    "one scenario and open": (
        [of_treat("A", 0.06, (0, 0, 1))],
        "For treat nothing speaks against A (finds an effect of 0.5 in 60 % of datasets): not "
        "found liberal here.",
    ),
    "one scenario": (
        [of_treat("A", 0.05, (1, 0, 0)), of_treat("B", 0.3, (0, 1, 0))],
        "For treat use A: safe in the one scenario, finding an effect of 0.5 in 60 % of datasets. "
        "Do not use B (30 % false positives).",
    ),
    "one dataset": (
        [of_treat("A", 0.0, (0, 0, 9), n=1)],
        "For treat nothing can be said: one dataset a scenario tells no rate.",
    ),
    "nothing is usable": (
        [of_treat("A", None, (0, 0, 9), note="no usable fit", unusable=1.0)],
        "For treat nothing can be said: no strategy has a usable test.",
    ),
    "no power is known": (
        [of_treat("A", 0.05, power=None, span=(None, None))],
        "For treat use A: safe in all 9 scenarios.",
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_the_sentences_on_a_table(case: str) -> None:
    parts, sentence = CASES[case]
    (answer,) = advised(*parts).answers
    assert " ".join(answer.sentences) == sentence


def test_each_term_is_named_as_it_is_and_has_its_own_effect() -> None:
    """A column may have a name like those of kinds; a dummy's name has brackets and commas."""
    other = "C(arm)[T.b]"
    found = advised(
        of_treat("A", 0.3, LIBERAL, kind="intercept"), A_SAFE, of_treat("A", 0.05, kind=other)
    )
    begins = [answer.sentences[0].partition(":")[0] for answer in found.answers]
    assert begins == ["For treat use A", "For C(arm)[T.b] use A"]
    assert [answer.effect for answer in found.answers] == [0.5, 1.0]
    assert "effect of 1 in" in found.answers[1].sentences[0]
    wording = ScenarioWording()
    assert wording.terms("predictor, my own") == "predictor, my own"
    assert wording.terms("intercept") == "the intercept"


def test_what_a_scenario_supposes_is_said_where_it_is_first_named() -> None:
    found = advised(
        of_treat("B", 0.2, LIBERAL), of_treat("B", 0.3, LIBERAL, kind="C(arm)[T.b]")
    ).paragraphs
    assert found[:2] == [
        "For treat no strategy is safe; the least liberal is B, with 20.0 % (0.5) false positives "
        f"in its worst scenario, slopes_vary: {SLOPES}. Do not use B (20 % false positives at "
        "worst, in the scenario slopes_vary; liberal in 6 of 9 scenarios).",
        "For C(arm)[T.b] no strategy is safe; the least liberal is B, with 30.0 % (0.5) false "
        "positives in its worst scenario, slopes_vary. Do not use B (30 % false positives at "
        "worst, in the scenario slopes_vary; liberal in 6 of 9 scenarios).",
    ]


@pytest.mark.parametrize(
    ("parts", "sentence"),
    [
        ([A_SAFE], ABOUT),
        (
            [A_SAFE, of_treat("B", 0.06, OPEN)],
            f"1,000 sims a scenario leave some strategies undecided; with more. {ABOUT}",
        ),
        (
            [of_treat("B", 0.06, OPEN)],
            "1,000 sims a scenario are too few to show any strategy to be safe in all 9 scenarios; "
            f"with more. {ABOUT}",
        ),
    ],
)
def test_the_reservations_are_those_of_a_table(parts: list[list[dict]], sentence: str) -> None:
    """Nothing is said of predictors that are constant within clusters: the table has its own."""
    assert advised(*parts, certify="with more").paragraphs[-1] == sentence


def test_a_study_of_scenarios_has_their_words() -> None:
    assert wording_of(["scenario"]).cells == "scenarios"
    assert wording_of(["clusters", "obs_per_cluster"]) == Wording("cell")
    for name, words in NAMES.items():
        assert supposed(named({"scenario": name})) == f"{name}: {words}"


def test_of_many_terms_the_table_has_the_rates_alone() -> None:
    names = ["a", "b", "c", "d", "e"]
    effects = dict.fromkeys(names, 0.5)
    parts = [row for name in names for row in of_treat("A", 0.04, LIBERAL, kind=name)]
    _, ((*_, last, _singular, _unusable),) = table_of_kinds(
        advice(table_of(parts), effects, sims=9, wording=ScenarioWording()).answers
    )
    assert last == "4.0 % (0.5)"
    four = [row for row in parts if row.get("kind") != "e"]
    _, ((*_, last, _singular, _unusable),) = table_of_kinds(
        advice(table_of(four), effects, sims=9, wording=ScenarioWording()).answers
    )
    assert last == "4.0 % (0.5)  2 / 6 / 1"
