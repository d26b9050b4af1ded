"""The grid of panels over a study's factors."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.gridspec import SubplotSpec

from clustrategy.figures.frame import wrap
from clustrategy.figures.labels import CLUSTERS, OBSERVATIONS, SIGMA, level_label, value_label
from clustrategy.figures.style import BAND, INK, Look, dress, new_figure

GROUP_WIDTH = 0.86
MAX_SLOT = 0.4


@dataclass(frozen=True)
class Grid:
    """Panels in rows and columns, and within a panel one group per level.

    Attributes
    ----------
    figure
        The figure that holds the panels.
    axes
        The panels, as a matrix.
    rows, columns
        Factors whose combinations of levels are the rows, and the columns.
    row_levels, column_levels
        Those combinations, as tuples.
    levels
        Ascending levels of the between-cluster sigma, if they stand along the x axis.
    height
        Height in inches that suits the panels.
    band
        Panels of another kind below the others, with the same levels along their x axes.
    """

    figure: Figure
    axes: np.ndarray
    rows: list[str]
    columns: list[str]
    row_levels: list[tuple]
    column_levels: list[tuple]
    levels: list
    height: float
    band: Sequence[Axes] = ()

    def panels(self, table: pd.DataFrame) -> Iterator[tuple[Axes, pd.DataFrame]]:
        """Yield each panel with its part of a table, which can have no rows."""
        parts = dict(iter(table.groupby(self.rows + self.columns)))
        for i, row in enumerate(self.row_levels):
            for j, column in enumerate(self.column_levels):
                yield self.axes[i, j], parts.get(row + column, table.iloc[:0])


def further_factors(factors: Sequence[str]) -> list[str]:
    """Return the factors beyond those that every study has."""
    return [name for name in factors if name not in (CLUSTERS, OBSERVATIONS, SIGMA)]


def slots(levels: int, count: int) -> tuple[np.ndarray, float]:
    """Place ``count`` marks side by side at each of the levels 0, 1, ...

    Returns
    -------
    centres
        Matrix of x positions, levels by marks.
    width
        Width of one slot.
    """
    width = min(GROUP_WIDTH / count, MAX_SLOT)
    offsets = (np.arange(count) - (count - 1) / 2) * width
    return np.arange(levels)[:, None] + offsets, width


def panel_grid(
    table: pd.DataFrame,
    look: Look,
    *,
    rows: Sequence[str],
    columns: Sequence[str],
    band: int = 0,
    by_sigma: bool = True,
    panel_height: float | None = None,
    names: float = 0.0,
) -> Grid:
    """Make a figure with a panel for each combination of levels in a table.

    Parameters
    ----------
    table
        The data, with the between-cluster sigma among its columns.
    look
        The figure's look.
    rows, columns
        Columns of the table that make the rows and the columns of the grid.
    band
        How many panels the band below has.
    by_sigma
        Whether the levels of the between-cluster sigma stand along the x axes.
    panel_height
        Height of a panel in inches, if it is not to follow from the width.
    names
        Inches that the labels at the left take beyond those of numbers.
    """
    rows, columns = list(rows), list(columns)
    row_levels = list(table[rows].drop_duplicates().sort_values(rows).itertuples(False, None))
    column_levels = list(
        table[columns].drop_duplicates().sort_values(columns).itertuples(False, None)
    )
    levels = sorted(table[SIGMA].unique()) if by_sigma else []

    panel_width = (look.width - look.printed(0.75) - names) / len(column_levels)
    highest = 0.34 if len(row_levels) <= 4 else 0.22
    if panel_height is None:
        panel_height = float(np.clip(0.8 * panel_width, 0.2 * look.width, highest * look.width))
    heights = [panel_height * len(row_levels)]
    if band:
        heights.append(max(panel_height, 0.25 * look.width))
    height = sum(heights)
    figure = new_figure(look, height)
    parts = figure.add_gridspec(len(heights), 1, height_ratios=heights)
    axes = _subplots(parts[0], len(row_levels), len(column_levels))
    below = tuple(_subplots(parts[1], 1, band)[0]) if band else ()
    grid = Grid(figure, axes, rows, columns, row_levels, column_levels, levels, height, below)
    _label(grid, look, panel_width, panel_height)
    return grid


def _subplots(part: SubplotSpec, rows: int, columns: int) -> np.ndarray:
    """Return a matrix of panels that share their axes."""
    return part.subgridspec(rows, columns).subplots(sharex=True, sharey=True, squeeze=False)


def _label(grid: Grid, look: Look, panel_width: float, panel_height: float) -> None:
    """Name the rows at the right and the columns above, and the levels if there are any."""
    words = {"fontsize": look.text, "color": INK}
    for axes, levels in zip(grid.axes[0], grid.column_levels, strict=True):
        text = ", ".join(map(level_label, grid.columns, levels))
        axes.set_title(wrap(text, 0.9 * panel_width, look.text), **words)
    for axes, levels in zip(grid.axes[:, -1], grid.row_levels, strict=True):
        text = "\n".join(
            wrap(level_label(*pair), 0.9 * panel_height, look.text)
            for pair in zip(grid.rows, levels, strict=True)
        )
        axes.annotate(
            text,
            (1, 0.5),
            (6, 0),
            xycoords="axes fraction",
            textcoords="offset points",
            rotation=270,
            ha="left",
            va="center",
            multialignment="center",
            **words,
        )

    for axes in [*grid.axes.flat, *grid.band]:
        dress(axes, look)
    if grid.levels:
        _label_levels(grid, look, panel_width)


def _label_levels(grid: Grid, look: Look, panel_width: float) -> None:
    """Name the levels below the panels and shade every other one."""
    labels = [value_label(level) for level in grid.levels]
    narrowest = min(panel_width, look.width / max(len(grid.band), 1))
    room = narrowest * 72 / len(labels)
    crowded = max(map(len, labels)) * 0.64 * look.text + 3 > 0.85 * room
    for axes in [*grid.axes.flat, *grid.band]:
        axes.set_xlim(-0.5, len(labels) - 0.5)
        axes.set_xticks(range(len(labels)), labels)
        axes.tick_params(axis="x", length=0, rotation=90 if crowded else 0)
        for position in range(0, len(labels), 2):
            axes.axvspan(position - 0.5, position + 0.5, color=BAND, linewidth=0, zorder=-1)
