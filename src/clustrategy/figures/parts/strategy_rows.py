"""Panels with a row for each strategy, in which the cells of a study stand side by side."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from clustrategy.figures.parts.factors import combinations, further_factors
from clustrategy.figures.parts.frame import wrap
from clustrategy.figures.parts.labels import (
    CLUSTERS,
    OBSERVATIONS,
    SIGMA,
    factor_label,
    level_label,
    strategy_label,
    value_label,
)
from clustrategy.figures.parts.style import BAND, INK, MUTED, Look, dress, new_figure

MOST_SIZES = 12
"""Where there are more sizes of datasets, each number of clusters has rows of its own."""

NAMES = 1.15
"""Inches for the strategies' names at the right of their rows, on a printed page."""


@dataclass(frozen=True)
class StrategyRows:
    """A row for each strategy, in blocks of rows for the levels of further factors.

    A row is one panel. Along its x axis stand the columns, one for each size of datasets, and in
    a column the levels of the between-cluster sigma.

    Attributes
    ----------
    figure : Figure
        The figure that holds the rows.
    axes : ndarray of Axes of shape (blocks, strategies)
        The rows.
    strategies : list of str
        The strategies, from above.
    blocks : list of str
        Factors whose combinations of levels are the blocks.
    block_levels : list of tuple
        Those combinations.
    columns : list of str
        Factors whose combinations of levels are the columns.
    column_levels : list of tuple
        Those combinations.
    levels : list
        The levels of the between-cluster sigma in ascending order.
    starts : ndarray of shape (columns,)
        The x position of each column's first level; the others follow in steps of 1.
    row_height, height : float
        Inches of one row, and of all rows with their labels.
    """

    figure: Figure
    axes: np.ndarray
    strategies: list[str]
    blocks: list[str]
    block_levels: list[tuple]
    columns: list[str]
    column_levels: list[tuple]
    levels: list
    starts: np.ndarray
    row_height: float
    height: float

    def placed(self, table: pd.DataFrame) -> pd.DataFrame:
        """Add the places on the x axis: the start of the column, and x itself."""
        starts = dict(zip(self.column_levels, self.starts, strict=True))
        sizes = zip(*(table[name] for name in self.columns), strict=True)
        steps = table[SIGMA].map({level: step for step, level in enumerate(self.levels)})
        column = np.array([starts[size] for size in sizes], dtype=float)
        return table.assign(column=column, x=column + steps)

    def rows(self, placed: pd.DataFrame) -> Iterator[tuple[Axes, str, pd.DataFrame]]:
        """Yield each row, its strategy and its part of a table, which may be empty."""
        parts = dict(iter(placed.groupby([*self.blocks, "strategy"])))
        for axes, levels in zip(self.axes, self.block_levels, strict=True):
            for row, strategy in zip(axes, self.strategies, strict=True):
                yield row, strategy, parts.get((*levels, strategy), placed.iloc[:0])

    @property
    def xlabel(self) -> str:
        """Title of the x axis, with the levels if the axis does not label each of them."""
        levels = ", ".join(map(value_label, self.levels))
        every = all(label.get_text() for label in self.axes[-1, -1].get_xticklabels())
        return factor_label(SIGMA) + ("" if every else f" ({levels} in each column)")

    @property
    def column_width(self) -> float:
        """Length of a column on the x axis."""
        return float(len(self.levels))


def strategy_rows(
    table: pd.DataFrame, look: Look, *, factors: Sequence[str], strategies: Sequence[str]
) -> StrategyRows:
    """Make a figure with a row for each strategy.

    Parameters
    ----------
    table : DataFrame
        A table with rows for all cells.
    look : Look
        The figure's look.
    factors, strategies : sequence of str
        The study's factors, and its strategies in order.
    """
    sizes = table[[CLUSTERS, OBSERVATIONS]].drop_duplicates()
    split = len(sizes) > MOST_SIZES
    blocks = [*([CLUSTERS] if split else []), *further_factors(table, factors)]
    columns = [OBSERVATIONS] if split else [CLUSTERS, OBSERVATIONS]
    block_levels, column_levels = combinations(table, blocks), combinations(table, columns)
    levels = sorted(table[SIGMA].unique())

    firsts = [size[0] for size in column_levels]
    wider = [split or i == 0 or firsts[i] == firsts[i - 1] for i in range(len(firsts))]
    gaps = np.where(wider, 0.6, 1.2)
    gaps[0] = 0
    starts = np.cumsum(np.r_[0, np.full(len(firsts) - 1, len(levels))] + gaps)

    count = len(block_levels) * len(strategies)
    row_height = look.printed(0.9 if count <= 4 else 0.53 if count <= 16 else 0.45)
    line = 1.3 * look.text / 72
    heads = line * ((2 if split else 3) + 2 * len(blocks))
    height = row_height * count + heads + 0.1 * look.width
    figure = new_figure(look, height)
    heights = [
        ratio
        for block in range(len(block_levels))
        for ratio in ([1.1 * line / row_height] if block else []) + [1.0] * len(strategies)
    ]
    parts = figure.add_gridspec(len(heights), 1, height_ratios=heights, hspace=0)
    places = [i for i, ratio in enumerate(heights) if ratio == 1.0]
    axes: list[Axes] = []
    for place in places:
        first = axes[0] if axes else None
        axes.append(figure.add_subplot(parts[place], sharex=first, sharey=first))
    rows = StrategyRows(
        figure,
        np.array(axes).reshape(len(block_levels), len(strategies)),
        list(strategies),
        blocks,
        block_levels,
        columns,
        column_levels,
        levels,
        starts,
        row_height,
        height,
    )
    _label(rows, look)
    return rows


