"""How often each strategy finds what is not there: the cells, their range and the worst of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Patch
from matplotlib.ticker import FixedLocator

from clustrategy.core.counted import counted
from clustrategy.core.scenarios import SCENARIO
from clustrategy.dgp.kinds import INTERCEPT_KIND
from clustrategy.figures.parts.cells import varied
from clustrategy.figures.parts.dot_rows import PAGE, dot_rows, fitting, room
from clustrategy.figures.parts.frame import compose, dot, nothing
from clustrategy.figures.parts.labels import (
    CLUSTERS,
    abbreviations,
    cell_label,
    factor_label,
    kind_label,
    kind_title,
    left_out,
    percent,
    value_label,
)
from clustrategy.figures.parts.scales import stretch
from clustrategy.figures.parts.study import Study
from clustrategy.figures.parts.style import INK, MUTED, Look
from clustrategy.figures.parts.verdicts import (
    FALSE_POSITIVES,
    MARKS,
    by_worst_cell,
    draw_verdicts,
    finding,
    kinds_shown,
    limits,
    of_slopes,
    over_cells,
    panels_of_clusters,
    rows_of,
    verdict_handles,
    why_none,
    with_reasons,
)

SUBTITLE = (
    "False-positive rate: how often a test at the {} level rejects the true value of a coefficient"
)
MOST_ROWS = 40  # where there would be more rows, those of the intercept are left out
MOST_LETTERS = 32  # letters of a cell that there is room for


def false_positives(verdicts: pd.DataFrame, *, study: Study) -> Figure:
    """Draw the false-positive rates of the cells, a row for each strategy."""
    look = study.look
    subtitle = SUBTITLE.format(percent(study.alpha))
    cells = rows_of(verdicts, FALSE_POSITIVES, study)
    if cells.empty:
        return nothing(look, *why_none(verdicts, subtitle))
    over = over_cells(verdicts, study)
    split, levels, titles = panels_of_clusters(cells)
    worst = over_cells(verdicts, study, CLUSTERS) if split else over
    worst = over if worst.empty else worst
    kinds = kinds_shown(cells)
    spared: list[str] = []
    if study.is_of_a_table:
        highest = over.groupby("kind")["value"].max()
        kinds = kinds_shown(of_slopes(cells))
        kinds, spared = fitting({kind: highest[kind] for kind in kinds}, study.strategies)
    elif len(kinds) > 1 and len(kinds) * len(study.strategies) > MOST_ROWS:
        kinds = kinds_shown(of_slopes(cells))
    cell = study.wording.cell
    several = varied(cells, study.factors)
    ordered = by_worst_cell(over, study.strategies)
    blocks = [*map(kind_label if study.is_of_a_table else kind_title, kinds)]
    page = room(len(kinds)) if study.is_of_a_table else PAGE
    rows = dot_rows(look, strategies=ordered, blocks=blocks, columns=titles, lines=2, page=page)
    regions = limits(study)
    end = max(cells["value"].max(), worst["conf_high"].max(), 1.2 * regions["liberal"][0])
    _draw_regions(rows.axes, float(end), regions, study)
    compact = max(len(cell_label(row, several)) for row in over.to_dict("records")) > MOST_LETTERS
    mark = min(look.printed(3.6), 0.55 * rows.text)
    for block, kind in enumerate(kinds):
        pale = 0.5 if kind == INTERCEPT_KIND and len(kinds) > 1 else 1.0
        for axes, level in zip(rows.axes[block], levels, strict=True):
            here = cells[cells["kind"] == kind], worst[worst["kind"] == kind]
            mine, most = (part[(part[split] == list(level)).all(axis=1)] for part in here)
            y = rows.at(mine["strategy"]) - (0.17 if several else 0)
            ends = mine["value"].groupby(y).agg(["min", "max"])
            line: dict[str, Any] = {"color": MUTED, "linewidth": look.line, "zorder": 2}
            axes.hlines(ends.index, ends["min"], ends["max"], **line)
            draw_verdicts(axes, mine, mine["value"].to_numpy(), y, mark, alpha=pale)
            if several:
                _draw_worst(axes, most, rows.at(most["strategy"]) + 0.26, 0.8 * mark, look, pale)
        mine = over[over["kind"] == kind]
        texts = {
            row["strategy"]: _beside(row, several, rows.lines, compact)
            for row in mine.to_dict("records")
        }
        again = ", drawn again" if _again(mine) else ""
        heading = f"worst {cell}{again}" if several else "rate (95 % interval)"
        rows.beside(block, with_reasons(texts, verdicts, kind, ordered), heading)
    worst_one = f"worst {cell}, with 95 % interval"
    diamond = [dot(worst_one, look, marker="D")] if several else []
    edge: dict[str, Any] = {"edgecolor": "#bbbbbb", "linewidth": 0.5}
    grounds = [
        Patch(facecolor=mark.ground, label=f"{mark.words} {_between(*regions[verdict])}", **edge)
        for verdict, mark in MARKS.items()
        if verdict in regions
    ]
    compose(
        rows.figure,
        look,
        title=finding(verdicts, study),
        subtitle=subtitle,
        legends=[[*verdict_handles(cells, look), *diamond], grounds],
        xlabel="false-positive rate in % (stretched near the level)",
        caption=" ".join(
            [
                _caption(cells, worst[worst["kind"].isin(kinds)], several, kinds, compact, cell),
                *left_out(spared),
            ]
        ),
    )
    return rows.figure


def _draw_regions(
    panels: np.ndarray, end: float, regions: Mapping[str, tuple[float, float]], study: Study
) -> None:
    """Stretch the shared x axis near the level, and shade the regions of the verdicts."""
    first, alpha = panels[0, 0], study.alpha
    scale: dict[str, Any] = {"target": alpha, "unit": 0.2 * alpha, "within": (0, 1)}
    stretch(first, "x", (0, end), apart=1, write=lambda rate: f"{100 * rate:.3g}", **scale)
    ticks = {tick for tick in (0, alpha, 2 * alpha, 5 * alpha, 0.8) if tick <= end}
    first.xaxis.set_major_locator(FixedLocator(sorted(ticks)))
    for axes in panels.flat:
        for verdict, (low, high) in regions.items():
            axes.axvspan(low or -1, high, color=MARKS[verdict].ground, linewidth=0, zorder=-1)
        axes.axvline(alpha, color=MUTED, linewidth=study.look.line, zorder=1)


def _draw_worst(
    axes: Axes, worst: pd.DataFrame, y: np.ndarray, mark: float, look: Look, pale: float
) -> None:
    """Draw the rates of the worst cells with their intervals."""
    style: dict[str, Any] = {"color": INK, "alpha": pale}
    ends = worst["conf_low"], worst["conf_high"]
    axes.hlines(y, *ends, linewidth=1.6 * look.line, zorder=4, **style)
    axes.scatter(worst["value"], y, s=mark**2, marker="D", linewidth=0, zorder=5, **style)


def _beside(row: Mapping[Any, Any], several: Sequence[str], lines: int, compact: bool) -> str:
    """Write a worst rate and its cell, of many factors just the levels; with room the interval."""
    cell = cell_label(row, several)
    if compact:
        cell = ", ".join(value_label(row[name]) for name in several)
    said = f"{100 * row['value']:.1f} %"
    if lines > 1 or not cell:
        said += f" ({100 * row['conf_low']:.1f} to {100 * row['conf_high']:.1f})"
    between = "\n" if lines > 1 else ": "
    return f"{said}{between}{cell}" if cell else said


def _again(worst: pd.DataFrame) -> bool:
    """Return whether all worst cells were drawn again."""
    return not worst["note"].fillna("").str.contains("not drawn again").any()


def _between(low: float, high: float) -> str:
    if low <= 0:
        return f"below {percent(high)}"
    return f"above {percent(low)}" if high >= 1 else f"to {percent(high)}"


def _caption(
    cells: pd.DataFrame,
    worst: pd.DataFrame,
    several: Sequence[str],
    kinds: Sequence[str],
    compact: bool,
    cell: str,
) -> str:
    of_intercept = worst["kind"] == INTERCEPT_KIND
    parts = [
        f"Each mark is {f'a {cell}' if several else f'the rate in the one {cell}'}, its shape the "
        "verdict: the region that its 95 % interval lies in, undecided where it touches several."
    ]
    if several:
        of, named = "the panel's", "the worst of all"
        if cell == SCENARIO:
            of, named = "the", "which one it is"
        parts.append(
            f"Diamonds: {of} worst {cell} with fresh sims, without the luck that made it the "
            f"highest of many; at the right {named}."
        )
    if not _again(worst[~of_intercept]):
        parts.append(
            f"Some worst {cell}s could not be drawn again: theirs is the highest rate as it was "
            "found, with an interval that holds for the highest of all."
        )
    if INTERCEPT_KIND in kinds and len(kinds) > 1:
        parts.append("The intercept counts neither in the title nor in the order.")
    elif INTERCEPT_KIND in set(cells["kind"]) - set(kinds):
        parts.append("The intercept's rates are in the table alone.")
    if not _again(worst[of_intercept]):
        parts.append(f"The intercept's worst {cell}s are not drawn again.")
    levels = f"Its levels: {', '.join(map(factor_label, several))}."
    parts.append(f"{counted(int(cells['n'].max()), 'sim')} per {cell}.")
    parts.append(levels if compact else abbreviations(several))
    return " ".join(parts).rstrip()
