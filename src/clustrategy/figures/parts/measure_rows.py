"""A performance measure with a row for each strategy: what the figures of measures share."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter

from clustrategy.figures.parts.frame import compose, nothing, strategy_inks
from clustrategy.figures.parts.intervals import Z_95, null_band
from clustrategy.figures.parts.kind_markers import dot, kind_handles, kind_markers
from clustrategy.figures.parts.labels import strategy_label
from clustrategy.figures.parts.marks import CROSS, PALE, draw_beyond, draw_marks, draw_pale
from clustrategy.figures.parts.options import Options
from clustrategy.figures.parts.performance import (
    RATES,
    Truth,
    by_kind,
    of_truth,
    sims,
    unusable_fits,
    with_intervals,
    without_variance,
)
from clustrategy.figures.parts.rates import scale_rates
from clustrategy.figures.parts.strategy_rows import StrategyRows, strategy_rows
from clustrategy.figures.parts.style import BAND, INK, MUTED, Look, outlined, tint

SPREAD = 0.36
"""Distance between the marks of different kinds of predictors, in levels."""

INSIDE = 0.85
"""At least this share of the marks is on the axis."""

RATE_ENDS = (0.2, 0.3, 0.5, 1.0)


def signed(value: float) -> str:
    """Write a value with its sign and two significant digits."""
    return f"{value:+.2g}".replace("-", "−") if value else "0"


@dataclass(frozen=True)
class Panels:
    """What the rows show of a measure.

    Attributes
    ----------
    measure : str
        The measure.
    title, ylabel : str
        The title of the figure, and of its y axis.
    target : float or None
        The value that the measure should have, if any.
    caption : str
        What the caption is to explain.
    truth : {"any", "zero", "nonzero"}
        The true value of the slopes that are shown.
    pale : str
        A second measure, whose marks are pale, if any.
    legend : tuple of str
        The names of the first and the second measure in the legend.
    substitute : str
        The measure whose mark stands where estimates have no finite variance, if any.
    standardised : bool
        Whether values are divided by the empirical SE, which their Monte Carlo SEs must tell:
        those are the empirical SE over √n.
    write : callable
        Writes a value that is no rate.
    """

    measure: str
    title: str
    ylabel: str
    target: float | None
    caption: str
    truth: Truth = "any"
    pale: str = ""
    legend: tuple[str, str] = ("", "")
    substitute: str = ""
    standardised: bool = False
    write: Callable[[float], str] = signed

    @property
    def is_rate(self) -> bool:
        """Whether the measure is a share of the fits."""
        return self.measure in RATES

    def written(self, value: float) -> str:
        """Write a value."""
        return f"{value:.2f}" if self.is_rate else self.write(value)


def draw_panels(
    table: pd.DataFrame,
    panels: Panels,
    *,
    factors: Sequence[str],
    strategies: Sequence[str],
    options: Options,
) -> Figure:
    """Draw a measure: a row for each strategy, a column for each size of datasets.

    Parameters
    ----------
    table : DataFrame
        The performance table.
    panels : Panels
        What is drawn.
    factors, strategies : sequence of str
        The study's factors, and its strategies in order.
    options : Options
        The settings of the look, `dgp`, and `alpha` where there is no target.
    """
    look = Look.from_options(options)
    table = table[table["strategy"].isin(strategies)]
    chosen = of_truth(table, panels.truth)
    main, pale, substitute = (
        _values(chosen, name, panels, factors, options.get("dgp", {}))
        for name in (panels.measure, panels.pale, panels.substitute)
    )
    spared = without_variance(chosen, panels.measure)
    here = [*factors, "strategy"]
    substitute = substitute.merge(spared[here].drop_duplicates(), on=here)
    shown = pd.concat([main.assign(crossed=False), substitute.assign(crossed=True)])
    lost = unusable_fits(table, factors, strategies)
    if shown.empty:
        return nothing(look, f"{_absence(chosen, panels)} {lost}", panels.title)

    markers = kind_markers(table, shown, options.get("dgp", {}))
    rows = strategy_rows(table, look, factors=factors, strategies=strategies)
    apart = {kind: SPREAD * (rank - (len(markers) - 1) / 2) for rank, kind in enumerate(markers)}
    shown, pale = (
        placed.assign(x=placed["x"] + placed["kind"].map(apart).astype(float))
        for placed in (rows.placed(shown), rows.placed(pale))
    )
    limits = _scale(rows, shown, panels, look)
    colours = strategy_inks(strategies, look)
    for axes in rows.axes.flat:
        if panels.target is None:
            level = options["alpha"]
            axes.axhline(level, color=MUTED, linewidth=look.line, linestyle=":", zorder=1)
        else:
            _draw_target(axes, panels.target, _band(panels, sims(chosen)), look)
    for axes, strategy, cells in rows.rows(pale):
        draw_pale(axes, cells, markers, colours[strategy], limits, look)
    for axes, strategy, cells in rows.rows(shown):
        draw_marks(axes, cells, markers, colours[strategy], limits, look)
        width = rows.column_width
        draw_beyond(axes, cells, colours[strategy], limits, panels.written, width, look)
        _say_none(axes, rows.starts[~np.isin(rows.starts, cells["column"])], width, look)
    compose(
        rows.figure,
        look,
        panels_height=rows.height,
        title=panels.title,
        subtitle=panels.ylabel,
        legends=_legends(markers, not pale.empty, len(substitute) > 0, panels, look),
        xlabel=rows.xlabel,
        ylabel=panels.ylabel,
        caption=f"{_caption(chosen, shown, spared, limits, panels, factors, strategies)} {lost}",
    )
    return rows.figure


def _values(
    table: pd.DataFrame,
    measure: str,
    panels: Panels,
    factors: Sequence[str],
    dgp: Mapping[str, Any],
) -> pd.DataFrame:
    """Return a measure by kind of predictor, with the ends of its 95 % Monte Carlo intervals."""
    values = by_kind(table, measure, factors, dgp, by_truth=panels.truth == "nonzero")
    if panels.standardised:
        unit = values["mcse"] * np.sqrt(values["n"])
        values[["value", "mcse"]] = values[["value", "mcse"]].div(unit.where(unit > 0), axis=0)
        values = values.dropna(subset=["value"])
    return with_intervals(values, measure)


def _scale(
    rows: StrategyRows, shown: pd.DataFrame, panels: Panels, look: Look
) -> tuple[float, float]:
    """Scale the shared y axis and return the values between which marks are not moved."""
    axes = rows.axes[0, 0]
    if panels.target is None:
        axes.set_ylim(-0.03, 1.03)
        axes.set_yticks([0, 0.5, 1])
        axes.yaxis.set_major_formatter(FuncFormatter(lambda rate, _: f"{rate:g}"))
        return 0.0, 1.0
    seen = ["value"] if panels.is_rate else ["low", "high"]
    away = (shown[seen] - panels.target).abs().max(axis=1)
    most = float(away.quantile(INSIDE))
    if panels.is_rate:
        mirrored = panels.target > 0.5
        level = 1 - panels.target if mirrored else panels.target
        end = next(end for end in RATE_ENDS if end >= min(level + most, 1))
        scale_rates(axes, end, level, rows.row_height, look.text, mirrored=mirrored)
        return (1 - end, 1.0) if mirrored else (0.0, end)
    limit = _round_up(most)
    axes.set_ylim(-1.12 * limit, 1.12 * limit)
    axes.set_yticks([-limit, 0, limit])
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: panels.written(value)))
    return -limit, limit


def _round_up(value: float) -> float:
    """Return the next of 1, 2, 5, 10, 20, ... times a power of ten."""
    power = 10.0 ** np.floor(np.log10(value)) if value > 0 else 1.0
    return float(next(step * power for step in (1, 2, 5, 10) if step * power >= 0.999 * value))


def _band(panels: Panels, n: int) -> tuple[float, float] | None:
    """Return where 95 % of the values found in `n` sims are if the target is true, if known."""
    if panels.is_rate and panels.target is not None:
        return null_band(n, panels.target)
    half = Z_95 / max(n, 1) ** 0.5
    return (-half, half) if panels.standardised else None


def _draw_target(axes: Axes, target: float, band: tuple[float, float] | None, look: Look) -> None:
    """Draw what the measure should be, and the band of what Monte Carlo error allows."""
    axes.axhline(target, color=INK, linewidth=look.line, zorder=1)
    if band is not None:
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
    markers: Mapping[str, str], pale: bool, substitute: bool, panels: Panels, look: Look
) -> list[Sequence[Artist]]:
    """Return the legends: kinds of predictors, and what the marks of other measures are."""
    others: list[Artist] = []
    if pale:
        paint = tint(to_rgb(INK), PALE)
        others = [dot(panels.legend[0], look), dot(panels.legend[1], look, color=paint)]
    if substitute:
        words = f"{panels.substitute.replace('_', ' ')} (no finite variance)"
        others.append(dot(words, look, marker=CROSS))
    return [kind_handles(markers, look), *([others] if others else [])]


def _absence(table: pd.DataFrame, panels: Panels) -> str:
    """Say why there is nothing to show."""
    if table.empty and panels.truth != "any":
        wanted = {"zero": "is zero", "nonzero": "has one value other than zero"}
        return f"No slope {wanted[panels.truth]} in every sim."
    return f"No strategy has a value of: {panels.measure.replace('_', ' ')}."


def _caption(
    table: pd.DataFrame,
    shown: pd.DataFrame,
    spared: pd.DataFrame,
    limits: tuple[float, float],
    panels: Panels,
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
            "have a cross, the median bias." if panels.substitute else "are left out."
        )
    bars = "Bars: 95 % Monte Carlo intervals" + (" (Wilson)." if panels.is_rate else ".")
    outside = not shown["value"].between(*limits).all()
    beyond = "Arrows: beyond the axis, with the most extreme value." if outside else ""
    parts = [panels.caption, bars, beyond, several, kept_out]
    parts += [f"{sims(table):,} sims per cell; slopes alone."]
    return " ".join(part for part in parts if part)
