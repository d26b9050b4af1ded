"""Each cluster's partial leverage and the estimate without it: marks, names and title."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from matplotlib.figure import Figure

from clustrategy.figures.own_data.leverage import leverage
from clustrategy.figures.parts.frame import words_on
from tests.figures.drawn import said
from tests.figures.in_order import is_in_order

ESTIMATE = 2.0


def drawn(shares, without, *, names=None, half=1.0, term="x", strategy="CR2") -> Figure:
    """The figure of one term, which is estimated as 2 from all clusters."""
    names = names or [f"school {k}" for k in range(len(shares))]
    clusters = pd.DataFrame(
        {"cluster": names, "term": term, "partial_leverage": shares, "estimate_without": without}
    )
    known = int(np.nanargmax(np.abs(np.nan_to_num(np.asarray(without) - ESTIMATE))))
    terms = pd.DataFrame(
        {
            "term": [term],
            "effective_clusters": 1 / np.square(shares).sum(),
            "largest_influence": without[known] - ESTIMATE,
            "largest_influence_cluster": names[known],
        }
    )
    ends = {"conf_low": ESTIMATE - half, "conf_high": ESTIMATE + half}
    tidy = pd.DataFrame({"strategy": [strategy], "term": term, **ends})
    return leverage(clusters, terms, tidy)


def test_a_cluster_with_most_of_the_leverage_is_named_with_the_estimate_without_it():
    figure = drawn([0.7, 0.1, 0.1, 0.1], [1.5, 2.1, 2.05, 2.02])
    assert words_on(figure).title == (
        "School 0 has 70 % of the partial leverage of x (an equal share is 25 %); "
        "without it the estimate is 1.50 instead of 2.00"
    )
    assert "1.92 effective clusters" in figure.axes[0].get_title("left")
    is_in_order(figure)


def test_clusters_are_drawn_at_their_share_in_percent_and_their_estimate():
    figure = drawn([0.3, 0.2, 0.1, 0.1, 0.2, 0.1], [1.5, 2.1, 2.05, 2.02, 2.2, 3.4])
    (axes,) = figure.axes
    places = np.concatenate([marks.get_offsets() for marks in axes.collections])
    expected = [[10, 2.02], [10, 2.05], [10, 3.4], [20, 2.1], [20, 2.2], [30, 1.5]]
    np.testing.assert_allclose(sorted(places.tolist()), expected)
    lines = [line.get_xydata()[:, 1] for line in axes.lines]
    np.testing.assert_allclose(lines[0], ESTIMATE)
    assert said(axes) == ["school 5"]  # the only one out of the interval, 1 to 3
    assert "without it the estimate is 3.40 instead of 2.00" in words_on(figure).title


def test_equal_clusters_do_not_stand_out():
    shares, without = [0.1] * 10, [2.0] * 9 + [2.1]
    title = words_on(drawn(shares, without)).title
    assert title == "No cluster stands out: all 10 have the same partial leverage"
    shares = [0.12, 0.08, *shares[2:]]
    title = words_on(drawn(shares, without, names=[*range(10)])).title
    assert title == (
        "No cluster stands out: the largest partial leverage is 12 %, of cluster 0 for x "
        "(an equal share is 10 %)"
    )


def test_of_very_many_clusters_three_times_an_equal_share_is_not_much():
    shares = np.full(1000, 0.99 / 999)
    shares[0] = 0.01
    figure = drawn(shares, np.linspace(1.9, 2.1, 1000))
    assert words_on(figure).title.startswith("No cluster stands out")
    assert "1,000" not in words_on(figure).title and not said(figure.axes[0])


def test_a_cluster_without_which_there_is_no_estimate_is_the_finding():
    figure = drawn([0.8, 0.1, 0.1], [np.nan, 2.2, 2.0])
    assert words_on(figure).title == "There is no estimate of x without school 0"
    assert "without it there is no estimate" in [
        t.get_text() for t in figure.legends[0].get_texts()
    ]
    is_in_order(figure)


@pytest.mark.parametrize(
    ("shares", "without", "half"),
    [
        ([0.5, 0.5], [np.nan, np.nan], 1.0),
        ([0.5, 0.5], [1.9, 2.1], np.nan),
        ([0.6, 0.4], [1.9, 2.1], np.inf),
        ([0.6, 0.4], [2.0, 2.0], 1e9),
    ],
)
def test_two_clusters_have_a_figure_whatever_is_not_known(shares, without, half):
    names = ["$x$ {y} _z_\n", "Grundschule an der Überlinger Straße, Nebenstelle " * 3]
    figure = drawn(shares, without, names=names, half=half, term="a:$b$ " * 30, strategy="$s$, t")
    is_in_order(figure)
    assert "nan" not in words_on(figure).title and "inf" not in words_on(figure).title


def test_of_many_terms_those_with_the_fewest_effective_clusters_are_drawn():
    terms = [f"x{k}" for k in range(60)]
    shares = np.array([[0.25 + k / 300, 0.75 - k / 300] for k in range(60)])
    table = pd.DataFrame(
        {
            "cluster": np.tile(["one", "two"], 60),
            "term": np.repeat(terms, 2),
            "partial_leverage": shares.ravel(),
            "estimate_without": np.nan,
        }
    )
    design = pd.DataFrame(
        {
            "term": terms,
            "effective_clusters": 1 / np.square(shares).sum(axis=1),
            "largest_influence": np.nan,
            "largest_influence_cluster": "one",
        }
    )
    tidy = pd.DataFrame({"strategy": [], "term": [], "conf_low": [], "conf_high": []})
    figure = leverage(table, design, tidy)
    shown = [axes.get_title("left").split("\n")[0] for axes in figure.axes]
    assert shown == terms[:12]
    assert "48 further terms with more effective clusters" in words_on(figure).caption
    is_in_order(figure)


def test_a_table_without_numbers_has_a_figure_that_says_so():
    empty = pd.DataFrame(
        {"cluster": ["a"], "term": "x", "partial_leverage": np.nan, "estimate_without": np.nan}
    )
    design = pd.DataFrame({"term": ["x"], "effective_clusters": np.nan})
    figure = leverage(empty, design, pd.DataFrame({"strategy": []}))
    assert words_on(figure).title == "No term of this table has a leverage"
