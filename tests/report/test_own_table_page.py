"""The page of a study on a table: its order, its reservations, and what a table may hold."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from clustrategy.calibration.given_data import GivenData
from clustrategy.design.from_table import design_from_table
from clustrategy.evaluation import detectable
from clustrategy.evaluation.recommendation import Answer, advice
from clustrategy.report.own_table import OwnTable, estimate_tables, on_slopes, placebo_words, uses
from clustrategy.report.references import references
from clustrategy.study.study import Study
from tests.report.pages import page_of, rows_of, text_of, verdicts_of
from tests.report.test_page import Elements

EVIL = "<b onclick=alert(1)>{{ 7 * 7 }}</b>"


@cache
def given(predictor: str = "x", slopes: float = 0.0) -> GivenData:
    """A table of 12 clusters of 6 rows; slopes vary by so much."""
    rng = np.random.default_rng(3)
    cluster = np.repeat(np.arange(12), 6)
    x = np.tile(np.arange(6.0), 12)
    y = rng.normal(size=12)[cluster] + rng.normal(size=72)
    y += slopes * rng.normal(size=12)[cluster] * x
    data = pd.DataFrame({predictor: x, "y": y, "g": cluster})
    formula = "y ~ x" if predictor == "x" else f'y ~ Q("{predictor}")'
    return GivenData.of(design_from_table(data, formula, "g"), "made up", ordered=False)


def study_of(
    predictor: str = "x",
    scenarios: Sequence[str] = ("estimated", "upper_95"),
    strategies: Sequence[Any] = ("two_stage", "ols"),
    slopes: float = 0.0,
) -> Study:
    config = {
        "study": "mine",
        "seed": 1,
        "sims": 100,
        "data": {"file": "t.csv", "formula": "y ~ x", "cluster": "g", "scenarios": [*scenarios]},
        "strategies": [*strategies],
        "audit": None,
    }
    return Study.from_config(config, given=given(predictor, slopes))


def rows_on(study: Study, strategy: str, value: float | None = 0.05, **fields: Any) -> list[Any]:
    """The rows of a strategy for the one predictor, over all scenarios of the study."""
    term = study.given.shard.terms[1] if study.given else ""
    fields = {"cells": len(study.cells), "undecided_cells": len(study.cells), **fields}
    found = []
    for row in rows_of(strategy, value, **fields):
        effect = study.config["verdict"]["effect"][term] if row["effect"] else None
        of = {"kind": term, "terms": term} if row["kind"] else {}
        worst = "upper_95" if row["worst_cell"] and len(study.cells) > 1 else None
        found.append({**row, **of, "effect": effect, "worst_cell": worst})
    return found


SAFE = {"safe": True, "verdict": "holds", "safe_cells": 2, "undecided_cells": 0}
BAD = {"verdict": "liberal", "liberal_cells": 2, "undecided_cells": 0}


def page(study: Study, rows: Sequence[Mapping[str, Any]] | None = None, **found: Any) -> str:
    if rows is None:
        rows = [row for one in study.strategies for row in rows_on(study, one.label)]
    return page_of(study, rows, **found)


def least(term: str, *rows: Mapping[str, Any]) -> pa.Table:
    of_all = {"scope": "all", "kind": term, "terms": term, "power": 0.8, "cells": 2}
    return pa.Table.from_pylist([{**of_all, **row} for row in rows], detectable.SCHEMA)


def answers(study: Study, rows: Sequence[Mapping[str, Any]]) -> list[Answer]:
    effect = study.config["verdict"]["effect"]
    return advice(verdicts_of(study, rows), effect, sims=100).answers


FOUND = {
    "strategy": "two_stage",
    "size_adjusted": False,
    "effect": 1.234,
    "conf_low": 1.2,
    "conf_high": 1.27,
    "standardised": 0.61,
    "standardised_by": detectable.BY_BOTH,
}
ESTIMATES = pa.Table.from_pylist(
    [
        {
            "strategy": strategy,
            "term": term,
            "estimate": 4.321,
            "std_error": 0.5,
            "df": df,
            "p_value": 0.03,
            "conf_low": 3.0,
            "conf_high": 5.0,
            "message": "",
        }
        for term in ("(Intercept)", "x")
        for strategy, df in (("ols", 70.0), ("two_stage", 11.0))
    ]
)


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
    table = text.index("x two_stage 5.0 % (1.0) in upper_95 1.23 (1.20 to 1.27) 0.61 SD of the")
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
    assert "x none is shown to be safe" in text
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
    assert (found.effect, found.note) == ("–", "power does not reach 80 %")


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
