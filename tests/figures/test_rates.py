"""Axes of rates."""

from __future__ import annotations

import numpy as np
import pytest

from clustrategy.figures.parts.rates import scale_rates
from clustrategy.figures.parts.style import Look, new_figure


@pytest.mark.parametrize("mirrored", [False, True])
@pytest.mark.parametrize("end", [0.2, 0.3, 0.5, 1.0])
def test_a_scale_of_rates_has_its_nominal_level_and_room_between_its_ticks(end, mirrored):
    axes = new_figure(Look(), 2).subplots()
    scale_rates(axes, end, 0.05, 0.5, 8, mirrored=mirrored)
    ticks = axes.get_yticks()
    assert (0.95 if mirrored else 0.05) in np.round(ticks, 9)
    places = axes.transAxes.inverted().transform(axes.transData.transform([(0, t) for t in ticks]))
    assert np.diff(places[:, 1]).min() * 0.5 * 72 >= 8
    assert places[:, 1].min() >= -1e-9 and places[:, 1].max() <= 1 + 1e-9
