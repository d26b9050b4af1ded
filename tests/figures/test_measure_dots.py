"""Performance measures with a row for each strategy."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from statsmodels.stats.proportion import proportion_confint

from clustrategy.figures.parts.frame import words_on
from tests.figures.drawn import dots, drawn_lines, figure_of, said, shared_figure, text_of
from tests.figures.tables import (
    CLUSTER_LEVEL,
    SIMS,
    STRATEGIES,
    WITHIN,
    make_performance,
    set_values,
    without_variance,
)


def case_wise(table: pd.DataFrame, measure: str, *terms: str) -> pd.DataFrame:
    """The rows of a measure that are drawn."""
    mine = (table["measure"] == measure) & (table["handling"] == "case_wise")
    return table[mine & table["term"].isin(terms)]


def row_of(axes, strategy: str) -> float:
    """Where a strategy stands."""
    labels = zip(axes.get_yticks(), axes.get_yticklabels(), strict=True)
    return next(float(y) for y, label in labels if label.get_text() == strategy)


def values_at(axes, place: float) -> list[float]:
    """The values of the marks of a row, the least first."""
    return sorted(float(x) for x, y in dots(axes) if abs(y - place) < 0.5)


def test_each_row_has_a_mark_for_each_cell_of_its_strategy():
    table = make_performance()
    within, cluster_level = shared_figure("coverage").axes
    titles = [axes.get_title("left").strip() for axes in (within, cluster_level)]
    assert titles == [WITHIN, CLUSTER_LEVEL]
    rows = case_wise(table, "coverage", "IV3")
    names = {"two_stage": "two-stage", "cluster_robust": "cluster-robust OLS"}
    for strategy, label in names.items():
        mine = rows.loc[rows["strategy"] == strategy, "value"]
        found = values_at(cluster_level, row_of(cluster_level, label))
        assert len(mine) == 12 and found == pytest.approx(sorted(mine))
    # IV1 and IV2 are of a kind, of which marks are means.
    rows = case_wise(table, "coverage", "IV1", "IV2")
    key = ["clusters", "obs_per_cluster", "between_cluster_sigma", "strategy"]
    means = rows.groupby(key)["value"].mean().xs("two_stage", level="strategy")
    assert values_at(within, row_of(within, "two-stage")) == pytest.approx(sorted(means))


def test_the_worst_mark_has_the_wilson_interval_of_the_replicates_that_were_used():
    axes = shared_figure("coverage").axes[1]
    rows = case_wise(make_performance(), "coverage", "IV3")
    rows = rows[rows["strategy"] == "mixed_maximal"]
    worst = rows.loc[rows["value"].idxmin()]
    assert worst["n"] == SIMS - 1
    expected = proportion_confint(round(worst["value"] * worst["n"]), worst["n"], method="wilson")
    place = row_of(axes, "mixed, maximal")
    (bar,) = [
        line[:, 0]
        for line in drawn_lines(axes, 2)
        if abs(line[0, 1] - place) < 0.5 and line[0, 0] != line[1, 0]
    ]
    assert tuple(bar) == pytest.approx(expected)


def test_nothing_is_beyond_the_axis_and_the_worst_cells_are_ringed_and_named():
    table = make_performance()
    table = table.assign(
        value=table["value"].mask(table["measure"] == "relative_error", 0.05), mcse=0.01
    )
    table = set_values(table, "relative_error", -0.8, clusters=10, obs_per_cluster=25)
    worst = {"clusters": 30, "obs_per_cluster": 5, "between_cluster_sigma": 0.5, "term": "IV3"}
    table = set_values(table, "relative_error", 3.0, "two_stage", **worst)
    figure = figure_of("relative_error", table)
    _, axes = figure.axes
    low, high = axes.get_xlim()
    assert low < -0.8 and high > 3
    place = row_of(axes, "two-stage")
    (ring,) = [line for line in axes.lines if line.get_marker() == "o"]
    rings = dict(zip(ring.get_xdata(), ring.get_ydata(), strict=True))
    assert rings[3.0] == pytest.approx(place, abs=0.4)
    assert {"+300 %: 30 clusters, 5 obs., σ 0.5", "worst cell"} < set(said(axes))
    # The best is at the top, and the worst at the bottom.
    labels = [label.get_text() for label in axes.get_yticklabels()]
    assert labels == ["mixed, maximal", "cluster-robust OLS", "two-stage"]
    assert words_on(figure).title == (
        "Standard errors of two-stage are 300 % too large in their worst cell, those of “mixed, "
        "maximal” 5 % too large"
    )


def test_the_title_of_coverage_is_about_the_lowest():
    """Also where another cell is farther from 95 %, above it."""
    table = make_performance()
    table.loc[table["measure"] == "coverage", "value"] = 1.0
    table = set_values(table, "coverage", 0.94, "mixed_maximal", clusters=10)
    table = set_values(table, "coverage", 0.605, "two_stage", clusters=30)
    assert words_on(figure_of("coverage", table)).title == (
        "95 % intervals of two-stage hold the true slope in 60.5 % of datasets in their worst "
        "cell; 2 of 3 strategies are not found to hold it too rarely"
    )
    # 11 of 12 are found in 54 % of studies if 95 % is right, and even more often as the lowest.
    chance = figure_of("coverage", table, strategies=["mixed_maximal", "cluster_robust"])
    assert words_on(chance).title == (
        "No intervals are found to hold the true slope too rarely: the lowest of 48 coverages, "
        "94 %, can be chance alone"
    )
    one = figure_of("coverage", table, strategies=["two_stage"])
    assert words_on(one).title == (
        "95 % intervals of two-stage hold the true slope in 60.5 % of datasets in their worst cell"
    )


@pytest.mark.parametrize(("bias", "found"), [(0.5, False), (2.5, True)])
def test_bias_is_found_where_it_is_more_than_chance(bias, found):
    """With 12 sims the largest of 72 t values is beyond 4.6 once in 20 times."""
    table = make_performance()
    here = table["measure"] == "bias"
    table.loc[here, ["value", "mcse"]] = [0.1, 1 / np.sqrt(SIMS)]
    table.loc[here & (table["strategy"] == "mixed_maximal"), "mcse"] = 1 / np.sqrt(SIMS - 1)
    table = set_values(table, "bias", -bias, "two_stage", clusters=30, term="IV3")
    title = words_on(figure_of("bias", table)).title
    if found:
        assert title.startswith(
            "The mean estimate of two-stage is 2.5 empirical SEs off in its worst cell; 2 of 3 "
            "strategies are not found biased"
        )
    else:
        assert title == (
            "No strategy is found biased: the largest of 72 mean errors is 0.5 empirical SEs, "
            "which chance alone can make"
        )


def test_bias_is_in_standard_errors_and_estimates_without_a_variance_are_counted():
    table = without_variance(make_performance())
    figure = figure_of("bias", table)
    rows = case_wise(table, "bias", "IV3")
    rows = rows[(rows["strategy"] == "two_stage") & (rows["obs_per_cluster"] == 25)]
    expected = rows["value"] / (rows["mcse"] * np.sqrt(rows["n"]))
    axes = figure.axes[1]
    assert values_at(axes, row_of(axes, "two-stage")) == pytest.approx(sorted(expected))
    assert "without a finite variance (two-stage 6 cells)" in text_of(figure)


def test_a_row_without_values_says_so():
    table = make_performance()
    lost = (table["strategy"] == "two_stage") & (table["term"] == "IV3")
    table.loc[lost, "value"] = np.nan
    within, cluster_level = figure_of("coverage", table).axes
    assert "no value" not in said(within) and said(cluster_level).count("no value") == 1


def test_the_legend_tells_numbers_of_clusters_apart_where_there_are_several():
    (legend,) = shared_figure("coverage").legends
    assert [text.get_text() for text in legend.get_texts()] == ["10 clusters", "30 clusters"]
    table = make_performance()
    assert figure_of("coverage", table[table["clusters"] == 10]).legends == []


def test_strategies_stand_in_the_same_order_in_all_blocks():
    within, cluster_level = shared_figure("relative_error").axes
    labels = [[t.get_text() for t in axes.get_yticklabels()] for axes in (within, cluster_level)]
    assert labels[0] == labels[1] and len(labels[0]) == len(STRATEGIES)


@pytest.mark.parametrize(
    ("off", "title"),
    [
        # z = 4 in one of 72 values: 72 × 6.3e-5 is below 5 %; at z = 2.5 it is not.
        (
            0.4,
            "Standard errors of two-stage are 40 % too large in their worst cell; 2 of 3 "
            "strategies are not shown to be off",
        ),
        (0.25, "No standard errors are shown to be off: the largest of {} relative errors, +25 %"),
    ],
)
def test_what_chance_can_make_is_no_finding_about_standard_errors(off: float, title: str) -> None:
    table = make_performance()
    errors = table["measure"] == "relative_error"
    table = table.assign(value=table["value"].mask(errors, 0.01), mcse=0.1)
    worst = {"clusters": 30, "obs_per_cluster": 5, "between_cluster_sigma": 0.5, "term": "IV3"}
    table = set_values(table, "relative_error", off, "two_stage", **worst)
    found = words_on(figure_of("relative_error", table)).title
    begin, _, end = title.partition("{}")
    assert found.startswith(begin) and end in found
