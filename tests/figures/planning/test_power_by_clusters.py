"""The power by the number of clusters: what is drawn, and what the words make of it."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from matplotlib.colors import to_hex

from clustrategy import plan
from clustrategy.figures.parts.frame import words_on
from clustrategy.figures.planning.power_by_clusters import GREY, power_by_clusters, spread

OLS = {"strategy": "ols", "name": "OLS"}
DESIGN = {"rows": 20, "icc": 0.2, "effect": 1.0}


@pytest.fixture(scope="module")
def found():
    return plan(**DESIGN, clusters=(8, 30), strategies=[OLS, "two-stage"], sims=1_000)


@pytest.fixture(scope="module")
def figure(found):
    return power_by_clusters(found)


def test_the_title_is_the_answer(found, figure):
    clusters = found.recommended.at
    title = f"{clusters} clusters for a power of 80 %, analysed by two-stage"
    assert words_on(figure).title == title
    texts = [text.get_text() for text in figure.axes[0].texts]
    assert texts == [f"{clusters} clusters", "two-stage: " + str(clusters), *texts[2:]]
    assert "OLS: does not hold its level" in texts


def test_what_does_not_hold_its_level_is_grey_and_dashed(figure):
    curves = [line for line in figure.axes[0].lines if len(line.get_xdata()) == 200]
    grey = [line for line in curves if to_hex(line.get_color()) == to_hex(GREY)]
    assert len(curves) == 2
    assert len(grey) == 1
    assert grey[0].get_linestyle() == "--"
    assert "Grey and dashed" in words_on(figure).caption


def test_the_interval_of_the_answer_lies_on_the_power_asked_for(found, figure):
    thick = max(figure.axes[0].lines, key=lambda line: line.get_linewidth())
    assert list(thick.get_xdata()) == list(found.recommended.interval)
    assert list(thick.get_ydata()) == [0.8, 0.8]


def test_the_dots_are_the_powers_found(found, figure):
    dots = [line for line in figure.axes[0].lines if line.get_marker() == "o"]
    drawn = {(x, y) for line in dots for x, y in zip(*line.get_data(), strict=True)}
    curves = found.curves()
    assert drawn == set(zip(curves["clusters"], curves["power"], strict=True))


def test_one_number_of_clusters_has_no_curve():
    figure = power_by_clusters(plan(**DESIGN, clusters=12, strategies="two-stage", sims=200))
    assert not [line for line in figure.axes[0].lines if len(line.get_xdata()) == 200]
    assert "curve" not in words_on(figure).caption


@given(st.lists(st.floats(0, 1), min_size=1, max_size=12).map(sorted))
def test_names_are_a_step_apart_and_within(places):
    spaced = spread(places, 0.05, 0.0, 1.0)
    assert len(spaced) == len(places)
    assert (np.diff(spaced) > 0.05 - 1e-9).all()
    assert min(spaced) > -1e-9
    assert max(spaced) < 1 + 1e-9


@given(st.lists(st.integers(0, 9), min_size=1, max_size=9, unique=True).map(sorted))
def test_names_with_room_stay_where_they_are(tenths):
    places = [tenth / 10 for tenth in tenths]
    assert spread(places, 0.05, 0.0, 1.0) == pytest.approx(places)
