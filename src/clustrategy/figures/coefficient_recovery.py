"""How far the estimates are from the true coefficients."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from clustrategy.figures.parts.intervals import median_interval
from clustrategy.figures.parts.labels import quoted_label, strategy_label
from clustrategy.figures.parts.scales import label_ticks
from clustrategy.figures.parts.score_boxes import BOX, ScoreBoxes
from clustrategy.figures.parts.strokes import strokes
from clustrategy.figures.parts.study import Study
from clustrategy.figures.parts.style import INK, Look

SCORE = "coef_abs_err"
RATIOS = np.array([0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 0.8, 0.9, 1, 1.1, 1.25, 2, 5, 10, 20, 50, 100])


def coefficient_recovery(scores: pd.DataFrame, *, study: Study) -> Figure:
    """Draw the sum of the absolute errors of each fit's coefficients, and ratios to a reference."""
    reference = study.options.get("reference") or study.strategies[0]
    ratios = paired_ratios(scores, reference, study.factors)
    ratios = ratios[ratios["strategy"].isin(study.strategies)]
    boxes = ScoreBoxes(scores, SCORE, study, below=not ratios.empty)
    if not ratios.empty:
        _draw_ratios(boxes, ratios, reference, study.look)
    caption = (
        "Bottom row: a mark for each cell of the column above, the median over datasets of a "
        f"strategy's error over that of {strategy_label(reference)} on the same dataset, and its "
        "95 % interval."
    )
    boxes.compose(
        title=_finding(boxes, ratios, reference),
        subtitle="Coefficient recovery: sum of the absolute errors of a fit's coefficients",
        caption="" if ratios.empty else caption,
    )
    return boxes.grid.figure


def paired_ratios(scores: pd.DataFrame, reference: str, factors: Sequence[str]) -> pd.DataFrame:
    """Return the medians of the ratios to the reference's score on the same dataset.

    Returns
    -------
    DataFrame
        Factors, strategy, value, low and high: the ends of the median's 95 % interval.
    """
    wide = scores.pivot(index=[*factors, "sim"], columns="strategy", values=SCORE)
    if reference not in wide:
        return pd.DataFrame(columns=[*factors, "strategy", "value", "low", "high"])
    ratio = wide.drop(columns=reference).div(wide[reference].where(wide[reference] > 0), axis=0)
    rows = []
    for cell, mine in ratio.groupby(level=[*factors]):
        levels = cell if isinstance(cell, tuple) else (cell,)
        for strategy, values in mine.items():
            found = values[np.isfinite(values)].to_numpy()
            if len(found):
                rows.append((*levels, strategy, np.median(found), *median_interval(found)))
    return pd.DataFrame(rows, columns=[*factors, "strategy", "value", "low", "high"])


def _draw_ratios(boxes: ScoreBoxes, ratios: pd.DataFrame, reference: str, look: Look) -> None:
    """Draw the ratios of each column's cells below it."""
    grid = boxes.grid
    for axes, levels in zip(grid.below, grid.column_levels, strict=True):
        mine = ratios[(ratios[grid.columns] == list(levels)).all(axis=1)]
        for strategy, part in mine.groupby("strategy"):
            colour = boxes.colours[str(strategy)]
            x = boxes.x(part)
            ends = part[["low", "high"]].to_numpy()
            bars = np.repeat(x[:, None], 2, axis=1)
            strokes(axes, bars, ends, edgecolor=colour, linewidth=look.line)
            across = x[:, None] + BOX * boxes.slot / 2 * np.array([-1, 1])
            value = part["value"].to_numpy()[:, None]
            strokes(axes, across, value, edgecolor=colour, linewidth=2.4 * look.line, zorder=3)
        axes.axhline(1, color=INK, linewidth=look.line, zorder=1)
    first = grid.below[0]
    words = f"relative to {strategy_label(reference)}"
    first.set_title(words, loc="left", fontsize=look.text, color=INK)
    first.set_yscale("log")
    ends = ratios[["value", "low", "high"]].to_numpy()
    low, high = min(np.nanmin(ends) / 1.05, 0.95), max(np.nanmax(ends) * 1.05, 1.05)
    first.set_ylim(low, high)
    apart = 0.16 * np.log(high / low)
    ticks = [1.0]
    for tick in sorted(RATIOS, key=lambda ratio: abs(np.log(ratio))):
        if min(abs(np.log(tick / other)) for other in ticks) > apart:
            ticks.append(float(tick))
    label_ticks(first.yaxis, ticks, lambda ratio: f"{ratio:g} ×")


def _finding(boxes: ScoreBoxes, ratios: pd.DataFrame, reference: str) -> str:
    """Say how far the strategies are apart or, of one, how large its errors are."""
    if boxes.shown.empty:
        return "No fit gave an error: there is nothing to compare"
    of = quoted_label(reference)
    if ratios.empty:
        ends = boxes.medians.min(), boxes.medians.max()
        words = f"{ends[0]:.2g} to {ends[1]:.2g}" if len(boxes.medians) > 1 else f"{ends[0]:.2g}"
        who = quoted_label(boxes.medians.index[0][-1])
        return f"The median error of {who} is {words}"
    least, most = (ratios.loc[ratios["value"].agg(which)] for which in ("idxmin", "idxmax"))
    names = [quoted_label(str(row["strategy"])) for row in (least, most)]
    first = f"{least['value']:.2f} times" + ("" if names[0] == names[1] else f" ({names[0]})")
    if len(ratios) == 1:
        return f"Errors of {names[1]} are {first} those of {of} on the same data"
    return (
        f"Errors are {first} to {most['value']:.2f} times ({names[1]}) those of {of} on the same "
        "data"
    )
