"""From the clusters' own coefficients to those of the mixed model."""

from __future__ import annotations

import warnings

import numpy as np
import pandas as pd
import pytest

from clustrategy.figures.own_data.shrinkage import shrinkage
from clustrategy.figures.parts.frame import words_on
from clustrategy.figures.parts.style import Look
from tests.figures.drawn import drawn_lines
from tests.figures.in_order import is_in_order

MODEL = "REML"


def table(names, strategy=MODEL, **terms) -> pd.DataFrame:
    """A row per cluster and term, of each its own coefficients and the model's."""
    parts = [
        pd.DataFrame({"cluster": [*names], "term": term, "ols_estimate": own, "coefficient": modes})
        for term, (own, modes) in terms.items()
    ]
    return pd.concat(parts, ignore_index=True).assign(strategy=strategy)


def tidy(strategy=MODEL, **estimates) -> pd.DataFrame:
    return pd.DataFrame(
        {"strategy": strategy, "term": [*estimates], "estimate": [*estimates.values()]}
    )


def test_lines_go_from_the_own_coefficient_to_the_model_s_in_the_order_of_the_slopes():
    intercept = ([1.0, 2.0, 3.0], [1.5, 2.0, 2.5])
    slope = ([4.0, 9.0, 5.0], [4.5, 6.0, 5.0])
    given = table(["a", "b", "c"], **{"(Intercept)": intercept, "x": slope})
    figure = shrinkage(given, tidy(**{"(Intercept)": 2.0, "x": 5.2}))
    first, second = figure.axes
    assert [axes.get_title("left") for axes in (first, second)] == ["x", "(Intercept)"]
    assert [label.get_text() for label in first.get_yticklabels()] == ["b", "c", "a"]
    for axes, ends in (
        (first, [[9, 6], [5, 5], [4, 4.5]]),
        (second, [[2, 2], [3, 2.5], [1, 1.5]]),
    ):
        lines = np.array(drawn_lines(axes, 2))
        np.testing.assert_array_equal(lines[..., 0], ends)
        np.testing.assert_array_equal(lines[:, 0, 1], [0, 1, 2])
    assert first.lines[0].get_xdata()[0] == 5.2
    assert words_on(figure).title == (
        "The slope of x ranges from 4.00 to 9.00 in the clusters' own regressions, "
        "and from 4.50 to 6.00 by REML"
    )
    is_in_order(figure)


def test_a_model_without_variation_is_called_so():
    title = words_on(shrinkage(table("ab", x=([-1.0, 2.0], [0.5, 0.5])), tidy(x=0.5))).title
    assert title == (
        "The slope of x is the same in all clusters by REML, though their own range from "
        "−1.00 to 2.00"
    )


def test_clusters_without_a_regression_of_their_own_are_counted():
    given = table("abc", x=([1.0, np.nan, 2.0], [1.2, 1.5, 1.8]))
    figure = shrinkage(given, tidy(x=1.5))
    assert "1 cluster has no regression of its own." in words_on(figure).caption
    assert len(drawn_lines(figure.axes[0], 2)) == 2
    given = table("abc", x=([np.nan] * 3, [1.2, 1.5, 1.8]))
    figure = shrinkage(given, tidy(x=1.5))
    assert (
        words_on(figure).title == "The slope of x ranges from 1.20 to 1.80 in the clusters by REML"
    )
    assert "by the cluster's own regression" not in str(figure.legends[0].get_texts())


def test_an_own_coefficient_far_off_does_not_set_the_scale():
    own = [*np.linspace(0, 1, 9), 1e6]
    given = table("abcdefghij", x=(own, np.linspace(0.4, 0.6, 10)))
    figure = shrinkage(given, tidy(x=0.5))
    assert figure.axes[0].get_xlim()[1] < 5
    assert "Triangles: own coefficients beyond the panel." in words_on(figure).caption


def test_of_many_clusters_some_are_drawn_and_the_title_is_of_the_middle_ones():
    """Of 1001 evenly spaced slopes from 0 to 1000, 90 % are from 50 to 950."""
    own = np.arange(1001.0)
    given = table([f"firm {k}" for k in range(1001)], x=(own, 250 + own / 2))
    figure = shrinkage(given, tidy(x=500.0))
    words = words_on(figure)
    assert words.title == (
        "The slope of x ranges from 50.0 to 950 in the clusters' own regressions, and from 275 to "
        "725 by REML, both in 90 % of clusters"
    )
    assert "Of 1,001 clusters 60 are drawn" in words.caption
    lines = np.array(drawn_lines(figure.axes[0], 2))
    assert len(lines) == 60 and lines[0, 0, 0] == 1000 and lines[-1, 0, 0] == 0
    is_in_order(figure)


def test_the_model_with_the_most_random_coefficients_is_drawn_unless_one_is_named():
    one = table("ab", "intercepts", **{"(Intercept)": ([0.0, 1.0], [0.2, 0.8])})
    values = [0.0, 2.0], [0.5, 1.5]
    two = table("ab", "slopes", **{"(Intercept)": values, "x": values})
    both = pd.concat([one, two])
    estimates = pd.concat([tidy("intercepts", x=1.0), tidy("slopes", x=1.0)])
    assert len(shrinkage(both, estimates).axes) == 2
    figure = shrinkage(both, estimates, strategy="intercepts")
    assert words_on(figure).title == (
        "The intercept ranges from 0 to 1.00 in the clusters' own regressions, "
        "and from 0.200 to 0.800 by intercepts"
    )


@pytest.mark.parametrize("strategy", [None, "OLS"])
def test_without_a_mixed_model_there_is_a_figure_that_says_so(strategy):
    given = table("ab", x=([1.0, 2.0], [np.nan] * 2 if strategy is None else [1.0, 2.0]))
    figure = shrinkage(given, tidy(x=1.0), strategy=strategy)
    assert words_on(figure).title.startswith("No ")
    is_in_order(figure)


@pytest.mark.parametrize(("count", "number", "width"), [(2, 5, 9), (40, 5, 9), (61, 14, 4)])
def test_hostile_names_have_room(count, number, width):
    random = np.random.default_rng(1)
    names = [f"${k}_x$ {{Straße}}, sehr lang und noch länger {k}" for k in range(count)]
    terms = {
        f"C(a$b$)[T.{k} ein sehr langer Name mit Umlauten äöü]": random.normal(size=(2, count))
        for k in range(number)
    }
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        estimates = tidy(**dict.fromkeys(terms, 0.0))
        is_in_order(shrinkage(table(names, **terms), estimates, look=Look(width=width)))
