"""How each strategy differs from the reference on the same datasets."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from clustrategy.core.counted import counted
from clustrategy.figures.parts.cells import varied
from clustrategy.figures.parts.dot_rows import dot_rows
from clustrategy.figures.parts.frame import compose, dot, nothing
from clustrategy.figures.parts.intervals import Z_95, mean_over_cells
from clustrategy.figures.parts.labels import (
    abbreviations,
    cell_label,
    kind_label,
    kind_title,
    quoted_label,
    signed,
)
from clustrategy.figures.parts.performance import by_kind, sims
from clustrategy.figures.parts.scales import stretch
from clustrategy.figures.parts.strokes import dots, strokes
from clustrategy.figures.parts.study import Study
from clustrategy.figures.parts.style import GOOD, INK, MUTED, Look

APART, ALIKE = GOOD, "#b8b8b8"


@dataclass(frozen=True)
class Compared:
    """A measure in which strategies are compared.

    Attributes
    ----------
    measure, substitute : str
        The measure, and what stands in where estimates have no finite variance, if anything.
    title, empty : str
        What stands above its panels, and in one without values.
    relative : bool
        Whether differences are shown in percent of the reference's value; else in points.
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
    means = mean_over_cells(values, ["measure", "kind", "strategy"])
    half = Z_95 * means["mcse"]
    means = means.assign(low=means["value"] - half, high=means["value"] + half)
    scatter = means[(means["measure"] == COMPARED[0].measure) & (means["kind"] == kinds[0])]
    scatter = scatter.set_index("strategy")["value"].sort_values(kind="stable")
    others = [name for name in study.strategies if name != reference]
    several = varied(values, study.factors)

    rows = dot_rows(
        look,
        strategies=sorted(others, key=lambda name: scatter.get(name, np.inf)),
        blocks=[*map(kind_title, kinds)],
        columns=[one.title for one in measures],
        sharex=False,
    )
    mark = min(look.printed(2.6), 0.4 * rows.text)
    shift = 0.15 if several else 0.0
    words: dict[str, Any] = {"size": rows.text, "ha": "center", "va": "center", "color": MUTED}
    for column, one in enumerate(measures):
        mine = values[values["measure"] == one.measure]
        average = means[means["measure"] == one.measure]
        ends = np.concatenate([mine["value"], average["low"], average["high"]])
        limits = float(ends.min()), float(ends.max())
        unit, room = 5 if one.relative else 2, 3.4 * look.text / 72 / look.width * len(measures)
        near: dict[str, Any] = {"target": 0, "unit": unit, "apart": room}
        stretch(rows.axes[0, column], "x", limits, write=partial(signed, digits=3), **near)
        for axes, kind in zip(rows.axes[:, column], kinds, strict=True):
            axes.grid(axis="x", color="#dddddd", linewidth=look.line)
            axes.axvline(0, color=INK, linewidth=look.line, zorder=1)
            cells, mean = mine[mine["kind"] == kind], average[average["kind"] == kind]
            y, apart = rows.at(cells["strategy"]) - shift, _apart(cells)
            for here, colour in ((~apart, ALIKE), (apart, APART)):
                dots(axes, cells["value"][here], y[here], mark, edgecolor=colour, zorder=3)
            if cells.empty:
                axes.text(0.5, 0.5, one.empty, transform=axes.transAxes, **words)
            y = rows.at(mean["strategy"]) + 0.24
            ends = mean[["low", "high"]].to_numpy()
            strokes(axes, ends, y[:, None], edgecolor=INK, linewidth=1.6 * look.line, zorder=4)
            axes.scatter(mean["value"], y, mark**2, marker="D", color=INK, linewidth=0, zorder=4)
    compose(
        rows.figure,
        look,
        title=_finding(scatter, kinds, reference),
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


def _apart(values: pd.DataFrame) -> np.ndarray:
    """Return of which differences the interval does not hold 0."""
    return (values["value"].abs() > Z_95 * values["mcse"]).to_numpy()


def _handles(values: pd.DataFrame, several: bool, look: Look) -> list[Line2D]:
    unit = "a cell" if several else "difference"
    mean = "mean over these cells, with 95 % interval" if several else "with 95 % interval"
    apart = _apart(values)
    handles = [dot(mean, look, marker="D")]
    if apart.any():
        handles.insert(0, dot(f"{unit}, told apart from 0", look, color=APART))
    if not apart.all():
        handles.insert(0, dot(f"{unit}, not told apart from 0", look, color=ALIKE))
    return handles


def _finding(value: pd.Series, kinds: Sequence[str], reference: str) -> str:
    """Say with which strategies estimates scatter least and most."""
    whose = f"Slopes ({kind_label(kinds[0])})" if len(kinds) > 1 else "Estimates"
    if value.empty:
        return f"{whose} cannot be compared with those by {quoted_label(reference)}"
    names = [quoted_label(str(name)) for name in value.index]
    than = f"than with {quoted_label(reference)}"
    if len(value) == 1:
        return f"{whose} scatter {_more(value.iloc[0])} with {names[0]} {than}"
    least = f"least with {names[0]} ({_more(value.iloc[0])} {than})"
    most = f"most with {names[-1]} ({_more(value.iloc[-1])})"
    if value.iloc[0] >= 0:
        least = f"less with none {than}"
    elif value.iloc[-1] <= 0:
        most = f"more with none {than}"
    return f"{whose} scatter {least} and {most}"


def _more(value: float) -> str:
    percent = f"{abs(value):.0f}" if abs(value) >= 10 else f"{abs(value):.2g}"
    return f"{percent} % {'less' if value < 0 else 'more'}"


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
        number = f"{row['value']:+.0f}" if abs(row["value"]) >= 10 else f"{row['value']:+.2g}"
        size = f"{number.replace('-', '−')} {'%' if one.relative else 'points'}"
        extremes.append(f"{name} {size} ({where})")
    told = (
        "Told apart: 0 is outside the 95 % interval from the paired Monte Carlo SE, as it is in 1 "
        "of 20 cells without a difference. "
    )
    return (
        f"Largest differences: {', '.join(extremes)}. {told if several else ''}Scatter: empirical "
        "SE, or interquartile range where the variance is not finite. Power counts only where "
        "coverage is held. performance.reference sets the reference. "
        f"{counted(count, 'sim')} per cell. {abbreviations(several)}"
    ).rstrip()
