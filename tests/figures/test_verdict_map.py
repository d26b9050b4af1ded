"""The map of verdicts: marks, heads and words, against verdicts written by hand."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest
from matplotlib.colors import to_hex
from matplotlib.figure import Figure

from clustrategy.figures.parts.verdicts import MARKS
from tests.figures.drawn import figure_of, said, shared_figure, text_of
from tests.figures.tables import DESIGN, STUDY, WITHIN
from tests.figures.verdict_tables import make_verdicts, without_values

ONE_CELL = {name: levels[:1] for name, levels in DESIGN.items()}


@cache
def whole() -> Figure:
    return shared_figure("verdict_map")


def count_of(axes, verdict: str) -> int:
    colours = [to_hex(MARKS[verdict].colour), to_hex(MARKS[verdict].face)]
    return sum(
        len(one.get_offsets())
        for one in axes.collections
        if [to_hex(one.get_edgecolors()[0]), *map(to_hex, one.get_facecolors()[:1])] == colours
    )


def test_each_cell_of_each_strategy_has_the_mark_of_its_verdict():
    (axes,) = whole().axes
    # 12 cells: two-stage conservative, the maximal model holds, cluster-robust liberal in 4.
    met = {verdict: count_of(axes, verdict) for verdict in MARKS}
    assert met == {
        "conservative": 12,
        "holds": 12,
        "slightly_liberal": 0,
        "liberal": 4,
        "undecided, but safe": 0,
        "undecided": 8,
    }


def test_safe_cells_are_counted_beside_each_row():
    (axes,) = whole().axes
    rows = {text.xy[1]: text.get_text() for text in axes.texts if " of " in text.get_text()}
    assert rows == {0: "12 of 12", 1: "12 of 12", 2: "0 of 12"}


def test_the_heads_name_the_levels_of_each_factor_over_their_cells():
    (axes,) = whole().axes
    texts = said(axes)
    assert texts.count("0.1") == 4 and texts.count("25") == 2 and texts.count("30") == 1
    places = {text.get_text(): text.xy[0] for text in axes.texts}
    # Three sigmas for each of two sizes, with a gap between these and a wider one in the middle.
    assert places["10"] == pytest.approx((0 + 5.45) / 2)
    assert {"clusters", "observations per cluster", "between-cluster sigma"} <= set(texts)


def test_verdicts_differ_by_shape_and_not_by_colour_alone():
    looks = [(mark.marker, mark.face == "white") for mark in MARKS.values()]
    others = [look for verdict, look in zip(MARKS, looks, strict=True) if "safe" not in verdict]
    assert len(set(others)) == len(others)


def test_an_undecided_cell_that_is_safe_has_a_mark_of_its_own():
    # 0.03 lies between 0.024 and 0.036: conservative or holds, and below 6.5 % in any case.
    table = make_verdicts(levels=ONE_CELL, kinds=[WITHIN], rate=lambda *_: 0.03)
    figure = figure_of("verdict_map", table)
    assert count_of(figure.axes[0], "undecided, but safe") == 3
    labels = [text.get_text() for text in figure.legends[0].get_texts()]
    assert labels == ["undecided, but safe"]


def test_cells_with_many_unusable_fits_are_marked():
    levels = {**ONE_CELL, "clusters": [10, 30]}
    few, many = (
        figure_of("verdict_map", make_verdicts(levels=levels, kinds=[WITHIN], unusable=share))
        for share in (0.05, 0.06)
    )
    words = "more than 5 % of fits unusable"
    assert words in [text.get_text() for text in many.legends[0].get_texts()]
    assert words not in [text.get_text() for text in few.legends[0].get_texts()]
    boxes = [one for one in many.axes[0].collections if not len(one.get_facecolors())]
    assert sum(len(np.asarray(one.get_offsets())) for one in boxes) == 6


def test_many_cells_stand_in_blocks_on_a_page():
    """108 cells of 14 strategies."""
    levels = {
        "clusters": [10, 30, 100],
        "obs_per_cluster": [5, 25, 100],
        "between_cluster_sigma": [0.1, 0.25, 1],
        "random_distribution": ["normal", "skewed", "t, 5", "uniform, 1"],
    }
    names = [f"strategy {i}" for i in range(14)]
    table = make_verdicts(levels=levels, strategies=names, kinds=[WITHIN])
    figure = figure_of("verdict_map", table, strategies=names, factors=list(levels))
    assert [axes.get_title(loc="left") for axes in figure.axes] == [
        "10 clusters",
        "30 clusters",
        "100 clusters",
    ]
    assert all(count_of(axes, "holds") == 14 * 36 for axes in figure.axes)
    # A page of 6.5 by 9.5 inches.
    assert figure.get_figheight() / figure.get_figwidth() < 9.5 / 6.5


def test_no_verdict_at_all_is_said_in_words():
    figure = figure_of("verdict_map", without_values(make_verdicts(levels=ONE_CELL)))
    assert "No strategy has a false-positive rate" in text_of(figure)
    assert "no usable fit" in text_of(figure)


def test_one_cell_is_shown():
    figure = figure_of("verdict_map", make_verdicts(levels=ONE_CELL, kinds=[WITHIN]), factors=STUDY)
    assert count_of(figure.axes[0], "holds") == 1 and "10" in said(figure.axes[0])
