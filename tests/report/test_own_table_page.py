"""The page of a study on a table: its order, its reservations, and what a table may hold."""

from __future__ import annotations

from typing import Any

import pyarrow as pa
import pytest

from clustrategy.report.own_table import OwnTable, estimate_tables, on_slopes, placebo_words, uses
from clustrategy.report.references import references
from tests.report.own_pages import (
    BAD,
    ESTIMATES,
    FOUND,
    SAFE,
    answers,
    least,
    page,
    rows_on,
    study_of,
)
from tests.report.pages import text_of
from tests.report.test_page import Elements

EVIL = "<b onclick=alert(1)>{{ 7 * 7 }}</b>"


def test_the_recommendation_is_first_and_the_estimates_are_last_and_folded() -> None:
    study = study_of()
    rows = [*rows_on(study, "two_stage", **SAFE), *rows_on(study, "ols", 0.3, **BAD)]
    own = OwnTable(least("x", FOUND), estimates=ESTIMATES)
    found = page(study, rows, own=own)
    heads = [
        "The recommendation",
        "Decide now, before you look at the estimates",
        "The evidence",
        "What the scenarios suppose",
        "What it does not cover",
        "Why to believe it",
        "The estimates on the real data",
    ]
    places = [found.index(f">{head}</h") for head in heads]
    assert places == sorted(places)
    before, _, last = found.partition("The estimates on the real data</h2>")
    assert "4.32" not in before
    sentence, _, folded = last.partition("<details>")
    assert "Decide on the strategy first." in sentence
    assert "4.32" in folded.partition("</details>")[0]
    assert "4.32" not in sentence + folded.partition("</details>")[2]
    text = text_of(found)
    advice = text.index("For x use two_stage: safe in all 2 scenarios")
    table = text.index(
        "x two_stage ✓ safe 5.0 % (1.0) in upper_95 1.23 (1.20 to 1.27) 0.61 SD of the"
    )
    assert advice < table < text.index("The evidence", table)


def test_what_was_not_computed_is_absent() -> None:
    text = text_of(page(study_of()))
    for word in ("found in 80", "Placebo check", "The estimates on the real data", "Its size:"):
        assert word not in text
    assert "its false positives were not counted here" in text
    for word in ("Missing rows", "The level to cluster at", "Crossed factors", "Which average"):
        assert word in text


def test_the_placebo_check_is_a_sentence_of_the_answer() -> None:
    row = {"term": "x", "strategy": "ols", "rate": 0.4, "expected": 0.05, "agrees": False}
    row |= {"p_value_all": 0.02, "sentence": "x, ols: 40 %."}
    none = {**dict.fromkeys(row), "sentence": "x, two_stage: no placebo."}
    text = text_of(page(study_of(), own=OwnTable(placebo=pa.Table.from_pylist([row, none]))))
    answer = text.partition("Strategies and their worst scenario")[0]
    assert "The working model does not describe these data: placebos of x" in answer
    assert "So the rates of this page may be off, too" in answer
    assert "x, two_stage: no placebo." in text.partition("The placebo check")[2]


def test_a_placebo_check_that_agrees_proves_nothing_and_none_says_nothing() -> None:
    row = {"term": "x", "strategy": "ols", "rate": 0.05, "expected": 0.05, "agrees": True}
    row |= {"p_value_all": 0.9, "sentence": "x, ols: 5 %."}
    found = placebo_words(pa.Table.from_pylist([row]))
    assert found is not None
    assert found.finding.endswith("it supports the working model and does not prove it.")
    found = placebo_words(pa.Table.from_pylist([{**dict.fromkeys(row), "sentence": "none"}]))
    assert found is not None
    assert found.finding == "No term of this table has a placebo that a strategy could test."


def test_slopes_that_are_not_seen_to_vary_are_said() -> None:
    flat = ("estimated", "slopes_vary")
    said = on_slopes(study_of(scenarios=flat))
    assert said.startswith("By the estimate the slope of x does not vary between clusters.")
    assert "So the scenario slopes_vary is always there" in said
    assert "leaves the scenario slopes_vary out" in on_slopes(study_of())
    assert on_slopes(study_of(slopes=2.0)) == ""


