"""How far known numbers are from those that the verification studies found."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import MultipleLocator
from scipy.special import ndtri

from clustrategy.figures.parts.frame import compose, dot
from clustrategy.figures.parts.intervals import Z_95
from clustrategy.figures.parts.scales import FLOOR, label_powers
from clustrategy.figures.parts.style import (
    BAND,
    INK,
    MUTED,
    WRONG,
    Colour,
    Look,
    dress,
    name_axes,
    new_figure,
)
from clustrategy.verification.comparison import BAND as APPROXIMATE
from clustrategy.verification.comparison import ROUGH
from clustrategy.verification.judgement import bound

DESIGNS = {
    "between": "arms of clusters",
    "within": "arms in clusters",
    "none": "continuous predictor",
}
SPREAD = 0.78  # share of a row's height that its marks take
NUMBERS = {"estimate": "estimate", "std_error": "SE", "df": "df"}
MARKERS = {"estimate": "o", "std_error": "s", "df": "^"}


def verification(table: pd.DataFrame, options: Mapping[str, Any]) -> Figure:
    """Draw the z scores by statement and in order, the identities and the approximate rates.

    Parameters
    ----------
    table : DataFrame
        What `clustrategy.verification.judgement.judge` returns.
    options : mapping
        The settings of `Look`.
    """
    look = Look.from_options(options)
    design = table["treatment"] if "treatment" in table else pd.Series("none", table.index)
    table = table.assign(design=design.fillna("none"))
    colours = dict(zip(DESIGNS, look.colours(len(DESIGNS)), strict=True))
    scored = table[table["z"].notna()]
    same = table[table["measure"].str.startswith("largest relative difference")]
    rough = table[table["statement"] == ROUGH]

    line = look.text / 72
    heights = [2.4 * line * (scored["statement"].nunique() + 2)]
    if len(same):
        heights.append(2.2 * line * (same["statement"].nunique() + 2))
    height = sum(heights)
    figure = new_figure(look, height)
    grid = figure.add_gridspec(len(heights), 2, height_ratios=heights, width_ratios=[2.1, 1])
    limit = bound(len(scored))
    wrong = int((table["verdict"] == "differs").sum())
    _draw_statements(figure.add_subplot(grid[0, 0]), scored, limit, colours, look)
    _draw_quantiles(figure.add_subplot(grid[0, 1]), scored, limit, look)
    if len(same):
        _draw_identities(figure.add_subplot(grid[1, 0]), same, look)
        if len(rough):
            _draw_rates(figure.add_subplot(grid[1, 1]), rough, colours, look)
    compose(
        figure,
        look,
        title=f"Verification: {wrong:,} of {len(table):,} known numbers differ from those found"
        if wrong
        else f"Verification: {len(table):,} known numbers, and all are found",
        subtitle="Numbers found in simulations less those known in closed form, in Monte Carlo SEs",
        legends=[_handles(bool(wrong), scored, colours, look)],
        caption=_caption(table, scored, limit),
    )
    return figure


def _draw_statements(
    axes: Axes, scored: pd.DataFrame, limit: float, colours: Mapping[str, Colour], look: Look
) -> None:
    """Draw a row of z scores for each statement, in the order of the table."""
    names = list(dict.fromkeys(scored["statement"]))
    end = _end(scored, limit)
    _dress_rows(axes, names, look)
    style: dict[str, Any] = {"alpha": 0.5, "linewidth": 0, "zorder": 3}
    cross: dict[str, Any] = {"marker": "x", "color": WRONG, "linewidth": 2 * look.line, "zorder": 4}
    beside: dict[str, Any] = {"ha": "left", "va": "center", "size": look.text, "color": MUTED}
    for place, name in enumerate(names):
        mine = scored[scored["statement"] == name]
        count = len(mine)
        mine = mine.assign(y=place + SPREAD * ((np.arange(count) + 0.5) / count - 0.5))
        size = 3.0 if count < 20 else 2.4 if count < 200 else 1.7
        axes.text(1.02, place, f"{count:,}", transform=axes.get_yaxis_transform(), **beside)
        wrong = mine["verdict"] == "differs"
        right, off = mine[~wrong], mine[wrong]
        style |= {"color": list(right["design"].map(colours)), "rasterized": count > 200}
        axes.scatter("z", "y", data=right, s=look.printed(size) ** 2, **style)
        axes.scatter("z", "y", data=off, s=look.printed(3) ** 2, **cross)
    axes.axvspan(-Z_95, Z_95, color=BAND, linewidth=0, zorder=-2)
    for side in (-limit, limit):
        axes.axvline(side, color=MUTED, linewidth=1.5 * look.line, linestyle="--", zorder=1)
    axes.axvline(0, color=INK, linewidth=look.line, zorder=1)
    axes.set_xlim(-end, end)
    axes.xaxis.set_major_locator(MultipleLocator(1 if end < 7 else 5))
    name_axes(axes, look, x="z = (found - known) / MCSE")


def _draw_quantiles(axes: Axes, scored: pd.DataFrame, limit: float, look: Look) -> None:
    """Draw the ordered z scores against those of a normal distribution."""
    dress(axes, look)
    z = np.sort(scored["z"].to_numpy())
    normal = ndtri((np.arange(z.size) + 0.5) / z.size)
    end = _end(scored, limit)
    axes.axhspan(-Z_95, Z_95, color=BAND, linewidth=0, zorder=-2)
    axes.plot([-limit, limit], [-limit, limit], color=INK, linewidth=look.line, zorder=1)
    for side in (-limit, limit):
        axes.axhline(side, color=MUTED, linewidth=1.5 * look.line, linestyle="--", zorder=1)
    wrong = np.abs(z) > limit
    size = look.printed(1.8) ** 2
    for here, colour in ((~wrong, MUTED), (wrong, WRONG)):
        style: dict[str, Any] = {"color": colour, "linewidth": 0, "rasterized": z.size > 200}
        axes.scatter(normal[here], z[here], s=size, zorder=3, **style)
    axes.set_ylim(-end, end)
    axes.set_xlim(-1.05 * limit, 1.05 * limit)
    axes.xaxis.set_major_locator(MultipleLocator(2))
    axes.yaxis.set_major_locator(MultipleLocator(2 if end < 7 else 5))
    name_axes(axes, look, x="normal quantile", y="z, in order")


def _end(scored: pd.DataFrame, limit: float) -> float:
    return 1.08 * max(limit, float(scored["z"].abs().max()))


def _draw_identities(axes: Axes, same: pd.DataFrame, look: Look) -> None:
    """Draw each identity's largest difference in each cell, and what is allowed."""
    names = list(dict.fromkeys(same["statement"]))
    _dress_rows(axes, names, look)
    dot_style: dict[str, Any] = {"color": INK, "alpha": 0.5, "linewidth": 0}
    bar: dict[str, Any] = {"marker": "|", "color": MUTED, "markersize": look.printed(7)}
    for place, name in enumerate(names):
        mine = same[same["statement"] == name]
        for k, (measure, rows) in enumerate(mine.groupby("measure", sort=False)):
            y = place + 0.22 * (k - (mine["measure"].nunique() - 1) / 2)
            rows = rows.assign(y=y, x=rows["found"].clip(lower=FLOOR))
            wrong = rows["verdict"] == "differs"
            marks: dict[str, Any] = {"s": look.printed(2.6) ** 2, "zorder": 3}
            marker = MARKERS.get(str(measure).rpartition(" ")[2], "o")
            axes.scatter("x", "y", data=rows[~wrong], marker=marker, **dot_style, **marks)
            axes.scatter("x", "y", data=rows[wrong], color=WRONG, marker="x", **marks)
            axes.plot(rows["tolerance"].max(), y, markeredgewidth=2.5 * look.line, **bar)
    axes.set_xscale("log")
    axes.set_xlim(FLOOR / 3, max(1e-2, 3 * same["found"].max()))
    label_powers(axes.xaxis, range(-14, -1, 3))
    name_axes(axes, look, x="largest relative difference")


