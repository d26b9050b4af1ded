"""How far known numbers are from those that the verification studies found."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import FixedLocator, FuncFormatter, MultipleLocator, NullLocator
from scipy.special import ndtri

from clustrategy.figures.parts.frame import compose
from clustrategy.figures.parts.intervals import Z_95
from clustrategy.figures.parts.log_differences import FLOOR, power_label
from clustrategy.figures.parts.style import BAND, INK, MUTED, WRONG, Colour, Look, dress, new_figure
from clustrategy.verification.comparison import BAND as APPROXIMATE
from clustrategy.verification.comparison import ROUGH
from clustrategy.verification.judgement import bound

DESIGNS = {
    "between": "arms of clusters",
    "within": "arms in clusters",
    "none": "continuous predictor",
}
SPREAD = 0.78
"""Share of a row's height that its marks take."""

MARKERS = {"estimate": "o", "std_error": "s", "df": "^"}


def verification(table: pd.DataFrame, options: Mapping[str, Any]) -> Figure:
    """Draw the z scores by statement and in order, the identities and the approximate rates.

    Parameters
    ----------
    table : DataFrame
        What `clustrategy.verification.expected.judge` returns.
    options : Options
        The settings of the look.
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
    _draw_statements(figure.add_subplot(grid[0, 0]), scored, limit, colours, look)
    _draw_quantiles(figure.add_subplot(grid[0, 1]), scored, limit, look)
    if len(same):
        _draw_identities(figure.add_subplot(grid[1, 0]), same, look)
        if len(rough):
            _draw_rates(figure.add_subplot(grid[1, 1]), rough, colours, look)
    compose(
        figure,
        look,
        title=_title(table),
        subtitle="Numbers found in simulations less those known in closed form, in Monte Carlo SEs",
        legends=[_handles(table, scored, colours, look)],
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
    for place, name in enumerate(names):
        mine = scored[scored["statement"] == name]
        offsets = SPREAD * ((np.arange(len(mine)) + 0.5) / len(mine) - 0.5)
        size = 3.0 if len(mine) < 20 else 2.4 if len(mine) < 200 else 1.7
        count: dict[str, Any] = {"ha": "left", "va": "center", "size": look.text, "color": MUTED}
        axes.text(1.02, place, f"{len(mine):,}", transform=axes.get_yaxis_transform(), **count)
        _scatter(axes, mine, place + offsets, colours, look, size)
    axes.axvspan(-Z_95, Z_95, color=BAND, linewidth=0, zorder=-2)
    for side in (-limit, limit):
        axes.axvline(side, color=MUTED, linewidth=1.5 * look.line, linestyle="--", zorder=1)
    axes.axvline(0, color=INK, linewidth=look.line, zorder=1)
    axes.set_xlim(-end, end)
    axes.xaxis.set_major_locator(MultipleLocator(1 if end < 7 else 5))
    words = "z = (found - known) / MCSE"
    axes.set_xlabel(words, size=look.text, color=INK)


def _scatter(
    axes: Axes,
    mine: pd.DataFrame,
    y: np.ndarray,
    colours: Mapping[str, Colour],
    look: Look,
    size: float,
) -> None:
    wrong = (mine["verdict"] == "differs").to_numpy()
    z = mine["z"].to_numpy()
    axes.scatter(
        z[~wrong],
        y[~wrong],
        s=look.printed(size) ** 2,
        color=[colours[name] for name in mine["design"][~wrong]],
        alpha=0.5,
        linewidth=0,
        zorder=3,
        rasterized=len(mine) > 200,
    )
    cross: dict[str, Any] = {"marker": "x", "color": WRONG, "linewidth": 2 * look.line, "zorder": 4}
    axes.scatter(z[wrong], y[wrong], s=look.printed(3) ** 2, **cross)


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
    marks: dict[str, Any] = {
        "s": look.printed(1.8) ** 2,
        "linewidth": 0,
        "zorder": 3,
        "rasterized": z.size > 200,
    }
    axes.scatter(normal[~wrong], z[~wrong], color=MUTED, **marks)
    axes.scatter(normal[wrong], z[wrong], color=WRONG, **marks)
    axes.set_ylim(-end, end)
    axes.set_xlim(-1.05 * limit, 1.05 * limit)
    for axis in (axes.xaxis, axes.yaxis):
        axis.set_major_locator(MultipleLocator(2))
    axes.yaxis.set_major_locator(MultipleLocator(2 if end < 7 else 5))
    axes.set_xlabel("normal quantile", size=look.text, color=INK)
    axes.set_ylabel("z, in order", size=look.text, color=INK)


def _end(scored: pd.DataFrame, limit: float) -> float:
    return 1.08 * max(limit, float(scored["z"].abs().max()))


def _draw_identities(axes: Axes, same: pd.DataFrame, look: Look) -> None:
    """Draw each identity's largest difference in each cell, and what is allowed."""
    names = list(dict.fromkeys(same["statement"]))
    _dress_rows(axes, names, look)
    wrong = same["verdict"] == "differs"
    for place, name in enumerate(names):
        mine = same[same["statement"] == name]
        for k, (measure, rows) in enumerate(mine.groupby("measure", sort=False)):
            y = place + 0.22 * (k - (mine["measure"].nunique() - 1) / 2)
            off = wrong[rows.index]
            found = rows["found"].clip(lower=FLOOR)
            marks: dict[str, Any] = {"s": look.printed(2.6) ** 2, "zorder": 3}
            kind = str(measure).rpartition(" ")[2]
            axes.scatter(
                found[~off],
                np.full((~off).sum(), y),
                color=INK,
                marker=MARKERS.get(kind, "o"),
                alpha=0.5,
                linewidth=0,
                **marks,
            )
            axes.scatter(found[off], np.full(off.sum(), y), color=WRONG, marker="x", **marks)
            axes.plot(
                rows["tolerance"].max(),
                y,
                marker="|",
                color=MUTED,
                markersize=look.printed(7),
                markeredgewidth=2.5 * look.line,
            )
    axes.set_xscale("log")
    axes.set_xlim(FLOOR / 3, max(1e-2, 3 * same["found"].max()))
    axes.xaxis.set_major_locator(FixedLocator([FLOOR, *10.0 ** np.arange(-14, -1, 3)]))
    axes.xaxis.set_minor_locator(NullLocator())
    axes.xaxis.set_major_formatter(FuncFormatter(lambda x, _: power_label(x)))
    words = "largest relative difference"
    axes.set_xlabel(words, size=look.text, color=INK)