@pytest.mark.parametrize(
    ("value", "fields", "said"),
    [
        (0.3, BAD, "For x no strategy is safe; the least liberal is ols"),
        (0.05, {}, "For x nothing speaks against ols"),
        (None, {}, "For x nothing can be said: no strategy has a usable test."),
    ],
)
def test_one_strategy_that_is_not_safe(value: float | None, fields: Any, said: str) -> None:
    study = study_of(strategies=["ols"])
    text = text_of(page(study, rows_on(study, "ols", value, **fields)))
    assert said in text
    assert ("What to use" in text) == (value == 0.05)
    assert "One strategy applied to the same 200 simulated outcomes, 100 of each scenario." in text


def test_one_scenario() -> None:
    study = study_of(scenarios=["estimated"])
    one = {**SAFE, "safe_cells": 1}
    text = text_of(page(study, rows_on(study, "ols", **one)))
    assert "safe in the one scenario" in text
    assert "100 simulated outcomes of one scenario." in text
    assert "upper_95 the random effects' standard deviations at their upper 95 % limits not" in text


def test_names_of_columns_are_no_html() -> None:
    study = study_of(EVIL, strategies=[{"strategy": "ols", "name": EVIL}])
    term = study.given.shard.terms[1] if study.given else ""
    assert EVIL in term
    estimates = pa.Table.from_pylist(
        [{**row, "term": term, "strategy": EVIL} for row in ESTIMATES.to_pylist()]
    )
    row = {**FOUND, "strategy": EVIL, "effect": None, "note": EVIL}
    own = OwnTable(least(term, row), estimates=estimates, rows=EVIL)
    found = page(study, rows_on(study, EVIL, **SAFE), own=own)
    elements = Elements(found).found
    assert not [name for _, attributes in elements for name in attributes if name[:2] == "on"]
    assert "script" not in {tag for tag, _ in elements}
    assert text_of(found).count(EVIL) > 5
    assert "49" not in found.partition("<style>")[0]


def test_an_effect_that_no_study_finds_has_a_note() -> None:
    study = study_of()
    row = {**FOUND, "effect": None, "note": "power does not reach 80 %"}
    (found,) = uses(answers(study, rows_on(study, "two_stage", **SAFE)), least("x", row))
    assert found.verdict == "safe"
    assert (found.effect, found.note) == ("–", "power does not reach 80 %")


def test_what_is_undecided_stands_in_for_what_is_safe_with_its_size_adjusted_effect() -> None:
    study = study_of()
    adjusted = {**FOUND, "size_adjusted": True, "effect": 1.5, "standardised": None}
    rows = [*rows_on(study, "ols", 0.3, **BAD), *rows_on(study, "two_stage")]
    (found,) = uses(answers(study, rows), least("x", FOUND, adjusted))
    assert (found.strategy, found.verdict) == ("two_stage", "undecided")
    assert (found.effect, found.interval, found.standardised) == ("1.50", "(1.20 to 1.27)", "")


def test_estimates_are_in_the_order_of_the_advice_with_what_has_none_below() -> None:
    study = study_of()
    rows = [*rows_on(study, "ols", 0.3, **BAD), *rows_on(study, "two_stage", **SAFE)]
    absent = {**ESTIMATES.to_pylist()[2], "estimate": None, "std_error": None, "message": "broke"}
    estimates = pa.Table.from_pylist([absent, *ESTIMATES.to_pylist()[3:]], ESTIMATES.schema)
    (table,) = estimate_tables(estimates, answers(study, rows))
    assert table.title == "x"
    body = ["two_stage", "recommended", "4.321", "0.500", "11", "0.030", "3.000 to 5.000"]
    assert table.body == [body]
    assert table.note == "No numbers: ols (broke)."


def test_methods_are_cited_as_far_as_they_are_used() -> None:
    cr2 = {"strategy": "cluster_robust", "variance": "CR2", "df": "satterthwaite"}
    assert not [one for one in references(study_of().strategies) if "Bell & McCaffrey" in one]
    assert "Bell & McCaffrey" in references(study_of(strategies=[cr2]).strategies)[-1]
