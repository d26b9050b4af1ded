"""The power of each strategy by the number of clusters, and how many are enough."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from clustrategy.figures.parts.frame import compose, strategy_inks
from clustrategy.figures.parts.labels import quoted_label, strategy_label
from clustrategy.figures.parts.scales import inches_across, round_ticks
from clustrategy.figures.parts.style import INK, MUTED, Colour, Look, dress, new_figure, note
from clustrategy.planning.outcome import Plan
from clustrategy.planning.search import Answer

GREY: Colour = (0.62, 0.62, 0.62)
HEIGHT = 3.1
"""Inches of the panel on a printed page."""

ROOM = 0.36
"""Share of the panel's width that the names take."""

LEADING = 1.25
"""Of names, in their font size."""


def power_by_clusters(plan: Plan) -> Figure:
    """Draw the power of each strategy by the number of clusters, with its band.

    Parameters
    ----------
    plan : Plan
        As `plan` returns it.
    """
    look = Look()
    figure = new_figure(look, look.printed(HEIGHT))
    axes = figure.subplots()
    dress(axes, look)
    first, last = plan.asked.clusters
    inks = strategy_inks([one.strategy for one in plan.answers], look)
    ends = []
    for one in reversed(plan.ranked):
        ends.append((one.strategy, _draw(axes, plan, one, inks[one.strategy], look)))
    reach = max(last - first, 2)
    axes.set_xlim(first - 0.03 * reach, last + 0.02 * reach + ROOM / (1 - ROOM) * reach)
    axes.set_ylim(0, 1.04)
    axes.yaxis.set_major_formatter(lambda share, _: f"{100 * share:g} %")
    goal: dict[str, Any] = {"color": INK, "linewidth": look.line, "zorder": 1}
    left = first - 0.03 * reach
    axes.grid(visible=False)
    grid: dict[str, Any] = {"color": "#dddddd", "linewidth": look.line, "zorder": 0}
    axes.hlines(np.linspace(0.2, 1.0, 5), left, last, **grid)
    axes.plot([left, last], [plan.asked.power] * 2, **goal)
    _mark(axes, plan, look)
    axes.set_xlabel("clusters", size=look.text, color=INK, x=(1 - ROOM) / 2)
    compose(
        figure,
        look,
        title=_finding(plan),
        subtitle=_subtitle(plan),
        caption=_caption(plan),
        ylabel="power",
    )
    round_ticks(axes.xaxis, inches_across(axes), look.text)
    ticks = axes.get_xticks()
    axes.set_xticks([tick for tick in ticks if first <= tick <= last and tick == round(tick)])
    axes.spines["bottom"].set_bounds(first, last)
    _name(axes, plan, dict(ends), inks, look)
    return figure


def _draw(axes: Axes, plan: Plan, one: Answer, ink: Colour, look: Look) -> float:
    """Draw the curve of a strategy, its band and the powers found; return where it ends."""
    places = plan.trials.places(one.strategy)
    found = [plan.trials.power(one.strategy, clusters) for clusters in places]
    colour, dash = (ink, "-") if one.holds else (GREY, (0, (4, 2)))
    order = 4 if one.holds else 2
    last = plan.asked.clusters[1]
    end = found[-1].value
    if one.curve is not None:
        clusters = np.linspace(max(plan.asked.clusters[0], one.curve.lost + 1), last, 200)
        power, low, high = one.curve.power(clusters)
        axes.fill_between(clusters, low, high, color=colour, alpha=0.18, linewidth=0, zorder=order)
        line: dict[str, Any] = {"color": colour, "linestyle": dash, "zorder": order + 1}
        axes.plot(clusters, power, linewidth=2 * look.line, **line)
        end = float(power[-1])
    mark: dict[str, Any] = {"color": colour, "linewidth": look.line, "zorder": order + 1}
    axes.vlines(places, [it.low for it in found], [it.high for it in found], **mark)
    dots: dict[str, Any] = {"marker": "o", "markersize": look.printed(2.2), "linestyle": "none"}
    face = colour if one.holds else "white"
    values = [it.value for it in found]
    axes.plot(places, values, color=colour, markerfacecolor=face, zorder=order + 2, **dots)
    return end


