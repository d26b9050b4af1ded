"""How well each strategy's tests, intervals and standard errors do, cell by cell."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter

from clustrategy.figures.frame import compose, nothing, strategy_inks
from clustrategy.figures.intervals import Z_95
from clustrategy.figures.labels import strategy_label
from clustrategy.figures.marks import (
    CROSS,
    PALE,
    dot,
    draw_beyond,
    draw_marks,
    draw_pale,
    kind_handles,
    outlined,
)
from clustrategy.figures.performance import (
    ALPHA,
    CONFIDENCE,
    SHARES,
    by_kind,
    failures,
    kind_markers,
    null_band,
    of_truth,
    sims,
    with_intervals,
    without_variance,
)
from clustrategy.figures.rates import scale_rates
from clustrategy.figures.strategy_rows import StrategyRows, strategy_rows
from clustrategy.figures.style import BAND, INK, MUTED, Look, tint

SPREAD = 0.36
"""How far apart, in levels, the marks of different kinds of predictors stand."""

INSIDE = 0.85
"""This share of the marks at least is on the axis."""

RATE_ENDS = (0.2, 0.3, 0.5, 1.0)


@dataclass(frozen=True)
class Measure:
    """A performance measure and how it is drawn.

    Attributes
    ----------
    name
        Its name in the performance table.
    title
        The figure's title.
    ylabel
        What it is.
    target
        What it should be, if anything.
    truth
        ``zero`` or ``other``: of which slopes it is drawn; all if empty.
    pale
        A second measure, whose marks are pale.
    legend
        What the first and the second measure are called in the legend.
    instead
        The measure whose mark stands where this one has no value for want of a variance.
    words
        What the caption is to explain.
    """

    name: str
    title: str
    ylabel: str
    target: float | None
    truth: str = ""
    pale: str = ""
    legend: tuple[str, str] = ("", "")
    instead: str = ""
    words: str = ""

    @property
    def is_rate(self) -> bool:
        """Whether it is a share of the fits."""
        return self.name in SHARES


TYPE_I_ERROR = Measure(
    "rejection_rate",
    "Type I error: how often a slope of zero is declared different from zero",
    "rejection rate where the truth is zero (square-root scale)",
    ALPHA,
    truth="zero",
    words="Line: the nominal level; band: where 95 % of the rates of a test that keeps it are.",
)
POWER = Measure(
    "rejection_rate",
    "Power: how often a slope that is not zero is declared different from zero",
    "rejection rate where the truth is not zero",
    None,
    truth="other",
    pale="size_adjusted_power",
    legend=("power", "size-adjusted power"),
    words=(
        "Power counts for something only where the type I error is held; pale marks: power at "
        "the critical value with which the test would keep its level where the truth is zero. "
        "Dotted line: the level."
    ),
)
COVERAGE = Measure(
    "coverage",
    "Coverage: how often the 95 % interval holds the true slope",
    "coverage (square-root scale of what it lacks to 1)",
    CONFIDENCE,
    pale="bias_eliminated_coverage",
    legend=("of the true value", "of the mean estimate (bias-eliminated coverage)"),
    words=(
        "Line: the nominal 95 %; band: where 95 % of the coverages of right intervals are. Where "
        "the pale mark, coverage of the mean estimate, is the higher, bias takes its part."
    ),
)
RELATIVE_ERROR = Measure(
    "relative_error",
    "Standard errors: too small (below zero) or too large",
    "relative error of the model SE",
    0.0,
    words="Average model SE (root mean square) over the empirical SE, less 1.",
)
BIAS = Measure(
    "bias",
    "Bias: mean estimate less the true slope, in standard errors",
    "bias / empirical SE",
    0.0,
    instead="median_bias",
    words=(
        "Mean of the estimates less the true value, in units of the empirical SE (the bias "
        "itself is in the table); line: no bias; band: where 95 % of the marks are of strategies "
        "that have none."
    ),
)


def draw_measure(
    table: pd.DataFrame,
    measure: Measure,
    *,
    factors: Sequence[str],
    strategies: Sequence[str],
    options: Mapping[str, Any],
) -> Figure:
    """Draw a measure: a row for each strategy, a column for each size of datasets.

    Parameters
    ----------
    table
        The performance table.
    measure
        What is drawn.
    options
        Those of the look, the data-generating process as ``dgp``, and the level of the tests as
        ``alpha``.
    """
    look = Look.from_options(options)
    alpha = options.get("alpha", ALPHA)
    if measure.truth == "zero":
        measure = replace(measure, target=alpha)
    table = table[table["strategy"].isin(strategies)]
    chosen = of_truth(table, measure.truth)
    main, pale, instead = (
        _values(chosen, name, measure, factors, options.get("dgp", {}))
        for name in (measure.name, measure.pale, measure.instead)
    )
    spared = without_variance(chosen, measure.name)
    here = [*factors, "strategy"]
    instead = instead.merge(spared[here].drop_duplicates(), on=here)
    shown = pd.concat([main.assign(crossed=False), instead.assign(crossed=True)])
    lost = failures(table, factors, strategies)
    if shown.empty:
        return nothing(look, measure.title, f"{_absence(chosen, measure)} {lost}")

    markers = kind_markers(table, shown, options.get("dgp", {}))
    rows = strategy_rows(table, look, factors=factors, strategies=strategies)
    apart = {kind: SPREAD * (rank - (len(markers) - 1) / 2) for rank, kind in enumerate(markers)}
    shown, pale = (
        placed.assign(x=placed["x"] + placed["kind"].map(apart).astype(float))
        for placed in (rows.placed(shown), rows.placed(pale))
    )
    limits = _scale(rows, shown, measure, look)
    colours = strategy_inks(strategies, look)
    _draw_target(rows, measure, alpha, sims(chosen), look)
    for axes, strategy, cells in rows.rows(pale):
        draw_pale(axes, cells, markers, colours[strategy], limits, look)
    for axes, strategy, cells in rows.rows(shown):
        draw_marks(axes, cells, markers, colours[strategy], limits, look)
        width, words = rows.column_width, _words(measure)
        draw_beyond(axes, cells, colours[strategy], limits, words, width, look)
        _say_none(axes, rows.starts[~np.isin(rows.starts, cells["column"])], width, look)
    compose(
        rows.figure,
        look,
        panels_height=rows.height,
        title=measure.title,
        legends=_legends(markers, not pale.empty, len(instead) > 0, measure, look),
        xlabel=rows.xlabel,
        ylabel=measure.ylabel,
        caption=f"{_caption(chosen, shown, spared, limits, measure, factors, strategies)} {lost}",
    )
    return rows.figure


type_i_error = partial(draw_measure, measure=TYPE_I_ERROR)
power = partial(draw_measure, measure=POWER)
coverage = partial(draw_measure, measure=COVERAGE)
relative_error = partial(draw_measure, measure=RELATIVE_ERROR)
bias = partial(draw_measure, measure=BIAS)


def _values(
    table: pd.DataFrame,
    name: str,
    measure: Measure,
    factors: Sequence[str],
    dgp: Mapping[str, Any],
) -> pd.DataFrame:
    """Return a measure by kind of predictor, with the ends of its 95 % Monte Carlo intervals."""
    values = by_kind(table, name, factors, dgp, by_truth=measure.truth == "other")
    if measure.name == "bias":
        # The Monte Carlo SE of a mean is the empirical SE over √n.
        unit = values["mcse"] * np.sqrt(values["n"])
        values[["value", "mcse"]] = values[["value", "mcse"]].div(unit.where(unit > 0), axis=0)
        values = values.dropna(subset=["value"])
    return with_intervals(values, name)


def _scale(
    rows: StrategyRows, shown: pd.DataFrame, measure: Measure, look: Look
) -> tuple[float, float]:
    """Scale the shared y axis; return between which values marks are drawn where they are."""
    axes = rows.axes[0, 0]
    if measure.target is None:
        axes.set_ylim(-0.03, 1.03)
        axes.set_yticks([0, 0.5, 1])
        axes.yaxis.set_major_formatter(FuncFormatter(lambda rate, _: f"{rate:g}"))
        return 0.0, 1.0
    seen = ["value"] if measure.is_rate else ["low", "high"]
    away = (shown[seen] - measure.target).abs().max(axis=1)
    most = float(away.quantile(INSIDE))
    if measure.is_rate:
        mirrored = measure.target > 0.5
        level = 1 - measure.target if mirrored else measure.target
        end = next(end for end in RATE_ENDS if end >= min(level + most, 1))
        scale_rates(axes, end, level, rows.row_height, look.text, mirrored=mirrored)
        return (1 - end, 1.0) if mirrored else (0.0, end)
    limit = _round_up(most)
    axes.set_ylim(-1.12 * limit, 1.12 * limit)
    axes.set_yticks([-limit, 0, limit])
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: _words(measure)(value)))
    return -limit, limit


def _round_up(value: float) -> float:
    """Return the next of 1, 2, 5, 10, 20, ... times a power of ten."""
    power = 10.0 ** np.floor(np.log10(value)) if value > 0 else 1.0
    return float(next(step * power for step in (1, 2, 5, 10) if step * power >= 0.999 * value))


def _words(measure: Measure) -> Callable[[float], str]:
    """Return how a measure's values are written."""

    def write(value: float) -> str:
        if measure.is_rate:
            return f"{value:.2f}"
        if measure.name == "relative_error":
            return f"{100 * value:+.0f}%".replace("-", "−") if value else "0%"
        return f"{value:+.2g}".replace("-", "−") if value else "0"

    return write


