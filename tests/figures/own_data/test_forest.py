"""Every term by every strategy: what is drawn, and what the title makes of it."""

from __future__ import annotations

import warnings
from collections.abc import Collection

import numpy as np
import pandas as pd
import pytest

from clustrategy.figures.own_data.forest import forest
from clustrategy.figures.parts.frame import words_on
from tests.figures.drawn import drawn_lines, said
from tests.figures.in_order import is_in_order

HOLDS, TOO = ["CR2", "bootstrap", "two-stage"], ["OLS"]
IN, OUT = (1.0, -1.0, 3.0), (1.0, 0.5, 1.5)


def aside(table: pd.DataFrame, strategies: Collection[str]) -> set[tuple[str, str]]:
    """Strategies that are to be relied on for no term."""
    return {(name, term) for name in strategies for term in table["term"]}


def tidy(**terms: list[tuple[float, float, float]]) -> pd.DataFrame:
    """A row per term and strategy with estimate and interval."""
    rows = [
        {"strategy": strategy, "term": term, "estimate": e, "conf_low": low, "conf_high": high}
        for term, values in terms.items()
        for strategy, (e, low, high) in zip([*HOLDS, *TOO], values, strict=False)
    ]
    table = pd.DataFrame(rows).sort_values("strategy", key=lambda s: s.map([*HOLDS, *TOO].index))
    return table.assign(p_value=0.2, status="ok", message="")


@pytest.mark.parametrize(
    ("terms", "title"),
    [
        (
            {"treat": [IN, IN, IN, OUT]},
            "treat: all 3 intervals to rely on include 0; that of OLS does not",
        ),
        (
            {"treat": [OUT, OUT, OUT, IN]},
            "treat: all 3 intervals to rely on exclude 0; that of OLS does not",
        ),
        (
            {"treat": [IN, IN, OUT, OUT]},
            "treat: 1 of 3 intervals to rely on excludes 0 (two-stage)",
        ),
        (
            {"treat": [OUT, IN, OUT, IN]},
            "treat: 1 of 3 intervals to rely on includes 0 (bootstrap)",
        ),
        ({"treat": [IN, IN, IN, IN]}, "treat: all 3 intervals to rely on include 0"),
        (
            {"treat": [OUT], "a": [IN]},
            "By CR2 0 is outside the intervals of treat and inside those of a",
        ),
        (
            {"a": [IN] * 4, "b": [OUT] * 4, "c": [IN] * 4, "(Intercept)": [OUT, IN, IN, OUT]},
            "All 4 strategies agree: 0 is outside the intervals of b and inside those of a and c",
        ),
        (
            {"a": [IN, IN, IN, OUT], "b": [OUT, IN, OUT, IN], "c": [IN] * 4},
            "b: 1 of 3 intervals to rely on includes 0 (bootstrap); "
            "strategies differ on 2 of 3 terms",
        ),
        (
            {"a": [IN, IN, IN, OUT], "c": [IN] * 4, "d": [OUT] * 4},
            "a: all 3 intervals to rely on include 0; that of OLS does not; "
            "on 2 other terms all agree",
        ),
    ],
)
def test_the_title_says_where_strategies_differ_about_zero(terms, title):
    assert words_on(forest(tidy(**terms), set_aside=aside(tidy(**terms), TOO))).title == title


def test_each_strategy_has_its_interval_in_its_row_and_the_intercept_is_last():
    table = tidy(**{"(Intercept)": [(5, 4, 6)] * 4, "x": [IN, OUT, (0, -0.5, 0.5), IN]})
    figure = forest(table, set_aside=aside(table, TOO))
    slope, intercept = figure.axes
    assert [axes.get_title("left") for axes in (slope, intercept)] == ["x", "(Intercept)"]
    assert [label.get_text() for label in slope.get_yticklabels()] == [*HOLDS, *TOO]
    lines = np.array(sorted(drawn_lines(slope, 2), key=lambda line: line[0, 1]))
    np.testing.assert_array_equal(lines[..., 0], [[-1, 3], [0.5, 1.5], [-0.5, 0.5], [-1, 3]])
    np.testing.assert_array_equal(lines[..., 1], np.repeat(np.arange(4)[:, None], 2, axis=1))
    legend = [text.get_text() for text in figure.legends[0].get_texts()]
    assert legend[-1] == "set aside: not to be relied on"
    is_in_order(figure)


