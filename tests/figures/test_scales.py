"""Axes that are stretched near a target, and labels at round numbers."""

from __future__ import annotations

import numpy as np
import pytest

from clustrategy.figures.parts.scales import round_ticks, stretch
from clustrategy.figures.parts.style import Look, new_figure


@pytest.mark.parametrize("which", ["x", "y"])
@pytest.mark.parametrize(("low", "high"), [(0.9, 0.97), (0.0, 1.0), (0.95, 0.95)])
def test_a_stretched_axis_has_its_target_its_ends_and_room_between_labels(which, low, high):
    axes = new_figure(Look(), 2).subplots()
    ends = {"target": 0.95, "unit": 0.01, "within": (0, 1)}
    stretch(axes, which, (low, high), apart=0.1, write=str, **ends)
    first, last = getattr(axes, f"get_{which}lim")()
    assert first < low <= high < last
    ticks = np.array(getattr(axes, f"get_{which}ticks")())
    assert 0.95 in np.round(ticks, 9) and (ticks >= -1e-9).all() and (ticks <= 1 + 1e-9).all()
    points = np.repeat(ticks[:, None], 2, axis=1)
    places = axes.transAxes.inverted().transform(axes.transData.transform(points))
    along = places[:, "xy".index(which)]
    assert np.diff(along).min() >= 0.1 * 0.9
    assert along.min() >= 0 and along.max() <= 1


def test_equal_distances_to_either_side_are_equally_long():
    axes = new_figure(Look(), 2).subplots()
    stretch(axes, "x", (-3, 3), target=1.0, unit=0.1, apart=0.1, write=str)
    at = axes.transData.transform([(1 - 2, 0), (1, 0), (1 + 2, 0)])[:, 0]
    assert at[1] - at[0] == pytest.approx(at[2] - at[1])


@pytest.mark.parametrize(
    ("ends", "inches", "labels"),
    [
        ((-0.1, 4.1), 3.0, ["0", "1", "2", "3", "4"]),
        ((-0.1, 4.1), 0.5, ["0", "2", "4"]),
        ((-0.47, 0.54), 1.7, ["−0.4", "0", "0.4"]),
        ((-0.47, 0.54), 0.2, ["0"]),
        ((-2e-7, 2.1e-6), 1.9, ["0", "1e−6"]),
        ((99_999_999.5, 100_000_002.5), 3.0, ["100000000", "100000001", "100000002"]),
        ((-12000, 12000), 3.0, ["−10000", "−5000", "0", "5000", "10000"]),
    ],
)
def test_round_numbers_are_as_many_as_there_is_room_for(ends, inches, labels):
    axes = new_figure(Look(), 1).subplots()
    axes.set_xlim(*ends)
    round_ticks(axes.xaxis, inches, 8)
    assert [label.get_text() for label in axes.get_xticklabels()] == labels
