"""How large the t statistics are, beside those that honest standard errors would give."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd
from matplotlib.figure import Figure

from clustrategy.figures.parts.extremes import worst_and_best, worst_values
from clustrategy.figures.parts.factors import varied
from clustrategy.figures.parts.files import Rows
from clustrategy.figures.parts.honesty import against_honest, empirical_errors
from clustrategy.figures.parts.labels import abbreviations
from clustrategy.figures.parts.score_boxes import ScoreBoxes
from clustrategy.figures.parts.study import Study


def t_statistics(
    scores: pd.DataFrame, performance: pd.DataFrame, estimates: Rows, *, study: Study
) -> Figure:
    """Draw the sum of each fit's absolute t statistics, and its median with honest SEs."""
    boxes = ScoreBoxes(scores, "t_sum", study)
    honest = honest_medians(estimates, performance, study.factors)
    boxes.mark(honest)
    ratios = against_honest(boxes.medians, honest)
    boxes.compose(
        title=_finding(ratios, varied(scores, study.factors)),
        subtitle="t statistics: sum of the absolute ones of a fit's coefficients",
        mark="" if ratios.empty else "median with honest standard errors",
        caption="A large t is not a good one. "
        + (
            ""
            if ratios.empty
            else "Black: the median sum of |estimate| / empirical SE, which a strategy would "
            "report if it knew by how much its estimates scatter; none where they have no finite "
            "variance. " + abbreviations(varied(scores, study.factors))
        ),
    )
    return boxes.grid.figure


def honest_medians(estimates: Rows, performance: pd.DataFrame, factors: Sequence[str]) -> pd.Series:
    """Return the median sum of absolute estimates over empirical SEs, by cell and strategy."""
    key = [*factors, "strategy", "term"]
    unit = empirical_errors(performance, factors).rename("unit").reset_index()
    rows = estimates.read([*key, "sim", "estimate"], {})
    rows = rows.astype({"strategy": str, "term": str}).merge(unit, on=key)
    ratio = rows["estimate"].abs() / rows["unit"].where(rows["unit"] > 0)
    fits = [*factors, "strategy", "sim"]
    sums = rows.assign(ratio=ratio).groupby(fits)["ratio"].agg(["sum", "count", "size"])
    whole = sums["sum"].where(sums["count"] == sums["size"])
    return whole.groupby(level=[*factors, "strategy"]).median()


def _finding(ratios: pd.DataFrame, several: Sequence[str]) -> str:
    """Say whose t statistics are farthest from what honest ones would be, and whose nearest."""
    if ratios.empty:
        return "No strategy has t statistics and an empirical SE to judge them by"
    times = "{:.2g} times what honest standard errors give"
    return worst_and_best(
        worst_values(ratios),
        lambda row: f"|t| of {row['who']} is {times.format(row['value'])}{row['cell']}",
        lambda row: f"of {row['who']} {row['value']:.2g} times at worst",
        several,
    )
