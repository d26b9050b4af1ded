"""How the strategies compare in any one measure: the lollipop plot.

After the R package rsimsum: A. Gasparini (2018), Journal of Open Source Software 3(26):739.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import FuncFormatter, MaxNLocator

from clustrategy.core.inference import CONFIDENCE
from clustrategy.figures.parts.frame import compose, nothing, strategy_inks, wrap
from clustrategy.figures.parts.grid import Grid, panel_grid
from clustrategy.figures.parts.kind_markers import dot, face, kind_handles, kind_markers
from clustrategy.figures.parts.labels import CLUSTERS, OBSERVATIONS, SIGMA, strategy_label
from clustrategy.figures.parts.options import Options
from clustrategy.figures.parts.performance import (
    by_kind,
    of_truth,
    sims,
    unusable_fits,
    with_intervals,
)
from clustrategy.figures.parts.style import INK, Colour, Look, outlined, tint

MEASURES: Mapping[str, tuple[str, float | None]] = {
    "bias": ("bias", 0.0),
    "relative_bias": ("relative bias", 0.0),
    "median_bias": ("median bias", 0.0),
    "empirical_se": ("empirical SE", None),
    "robust_se": ("robust SE: interquartile range / 1.349", None),
    "mse": ("mean squared error", None),
    "rmse": ("root mean squared error", None),
    "model_se": ("model SE", None),
    "relative_error": ("relative error of the model SE", 0.0),
    "variance_ratio": ("model variance / empirical variance", 1.0),
    "variance_df": ("effective degrees of freedom of the model variance", None),
    "coverage": ("coverage of 95 % intervals", CONFIDENCE),
    "bias_eliminated_coverage": ("bias-eliminated coverage", CONFIDENCE),
    "rejection_rate": ("type I error", None),
    "size_adjusted_power": ("size-adjusted power", None),
    "interval_width": ("interval width", None),
    "interval_score": ("interval score", None),
    "relative_precision": ("relative precision", 0.0),
    "unusable_rate": ("share of unusable fits", None),
}
"""The names of the measures for readers, and the value that each should have, if any.

The type I error should be the level of the tests, which the study sets.
"""

DEFAULT = "coverage"
LEVEL = "#9a9a9a"
SPREAD = 0.3
"""Distance between the sticks of different kinds of predictors, in strategies."""

INSIDE = 0.85
"""At least this share of the means is on the axis with its interval."""

NAMES = 1.7
"""Inches for a strategy's name, on a printed page."""


