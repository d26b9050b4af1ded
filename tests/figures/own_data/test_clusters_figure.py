"""Sizes of clusters, and regressions in each of them beside that over all rows."""

from __future__ import annotations

import warnings

import numpy as np
import pandas as pd
import pytest

from clustrategy.design.from_table import Design, design_from_table
from clustrategy.figures.own_data.clusters import clusters
from clustrategy.figures.parts.frame import words_on
from tests.figures.drawn import drawn_lines
from tests.figures.in_order import is_in_order

SIMPSON = pd.DataFrame(
    {
        "ward": ["a"] * 3 + ["b"] * 4 + ["c"] * 3,
        "dose": [0, 1, 2, 2, 3, 4, 3, 4, 5, 6],
        "pain": [2, 1, 0, 4, 3, 2, 3, 6, 5, 4],
    }
)
"""In each ward pain falls by 1 per dose; over all rows it rises: sums of products about the means
are 18 and of squares 30, by hand."""


def design(table: pd.DataFrame, formula: str, cluster: str) -> Design:
    return design_from_table(table, formula, cluster)


def test_slopes_within_and_over_all_rows_and_their_lines():
    figure = clusters(design(SIMPSON, "pain ~ dose", "ward"))
    assert words_on(figure).title == (
        "pain falls with dose within clusters (slope −1.00), and rises over all rows (0.600)"
    )
    assert words_on(figure).subtitle.startswith("3 clusters of 3 to 4 rows (median 3)")
    sizes, fits = figure.axes
    assert [bar.get_width() for bar in sizes.patches if bar.get_width() in (3, 4)] == [4, 3, 3]
    lines = sorted(np.array(drawn_lines(fits, 2)).tolist())
    np.testing.assert_allclose(lines, [[[0, 2], [2, 0]], [[2, 4], [4, 2]], [[4, 6], [6, 4]]])
    np.testing.assert_allclose(fits.lines[0].get_xydata(), [[0, 1.2], [6, 4.8]])
    is_in_order(figure)


def test_slopes_that_agree_are_said_with_how_many_clusters_have_them():
    """Sums of products are 2, -2 and 2 in the wards, of squares 2 in each; over all 26 and 30."""
    table = SIMPSON.assign(pain=[1, 2, 3, 4, 3, 2, 3, 5, 6, 7])
    assert words_on(clusters(design(table, "pain ~ dose", "ward"))).title == (
        "pain rises with dose in 2 of 3 clusters; "
        "the slope within them is 0.333 on average, over all rows 0.867"
    )


def test_a_predictor_that_is_the_same_in_a_cluster_is_drawn_by_means():
    table = SIMPSON.assign(new=SIMPSON["ward"].map({"a": 0, "b": 1, "c": 1}))
    figure = clusters(design(table, "pain ~ new", "ward"))
    assert words_on(figure).title == (
        "new does not vary within clusters: 3 clusters tell of it, not 10 rows"
    )
    means = figure.axes[1].collections[0].get_offsets()
    np.testing.assert_allclose(sorted(means.tolist()), [[0, 1], [1, 3], [1, 5]])
    is_in_order(figure)


def test_interactions_are_not_drawn_unless_asked_for_and_others_are_counted():
    random = np.random.default_rng(1)
    names = ["x1", "x2", "x3", "x4"]
    table = pd.DataFrame(random.normal(size=(40, 5)), columns=[*names, "y"])
    given = design(table.assign(g=np.repeat(range(8), 5)), "y ~ x1 * x2 + x3 + x4", "g")
    figure = clusters(given)
    assert [axes.get_xlabel() for axes in figure.axes] == ["x1", "x2", "x3"]  # equal sizes
    caption = words_on(figure).caption
    assert "These are the first 3 of 4 predictors that vary within clusters." in caption
    figure = clusters(given, predictors=["x1:x2"])
    assert [axes.get_xlabel() for axes in figure.axes] == ["x1:x2"]
    for wrong in ("x9", "(Intercept)"):
        with pytest.raises(ValueError, match="a coefficient was expected"):
            clusters(given, predictors=[wrong])


def test_clusters_with_fewer_than_three_rows_have_no_line_and_are_counted():
    table = pd.concat([SIMPSON, pd.DataFrame({"ward": ["d", "d"], "dose": [0, 1], "pain": [0, 9]})])
    figure = clusters(design(table, "pain ~ dose", "ward"))
    assert len(drawn_lines(figure.axes[1], 2)) == 3
    assert "1 cluster has no line" in words_on(figure).caption
    pairs = pd.DataFrame({"g": [1, 1, 2, 2], "x": [0, 1, 1, 3], "y": [1.0, 2, 4, 3]})
    figure = clusters(design(pairs, "y ~ x", "g"))
    assert words_on(figure).title == "No cluster has rows enough for a regression of its own"
    is_in_order(figure)


def test_of_many_clusters_sixty_lines_and_two_thousand_rows_are_drawn():
    random = np.random.default_rng(2)
    sizes = np.r_[np.full(299, 10), 3000]
    code = np.repeat(np.arange(300), sizes)
    x = random.normal(size=code.size)
    table = pd.DataFrame({"g": code, "x": x, "y": code / 300 * x})
    figure = clusters(design(table, "y ~ x", "g"))
    sizes, fits = figure.axes
    assert (
        sizes.get_xscale() == "log" and "300 clusters of 10 to 3,000" in words_on(figure).subtitle
    )
    assert len(drawn_lines(fits, 2)) == 60
    assert len(fits.collections[0].get_offsets()) <= 2000
    assert "Of 300 clusters 60 are drawn" in words_on(figure).caption
    is_in_order(figure)


def test_hostile_names_and_a_table_without_predictors_have_room():
    names = {
        "ward": "Straße $a_b$ {c}",
        "dose": "Größe von $x$ und noch sehr viel länger als sonst",
    }
    table = SIMPSON.rename(columns=names)
    table[names["ward"]] = [f"$x_{w}$ {{sehr}} langer Name der Station" for w in SIMPSON["ward"]]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        is_in_order(clusters(design(table, f"pain ~ Q('{names['dose']}')", names["ward"])))
        figure = clusters(design(SIMPSON, "pain ~ 1", "ward"))
        is_in_order(figure)
    assert words_on(figure).title == "3 clusters of 3 to 4 rows (median 3), and no predictor"
