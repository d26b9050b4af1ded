"""The figure of false positives: places, marks and words, against rates written by hand."""

from __future__ import annotations

from functools import cache

import numpy as np
import pandas as pd
import pytest
from matplotlib.figure import Figure

from clustrategy.figures.parts.frame import words_on
from tests.figures.drawn import figure_of, said, shared_figure, text_of
from tests.figures.tables import DESIGN, STUDY, WITHIN
from tests.figures.verdict_tables import INTERCEPT, make_verdicts, without_values

ONE_CELL = {name: levels[:1] for name, levels in DESIGN.items()}
SAFE = "two-stage and “mixed, maximal” are safe in all 12 cells"


@cache
def whole() -> Figure:
    return shared_figure("false_positives")


def places(axes) -> list[tuple[float, float]]:
    return [
        (round(float(x), 6), round(float(y), 6))
        for one in axes.collections
        if hasattr(one, "get_offsets")
        for x, y in np.asarray(one.get_offsets())
    ]


def drawn(**kinds) -> Figure:
    return figure_of("false_positives", make_verdicts(**kinds), factors=STUDY)


def title_of(figure: Figure) -> str:
    return words_on(figure).title


def test_the_title_says_who_is_liberal_where_and_who_is_safe():
    assert title_of(whole()) == (
        f"1 of 3 strategies is liberal: cluster-robust OLS (4 of 12 cells); {SAFE}"
    )


def test_rows_are_sorted_by_the_worst_cell_and_panels_are_by_clusters():
    axes = whole().axes[0]
    assert [label.get_text() for label in axes.get_yticklabels()] == [
        "two-stage",
        "mixed, maximal",
        "cluster-robust OLS",
    ]
    heads = [text for one in whole().axes for text in said(one) if text.endswith("0 clusters")]
    assert heads == ["10 clusters", "30 clusters"]
    lefts = [one.get_title(loc="left").strip() for one in whole().axes]
    assert lefts == ["Predictor within clusters", "", "Intercept", ""]


def test_marks_stand_at_the_rates_and_the_worst_cell_below_them():
    found = places(whole().axes[0])
    cells = [(x, y) for x, y in found if round(y % 1, 2) == 0.83]
    # Row 2: six cells of cluster-robust OLS with 10 clusters; a third of them with sigma 1.
    assert sorted(x for x, y in cells if round(y) == 2) == [0.06] * 4 + [0.4] * 2
    assert {x for x, y in cells if round(y) == 1} == {0.05}
    again = sorted(x for x, y in found if round(y % 1, 2) == 0.26)
    assert again == pytest.approx([0.95 * 0.01, 0.95 * 0.05, 0.95 * 0.4])


def test_the_worst_cell_is_named_with_its_rate_and_its_interval():
    texts = said(whole().axes[1])
    # 0.95 times 40 %, and 0.8 and 1.2 times that.
    assert "38.0 % (30.4 to 45.6)\n10 clusters, 5 obs., σ 1" in texts
    assert "worst cell, drawn again" in texts


def test_the_grounds_are_the_regions_and_the_line_is_the_level():
    axes = whole().axes[0]
    spans = [patch.get_extents().transformed(axes.transData.inverted()) for patch in axes.patches]
    ends = [(round(box.x0, 4), round(box.x1, 4)) for box in spans[-4:]]
    assert ends[1:] == [(0.025, 0.065), (0.065, 0.075), (0.075, 1.0)] and ends[0][1] == 0.025
    (line,) = axes.lines
    assert set(np.asarray(line.get_xdata(), dtype=float)) == {0.05}


def test_the_legend_has_the_verdicts_that_occur_and_no_other():
    labels = [text.get_text() for text in whole().legends[0].get_texts()]
    assert labels == [
        "conservative",
        "holds",
        "liberal",
        "undecided",
        "worst cell, with 95 % interval",
    ]


def test_one_cell_has_no_range_and_no_worst_cell():
    figure = drawn(levels=ONE_CELL, kinds=[WITHIN])
    assert (
        title_of(figure) == "No strategy is found liberal; two-stage and “mixed, maximal” are safe"
    )
    assert "drawn again" not in text_of(figure) and "worst" not in text_of(figure)
    assert "5.0 % (4.0 to 6.0)" in said(figure.axes[0])


