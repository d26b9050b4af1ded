"""The figures of a study on the design of a table: scenarios, and each term by its own name."""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from functools import cache
from typing import Any

import pandas as pd
import pytest
from matplotlib.figure import Figure

from clustrategy.core.scenarios import NAMES
from clustrategy.figures.false_positives import MOST_LETTERS
from clustrategy.figures.parts.dot_rows import fitting
from clustrategy.figures.parts.frame import words_on
from clustrategy.figures.parts.labels import SCENARIOS, cell_label
from tests.figures.drawn import figure_of, said, text_of
from tests.figures.tables import STRATEGIES, make_audit
from tests.figures.verdict_tables import INTERCEPT, make_verdicts

FACTOR = ["scenario"]
LEVELS = {"scenario": ["estimated", "slopes_vary", "resampled"]}


def rate(strategy: str, cell: Mapping[str, Any]) -> float:
    """Cluster-robust is liberal where slopes vary; the others hold, and best in `estimated`."""
    best = cell["scenario"] == "estimated"
    if strategy == "cluster_robust":
        return 0.3 if cell["scenario"] == "slopes_vary" else 0.05
    return 0.04 if best else 0.05


def rates(*terms: str, levels: Mapping[str, list[str]] = LEVELS) -> Figure:
    table = make_verdicts(levels=levels, kinds=[INTERCEPT, *terms], rate=rate)
    return figure_of("false_positives", table, factors=FACTOR)


@cache
def two_terms() -> Figure:
    return rates("treat", "C(arm)[T.b]")


def titles(figure: Figure) -> list[str]:
    return [axes.get_title("left").strip() for axes in figure.axes]


def test_terms_are_titled_as_they_are_and_the_intercept_is_left_to_the_table():
    assert titles(two_terms()) == ["treat", "C(arm)[T.b]"]
    assert "The intercept's rates are in the table alone." in words_on(two_terms()).caption


def test_the_title_says_for_which_term_and_in_how_many_scenarios():
    safe = "two-stage and “mixed, maximal” are safe"
    assert words_on(two_terms()).title == (
        "1 of 3 strategies is liberal: cluster-robust OLS (1 of 3 scenarios for treat); "
        f"{safe} for each term in all 3 scenarios"
    )


def test_of_one_term_and_of_one_scenario_the_title_says_no_more_than_there_is():
    safe = "two-stage and “mixed, maximal” are safe"
    assert words_on(rates("treat")).title == (
        "1 of 3 strategies is liberal: cluster-robust OLS (1 of 3 scenarios); "
        f"{safe} in all 3 scenarios"
    )
    one = rates("treat", "age", levels={"scenario": ["slopes_vary"]})
    assert words_on(one).title == (
        "1 of 3 strategies is liberal: cluster-robust OLS (treat); two-stage and “mixed, maximal” "
        "are safe for each term"
    )
    assert "the rate in the one scenario" in words_on(one).caption
    assert "rate (95 % interval)" in said(one.axes[0])


def test_the_worst_scenario_stands_beside_its_strategy():
    texts = said(two_terms().axes[0])
    # Drawn again: 0.95 times 30 %, and 0.8 and 1.2 times that.
    assert "28.5 % (22.8 to 34.2)\nslopes vary" in texts
    assert "worst scenario, drawn again" in texts
    labels = [text.get_text() for text in two_terms().legends[0].get_texts()]
    assert labels[-1] == "worst scenario, with 95 % interval"


@pytest.mark.parametrize("figure", [two_terms, lambda: measure("coverage")])
def test_no_word_is_of_a_grid(figure):
    words = text_of(figure())
    assert "scenario" in words and "cell" not in words


def test_each_scenario_has_words_that_fit_beside_a_figure():
    assert list(SCENARIOS) == list(NAMES)
    assert len({*SCENARIOS.values()}) == len(NAMES)
    longest = max(len(cell_label({"scenario": name}, FACTOR)) for name in NAMES)
    assert longest <= MOST_LETTERS


