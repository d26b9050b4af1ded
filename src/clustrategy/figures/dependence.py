"""What repeated measures do to a regression."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from clustrategy.figures.parts.frame import compose, wrap
from clustrategy.figures.parts.study import Study
from clustrategy.figures.parts.style import INK, Look, dress, new_figure

PANELS = {
    "once": "21 people measured once",
    "repeated": "3 people measured 7 times",
    "simpson": "Simpson's paradox",
}
IN_WORDS = {2: "two", 3: "three", 4: "four"}


def dependence(table: pd.DataFrame, *, study: Study) -> Figure:
    """Draw independent and repeated measures, and slopes that pooling turns around."""
    look = study.look
    figure = new_figure(look, 0.4 * look.width)
    panels = figure.subplots(1, 3, sharex=True, sharey=True)
    for axes, (name, words) in zip(panels, PANELS.items(), strict=True):
        dress(axes, look)
        axes.set_title(wrap(words, 0.26 * look.width, look.text), fontsize=look.text, color=INK)
        _draw_panel(axes, table[table["panel"] == name], look)
    low, high = panels[0].get_ylim()
    panels[0].set_ylim(low - 0.25 * (high - low), high)
    compose(
        figure,
        look,
        title=_finding(table[table["panel"] == "simpson"]),
        subtitle="Repeated measures: as many points, but less information than people",
        xlabel="predictor",
        ylabel="response",
        caption=(
            "Colour: person; thin lines: regressions within a person; dashed line: the regression "
            "of all points, which takes each point for a person of its own; the numbers are "
            "slopes."
        ),
    )
    return figure


def _draw_panel(axes: Axes, panel: pd.DataFrame, look: Look) -> None:
    people = panel["person"].unique()
    repeated = len(people) < len(panel)
    colours = look.colours(len(people)) if repeated else ["#777777"] * len(people)
    paint = panel["person"].map(dict(zip(people, colours, strict=True)))
    axes.scatter("x", "y", data=panel, s=75 * look.line**2, color=list(paint), linewidth=0)
    pooled = _draw_line(axes, panel, color=INK, linewidth=3 * look.line, linestyle=(0, (4, 2)))
    words = f"all points {pooled:+.2f}"
    if repeated:
        slopes = [
            _draw_line(axes, mine, color=colour, linewidth=2 * look.line)
            for colour, (_, mine) in zip(colours, panel.groupby("person", sort=False), strict=True)
        ]
        within = "within " + ", ".join(f"{slope:+.2f}" for slope in slopes)
        words += f"\n{wrap(within, 0.27 * look.width, look.text)}"
    axes.set(xlabel="", ylabel="")
    place = (0.04, 0.03, words.replace("-", "−"))
    axes.text(*place, transform=axes.transAxes, size=look.text, color=INK)


def _slope(points: pd.DataFrame) -> float:
    return float(np.polyfit(points["x"], points["y"], 1)[0])


def _finding(panel: pd.DataFrame) -> str:
    """Say what pooling makes of the slopes within people."""
    within = [_slope(mine) for _, mine in panel.groupby("person", sort=False)]
    pooled = _slope(panel)
    ends = f"({min(within):+.2f} to {max(within):+.2f})"
    before, after = f"slopes {ends}", f"one of {pooled:+.2f}"
    if min(within) > 0 > pooled:
        before = f"{IN_WORDS.get(len(within), len(within))} positive slopes {ends}"
        after = f"a negative one ({pooled:+.2f})"
    said = f"Ignoring who was measured turns {before} into {after}"
    return said.replace("-", "−")


def _draw_line(axes: Axes, points: pd.DataFrame, **style: Any) -> float:
    """Draw the regression of some points over their range and return its slope."""
    line = np.polyfit(points["x"], points["y"], 1)
    ends = np.array([points["x"].min(), points["x"].max()])
    axes.plot(ends, np.polyval(line, ends), **style)
    return float(line[0])
