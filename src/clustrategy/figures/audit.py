"""How far a study's engines are from the reference engines."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import PercentFormatter

from clustrategy.audit.tolerances import LEAST_SQUARES
from clustrategy.core.counted import listed
from clustrategy.core.scenarios import NAMES, SCENARIO
from clustrategy.figures.parts.audited_fits import (
    COMPARED,
    ENGINE_AT_FAULT,
    FAILED,
    OUTCOMES,
    REFERENCE_AT_FAULT,
    STATSMODELS,
    ComparedNumber,
    differences,
    in_words,
    outcomes,
)
from clustrategy.figures.parts.frame import compose, dot, nothing, strategy_handles
from clustrategy.figures.parts.labels import CLUSTERS, OBSERVATIONS
from clustrategy.figures.parts.scales import FLOOR, label_powers, power_label
from clustrategy.figures.parts.slots import name_levels, slots
from clustrategy.figures.parts.stacks import draw_stacks, outcome_handles
from clustrategy.figures.parts.study import Study
from clustrategy.figures.parts.style import (
    MUTED,
    WRONG,
    Colour,
    Look,
    dress,
    name_axes,
    new_figure,
    note,
)

SUBTITLE = "Audit: differences between a fit and the same fit by a reference engine"
MANY = 1000
MARKERS = {"lme4": "o", "lme4_unbounded": "^", "glmm": "D", STATSMODELS: "s"}
REFERENCES = {"lme4_unbounded": "lme4 without bounds"}
FOUND = {
    "reference_short": "missed the optimum",
    "reference_slack": "stopped within its tolerance of the optimum",
    "reference_df": "had other, numerical degrees of freedom",
}
"""What a reference did where it is off, as verbs."""

Level = tuple[Any, ...]


def audit(table: pd.DataFrame, *, study: Study) -> Figure:
    """Draw how far engine and references are apart, a panel for each number."""
    look = study.look
    away = differences(table, study.factors)
    if away.empty:
        return nothing(look, "No fit was compared with one by a reference engine", SUBTITLE)
    names = [name for name in study.strategies if (away["strategy"] == name).any()]
    colours = look.strategy_colours(study.strategies)
    by = [SCENARIO] if study.is_of_a_table else [CLUSTERS, OBSERVATIONS]
    levels = _levels(away, by)
    away["x"] = _places(away, by, levels, names)
    away["colour"] = away["strategy"].map(colours)
    by_lme4 = outcomes(table, study.factors)
    by_lme4 = by_lme4[by_lme4["strategy"].isin(names)]

    numbers = [number for number in COMPARED if away[number.name].notna().any()]
    count = len(numbers) + (not by_lme4.empty)
    if not numbers:
        reason = f"None of the {len(away):,} comparisons has numbers of both engines"
        return nothing(look, reason, SUBTITLE, _caption(away, study.factors))
    labels = ["×".join(map(str, level)) for level in levels]
    longest = max(map(len, labels))
    crowded = len(labels) * (longest + 1) * 0.64 * look.text > 64 * look.width
    # Names that stand upright are to leave the panels their height; sizes are short.
    below = 0.64 * longest * look.text / 72 if crowded and study.is_of_a_table else 0.0
    figure = new_figure(look, look.printed(0.975) * max(count, 2) + below)
    panels = figure.subplots(count, 1, sharex=True, squeeze=False)[:, 0]
    columns = [*(number.name for number in COMPARED), "reference_criterion"]
    top = int(np.ceil(np.log10(np.fmax.reduce(away[columns], axis=None, initial=1.0)))) + 1
    for axes, number in zip(panels, numbers, strict=False):
        axes.sharey(panels[0])
        name_axes(axes, look, title=number.title)
        _draw_bounds(axes, number, away, look)
        _draw_marks(axes, number, away, look)
        dress(axes, look)
        axes.set_yscale("log")
        axes.set_ylim(FLOOR / 10, 10.0**top)
        label_powers(axes.yaxis, range(-12, top, 4))
    ended: list[str] = []
    if not by_lme4.empty:
        ended = _draw_lme4(panels[-1], by_lme4, by, levels, names, colours, look)
    name_levels(panels, labels, crowded)
    compose(
        figure,
        look,
        title=_finding(away),
        subtitle=SUBTITLE,
        legends=[
            strategy_handles(names, colours),
            _mark_handles(away, look),
            outcome_handles([OUTCOMES[name] for name in ended]),
        ],
        xlabel=SCENARIO if study.is_of_a_table else "clusters × observations per cluster",
        caption=_caption(away, study.factors) + ("" if by_lme4.empty else f" {in_words(by_lme4)}"),
    )
    return figure


def _finding(away: pd.DataFrame) -> str:
    """Say how many comparisons agree, and whose fault the others are."""
    count = len(away)
    agree = int((away["verdict"] == "agree").sum())
    wrong = int(away["verdict"].isin(ENGINE_AT_FAULT).sum())
    if agree == count:
        return f"Our engines and the references agree in all {count:,} comparisons"
    if wrong:
        return f"Our engine is at fault in {wrong:,} of {count:,} comparisons"
    off = []
    for reference, mine in away.groupby("reference", sort=False):
        counts = mine["verdict"].value_counts()
        did = [f"{FOUND[verdict]} in {counts[verdict]:,}" for verdict in FOUND if verdict in counts]
        if len(did) > 1 and "reference_short" in counts:
            did[1] = did[1].replace("tolerance of the optimum", "tolerance of it")
        off += [f"{REFERENCES.get(str(reference), str(reference))} {listed(did)}"] * bool(did)
    said = "; ".join(off or [f"{agree:,} agree"])
    return f"No fault of ours in {count:,} comparisons; {said}"


def _draw_lme4(
    axes: Axes,
    fits: pd.DataFrame,
    by: Sequence[str],
    levels: Sequence[Level],
    names: Sequence[str],
    colours: Mapping[str, Colour],
    look: Look,
) -> list[str]:
    """Draw how lme4's fits ended, a bar for each level and strategy; return the outcomes met."""
    centres, width = slots(len(levels), len(names))
    found = fits.groupby([*by, "strategy", "outcome"]).size().unstack()
    counts = found.reindex(columns=["ok", *OUTCOMES]).fillna(0)
    x = [centres[levels.index(tuple(level)), names.index(name)] for *level, name in counts.index]
    shares = counts.div(counts.sum(axis=1), axis=0)[[*OUTCOMES]].to_numpy()
    paint = [colours[name] for *_, name in counts.index]
    draw_stacks(axes, np.array(x), 0.84 * width, shares, [*OUTCOMES.values()], paint, look)
    dress(axes, look)
    name_axes(axes, look, title="lme4: share of its fits that are not in order")
    axes.set_ylim(0, 1.02)
    axes.yaxis.set_major_formatter(PercentFormatter(1))
    return [name for name in OUTCOMES if counts[name].any()]