def measure(name: str, terms: tuple[str, ...] = ("IV1", "treat")) -> Figure:
    rows = [
        {
            "scenario": scenario,
            "strategy": strategy,
            "term": term,
            "true_value": 0.0,
            "handling": "case_wise",
            "measure": name,
            "n": 1000,
            "mcse": 0.007,
            "note": "",
            "value": 0.99 - rate(strategy, {"scenario": scenario}),
        }
        for scenario, strategy, term in itertools.product(
            LEVELS["scenario"], STRATEGIES, ["(Intercept)", *terms]
        )
    ]
    return figure_of(name, pd.DataFrame(rows), factors=FACTOR, dgp={})


def test_a_column_that_is_called_as_our_predictors_is_a_term_like_others():
    figure = measure("coverage")
    assert titles(figure) == ["IV1", "treat"]
    assert not figure.legends, "there are no numbers of clusters to tell apart"
    assert "69 %: slopes vary" in said(figure.axes[0])
    assert words_on(figure).title.endswith("2 of 3 strategies are not found to hold it too rarely")


def test_terms_that_do_not_fit_a_page_are_named():
    terms = tuple(f"x{i}" for i in range(20))
    figure = measure("coverage", terms)
    assert titles(figure) == [f"x{i}" for i in range(12)]
    assert "In the table alone: x12, x13, x14," in words_on(figure).caption


def test_the_terms_of_which_there_is_most_to_say_fit_first():
    thirteen = [f"strategy {i}" for i in range(13)]
    badness = {"a": 0.1, "b": 0.2, "c": 0.9, "d": 0.3, "e": 0.15}
    # Rows of at least 0.095 inches share 5.2 inches, which are 54 rows: 4 times 13; with titles of
    # 0.2 inches they share 6.0 inches: 10 × (0.2 + 4 × 0.095) is 5.8.
    assert fitting(badness, thirteen) == (["b", "c", "d", "e"], ["a"])
    assert fitting(badness, thirteen[:4]) == (list("abcde"), [])
    assert len(fitting(dict.fromkeys(range(20), 0.0), thirteen[:4])[0]) == 10
    assert fitting(badness, thirteen * 9) == (["c"], ["a", "b", "d", "e"])


def test_the_audit_has_scenarios_in_their_order():
    table = make_audit()
    few = table[(table["clusters"] == 10) & (table["between_cluster_sigma"] < 1)]
    names = few["obs_per_cluster"].map({5: "slopes_vary", 25: "estimated"})
    columns = ["clusters", "obs_per_cluster", "between_cluster_sigma"]
    figure = figure_of("audit", few.drop(columns=columns).assign(scenario=names), factors=FACTOR)
    ticks = [label.get_text() for label in figure.axes[-1].get_xticklabels()]
    assert ticks == ["estimated", "slopes_vary"]
    assert "observations per cluster" not in text_of(figure)


def test_the_labels_of_an_axis_keep_apart_beside_long_names():
    """Names at both sides leave the panel two fifths of the width, or less."""
    ends = {"cluster_robust": -0.78, "two_stage": 0.07, "mixed_maximal": 0.26}
    rows = [
        {
            "scenario": "variance_by_cluster" if place else "estimated",
            "strategy": f"{strategy} with a long name",
            "term": "treat",
            "true_value": 0.0,
            "handling": "case_wise",
            "measure": "relative_error",
            "value": value / (2 - place),
            "mcse": 0.02,
            "n": 1000,
            "note": "",
        }
        for strategy, value in ends.items()
        for place in (0, 1)
    ]
    names = list(dict.fromkeys(row["strategy"] for row in rows))
    table = pd.DataFrame(rows)
    figure = figure_of("relative_error", table, factors=FACTOR, strategies=names, dgp={})
    figure.canvas.draw()
    boxes = [label.get_window_extent() for label in figure.axes[0].get_xticklabels()]
    assert len(boxes) > 2
    assert all(one.x1 < other.x0 for one, other in itertools.pairwise(boxes))
