"""One measure by strategy."""

from __future__ import annotations

import pytest

from clustrategy.evaluation.measures import NAMES
from clustrategy.figures import lollipop
from clustrategy.figures.lollipop import MEASURES
from clustrategy.figures.parts.frame import words_on
from clustrategy.study.config import schema
from tests.figures.drawn import dots, drawn_lines, figure_of
from tests.figures.tables import CLUSTER_LEVEL, WITHIN, make_performance, set_values


def test_a_stick_leads_from_the_target_to_each_mark():
    axes = figure_of("lollipop", lollipop="relative_error").axes[1]
    ends = dots(axes)
    assert len(ends) == 12 * 3
    sticks = [line for line in drawn_lines(axes, 2) if line[0, 0] == 0 and line[1, 0] != 0]
    found = sorted((line[1, 0], line[1, 1]) for line in sticks)
    assert found == [pytest.approx(end) for end in sorted(map(tuple, ends))]


@pytest.mark.parametrize("measure", ["rejection_rate", "size_adjusted_power", "empirical_se"])
def test_the_measure_of_the_lollipops_is_the_configs(measure):
    figure = figure_of("lollipop", lollipop=measure)
    words, _ = MEASURES[measure]
    assert words_on(figure).subtitle == f"By strategy and cell: {words}"
    kinds = [axes.get_title("left").strip() for axes in figure.axes]
    assert kinds == ([WITHIN] if measure == "size_adjusted_power" else [WITHIN, CLUSTER_LEVEL])


@pytest.mark.parametrize(
    ("measure", "worst"), [("rejection_rate", 0.4), ("size_adjusted_power", 0.1), ("mse", None)]
)
def test_the_title_names_the_harmful_end(measure, worst):
    table = make_performance()
    table.loc[table["measure"] == measure, "value"] = 0.2
    table = set_values(table, measure, 0.1, "two_stage", clusters=10)
    table = set_values(table, measure, 0.4, "mixed_maximal", clusters=30)
    title = words_on(figure_of("lollipop", table, lollipop=measure)).title
    words = MEASURES[measure][0]
    if worst is None:
        assert title == f"No strategy has a value of {words}"
    else:
        assert f"{words} {worst} in the worst cell" in title


def test_the_config_offers_the_measures_that_there_are():
    option = schema()["properties"]["figures"]["properties"]["lollipop"]
    assert option["enum"] == list(MEASURES) and option["default"] == lollipop.DEFAULT
    assert set(MEASURES) == set(NAMES)