def _levels(away: pd.DataFrame, by: Sequence[str]) -> list[Level]:
    """Return the levels of the x axis: sizes by number, scenarios in their order."""
    found = set(away[[*by]].itertuples(index=False, name=None))
    if by == [SCENARIO]:
        return [(name,) for name in NAMES if (name,) in found]
    return sorted(found)


def _places(
    away: pd.DataFrame, by: Sequence[str], levels: Sequence[Level], names: Sequence[str]
) -> np.ndarray:
    """Return the x position of each mark, side by side at its level and strategy."""
    centres, width = slots(len(levels), len(names))
    groups = away.groupby([*by, "strategy"])["sim"]
    inside = (groups.cumcount() + 0.5) / groups.transform("size") - 0.5
    rows = [levels.index(level) for level in away[[*by]].itertuples(index=False, name=None)]
    return centres[rows, [names.index(name) for name in away["strategy"]]] + 0.8 * width * inside


def _draw_bounds(axes: Axes, number: ComparedNumber, away: pd.DataFrame, look: Look) -> None:
    """Draw and label what is allowed, for mixed models and for least squares."""
    mixed = away["reference"] != STATSMODELS
    bounds = {"--": number.bound} if mixed.any() and np.isfinite(number.bound) else {}
    if away.loc[~mixed, number.name].notna().any():
        bounds[":"] = LEAST_SQUARES
    for dash, bound in bounds.items():
        axes.axhline(bound, color=MUTED, linewidth=1.5 * look.line, linestyle=dash, zorder=1)
        style: dict[str, Any] = {"xycoords": axes.get_yaxis_transform(), "va": "center"}
        style |= {"size": look.text, "color": MUTED}
        note(axes, power_label(bound), (1, bound), (3, 0), **style)