def _draw_target(rows: StrategyRows, measure: Measure, alpha: float, n: int, look: Look) -> None:
    """Draw what the measure should be, and the band of what Monte Carlo error allows."""
    for axes in rows.axes.flat:
        if measure.target is None:
            axes.axhline(alpha, color=MUTED, linewidth=look.line, linestyle=":", zorder=1)
            continue
        axes.axhline(measure.target, color=INK, linewidth=look.line, zorder=1)
        half = Z_95 / max(n, 1) ** 0.5
        band = null_band(n, measure.target) if measure.is_rate else (-half, half)
        if measure.name != "relative_error":
            axes.axhspan(*band, color="#cfcfcf", linewidth=0, zorder=0)


def _say_none(axes: Axes, starts: np.ndarray, width: float, look: Look) -> None:
    """Say so in the columns in which a strategy has no value."""
    for start in starts:
        axes.text(
            start + (width - 1) / 2,
            0.5,
            "none",
            transform=axes.get_xaxis_transform(),
            ha="center",
            va="center",
            bbox={"facecolor": BAND, "linewidth": 0, "pad": look.printed(1)},
            **outlined(look, BAND),
        )


def _legends(
    markers: Mapping[str, str], pale: bool, instead: bool, measure: Measure, look: Look
) -> list[Sequence[Artist]]:
    """The legends: kinds of predictors, and what the marks of other measures are."""
    others: list[Artist] = []
    if pale:
        paint = tint(to_rgb(INK), PALE)
        others = [dot(measure.legend[0], look), dot(measure.legend[1], look, color=paint)]
    if instead:
        words = f"{measure.instead.replace('_', ' ')} (no finite variance)"
        others.append(dot(words, look, marker=CROSS))
    return [kind_handles(markers, look), *([others] if others else [])]


