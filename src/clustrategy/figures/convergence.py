"""How many fits failed, and how."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Patch
from matplotlib.ticker import PercentFormatter

from clustrategy.figures.frame import compose, strategy_handles
from clustrategy.figures.grid import further_factors, panel_grid, slots
from clustrategy.figures.intervals import wilson
from clustrategy.figures.labels import CLUSTERS, OBSERVATIONS, SIGMA, factor_label
from clustrategy.figures.style import INK, Colour, Look, tint

KINDS = {
    "singular": "singular",
    "not_converged": "optimiser warning",
    "error": "error",
    "undefined": "undefined there",
}
_PAINT = {"singular": 0.0, "not_converged": 0.65, "error": 0.0, "undefined": 1.0}
_HATCH = {"singular": "", "not_converged": "/////", "error": "xxxxx", "undefined": "....."}


def convergence(
    table: pd.DataFrame,
    *,
    factors: Sequence[str],
    strategies: Sequence[str],
    options: Mapping[str, Any],
) -> Figure:
    """Draw the share of each cell's fits that failed, by kind, with Wilson intervals.

    Parameters
    ----------
    table
        The fits: factors, sim, strategy, status.
    """
    look = Look.from_options(options)
    colours = look.strategy_colours(strategies)
    kinds = [k for k in KINDS if k != "undefined" or (table["status"] == k).any()]
    grid = panel_grid(
        table, look, rows=[CLUSTERS, *further_factors(factors)], columns=[OBSERVATIONS]
    )
    centres, slot = slots(len(grid.levels), len(strategies))
    highest = 0.1
    for axes, panel in grid.panels(table):
        counts = panel.groupby([SIGMA, "strategy", "status"]).size().unstack(fill_value=0)
        for place, name in enumerate(strategies):
            index = pd.MultiIndex.from_product([grid.levels, [name]])
            mine = counts.reindex(index, columns=["ok", *kinds], fill_value=0).to_numpy(float)
            top = _draw_bars(axes, centres[:, place], 0.84 * slot, mine, kinds, colours[name], look)
            highest = max(highest, top)
    grid.axes[0, 0].set_ylim(0, min(1.05 * highest, 1.02))
    grid.axes[0, 0].yaxis.set_major_formatter(PercentFormatter(1))
    compose(
        grid.figure,
        look,
        panels_height=grid.height,
        title="Convergence: share of fits that did not succeed",
        legends=[strategy_handles(strategies, colours), _kind_handles(kinds)],
        xlabel=factor_label(SIGMA),
        ylabel="share of fits",
        caption=(
            "Whiskers: 95 % Wilson interval of the share of all failures (Monte Carlo error). "
            "Singular: a diagonal element of the random effects' relative Cholesky factor below "
            f"1e-4. {int(table.groupby([*factors, 'strategy']).size().max())} sims per cell."
        ),
    )
    return grid.figure


def _draw_bars(
    axes: Axes,
    x: np.ndarray,
    width: float,
    counts: np.ndarray,
    kinds: Sequence[str],
    colour: Colour,
    look: Look,
) -> float:
    """Draw a strategy's stacked bars in a panel from (levels, ok and kinds) counts.

    Returns
    -------
    top
        The highest end of an interval.
    """
    total = counts.sum(axis=1)
    x, counts, total = x[total > 0], counts[total > 0], total[total > 0]
    bottom = np.zeros(x.size)
    for place, kind in enumerate(kinds, start=1):
        share = counts[:, place] / total
        axes.bar(
            x,
            share,
            width,
            bottom=bottom,
            facecolor=tint(colour, _PAINT[kind]),
            edgecolor=INK if kind == "error" else colour,
            hatch=_HATCH[kind],
            linewidth=look.line,
        )
        bottom += share
    low, high = wilson(total - counts[:, 0], total)
    bars = np.maximum([bottom - low, high - bottom], 0)
    axes.errorbar(x, bottom, bars, fmt="none", ecolor=INK, elinewidth=1.2 * look.line)
    return float(high.max(initial=0))


def _kind_handles(kinds: Sequence[str]) -> list[Patch]:
    grey = (0.35, 0.35, 0.35)
    return [
        Patch(
            facecolor=tint(grey, _PAINT[kind]),
            edgecolor=INK if kind == "error" else grey,
            hatch=_HATCH[kind],
            label=KINDS[kind],
        )
        for kind in kinds
    ]
