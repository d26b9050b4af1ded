"""All cells side by side."""

from __future__ import annotations

import itertools

import numpy as np
from matplotlib.colors import to_rgb
from matplotlib.patches import StepPatch

from clustrategy.figures.parts.frame import words_on
from clustrategy.figures.parts.style import GOOD, WRONG
from tests.figures.drawn import figure_of, shared_figure, text_of
from tests.figures.tables import (
    CLUSTER_LEVEL,
    STRATEGIES,
    STUDY,
    WITHIN,
    make_performance,
    set_values,
)


def test_the_nested_loop_has_a_step_for_each_cell_in_nested_order():
    table = make_performance()
    within, cluster_level, *factors = shared_figure("nested_loop").axes
    assert (within.get_title("left"), cluster_level.get_title("left")) == (WITHIN, CLUSTER_LEVEL)
    rows = table[(table["measure"] == "rejection_rate") & (table["handling"] == "case_wise")]
    for axes, term in ((within, "IV1"), (cluster_level, "IV3")):
        steps = [patch for patch in axes.patches if isinstance(patch, StepPatch)]
        for patch, strategy in zip(steps, STRATEGIES, strict=True):
            mine = rows[(rows["term"] == term) & (rows["strategy"] == strategy)]
            expected = mine.sort_values(STUDY)["value"]
            np.testing.assert_allclose(patch.get_data().values, expected)
    ranks = [axes.patches[0].get_data().values.tolist() for axes in factors]
    cells = itertools.product(range(2), range(2), range(3))
    assert ranks == [list(levels) for levels in zip(*cells, strict=True)]
    assert "12 cells" in text_of(shared_figure("nested_loop"))


def test_the_nested_loop_of_a_study_without_a_zero_shows_coverage():
    table = make_performance().assign(true_value=np.nan)
    figure = figure_of("nested_loop", table)
    assert words_on(figure).subtitle == "Nested-loop plot of all cells: coverage"
    rows = table[(table["measure"] == "coverage") & (table["handling"] == "case_wise")]
    mine = rows[(rows["term"] == "IV3") & (rows["strategy"] == "two_stage")].sort_values(STUDY)
    steps = [patch for patch in figure.axes[1].patches if isinstance(patch, StepPatch)]
    np.testing.assert_allclose(steps[1].get_data().values, mine["value"])


def test_the_worst_and_the_best_are_in_colour_and_the_others_grey():
    table = make_performance()
    here = table["measure"] == "rejection_rate"
    table.loc[here, "value"] = 0.05
    table = set_values(table, "rejection_rate", 0.4, "two_stage", clusters=30, term="IV3")
    table = set_values(table, "rejection_rate", 0.2, "mixed_maximal", obs_per_cluster=5)
    figure = figure_of("nested_loop", table)
    assert words_on(figure).title == (
        "The type I error of two-stage goes up to 40 % (30 clusters, 5 obs., σ 0.1), that of "
        "cluster-robust OLS 5 % at worst"
    )
    entries = [text.get_text() for text in figure.legends[0].get_texts()]
    assert entries == ["worst: two-stage", "best: cluster-robust OLS", "1 other"]
    steps = [patch for patch in figure.axes[0].patches if isinstance(patch, StepPatch)]
    colours = [to_rgb(patch.get_edgecolor()) for patch in steps]
    assert colours == [to_rgb(GOOD), to_rgb(WRONG), to_rgb("#9a9a9a")]
