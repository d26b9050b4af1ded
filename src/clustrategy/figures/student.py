"""The example on real data: the regressions over the table, and the slope by each of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
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
    name_axes,
    new_figure,
    note,
    shade,
)

NAMED = 6  # where there are more clusters, they share a colour
MARKERS = "osD^vP"
DASHES: tuple[Any, ...] = ("--", "-.", ":", (0, (5, 1)), (0, (3, 1, 1, 1)), (0, (1, 1)))


def student_figure(it: Example, options: Mapping[str, Any]) -> Figure:
    """Draw the regressions of an example; the options are the settings of `Look`."""
    look = Look.from_options(options)
    figure = new_figure(look, 0.44 * look.width)
    left, right = figure.subplots(1, 2)
    count = it.shard.clusters
    colours = look.colours(count) if count <= NAMED else look.colours(1) * count
    handles = _draw_fits(left, it, colours, look)
    _draw_slopes(right, it, colours, look)
    compose(
        figure,
        look,
        title=f"{count} clusters: the clustered standard error is {ratio_in_words(it)} than the "
        "unclustered",
        subtitle="Least squares in each cluster and on all rows, and the slope by each analysis",
        legends=[handles],
        caption=_caption(it),
    )
    return figure


def _draw_fits(axes: Axes, it: Example, colours: Sequence[Colour], look: Look) -> list[Line2D]:
    """Draw the data, the line of each cluster and the pooled one; return the legend's handles."""
    dress(axes, look)
    thick = 2.6 * look.line
    named = it.shard.clusters <= NAMED
    handles = []
    for code, colour in enumerate(colours):
        rows = it.codes == code
        points = np.column_stack([it.shard.X[rows, it.column], it.shard.y[rows]])
        spots, counts = np.unique(points, axis=0, return_counts=True)
        marker, dash, width = (
            (MARKERS[code], DASHES[code], thick) if named else ("o", "-", look.line)
        )
        dots: dict[str, Any] = {"color": colour, "marker": marker, "alpha": 0.6, "zorder": 2}
        axes.scatter(spots[:, 0], spots[:, 1], look.printed(7) * counts, linewidth=0, **dots)
        line: dict[str, Any] = {"color": shade(colour, 0.25), "linestyle": dash, "linewidth": width}
        axes.plot(*_line(it, it.own[code], spots[:, 0]), zorder=4, **line)
        if named or code == 0:
            words = f"{it.names[code]}: {it.sizes[code]} rows" if named else "each cluster"
            size = look.printed(3.5)
            handles.append(Line2D([], [], marker=marker, markersize=size, label=words, **line))
    pooled: dict[str, Any] = {"color": INK, "linewidth": thick, "label": "all rows together"}
    axes.plot(*_line(it, it.coefficients, it.shard.X[:, it.column]), zorder=3, **pooled)
    for axis in (axes.xaxis, axes.yaxis):
        axis.set_major_locator(MaxNLocator(6, steps=[1, 2, 5, 10]))
    name_axes(axes, look, x=it.term, y=it.response, title=f"{it.formula}, by {it.cluster}")
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
    labels, seen = [], [0.0]
    above: dict[str, Any] = {"xycoords": axes.get_yaxis_transform(), "va": "center"}
    above |= {"size": look.text, "bbox": {"facecolor": "white", "edgecolor": "none", "pad": 1}}
    for place, row in enumerate(it.table[it.table["term"] == it.term].to_dict("records")):
        trap = it.is_trap and np.isinf(row["df"])
        colour = WRONG if trap else INK
        _draw_interval(axes, place, row, colour, look)
        words = f"SE {row['std_error']:.3g}, p = {_p_label(row['p_value'])}"
        words += ": zero is outside" if trap else ""
        note(axes, words, (0.01, place), (0, look.printed(9.5)), color=colour, **above)
        labels.append(f"{row['strategy'].partition(',')[0]}\n{df_label(row['df'])}")
        seen += [row["conf_low"], row["conf_high"]]
    if it.shard.clusters <= NAMED:
        slopes = it.own[:, it.column]
        ranks = [int(code) for code in np.argsort(slopes) if np.isfinite(slopes[code])]
        middle: dict[str, Any] = {"ha": "center", "va": "center", "size": look.text}
        for rank, code in enumerate(ranks):
            own = shade(colours[code], 0.25)
            spot = (slopes[code], len(labels))
            axes.plot(*spot, MARKERS[code], color=own, markersize=look.printed(4.5))
            shift = (0, look.printed(-9 if rank % 2 else 9))
            note(axes, it.names[code], spot, shift, xycoords="data", color=own, **middle)
            seen.append(slopes[code])
        labels.append(f"each {it.cluster}\nby itself")
    axes.set_yticks(range(len(labels)), labels)
    axes.tick_params(axis="y", length=0)
    axes.spines["left"].set_visible(False)
    axes.xaxis.set_major_locator(MaxNLocator(6, steps=[1, 2, 5, 10]))
    margin = 0.06 * (max(seen) - min(seen))
    axes.set_xlim(min(seen) - margin, max(seen) + margin)
    axes.set_ylim(len(labels) - 0.5, -0.6)
    name_axes(axes, look, x=f"slope of {it.term}", title="The slope by each analysis")


def _draw_interval(axes: Axes, place: int, row: Mapping[Any, Any], colour: str, look: Look) -> None:
    """Draw the interval as a thin line, in it the standard error as a thick one."""
    centre, error = row["estimate"], row["std_error"]
    ends = [row["conf_low"], row["conf_high"]]
    inner = [centre - error, centre + error]
    thick: dict[str, Any] = {"linewidth": 7 * look.line, "solid_capstyle": "butt"}
    axes.plot(ends, [place, place], color=colour, linewidth=1.6 * look.line)
    axes.plot(inner, [place, place], color=colour, **thick)
    axes.plot(centre, place, "o", color="white", markersize=look.printed(2.6), zorder=4)


def _p_label(p_value: float) -> str:
    return f"{p_value:.3g}" if p_value >= 0.001 else f"{p_value:.1e}"


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