def lollipop(
    table: pd.DataFrame,
    *,
    factors: Sequence[str],
    strategies: Sequence[str],
    options: Options,
) -> Figure:
    """Draw a stick from target to measure for each strategy, a panel for each size of datasets.

    Parameters
    ----------
    table : DataFrame
        The performance table.
    factors, strategies : sequence of str
        The study's factors, and its strategies in order.
    options : Options
        The settings of the look, `dgp`, `lollipop` and, for type I errors, `alpha`.
    """
    look = Look.from_options(options)
    measure = options.get("lollipop", DEFAULT)
    name, target = MEASURES[measure]
    if measure == "rejection_rate":
        target = options["alpha"]
    table = table[table["strategy"].isin(strategies)]
    chosen = of_truth(table, "zero") if measure == "rejection_rate" else table
    values = by_kind(chosen, measure, factors, options.get("dgp", {}))
    levels = table[SIGMA].nunique()
    pooled = ", mean over the between-cluster sigmas" if levels > 1 else ""
    title = f"By strategy: {name}{pooled}"
    if values.empty:
        return nothing(look, f"No strategy has a value of: {name}.", title)

    names = [wrap(strategy_label(s), look.printed(NAMES), look.text) for s in strategies]
    markers = kind_markers(table, values, options.get("dgp", {}))
    wrapped = any("\n" in name for name in names)
    pitch = look.printed(0.27 if wrapped else 0.2 if len(markers) > 2 else 0.165)
    height = max(pitch * (len(strategies) + 1), look.printed(0.7))
    grid = panel_grid(
        table,
        look,
        factors=factors,
        by_sigma=False,
        panel_heights=(height, height),
        names=max(len(line) for name in names for line in name.split("\n")) * 0.0075 * look.text,
    )
    ranks = values["kind"].map({kind: rank for rank, kind in enumerate(markers)})
    values["y"] = [strategies.index(name) for name in values["strategy"]] + SPREAD * (
        ranks - (len(markers) - 1) / 2
    )
    means = with_intervals(_means(values, factors, levels), measure)
    low, high = _limits(means if len(means) else with_intervals(values, measure), target)
    colours = strategy_inks(strategies, look)
    _frame(grid, names, (low, high), target, look)
    for axes, panel in grid.panels(values if levels > 1 else values[:0]):
        dots: dict[str, Any] = {
            "s": look.printed(1.5) ** 2,
            "color": LEVEL,
            "linewidth": 0,
            "zorder": 2.5,
        }
        axes.scatter("x", "y", data=panel.rename(columns={"value": "x"}), **dots)
    for axes, panel in grid.panels(means):
        for strategy in strategies:
            mine = panel[panel["strategy"] == strategy]
            start = low if target is None else target
            _draw_sticks(axes, mine, markers, start, (low, high), colours[strategy], look)
    compose(
        grid.figure,
        look,
        panels_height=grid.height,
        title=title,
        subtitle=name,
        legends=[_handles(markers, levels, look)],
        xlabel=name,
        caption=_caption(table, values, means, (low, high), target, factors, strategies),
    )
    return grid.figure


def _handles(markers: Mapping[str, str], levels: int, look: Look) -> list[Line2D]:
    """Return a legend's entries: the kinds of predictors, and single levels of sigma."""
    single = dot("one level of sigma", look, color=LEVEL, markersize=look.printed(2))
    return [*kind_handles(markers, look), *([single] if levels > 1 else [])]


def _means(values: pd.DataFrame, factors: Sequence[str], levels: int) -> pd.DataFrame:
    """Average over the levels of sigma, where there is a value at each of them.

    The cells are independent, so that the squares of their Monte Carlo SEs add up.
    """
    by = [*(factor for factor in factors if factor != SIGMA), "strategy", "kind", "y"]
    squares = values.assign(square=values["mcse"] ** 2)
    means = squares.groupby(by, as_index=False, sort=False).agg(
        value=("value", "mean"), square=("square", "sum"), n=("n", "sum"), levels=(SIGMA, "nunique")
    )
    means = means[means["levels"] == levels]
    return means.assign(mcse=np.sqrt(means["square"]) / means["levels"])


def _limits(values: pd.DataFrame, target: float | None) -> tuple[float, float]:
    """Return the ends of the axis, between which are most values with their intervals.

    The axis is symmetric about the target, as far as values are possible; without a target it
    begins at 0.
    """
    low, high = values["low"], values["high"]
    if target is None:
        return min(0.0, float(low.min())), float(high.quantile(0.97) or 1.0)
    away = (values[["low", "high"]] - target).abs().max(axis=1)
    reach = 1.1 * float(away.quantile(INSIDE))
    if 0 < target < 1:
        return max(target - max(reach, 0.06), 0.0), min(target + max(reach, 0.06), 1.0)
    return target - (reach or 1.0), target + (reach or 1.0)


