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
from matplotlib.lines import Line2D

from clustrategy.core.counted import counted
from clustrategy.core.inference import CONFIDENCE
from clustrategy.figures.parts.cells import (
    further_factors,
    spreads,
    varied,
    worst_and_best,
    worst_values,
)
from clustrategy.figures.parts.frame import compose, nothing, wrap
from clustrategy.figures.parts.intervals import null_band
from clustrategy.figures.parts.labels import (
    CLUSTERS,
    OBSERVATIONS,
    abbreviations,
    factor_label,
    percent,
    strategy_label,
    value_label,
)
from clustrategy.figures.parts.performance import by_kind, of_zero, sims, unusable_fits
from clustrategy.figures.parts.scales import stretch
from clustrategy.figures.parts.study import Study
from clustrategy.figures.parts.style import GOOD, INK, MUTED, WRONG, Look, dress, new_figure, note

NAMES = 1.1  # inches for the names of the factors at the right, on a printed page
MANY_KINDS = 4
TYPE_I = "type I error"


def nested_loop(table: pd.DataFrame, *, study: Study) -> Figure:
    """Draw the type I error of all cells or, where no slope is zero, the coverage."""
    look = study.look
    table = table[table["strategy"].isin(study.strategies)]
    rates, what, target = by_kind(of_zero(table), "rejection_rate", study), TYPE_I, study.alpha
    if rates.empty:
        rates, what, target = by_kind(table, "coverage", study), "coverage", CONFIDENCE
    if rates.empty:
        return nothing(look, "No strategy has a coverage", "Nested-loop plot of all cells")

    further = further_factors(table, study.factors)
    order = [*further, CLUSTERS, OBSERVATIONS, *spreads(study.factors)]
    cells = table[order].drop_duplicates().sort_values(order, ignore_index=True)
    rates = rates.merge(cells.assign(cell=cells.index), on=order)
    kinds = list(dict.fromkeys(rates["kind"]))
    several = varied(cells, order)
    panel = look.printed(2.4 if len(kinds) == 1 else 1.9 if len(kinds) < MANY_KINDS else 1.2)
    steps = [look.printed(max(0.34, 0.16 * len(_named(cells[factor])))) for factor in several]
    heights = [panel] * len(kinds) + steps
    figure = new_figure(look, sum(heights) + look.printed(0.22) * len(kinds))
    panels = figure.subplots(len(heights), 1, sharex=True, squeeze=False, height_ratios=heights)
    worst = worst_values(rates.assign(away=rates["value"] if what == TYPE_I else -rates["value"]))
    shown = [worst["strategy"].iloc[0], *worst["strategy"].iloc[1:][-1:]]
    grey: dict[str, Any] = {"color": "#9a9a9a", "linewidth": 0.9 * look.line, "zorder": 2}
    lines = dict.fromkeys(study.strategies, grey)
    for strategy, colour, place in zip(shown, (WRONG, GOOD), (3, 4), strict=False):
        lines[strategy] = {"color": colour, "linewidth": 2.2 * look.line, "zorder": place}
    for axes, kind in zip(panels[:, 0], kinds, strict=False):
        dress(axes, look)
        axes.sharey(panels[0, 0])
        axes.axhspan(*null_band(sims(table), target), color="#e4e4e4", linewidth=0, zorder=0)
        axes.axhline(target, color=INK, linewidth=look.line, zorder=1)
        axes.set_title(kind, fontsize=look.text, color=INK, loc="left")
        for strategy, style in lines.items():
            mine = rates[(rates["kind"] == kind) & (rates["strategy"] == strategy)]
            if len(mine):
                values = np.full(len(cells), np.nan)
                values[mine["cell"]] = mine["value"]
                axes.stairs(values, baseline=None, **style)
    ends = rates["value"].min(), rates["value"].max()
    near: dict[str, Any] = {"target": target, "unit": 0.02, "within": (0, 1)}
    apart = 1.3 * look.text / 72 / panel
    stretch(panels[0, 0], "y", ends, apart=apart, write=percent, **near)
    for axes, factor in zip(panels[len(kinds) :, 0], several, strict=True):
        _draw_factor(axes, cells[factor], factor, look)
    panels[0, 0].set_xlim(0, len(cells))
    for axes in panels[:, 0]:
        axes.tick_params(axis="x", bottom=False, labelbottom=False)
    compose(
        figure,
        look,
        title=_finding(worst, what, several),
        subtitle=f"Nested-loop plot of all cells: {what}",
        legends=[_handles(lines, shown)],
        xlabel=counted(len(cells), "cell"),
        ylabel=f"{what} (stretched near {100 * target:g} %)",
        caption=_caption(table, rates, what, several, study),
    )
    return figure


def _handles(lines: Mapping[str, Mapping[str, Any]], ends: Sequence[str]) -> list[Line2D]:
    """Return a legend's entries: the worst, the best, and all others as one."""
    which = zip(ends, ("worst", "best"), strict=False)
    named = {name: f"{word}: {strategy_label(name)}" for name, word in which}
    others = [name for name in lines if name not in ends]
    if others:
        named[others[0]] = counted(len(others), "other")
    return [Line2D([], [], label=label, **lines[name]) for name, label in named.items()]


def _finding(worst: pd.DataFrame, what: str, several: Sequence[str]) -> str:
    """Say which strategy has the worst cell, which it is, and whose worst cell is the best."""
    extreme = "up" if what == TYPE_I else "down"
    return worst_and_best(
        worst,
        lambda row: (
            f"The {what} of {row['who']} goes {extreme} to {percent(row['value'])}{row['cell']}"
        ),
        lambda row: f"that of {row['who']} {percent(row['value'])} at worst",
        several,
    )


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
    name = wrap(factor_label(factor), look.printed(NAMES), look.text)
    note(axes, name, (1, 0.5), (6, 0), size=look.text, va="center")


def _caption(
    table: pd.DataFrame, rates: pd.DataFrame, what: str, several: Sequence[str], study: Study
) -> str:
    tests = what == TYPE_I
    target = study.alpha if tests else CONFIDENCE
    alike = "Of alike predictors lines are means. " if rates["terms"].max() > 1 else ""
    instead = "" if tests else "No slope is zero in every sim, so that coverage is shown. "
    return (
        f"{instead}Each step is a cell, each grey line a strategy; the grey steps below tell the "
        f"cell's factors, of which the last runs fastest. Line: the nominal {target:g}; "
        f"band: where 95 % of the rates of a strategy that keeps it are. {alike}"
        f"{counted(sims(table), 'sim')} per cell; slopes alone. "
        f"{abbreviations(several)} {unusable_fits(table, study)}"
    )