def _draw_rates(axes: Axes, rough: pd.DataFrame, colours: Mapping[str, Colour], look: Look) -> None:
    """Draw the rates that were found against those that are known roughly."""
    dress(axes, look)
    end = 1.1 * max(rough["expected"].max(), rough["found"].max())
    ends = np.array([0.0, end])
    axes.plot(ends, ends, color=INK, linewidth=look.line, zorder=1)
    axes.fill_between(ends, ends - APPROXIMATE, ends + APPROXIMATE, color=BAND, zorder=-2)
    wrong = rough["verdict"] == "differs"
    axes.scatter(
        rough["expected"],
        rough["found"],
        s=look.printed(3.4) ** 2,
        color=[
            WRONG if off else colours[name]
            for off, name in zip(wrong, rough["design"], strict=True)
        ],
        linewidth=0,
        zorder=3,
    )
    axes.set_xlim(0, end)
    axes.set_ylim(0, end)
    for axis in (axes.xaxis, axes.yaxis):
        axis.set_major_locator(MultipleLocator(0.2))
    axes.set_xlabel("approximate rate", size=look.text, color=INK)
    axes.set_ylabel("found", size=look.text, color=INK)


def _dress_rows(axes: Axes, names: Sequence[str], look: Look) -> None:
    """Give a panel a named row for each statement, the first at the top."""
    dress(axes, look)
    axes.grid(visible=False)
    axes.set_yticks(range(len(names)), names)
    axes.tick_params(axis="y", length=0)
    axes.spines["left"].set_visible(False)
    axes.set_ylim(len(names) - 0.4, -0.6)


def _handles(
    table: pd.DataFrame, scored: pd.DataFrame, colours: Mapping[str, Colour], look: Look
) -> list[Artist]:
    """Return a legend's entries for designs and for the numbers that are identical."""
    wrong = (table["verdict"] == "differs").any()
    size = look.printed(4)
    marks: dict[str, dict[str, Any]] = {
        words: {"marker": "o", "color": colours[name]}
        for name, words in DESIGNS.items()
        if (scored["design"] == name).any()
    }
    if wrong:
        marks["differs"] = {"marker": "x", "color": WRONG}
    marks |= {
        words: {"marker": MARKERS[name], "color": INK, "alpha": 0.5}
        for name, words in (("estimate", "estimate"), ("std_error", "SE"), ("df", "df"))
    }
    return [
        Line2D([], [], linestyle="none", markersize=size, label=label, **mark)
        for label, mark in marks.items()
    ]


def _title(table: pd.DataFrame) -> str:
    wrong = int((table["verdict"] == "differs").sum())
    if wrong:
        return f"Verification: {wrong:,} of {len(table):,} known numbers differ from those found"
    return f"Verification: {len(table):,} known numbers, and all are found"


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
