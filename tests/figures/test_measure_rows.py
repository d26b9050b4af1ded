"""Performance measures with a row for each strategy."""

from __future__ import annotations

import itertools

import numpy as np
import pandas as pd
import pytest
from matplotlib.collections import LineCollection, PathCollection
from matplotlib.path import Path
from statsmodels.stats.proportion import proportion_confint

from tests.figures.drawn import arrows, figure_of, heights, marks, said, shared_figure, text_of
from tests.figures.tables import SIMS, STRATEGIES, make_performance, set_values, without_variance


@pytest.mark.parametrize(
    ("name", "measure", "terms"),
    [
        ("type_i_error", "rejection_rate", ["IV1", "IV3"]),
        ("power", "rejection_rate", ["IV2"]),
    ],
)
def test_each_row_has_the_rates_of_its_strategy(name, measure, terms):
    table = make_performance()
    figure = figure_of(name, table[table["measure"] != "size_adjusted_power"])
    rows = table[(table["measure"] == measure) & table["term"].isin(terms)]
    rows = rows[rows["handling"] == "case_wise"]
    for axes, strategy in zip(figure.axes, STRATEGIES, strict=True):
        mine = rows.loc[rows["strategy"] == strategy, "value"]
        seen = heights(axes)
        assert len(seen) + arrows(axes) == len(mine)
        assert seen == pytest.approx(sorted(mine)[: len(seen)])


def test_rates_have_wilson_intervals_of_the_replicates_that_were_used():
    table = make_performance()
    axes = shared_figure("type_i_error").axes[2]
    rows = table[(table["measure"] == "rejection_rate") & (table["handling"] == "case_wise")]
    rows = rows[(rows["strategy"] == "mixed_maximal") & (rows["true_value"] == 0)]
    assert set(rows["n"]) == {SIMS - 1}
    count = (rows["value"] * rows["n"]).round()
    expected = np.transpose(proportion_confint(count, rows["n"], method="wilson"))
    bars = [
        line[:, 1]
        for one in axes.collections
        if isinstance(one, LineCollection)
        for line in one.get_segments()
        if len(line) == 2 and line[0, 0] == line[1, 0]
    ]
    shown = expected[rows["value"].to_numpy() <= axes.get_ylim()[1]]
    assert np.sort(bars, axis=0) == pytest.approx(np.sort(shown, axis=0))


def test_values_beyond_the_axis_are_arrows_with_the_most_extreme_of_each_column():
    table = make_performance()
    table = table.assign(
        value=table["value"].mask(table["measure"] == "relative_error", 0.05), mcse=0.01
    )
    size = {"clusters": 10, "obs_per_cluster": 25}
    # IV1 and IV2 are of a kind: their mean is -0.75.
    table = set_values(table, "relative_error", -0.7, **size)
    table = set_values(table, "relative_error", -0.8, **size, term="IV1")
    table = set_values(table, "relative_error", 3.0, **size, between_cluster_sigma=0.1)
    first, *others = figure_of("relative_error", table).axes
    assert first.get_ylim()[1] < 0.2
    assert arrows(first) == 6 and {"−75%", "+300%"} < set(said(first))
    assert all(arrows(axes) == 0 for axes in others)


def is_cross(one: PathCollection) -> bool:
    """Whether the marks are crosses."""
    return Path.CLOSEPOLY not in one.get_paths()[0].codes


def test_bias_is_in_standard_errors_and_a_cross_is_the_median_without_a_variance():
    table = without_variance(make_performance())
    table = table[table["term"] == "IV3"]
    figure = figure_of("bias", table)
    rows = table[(table["handling"] == "case_wise") & (table["strategy"] == "two_stage")]
    few = rows[(rows["measure"] == "median_bias") & (rows["obs_per_cluster"] == 5)]
    many = rows[(rows["measure"] == "bias") & (rows["obs_per_cluster"] == 25)]
    axes = figure.axes[1]
    limit = max(axes.get_yticks())
    crosses = [one.get_offsets()[:, 1] for one in marks(axes) if is_cross(one)]
    for seen, part in ((np.concatenate(crosses), few), (heights(axes), pd.concat([few, many]))):
        expected = part["value"] / (part["mcse"] * np.sqrt(part["n"]))
        assert sorted(seen) == pytest.approx(sorted(expected[expected.abs() <= limit]))
    assert len(few) == 6 and len(crosses[0]) >= 4
    assert "6 cells) have a cross" in text_of(figure)
    labels = [text.get_text() for text in figure.legends[1].get_texts()]
    assert labels == ["median bias (no finite variance)"]


def test_a_column_without_values_says_so():
    figure = figure_of("relative_error", without_variance(make_performance()))
    assert [said(axes).count("none") for axes in figure.axes] == [0, 2, 0]
    assert "6 cells) are left out" in text_of(figure)


def test_names_of_sizes_and_strategies_do_not_overlap():
    figure = shared_figure("type_i_error")
    texts = [
        text
        for axes in figure.axes
        for text in axes.texts
        if text.get_text() and not text.get_text()[0].isdigit()
    ]
    texts += [text for text in figure.axes[0].texts if text.get_text() in ("5", "25")]
    assert len(texts) == 1 + 3 + 4
    for one, other in itertools.combinations(texts, 2):
        assert not one.get_window_extent().overlaps(other.get_window_extent())
