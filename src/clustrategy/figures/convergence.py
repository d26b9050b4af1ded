"""How many fits are singular or unusable, and how they ended."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import product

import numpy as np
import pandas as pd
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import PercentFormatter

from clustrategy.figures.parts import lme4_band
from clustrategy.figures.parts.frame import compose, strategy_handles
from clustrategy.figures.parts.grid import panel_grid
from clustrategy.figures.parts.intervals import wilson
from clustrategy.figures.parts.labels import SIGMA, factor_label
from clustrategy.figures.parts.options import Options
from clustrategy.figures.parts.slots import slots
from clustrategy.figures.parts.stacks import Outcome, draw_stacks, outcome_handles
from clustrategy.figures.parts.style import INK, Colour, Look

OUTCOMES = {
    "singular": Outcome("singular", 0.0),
    "not_converged": Outcome("optimiser warning", 0.65, "/////"),
    "error": Outcome("error", 0.0, "xxxxx", dark=True),
    "undefined": Outcome("undefined there", 1.0, "....."),
}


def convergence(
    fits: pd.DataFrame,
    audit: pd.DataFrame | None = None,
    *,
    factors: Sequence[str],
    strategies: Sequence[str],
    options: Options,
) -> Figure:
    """Draw the shares of each cell's fits that are singular or unusable, with Wilson intervals.

    Parameters
    ----------
    fits : DataFrame
        The fits.
    audit : DataFrame, optional
        The audit, whose fits by lme4 have a band of panels below the others.
    factors, strategies : sequence of str
        The study's factors, and its strategies in order.
    options : Options
        The settings of the look.
    """
    look = Look.from_options(options)
    colours = look.strategy_colours(strategies)
    outcomes = {
        name: outcome
        for name, outcome in OUTCOMES.items()
        if name != "undefined" or (fits["status"] == name).any()
    }
    by_lme4 = None if audit is None else lme4_band.outcomes(audit, factors)
    names = () if by_lme4 is None else by_lme4["strategy"].unique()
    audited = {name: colour for name, colour in colours.items() if name in names}
    grid = panel_grid(fits, look, factors=factors, band=len(audited))
    highest = 0.1
    for axes, panel in grid.panels(fits):
        highest = max(highest, _draw_panel(axes, panel, grid.levels, outcomes, colours, look))
    grid.axes[0, 0].set_ylim(0, min(1.05 * highest, 1.02))
    grid.axes[0, 0].yaxis.set_major_formatter(PercentFormatter(1))
    legends: list[Sequence[Artist]] = [
        strategy_handles(strategies, colours),
        outcome_handles(list(outcomes.values())),
    ]
    caption = [
        "Whiskers: 95 % Wilson interval of the whole bar (Monte Carlo error). "
        "Singular: a diagonal element of the random effects' relative Cholesky factor below "
        "1e-4; such fits are usable, the other kinds are not. "
        f"{int(fits.groupby([*factors, 'strategy']).size().max())} sims per cell."
    ]
    if by_lme4 is not None:
        if audited:
            lme4_band.draw(grid, by_lme4, audited, look)
            legends.append(lme4_band.handles(look))
        caption.append(lme4_band.caption(by_lme4))
    compose(
        grid.figure,
        look,
        panels_height=grid.height,
        title="Convergence: share of fits that are singular or unusable",
        subtitle="Share of fits that are singular or unusable, by strategy and cell",
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
    outcomes: Mapping[str, Outcome],
    colours: Mapping[str, Colour],
    look: Look,
) -> float:
    """Draw a panel's stacked bars and their intervals, and return the highest end of these."""
    centres, slot = slots(len(levels), len(colours))
    bars = pd.MultiIndex.from_tuples(product(levels, colours))
    found = panel.groupby([SIGMA, "strategy", "status"]).size().unstack(fill_value=0)
    counts = found.reindex(bars, columns=["ok", *outcomes], fill_value=0).to_numpy(float)
    total = counts.sum(axis=1)
    there = total > 0
    x, counts, total = centres.ravel()[there], counts[there], total[there]
    paint = [colours[name] for _, name in bars[there]]
    shares = counts[:, 1:] / total[:, None]
    draw_stacks(axes, x, 0.84 * slot, shares, list(outcomes.values()), paint, look)
    height = shares.sum(axis=1)
    low, high = wilson(total - counts[:, 0], total)
    ends = np.maximum([height - low, high - height], 0)
    axes.errorbar(x, height, ends, fmt="none", ecolor=INK, elinewidth=1.2 * look.line)
    return float(high.max(initial=0))