def test_an_interval_that_goes_on_beyond_the_panel_has_arrows_and_the_caption_says_so():
    table = tidy(x=[(1, -np.inf, np.inf), (1, 0, 2), (1, 0, 2), (1, 0, 2)])
    figure = forest(table)
    (axes,) = figure.axes
    low, high = axes.get_xlim()
    assert low < 0 and high > 2 and high - low < 10
    assert "goes on beyond the panel" in words_on(figure).caption
    assert "beyond" not in words_on(forest(tidy(x=[IN] * 4))).caption
    is_in_order(figure)


def test_a_strategy_without_an_estimate_says_why():
    table = tidy(x=[IN, IN, IN, OUT], z=[IN, (np.nan,) * 3, IN, OUT])
    lost = table["estimate"].isna()
    table.loc[lost, ["status", "message"]] = ["undefined", "z is constant"]
    figure = forest(table, set_aside=aside(table, TOO))
    assert "z is constant" in said(figure.axes[1]) and "z is constant" not in said(figure.axes[0])
    assert "bootstrap: z is constant." in words_on(figure).caption
    table.loc[lost, "message"] = "z is the same in " + "all " * 40 + "clusters"
    assert "undefined" in said(forest(table).axes[1])


def test_an_estimate_of_an_unusable_fit_is_not_drawn():
    table = tidy(x=[OUT, IN, IN, IN])
    table.loc[table["strategy"] == "CR2", "status"] = "not_converged"
    figure = forest(table)
    assert "not converged" in said(figure.axes[0])
    assert words_on(figure).title == "x: all 3 intervals include 0"


def test_an_estimate_without_interval_is_judged_by_its_p_value():
    table = tidy(x=[OUT, (1, np.nan, np.nan), OUT])
    assert words_on(forest(table)).title.startswith("x: 1 of 3 intervals includes 0 (bootstrap)")
    assert "no interval" in said(forest(table).axes[0])
    table.loc[table["conf_low"].isna(), "p_value"] = 0.01
    assert words_on(forest(table)).title == "x: all 3 intervals exclude 0"


def test_without_any_estimate_there_is_a_figure_that_says_so():
    table = tidy(x=[(np.nan,) * 3] * 4).assign(status="error", message="it is broken $x$")
    figure = forest(table)
    assert words_on(figure).title == "No strategy estimates a term of this table"
    assert "CR2: it is broken $x$." in words_on(figure).caption
    is_in_order(figure)


@pytest.mark.parametrize(("terms", "strategies"), [(60, 15), (5, 3), (1, 1)])
def test_many_terms_and_hostile_names_have_room(terms, strategies):
    """Of 60 terms those on which strategies differ are drawn, and the others are counted."""
    random = np.random.default_rng(1)
    size = terms * strategies
    names = [f"C(Straße)[T.{{Nr_{k}}} $x$ \\alpha und noch viel länger]" for k in range(terms)]
    labels = [f"“strategy” {k}, with $cost$ and _all_ that it needs" for k in range(strategies)]
    estimate, half = random.normal(size=size), random.uniform(0.5, 1, size=size)
    table = pd.DataFrame(
        {
            "strategy": np.repeat(labels, terms),
            "term": np.tile(names, strategies),
            "estimate": estimate,
            "conf_low": estimate - half,
            "conf_high": estimate + half,
            "p_value": 0.5,
            "status": "ok",
            "message": "",
        }
    )
    table.loc[table["term"] == names[0], ["conf_low", "conf_high"]] = -9.0, 9.0
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        figure = forest(table, set_aside=aside(table, labels[-1:]))
        is_in_order(figure)
    if terms == 60:
        left_out = terms - len(figure.axes)
        assert f"{left_out} further terms are in the table alone" in words_on(figure).caption
        assert not any("Nr_0" in axes.get_title("left") for axes in figure.axes)


def test_more_strategies_than_a_page_has_room_for_are_in_the_table_alone():
    parts = [tidy(x=[IN]).assign(strategy=f"s{k}") for k in range(120)]
    figure = forest(pd.concat(parts))
    assert words_on(figure).title == "No page has room for so many strategies"
    is_in_order(figure)


def test_a_strategy_may_be_set_aside_for_a_term_alone():
    table = tidy(treat=[(1.0, 0.5, 1.5)] * 3 + [(2.0, -9.0, 9.0)], age=[(1.0, 0.5, 1.5)] * 4)
    last = table["strategy"].iloc[-1]
    assert "includes 0" in words_on(forest(table)).title
    title = words_on(forest(table, set_aside={(last, "treat")})).title
    assert "includes 0" not in title
