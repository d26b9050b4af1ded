"""The grid of panels over a study's factors."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from clustrategy.figures.parts.cells import (
    combinations,
    further_factors,
    spreads,
    varied,
    x_factor,
)
from clustrategy.figures.parts.frame import wrap
from clustrategy.figures.parts.labels import CLUSTERS, OBSERVATIONS, level_label, value_label
from clustrategy.figures.parts.slots import name_levels
from clustrategy.figures.parts.study import Study
from clustrategy.figures.parts.style import INK, Look, dress, new_figure, note

MOST_COLUMNS = 4
"""More sizes of datasets do not stand side by side to leave the rows to other factors."""

TITLE_PAD = 6.0  # points between a panel and its title
TALLEST = 0.72  # share of a page that the panels take at most, as long as each has its least height
LOWEST = 0.06  # the least height of a panel, by the figure's width


@dataclass(frozen=True)
class Grid:
    """Panels in rows and columns, and within a panel one group per level.

    Attributes
    ----------
    figure, axes : Figure, ndarray of Axes of shape (rows, columns)
        The figure and its panels.
    rows, columns, row_levels, column_levels : list
        Factors whose combinations of levels are the rows and the columns, and these combinations.
    along : str
        The factor along the x axis.
    levels : list
        Its levels in ascending order.
    below : sequence of Axes
        Panels of another kind below the columns, with the same levels along their x axes.
    """

    figure: Figure
    axes: np.ndarray
    rows: list[str]
    columns: list[str]
    row_levels: list[tuple]
    column_levels: list[tuple]
    along: str
    levels: list
    below: Sequence[Axes] = ()

    def panels(self, table: pd.DataFrame) -> Iterator[tuple[Axes, pd.DataFrame]]:
        """Yield each panel with its part of a table, which may be empty."""
        parts = dict(iter(table.groupby(self.rows + self.columns)))
        for i, row in enumerate(self.row_levels):
            for j, column in enumerate(self.column_levels):
                yield self.axes[i, j], parts.get(row + column, table.iloc[:0])


def panel_grid(table: pd.DataFrame, study: Study, *, below: bool = False) -> Grid:
    """Make a figure with a panel for each combination of levels in a table.

    With ``below`` there is a panel of another kind below each column.
    """
    look = study.look
    across = x_factor(table, study.factors)
    rows, columns = _arranged(table, study.factors, across)
    row_levels, column_levels = combinations(table, rows), combinations(table, columns)
    beside = rows == [CLUSTERS]
    panel_width = (look.width - look.printed(0.75 if beside else 0.5)) / len(column_levels)
    panel_height = float(np.clip(0.8 * panel_width, 0.2 * look.width, 0.34 * look.width))
    titles = _titles(columns, column_levels, "\n", 0.9 * panel_width, look)
    along = 0.18 * look.width if beside else 0.85 * look.width
    row_names = _titles(rows, row_levels, ", ", along, look)
    line = 1.3 * look.text / 72
    above = 0 if beside or not rows else line * (1 + row_names[0].count("\n"))
    most = TALLEST * look.page / (len(row_levels) + below) - above
    panel_height = max(min(panel_height, most), LOWEST * look.width)
    extra = line * (titles[0].count("\n") + below)
    height = (panel_height + above) * len(row_levels) + below * panel_height + extra

    figure = new_figure(look, height)
    shape = len(row_levels) + below, len(column_levels)
    axes = figure.subplots(*shape, sharex=True, sharey="row", squeeze=False)
    for panel in axes.flat:
        dress(panel, look)
    axes, others = axes[: len(row_levels)], tuple(axes[len(row_levels) :].flat)
    for panel in axes[1:, 0]:
        panel.sharey(axes[0, 0])
    for panel, title in zip(axes[0], titles, strict=True):
        panel.set_title(title, fontsize=look.text, color=INK, pad=TITLE_PAD)
    levels = sorted(table[across].unique())
    grid = Grid(figure, axes, rows, columns, row_levels, column_levels, across, levels, others)
    if beside:
        style: dict[str, Any] = {"ha": "left", "va": "center", "multialignment": "center"}
        for panel, name in zip(axes[:, -1], row_names, strict=True):
            note(panel, name.strip(), (1, 0.5), (6, 0), rotation=270, size=look.text, **style)
    elif rows:
        _name_above(grid, row_names, look)
    labels = [value_label(level) for level in grid.levels]
    room = panel_width * 72 / len(labels)
    crowded = max(map(len, labels)) * 0.64 * look.text + 3 > 0.85 * room
    name_levels([*grid.axes.flat, *grid.below], labels, crowded)
    return grid


def _arranged(
    table: pd.DataFrame, factors: Sequence[str], across: str
) -> tuple[list[str], list[str]]:
    """Return the factors of the rows and those of the columns; one is along the x axis."""
    others = [*further_factors(table, factors), *varied(table, spreads(factors))]
    further = [name for name in others if name != across]
    observations = [OBSERVATIONS] if across != OBSERVATIONS else []
    sizes = combinations(table, [CLUSTERS, *observations])
    alone = not varied(table, observations)
    if (further or alone) and len(sizes) <= MOST_COLUMNS:
        return further, [CLUSTERS, *observations]
    return [CLUSTERS, *further], observations


def _titles(
    factors: Sequence[str], combined: Sequence[tuple], between: str, inches: float, look: Look
) -> list[str]:
    """Return the names of rows or columns, all with the same number of lines."""
    texts = [
        "\n".join(
            wrap(part, inches, look.text)
            for part in between.join(map(level_label, factors, levels)).split("\n")
        )
        for levels in combined
    ]
    lines = max(text.count("\n") for text in texts)
    return ["\n" * (lines - text.count("\n")) + text for text in texts]


def _name_above(grid: Grid, names: Sequence[str], look: Look) -> None:
    """Name each row above its panels, in the room that their titles make."""
    lines = 1 + names[0].count("\n")
    titles = [axes.get_title() for axes in grid.axes[0]]
    style: dict[str, Any] = {"va": "bottom", "size": look.text, "weight": "bold"}
    for i, name in enumerate(names):
        for axes, title in zip(grid.axes[i], titles, strict=True):
            text = "\n" * lines + title if i == 0 else "\n" * (lines - 1) + " "
            axes.set_title(text, fontsize=look.text, color=INK, pad=TITLE_PAD)
        above = 1.2 * look.text * (titles[0].count("\n") + 1 if i == 0 else 0)
        heading = note(grid.axes[i, 0], name, (0, 1), (0, TITLE_PAD + above), **style)
        heading.set_in_layout(False)
