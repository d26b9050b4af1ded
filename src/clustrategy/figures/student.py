"""The example on real data: the regressions over the table, and the slope by each of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator

from clustrategy.examples.student_page import df_label, ratio_in_words
from clustrategy.examples.student_regressions import Example
from clustrategy.figures.parts.frame import compose
from clustrategy.figures.parts.style import (
    INK,
    MUTED,
    WRONG,
    Colour,
    Look,
    dress,
    new_figure,
    shade,
)

NAMED = 6
"""Where there are more clusters, they share a colour."""

MARKERS = "osD^vP"
DASHES: tuple[Any, ...] = ("--", "-.", ":", (0, (5, 1)), (0, (3, 1, 1, 1)), (0, (1, 1)))


def student_figure(it: Example, options: Mapping[str, Any]) -> Figure:
    """Draw the regressions of an example.

    Parameters
    ----------
    it : Example
        The example.
    options : Options
        The settings of the look.
    """
    look = Look.from_options(options)
    height = 0.44 * look.width
    figure = new_figure(look, height)
    left, right = figure.subplots(1, 2)
    count = it.shard.clusters
    colours = look.colours(count) if count <= NAMED else look.colours(1) * count
    handles = _draw_fits(left, it, colours, look)
    _draw_slopes(right, it, colours, look)
    compose(
        figure,
        look,
        title=_title(it),
        subtitle="Least squares in each cluster and on all rows, and the slope by each analysis",
        legends=[handles],
        caption=_caption(it),
    )
    return figure


def _draw_fits(axes: Axes, it: Example, colours: Sequence[Colour], look: Look) -> list[Artist]:
    """Draw the data, the line of each cluster and the pooled one; return the legend's handles."""
    dress(axes, look)
    thick = 2.6 * look.line
    named = it.shard.clusters <= NAMED
    handles: list[Artist] = []
    for code, colour in enumerate(colours):
        rows = it.codes == code
        points = np.column_stack([it.shard.X[rows, it.column], it.shard.y[rows]])
        spots, counts = np.unique(points, axis=0, return_counts=True)
        marker = MARKERS[code] if named else "o"
        axes.scatter(
            spots[:, 0],
            spots[:, 1],
            s=look.printed(7) * counts,
            color=colour,
            marker=marker,
            alpha=0.6,
            linewidth=0,
            zorder=2,
        )
        line: dict[str, Any] = {
            "color": shade(colour, 0.25),
            "linestyle": DASHES[code] if named else "-",
            "linewidth": thick if named else look.line,
        }
        axes.plot(*_line(it, it.own[code], spots[:, 0]), zorder=4, **line)
        if named or code == 0:
            words = f"{it.names[code]}: {it.sizes[code]} rows" if named else "each cluster"
            size = look.printed(3.5)
            handles.append(Line2D([], [], marker=marker, markersize=size, label=words, **line))
    pooled: dict[str, Any] = {"color": INK, "linewidth": thick, "label": "all rows together"}
    axes.plot(*_line(it, it.coefficients, it.shard.X[:, it.column]), zorder=3, **pooled)
    for axis in (axes.xaxis, axes.yaxis):
        axis.set_major_locator(MaxNLocator(6, steps=[1, 2, 5, 10]))
    axes.set_xlabel(it.term, size=look.text, color=INK)
    axes.set_ylabel(it.response, size=look.text, color=INK)
    axes.set_title(f"{it.formula}, by {it.cluster}", size=look.text, color=INK, loc="left")
    return [*handles, Line2D([], [], **pooled)]


