"""One measure by strategy."""

from __future__ import annotations

import numpy as np
import pytest
from matplotlib.collections import LineCollection
from matplotlib.colors import to_rgb
from statsmodels.stats.proportion import proportion_confint

from clustrategy.evaluation.measures import NAMES
from clustrategy.figures import lollipop
from clustrategy.figures.lollipop import MEASURES
from clustrategy.study.config import schema
from tests.figures.drawn import figure_of, text_of
from tests.figures.tables import CLUSTER_LEVEL, SIMS, WITHIN, make_performance, set_values


def sticks(axes, start) -> list[float]:
    lines = [
        line
        for one in axes.collections
        if isinstance(one, LineCollection)
        for line in one.get_segments()
    ]
    return sorted(line[1, 0] for line in lines if line[0, 0] == start)


def black_bars(axes) -> np.ndarray:
    """The ends of the Monte Carlo intervals of the sticks, of which there is a row for each."""
    bars = [
        line[:, 0]
        for one in axes.collections
        if isinstance(one, LineCollection) and to_rgb(one.get_colors()[0]) == to_rgb("#222222")
        for line in one.get_segments()
    ]
    return np.array(bars)


def test_a_lollipop_is_the_mean_over_sigma_with_the_error_of_independent_cells():
    table = make_performance()
    figure = figure_of("lollipop", table, lollipop="relative_error")
    rows = table[(table["measure"] == "relative_error") & (table["handling"] == "case_wise")]
    rows = rows[(rows["term"] != "(Intercept)") & (rows["clusters"] == 10)]
    rows = rows[rows["obs_per_cluster"] == 5].replace({"term": {"IV2": "IV1"}})
    # Per level of sigma the mean of two alike slopes, then over sigmas.
    cells = rows.groupby(["strategy", "term", "between_cluster_sigma"])["value"].mean()
    means = cells.groupby(["strategy", "term"]).mean()
    axes = figure.axes[0]
    low, high = axes.get_xlim()
    inside = sorted(mean for mean in means if low < mean < high)
    drawn = sticks(axes, 0.0)
    assert len(drawn) == len(means) and np.isin(np.round(inside, 9), np.round(drawn, 9)).sum() >= 4
    widths = np.diff(black_bars(axes)).ravel()
    assert widths == pytest.approx([2 * 1.959964 * 0.1 / np.sqrt(3)] * len(widths), rel=1e-5)


def test_a_lollipop_of_shares_has_wilson_intervals_of_all_fits():
    table = set_values(make_performance(), "coverage", 1.0)
    table = table[(table["clusters"] == 10) & (table["obs_per_cluster"] == 5)]
    figure = figure_of("lollipop", table[table["term"] == "IV3"], strategies=["cluster_robust"])
    (bar,) = black_bars(figure.axes[0])
    fits = 3 * SIMS
    assert bar == pytest.approx(proportion_confint(fits, fits, method="wilson"), abs=1e-9)


def test_a_lollipop_of_one_sigma_speaks_of_no_mean():
    table = make_performance()
    figure = figure_of("lollipop", table[table["between_cluster_sigma"] == 1])
    assert "mean over" not in text_of(figure) and "grey" not in text_of(figure)
    assert "Mark: the value, with its" in text_of(figure)
    assert all("sigma" not in text.get_text() for text in figure.legends[0].get_texts())


def test_a_strategy_without_a_value_at_some_level_has_dots_and_no_stick():
    whole = make_performance()
    gone = (whole["strategy"] == "two_stage") & (whole["between_cluster_sigma"] == 0.1)
    figures = [figure_of("lollipop", table) for table in (whole, whole[~gone])]
    counts = [sum(len(sticks(axes, 0.95)) for axes in figure.axes) for figure in figures]
    assert counts == [4 * 3 * 2, 4 * 2 * 2]
    assert "Without a stick: no value at some of the levels." in text_of(figures[1])
    assert "Without a stick" not in text_of(figures[0])


@pytest.mark.parametrize("measure", ["rejection_rate", "size_adjusted_power", "bias"])
def test_the_measure_of_the_lollipops_is_the_configs(measure):
    figure = figure_of("lollipop", lollipop=measure)
    words, _ = MEASURES[measure]
    assert words in text_of(figure)
    kinds = [text.get_text() for text in figure.legends[0].get_texts()[:-1]]
    assert kinds == ([WITHIN] if measure == "size_adjusted_power" else [WITHIN, CLUSTER_LEVEL])


def test_the_config_offers_the_measures_that_there_are():
    option = schema()["properties"]["figures"]["properties"]["lollipop"]
    assert option["enum"] == list(MEASURES) and option["default"] == lollipop.DEFAULT
    assert set(MEASURES) == set(NAMES)
