"""How each strategy differs from the reference on the same datasets."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from clustrategy.core.counted import counted
from clustrategy.figures.parts.dot_rows import dot_rows
from clustrategy.figures.parts.factors import varied
from clustrategy.figures.parts.frame import compose, dot, nothing
from clustrategy.figures.parts.intervals import Z_95
from clustrategy.figures.parts.labels import (
    abbreviations,
    cell_label,
    kind_label,
    kind_title,
    quoted_label,
)
from clustrategy.figures.parts.performance import by_kind, sims
from clustrategy.figures.parts.stretched import stretch
from clustrategy.figures.parts.strokes import dots, strokes
from clustrategy.figures.parts.study import Study
from clustrategy.figures.parts.style import GOOD, INK, MUTED, Look

APART, ALIKE = GOOD, "#b8b8b8"


@dataclass(frozen=True)
class Compared:
    """A measure in which strategies are compared.

    Attributes
    ----------
    measure : str
        The measure.
    title : str
        What stands above its panels.
    relative : bool
        Whether differences are shown in percent of the reference's value; else in points.
    substitute : str
        The measure that stands in where estimates have no finite variance, if any.
    empty : str
        What stands in a panel without values.
    """

    measure: str
    title: str
    relative: bool
    substitute: str = ""
    empty: str = "no values"


COMPARED = (
    Compared("empirical_se", "scatter of\nestimates, %", True, substitute="robust_se"),
    Compared("interval_width", "width of\nintervals, %", True),
    Compared("coverage", "coverage,\npoints", False),
    Compared("rejection_rate", "power,\npoints", False, empty="all slopes\nare zero"),
)


def head_to_head(differences: pd.DataFrame, performance: pd.DataFrame, *, study: Study) -> Figure:
    """Draw the paired differences of each strategy to the reference, cell by cell."""
    look = study.look
    subtitle = "Paired differences to the reference on the same datasets"
    differences = differences[differences["strategy"].isin(study.strategies)]
    if differences.empty:
        return nothing(look, "There is no second strategy to compare", subtitle)
    reference = str(differences["reference"].iloc[0])
    own = performance[performance["strategy"] == reference]
    values = pd.concat([_compared(one, differences, own, study) for one in COMPARED])
    if values.empty:
        return nothing(look, "No difference has a value", subtitle)
    measures = [one for one in COMPARED if one.measure in set(values["measure"])]
    kinds = list(dict.fromkeys(values["kind"]))
    means = _means(values)
    order = _ordered(
        means[means["kind"] == kinds[0]], [name for name in study.strategies if name != reference]
    )
    several = varied(values, study.factors)

    rows = dot_rows(
        look,
        strategies=order,
        blocks=[*map(kind_title, kinds)],
        columns=[one.title for one in measures],
        sharex=False,
    )
    shift = 0.15 if several else 0.0
    mark = min(look.printed(2.6), 0.4 * rows.text)
    for column, one in enumerate(measures):
        mine = values[values["measure"] == one.measure]
        averages = means[means["measure"] == one.measure]
        half = Z_95 * averages["mcse"]
        shown = [mine["value"], averages["value"] - half, averages["value"] + half]
        _scale(rows.axes[0, column], np.concatenate(shown), one, look, len(measures))
        for axes, kind in zip(rows.axes[:, column], kinds, strict=True):
            axes.grid(axis="x", color="#dddddd", linewidth=look.line)
            axes.axvline(0, color=INK, linewidth=look.line, zorder=1)
            cells = mine[mine["kind"] == kind]
            _draw_cells(axes, cells, rows.at(cells["strategy"]) - shift, mark)
            mean = averages[averages["kind"] == kind]
            if cells.empty:
                words: dict[str, Any] = {"ha": "center", "va": "center", "color": MUTED}
                where = axes.transAxes
                axes.text(0.5, 0.5, one.empty, size=rows.text, transform=where, **words)
            _draw_means(axes, mean, rows.at(mean["strategy"]) + 0.24, mark, look)
    compose(
        rows.figure,
        look,
        title=_finding(means, kinds, reference),
        subtitle=f"Paired differences to {quoted_label(reference)} on the same datasets"
        + (", means over these cells" if several else ""),
        legends=[_handles(values, bool(several), look)],
        xlabel="difference to the reference (stretched near 0)",
        caption=_caption(values, measures, several, sims(performance)),
    )
    return rows.figure


def _compared(
    one: Compared, differences: pd.DataFrame, own: pd.DataFrame, study: Study
) -> pd.DataFrame:
    """Return a measure's differences in percent of the reference's value, or in points.

    Rates of rejection are those of coefficients that are not zero.
    """
    if one.measure == "rejection_rate":
        differences = differences[differences["true_value"] != 0]
    key = [*study.factors, "kind"]
    found = []
    for measure in filter(None, (one.measure, one.substitute)):
        values = by_kind(differences, measure, study)
        if one.relative:
            base = by_kind(own, measure, study)[[*key, "value"]]
            values = values.merge(base.rename(columns={"value": "base"}), on=key)
            values = values[values["base"] > 0]
            values[["value", "mcse"]] = values[["value", "mcse"]].div(values["base"], axis=0)
        found.append(values)
    values = pd.concat(found).drop_duplicates([*key, "strategy"])
    return values.assign(
        measure=one.measure, value=100 * values["value"], mcse=100 * values["mcse"].fillna(0)
    )


def _means(values: pd.DataFrame) -> pd.DataFrame:
    """Average over the cells, which are independent."""
    squares = values.assign(square=values["mcse"] ** 2)
    means = squares.groupby(["measure", "kind", "strategy"], as_index=False, sort=False).agg(
        value=("value", "mean"), square=("square", "sum"), cells=("value", "size")
    )
    return means.assign(mcse=np.sqrt(means["square"]) / means["cells"])


def _ordered(means: pd.DataFrame, strategies: Sequence[str]) -> list[str]:
    """Return the strategies, those whose estimates scatter least first."""
    mine = means[means["measure"] == COMPARED[0].measure]
    scatter = dict(zip(mine["strategy"], mine["value"], strict=True))
    return sorted(strategies, key=lambda name: scatter.get(name, np.inf))


def _scale(axes: Axes, values: np.ndarray, one: Compared, look: Look, panels: int) -> None:
    """Stretch the axis near 0, where most of the differences are."""
    stretch(
        axes,
        "x",
        (float(values.min()), float(values.max())),
        target=0,
        unit=5 if one.relative else 2,
        apart=3.4 * look.text / 72 / look.width * panels,
        write=lambda number: f"{number:+.3g}".replace("-", "−") if number else "0",
    )


def _draw_cells(axes: Axes, cells: pd.DataFrame, y: np.ndarray, mark: float) -> None:
    apart = (cells["value"].abs() > Z_95 * cells["mcse"]).to_numpy()
    for here, colour in ((~apart, ALIKE), (apart, APART)):
        dots(axes, cells["value"][here], y[here], mark, edgecolor=colour, zorder=3)


def _draw_means(axes: Axes, means: pd.DataFrame, y: np.ndarray, mark: float, look: Look) -> None:
    half = Z_95 * means["mcse"]
    ends = np.column_stack([means["value"] - half, means["value"] + half])
    strokes(axes, ends, y[:, None], edgecolor=INK, linewidth=1.6 * look.line, zorder=4)
    style: dict[str, Any] = {"color": INK, "linewidth": 0, "zorder": 4}
    axes.scatter(means["value"], y, s=mark**2, marker="D", **style)


def _handles(values: pd.DataFrame, several: bool, look: Look) -> list[Line2D]:
    apart = values["value"].abs() > Z_95 * values["mcse"]
    unit = "a cell" if several else "difference"
    return [
        *([dot(f"{unit}, not told apart from 0", look, color=ALIKE)] if not apart.all() else []),
        *([dot(f"{unit}, told apart from 0", look, color=APART)] if apart.any() else []),
        dot(
            "mean over these cells, with 95 % interval" if several else "with 95 % interval",
            look,
            marker="D",
        ),
    ]


def _finding(means: pd.DataFrame, kinds: Sequence[str], reference: str) -> str:
    """Say with which strategies estimates scatter least and most."""
    mine = means[(means["measure"] == COMPARED[0].measure) & (means["kind"] == kinds[0])]
    whose = f"Slopes ({kind_label(kinds[0])})" if len(kinds) > 1 else "Estimates"
    value = mine.set_index("strategy")["value"].sort_values(kind="stable")
    if value.empty:
        return f"{whose} cannot be compared with those by {quoted_label(reference)}"
    names = [quoted_label(str(name)) for name in value.index]
    than = f"than with {quoted_label(reference)}"
    if len(value) == 1:
        return f"{whose} scatter {_more(value.iloc[0])} with {names[0]} {than}"
    least = f"least with {names[0]} ({_more(value.iloc[0])} {than})"
    most = f"most with {names[-1]} ({_more(value.iloc[-1])})"
    if value.iloc[0] >= 0:
        least, most = f"less with none {than}", f"most with {names[-1]} ({_more(value.iloc[-1])})"
    elif value.iloc[-1] <= 0:
        most = f"more with none {than}"
    return f"{whose} scatter {least} and {most}"


def _more(value: float) -> str:
    percent = f"{abs(value):.0f}" if abs(value) >= 10 else f"{abs(value):.2g}"
    return f"{percent} % {'less' if value < 0 else 'more'}"


def _signed(value: float, one: Compared) -> str:
    number = f"{value:+.0f}" if abs(value) >= 10 else f"{value:+.2g}"
    return f"{number.replace('-', '−')} {'%' if one.relative else 'points'}"


def _caption(
    values: pd.DataFrame, measures: Sequence[Compared], several: Sequence[str], count: int
) -> str:
    extremes = []
    for one in measures:
        mine = values[values["measure"] == one.measure]
        row = mine.iloc[mine["value"].abs().argmax()].to_dict()
        cell = f"; {cell_label(row, several)}" if several else ""
        name = " ".join(one.title.split("\n")).rpartition(",")[0]
        where = f"{quoted_label(row['strategy'])}{cell}"
        extremes.append(f"{name} {_signed(row['value'], one)} ({where})")
    parts = [
        f"Largest differences: {', '.join(extremes)}.",
        "Told apart: 0 is outside the 95 % interval from the paired Monte Carlo SE, as it is in "
        "1 of 20 cells without a difference."
        if several
        else "",
        "Scatter: empirical SE, or interquartile range where the variance is not finite. Power "
        "counts only where coverage is held. performance.reference sets the reference.",
        f"{counted(count, 'sim')} per cell.",
        abbreviations(several),
    ]
    return " ".join(part for part in parts if part)
