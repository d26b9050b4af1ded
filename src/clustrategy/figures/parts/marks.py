"""Marks with Monte Carlo intervals, and arrows for values beyond the axis."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection

from clustrategy.figures.parts.kind_markers import face
from clustrategy.figures.parts.style import BAND, Colour, Look, outlined, tint

CROSS = "x"
PALE = 0.55
"""How much white is in the colour of a second measure."""

Limits = tuple[float, float]


def draw_marks(
    axes: Axes,
    cells: pd.DataFrame,
    markers: Mapping[str, str],
    colour: Colour,
    limits: Limits,
    look: Look,
) -> None:
    """Draw the values within the limits, their intervals, and lines between those of a column.

    Parameters
    ----------
    axes : Axes
        A row of the panel.
    cells : DataFrame
        kind, column, x, value, low, high, crossed: whether a cross is to mark the value.
    markers : mapping of str to str
        The marker of each kind of predictor.
    colour : tuple
        The strategy's colour.
    limits : tuple of float
        The values between which marks are not moved.
    look : Look
        The figure's look.
    """
    for kind, marker in markers.items():
        mine = _within(cells[cells["kind"] == kind].sort_values("x"), limits)
        x, value, low, high = (mine[name].to_numpy() for name in ("x", "value", "low", "high"))
        points = np.column_stack([x, value])
        column = mine["column"].to_numpy()
        lines = [points[column == start] for start in np.unique(column)]
        bars = np.stack([np.column_stack([x, low]), np.column_stack([x, high])], axis=1)
        axes.add_collection(
            LineCollection(lines, colors=[colour], linewidths=0.8 * look.line, alpha=0.5)
        )
        axes.add_collection(
            LineCollection(list(bars), colors=[colour], linewidths=1.2 * look.line, zorder=2)
        )
        crossed = mine["crossed"].to_numpy(dtype=bool)
        axes.scatter(
            x[~crossed],
            value[~crossed],
            s=look.printed(2.7) ** 2,
            facecolor=[face(marker, colour)],
            edgecolor=[colour],
            marker=marker,
            linewidth=1.1 * look.line,
            clip_on=False,
            zorder=3,
        )
        axes.scatter(
            x[crossed],
            value[crossed],
            s=look.printed(2.7) ** 2,
            color=[colour],
            marker=CROSS,
            linewidth=2 * look.line,
            zorder=3,
        )


def draw_pale(
    axes: Axes,
    cells: pd.DataFrame,
    markers: Mapping[str, str],
    colour: Colour,
    limits: Limits,
    look: Look,
) -> None:
    """Draw the values of a second measure within the limits, as `draw_marks` the first."""
    pale = tint(colour, PALE)
    for kind, marker in markers.items():
        mine = _within(cells[cells["kind"] == kind], limits)
        axes.scatter(
            mine["x"],
            mine["value"],
            s=look.printed(2.3) ** 2,
            facecolor=[face(marker, pale)],
            edgecolor=[pale],
            marker=marker,
            linewidth=1.1 * look.line,
            clip_on=False,
            zorder=2.5,
        )


def _within(cells: pd.DataFrame, limits: Limits) -> pd.DataFrame:
    return cells[cells["value"].between(*limits)]


def draw_beyond(
    axes: Axes,
    cells: pd.DataFrame,
    colour: Colour,
    limits: Limits,
    write: Callable[[float], str],
    width: float,
    look: Look,
) -> None:
    """Draw arrows for the values beyond the limits, and write the most extreme of each column.

    Parameters
    ----------
    axes, cells, colour, limits, look
        As `draw_marks` takes them.
    write : callable
        Writes a value.
    width : float
        Length of a column on the x axis.
    """
    middle = np.array([0.3, 0.7]) * width - 0.5
    for side, limit in enumerate(limits):
        beyond = cells[cells["value"] > limit if side else cells["value"] < limit]
        if beyond.empty:
            continue
        axes.scatter(
            beyond["x"],
            np.full(len(beyond), limit),
            s=look.printed(3) ** 2,
            color=[colour],
            marker="^" if side else "v",
            linewidth=0,
            zorder=3,
        )
        for start, mine in beyond.groupby("column"):
            values = mine["value"].to_numpy()
            place = np.clip(mine["x"].mean(), *(float(str(start)) + middle))
            axes.annotate(
                write(values[np.abs(values - limit).argmax()]),
                (place, limit),
                (0, look.printed(-3 if side else 3)),
                textcoords="offset points",
                va="top" if side else "bottom",
                ha="center",
                **outlined(look, BAND),
            )