def _label(rows: StrategyRows, look: Look) -> None:
    """Name the columns above, the strategies at the right and the levels below."""
    width = rows.column_width
    ends = (-0.5, rows.starts[-1] + width - 0.5)
    inches = (look.width - look.printed(NAMES + 0.6)) / (ends[1] - ends[0])
    labels = [value_label(level) for level in rows.levels]
    if inches * 72 < look.text:
        labels = [label if i in (0, len(labels) - 1) else "" for i, label in enumerate(labels)]
    crowded = max(map(len, labels)) * 0.64 * look.text + 2 > 72 * inches
    ticks = (rows.starts[:, None] + np.arange(len(labels))).ravel()
    for axes in rows.axes.flat:
        dress(axes, look)
        axes.set_xlim(*ends)
        axes.set_xticks(ticks, labels * len(rows.starts))
        axes.tick_params(axis="x", length=0, rotation=90 if crowded else 0, labelbottom=False)
        for start in rows.starts:
            axes.axvspan(start - 0.5, start + width - 0.5, color=BAND, linewidth=0, zorder=-1)
    rows.axes[-1, -1].tick_params(axis="x", labelbottom=True)
    for block, levels in zip(rows.axes, rows.block_levels, strict=True):
        for axes, strategy in zip(block, rows.strategies, strict=True):
            name = wrap(strategy_label(strategy), look.printed(NAMES), look.text)
            _beside(axes, name, look, va="center")
        if levels:
            text = ", ".join(map(level_label, rows.blocks, levels))
            heads = len(rows.columns) if levels == rows.block_levels[0] else 0
            lines = 0.25 + 1.2 * heads
            _above(block[0], ends[0], text, lines, look, ha="left", weight="bold")
    _head(rows, look, inches)


def _head(rows: StrategyRows, look: Look, inches: float) -> None:
    """Name the sizes above the first row."""
    first = rows.axes[0, 0]
    width = rows.column_width
    middles = rows.starts + (width - 1) / 2
    for middle, size in zip(middles, rows.column_levels, strict=True):
        _above(first, middle, value_label(size[-1]), 0.25, look)
    _beside(first, "observations\nper cluster", look, y=1, rise=0.25, va="bottom", color=MUTED)
    if CLUSTERS in rows.columns:
        numbers = [size[0] for size in rows.column_levels]
        for number in dict.fromkeys(numbers):
            mine = [middle for middle, n in zip(middles, numbers, strict=True) if n == number]
            text = level_label(CLUSTERS, number)
            room = (len(mine) * width + 0.6) * inches * 72
            if len(text) * 0.6 * look.text > room:
                text = value_label(number)
            _above(first, (mine[0] + mine[-1]) / 2, text, 1.45, look)


def _above(axes: Axes, x: float, text: str, lines: float, look: Look, **words: Any) -> None:
    style: dict[str, Any] = {"ha": "center", "va": "bottom", "size": look.text, "color": INK}
    axes.annotate(
        text,
        (x, 1),
        (0, 1.15 * lines * look.text),
        xycoords=axes.get_xaxis_transform(),
        textcoords="offset points",
        **style | words,
    )


def _beside(
    axes: Axes, text: str, look: Look, y: float = 0.5, rise: float = 0, **words: Any
) -> None:
    style: dict[str, Any] = {"ha": "left", "size": look.text, "color": INK, "linespacing": 1.05}
    axes.annotate(
        text,
        (1, y),
        (6, 1.15 * rise * look.text),
        xycoords="axes fraction",
        textcoords="offset points",
        **style | words,
    )
