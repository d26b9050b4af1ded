"""Where in the grid a strategy goes wrong, all cells side by side: the nested-loop plot.

Ruecker, G. and Schwarzer, G. (2014): Presenting simulation results in a nested loop plot. BMC
Medical Research Methodology 14:129.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from clustrategy.core.counted import counted
from clustrategy.core.inference import CONFIDENCE
from clustrategy.figures.parts.factors import further_factors
from clustrategy.figures.parts.frame import compose, line_handles, nothing, strategy_lines, wrap
from clustrategy.figures.parts.intervals import null_band
from clustrategy.figures.parts.labels import (
    CLUSTERS,
    OBSERVATIONS,
    SIGMA,
    factor_label,
    value_label,
)
from clustrategy.figures.parts.options import Options
from clustrategy.figures.parts.performance import by_kind, of_truth, sims, unusable_fits
from clustrategy.figures.parts.rates import scale_rates
from clustrategy.figures.parts.style import INK, MUTED, Look, dress, new_figure

NAMES = 1.1
"""Inches for the names of the factors at the right, on a printed page."""


def nested_loop(
    table: pd.DataFrame,
    *,
    factors: Sequence[str],
    strategies: Sequence[str],
    options: Options,
) -> Figure:
    """Draw the type I error of all cells or, where no slope is zero, the coverage.

    Parameters
    ----------
    table : DataFrame
        The performance table.
    factors, strategies : sequence of str
        The study's factors, and its strategies in order.
    options : Options
        The settings of the look, `dgp` and `alpha`.
    """
    look = Look.from_options(options)
    table = table[table["strategy"].isin(strategies)]
    null = of_truth(table, "zero")
    rates = by_kind(null, "rejection_rate", factors, options.get("dgp", {}))
    tests = not rates.empty
    if not tests:
        rates = by_kind(table, "coverage", factors, options.get("dgp", {}))
    what = "type I error" if tests else "coverage"
    target = options["alpha"] if tests else CONFIDENCE
    title = f"All cells side by side: {what} (nested-loop plot)"
    if rates.empty:
        return nothing(look, "No strategy has a coverage.", title)

    order = [*further_factors(table, factors), CLUSTERS, OBSERVATIONS, SIGMA]
    cells = table[order].drop_duplicates().sort_values(order, ignore_index=True)
    rates = rates.merge(cells.assign(cell=cells.index), on=order)
    kinds = list(dict.fromkeys(rates["kind"]))
    varied = [factor for factor in order if cells[factor].nunique() > 1]
    panel = look.printed(2.4 if len(kinds) == 1 else 1.9)
    steps = [look.printed(max(0.34, 0.16 * len(_named(cells[factor])))) for factor in varied]
    heights = [panel] * len(kinds) + steps
    height = sum(heights) + look.printed(0.22) * len(kinds)
    figure = new_figure(look, height)
    panels = figure.subplots(len(heights), 1, sharex=True, squeeze=False, height_ratios=heights)
    lines = strategy_lines(strategies, look)
    worst = rates["value"].max() if tests else 1 - rates["value"].min()
    for axes, kind in zip(panels[:, 0], kinds, strict=False):
        dress(axes, look)
        level = target if tests else 1 - target
        end = float(np.clip(1.05 * worst, 1.5 * level, 1))
        scale_rates(axes, end, level, panel, look.text, mirrored=not tests)
        axes.axhspan(*null_band(sims(table), target), color="#d9d9d9", linewidth=0, zorder=0)
        axes.axhline(target, color=INK, linewidth=look.line, zorder=1)
        axes.set_title(kind, fontsize=look.text, color=INK, loc="left")
        _draw_rates(axes, rates[rates["kind"] == kind], len(cells), lines)
    for axes, factor in zip(panels[len(kinds) :, 0], varied, strict=True):
        _draw_factor(axes, cells[factor], factor, look)
    panels[0, 0].set_xlim(0, len(cells))
    for axes in panels[:, 0]:
        axes.tick_params(axis="x", bottom=False, labelbottom=False)
    compose(
        figure,
        look,
        panels_height=height,
        title=title,
        subtitle=what,
        legends=[line_handles(lines)],
        xlabel=counted(len(cells), "cell"),
        ylabel=f"{'rejection rate where the truth is zero' if tests else what} (square-root scale)",
        caption=_caption(table, rates, tests, target, factors, strategies),
    )
    return figure


def _draw_rates(
    axes: Axes, rates: pd.DataFrame, cells: int, lines: Mapping[str, Mapping[str, Any]]
) -> None:
    """Draw a step line for each strategy, broken where a cell has no value."""
    for strategy, style in lines.items():
        mine = rates[rates["strategy"] == strategy]
        if len(mine):
            steps = np.full(cells, np.nan)
            steps[mine["cell"]] = mine["value"]
            axes.stairs(steps, baseline=None, zorder=2, **style)


def _named(values: pd.Series) -> list[Any]:
    """Return the levels to be named: all texts, but only the least and the largest number."""
    levels = sorted(values.unique())
    return levels if isinstance(levels[0], str) else [levels[0], levels[-1]]


def _draw_factor(axes: Axes, values: pd.Series, factor: str, look: Look) -> None:
    """Draw a factor's levels as a step line."""
    levels = sorted(values.unique())
    ranks = values.map({level: rank for rank, level in enumerate(levels)}).to_numpy()
    dress(axes, look)
    axes.grid(visible=False)
    axes.stairs(ranks, baseline=None, color=MUTED, linewidth=1.4 * look.line)
    axes.set_ylim(-0.35 * len(levels), 1.3 * len(levels) - 0.6)
    named = _named(values)
    axes.set_yticks([levels.index(level) for level in named], [*map(value_label, named)])
    for side in ("left", "bottom"):
        axes.spines[side].set_visible(False)
    axes.tick_params(axis="y", length=0)
    axes.annotate(
        wrap(factor_label(factor), look.printed(NAMES), look.text),
        (1, 0.5),
        (6, 0),
        xycoords="axes fraction",
        textcoords="offset points",
        size=look.text,
        color=INK,
        va="center",
    )


def _caption(
    table: pd.DataFrame,
    rates: pd.DataFrame,
    tests: bool,
    target: float,
    factors: Sequence[str],
    strategies: Sequence[str],
) -> str:
    several = "Of alike predictors lines are means. " if rates["terms"].max() > 1 else ""
    instead = "" if tests else "No slope is zero in every sim, so that coverage is shown. "
    return (
        f"{instead}Each step is a cell; the grey steps below tell its factors, of which the last "
        f"runs fastest. Line: the nominal {target:g}; band: where 95 % of the rates of a strategy "
        f"that keeps it are. {several}{sims(table):,} sims per cell; slopes alone. "
        f"{unusable_fits(table, factors, strategies)}"
    )
