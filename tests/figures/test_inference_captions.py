"""What all figures of inference say: fits left out, values beyond, nothing to show."""

from __future__ import annotations

import numpy as np
import pytest

from clustrategy.figures.registry import FIGURES
from tests.figures.drawn import figure_of, said, shared_figure, text_of
from tests.figures.tables import make_estimates, make_performance

INFERENCE = [name for name, figure in FIGURES.items() if figure.tables[0] == "performance"]


@pytest.mark.parametrize("name", ["coverage", "p_value_ecdf", "nested_loop", "lollipop"])
def test_captions_count_the_unusable_fits(name):
    text = text_of(shared_figure(name))
    assert "12 of 432 fits are unusable and are left out (mixed, maximal 12)" in text
    whole = make_performance()
    whole.loc[whole["measure"] == "unusable_rate", "value"] = 0
    assert "All fits are usable." in text_of(figure_of(name, whole))


@pytest.mark.parametrize("name", INFERENCE)
@pytest.mark.parametrize("what", ["no rows", "no values", "truth drawn anew"])
def test_a_figure_without_values_says_so_and_why(name, what):
    performance = make_performance()
    if what == "no rows":
        performance = performance.iloc[:0]
    elif what == "no values":
        performance["value"] = np.nan
    else:
        performance["true_value"] = np.nan
    estimates = make_estimates()
    figure = figure_of(name, performance, estimates.iloc[:0])
    shown_anyway = {"bias", "relative_error", "coverage", "nested_loop", "lollipop"}
    if what == "truth drawn anew" and name in shown_anyway:
        assert "no values" not in said(figure.axes[0])
    else:
        assert said(figure.axes[0]) == ["no values"]
        assert text_of(figure).count("No ") >= 1


def test_tests_of_another_level_have_its_line_and_band():
    axes = figure_of("nested_loop", alpha=0.01).axes[0]
    lines = [line.get_ydata() for line in axes.lines]
    assert [0.01, 0.01] in [list(y) for y in lines] and 0.01 in axes.get_yticks()
