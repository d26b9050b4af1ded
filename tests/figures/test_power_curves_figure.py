"""The figure of power curves: its lines, marks and words, of z tests whose power is known."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from clustrategy.figures.parts.frame import words_on
from tests.figures.drawn import figure_of, said, text_of
from tests.figures.in_order import is_in_order
from tests.figures.power_tables import FOUND, make_detectable, make_power, power_of
from tests.figures.tables import CLUSTER_LEVEL, STRATEGIES, WITHIN
from tests.figures.verdict_tables import make_verdicts, without_values

SCENARIOS = {"scenario": ["estimated", "slopes_vary"]}
ONE = {"scenario": ["estimated"]}


def rate(strategy: str, cell: Any) -> float:
    """Cluster-robust is liberal."""
    return 0.4 if strategy == "cluster_robust" else 0.03


def se(strategy: str, cell: Any) -> float:
    """Two-stage finds least where slopes vary, the others where they do as estimated."""
    base = {"cluster_robust": 0.4, "two_stage": 0.6, "mixed_maximal": 0.5}[strategy]
    worse = "slopes_vary" if strategy == "two_stage" else "estimated"
    return base * (1.5 if cell["scenario"] == worse else 1.0)


def drawn(levels: Any = SCENARIOS, *, width: float = 9, response: str = "", **more: Any) -> Figure:
    """Draw the figure of a study on a given design."""
    kinds = more.pop("kinds", [WITHIN])
    rates = more.pop("rate", rate)
    effects, missing = more.pop("effects", None), more.pop("missing", ())
    of = {"levels": levels, "kinds": kinds, "se": se}
    return figure_of(
        "power_curves",
        make_power(**of, effects=effects),
        make_detectable(**of, missing=missing, sd=more.pop("sd", np.nan)),
        make_verdicts(levels=levels, kinds=kinds, rate=rates, power=lambda *_: 0.5),
        factors=[*levels],
        width=width,
        response=response,
        **more,
    )


def curves(axes: Axes) -> list[Any]:
    """The lines of curves in a panel."""
    return [line for line in axes.lines if len(np.atleast_1d(line.get_xdata())) > 2]


def test_the_title_is_the_smallest_effect_of_a_safe_strategy() -> None:
    # Of the maximal model 1.5 * 0.5 standard errors, which is below 1.5 * 0.6.
    title = words_on(drawn(response="score")).title
    assert title == (
        f"With this design “mixed, maximal” finds an effect of {FOUND * 0.75:.2f}".rstrip("0")
        + " of score per unit of predictor within clusters "
        "in 80 % of studies, whichever scenario holds"
    )
    assert "holds" not in words_on(drawn(ONE)).title


def test_lines_are_those_of_the_worst_scenario_and_grey_ones_size_adjusted() -> None:
    figure = drawn()
    lines = {tuple(np.round(line.get_color(), 2)): line for line in curves(figure.axes[0])}
    assert len(lines) == 3
    grey = lines.pop((0.7, 0.7, 0.7))
    assert grey.get_ydata() == pytest.approx(0.9 * power_of(grey.get_xdata(), 0.6))
    assert grey.get_linestyle() != "-"
    found = sorted(float(line.get_ydata()[10]) for line in lines.values())
    at = next(iter(lines.values())).get_xdata()[10]
    assert found == pytest.approx(sorted(power_of(at, each) for each in (0.9, 0.75)))
    assert {line.get_linestyle() for line in lines.values()} == {"-"}


def test_the_effects_found_in_80_percent_are_marked_and_named() -> None:
    axes = drawn(sd=2.0).axes[0]
    dots = [line for line in axes.lines if len(np.atleast_1d(line.get_xdata())) == 1]
    places = sorted(float(np.atleast_1d(dot.get_xdata())[0]) for dot in dots)
    assert places == pytest.approx([FOUND * 0.75, FOUND * 0.9])
    assert {float(np.atleast_1d(dot.get_ydata())[0]) for dot in dots} == {0.8}
    assert said(axes) == [
        "found in 80 %:",
        "mixed, maximal: 2.1 (1.1 SD), estimated",
        "two-stage: 2.52 (1.3 SD), slopes vary",
        "not shown to be safe:",
        "cluster-robust OLS: 1.85 (0.92 SD), estimated",
    ]


def test_a_strategy_that_finds_next_to_nothing_does_not_stretch_the_axis() -> None:
    def far(strategy: str, cell: Any) -> float:
        return 0.5 if strategy == "mixed_maximal" else 2.0

    least = make_detectable(levels=ONE, se=far)
    verdicts = make_verdicts(levels=ONE, kinds=[WITHIN], rate=rate, power=lambda *_: 0.5)
    figure = figure_of(
        "power_curves", make_power(levels=ONE, se=far), least, verdicts, factors=[*ONE]
    )
    assert figure.axes[0].get_xlim() == pytest.approx((0, 1.35 * FOUND * 0.5))


def test_one_scenario_is_named_once() -> None:
    assert said(drawn(ONE).axes[0])[:2] == [
        "found in 80 %, scenario estimated:",
        "two-stage: 1.68",
    ]


def test_what_is_not_found_is_said() -> None:
    figure = drawn(ONE, effects={"two_stage": [0, 1.0, 1.5]}, missing=["two_stage"])
    assert "two-stage: > 1.5" in said(figure.axes[0])
    assert "power at the listed effects only" in text_of(figure)
    none = words_on(drawn(ONE, missing=STRATEGIES)).title
    assert none == (
        "No strategy that counts finds an effect of predictor within clusters in 80 % of studies, "
        "up to 8"
    )


def test_a_strategy_that_fails_in_some_scenario_has_no_line_and_no_number() -> None:
    power = make_power(levels=SCENARIOS, se=se)
    lost = (power["strategy"] == "two_stage") & (power["scenario"] == "slopes_vary")
    least = make_detectable(levels=SCENARIOS, se=se)
    nowhere = (least["strategy"] == "two_stage") & (least["scenario"] == "slopes_vary")
    least.loc[nowhere, "effect"] = np.nan
    verdicts = make_verdicts(levels=SCENARIOS, kinds=[WITHIN], rate=rate, power=lambda *_: 0.5)
    figure = figure_of("power_curves", power[~lost], least, verdicts, factors=[*SCENARIOS])
    assert "two-stage: –, slopes vary" in said(figure.axes[0])
    assert len(curves(figure.axes[0])) == 2


def test_without_a_safe_strategy_the_title_says_so() -> None:
    unsure = words_on(drawn(rate=lambda *_: 0.06)).title
    assert unsure.startswith("No strategy can be called safe; of those not found liberal cluster")
    figure = drawn(rate=lambda *_: 0.4)
    assert words_on(figure).title.startswith("Every strategy is liberal somewhere; cluster-robust")
    assert said(figure.axes[0])[0] == "found in 80 % (none is safe):"


def test_each_term_has_a_panel_and_its_answer() -> None:
    figure = drawn(kinds=["treat", CLUSTER_LEVEL])
    assert [axes.get_title(loc="left") for axes in figure.axes] == ["treat", CLUSTER_LEVEL]
    assert words_on(figure).title.endswith(f"; of {CLUSTER_LEVEL}, “mixed, maximal”: 2.1")
    is_in_order(figure)


@pytest.mark.parametrize("width", [4, 9])
def test_five_terms_are_in_order(width: float) -> None:
    is_in_order(drawn(kinds=[f"column_{place}" for place in range(width // 2 + 1)], width=width))


def test_terms_for_which_there_is_no_room_are_named() -> None:
    figure = drawn(kinds=[f"column_{place}" for place in range(9)])
    is_in_order(figure)
    shown = len(figure.axes)
    assert 2 < shown < 9
    assert f"no room for {9 - shown} further terms, from column_{shown} on" in text_of(figure)


def test_nothing_usable_has_no_curve() -> None:
    nothing = make_power(levels=ONE, se=se).assign(power=np.nan)
    verdicts = without_values(
        make_verdicts(levels=ONE, kinds=[WITHIN], rate=rate, power=lambda *_: 0.5)
    )
    figure = figure_of(
        "power_curves", nothing, make_detectable(levels=ONE, se=se), verdicts, factors=[*ONE]
    )
    assert words_on(figure).title == "No strategy has a power at any effect"