def _draw_marks(axes: Axes, number: ComparedNumber, away: pd.DataFrame, look: Look) -> None:
    """Draw the fits in colour, and with marks of their own where reference or engine is off."""
    faulty = away["verdict"].isin(number.faults)
    wrong = away["verdict"].isin(ENGINE_AT_FAULT)
    y = away[number.name]
    if number.name == "criterion":
        y = y.where(~faulty, away["reference_criterion"])
    shown = away.assign(y=y.clip(lower=FLOOR))
    many = len(away) > MANY
    area = look.printed(1.6 if many else 2.8) ** 2
    style: dict[str, Any] = {"linewidth": 0, "alpha": 0.5 if many else 0.8, "zorder": 3}
    ring: dict[str, Any] = {"facecolor": "none", "edgecolor": MUTED, "linewidth": look.line}
    cross: dict[str, Any] = {"color": WRONG, "linewidth": 2 * look.line, "zorder": 4}
    for reference, marker in MARKERS.items():
        mine = away["reference"] == reference
        right, apart = shown[mine & ~(faulty | wrong)], shown[mine & faulty]
        style |= {"color": list(right["colour"]), "marker": marker}
        axes.scatter("x", "y", data=right, s=area, **style)
        axes.scatter("x", "y", data=apart, s=1.5 * area, marker=marker, zorder=2, **ring)
    axes.scatter("x", "y", data=shown[wrong], s=4 * area, marker="x", **cross)


def _mark_handles(away: pd.DataFrame, look: Look) -> list[Line2D]:
    """Return a legend's entries for the marks, with counts of what is off."""
    met, size = set(away["reference"]), look.printed(4)
    shapes = {name: marker for name, marker in MARKERS.items() if name in met}
    handles = [dot(name, look, marker=shape, markersize=size) for name, shape in shapes.items()]
    ring: dict[str, Any] = {"color": MUTED, "markerfacecolor": "none", "markersize": size}
    cross: dict[str, Any] = {"color": WRONG, "marker": "x", "markersize": size}
    off = ("reference", REFERENCE_AT_FAULT, ring), ("engine", ENGINE_AT_FAULT, cross)
    for words, faults, mark in off:
        if count := away["verdict"].isin(faults).sum():
            handles.append(dot(f"{words} off: {count:,}", look, **mark))
    return handles


def _caption(away: pd.DataFrame, factors: Sequence[str]) -> str:
    counts = away["verdict"].value_counts()
    faults, failed = (
        [f"{words} {counts[verdict]:,}" for verdict, words in of.items() if verdict in counts]
        for of in (REFERENCE_AT_FAULT, FAILED)
    )
    caption = (
        f"{len(away):,} comparisons of a fit with one by a reference engine, on "
        f"{away.groupby([*factors, 'sim']).ngroups:,} datasets; each mark is the largest "
        "difference of a fit's coefficients. Lines: what is allowed, dotted for least squares."
    )
    if faults:
        caption += f" Reference off: {', '.join(faults)}."
    if failed:
        caption += f" No numbers from: {', '.join(failed)}."
    return caption
