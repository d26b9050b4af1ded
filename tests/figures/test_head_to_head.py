"""The figure of paired differences, against differences written by hand."""

from __future__ import annotations

from functools import cache

import numpy as np
import pandas as pd
import pytest
from matplotlib.colors import to_hex
from matplotlib.figure import Figure
from matplotlib.patches import PathPatch

from clustrategy.figures.head_to_head import ALIKE, APART
from clustrategy.figures.parts.frame import words_on
from tests.figures.drawn import dots, drawn_lines, figure_of, said, shared_figure, text_of
from tests.figures.tables import CLUSTER_LEVEL, make_differences

CELL = {"obs_per_cluster": 5, "between_cluster_sigma": 1}
SHARED = {"term": "IV1", "true_value": 0.5, "handling": "case_wise", "note": "", "n": 100}
HAND: dict[str, dict[tuple[str, int], tuple[float, float]]] = {
    # The reference's SE is 2, so that 0.2 is 10 %; and 0.5 of 2.0 is 25 %.
    "empirical_se": {
        ("two_stage", 10): (0.2, 0.02),
        ("two_stage", 30): (0.5, 0.02),
        ("mixed_maximal", 10): (-0.1, 0.2),
        ("mixed_maximal", 30): (-0.1, 0.2),
    },
    "coverage": {("two_stage", 10): (0.02, 0.005), ("two_stage", 30): (0.04, 0.005)},
}


def tables(hand=HAND) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Differences to cluster-robust OLS, and its own values."""
    rows = [
        {
            **CELL,
            **SHARED,
            "clusters": clusters,
            "strategy": strategy,
            "measure": measure,
            "value": value,
            "mcse": mcse,
            "reference": "cluster_robust",
        }
        for measure, found in hand.items()
        for (strategy, clusters), (value, mcse) in found.items()
    ]
    own = [
        {
            **CELL,
            **SHARED,
            "clusters": clusters,
            "strategy": "cluster_robust",
            "measure": measure,
            "value": 2.0,
            "mcse": 0.1,
        }
        for measure in ("empirical_se", "robust_se", "coverage")
        for clusters in (10, 30)
    ]
    return pd.DataFrame(rows), pd.DataFrame(own)


@cache
def whole() -> Figure:
    return figure_of("head_to_head", *tables())


def title_of(figure: Figure) -> str:
    return words_on(figure).title


def at(axes, height: float) -> list[float]:
    """The x positions of the cells at a height."""
    return sorted(round(float(x), 6) for x, y in dots(axes) if abs(y - height) < 1e-6)


def test_the_title_says_whose_estimates_scatter_least_and_most():
    # Means over two cells: (10 % + 25 %) / 2, and -5 %.
    assert title_of(whole()) == (
        "Estimates scatter least with “mixed, maximal” (5 % less than with cluster-robust OLS) and "
        "most with two-stage (18 % more)"
    )


def test_differences_of_sizes_are_percent_of_the_references_and_of_rates_points():
    scatter, coverage = whole().axes
    assert [label.get_text() for label in scatter.get_yticklabels()] == [
        "mixed, maximal",
        "two-stage",
    ]
    assert at(scatter, 1 - 0.15) == [10, 25] and at(scatter, 0 - 0.15) == [-5, -5]
    assert at(coverage, 1 - 0.15) == [2, 4]


def test_means_have_the_interval_of_independent_cells():
    scatter, _ = whole().axes
    (means,) = scatter.collections
    assert np.asarray(means.get_offsets()).tolist() == [[17.5, 1.24], [-5, 0.24]]
    (bar,) = [
        line for line in drawn_lines(scatter, 2) if np.ptp(line[:, 1]) == 0 and line[0, 1] > 1
    ]
    # The MCSE of each is 0.02 of 2, that is 1 %; of the mean of two 1 / sqrt(2).
    assert bar[:, 0] == pytest.approx([17.5 - 1.959964 / np.sqrt(2), 17.5 + 1.959964 / np.sqrt(2)])


def test_intervals_of_means_are_on_the_axis():
    hand = {"coverage": {("two_stage", 10): (0.02, 0.5), ("two_stage", 30): (0.02, 0.5)}}
    (axes,) = figure_of("head_to_head", *tables(hand)).axes
    low, high = axes.get_xlim()
    reach = 1.959964 * 50 / np.sqrt(2)
    assert low < 2 - reach and 2 + reach < high


def test_cells_told_apart_from_0_have_another_colour():
    found: dict[str, int] = {}
    for patch in whole().axes[0].get_children():
        if isinstance(patch, PathPatch) and patch.get_linewidth() > 2:
            found[to_hex(patch.get_edgecolor())] = len(patch.get_path().vertices) // 2
    # Those of two-stage; -5 % has an MCSE of 10 %.
    assert found == {APART: 2, ALIKE: 2}


def test_the_caption_names_the_cells_that_differ_most_and_who_sets_the_reference():
    words = text_of(whole())
    assert "scatter of estimates +25 % (two-stage; 30 clusters)" in words
    assert "coverage +4 points (two-stage; 30 clusters)" in words
    assert "performance.reference sets the reference" in words


def test_without_a_finite_variance_the_interquartile_range_stands_in():
    hand = {
        "empirical_se": {("two_stage", 10): (np.nan, np.nan), ("two_stage", 30): (0.5, 0.02)},
        "robust_se": {("two_stage", 10): (0.3, 0.02), ("two_stage", 30): (0.9, 0.02)},
    }
    figure = figure_of("head_to_head", *tables(hand))
    assert at(figure.axes[0], -0.15) == [15, 25]


def test_power_is_that_of_coefficients_that_are_not_zero():
    # IV1 of the tests' tables is zero, IV2 is not; and IV3, the cluster-level predictor, is zero.
    figure = shared_figure("head_to_head")
    heads = [said(axes) for axes in figure.axes[:3]]
    assert heads == [["scatter of\nestimates, %"], ["coverage,\npoints"], ["power,\npoints"]]
    empty = figure.axes[5]
    assert figure.axes[3].get_title(loc="left").strip() == CLUSTER_LEVEL.capitalize()
    assert said(empty) == ["all slopes\nare zero"]


def test_one_strategy_has_nobody_to_be_compared_with():
    nobody = make_differences().iloc[:0]
    assert title_of(figure_of("head_to_head", nobody)) == "There is no second strategy to compare"


def test_no_difference_with_a_value_is_said():
    table = make_differences().assign(value=np.nan)
    assert title_of(figure_of("head_to_head", table)) == "No difference has a value"