def _line(it: Example, coefficients: np.ndarray, x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the ends of a regression's line over `x`, other predictors at their means."""
    ends = np.array([x.min(), x.max()])
    design = np.tile(it.shard.X.mean(axis=0), (2, 1))
    design[:, it.column] = ends
    return ends, design @ coefficients


def _draw_slopes(axes: Axes, it: Example, colours: Sequence[Colour], look: Look) -> None:
    """Draw the slope by each regression: one standard error and the 95% interval."""
    dress(axes, look)
    axes.grid(visible=False)
    axes.axvline(0, color=MUTED, linewidth=look.line, zorder=1)
    labels = []
    seen = [0.0]
    for place, row in enumerate(_rows(it)):
        trap = it.is_trap and np.isinf(row["df"])
        colour = WRONG if trap else INK
        _draw_interval(axes, place, row, colour, look)
        words = f"SE {row['std_error']:.3g}, p = {_p_label(row['p_value'])}"
        _say(axes, place, words + (": zero is outside" if trap else ""), colour, look)
        labels.append(f"{row['strategy'].partition(',')[0]}\n{df_label(row['df'])}")
        seen += [row["conf_low"], row["conf_high"]]
    if it.shard.clusters <= NAMED:
        slopes = it.own[:, it.column]
        ranks = [int(code) for code in np.argsort(slopes) if np.isfinite(slopes[code])]
        for rank, code in enumerate(ranks):
            own = shade(colours[code], 0.25)
            spot = (slopes[code], len(labels))
            axes.plot(*spot, MARKERS[code], color=own, markersize=look.printed(4.5))
            axes.annotate(
                it.names[code],
                spot,
                (0, look.printed(-9 if rank % 2 else 9)),
                textcoords="offset points",
                size=look.text,
                color=own,
                ha="center",
                va="center",
            )
            seen.append(slopes[code])
        labels.append(f"each {it.cluster}\nby itself")
    axes.set_yticks(range(len(labels)), labels)
    axes.tick_params(axis="y", length=0)
    axes.spines["left"].set_visible(False)
    axes.xaxis.set_major_locator(MaxNLocator(6, steps=[1, 2, 5, 10]))
    margin = 0.06 * (max(seen) - min(seen))
    axes.set_xlim(min(seen) - margin, max(seen) + margin)
    axes.set_ylim(len(labels) - 0.5, -0.6)
    axes.set_xlabel(f"slope of {it.term}", size=look.text, color=INK)
    axes.set_title("The slope by each analysis", size=look.text, color=INK, loc="left")


def _draw_interval(axes: Axes, place: int, row: Mapping[str, Any], colour: str, look: Look) -> None:
    centre, error = row["estimate"], row["std_error"]
    ends = [row["conf_low"], row["conf_high"]]
    axes.plot(ends, [place, place], color=colour, linewidth=1.6 * look.line)
    axes.plot(
        [centre - error, centre + error],
        [place, place],
        color=colour,
        linewidth=7 * look.line,
        solid_capstyle="butt",
    )
    axes.plot(centre, place, "o", color="white", markersize=look.printed(2.6), zorder=4)


def _say(axes: Axes, place: int, words: str, colour: str, look: Look) -> None:
    """Write a row's numbers above its interval."""
    axes.annotate(
        words,
        (0.01, place),
        (0, look.printed(9.5)),
        xycoords=axes.get_yaxis_transform(),
        textcoords="offset points",
        size=look.text,
        color=colour,
        va="center",
        bbox={"facecolor": "white", "edgecolor": "none", "pad": 1},
    )


def _rows(it: Example) -> list[dict[str, Any]]:
    rows = it.table[it.table["term"] == it.term]
    return [dict(row) for _, row in rows.iterrows()]


def _p_label(p_value: float) -> str:
    return f"{p_value:.3g}" if p_value >= 0.001 else f"{p_value:.1e}"


def _title(it: Example) -> str:
    return (
        f"{it.shard.clusters} clusters: the clustered standard error is {ratio_in_words(it)} "
        "than the unclustered"
    )


def _caption(it: Example) -> str:
    parts = [
        "Left: the area of a mark tells how many rows it stands for; the lines are least squares "
        "in each cluster and on all rows together."
    ]
    if it.shard.p > 2:
        parts.append(f"Of several predictors {it.term} is drawn, the others held at their means.")
    parts.append(
        "Right: thick, one standard error to either side of the slope; thin, its 95% interval."
    )
    if it.shard.clusters == 2:
        parts.append(
            "With 2 clusters the score of one decides the clustered standard error, and 1 degree "
            "of freedom is left."
        )
    if it.is_trap:
        parts.append(
            "The trap (red): with the normal distribution, the default of statsmodels, the same "
            "standard error seems to prove an effect."
        )
    return " ".join(parts)
