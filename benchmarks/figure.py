"""The benchmarks at a glance: engines, simulators and strategies, the curves, the workflow."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import LogLocator, NullLocator

from benchmarks.draw_fit_test import labelled, ranked
from benchmarks.engines import DEFAULT, PYMER4, REFERENCE, STRATEGIES, versions
from benchmarks.points import CURVES
from benchmarks.words import digits
from clustrategy.figures.parts.frame import compose, strategy_handles
from clustrategy.figures.parts.style import INK, Look, dress, new_figure

LINES: Mapping[str, Mapping[str, Any]] = {
    "default engine": {"linestyle": "-", "marker": "o"},
    "glmm": {"linestyle": (0, (4, 2)), "marker": ""},
    "lme4": {"linestyle": (0, (1, 1.5)), "marker": "s"},
}


DEAREST = 5
"""How many of the strategies are drawn."""

MARKERS = "os^v"


def draw(
    engines: Mapping[str, Any],
    curves: Mapping[str, Any],
    workflow: Mapping[str, Any],
    draw_fit_test: Mapping[str, Any],
    strategies: Mapping[str, Any],
) -> Figure:
    """Draw what the benchmarks of these names found."""
    look = Look()
    figure = new_figure(look, 1.1 * look.width)
    first, second, *middle, third, last = figure.subplots(4, 2).flat
    named = [name for name in (DEFAULT, REFERENCE, PYMER4) if name in engines["contenders"]]
    fits = engines["cells"] * engines["sims"] * len(STRATEGIES)
    totals = {_with_versions(name, engines): engines["contenders"][name]["total"] for name in named}
    _dots(first, totals, look)
    first.set_title(f"CPU s of all {fits:,} fits", fontsize=look.text, color=INK)
    _designs(second, draw_fit_test, look)
    ms = {
        name: 1000 * strategies["seconds"][name] / strategies["fits"]
        for name in strategies["strategies"]
    }
    _dots(third, dict(sorted(ms.items(), key=lambda one: one[1])[-DEAREST:]), look)
    third.set_title(
        f"CPU ms a fit, the dearest {DEAREST} strategies", fontsize=look.text, color=INK
    )
    for axes, name in zip(middle, CURVES, strict=True):
        _curves(axes, name, [one for one in curves["curves"] if one["curve"] == name], look)
    _dots(last, {name: run["wall"] for name, run in workflow["runs"].items()}, look)
    last.set_title("wall s of the whole study", fontsize=look.text, color=INK)
    colours = look.strategy_colours(STRATEGIES)
    met = {_line(curve) for curve in curves["curves"]}
    lines = [
        Line2D([], [], color=INK, label=_with_versions(name, engines), **_style(name, look))
        for name in LINES
        if name in met
    ]
    dates = {one["date"] for one in (engines, curves, workflow, draw_fit_test, strategies)}
    when = f"from {min(dates)} to {max(dates)}" if len(dates) > 1 else f"on {min(dates)}"
    compose(
        figure,
        look,
        title=_finding(engines["contenders"]),
        subtitle=(
            "What the study costs: seconds on log scales, by engine, simulator, size, strategy and "
            "workflow"
        ),
        legends=[strategy_handles(STRATEGIES, colours), lines],
        caption=(
            "Curves: simulating and fitting; 30 clusters of 25 observations and 4 random effects "
            "where not said otherwise. Grey lines grow in proportion to the size. "
            f"Measured {when}: {engines['machine']}."
        ),
    )
    return figure


def _finding(contenders: Mapping[str, Any]) -> str:
    """Say how many times faster than the reference the default engine is."""
    if not {DEFAULT, REFERENCE} <= set(contenders):
        return "What the engines and the workflow cost"
    times = contenders[REFERENCE]["total"] / contenders[DEFAULT]["total"]
    return f"The default engine fits the study {digits(times)} times faster than {REFERENCE}"


def _with_versions(name: str, engines: Mapping[str, Any]) -> str:
    """Put the version of each package behind it, where a name has packages that were measured."""
    known = versions(engines)
    return re.sub(r"\w+", lambda word: f"{word[0]} {known.get(word[0], '')}".rstrip(), name)


def _line(curve: Mapping[str, Any]) -> str:
    return "default engine" if curve["default"] else str(curve["engine"])


def _style(line: str, look: Look) -> dict[str, Any]:
    return {**LINES[line], "linewidth": 2 * look.line, "markersize": 3.5 * look.line}


def _designs(axes: Axes, found: Mapping[str, Any], look: Look) -> None:
    """Draw the seconds of each contender against the design, a mark for each of them."""
    dress(axes, look)
    designs = ranked(found)
    names = dict.fromkeys(name for contenders in designs.values() for name in contenders)
    for name, marker in zip(names, MARKERS, strict=False):
        met = [(place, one[name]) for place, one in enumerate(designs.values()) if name in one]
        places, seconds = zip(*((place, one["seconds"]) for place, one in met), strict=True)
        style: dict[str, Any] = {"marker": marker, "color": INK, "linewidth": look.line}
        axes.plot(places, seconds, label=labelled(name, met[0][1]), **style)
    axes.legend(fontsize=look.text, frameon=False)
    axes.set(yscale="log", xticks=range(len(designs)), xticklabels=list(designs), xlim=(-0.3, 3.3))
    axes.set_xlabel("clusters × observations", fontsize=look.text, color=INK)
    what = f"CPU s to draw, fit and test {found['sims']:,} datasets"
    axes.set_title(what, fontsize=look.text, color=INK)


def _dots(axes: Axes, seconds: Mapping[str, float], look: Look) -> None:
    """Draw a dot on a log scale for each of some things, its name and seconds above it."""
    dress(axes, look)
    places = range(len(seconds))
    axes.set_xscale("log")
    axes.plot(list(seconds.values()), places, "o", color=INK, markersize=look.printed(3))
    for place, (name, value) in enumerate(seconds.items()):
        axes.axhline(place, color="#dddddd", linewidth=look.line, zorder=0)
        axes.annotate(
            f"{name}: {digits(value)}",
            (0, place - 0.14),
            (2, 0),
            xycoords=axes.get_yaxis_transform(),
            textcoords="offset points",
            va="bottom",
            size=look.text,
            color=INK,
        )
    ends = np.array([min(seconds.values()), max(seconds.values())])
    axes.set(yticks=[], ylim=(len(seconds) - 0.6, -0.7), xlim=ends * [0.7, 1.4])
    axes.xaxis.set_major_locator(LogLocator(subs=(1, 2, 5) if ends[1] < 50 * ends[0] else (1,)))
    axes.xaxis.set_minor_locator(NullLocator())
    axes.xaxis.set_major_formatter("{x:g}")


def _curves(axes: Axes, name: str, curves: Sequence[Mapping[str, Any]], look: Look) -> None:
    """Draw seconds against size, a line for each strategy and engine."""
    dress(axes, look)
    colours = look.strategy_colours(STRATEGIES)
    for curve in curves:
        style = _style(_line(curve), look)
        axes.plot(curve["sizes"], curve["seconds"], color=colours[curve["strategy"]], **style)
    ends = np.array([curves[0]["sizes"][0], curves[0]["sizes"][-1]])
    lowest = min(min(curve["seconds"]) for curve in curves)
    axes.plot(ends, lowest / 2 * ends / ends[0], color="#bbbbbb", linewidth=look.line, zorder=0)
    axes.set(xscale="log", yscale="log")
    if ends[1] < 10 * ends[0]:
        axes.set_xticks(2 ** np.arange(*np.log2(ends).astype(int) + [0, 1]))
        axes.xaxis.set_major_formatter("{x:g}")
        axes.xaxis.set_minor_locator(NullLocator())
    axes.set_xlabel(name, fontsize=look.text, color=INK)
    what = "all sims" if name == "sims" else "a dataset"
    axes.set_title(f"CPU s of {what}", fontsize=look.text, color=INK)
