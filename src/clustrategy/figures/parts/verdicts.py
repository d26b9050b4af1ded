"""What the figures of verdicts have in common: rows, regions, marks and words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.lines import Line2D

from clustrategy.core.counted import counted, listed
from clustrategy.dgp.kinds import INTERCEPT_KIND
from clustrategy.figures.parts.cells import combinations
from clustrategy.figures.parts.frame import dot
from clustrategy.figures.parts.labels import CLUSTERS, kind_label, level_label, quoted_label
from clustrategy.figures.parts.study import Study
from clustrategy.figures.parts.style import Look

FALSE_POSITIVES = "false_positive_rate"
UNUSABLE = "unusable_rate"

MOST_LETTERS = 30  # letters of a reason that there is room for
MOST_PANELS = 4  # more numbers of clusters do not stand side by side
MOST_NAMED = 3  # strategies that a title names; more are counted


@dataclass(frozen=True)
class Mark:
    """How a verdict looks: by shape and lightness as well as by colour.

    Attributes
    ----------
    words, marker : str
        The verdict for readers, and its shape.
    colour, face : str
        The colours of its edge and of its inside.
    size : float
        Its width, relative to a circle's.
    ground : str
        The shade of the region of the rates that it is given to, if it is a region's.
    """

    words: str
    marker: str
    colour: str
    face: str
    size: float = 1.0
    ground: str = ""


SAFE_UNDECIDED = "undecided, but safe"

MARKS: Mapping[str, Mark] = {
    "conservative": Mark("conservative", "v", "#0173b2", "#9fd0ee", 1.1, "#e3eef7"),
    "holds": Mark("holds", "o", "#0173b2", "#0173b2", 1.0, "#f4f9f4"),
    "slightly_liberal": Mark("slightly liberal", "^", "#a65a00", "#f5b041", 1.15, "#fdf0d5"),
    "liberal": Mark("liberal", "X", "#8c1a11", "#8c1a11", 1.2, "#f9dcd6"),
    SAFE_UNDECIDED: Mark("undecided, but safe", "o", "#0173b2", "white"),
    "undecided": Mark("undecided", "o", "#777777", "white", 0.8),
}
"""The verdicts, from too few false positives to too many, and those that are none."""

REGIONS = [verdict for verdict, mark in MARKS.items() if mark.ground]


def rows_of(
    verdicts: pd.DataFrame, measure: str, study: Study, scope: str = "cell"
) -> pd.DataFrame:
    """Return the rows of a measure that have a value, at one scope."""
    mine = (verdicts["measure"] == measure) & (verdicts["scope"] == scope)
    mine &= verdicts["strategy"].isin(study.strategies)
    return verdicts[mine & np.isfinite(verdicts["value"].astype(float))]


def over_cells(verdicts: pd.DataFrame, study: Study, scope: str = "all") -> pd.DataFrame:
    """Return the false-positive rates of the worst cells, with the levels of these cells.

    The scope is ``all`` cells or a factor: then each of its levels has a worst cell.
    """
    cells = rows_of(verdicts, FALSE_POSITIVES, study)
    over = rows_of(verdicts, FALSE_POSITIVES, study, scope)
    by = ["strategy", "kind", *([scope] if scope in study.factors else [])]
    others = [name for name in study.factors if name not in by]
    worst = cells.loc[cells.groupby(by, dropna=False)["value"].idxmax(), [*by, *others]]
    return over.drop(columns=others).merge(worst, on=by)


def why_none(verdicts: pd.DataFrame, subtitle: str) -> tuple[str, str, str]:
    """Return title, subtitle and caption of a figure without false-positive rates."""
    notes = verdicts.loc[verdicts["measure"] == FALSE_POSITIVES, "note"].dropna()
    said = ", ".join(dict.fromkeys(note for note in notes if note))
    why = f"The table of verdicts says: {said}." if said else ""
    return "No strategy has a false-positive rate", subtitle, why


def with_reasons(
    texts: Mapping[str, str], verdicts: pd.DataFrame, kind: str, strategies: Sequence[str]
) -> dict[str, str]:
    """Add to texts beside strategies why the others have no false-positive rate for a kind."""
    mine = verdicts[(verdicts["measure"] == FALSE_POSITIVES) & (verdicts["kind"] == kind)]
    notes = dict(zip(mine["strategy"], mine["note"].fillna(""), strict=True))
    said = {name: notes.get(name) or "no value" for name in strategies if name not in texts}
    short = {name: why if len(why) <= MOST_LETTERS else "no value" for name, why in said.items()}
    return {**short, **texts}


def panels_of_clusters(cells: pd.DataFrame) -> tuple[list[str], list[tuple], list[str]]:
    """Return the factor by which panels stand side by side, if any, its levels and the titles."""
    several = CLUSTERS in cells and 1 < cells[CLUSTERS].nunique() <= MOST_PANELS
    split = [CLUSTERS] if several else []
    levels = combinations(cells, split)
    return split, levels, [", ".join(map(level_label, split, level)) for level in levels]


def kinds_shown(rows: pd.DataFrame) -> list[str]:
    """Return the kinds of terms, the intercept last."""
    kinds = list(dict.fromkeys(rows["kind"]))
    return sorted(kinds, key=lambda kind: kind == INTERCEPT_KIND)


def of_slopes(rows: pd.DataFrame) -> pd.DataFrame:
    """Return the rows of all kinds but the intercept; those of the intercept if it is alone."""
    slopes = rows[rows["kind"] != INTERCEPT_KIND]
    return rows if slopes.empty else slopes


def by_worst_cell(over: pd.DataFrame, strategies: Sequence[str]) -> list[str]:
    """Return the strategies with the lowest worst rate first, those without a rate last."""
    worst = of_slopes(over).groupby("strategy")["value"].max()
    return sorted(strategies, key=lambda name: worst.get(name, np.inf))


def limits(study: Study) -> dict[str, tuple[float, float]]:
    """Return between which rates each region lies."""
    verdict = study.options["verdict"]
    inner = [study.alpha * verdict[name] for name in ("lower", "upper", "liberal")]
    ends = np.clip([0.0, *inner, 1.0], 0, 1).tolist()
    return dict(zip(REGIONS, zip(ends, ends[1:], strict=False), strict=True))


def marks_of(rows: pd.DataFrame) -> pd.Series:
    """Return the key in `MARKS` of each row."""
    safe = rows["safe"].eq(True) & (rows["verdict"] == "undecided")
    return rows["verdict"].mask(safe, SAFE_UNDECIDED)


def draw_verdicts(
    axes: Axes, rows: pd.DataFrame, x: np.ndarray, y: np.ndarray, points: float, **style: Any
) -> None:
    """Draw a mark for the verdict of each row, ``points`` wide."""
    keys = marks_of(rows)
    style |= {"linewidth": 0.14 * points, "clip_on": False, "zorder": 3}
    for key, mark in MARKS.items():
        here = (keys == key).to_numpy()
        if here.any():
            size = (mark.size * points) ** 2
            colours: dict[str, Any] = {"facecolor": mark.face, "edgecolor": mark.colour}
            axes.scatter(x[here], y[here], size, marker=mark.marker, **colours, **style)


def verdict_handles(rows: pd.DataFrame, look: Look) -> list[Line2D]:
    """Return a legend's entries for the verdicts of rows."""
    met = set(marks_of(rows))
    handles = []
    for mark in (mark for key, mark in MARKS.items() if key in met):
        style = {"marker": mark.marker, "color": mark.colour, "markerfacecolor": mark.face}
        handles.append(dot(mark.words, look, markersize=look.printed(4.2) * mark.size, **style))
    return handles


