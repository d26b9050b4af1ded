"""Box plots of scores."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from matplotlib.axes import Axes
from matplotlib.patches import PathPatch

from clustrategy.figures.coefficient_recovery import paired_ratios
from clustrategy.figures.parts.frame import words_on
from tests.figures.drawn import figure_of, panel_axes, shared_figure, text_of
from tests.figures.tables import (
    DESIGN,
    SIMS,
    STRATEGIES,
    STUDY,
    make_estimates,
    make_performance,
    make_scores,
    without_variance,
)


def drawn_medians(axes: Axes) -> list[float]:
    """Heights of the lines across the boxes, from left to right."""
    lines = [
        line
        for patch in axes.get_children()
        if isinstance(patch, PathPatch) and patch.get_zorder() == 3
        for line in patch.get_path().vertices.reshape(-1, 2, 2)
    ]
    return [line[0, 1] for line in sorted(lines, key=lambda line: line[:, 0].mean())]


@pytest.mark.parametrize("scale", ["log", "linear"])
@pytest.mark.parametrize(
    ("name", "column"), [("coefficient_recovery", "coef_abs_err"), ("standard_errors", "se_sum")]
)
def test_drawn_medians_are_the_medians_of_the_fits_that_gave_a_value(name, column, scale):
    table = make_scores()
    figure = figure_of(name, scale=scale)
    for axes, part in panel_axes(figure, table):
        expected = [
            np.nanmedian(
                part[(part["between_cluster_sigma"] == s) & (part["strategy"] == n)][column]
            )
            for s, n in itertools.product(DESIGN["between_cluster_sigma"], STRATEGIES)
        ]
        assert drawn_medians(axes) == pytest.approx(expected)
        assert axes.get_yscale() == scale


def test_caption_counts_sims_and_the_fits_without_a_value():
    text = text_of(shared_figure("coefficient_recovery"))
    assert f"{SIMS} sims per cell" in text
    assert "12 of 432 fits gave no value and are not shown (mixed, maximal 12)" in text


def test_caption_counts_a_strategy_that_lost_every_fit():
    table = make_scores()
    table.loc[table["strategy"] == "two_stage", ["coef_abs_err", "fit_success"]] = [np.nan, False]
    assert "two-stage 144" in text_of(figure_of("coefficient_recovery", table))


def test_a_strategy_that_does_not_estimate_every_coefficient_has_not_lost_its_fits():
    table = make_scores()
    table.loc[table["strategy"] == "two_stage", "coef_abs_err"] = np.nan
    text = text_of(figure_of("coefficient_recovery", table))
    assert (
        "12 of 288 fits gave no value and are not shown (mixed, maximal 12); not drawn: two-stage, "
        "which does not estimate every coefficient."
    ) in text


def test_a_single_zero_leaves_the_scale_as_it_was_asked_for():
    table = make_scores()
    table.loc[1, "se_sum"] = 0.0
    assert figure_of("standard_errors", table).axes[0].get_yscale() != "linear"


def test_a_panel_without_values_says_so():
    table = make_scores()
    table.loc[(table["clusters"] == 10) & (table["obs_per_cluster"] == 5), "se_sum"] = np.nan
    first, *others = figure_of("standard_errors", table).axes
    assert [text.get_text() for text in first.texts].count("no values") == 1
    assert all("no values" not in [text.get_text() for text in axes.texts] for axes in others)


def black_lines(axes: Axes) -> list[tuple[float, float]]:
    """Middle and height of the marks of what would be honest, from left to right."""
    lines = [
        line
        for patch in axes.get_children()
        if isinstance(patch, PathPatch) and patch.get_zorder() == 1.5
        for line in patch.get_path().vertices.reshape(-1, 2, 2)
    ]
    return sorted((float(line[:, 0].mean()), float(line[0, 1])) for line in lines)


def test_honest_standard_errors_are_the_empirical_ones_summed_over_coefficients():
    performance = without_variance(make_performance())
    figure = figure_of("standard_errors", None, performance)
    rows = performance[performance["measure"] == "empirical_se"]
    rows = rows[rows["handling"] == "case_wise"]
    for axes, part in panel_axes(figure, rows):
        mine = part[part["note"] == ""]
        sums = [
            mine[(mine["between_cluster_sigma"] == s) & (mine["strategy"] == n)]["value"].sum()
            for s, n in itertools.product(DESIGN["between_cluster_sigma"], STRATEGIES)
        ]
        assert [y for _, y in black_lines(axes)] == pytest.approx([one for one in sums if one])
    labels = [text.get_text() for text in figure.legends[0].get_texts()]
    assert labels[-1] == "honest: what the estimates scatter by"


def test_honest_t_statistics_divide_by_the_empirical_standard_errors():
    estimates, performance = make_estimates(), make_performance()
    figure = figure_of("t_statistics", None, performance, estimates)
    se = performance[performance["measure"] == "empirical_se"]
    se = se[se["handling"] == "case_wise"].set_index([*STUDY, "strategy", "term"])["value"]
    cell = (10, 5, 0.1, "two_stage")
    mine = estimates.set_index([*STUDY, "strategy"]).loc[cell]
    sums = [
        sum(abs(row["estimate"]) / se[(*cell, row["term"])] for _, row in fit.iterrows())
        for _, fit in mine.groupby("sim")
    ]
    # The second box of the first panel is of sigma 0.1 and the second strategy.
    assert black_lines(figure.axes[0])[1][1] == pytest.approx(np.median(sums))


def test_the_titles_of_scores_name_the_farthest_and_the_nearest():
    """Each SE sum is 4 but for one strategy; empirical SEs sum to 8, in one cell to 5."""
    scores = make_scores().assign(se_sum=4.0)
    scores.loc[scores["strategy"] == "two_stage", "se_sum"] = 7.2
    performance = make_performance()
    here = performance["measure"] == "empirical_se"
    performance.loc[here, "value"] = 2.0
    cell = (performance[STUDY] == [10, 5, 0.1]).all(axis=1)
    performance.loc[here & cell & (performance["strategy"] == "mixed_maximal"), "value"] = 5 / 4
    performance.loc[here & cell & (performance["strategy"] == "cluster_robust"), "value"] = 3
    figure = figure_of("standard_errors", scores, performance)
    assert words_on(figure).title == (
        "Standard errors of cluster-robust OLS are 67 % too small (10 clusters, 5 obs., σ 0.1), "
        "those of two-stage 10 % too small at worst"
    )


def test_ratios_are_medians_of_pairs_of_one_dataset():
    scores = make_scores()
    ratios = paired_ratios(scores, "two_stage", STUDY).set_index([*STUDY, "strategy"])
    assert len(ratios) == 12 * 2
    cell = (30, 25, 1.0)
    wide = scores.set_index([*STUDY]).loc[cell].pivot(index="sim", columns="strategy")
    pairs = wide["coef_abs_err"]["mixed_maximal"] / wide["coef_abs_err"]["two_stage"]
    found = ratios.loc[(*cell, "mixed_maximal")]
    assert found["value"] == pytest.approx(np.nanmedian(pairs))
    # The third of 11 values from either end.
    assert found["low"] == pytest.approx(np.sort(pairs.dropna())[1])
    assert found["high"] == pytest.approx(np.sort(pairs.dropna())[-2])


def test_ratios_stand_below_their_column_and_in_the_title():
    scores = make_scores()
    of_two_stage = scores.loc[scores["strategy"] == "two_stage", "coef_abs_err"].to_numpy()
    for name, factor in (("cluster_robust", 0.5), ("mixed_maximal", 3.0)):
        scores.loc[scores["strategy"] == name, "coef_abs_err"] = factor * of_two_stage
    figure = figure_of("coefficient_recovery", scores, reference="two_stage")
    title = "Errors are 0.50 times (cluster-robust OLS) to 3.00 times (“mixed, maximal”) those of "
    assert words_on(figure).title == title + "two-stage on the same data"
    *_, left, right = figure.axes
    for axes in (left, right):
        assert sorted({round(y, 9) for y in drawn_medians(axes)}) == [0.5, 3.0]
    alone = figure_of("coefficient_recovery", scores, strategies=["two_stage"])
    assert words_on(alone).title.startswith("The median error of two-stage is ")
