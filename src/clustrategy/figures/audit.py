"""How far a study's engines are from the reference engines."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import FixedLocator, FuncFormatter, NullLocator

from clustrategy.audit.tolerances import LEAST_SQUARES
from clustrategy.figures.parts.audit_differences import (
    COMPARED,
    ENGINE_AT_FAULT,
    FAILED,
    REFERENCE_AT_FAULT,
    STATSMODELS,
    ComparedNumber,
    differences,
)
from clustrategy.figures.parts.frame import compose, strategy_handles
from clustrategy.figures.parts.labels import CLUSTERS, OBSERVATIONS
from clustrategy.figures.parts.log_differences import FLOOR, power_label
from clustrategy.figures.parts.options import Options
from clustrategy.figures.parts.slots import slots
from clustrategy.figures.parts.style import BAND, INK, MUTED, WRONG, Look, dress, new_figure

MANY = 1000
MARKERS = {"lme4": "o", "lme4_unbounded": "^", "glmm": "D", STATSMODELS: "s"}

Size = tuple[int, int]


def audit(
    table: pd.DataFrame,
    *,
    factors: Sequence[str],
    strategies: Sequence[str],
    options: Options,
) -> Figure:
    """Draw how far engine and references are apart: a panel for each number, a mark for each fit.

    Parameters
    ----------
    table : DataFrame
        The audit.
    factors, strategies : sequence of str
        The study's factors, and its strategies in order.
    options : Options
        The settings of the look.
    """
    look = Look.from_options(options)
    away = differences(table, factors)
    names = [name for name in strategies if (away["strategy"] == name).any()] or list(strategies)
    colours = look.strategy_colours(strategies)
    sizes = sorted(set(zip(away[CLUSTERS], away[OBSERVATIONS], strict=True)))
    away["x"] = _places(away, sizes, names)
    away["colour"] = away["strategy"].map(colours)

    numbers = [number for number in COMPARED if away[number.name].notna().any()]
    height = 0.15 * look.width * max(len(numbers), 2)
    figure = new_figure(look, height)
    panels = figure.subplots(max(len(numbers), 1), 1, sharex=True, sharey=True, squeeze=False)
    for axes, number in zip(panels[:, 0], numbers, strict=False):
        axes.set_title(number.title, loc="left", fontsize=look.text, color=INK)
        _draw_bounds(axes, number, away, look)
        _draw_marks(axes, number, away, look)
    for axes in panels[:, 0]:
        _frame(axes, sizes, away, look)
    if not numbers:
        words = {"ha": "center", "size": look.text}
        panels[0, 0].text(0.5, 0.5, "no values", transform=panels[0, 0].transAxes, **words)
    compose(
        figure,
        look,
        panels_height=height,
        title="Audit: how far the study's engines are from the reference engines",
        subtitle="Differences in each number between a fit and the same fit by a reference engine",
        legends=[strategy_handles(names, colours), _mark_handles(away, look)],
        xlabel="clusters × observations per cluster",
        caption=_caption(away, factors),
    )
    return figure


def _places(away: pd.DataFrame, sizes: Sequence[Size], names: Sequence[str]) -> np.ndarray:
    """Return the x position of each mark, side by side at its size and strategy."""
    centres, width = slots(len(sizes), len(names))
    groups = away.groupby([CLUSTERS, OBSERVATIONS, "strategy"])["sim"]
    inside = (groups.cumcount() + 0.5) / groups.transform("size") - 0.5
    rows = [sizes.index(size) for size in zip(away[CLUSTERS], away[OBSERVATIONS], strict=True)]
    return centres[rows, [names.index(name) for name in away["strategy"]]] + 0.8 * width * inside


def _frame(axes: Axes, sizes: Sequence[Size], away: pd.DataFrame, look: Look) -> None:
    """Give a panel its scale and the names of the sizes."""
    dress(axes, look)
    columns = [*(number.name for number in COMPARED), "reference_criterion"]
    top = int(np.ceil(np.log10(np.fmax.reduce(away[columns], axis=None, initial=1.0)))) + 1
    axes.set_yscale("log")
    axes.set_ylim(FLOOR / 10, 10.0**top)
    axes.yaxis.set_major_locator(FixedLocator([FLOOR, *10.0 ** np.arange(-12, top, 4)]))
    axes.yaxis.set_minor_locator(NullLocator())
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: power_label(value)))
    labels = [f"{clusters}×{rows}" for clusters, rows in sizes]
    crowded = (
        len(labels) * (max(map(len, labels), default=0) + 1) * 0.64 * look.text > 64 * look.width
    )
    axes.set_xlim(-0.5, max(len(labels), 1) - 0.5)
    axes.set_xticks(range(len(labels)), labels)
    axes.tick_params(axis="x", length=0, rotation=90 if crowded else 0)
    for place in range(0, len(labels), 2):
        axes.axvspan(place - 0.5, place + 0.5, color=BAND, linewidth=0, zorder=-1)


def _draw_bounds(axes: Axes, number: ComparedNumber, away: pd.DataFrame, look: Look) -> None:
    """Draw and label what is allowed, for mixed models and for least squares."""
    mixed = away["reference"] != STATSMODELS
    bounds = {"--": number.bound} if mixed.any() and np.isfinite(number.bound) else {}
    if away.loc[~mixed, number.name].notna().any():
        bounds[":"] = LEAST_SQUARES
    for dash, bound in bounds.items():
        axes.axhline(bound, color=MUTED, linewidth=1.5 * look.line, linestyle=dash, zorder=1)
        axes.annotate(
            power_label(bound),
            (1, bound),
            (3, 0),
            xycoords=axes.get_yaxis_transform(),
            textcoords="offset points",
            size=look.text,
            color=MUTED,
            va="center",
        )


def _draw_marks(axes: Axes, number: ComparedNumber, away: pd.DataFrame, look: Look) -> None:
    """Draw the fits in colour, and with marks of their own where reference or engine is off."""
    faulty = away["verdict"].isin(number.faults)
    wrong = away["verdict"].isin(ENGINE_AT_FAULT)
    y = away[number.name]
    if number.name == "criterion":
        y = y.where(~faulty, away["reference_criterion"])
    shown = away.assign(y=y.clip(lower=FLOOR))
    many = len(away) > MANY
    area = look.printed(1.6 if many else 2.8) ** 2
    for reference, marker in MARKERS.items():
        mine = away["reference"] == reference
        right, apart = shown[mine & ~(faulty | wrong)], shown[mine & faulty]
        axes.scatter(
            "x",
            "y",
            data=right,
            s=area,
            color=list(right["colour"]),
            marker=marker,
            alpha=0.5 if many else 0.8,
            linewidth=0,
            zorder=3,
        )
        axes.scatter(
            "x",
            "y",
            data=apart,
            s=1.5 * area,
            facecolor="none",
            edgecolor=MUTED,
            marker=marker,
            linewidth=look.line,
            zorder=2,
        )
    axes.scatter(
        "x",
        "y",
        data=shown[wrong],
        s=4 * area,
        color=WRONG,
        marker="x",
        linewidth=2 * look.line,
        zorder=4,
    )


def _mark_handles(away: pd.DataFrame, look: Look) -> list[Artist]:
    """Return a legend's entries for the marks, with counts of what is off."""
    marks: dict[str, dict[str, Any]] = {
        reference: {"marker": marker, "color": INK}
        for reference, marker in MARKERS.items()
        if (away["reference"] == reference).any()
    }
    faulty = away["verdict"].isin(REFERENCE_AT_FAULT).sum()
    wrong = away["verdict"].isin(ENGINE_AT_FAULT).sum()
    apart = {"marker": "o", "color": MUTED, "markerfacecolor": "none"}
    marks[f"reference off: {faulty:,}"] = apart
    marks[f"engine off: {wrong:,}"] = {"marker": "x", "color": WRONG}
    size = look.printed(4)
    return [
        Line2D([], [], linestyle="none", markersize=size, label=label, **mark)
        for label, mark in marks.items()
    ]


def _caption(away: pd.DataFrame, factors: Sequence[str]) -> str:
    counts = away["verdict"].value_counts()
    faults = [
        f"{words} {counts[verdict]:,}"
        for verdict, words in REFERENCE_AT_FAULT.items()
        if verdict in counts
    ]
    failed = [f"{words} {counts[name]:,}" for name, words in FAILED.items() if name in counts]
    parts = [
        f"{len(away):,} comparisons of a fit with one by a reference engine, on "
        f"{away.groupby([*factors, 'sim']).ngroups:,} datasets; each mark is the largest "
        "difference of a fit's coefficients. Lines: what is allowed, dotted for least squares."
    ]
    if faults:
        parts.append(f"Reference off: {', '.join(faults)}.")
    if failed:
        parts.append(f"No numbers from: {', '.join(failed)}.")
    return " ".join(parts)
