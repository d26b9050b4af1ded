"""How the strategies stand, in the table of the page."""

from __future__ import annotations

from typing import Any

import pytest

from clustrategy.evaluation.recommendation import advice
from clustrategy.evaluation.wording import ScenarioWording
from clustrategy.report.verdict_table import Value, in_a_word, kind_table
from tests.report.pages import KIND, WORST, rate, row, rows_of, study_of, verdicts_of

WORDS: list[tuple[dict[str, Any], float, str]] = [
    ({"safe": True, "verdict": "holds"}, 0.0, "safe"),
    ({"safe": True, "verdict": "conservative"}, 0.05, "safe"),
    ({"verdict": "undecided", "liberal_cells": 1}, 0.0, "liberal"),
    ({"verdict": "liberal", "liberal_cells": 0}, 0.0, "liberal"),
    ({"verdict": "slightly_liberal"}, 0.0, "slightly liberal"),
    ({"verdict": "undecided"}, 0.0, "undecided"),
    ({"verdict": "holds"}, 0.0, "undecided"),
    ({"verdict": "holds"}, 0.06, "too many unusable"),
]


@pytest.mark.parametrize(("fields", "lost", "word"), WORDS)
def test_a_strategy_stands_in_a_word(fields: dict[str, Any], lost: float, word: str) -> None:
    assert in_a_word(rate("A", 0.05, **fields), row("A", "unusable_rate", lost)) == word


def test_without_a_rate_there_is_no_value() -> None:
    assert in_a_word(None) == "no value"
    assert in_a_word(rate("A", None)) == "no value"
    assert in_a_word(rate("A", float("nan"))) == "no value"


def test_a_value_has_its_error_or_says_why_there_is_none() -> None:
    found = row("A", "coverage", 0.1234, mcse=0.0098, mean_over_these_cells=0.5)
    assert Value.of(found) == Value("12.3 %", "(1.0)", where=WORST, mean="50.0 %")
    assert Value.of({**found, "mcse": float("nan")}).mcse == ""
    assert Value.of(row("A", "coverage", None)) == Value(note="no usable fit")
    assert Value.of(None).note == "no value"


def test_safe_strategies_come_first_then_the_least_liberal() -> None:
    study = study_of()
    rows = [
        *rows_of("ols", 0.7, verdict="liberal", liberal_cells=2),
        *rows_of("two_stage", 0.06),
        *rows_of("maximal", 0.061, safe=True, verdict="holds", safe_cells=2, undecided_cells=0),
        *(
            rate(label, value, scope="clusters", clusters=clusters, cells=1)
            for label in ("ols", "two_stage", "maximal")
            for clusters, value in ((10, 0.06), (30, 0.05))
        ),
    ]
    table = verdicts_of(study, rows)
    (answer,) = advice(table, 0.5, sims=100).answers
    found = kind_table(answer, table.to_pylist(), ["two_stage", "ols", "maximal"], ["clusters"])
    assert found.kind == KIND
    assert [line.strategy for line in found.lines] == ["maximal", "two_stage", "ols"]
    first = found.lines[0]
    assert (first.verdict, first.cells) == ("safe", ["2", "0", "0"])
    numbers = (first.rate, first.relative_error, first.power)
    assert [number.text.split()[0] for number in numbers] == ["6.1", "−12.3", "80.0"]
    (by,) = found.by
    assert by.levels == ["10 clusters", "30 clusters"]
    values = [value.text.split()[0] for value, _ in by.lines[2][1]]
    assert (by.lines[2][0], values) == ("ols", ["6.0", "5.0"])
    assert found.without == []


def test_a_strategy_without_these_terms_is_named_apart() -> None:
    study = study_of()
    missing = [dict(one, value=None, note="not estimated") for one in rows_of("ols", None)]
    table = verdicts_of(study, [*rows_of("two_stage"), *missing])
    (answer,) = advice(table, 0.5, sims=100).answers
    found = kind_table(answer, table.to_pylist(), ["two_stage", "ols"], ["clusters"])
    assert [line.strategy for line in found.lines] == ["two_stage"]
    assert found.without == ["ols"]
    assert found.by == []


def test_a_term_of_a_table_is_titled_as_it_is_and_has_its_own_effect() -> None:
    study = study_of()
    rows = [{**one, "kind": "treat"} for one in rows_of("ols") if one["kind"] is not None]
    rows = [{**one, "terms": "treat"} for one in rows]
    fits = [one for one in rows_of("ols") if one["kind"] is None]
    table = verdicts_of(study, [*rows, *fits])
    (answer,) = advice(table, {"treat": 0.5}, sims=100, wording=ScenarioWording()).answers
    found = kind_table(answer, table.to_pylist(), ["ols"], [])
    assert (found.title, found.terms, found.effect) == ("treat", "treat", 0.5)
    (answer,) = advice(verdicts_of(study, rows_of("ols")), 0.5, sims=100).answers
    assert kind_table(answer, [], ["ols"], []).title == KIND[:1].upper() + KIND[1:]