def _frame(
    grid: Grid,
    names: Sequence[str],
    limits: tuple[float, float],
    target: float | None,
    look: Look,
) -> None:
    """Give the panels their axes: the strategies from above, the target as a line."""
    low, high = limits
    first = grid.axes[0, 0]
    first.set_xlim(low - 0.04 * (high - low), high + 0.04 * (high - low))
    first.set_ylim(len(names) - 0.4, -0.6)
    first.set_yticks(range(len(names)), names)
    first.xaxis.set_major_locator(MaxNLocator(4, steps=[1, 2, 5, 10]))
    first.xaxis.set_major_formatter(FuncFormatter(lambda x, _: f"{x:g}".replace("-", "−")))
    for axes in grid.axes.flat:
        axes.tick_params(axis="y", length=0)
        axes.grid(visible=False)
        axes.grid(axis="x", color="#dddddd", linewidth=look.line)
        if target is not None:
            axes.axvline(target, color=INK, linewidth=look.line, zorder=1)


def _draw_sticks(
    axes: Axes,
    means: pd.DataFrame,
    markers: Mapping[str, str],
    start: float,
    limits: tuple[float, float],
    colour: Colour,
    look: Look,
) -> None:
    """Draw a strategy's sticks, means and intervals; arrows for means beyond the limits."""
    value, y, kinds = (means[name].to_numpy() for name in ("value", "y", "kind"))
    shown = np.clip(value, *limits)
    sticks = [[(start, height), (end, height)] for end, height in zip(shown, y, strict=True)]
    axes.add_collection(
        LineCollection(sticks, colors=[tint(colour, 0.5)], linewidths=1.6 * look.line, zorder=2)
    )
    within = (value >= limits[0]) & (value <= limits[1])
    ends = means[["low", "high"]].to_numpy()
    bars = [
        [(left, height), (right, height)]
        for (left, right), height in zip(ends[within], y[within], strict=True)
    ]
    axes.add_collection(LineCollection(bars, colors=[INK], linewidths=1.4 * look.line, zorder=4))
    for kind, marker in markers.items():
        here = within & (kinds == kind)
        axes.scatter(
            value[here],
            y[here],
            s=look.printed(3) ** 2,
            facecolor=[face(marker, colour)],
            edgecolor=[colour],
            linewidth=1.1 * look.line,
            marker=marker,
            zorder=3,
        )
    for side, end in enumerate(limits):
        beyond = value > end if side else value < end
        if not beyond.any():
            continue
        axes.scatter(
            np.full(beyond.sum(), end),
            y[beyond],
            s=look.printed(3.2) ** 2,
            color=[colour],
            linewidth=0,
            marker=">" if side else "<",
            zorder=3,
        )
        axes.annotate(
            ", ".join(f"{x:.2f}".replace("-", "−") for x in value[beyond]),
            (end, y[beyond].mean()),
            (look.printed(-4 if side else 4), 0),
            textcoords="offset points",
            ha="right" if side else "left",
            va="center",
            **outlined(look, "white"),
        )


def _caption(
    table: pd.DataFrame,
    values: pd.DataFrame,
    means: pd.DataFrame,
    limits: tuple[float, float],
    target: float | None,
    factors: Sequence[str],
    strategies: Sequence[str],
) -> str:
    if table[SIGMA].nunique() > 1:
        mark = "Mark: mean over the levels of the between-cluster sigma"
        dots, lost = "; grey dots: single levels", "; grey dots there are not shown"
    else:
        mark, dots, lost = "Mark: the value", "", ""
    partly = values.groupby(["strategy", CLUSTERS, OBSERVATIONS]).ngroups
    whole = means.groupby(["strategy", CLUSTERS, OBSERVATIONS]).ngroups
    parts = [
        f"{mark}, with its 95 % Monte Carlo interval (black){dots}.",
        "" if target is None else f"Vertical line and start of the sticks: {target:g}.",
        ""
        if means["value"].between(*limits).all()
        else f"Arrows: beyond the axis, with the value{lost}.",
        "Without a stick: no value at some of the levels." if whole < partly else "",
        "Of alike predictors values are means." if values["terms"].max() > 1 else "",
        f"{sims(table):,} sims per cell; slopes alone.",
        unusable_fits(table, factors, strategies),
    ]
    return " ".join(part for part in parts if part)