def _absence(table: pd.DataFrame, measure: Measure) -> str:
    """Say why there is nothing to show."""
    if table.empty and measure.truth:
        wanted = {"zero": "is zero", "other": "has one value other than zero"}
        return f"No slope {wanted[measure.truth]} in every sim."
    return f"No strategy has a value of: {measure.name.replace('_', ' ')}."


def _caption(
    table: pd.DataFrame,
    shown: pd.DataFrame,
    spared: pd.DataFrame,
    limits: tuple[float, float],
    measure: Measure,
    factors: Sequence[str],
    strategies: Sequence[str],
) -> str:
    several = (
        "Of alike predictors marks are means, with the largest Monte Carlo error that these can "
        "have."
        if shown["terms"].max() > 1
        else ""
    )
    kept_out = ""
    if len(spared):
        cells = spared.drop_duplicates([*factors, "strategy"])["strategy"].value_counts()
        named = ", ".join(f"{strategy_label(s)} {cells[s]}" for s in strategies if s in cells)
        kept_out = f"Estimates without a finite variance ({named} cells) " + (
            "have a cross, the median bias." if measure.instead else "are left out."
        )
    bars = "Bars: 95 % Monte Carlo intervals" + (" (Wilson)." if measure.is_rate else ".")
    outside = not shown["value"].between(*limits).all()
    beyond = "Arrows: beyond the axis, with the most extreme value." if outside else ""
    parts = [measure.words, bars, beyond, several, kept_out]
    parts += [f"{sims(table):,} sims per cell; slopes alone."]
    return " ".join(part for part in parts if part)
