"""The figure of power by effect: lines and words, against powers written by hand."""

from __future__ import annotations

from functools import cache

import numpy as np
import pandas as pd
import pytest
from matplotlib.figure import Figure

from clustrategy.figures.parts.frame import words_on
from tests.figures.drawn import figure_of, shared_figure, text_of
from tests.figures.tables import CLUSTER_LEVEL, DESIGN, WITHIN
from tests.figures.verdict_tables import make_verdicts, without_values

FEW = {**DESIGN, "obs_per_cluster": [5], "between_cluster_sigma": [0.1, 1]}
ONE_CELL = {name: levels[:1] for name, levels in DESIGN.items()}


@cache
def whole() -> Figure:
    return shared_figure("power_by_effect")


def title_of(figure: Figure) -> str:
    return words_on(figure).title


def test_the_title_names_the_safe_strategy_with_the_most_power():
    # At 0.5 the maximal model has 0.1 + 0.4 * 0.5, and two-stage 1 point less.
    assert title_of(whole()) == (
        "Of the safe strategies, “mixed, maximal” has the most power at an effect of 0.5: "
        "30 %, the other 1.0 points less"
    )
    assert "mean over these cells" in text_of(whole())


def test_lines_are_means_over_the_cells_of_a_panel():
    def power(strategy, cell, effect):
        return effect / 4 + (0.1 if cell["between_cluster_sigma"] == 1 else 0.0)

    table = make_verdicts(levels=FEW, kinds=[WITHIN], power=power)
    curves = figure_of("power_by_effect", table).axes[0].lines
    for line in curves:
        assert np.asarray(line.get_xdata(), dtype=float).tolist() == [0.1, 0.5, 2.0]
        assert line.get_ydata() == pytest.approx([0.075, 0.175, 0.55])


def test_the_lower_panels_are_points_to_the_best_of_the_safe():
    lower = whole().axes[2]
    last = {tuple(np.round(np.asarray(line.get_ydata(), dtype=float), 6)) for line in lower.lines}
    assert last == {(0.0, 0.0, 0.0), (-1.0, -1.0, -1.0), (-4.0, -4.0, -4.0)}


def test_safe_strategies_are_solid_and_liberal_ones_grey():
    robust, two_stage, maximal = whole().axes[0].lines
    assert two_stage.get_linestyle() == maximal.get_linestyle() == "-"
    assert robust.get_linestyle() != "-" and len(set(robust.get_color())) == 1
    labels = [text.get_text() for text in whole().legends[0].get_texts()]
    assert labels == [
        "mixed, maximal",
        "two-stage",
        "liberal somewhere: cluster-robust OLS",
        "within 2 points of the best",
    ]
    assert ("Solid lines: safe in all cells; grey dots: liberal in some cell.") in text_of(whole())


def test_a_strategy_is_grey_only_for_the_terms_for_which_it_is_liberal():
    """Two-stage is liberal for a cluster-level predictor alone, the maximal model nowhere."""
    table = make_verdicts(levels=ONE_CELL, kinds=[WITHIN, CLUSTER_LEVEL])
    table = table[table["strategy"] != "cluster_robust"]
    mine = (table["strategy"] == "two_stage") & (table["measure"] == "false_positive_rate")
    mine &= table["kind"] == CLUSTER_LEVEL
    # As where the worst cell is liberal, but no single one after Holm's correction.
    table.loc[mine, ["value", "verdict", "safe"]] = [0.2, "liberal", False]
    power = table["measure"] == "size_adjusted_power"
    table.loc[power & (table["strategy"] == "two_stage"), "value"] = 0.9
    table.loc[power & (table["strategy"] == "mixed_maximal"), "value"] = 0.0533
    figure = figure_of("power_by_effect", table)
    within, cluster_level = figure.axes[0].lines, figure.axes[2].lines
    assert [line.get_linestyle() for line in within] == ["-", "-"]
    assert [line.get_linestyle() for line in cluster_level][1:] == ["-"]
    assert len(set(cluster_level[0].get_color())) == 1
    assert title_of(figure) == (
        "Of the safe strategies, two-stage has the most power at an effect of 0.5 of a predictor "
        "within clusters: 90 %, the other 84.7 points less; of a cluster-level predictor “mixed, "
        "maximal”, 5 %"
    )
    labels = [text.get_text() for text in figure.legends[0].get_texts()]
    assert labels[2] == "liberal somewhere: two-stage in some blocks"
    assert "liberal in some cell, for the terms of the block." in text_of(figure)


def test_none_safe_is_said_and_the_lines_are_drawn():
    table = make_verdicts(levels=FEW, kinds=[WITHIN], rate=lambda *_: 0.06)
    figure = figure_of("power_by_effect", table)
    assert title_of(figure).startswith(
        "No strategy can be called safe; of those not found liberal, “mixed, maximal” has"
    )
    assert len(figure.axes[0].lines) == 3
    assert all(line.get_linestyle() == "--" for line in figure.axes[0].lines)


def test_all_liberal_is_said():
    table = make_verdicts(levels=ONE_CELL, kinds=[WITHIN], rate=lambda *_: 0.5)
    assert title_of(figure_of("power_by_effect", table)).startswith(
        "Every strategy is liberal somewhere; of all, “mixed, maximal” has the most power"
    )


def test_one_cell_one_strategy_and_one_effect_are_shown():
    table = make_verdicts(levels=ONE_CELL, kinds=[WITHIN], strategies=["two_stage"])
    table = table[table["effect"].isna() | (table["effect"] == 2.0)]
    figure = figure_of("power_by_effect", table, strategies=["two_stage"])
    assert title_of(figure) == (
        "Of all strategies only one is safe: two-stage, which has a power of 89 % at an effect of 2"
    )
    assert "mean over" not in text_of(figure)


def test_a_strategy_without_a_value_in_some_cell_has_no_mean():
    """A mean over other cells than those of the others would compare cells."""
    table = make_verdicts(levels=FEW, kinds=[WITHIN])
    gone = (table["strategy"] == "mixed_maximal") & (table["effect"] == 2.0)
    gone &= (table["between_cluster_sigma"] == 1) & (table["clusters"] == 10)
    figure = figure_of("power_by_effect", table[~gone])
    lines = [len(line.get_xdata()) for line in figure.axes[0].lines]
    assert lines == [3, 3, 2]
    assert "without a value in some cell" in text_of(figure)
    assert "without a value in some cell" not in text_of(whole())


def test_no_power_is_said_in_words():
    table = make_verdicts(levels=ONE_CELL)
    for missing in (without_values(table), table[table["measure"] != "size_adjusted_power"]):
        figure = figure_of("power_by_effect", pd.DataFrame(missing))
        assert title_of(figure) == "No strategy has a power at any effect"
