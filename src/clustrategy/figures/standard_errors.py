"""How large the standard errors are, beside those that would be honest."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd
from matplotlib.figure import Figure

from clustrategy.figures.parts.factors import varied
from clustrategy.figures.parts.honesty import (
    empirical_errors,
    name_and_cell,
    over_coefficients,
    worst_and_best,
)
from clustrategy.figures.parts.labels import abbreviations
from clustrategy.figures.parts.options import Options
from clustrategy.figures.parts.score_boxes import ScoreBoxes
from clustrategy.figures.parts.style import Look


def standard_errors(
    scores: pd.DataFrame,
    performance: pd.DataFrame,
    *,
    factors: Sequence[str],
    strategies: Sequence[str],
    options: Options,
) -> Figure:
    """Draw the sum of each fit's standard errors, and the sum of the honest ones."""
    look = Look.from_options(options)
    boxes = ScoreBoxes(scores, "se_sum", look, factors=factors, strategies=strategies)
    honest = over_coefficients(empirical_errors(performance, factors), factors)
    boxes.mark(honest)
    ratios = (boxes.medians / honest).dropna()
    boxes.compose(
        title=_finding(ratios, varied(scores, factors), factors),
        subtitle="Standard errors: sum over a fit's coefficients",
        mark="" if ratios.empty else "honest: what the estimates scatter by",
        caption=""
        if ratios.empty
        else "Black: the empirical SEs of the strategy's own estimates, summed over coefficients; "
        "none where estimates have no finite variance. " + abbreviations(varied(scores, factors)),
    )
    return boxes.grid.figure


def _finding(ratios: pd.Series, several: Sequence[str], factors: Sequence[str]) -> str:
    """Say whose standard errors are farthest from honest ones, and whose are nearest."""
    if ratios.empty:
        return "No strategy has standard errors and an empirical SE to judge them by"
    worst, best = worst_and_best(ratios)
    name, cell = name_and_cell(worst, several, factors)
    first = f"Standard errors of {name} are {_off(ratios[worst])}{cell}"
    if worst[-1] == best[-1]:
        return first
    name, _ = name_and_cell(best, several, factors)
    return f"{first}, those of {name} {_off(ratios[best])} at worst"


def _off(ratio: float) -> str:
    share = f"{100 * abs(ratio - 1):.0f} %"
    return f"{share} too {'small' if ratio < 1 else 'large'}"
