"""How many fits are singular or unusable, and how they ended."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import product

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import PercentFormatter

from clustrategy.core.counted import counted, listed
from clustrategy.figures.parts.cells import varied
from clustrategy.figures.parts.frame import compose, nothing, strategy_handles
from clustrategy.figures.parts.grid import Grid, panel_grid
from clustrategy.figures.parts.intervals import wilson
from clustrategy.figures.parts.labels import (
    abbreviations,
    cell_label,
    factor_label,
    quoted_label,
)
from clustrategy.figures.parts.slots import slots
from clustrategy.figures.parts.stacks import Outcome, draw_stacks, outcome_handles
from clustrategy.figures.parts.study import Study
from clustrategy.figures.parts.style import INK, Colour, Look

OUTCOMES = {
    "singular": Outcome("singular", 0.0),
    "not_converged": Outcome("optimiser warning", 0.65, "/////"),
    "error": Outcome("error", 0.0, "xxxxx", dark=True),
    "undefined": Outcome("undefined there", 1.0, "....."),
}
SINGULAR = (
    "Singular: a diagonal element of the random effects' relative Cholesky factor below 1e-4; such "
    "fits are usable."
)


def convergence(fits: pd.DataFrame, *, study: Study) -> Figure:
    """Draw the shares of each cell's fits that are singular or unusable, with Wilson intervals.

    Strategies whose fits are all usable and not singular have no bars; the subtitle names them.
    """
    look = study.look
    fits = fits[fits["strategy"].isin(study.strategies)]
    met = set(fits.loc[fits["status"] != "ok", "strategy"])
    smooth = [quoted_label(name) for name in study.strategies if name not in met]
    subtitle = "Share of fits that are singular or unusable" + (
        f"; never with {listed(smooth)}" if met and smooth else ""
    )
    count = int(fits.groupby([*study.factors, "strategy"]).size().max())
    sims = f"{counted(count, 'sim')} per cell."
    if not met:
        title = f"None of the {len(fits):,} fits is singular or unusable"
        return nothing(look, title, subtitle, sims)
    several = varied(fits, study.factors)
    title = _finding(fits, study.factors, several)
    fits = fits[fits["strategy"].isin(met)]
    outcomes = {name: it for name, it in OUTCOMES.items() if (fits["status"] == name).any()}
    every = look.strategy_colours(study.strategies)
    colours = {name: colour for name, colour in every.items() if name in met}
    grid = panel_grid(fits, study)
    highest = 0.1
    for axes, panel in grid.panels(fits):
        highest = max(highest, _draw_panel(axes, panel, grid, outcomes, colours, look))
    grid.axes[0, 0].set_ylim(0, min(1.05 * highest, 1.02))
    grid.axes[0, 0].yaxis.set_major_formatter(PercentFormatter(1))
    ways = outcome_handles(list(outcomes.values()))
    compose(
        grid.figure,
        look,
        title=title,
        subtitle=subtitle,
        legends=[strategy_handles(list(colours), colours), ways if len(ways) > 1 else []],
        xlabel=factor_label(grid.along),
        caption=(
            "Whiskers: 95 % Wilson interval of the whole bar (Monte Carlo error). "
            f"{SINGULAR if 'singular' in outcomes else ''} {sims} {abbreviations(several)}"
        ),
    )
    return grid.figure


def _finding(fits: pd.DataFrame, factors: Sequence[str], several: Sequence[str]) -> str:
    """Say how many fits are off in all, and with which strategy and where there are most."""
    singular = fits["status"] == "singular"
    unusable = ~fits["status"].isin(["ok", "singular"])
    parts = [
        _share(fits, which, words, factors, several)
        for which, words in ((singular, "singular"), (unusable, "unusable"))
        if which.any()
    ]
    return "; ".join(parts)


def _share(
    fits: pd.DataFrame,
    which: pd.Series,
    words: str,
    factors: Sequence[str],
    several: Sequence[str],
) -> str:
    """Say which share of a strategy's fits are so, of which there are most, and where; and others.

    Strategies that have no such fits do not count.
    """
    shares = which.groupby(fits["strategy"]).mean().sort_values(ascending=False, kind="stable")
    shares = shares[shares > 0]
    name = str(shares.index[0])
    said = f"{100 * shares.iloc[0]:.2g} % of the fits by {quoted_label(name)} are {words}"
    mine = fits["strategy"] == name
    if several:
        cells = which[mine].groupby([fits.loc[mine, factor] for factor in factors]).mean()
        row = cells.rename("share").reset_index().loc[int(cells.argmax())]
        most = "all of them" if row["share"] == 1 else f"up to {100 * row['share']:.3g} %"
        said += f" ({most} with {cell_label(row.to_dict(), several)})"
    if len(shares) == 1:
        return said
    whose = quoted_label(str(shares.index[1]))
    if len(shares) > 2:
        whose = f"{len(shares) - 1} other strategies"
    at_most = "at most " * (len(shares) > 2)
    return f"{said}, {at_most}{100 * shares.iloc[1]:.2g} % of those by {whose}"


def _draw_panel(
    axes: Axes,
    panel: pd.DataFrame,
    grid: Grid,
    outcomes: Mapping[str, Outcome],
    colours: Mapping[str, Colour],
    look: Look,
) -> float:
    """Draw a panel's stacked bars and their intervals, and return the highest end of these."""
    centres, slot = slots(len(grid.levels), len(colours))
    bars = pd.MultiIndex.from_tuples(product(grid.levels, colours))
    found = panel.groupby([grid.along, "strategy", "status"]).size().unstack(fill_value=0)
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
