"""Scores beside what honest standard errors, by which estimates do scatter, would make of them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from clustrategy.evaluation.measures import NO_VARIANCE
from clustrategy.figures.parts.cells import Says, varied, worst_and_best, worst_values
from clustrategy.figures.parts.labels import abbreviations
from clustrategy.figures.parts.performance import case_wise
from clustrategy.figures.parts.score_boxes import ScoreBoxes


def empirical_errors(performance: pd.DataFrame, factors: Sequence[str]) -> pd.Series:
    """Return the empirical SE by cell, strategy and term, NaN where it does not settle."""
    rows = case_wise(performance, "empirical_se").set_index([*factors, "strategy", "term"])
    return rows["value"].mask(rows["note"] == NO_VARIANCE).astype(float)


def beside_honest(
    boxes: ScoreBoxes,
    honest: pd.Series,
    *,
    what: str,
    subtitle: str,
    mark: str,
    caption: str,
    lead: str = "",
    first: Says,
    last: Says,
) -> Figure:
    """Mark the honest values, by cell and strategy, and say whose medians are farthest from them.

    The other arguments are words: what the scores are and what `worst_and_best` and
    `ScoreBoxes.compose` take; of the caption just the lead stands where there is nothing to judge.
    """
    several = varied(boxes.scores, boxes.factors)
    boxes.mark(honest)
    ratios = (boxes.medians / honest).rename("value").replace(0, np.nan).dropna().reset_index()
    if ratios.empty:
        title = f"No strategy has {what} and an empirical SE to judge them by"
        mark = caption = ""
    else:
        worst = worst_values(ratios.assign(away=np.abs(np.log(ratios["value"]))))
        title = worst_and_best(worst, first, last, several)
        caption = f"{caption} {abbreviations(several)}"
    boxes.compose(title=title, subtitle=subtitle, mark=mark, caption=lead + caption)
    return boxes.grid.figure
