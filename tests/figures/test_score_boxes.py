"""Box plots of scores."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from matplotlib.axes import Axes

from tests.figures.drawn import drawn_lines, figure_of, panel_axes, shared_figure, text_of
from tests.figures.tables import DESIGN, SIMS, STRATEGIES, make_scores


def drawn_medians(axes: Axes) -> list[float]:
    """Heights of the lines across the boxes, from left to right."""
    lines = [line for line in drawn_lines(axes, 2) if line[0, 1] == line[1, 1]]
    return [line[0, 1] for line in sorted(lines, key=lambda line: line[:, 0].mean())]


@pytest.mark.parametrize("scale", ["log", "linear"])
@pytest.mark.parametrize(
    ("name", "column"), [("coefficient_recovery", "coef_abs_err"), ("standard_errors", "se_sum")]
)
def test_drawn_medians_are_the_medians_of_the_fits_that_gave_a_value(name, column, scale):
    table = make_scores()
    figure = figure_of(name, scale=scale)
    for axes, part in panel_axes(figure, table):
        expected = [
            np.nanmedian(
                part[(part["between_cluster_sigma"] == s) & (part["strategy"] == n)][column]
            )
            for s, n in itertools.product(DESIGN["between_cluster_sigma"], STRATEGIES)
        ]
        assert drawn_medians(axes) == pytest.approx(expected)
        assert axes.get_yscale() == scale


def test_caption_counts_sims_and_the_fits_without_a_value():
    text = text_of(shared_figure("coefficient_recovery"))
    assert f"{SIMS} sims per cell" in text
    assert "12 of 432 fits gave no value and are not shown (mixed, maximal 12)" in text


def test_caption_counts_a_strategy_that_lost_every_fit():
    table = make_scores()
    table.loc[table["strategy"] == "two_stage", "coef_abs_err"] = np.nan
    assert "two-stage 144" in text_of(figure_of("coefficient_recovery", table))


def test_a_single_zero_leaves_the_scale_as_it_was_asked_for():
    table = make_scores()
    table.loc[1, "se_sum"] = 0.0
    assert figure_of("standard_errors", table).axes[0].get_yscale() != "linear"


def test_a_panel_without_values_says_so():
    table = make_scores()
    table.loc[(table["clusters"] == 10) & (table["obs_per_cluster"] == 5), "se_sum"] = np.nan
    first, *others = figure_of("standard_errors", table).axes
    assert [text.get_text() for text in first.texts].count("no values") == 1
    assert all("no values" not in [text.get_text() for text in axes.texts] for axes in others)
