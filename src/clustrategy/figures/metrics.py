"""Box plots of how well each strategy does."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, LogLocator, NullLocator

from clustrategy.figures.frame import compose, strategy_handles
from clustrategy.figures.grid import further_factors, panel_grid
from clustrategy.figures.intervals import median_interval
from clustrategy.figures.labels import CLUSTERS, OBSERVATIONS, SIGMA, factor_label, strategy_label
from clustrategy.figures.style import Colour, Look

WHISKERS = (5, 95)
WIDTH = 0.84
GAP = 0.15


def metric(
    table: pd.DataFrame,
    column: str,
    title: str,
    ylabel: str,
    *,
    factors: Sequence[str],
    strategies: Sequence[str],
    options: Mapping[str, Any],
) -> Figure:
    """Draw box plots of a metric: a panel for each size of dataset, a box for each strategy.

    Parameters
    ----------
    table
        The scores: factors, sim, strategy and the metrics.
    column
        The metric's column.
    title, ylabel
        What the metric is for, and what it is.
    """
    look = Look.from_options(options)
    colours = look.strategy_colours(strategies)
    grid = panel_grid(
        table, look, rows=[CLUSTERS, *further_factors(factors)], columns=[OBSERVATIONS]
    )
    shown = table[np.isfinite(table[column])]
    for axes, panel in grid.panels(shown):
        if panel.empty:
            axes.text(0.5, 0.5, "no values", transform=axes.transAxes, ha="center", size=look.text)
        else:
            _draw_boxes(axes, panel, column, grid.levels, colours, look)
    scale = _scale(grid.axes[0, 0], look, bool((shown[column] > 0).any()))
    compose(
        grid.figure,
        look,
        panels_height=grid.height,
        title=f"{title}: {ylabel} in each simulation",
        legends=[strategy_handles(strategies, colours)],
        xlabel=factor_label(SIGMA),
        ylabel=f"{ylabel}{scale}",
        caption=_caption(table, shown, factors, strategies),
    )
    return grid.figure


coefficient_recovery = partial(
    metric,
    column="coef_abs_err",
    title="Coefficient recovery",
    ylabel="sum of absolute errors",
)
standard_errors = partial(
    metric, column="se_sum", title="Standard errors", ylabel="sum of standard errors"
)
t_statistics = partial(
    metric, column="t_sum", title="t statistics", ylabel="sum of absolute t statistics"
)


def _draw_boxes(
    axes: Axes,
    panel: pd.DataFrame,
    column: str,
    levels: Sequence[float],
    colours: Mapping[str, Colour],
    look: Look,
) -> None:
    """Draw a panel's boxes, and over them the medians with their intervals."""
    box_width = axes.get_position().width * look.width * WIDTH / len(levels) / len(colours)
    marks: dict[str, Any] = {
        "data": panel,
        "x": SIGMA,
        "y": column,
        "order": levels,
        "hue": "strategy",
        "hue_order": list(colours),
        "legend": False,
        "ax": axes,
    }
    sns.boxplot(
        **marks,
        palette=dict(colours),
        fill=False,
        width=WIDTH,
        gap=GAP,
        whis=WHISKERS,
        showfliers=False,
        showcaps=False,
        linewidth=1.1 * look.line,
        medianprops={"linewidth": 2.4 * look.line},
    )
    sns.pointplot(
        **marks,
        palette=dict(colours),
        estimator="median",
        errorbar=lambda values: median_interval(np.asarray(values)),
        dodge=WIDTH * (1 - 1 / len(colours)) if len(colours) > 1 else False,
        linestyle="none",
        marker="",
        err_kws={
            "linewidth": 72 * (1 - 2 * GAP) * box_width,
            "solid_capstyle": "butt",
            "alpha": 0.4,
            "zorder": 1.9,
        },
    )
    axes.set(xlabel="", ylabel="")


def _scale(axes: Axes, look: Look, positive: bool) -> str:
    """Scale the shared y axis and say how in words for its title."""
    if look.scale == "linear" or not positive:
        axes.set_ylim(bottom=0)
        return ""
    axes.set_yscale("log")
    low, high = axes.get_ylim()
    decades = np.log10(high / low)
    subs = (1, 2, 5) if decades < 1.8 else (1, 3) if decades < 3.2 else (1,)
    axes.yaxis.set_major_locator(LogLocator(subs=subs))
    axes.yaxis.set_minor_locator(NullLocator())
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    return " (log scale)"


def _caption(
    table: pd.DataFrame, shown: pd.DataFrame, factors: Sequence[str], strategies: Sequence[str]
) -> str:
    sims = int(table.groupby([*factors, "strategy"]).size().max())
    missing = table["strategy"].value_counts().sub(shown["strategy"].value_counts(), fill_value=0)
    lost = [f"{strategy_label(name)} {missing[name]:.0f}" for name in strategies if missing[name]]
    absent = (
        f"{len(table) - len(shown):,} of {len(table):,} fits gave no value and are not shown "
        f"({', '.join(lost)})"
        if lost
        else "every fit gave a value"
    )
    return (
        "Boxes: quartiles; whiskers: 5th to 95th percentile, no outliers are drawn; thick line: "
        "median; shaded band: its 95 % order-statistic interval (Monte Carlo error). "
        f"{sims} sims per cell; {absent}."
    )