def safe_everywhere(over: pd.DataFrame, strategies: Sequence[str]) -> list[str]:
    """Return the strategies that are safe in all cells for each kind that is judged."""
    judged = of_slopes(over)
    unsafe = set(judged.loc[~judged["safe"].eq(True), "strategy"])
    return [name for name in strategies if name in set(judged["strategy"]) - unsafe]


def are_liberal(over: pd.DataFrame) -> pd.Series:
    """Return of rates over all cells whether the worst of them or, corrected, some is liberal."""
    return (over["verdict"] == "liberal") | (over["liberal_cells"] > 0)


def liberal_somewhere(over: pd.DataFrame, strategies: Sequence[str]) -> list[str]:
    """Return the strategies that are liberal in some cell."""
    judged = of_slopes(over)
    liberal = set(judged.loc[are_liberal(judged), "strategy"])
    return [name for name in strategies if name in liberal]


@dataclass(frozen=True)
class Standing:
    """How strategies stand for a kind of terms.

    Attributes
    ----------
    drawn, safe, liberal : sequence of str
        All of them, those safe in all cells, and those liberal in some.
    """

    drawn: Sequence[str]
    safe: Sequence[str]
    liberal: Sequence[str]

    @property
    def rivals(self) -> Sequence[str]:
        """Those whose power counts: the safe ones or, without any, those not found liberal."""
        return self.safe or [name for name in self.drawn if name not in self.liberal] or self.drawn

    @property
    def grey(self) -> list[str]:
        """Those whose power does not count as they are liberal."""
        return [name for name in self.liberal if name not in self.rivals]