def _mark(axes: Axes, plan: Plan, look: Look) -> None:
    """Mark the answer on the line of the power asked for, and on the axis."""
    one = plan.recommended
    if one is None or one.where == "none":
        return
    goal = plan.asked.power
    if one.where == "within":
        low, high = one.interval
        high = min(high, plan.asked.clusters[1])
        axes.plot([low, high], [goal] * 2, color=INK, linewidth=5 * look.line, zorder=7)
    line: dict[str, Any] = {"color": INK, "linewidth": look.line, "zorder": 3}
    axes.plot([one.at] * 2, [0, goal], linestyle=(0, (1, 1.5)), **line)
    words: dict[str, Any] = {"size": look.text, "weight": "bold", "zorder": 8}
    words["bbox"] = {"facecolor": "white", "edgecolor": "none", "pad": 1, "alpha": 0.85}
    text = f"{one.at} clusters"
    note(axes, text, (one.at, 0.0), (4, 7), xycoords="data", **words)


def _name(
    axes: Axes, plan: Plan, ends: dict[str, float], inks: dict[str, Colour], look: Look
) -> None:
    """Write the name of each strategy beside the end of its curve, and what it needs."""
    last = plan.asked.clusters[1]
    height = axes.get_window_extent().height * 72 / look.dpi
    step = LEADING * look.text / height * 1.04
    order = sorted(plan.ranked, key=lambda one: ends[one.strategy])
    places = spread([ends[one.strategy] for one in order], step, 0.0, 1.0)
    for one, place in zip(order, places, strict=True):
        colour = inks[one.strategy] if one.holds else MUTED
        end = (last, ends[one.strategy])
        style: dict[str, Any] = {"size": look.text, "color": colour, "va": "center"}
        style["annotation_clip"] = False
        rise = (place - end[1]) / 1.04 * height
        arrow = {"arrowstyle": "-", "color": colour, "linewidth": 0.6 * look.line}
        style["arrowprops"] = {**arrow, "relpos": (0, 0.5), "shrinkA": 1, "shrinkB": 2}
        note(
            axes,
            f"{strategy_label(one.strategy)}: {_needs(one)}",
            end,
            (16, rise),
            xycoords="data",
            **style,
        )


def spread(places: Sequence[float], step: float, low: float, high: float) -> list[float]:
    """Return places, in rising order, that are a step apart and as near as can be to given ones.

    Examples
    --------
    >>> [round(place, 3) for place in spread([0.2, 0.9, 0.91], 0.1, 0.0, 1.0)]
    [0.2, 0.855, 0.955]
    >>> [round(place, 3) for place in spread([1.0, 1.0], 0.1, 0.0, 1.0)]
    [0.9, 1.0]
    """
    merged: list[list[float]] = []  # of neighbours the mean of their places, the first, the count
    for place in places:
        merged.append([place, place, 1])
        while True:
            last = merged[-1]
            half = (last[2] - 1) / 2 * step
            last[1] = min(max(last[0] - half, low), max(low, high - 2 * half))
            before = merged[-2] if len(merged) > 1 else None
            if before is None or last[1] >= before[1] + before[2] * step - 1e-12:
                break
            merged.pop()
            total = before[2] + last[2]
            before[0] = (before[0] * before[2] + last[0] * last[2]) / total
            before[2] = total
    return [start + step * k for _, start, count in merged for k in range(int(count))]


def _needs(one: Answer) -> str:
    if one.where == "none":
        return f"{100 * one.power.value:.0f} %" if one.holds else "does not hold its level"
    if not one.holds:
        undecided = one.level.verdict is not None and one.level.verdict.between
        return "level not certain" if undecided else "does not hold its level"
    if one.where == "above":
        return f"more than {one.at}"
    return f"{'at most ' if one.where == 'below' else ''}{one.at}"


def _finding(plan: Plan) -> str:
    one = plan.recommended
    title = plan.words.title
    if one is None:
        return title
    return f"{title}, analysed by {quoted_label(one.strategy)}"


def _subtitle(plan: Plan) -> str:
    said = (
        f"Power to find an effect of {plan.asked.effect:.3g} by the number of clusters, with 95 % "
        "bands"
    )
    if plan.recommended is not None and plan.recommended.where == "within":
        said += "; the thick line is the interval of the answer"
    return said


def _caption(plan: Plan) -> str:
    sims = [
        plan.trials.sims(one.strategy, clusters)
        for one in plan.answers
        for clusters in plan.trials.places(one.strategy)
    ]
    count = f"{min(sims):,} to {max(sims):,}" if min(sims) < max(sims) else f"{max(sims):,}"
    lines = "; lines: the curve fitted to those near the answer"
    some = any(one.curve is not None for one in plan.answers)
    parts = [f"Dots: powers found in {count} simulated studies, with 95 % intervals{lines * some}."]
    if any(not one.holds for one in plan.answers):
        parts.append(
            "Grey and dashed: strategies that are not known to keep their level with the number of "
            "clusters that would be enough; they have no sample size."
        )
    return " ".join(parts)