def test_what_cannot_be_drawn_again_is_said():
    table = make_verdicts(levels=ONE_CELL | {"clusters": [10, 30]}, kinds=[WITHIN])
    note = "the worst cell was not drawn again: its interval holds for the worst of 2 cells"
    over = table["scope"] != "cell"
    figure = figure_of("false_positives", table.assign(note=table["note"].mask(over, note)))
    assert "could not be drawn again" in text_of(figure)
    assert "worst cell" in said(figure.axes[-1])
    assert "could not be drawn again" not in text_of(whole())


def test_of_the_intercept_it_is_said_that_its_worst_cells_are_not_drawn_again():
    table = make_verdicts(levels=ONE_CELL | {"clusters": [10, 30]})
    note = "the worst cell was not drawn again: its interval holds for the worst of 2 cells"
    mine = (table["scope"] != "cell") & (table["kind"] == INTERCEPT)
    table = table.assign(note=table["note"].mask(mine, note))
    figure = figure_of("false_positives", table)
    assert "could not be drawn again" not in text_of(figure)
    assert text_of(figure).count("The intercept's worst cells are not drawn again.") == 1
    within, intercept = (said(figure.axes[place]) for place in (1, -1))
    assert "worst cell, drawn again" in within and "worst cell, drawn again" not in intercept
    alone = figure_of("false_positives", table[table["kind"] == INTERCEPT])
    assert "The intercept's worst cells are not drawn again." in text_of(alone)
    assert "worst cell, drawn again" not in said(alone.axes[-1])


def test_a_strategy_without_a_rate_is_said_to_have_none():
    table = make_verdicts(levels=ONE_CELL | {"clusters": [10, 30]}, kinds=[WITHIN])
    mine = table["strategy"] == "two_stage"
    table = pd.concat([table[~mine], without_values(table[mine], "not estimated")])
    figure = figure_of("false_positives", table)
    assert "not estimated" in said(figure.axes[-1])
    assert figure.axes[0].get_yticklabels()[-1].get_text() == "two-stage"


def test_no_rate_at_all_is_said_in_words():
    figure = figure_of("false_positives", without_values(make_verdicts(levels=ONE_CELL)))
    assert title_of(figure) == "No strategy has a false-positive rate"
    assert "no usable fit" in text_of(figure)


def test_labels_of_any_kind_are_texts():
    labels = ["<script>alert('x')</script> & $x_1$", "y" * 5000, "a\nb"]
    figure = figure_of(
        "false_positives",
        make_verdicts(levels=ONE_CELL, strategies=labels, kinds=[WITHIN]),
        strategies=labels,
    )
    figure.savefig("/dev/null", format="svg")
    shown = [label.get_text() for label in figure.axes[0].get_yticklabels()]
    assert shown[0] == r"<script>alert('x')</script> & \$x_1\$" and shown[2] == "a b"
    assert len(shown[1]) < 60


def test_a_kind_that_is_a_users_column_is_a_text():
    kinds = ["$income$ per head", WITHIN]
    for name in ("false_positives", "verdict_map", "power_by_effect"):
        figure = figure_of(name, make_verdicts(levels=ONE_CELL, kinds=kinds))
        figure.draw_without_rendering()
        title = figure.axes[0].get_title(loc="left")
        assert title == r"\$income\$ per head"


def test_the_intercept_is_left_out_where_rows_are_many_and_never_counts():
    names = [f"strategy {i}" for i in range(14)]
    table = make_verdicts(
        levels=ONE_CELL, strategies=names, kinds=[INTERCEPT, WITHIN, "cluster-level predictor"]
    )
    table.loc[table["kind"] == INTERCEPT, ["value", "liberal_cells"]] = [0.5, 1]
    figure = figure_of("false_positives", table, strategies=names)
    assert title_of(figure) == "No strategy is found liberal; all 14 are safe"
    assert len(figure.axes) == 2 and "The intercept's rates are in the table alone." in text_of(
        figure
    )
    assert figure.get_figheight() < 1.4 * figure.get_figwidth()


def test_a_worst_cell_that_is_liberal_counts_where_no_single_cell_is_after_the_correction():
    table = make_verdicts(kinds=[WITHIN])
    mine = (table["strategy"] == "cluster_robust") & (table["scope"] == "all")
    table.loc[mine, "liberal_cells"] = 0
    assert (
        (table.loc[mine & (table["measure"] == "false_positive_rate"), "verdict"])
        .eq("liberal")
        .all()
    )
    for name in ("false_positives", "verdict_map"):
        assert title_of(figure_of(name, table)).startswith(
            "1 of 3 strategies is liberal: cluster-robust OLS (1 of 12 cells); "
        )
