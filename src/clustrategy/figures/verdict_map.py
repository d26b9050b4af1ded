"""The verdict of each strategy in each cell."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from clustrategy.core.counted import counted
from clustrategy.dgp.kinds import INTERCEPT_KIND
from clustrategy.figures.parts.cells import combinations, varied
from clustrategy.figures.parts.dot_rows import dot_rows
from clustrategy.figures.parts.frame import compose, dot, nothing
from clustrategy.figures.parts.labels import factor_label, kind_title, level_label, value_label
from clustrategy.figures.parts.study import Study
from clustrategy.figures.parts.style import INK, MUTED, Look, note
from clustrategy.figures.parts.verdicts import (
    FALSE_POSITIVES,
    UNUSABLE,
    by_worst_cell,
    draw_verdicts,
    finding,
    kinds_shown,
    of_slopes,
    over_cells,
    rows_of,
    verdict_handles,
    why_none,
    with_reasons,
)

INTERCEPT_ALONE = "The intercept's verdicts are in the table alone. "
SUBTITLE = "Verdict on the false-positive rate of each strategy in each cell"

MOST_CELLS, MORE_CELLS = 50, 120
"""Where there are more cells, they stand in several blocks; the second where rows are many."""

MOST_ROWS = 70  # so many rows fit a page
TOO_MANY_UNUSABLE = 0.05  # a larger share of unusable fits bars a strategy from being safe
HEAD_PAD = 3.0  # points between a head and what is above it
LETTER = 0.62  # width of a letter of a level, in font sizes
NAMES = 2.6  # inches beside the panels, on a printed page


def verdict_map(verdicts: pd.DataFrame, *, study: Study) -> Figure:
    """Draw a mark for the verdict of each strategy in each cell."""
    look = study.look
    every = rows_of(verdicts, FALSE_POSITIVES, study)
    if every.empty:
        return nothing(look, *why_none(verdicts, SUBTITLE))
    shown = of_slopes(every)
    kinds = kinds_shown(shown)
    along = varied(every, study.factors) or list(study.factors[:1])
    stacked, along = _stacked(every, along, len(kinds) * len(study.strategies))
    cells = every[[*stacked, *along]].drop_duplicates().sort_values([*stacked, *along])
    parts = {level: part.assign(x=_places(part, along)) for level, part in _parts(cells, stacked)}
    blocks = [(kind, level) for kind in kinds for level in parts]
    width = max(part["x"].iloc[-1] for part in parts.values()) + 1
    room = 72 * look.printed(6.5 - NAMES) / width
    heads = [_head(parts[level], along, look, room) for _, level in blocks]
    heads = [head if i == 0 or head != heads[i - 1] else [] for i, head in enumerate(heads)]
    ordered = by_worst_cell(over_cells(verdicts, study), study.strategies)
    rows = dot_rows(
        look,
        strategies=ordered,
        blocks=[_title(kind, kinds, stacked, level) for kind, level in blocks],
        heads=[sum(row.height for row in head) + HEAD_PAD * bool(head) for head in heads],
    )
    mark = min(0.68 * room, 0.7 * rows.text, look.printed(5))
    unusable = rows_of(verdicts, UNUSABLE, study)
    lost = unusable[unusable["value"] > TOO_MANY_UNUSABLE]
    ring: dict[str, Any] = {"marker": "s", "facecolor": "none", "edgecolor": INK}
    for block, (kind, level) in enumerate(blocks):
        axes = rows.axes[block, 0]
        axes.set_xlim(-0.7, width - 0.3)
        axes.tick_params(axis="x", bottom=False, labelbottom=False)
        axes.spines[:].set_visible(False)
        _write(axes, heads[block], look)
        mine = shown[shown["kind"] == kind].merge(parts[level], on=[*stacked, *along])
        draw_verdicts(axes, mine, mine["x"].to_numpy(), rows.at(mine["strategy"]), mark)
        barred = lost.merge(parts[level], on=[*stacked, *along])
        y = rows.at(barred["strategy"])
        axes.scatter(barred["x"], y, (1.75 * mark) ** 2, linewidth=look.line, **ring)
        if len(cells) > 1:
            counts = {
                str(name): f"{safe.eq(True).sum()} of {len(safe)}"
                for name, safe in mine.groupby("strategy")["safe"]
            }
            rows.beside(block, with_reasons(counts, verdicts, kind, ordered), "safe cells")
    square = dot("more than 5 % of fits unusable", look, marker="s", markerfacecolor="none")
    compose(
        rows.figure,
        look,
        title=finding(verdicts, study),
        subtitle=SUBTITLE,
        legends=[[*verdict_handles(shown, look), *([square] if len(lost) else [])]],
        caption=_caption(every, kinds),
    )
    return rows.figure


def _parts(cells: pd.DataFrame, stacked: Sequence[str]) -> list[tuple[tuple, pd.DataFrame]]:
    """Return the cells of each block."""
    return [
        (level, cells[(cells[list(stacked)] == list(level)).all(axis=1)])
        for level in combinations(cells, stacked)
    ]


def _stacked(every: pd.DataFrame, varied: Sequence[str], rows: int) -> tuple[list[str], list[str]]:
    """Return the factors whose levels have blocks of ``rows`` rows of their own, and the others."""
    cells = every[list(varied)].drop_duplicates()
    for most in (MOST_CELLS, MORE_CELLS):
        count = 0
        while count < len(varied) - 1:
            parts = _parts(cells, varied[:count])
            if max(len(part) for _, part in parts) <= most:
                break
            count += 1
        if rows * len(combinations(cells, varied[:count])) <= MOST_ROWS:
            break
    return list(varied[:count]), list(varied[count:])


def _places(cells: pd.DataFrame, along: Sequence[str]) -> np.ndarray:
    """Return where cells stand: those that differ in the last factor alone next to each other."""
    gaps = np.zeros(len(cells))
    for factor, gap in zip(along[:-1], (1.0, *[0.45] * len(along)), strict=False):
        values = cells[factor].to_numpy()
        gaps[1:] = np.maximum(gaps[1:], gap * (values[1:] != values[:-1]))
    return np.arange(len(cells)) + np.cumsum(gaps)


def _title(kind: str, kinds: Sequence[str], stacked: Sequence[str], level: tuple) -> str:
    words = [kind_title(kind)] if len(kinds) > 1 or not stacked else []
    return ", ".join([*words, *map(level_label, stacked, level)])


class HeadRow(NamedTuple):
    """A factor whose levels stand above the cells.

    Attributes
    ----------
    factor : str
        Its name.
    labels : dict of float to str
        Its levels, at the middles of the cells that have them.
    size, height : float
        Points of a letter, and of the row.
    upright : bool
        Whether there is room for the levels as they are; else they are turned.
    """

    factor: str
    labels: dict[float, str]
    size: float
    height: float
    upright: bool


def _head(cells: pd.DataFrame, along: Sequence[str], look: Look, room: float) -> list[HeadRow]:
    """Return the rows above a block's cells, the lowest first, with so many points for a cell.

    Of the factors along the cells the one that changes fastest is the last.
    """
    places = cells["x"].to_numpy()
    rows = []
    for outer in (list(along[:count]) for count in range(len(along), 0, -1)):
        runs = (cells[outer] != cells[outer].shift()).any(axis=1).cumsum().to_numpy()
        labels: dict[float, str] = {}
        least = np.inf
        for run in np.unique(runs):
            here = runs == run
            middle = float(places[here][[0, -1]].mean())
            labels[middle] = value_label(cells[outer[-1]].to_numpy()[here][0])
            least = min(least, here.sum())
        longest = LETTER * max(map(len, labels.values()))
        size = least * room / longest
        upright = size >= 0.8 * look.text
        size = min(look.text, size if upright else 0.95 * least * room)
        height = 1.2 * size if upright else longest * size + 3
        rows.append(HeadRow(outer[-1], labels, size, height, upright))
    return rows


def _write(axes: Axes, head: Sequence[HeadRow], look: Look) -> None:
    """Write the rows of a head above a panel, and at the left what they are."""
    rise = 3.0
    for row in head:
        turned: dict[str, Any] = {"xycoords": axes.get_xaxis_transform(), "size": row.size}
        turned |= {"ha": "center", "va": "bottom", "rotation": 0 if row.upright else 90}
        for place, label in row.labels.items():
            note(axes, label, (place, 1), (0, rise), **turned)
        name: dict[str, Any] = {"ha": "right", "va": "bottom", "size": look.text, "color": MUTED}
        note(axes, factor_label(row.factor), (0, 1), (-6, rise), **name)
        rise += row.height


def _caption(every: pd.DataFrame, kinds: Sequence[str]) -> str:
    alone = INTERCEPT_KIND in set(every["kind"]) - set(kinds)
    return (
        "The verdict is the region that the 95 % interval of the rate lies in, undecided where it "
        "touches several. Safe: the one-sided 95 % limit is not above the end of holds, and at "
        "most 5 % of the fits are unusable; a cell can be safe and undecided. "
        f"{INTERCEPT_ALONE if alone else ''}{counted(int(every['n'].max()), 'sim')} per cell. "
        "The lowest worst cell stands above."
    )
