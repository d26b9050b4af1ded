"""The figure of the placebo check: places and words, against rates written by hand."""

from __future__ import annotations

import numpy as np
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from clustrategy.figures.parts.frame import words_on
from tests.figures.drawn import figure_of, said
from tests.figures.placebo_tables import make_placebo
from tests.figures.tables import STRATEGIES


def drawn(**changes: bool) -> Figure:
    return figure_of("placebo", make_placebo(**changes), factors=["scenario"])


def marks(axes) -> list[tuple[float, float]]:
    return [
        (round(float(x), 6), round(float(y), 6))
        for one in axes.collections
        for x, y in np.asarray(one.get_offsets())
    ]


def test_the_title_is_the_finding():
    assert words_on(drawn()).title == (
        "The working model does not describe these data: placebos of time are rejected more often "
        "than it says"
    )
    assert words_on(drawn(outside=False)).title == (
        "Placebos are rejected on these data as often as the working model says"
    )


def test_rates_means_and_intervals_are_where_they_belong():
    first, second = drawn().axes
    assert [one.get_title(loc="left") for one in (first, second)] == [
        "time: signs flipped by cluster",
        "arm: permuted among clusters",
    ]
    assert set(marks(first)) == {(5, 0), (6, 1), (7, 2), (8, 0), (8, 2), (44, 1)}
    assert set(marks(second)) == {(5, 0), (6, 1), (8, 0), (8, 1)}
    bars = [one for one in first.patches if isinstance(one, Rectangle) and one.get_height() == 0.5]
    ends = [(one.get_x(), one.get_x() + one.get_width()) for one in bars]
    np.testing.assert_allclose(ends, [(2, 18)] * len(STRATEGIES))


def test_numbers_stand_beside_and_reasons_below():
    figure = drawn()
    assert "44 % (2 to 18 %)" in said(figure.axes[0])
    assert "not tested" in said(figure.axes[1])
    caption = words_on(figure).caption
    assert "arm: permuted within 2 groups of like size and leverage." in caption
    assert caption.endswith("the strategy does not test this coefficient.")


def test_without_any_rate_there_is_a_sentence():
    none = make_placebo().tail(1)
    title, _, caption = words_on(figure_of("placebo", none, factors=["scenario"]))
    assert title == "No term of this table has a placebo that a strategy could test"
    assert caption.endswith("the strategy does not test this coefficient.")


def test_a_name_with_signs_of_mathematics_is_written_as_it_is():
    table = make_placebo().replace({"term": {"time": "$x_1$"}})
    figure = figure_of("placebo", table, factors=["scenario"])
    assert "$x_1$" in words_on(figure).title
