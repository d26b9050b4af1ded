"""How large the standard errors are, beside those that would be honest."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd
from matplotlib.figure import Figure

from clustrategy.figures.parts.extremes import worst_and_best, worst_values
from clustrategy.figures.parts.factors import varied
from clustrategy.figures.parts.honesty import against_honest, empirical_errors, over_coefficients
from clustrategy.figures.parts.labels import abbreviations
from clustrategy.figures.parts.score_boxes import ScoreBoxes
from clustrategy.figures.parts.study import Study


def standard_errors(scores: pd.DataFrame, performance: pd.DataFrame, *, study: Study) -> Figure:
    """Draw the sum of each fit's standard errors, and the sum of the honest ones."""
    boxes = ScoreBoxes(scores, "se_sum", study)
    honest = over_coefficients(empirical_errors(performance, study.factors), study.factors)
    boxes.mark(honest)
    ratios = against_honest(boxes.medians, honest)
    boxes.compose(
        title=_finding(ratios, varied(scores, study.factors)),
        subtitle="Standard errors: sum over a fit's coefficients",
        mark="" if ratios.empty else "honest: what the estimates scatter by",
        caption=""
        if ratios.empty
        else "Black: the empirical SEs of the strategy's own estimates, summed over coefficients; "
        "none where estimates have no finite variance. "
        + abbreviations(varied(scores, study.factors)),
    )
    return boxes.grid.figure


def _finding(ratios: pd.DataFrame, several: Sequence[str]) -> str:
    """Say whose standard errors are farthest from honest ones, and whose are nearest."""
    if ratios.empty:
        return "No strategy has standard errors and an empirical SE to judge them by"
    return worst_and_best(
        worst_values(ratios),
        lambda row: f"Standard errors of {row['who']} are {_off(row['value'])}{row['cell']}",
        lambda row: f"those of {row['who']} {_off(row['value'])} at worst",
        several,
    )


def _off(ratio: float) -> str:
    share = f"{100 * abs(ratio - 1):.0f} %"
    return f"{share} too {'small' if ratio < 1 else 'large'}"
