"""Box plots of a score: what the figures of scores share."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import product

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.cbook import boxplot_stats
from matplotlib.collections import LineCollection, PolyCollection
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, LogLocator, NullLocator

from clustrategy.figures.parts.frame import compose, strategy_handles
from clustrategy.figures.parts.grid import panel_grid
from clustrategy.figures.parts.intervals import median_interval
from clustrategy.figures.parts.labels import SIGMA, factor_label, strategy_label
from clustrategy.figures.parts.options import Options
from clustrategy.figures.parts.slots import slots
from clustrategy.figures.parts.style import Colour, Look

WHISKERS = (5, 95)
BOX = 0.85
BAND = 0.62


def draw_boxes(
    table: pd.DataFrame,
    column: str,
    title: str,
    ylabel: str,
    *,
    factors: Sequence[str],
    strategies: Sequence[str],
    options: Options,
) -> Figure:
    """Draw box plots of a score: a panel for each size of datasets, a box for each strategy.

    Parameters
    ----------
    table : DataFrame
        The scores.
    column : str
        The score's column.
    title, ylabel : str
        What the score is for, and what it is.
    factors, strategies : sequence of str
        The study's factors, and its strategies in order.
    options : Options
        The settings of the look.
    """
    look = Look.from_options(options)
    colours = look.strategy_colours(strategies)
    grid = panel_grid(table, look, factors=factors)
    shown = table[np.isfinite(table[column])]
    for axes, panel in grid.panels(shown):
        if panel.empty:
            axes.text(0.5, 0.5, "no values", transform=axes.transAxes, ha="center", size=look.text)
        else:
            _draw_panel(axes, panel, column, grid.levels, colours, look)
    scale = _scale(grid.axes[0, 0], look, bool((shown[column] > 0).any()))
    compose(
        grid.figure,
        look,
        panels_height=grid.height,
        title=f"{title}: {ylabel} in each simulation",
        subtitle=f"{ylabel.capitalize()} of each fit, by strategy and cell",
        legends=[strategy_handles(strategies, colours)],
        xlabel=factor_label(SIGMA),
        ylabel=f"{ylabel}{scale}",
        caption=_caption(table, shown, factors, strategies),
    )
    return grid.figure


def _draw_panel(
    axes: Axes,
    panel: pd.DataFrame,
    column: str,
    levels: Sequence[float],
    colours: Mapping[str, Colour],
    look: Look,
) -> None:
    """Draw boxes, medians and their intervals, as one collection of each for speed."""
    centres, slot = slots(len(levels), len(colours))
    parts = {key: part.to_numpy() for key, part in panel.groupby([SIGMA, "strategy"])[column]}
    places = dict(zip(product(levels, colours), centres.flat, strict=True))
    drawn = [key for key in places if key in parts]
    values = [parts[key] for key in drawn]
    paint = [colours[name] for _, name in drawn]
    x = np.array([places[key] for key in drawn])
    marks = boxplot_stats(values, whis=WHISKERS)
    low, q1, median, q3, high = (
        np.array([mark[name] for mark in marks]) for name in ("whislo", "q1", "med", "q3", "whishi")
    )
    left, right = x - BOX * slot / 2, x + BOX * slot / 2
    box = _paths([left, right, right, left, left], [q1, q1, q3, q3, q1])
    whiskers = _paths([x, x], [low, q1]) + _paths([x, x], [q3, high])
    thin = {"linewidths": 1.1 * look.line}
    axes.add_collection(
        LineCollection(box, colors=paint, capstyle="projecting", joinstyle="round", **thin)
    )
    axes.add_collection(LineCollection(whiskers, colors=2 * paint, **thin))
    middle = _paths([left, right], [median, median])
    axes.add_collection(LineCollection(middle, colors=paint, linewidths=2.4 * look.line, zorder=3))
    ends = np.array([median_interval(part) for part in values])
    left, right = x - BAND * slot / 2, x + BAND * slot / 2
    bands = _paths([left, right, right, left], [*ends.T.repeat(2, axis=0)])
    axes.add_collection(
        PolyCollection(bands, facecolors=paint, alpha=0.4, linewidths=0, zorder=1.9)
    )
    axes.autoscale_view(scalex=False)


def _paths(x: Sequence[np.ndarray], y: Sequence[np.ndarray]) -> list[np.ndarray]:
    """Return paths, each (points, 2), from the coordinates of all first points, all second, ..."""
    return list(np.stack([np.stack(x, axis=-1), np.stack(y, axis=-1)], axis=-1))


def _scale(axes: Axes, look: Look, positive: bool) -> str:
    """Scale the shared y axis and return what its title is to say of that."""
    if look.scale == "linear" or not positive:
        axes.set_ylim(bottom=0)
        return ""
    axes.set_yscale("log")
    low, high = axes.get_ylim()
    decades = np.log10(high / low)
    subs = (1, 2, 5) if decades < 1.8 else (1, 3) if decades < 3.2 else (1,)
    axes.yaxis.set_major_locator(LogLocator(subs=subs))
    axes.yaxis.set_minor_locator(NullLocator())
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    return " (log scale)"


def _caption(
    table: pd.DataFrame, shown: pd.DataFrame, factors: Sequence[str], strategies: Sequence[str]
) -> str:
    sims = int(table.groupby([*factors, "strategy"]).size().max())
    missing = table["strategy"].value_counts().sub(shown["strategy"].value_counts(), fill_value=0)
    lost = [f"{strategy_label(name)} {missing[name]:.0f}" for name in strategies if missing[name]]
    absent = (
        f"{len(table) - len(shown):,} of {len(table):,} fits gave no value and are not shown "
        f"({', '.join(lost)})"
        if lost
        else "every fit gave a value"
    )
    return (
        "Boxes: quartiles; whiskers: 5th to 95th percentile, no outliers are drawn; thick line: "
        "median; shaded band: its 95 % order-statistic interval (Monte Carlo error). "
        f"{sims} sims per cell; {absent}."
    )
