"""Colours and options."""

from __future__ import annotations

import numpy as np
import pytest
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure

from clustrategy.figures.convergence import convergence
from clustrategy.figures.parts.style import Look
from tests.figures.drawn import OPTIONS, figure_of, shared_figure
from tests.figures.tables import STRATEGIES, STUDY, make_fits, make_scores


def legend_colours(figure: Figure) -> dict[str, tuple[float, float, float]]:
    """The colour of each strategy in the legend."""
    legend = figure.legends[0]
    return {
        text.get_text(): to_rgb(patch.get_facecolor())
        for text, patch in zip(legend.get_texts(), legend.get_patches(), strict=True)
    }


def test_a_strategy_has_the_same_colour_in_all_figures():
    names = ["coefficient_recovery", "standard_errors", "t_statistics", "convergence"]
    first, *others = (legend_colours(shared_figure(name)) for name in names)
    assert list(first) == ["cluster-robust OLS", "two-stage", "mixed, maximal"]
    assert all(other == first for other in others)


def test_a_strategy_keeps_its_colour_when_none_of_its_fits_gave_a_value():
    table = make_scores()
    table.loc[table["strategy"] == "two_stage", "se_sum"] = np.nan
    whole, partly = shared_figure("standard_errors"), figure_of("standard_errors", table)
    assert legend_colours(whole) == legend_colours(partly)
    box_colours = [
        {to_rgb(colour) for colour in figure.axes[0].collections[0].get_colors()}
        for figure in (partly, whole)
    ]
    assert box_colours[0] == box_colours[1] - {legend_colours(whole)["two-stage"]}
    assert box_colours[1] == set(legend_colours(whole).values())


def test_more_strategies_than_the_palette_has_colours_still_differ():
    assert len(set(Look().colours(14))) == 14


@pytest.mark.parametrize("option", [{"scale": "cubic"}, {"palette": "nonsense"}])
def test_an_unknown_option_is_refused(option):
    with pytest.raises(ValueError):
        convergence(
            make_fits(), factors=STUDY, strategies=STRATEGIES, options={**OPTIONS, **option}
        )


def test_the_built_in_palette_is_seaborns():
    seaborn = pytest.importorskip("seaborn")
    assert Look().colours(10) == list(seaborn.color_palette("colorblind"))
