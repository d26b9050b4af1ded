"""How many fits failed, and how."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import product
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import PercentFormatter

from clustrategy.figures import lme4_band
from clustrategy.figures.frame import compose, strategy_handles
from clustrategy.figures.grid import panel_grid, slots
from clustrategy.figures.intervals import wilson
from clustrategy.figures.labels import SIGMA, factor_label
from clustrategy.figures.stacks import Kind, draw_stacks, kind_handles
from clustrategy.figures.style import INK, Colour, Look

KINDS = {
    "singular": Kind("singular", 0.0),
    "not_converged": Kind("optimiser warning", 0.65, "/////"),
    "error": Kind("error", 0.0, "xxxxx", dark=True),
    "undefined": Kind("undefined there", 1.0, "....."),
}


def convergence(
    table: pd.DataFrame,
    audit: pd.DataFrame | None = None,
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
    audit
        The audit, of which the fits by lme4 make a band of panels below the others.
    """
    look = Look.from_options(options)
    colours = look.strategy_colours(strategies)
    kinds = {
        name: kind
        for name, kind in KINDS.items()
        if name != "undefined" or (table["status"] == name).any()
    }
    verdicts = None if audit is None else lme4_band.outcomes(audit, factors)
    by_lme4 = () if verdicts is None else verdicts["strategy"].unique()
    audited = {name: colour for name, colour in colours.items() if name in by_lme4}
    grid = panel_grid(table, look, factors=factors, band=len(audited))
    highest = 0.1
    for axes, panel in grid.panels(table):
        highest = max(highest, _draw_panel(axes, panel, grid.levels, kinds, colours, look))
    grid.axes[0, 0].set_ylim(0, min(1.05 * highest, 1.02))
    grid.axes[0, 0].yaxis.set_major_formatter(PercentFormatter(1))
    legends: list[Sequence[Artist]] = [
        strategy_handles(strategies, colours),
        kind_handles(list(kinds.values())),
    ]
    caption = [
        "Whiskers: 95 % Wilson interval of the share of all failures (Monte Carlo error). "
        "Singular: a diagonal element of the random effects' relative Cholesky factor below "
        "1e-4; such fits have estimates, which the other figures use. "
        f"{int(table.groupby([*factors, 'strategy']).size().max())} sims per cell."
    ]
    if verdicts is not None:
        if audited:
            lme4_band.draw(grid, verdicts, audited, look)
            legends.append(lme4_band.handles(look))
        caption.append(lme4_band.caption(verdicts))
    compose(
        grid.figure,
        look,
        panels_height=grid.height,
        title="Convergence: share of fits that did not succeed",
        legends=legends,
        xlabel=factor_label(SIGMA),
        ylabel="share of fits",
        caption=" ".join(caption),
    )
    return grid.figure


def _draw_panel(
    axes: Axes,
    panel: pd.DataFrame,
    levels: Sequence[float],
    kinds: Mapping[str, Kind],
    colours: Mapping[str, Colour],
    look: Look,
) -> float:
    """Draw a panel's stacked bars and the intervals of their heights.

    Returns
    -------
    top
        The highest end of an interval.
    """
    centres, slot = slots(len(levels), len(colours))
    bars = pd.MultiIndex.from_tuples(product(levels, colours))
    found = panel.groupby([SIGMA, "strategy", "status"]).size().unstack(fill_value=0)
    counts = found.reindex(bars, columns=["ok", *kinds], fill_value=0).to_numpy(float)
    total = counts.sum(axis=1)
    there = total > 0
    x, counts, total = centres.ravel()[there], counts[there], total[there]
    paint = [colours[name] for _, name in bars[there]]
    shares = counts[:, 1:] / total[:, None]
    draw_stacks(axes, x, 0.84 * slot, shares, list(kinds.values()), paint, look)
    height = shares.sum(axis=1)
    low, high = wilson(total - counts[:, 0], total)
    ends = np.maximum([height - low, high - height], 0)
    axes.errorbar(x, height, ends, fmt="none", ecolor=INK, elinewidth=1.2 * look.line)
    return float(high.max(initial=0))
