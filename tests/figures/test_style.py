"""Colours and options."""

from __future__ import annotations

import numpy as np
import pytest
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure

from clustrategy.figures.parts.style import Look
from tests.figures.drawn import figure_of, shared_figure
from tests.figures.tables import make_scores


def legend_colours(figure: Figure) -> dict[str, tuple[float, float, float]]:
    """The colour of each strategy in the legend."""
    legend = figure.legends[0]
    return {patch.get_label(): to_rgb(patch.get_facecolor()) for patch in legend.get_patches()}


def test_a_strategy_has_the_same_colour_in_all_figures():
    names = ["coefficient_recovery", "standard_errors", "t_statistics", "convergence", "audit"]
    first, *others = (legend_colours(shared_figure(name)) for name in names)
    assert list(first) == ["cluster-robust OLS", "two-stage", "mixed, maximal"]
    assert all(other.items() <= first.items() for other in others)


def test_a_strategy_without_values_has_no_entry_and_the_others_keep_their_colours():
    table = make_scores()
    table.loc[table["strategy"] == "two_stage", "se_sum"] = np.nan
    partly = legend_colours(figure_of("standard_errors", table))
    whole = legend_colours(shared_figure("standard_errors"))
    assert whole.pop("two-stage") and partly == whole


def test_more_strategies_than_the_palette_has_colours_still_differ():
    assert len(set(Look().colours(14))) == 14


@pytest.mark.parametrize("option", [{"scale": "cubic"}, {"palette": "nonsense"}])
def test_an_unknown_option_is_refused(option):
    with pytest.raises(ValueError):
        figure_of("convergence", **option)


def test_the_built_in_palette_is_seaborns():
    seaborn = pytest.importorskip("seaborn")
    assert Look().colours(10) == list(seaborn.color_palette("colorblind"))
