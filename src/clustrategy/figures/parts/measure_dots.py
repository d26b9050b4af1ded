"""A performance measure with a row for each strategy, in which each cell is a mark."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator

from clustrategy.core.counted import counted
from clustrategy.figures.parts.cells import varied, worst_values
from clustrategy.figures.parts.dot_rows import PAGE, DotRows, dot_rows, fitting, room
from clustrategy.figures.parts.frame import compose, dot, nothing
from clustrategy.figures.parts.intervals import Z_95, null_band
from clustrategy.figures.parts.labels import (
    CLUSTERS,
    KIND,
    abbreviations,
    cell_label,
    kind_label,
    left_out,
    level_label,
    strategy_label,
)
from clustrategy.figures.parts.performance import (
    RATES,
    by_kind,
    sims,
    unusable_fits,
    with_intervals,
    without_variance,
)
from clustrategy.figures.parts.scales import stretch
from clustrategy.figures.parts.strokes import dots, strokes
from clustrategy.figures.parts.study import Study
from clustrategy.figures.parts.style import INK, MUTED, Colour, Look, shades

SPREAD = 0.62  # share of a row that its marks take
ROOMY = 0.45  # inches of a row on a printed page, if all rows fit it
MOST_NAMED = 6  # of more numbers of clusters the legend names the first, the middle and the last

LETTER = 0.56  # width of a letter, in font sizes

CHANCE = 0.05  # how probable the largest of all errors may be, by Bonferroni, if none is there


@dataclass(frozen=True)
class Measure:
    """What the rows show.

    Attributes
    ----------
    name, subtitle, xlabel : str
        The measure, what it is, and the title of its axis.
    target : float or None
        The value that it should have, if any.
    unit : float
        The distance from the target within which the axis is about linear.
    write : callable
        Writes a value, on the axis and beside the rows.
    finding : callable
        Says in a sentence what was found, from what `worst_values` returns, all values and what a
        cell is called.
    worst : {"farthest", "lowest", "highest"}
        Which cell is the worst: the farthest from the target or, where only one side does harm,
        the lowest or the highest.
    caption : str
        What the caption is to explain.
    standardised : bool
        Whether values are divided by the empirical SE, which their Monte Carlo SEs must tell:
        those are the empirical SE over √n.
    sticks : bool
        Whether a line leads from the target to each mark.
    """

    name: str
    subtitle: str
    xlabel: str
    target: float | None
    unit: float
    write: Callable[[float], str]
    finding: Callable[[pd.DataFrame, pd.DataFrame, str], str]
    worst: Literal["farthest", "lowest", "highest"] = "farthest"
    caption: str = ""
    standardised: bool = False
    sticks: bool = False


def draw_measure(table: pd.DataFrame, measure: Measure, study: Study) -> Figure:
    """Draw a measure of the performance table: a row for each strategy, in it a mark for each cell.

    The table may have the rows of some coefficients alone.
    """
    look, strategies, cell = study.look, study.strategies, study.wording.cell
    table = table[table["strategy"].isin(strategies)]
    values = _values(table, measure, study)
    lost = unusable_fits(table, study)
    if values.empty:
        return nothing(look, f"No strategy has a value of {measure.xlabel}", measure.subtitle, lost)

    kinds: list[str] = list(dict.fromkeys(values[KIND]))
    spared: list[str] = []
    if study.is_of_a_table:
        badness = values.groupby(KIND)["away"].max()
        kinds, spared = fitting({kind: badness[kind] for kind in kinds}, strategies)
    worst = worst_values(values)
    title = measure.finding(worst, values, cell)
    values = values[values[KIND].isin(kinds)]
    named = set(worst["strategy"])
    ordered = [*worst["strategy"][::-1], *(name for name in strategies if name not in named)]
    several = varied(table, study.factors)
    levels = [level for level, _ in _by_clusters(values)]
    colours = dict(zip(levels, shades(len(levels)), strict=True))
    blocks = [*map(kind_label, kinds)]
    page = room(len(kinds)) if study.is_of_a_table else PAGE
    rows = dot_rows(look, strategies=ordered, blocks=blocks, lines=2, roomy=ROOMY, page=page)
    band, longest = _band(measure, sims(table)), 0
    for block, (axes, kind) in enumerate(zip(rows.axes[:, 0], kinds, strict=True)):
        mine = values[values[KIND] == kind]
        if measure.target is not None:
            axes.axvline(measure.target, color=INK, linewidth=look.line, zorder=1)
        if band is not None:
            axes.axvspan(*band, color="#dcdcdc", linewidth=0, zorder=0)
        _draw_cells(axes, mine, rows, measure, colours, look)
        texts = dict.fromkeys(ordered, "no value")
        for row in (worst_values(mine) if several else mine).to_dict("records"):
            where = f": {cell_label(row, several)}" if several else ""
            texts[row["strategy"]] = f"{measure.write(row['value'])}{where}"
        longest = max(longest, *map(len, texts.values()))
        rows.beside(block, texts, f"worst {cell}" if several else "value")
    apart = 8 * look.text / 72 / look.width
    if study.is_of_a_table:
        names = max(len(strategy_label(name)) for name in ordered)
        panel = look.width - LETTER * (names + longest) * rows.text / 72
        apart = 5.5 * look.text / 72 / max(panel, look.width / 6)
    _scale(rows.axes[0, 0], values, measure, look, apart)
    compose(
        rows.figure,
        look,
        title=title,
        subtitle=measure.subtitle,
        legends=[_handles(colours, look)],
        xlabel=measure.xlabel + ("" if measure.target is None else " (stretched near the target)"),
        caption=" ".join(
            [_caption(table, values, measure, band, several, study), *left_out(spared), lost]
        ),
    )
    return rows.figure


def _values(table: pd.DataFrame, measure: Measure, study: Study) -> pd.DataFrame:
    """Return a measure by kind of predictor, with its 95 % intervals and how bad each value is."""
    values = by_kind(table, measure.name, study)
    if measure.standardised:
        unit = values["mcse"] * np.sqrt(values["n"])
        values[["value", "mcse"]] = values[["value", "mcse"]].div(unit.where(unit > 0), axis=0)
        values = values.dropna(subset=["value"])
    values = with_intervals(values, measure.name).sort_values([*study.factors], kind="stable")
    away = {
        "farthest": (values["value"] - (measure.target or 0.0)).abs(),
        "lowest": -values["value"],
        "highest": values["value"],
    }
    return values.assign(away=away[measure.worst])


def _band(measure: Measure, n: int) -> tuple[float, float] | None:
    """Return where 95 % of the values found in `n` sims are if the target is true, if known."""
    if measure.name in RATES and measure.target is not None:
        return null_band(n, measure.target)
    half = Z_95 / max(n, 1) ** 0.5
    return (-half, half) if measure.standardised else None


def _draw_cells(
    axes: Axes,
    values: pd.DataFrame,
    rows: DotRows,
    measure: Measure,
    colours: Mapping[Any, Colour],
    look: Look,
) -> None:
    """Draw the cells, from above in the order of the factors, and the intervals of the worst."""
    groups = values.groupby("strategy")["value"]
    inside = (groups.cumcount() + 0.5) / groups.transform("size") - 0.5
    values = values.assign(y=rows.at(values["strategy"]) + SPREAD * inside)
    size = min(look.printed(3.2), 0.45 * rows.text)
    for clusters, mine in _by_clusters(values):
        colour = colours[clusters]
        if measure.sticks and measure.target is not None:
            ends = mine.assign(start=measure.target)[["start", "value"]].to_numpy()
            style: dict[str, Any] = {"edgecolor": colour, "linewidth": 0.7 * look.line}
            strokes(axes, ends, mine[["y", "y"]].to_numpy(), alpha=0.4, zorder=1.5, **style)
        dots(axes, mine["value"], mine["y"], size, edgecolor=colour, zorder=3)
    worst = worst_values(values)
    bar: dict[str, Any] = {"linewidth": 1.6 * look.line, "edgecolor": INK, "zorder": 2.5}
    strokes(axes, worst[["low", "high"]].to_numpy(), worst[["y", "y"]].to_numpy(), **bar)
    ring: dict[str, Any] = {"markerfacecolor": "none", "color": INK, "zorder": 4}
    width = 1.2 * look.line
    axes.plot("value", "y", "o", data=worst, markersize=1.7 * size, markeredgewidth=width, **ring)


def _by_clusters(values: pd.DataFrame) -> Iterable[tuple[Any, pd.DataFrame]]:
    """Split values by the number of clusters, which is one on the design of a table."""
    return values.groupby(CLUSTERS) if CLUSTERS in values else [(None, values)]


def _handles(colours: Mapping[Any, Colour], look: Look) -> list[Line2D]:
    """Return a legend's entries for the numbers of clusters, if there are several."""
    if len(colours) < 2:
        return []
    handles = [
        dot(level_label(CLUSTERS, level), look, color=colour) for level, colour in colours.items()
    ]
    if len(handles) > MOST_NAMED:
        return [handles[0], handles[len(handles) // 2], handles[-1]]
    return handles


def _scale(axes: Axes, values: pd.DataFrame, measure: Measure, look: Look, apart: float) -> None:
    """Stretch the x axis near the target, with labels ``apart``; without one it is linear."""
    ends = values[["value", "low", "high"]].to_numpy()
    low, high = float(np.nanmin(ends)), float(np.nanmax(ends))
    if measure.target is None:
        margin = 0.04 * (high - low) or 0.5
        axes.set_xlim(low - margin, high + margin)
        axes.xaxis.set_major_locator(MaxNLocator(5, steps=[1, 2, 5, 10]))
        axes.xaxis.set_major_formatter(lambda value, _: measure.write(value))
        return
    within = (0, 1) if measure.name in RATES else (-np.inf, np.inf)
    near: dict[str, Any] = {"target": measure.target, "unit": measure.unit, "within": within}
    stretch(axes, "x", (low, high), apart=apart, write=measure.write, **near)
    for one in axes.figure.axes:
        one.grid(axis="x", color="#dddddd", linewidth=look.line)
        one.tick_params(axis="x", color=MUTED)


def _caption(
    table: pd.DataFrame,
    values: pd.DataFrame,
    measure: Measure,
    band: tuple[float, float] | None,
    several: Sequence[str],
    study: Study,
) -> str:
    interval = "95 % Monte Carlo interval" + (" (Wilson)" if measure.name in RATES else "")
    cell, cells = study.wording.cell, study.wording.cells
    right = f" and, at the right, its {cell}" if several else ""
    parts = [
        measure.caption,
        f"Each mark is a {cell}. Ring: the {measure.worst} value, with its {interval}{right}.",
    ]
    if band is not None:
        parts.append(
            "Line: the target; grey: where 95 % of the marks are of strategies that reach it."
        )
    elif measure.target is not None:
        parts.append("Line: the target.")
    if values["terms"].max() > 1:
        parts.append(
            "Of alike predictors marks are means, with the largest Monte Carlo error that these "
            "can have."
        )
    spared = without_variance(table, measure.name).drop_duplicates([*study.factors, "strategy"])
    if len(spared):
        count = spared["strategy"].value_counts()
        named = ", ".join(f"{strategy_label(s)} {count[s]}" for s in study.strategies if s in count)
        parts.append(f"Left out: estimates without a finite variance ({named} {cells}).")
    parts += [abbreviations(several), f"{counted(sims(table), 'sim')} per {cell}; slopes alone."]
    return " ".join(part for part in parts if part)