def _draw_rates(axes: Axes, rough: pd.DataFrame, colours: Mapping[str, Colour], look: Look) -> None:
    """Draw the rates that were found against those that are known roughly."""
    dress(axes, look)
    end = 1.1 * max(rough["expected"].max(), rough["found"].max())
    ends = np.array([0.0, end])
    axes.plot(ends, ends, color=INK, linewidth=look.line, zorder=1)
    axes.fill_between(ends, ends - APPROXIMATE, ends + APPROXIMATE, color=BAND, zorder=-2)
    paint = rough["design"].map(colours).mask(rough["verdict"] == "differs", WRONG)
    style: dict[str, Any] = {"color": list(paint), "linewidth": 0, "zorder": 3}
    axes.scatter("expected", "found", data=rough, s=look.printed(3.4) ** 2, **style)
    axes.set(xlim=(0, end), ylim=(0, end))
    for axis in (axes.xaxis, axes.yaxis):
        axis.set_major_locator(MultipleLocator(0.2))
    name_axes(axes, look, x="approximate rate", y="found")


def _dress_rows(axes: Axes, names: Sequence[str], look: Look) -> None:
    """Give a panel a named row for each statement, the first at the top."""
    dress(axes, look)
    axes.grid(visible=False)
    axes.set_yticks(range(len(names)), names)
    axes.tick_params(axis="y", length=0)
    axes.spines["left"].set_visible(False)
    axes.set_ylim(len(names) - 0.4, -0.6)


def _handles(
    wrong: bool, scored: pd.DataFrame, colours: Mapping[str, Colour], look: Look
) -> list[Line2D]:
    """Return a legend's entries for designs and for the numbers that are identical."""
    met = set(scored["design"])
    marks: dict[str, dict[str, Any]] = {
        **{words: {"color": colours[name]} for name, words in DESIGNS.items() if name in met},
        **({"differs": {"marker": "x", "color": WRONG}} if wrong else {}),
        **{words: {"marker": MARKERS[name], "alpha": 0.5} for name, words in NUMBERS.items()},
    }
    size = look.printed(4)
    return [dot(label, look, markersize=size, **mark) for label, mark in marks.items()]


def _caption(table: pd.DataFrame, scored: pd.DataFrame, limit: float) -> str:
    beyond = 100 * (scored["z"].abs() > Z_95).mean()
    return (
        f"Above, each mark is a number that is known exactly or was published, their count at the "
        f"right; band: |z| < 1.96, beyond which are {beyond:.1f} % (numbers from the same datasets "
        f"hang together); dashed: |z| = {limit:.2f}, which any of them exceeds with a probability "
        f"of 1 % at most if all is right. Below, what two strategies must share on every dataset, "
        f"a mark for each cell and a bar where the tolerance is; and the false-positive rates of "
        f"a random intercept where slopes vary, known to within {APPROXIMATE}."
    )
