"""A panel for each strategy, side by side and below each other."""

from __future__ import annotations

from collections.abc import Sequence

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from clustrategy.figures.parts.frame import wrap
from clustrategy.figures.parts.labels import strategy_label
from clustrategy.figures.parts.style import INK, Look, dress, new_figure

ACROSS = 4
HIGHEST, TALLEST = 1.6, 6.4  # the most inches of a panel, and of all, on a printed page


def strategy_panels(look: Look, strategies: Sequence[str]) -> tuple[Figure, dict[str, Axes], int]:
    """Make a figure with a panel for each strategy, all with the same axes.

    Also return the panels by strategy and how many stand below each other.
    """
    across = min(len(strategies), ACROSS)
    down = -(-len(strategies) // across)
    height = look.printed(min(HIGHEST, TALLEST / down) * down + 0.3)
    figure = new_figure(look, height)
    grid = figure.subplots(down, across, sharex=True, sharey=True, squeeze=False).flat
    for axes, strategy in zip(grid, strategies, strict=False):
        dress(axes, look)
        title = wrap(strategy_label(strategy), 0.76 * look.width / across, look.text)
        axes.set_title(title, fontsize=look.text, color=INK, loc="left")
    for axes in grid[len(strategies) :]:
        axes.remove()
    for axes in grid[len(strategies) - across : len(strategies)]:
        axes.tick_params(labelbottom=True)
    return figure, dict(zip(strategies, grid, strict=False)), down