def standing_of(over: pd.DataFrame, drawn: Sequence[str]) -> Standing:
    """Return how strategies stand by their false-positive rates over all cells."""
    return Standing(drawn, safe_everywhere(over, drawn), liberal_somewhere(over, drawn))


def _where_liberal(row: Mapping[Any, Any], cells: str, of_terms: bool) -> str:
    """Say in how many of several cells a strategy is liberal, and if asked for which term."""
    parts = [f"{int(row['liberal_cells'])} of {int(row['cells'])} {cells}"] * (row["cells"] > 1)
    return " for ".join([*parts, kind_label(row["kind"])] if of_terms else parts)


def finding(verdicts: pd.DataFrame, study: Study) -> str:
    """Say in a sentence which strategies are liberal and which are safe."""
    total = len(study.strategies)
    over = of_slopes(over_cells(verdicts, study))
    sims = counted(int(rows_of(verdicts, FALSE_POSITIVES, study)["n"].max()), "sim")
    cells = int(over["cells"].max())
    words = study.wording
    of_terms = study.is_of_a_table and over["kind"].nunique() > 1
    everywhere = "" if cells == 1 else f" in all {cells} {words.cells}"
    unsure = f"called safe{everywhere} with {sims} a {words.cell}"
    everywhere = f" for each term{everywhere}" if of_terms else everywhere
    most = over[are_liberal(over)]
    most = most.assign(liberal_cells=most["liberal_cells"].clip(lower=1))
    most = most.sort_values("liberal_cells", ascending=False, kind="stable")
    most = most.drop_duplicates("strategy")
    safe = [quoted_label(name) for name in safe_everywhere(over, study.strategies)]
    counts = [_where_liberal(row, words.cells, of_terms) for row in most.to_dict("records")]
    names = [*map(quoted_label, most["strategy"])]
    shares = [f"{name} ({n})" if n else name for name, n in zip(names, counts, strict=True)]
    if total == 1 and counts:
        return f"{names[0]} is liberal" + (f" in {counts[0]}" if cells > 1 else "")
    if total == 1 and not safe:
        name = quoted_label(study.strategies[0])
        return f"{name} is not found liberal, nor can it be {unsure}"
    if total == 1:
        return f"{safe[0]} is safe{everywhere}"
    first = f"{len(most)} of {total} strategies {'is' if len(most) == 1 else 'are'} liberal"
    if not shares:
        first = "No strategy is found liberal"
    elif len(shares) <= MOST_NAMED:
        first += f": {listed(shares)}"
    elif everywhere:
        first += f" somewhere, most of all {shares[0]}"
    if len(shares) == total:
        return first
    if not safe:
        return f"{first}; none can be {unsure}"
    whose = listed(safe) if len(safe) <= MOST_NAMED else f"{len(safe)} of {total}"
    whose = f"all {total}" if len(safe) == total else whose
    return f"{first}; {whose} {'is' if len(safe) == 1 else 'are'} safe{everywhere}"
