"""What a study says that a reader should do, against sentences written by hand."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pyarrow as pa
import pytest

from clustrategy.evaluation.cell_verdicts import table_of
from clustrategy.evaluation.recommendation import (
    COLUMNS,
    Advice,
    advice,
    short,
    table,
    table_of_kinds,
)

WITHIN = "predictor within clusters"
EFFECT = 0.5
SAFE, LIBERAL, OPEN = (45, 0, 0), (10, 31, 4), (20, 0, 25)


def rows(
    strategy: str,
    rate: float | None,
    counts: tuple[int, int, int] | None = SAFE,
    *,
    kind: str = WITHIN,
    verdict: str | None = None,
    power: float | None = 0.6,
    to_best: float | None = None,
    unusable: float = 0.0,
    worst: str | None = "10 clusters, 5 obs_per_cluster",
    note: str | None = None,
    **more: Any,
) -> list[dict[str, Any]]:
    """The rows over all cells of one strategy and kind; counts are of safe, liberal, open cells."""
    cells = sum(counts) if counts else 45
    names = ("safe_cells", "liberal_cells", "undecided_cells")
    of_rate: dict[str, Any] = {
        "measure": "false_positive_rate",
        "value": rate,
        "mcse": None if rate is None else 0.005,
        "verdict": verdict,
        "safe": None if counts is None else counts[0] == cells,
        "lowest": None if rate is None else rate - 0.02,
        "highest": rate,
        "worst_cell": worst if cells > 1 else None,
        "note": note,
        **(dict(zip(names, counts, strict=True)) if counts else {}),
    }
    lines = [
        of_rate,
        {"measure": "relative_error", "value": -0.15, "lowest": -0.15, "highest": -0.004},
        *(
            {
                "measure": measure,
                "effect": effect,
                "value": power,
                "mean_over_these_cells": None if power is None else power + shift,
            }
            for measure in ("power", "size_adjusted_power")
            for effect, shift in ((EFFECT, 0.0), (1.0, 0.2))
        ),
        *([] if to_best is None else [{"measure": "power_less_the_best", "conf_high": to_best}]),
    ]
    fits = [
        {"measure": "singular_rate", "value": 0.5, "mean_over_these_cells": 0.28},
        {"measure": "unusable_rate", "value": unusable, "mean_over_these_cells": unusable / 4},
    ]
    own = {"scope": "all", "strategy": strategy, "cells": cells, "n": 1000}
    return [
        *({**own, "kind": kind, "terms": "IV1, IV2", **line, **more} for line in lines),
        *({**own, **line, **more} for line in fits),
    ]


def advised(*parts: Sequence[dict[str, Any]], sims: int = 1000, **more: Any) -> Advice:
    return advice(table_of([row for part in parts for row in part]), EFFECT, sims=sims, **more)


def finds_at_most(highest: float, *args: Any, **options: Any) -> list[dict[str, Any]]:
    """Rows of a strategy whose power is at most so much in any cell."""
    made = rows(*args, **options)
    return [line | {"highest": highest} if line["measure"] == "power" else line for line in made]


A_SAFE = rows("A", 0.051)
BLUNT = finds_at_most(0.021, "B", 0.0, power=0.1)
CASES: dict[str, tuple[list[list[dict[str, Any]]], str]] = {
    "what is safe finds nothing": (
        [BLUNT, rows("C", 0.3, LIBERAL, verdict="liberal")],
        "For predictors within clusters no strategy that is safe finds anything: B does not reject "
        "what is not there, but nothing else either: it would find an effect of 0.5 in at most 2 % "
        "of datasets. Do not use C (30 % false positives at worst, liberal in 31 of 45 cells).",
    ),
    "one that is safe finds nothing": (
        [A_SAFE, BLUNT, finds_at_most(0.0, "D", 0.0, power=0.0)],
        "For predictors within clusters use A: safe in all 45 cells, finding an effect of 0.5 in "
        "60 % of datasets, mean over these cells. B and D do not reject what is not there, but "
        "nothing else either: they would find an effect of 0.5 in at most 2 % of datasets.",
    ),
    "one is safe": (
        [A_SAFE],
        "For predictors within clusters use A: safe in all 45 cells, finding an effect of 0.5 in "
        "60 % of datasets, mean over these cells.",
    ),
    "two are, and alike": (
        [A_SAFE, rows("B", 0.049, power=0.594)],
        "For predictors within clusters use A or B: safe in all 45 cells, finding an effect of "
        "0.5 in 59 to 60 % of datasets, mean over these cells.",
    ),
    "three are within the zone of indifference": (
        [
            rows("A", 0.051, to_best=0.01),
            rows("B", 0.052, to_best=-0.01),
            rows("C", 0.053, to_best=-0.02),
        ],
        "For predictors within clusters use A, B, or C: safe in all 45 cells, finding an effect "
        "of 0.5 in 60 % of datasets, mean over these cells.",
    ),
    "one is safe and weaker": (
        [rows("A", 0.051, to_best=0.1), rows("B", 0.04, power=0.4, to_best=-0.021)],
        "For predictors within clusters use A: safe in all 45 cells, finding an effect of 0.5 in "
        "60 % of datasets, mean over these cells. B is safe, too, but has less power.",
    ),
    "two are safe and weaker": (
        [
            rows("A", 0.051, to_best=0.1),
            rows("B", 0.04, to_best=-0.1),
            rows("C", 0.05, to_best=-0.2),
        ],
        "For predictors within clusters use A: safe in all 45 cells, finding an effect of 0.5 in "
        "60 % of datasets, mean over these cells. B and C are safe, too, but have less power.",
    ),
    "one is safe, others are open": (
        [A_SAFE, rows("B", 0.06, OPEN), rows("C", 0.07, OPEN)],
        "For predictors within clusters use A: safe in all 45 cells, finding an effect of 0.5 in "
        "60 % of datasets, mean over these cells. B and C are undecided: not shown to be safe "
        "in each cell so far.",
    ),
    "one is safe, another liberal": (
        [A_SAFE, rows("B", 0.728, LIBERAL, verdict="liberal")],
        "For predictors within clusters use A: safe in all 45 cells, finding an effect of 0.5 in "
        "60 % of datasets, mean over these cells. Do not use B (73 % false positives at worst, "
        "liberal in 31 of 45 cells).",
    ),
    "several are liberal": (
        [
            A_SAFE,
            rows("B", 0.1, (44, 1, 0)),
            rows("C", 0.728, LIBERAL),
            rows("D", 0.12, (44, 1, 0), verdict="liberal"),
        ],
        "For predictors within clusters use A: safe in all 45 cells, finding an effect of 0.5 in "
        "60 % of datasets, mean over these cells. Do not use C (73 % false positives at worst, "
        "liberal in 31 of 45 cells), D (12 %, 1 cell), or B (10 %, 1 cell).",
    ),
    "many are liberal": (
        [rows(f"S{i}", 0.1 + i / 100, (0, 45, 0)) for i in range(7)],
        "For predictors within clusters no strategy is safe; the least liberal is S0, with 10.0 % "
        "(0.5) false positives in its worst cell at 10 clusters, 5 obs_per_cluster. Do not use S6 "
        "(16 % false positives at worst, liberal in 45 of 45 cells), S5 (15 %, 45 cells), S4 "
        "(14 %, 45 cells), S3 (13 %, 45 cells), S2 (12 %, 45 cells), S1 (11 %, 45 cells), or S0 "
        "(10 %, 45 cells).",
    ),
    "all cells alike": (
        [rows("A", 0.1, LIBERAL, worst=None)],
        "For predictors within clusters no strategy is safe; the least liberal is A, with 10.0 % "
        "(0.5) false positives in its worst cell. Do not use A (10 % false positives at worst, "
        "liberal in 31 of 45 cells).",
    ),
    "everything is open": (
        [rows("B", 0.06, OPEN, power=0.55), rows("A", 0.05, OPEN)],
        "For predictors within clusters nothing speaks against A (finds an effect of 0.5 in 60 % "
        "of datasets) and B (55 %): not found liberal in any cell.",
    ),
    "many are open": (
        [rows(f"S{i}", 0.05, OPEN, power=None) for i in range(14)],
        "For predictors within clusters nothing speaks against S0, S1, S2, S3, S4, S5, S6, S7, S8, "
        "S9, S10, S11, and 2 more: not found liberal in any cell.",
    ),
    "one cell, safe": (
        [rows("A", 0.051, (1, 0, 0))],
        "For predictors within clusters use A: safe in the one cell, finding an effect of 0.5 in "
        "60 % of datasets.",
    ),
    "one cell, liberal and open": (
        [rows("A", 0.06, (0, 0, 1)), rows("B", 0.2, (0, 1, 0)), rows("C", 0.3, (0, 1, 0))],
        "For predictors within clusters nothing speaks against A (finds an effect of 0.5 in 60 % "
        "of datasets): not found liberal here. Do not use C (30 % false positives) or B (20 % "
        "false positives).",
    ),
    "one cell, all liberal": (
        [rows("B", 0.2, (0, 1, 0))],
        "For predictors within clusters no strategy is safe; the least liberal is B, with 20.0 % "
        "(0.5) false positives. Do not use B (20 % false positives).",
    ),
    "one cell, safe and open": (
        [rows("A", 0.05, (1, 0, 0)), rows("B", 0.06, (0, 0, 1))],
        "For predictors within clusters use A: safe in the one cell, finding an effect of 0.5 in "
        "60 % of datasets. B is undecided: not shown to be safe so far.",
    ),
    "nothing is usable": (
        [rows("A", None, (0, 0, 45), note="no usable fit", unusable=1.0)],
        "For predictors within clusters nothing can be said: no strategy has a usable test.",
    ),
    "one dataset a cell": (
        [rows("A", 0.0, (0, 0, 45), n=1), rows("B", 1.0, (0, 0, 45), n=1)],
        "For predictors within clusters nothing can be said: one dataset a cell tells no rate.",
    ),
    "no power is known": (
        [rows("A", 0.05, power=None)],
        "For predictors within clusters use A: safe in all 45 cells.",
    ),
    "fits that fail": (
        [A_SAFE, rows("B", 0.05, (44, 0, 1), unusable=0.121)],
        "For predictors within clusters use A: safe in all 45 cells, finding an effect of 0.5 in "
        "60 % of datasets, mean over these cells. B is not safe: without a usable fit in up to "
        "12 % of datasets.",
    ),
    "only fits that fail": (
        [
            rows("A", 0.05, (44, 0, 1), unusable=0.121),
            rows("B", 0.05, (44, 0, 1), unusable=0.3),
        ],
        "For predictors within clusters no strategy is safe. A and B are not safe: without a "
        "usable fit in up to 30 % of datasets.",
    ),
    "labels with commas": (
        [rows("OLS, CR2", 0.05), rows("two-stage, equal", 0.06, OPEN)],
        "For predictors within clusters use “OLS, CR2”: safe in all 45 cells, finding an effect "
        "of 0.5 in 60 % of datasets, mean over these cells. “two-stage, equal” is undecided: not "
        "shown to be safe in each cell so far.",
    ),
    "labels that are long, broken or markup": (
        [rows("x" * 5000, 0.05, OPEN), rows("<b>A\n B</b>", 0.06, OPEN)],
        f"For predictors within clusters nothing speaks against {'x' * 39}… (finds an effect of "
        "0.5 in 60 % of datasets) and <b>A B</b> (60 %): not found liberal in any cell.",
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_the_sentences(case: str) -> None:
    parts, sentence = CASES[case]
    (answer,) = advised(*parts).answers
    assert " ".join(answer.sentences) == sentence


@pytest.mark.parametrize(
    ("kind", "begin"),
    [
        ("cluster-level predictor", "For cluster-level predictors use A"),
        ("treatment of whole clusters", "For treatments of whole clusters use A"),
        ("predictor with ICC 0.5", "For predictors with ICC 0.5 use A"),
        ("cluster-level predictor, endogenous", "For cluster-level predictors, endogenous, use A"),
        (
            "predictor within clusters, slope's sigma × 2",
            "For predictors within clusters, slope's sigma × 2, use A",
        ),
        ("intercept", "For the intercept use A"),
    ],
)
def test_kinds_are_named_in_sentences(kind: str, begin: str) -> None:
    (answer,) = advised(rows("A", 0.05, kind=kind)).answers
    assert answer.sentences[0].startswith(f"{begin}: safe")
    assert (answer.kind, answer.terms) == (kind, "IV1, IV2")


OPEN_CASES = [rows("A", 0.05), rows("B", 0.06, OPEN)]
WOULD = "with `sims: 10000` (about 20 minutes) it would be"
ABOUT = (
    "This holds for data like those of the study, and says nothing of predictors that are "
    "constant within clusters."
)


@pytest.mark.parametrize(
    ("parts", "more", "sentence"),
    [
        (OPEN_CASES, {}, "1,000 sims a cell leave some strategies undecided."),
        (OPEN_CASES, {"sims": 1}, "1 sim a cell leaves some strategies undecided."),
        (
            OPEN_CASES[1:],
            {"sims": 50, "certify": WOULD},
            f"50 sims a cell are too few to show any strategy to be safe in all 45 cells; {WOULD}.",
        ),
        (OPEN_CASES[:1], {"certify": WOULD}, ""),
        ([rows("B", 0.3, LIBERAL)], {"certify": WOULD}, ""),
        # More sims do not help what fails, nor what has no test.
        ([rows("B", 0.05, (44, 0, 1), unusable=0.2)], {"certify": WOULD}, ""),
        ([rows("B", None, (0, 0, 45), note="no usable fit", unusable=1.0)], {}, ""),
    ],
)
def test_the_reservation(
    parts: list[list[dict[str, Any]]], more: dict[str, Any], sentence: str
) -> None:
    found = advised(*parts, **more)
    assert found.reservation == sentence
    said = [" ".join(answer.sentences) for answer in found.answers]
    assert found.paragraphs == [*said, f"{sentence} {ABOUT}".strip()]


def several() -> list[list[dict[str, Any]]]:
    """Two kinds; B has its own standing in each, C estimates but one of them."""
    between = "cluster-level predictor"
    return [
        rows("A", 0.09, (1, 30, 14), kind="intercept"),
        rows("B", 0.04),
        rows("C", 0.052, OPEN),
        rows("A", 0.06, OPEN),
        rows("A", 0.05, kind=between, power=0.3),
        rows("B", 0.15, LIBERAL, kind=between),
        rows("C", None, None, kind=between, note="not estimated", power=None),
    ]


def test_kinds_have_answers_of_their_own_but_the_intercept_has_none() -> None:
    first, second = advised(*several()).answers
    assert [each.strategy for each in first.standings] == ["B", "C", "A"]
    assert [each.strategy for each in second.standings] == ["A", "B"]
    assert second.sentences == [
        "For cluster-level predictors use A: safe in all 45 cells, finding an effect of 0.5 in "
        "30 % of datasets, mean over these cells.",
        "Do not use B (15 % false positives at worst, liberal in 31 of 45 cells).",
    ]


def test_the_table_of_several_kinds() -> None:
    heads, lines = table_of_kinds(advised(*several()).answers)
    assert heads == [
        "strategy",
        "predictor within clusters",
        "cluster-level predictor",
        "singular",
        "unusable",
    ]
    # Safe for all kinds first, of which there is none; then by the worst rate of any kind.
    assert lines == [
        ["C", "5.2 % (0.5)  20 / 0 / 25", "not estimated", "28 %", "0.0 %"],
        ["A", "6.0 % (0.5)  20 / 0 / 25", "5.0 % (0.5)  45 / 0 / 0", "28 %", "0.0 %"],
        ["B", "4.0 % (0.5)  45 / 0 / 0", "15.0 % (0.5)  10 / 31 / 4", "28 %", "0.0 %"],
    ]


def test_the_table_of_one_kind() -> None:
    nothing = rows("B", None, (0, 0, 45), note="no usable fit", unusable=1.0, power=None)
    (answer,) = advised(rows("A", 0.0512, unusable=0.02), nothing).answers
    assert len(COLUMNS) == 8
    assert table(answer) == [
        ["A", "3.1 to 5.1 %", "5.1 % (0.5)", "45 / 0 / 0", "-15 to +0 %", "60 %", "28 %", "0.5 %"],
        ["B", "–", "no usable fit", "0 / 0 / 45", "-15 to +0 %", "–", "28 %", "25 %"],
    ]
    (single,) = advised(rows("A", 0.0512, (1, 0, 0))).answers
    assert table(single)[0][1:5] == ["5.1 %", "5.1 % (0.5)", "1 / 0 / 0", "-15 %"]


def test_the_effect_and_the_level_asked_for() -> None:
    whole = table_of([*rows("A", 0.05), *rows("A", 0.3, LIBERAL, scope="clusters")])
    factor = pa.array([None if scope == "all" else 10.0 for scope in whole["scope"].to_pylist()])
    whole = whole.append_column("clusters", factor)
    (answer,) = advice(whole, 1.0, sims=9).answers
    assert answer.sentences[0].endswith(
        "finding an effect of 1 in 80 % of datasets, mean over these cells."
    )
    (of_level,) = advice(whole, EFFECT, sims=9, level={"clusters": 10}).answers
    assert of_level.sentences[0].startswith("For predictors within clusters no strategy is safe")
    assert advice(whole, EFFECT, sims=9, level={"clusters": 30}) == Advice([], "", ABOUT)


def test_long_labels_are_cut() -> None:
    assert short("a  b\n c") == "a b c"
    assert short("x" * 40) == "x" * 40
    assert short("x" * 41) == "x" * 39 + "…"


@pytest.mark.parametrize("kind", ["cluster-level predictor", "treatment of whole clusters"])
def test_predictors_that_the_study_has_not_are_named(kind: str) -> None:
    assert advised(rows("A", 0.05)).scope == ABOUT
    both = advised(rows("A", 0.05), rows("A", 0.05, kind=kind))
    assert both.scope == "This holds for data like those of the study."
