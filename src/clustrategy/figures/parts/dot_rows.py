"""Panels in which each strategy has a row: blocks of rows below each other, columns of panels."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from clustrategy.figures.parts.frame import lines_of, title_panels
from clustrategy.figures.parts.labels import strategy_label
from clustrategy.figures.parts.style import MUTED, Look, dress, new_figure, note

PAGE = 5.2  # inches that all rows share on a printed page, as long as their letters stay legible
WITH_TITLES, TITLE = 6.0, 0.2  # inches of rows and titles of many blocks, and of a title
ROOMY, CLOSE, CLOSEST = 0.27, 0.17, 0.095
"""Inches of a row on a printed page: with two lines of text, with one, and at the least."""


@dataclass(frozen=True)
class DotRows:
    """Rows of strategies, the same ones in the same order in each block.

    Attributes
    ----------
    figure, axes : Figure, ndarray of Axes of shape (blocks, columns)
        The figure and its panels.
    places : mapping of str to float
        Where each strategy stands on the y axes: at 0, 1, ... from above.
    text, lines : float, int
        Font size of the texts of rows, and the lines of text that a row has room for.
    """

    figure: Figure
    axes: np.ndarray
    places: Mapping[str, float]
    text: float
    lines: int

    def at(self, strategies: Iterable[str]) -> np.ndarray:
        """Return where strategies stand."""
        return np.array([self.places[name] for name in strategies])

    def beside(self, block: int, texts: Mapping[str, str], heading: str) -> None:
        """Write a text at the right of each strategy's row, below a heading."""
        axes = self.axes[block, -1]
        words: dict[str, Any] = {"size": self.text, "linespacing": 1.0, "annotation_clip": False}
        words["xycoords"] = axes.get_yaxis_transform()
        for strategy, text in texts.items():
            note(axes, text, (1, self.places[strategy]), (6, 0), va="center", **words)
        note(axes, heading, (1, -0.6), (6, 3), va="bottom", color=MUTED, **words)


def dot_rows(
    look: Look,
    *,
    strategies: Sequence[str],
    blocks: Sequence[str],
    columns: Sequence[str] = ("",),
    lines: int = 1,
    roomy: float = ROOMY,
    heads: Sequence[float] = (),
    sharex: bool = True,
    page: float = PAGE,
) -> DotRows:
    """Make a figure with a row for each strategy.

    Parameters
    ----------
    look : Look
        The figure's look.
    strategies, blocks, columns : sequence of str
        The strategies from above, and the titles of the blocks of rows and columns of panels.
    lines : int
        The lines of text, one or two, that a row is to have room for if all rows fit a page.
    roomy : float
        Inches of a row with two lines, on a printed page, if all rows fit it.
    heads : sequence of float
        Points that are left free above each block.
    sharex : bool
        Whether the columns share their x axis; the panels of a column always do.
    page : float
        Inches that all rows share on a printed page.
    """
    pitch = float(
        np.clip(page / (len(blocks) * len(strategies)), CLOSEST, CLOSE if lines == 1 else roomy)
    )
    lines = 2 if pitch >= ROOMY else 1
    text = look.printed(min(8.0 if lines == 2 else 7.0, 72 * pitch / 1.25))
    heads = heads or [0.0] * len(blocks)
    titles = 1.5 * look.text * (len(blocks) + lines_of(columns)) + sum(heads)
    height = look.printed(pitch) * (len(strategies) + 0.2)
    # Below the last block stand the labels of the x axis.
    total = height * len(blocks) + (titles + 2.2 * look.text) / 72
    figure = new_figure(look, total)
    axes = figure.subplots(
        len(blocks), len(columns), sharex="all" if sharex else "col", sharey=True, squeeze=False
    )
    rows = DotRows(figure, axes, {name: float(i) for i, name in enumerate(strategies)}, text, lines)
    for panel in axes.flat:
        dress_rows(panel, look, len(strategies), text)
    axes[0, 0].set_ylim(len(strategies) - 0.4, -0.6)
    axes[0, 0].set_yticks(range(len(strategies)), [*map(strategy_label, strategies)])
    title_panels(axes, blocks, columns, look, heads)
    return rows


def room(blocks: int) -> float:
    """Return the inches that rows share beside the titles of so many blocks."""
    return min(PAGE, WITH_TITLES - TITLE * blocks)


def fitting(badness: Mapping[str, float], strategies: Sequence[str]) -> tuple[list[str], list[str]]:
    """Choose the blocks of rows that fit a page: those of which there is most to say.

    Parameters
    ----------
    badness : mapping of str to float
        Of each block, in their order, how bad the worst is that it shows.
    strategies : sequence of str
        The rows of each.

    Returns
    -------
    list of str, list of str
        Those that fit, at least one, and the others, both in their order.
    """
    numbers = range(2, len(badness) + 1)
    most = max((n for n in numbers if n * len(strategies) * CLOSEST <= room(n)), default=1)
    first = sorted(badness, key=lambda block: -badness[block])[:most]
    return [b for b in badness if b in first], [b for b in badness if b not in first]


def dress_rows(axes: Axes, look: Look, count: int, text: float) -> None:
    """Give a panel its frame and the shades of its rows, whose names have a font size."""
    dress(axes, look)
    axes.grid(visible=False)
    axes.tick_params(axis="y", length=0, labelsize=text)
    for place in range(0, count, 2):
        axes.axhspan(place - 0.5, place + 0.5, color="#f7f7f7", linewidth=0, zorder=-2)
