"""How large the standard errors are, beside those that would be honest."""

from __future__ import annotations

import pandas as pd
from matplotlib.figure import Figure

from clustrategy.figures.parts.honesty import beside_honest, empirical_errors
from clustrategy.figures.parts.labels import too_large
from clustrategy.figures.parts.score_boxes import ScoreBoxes
from clustrategy.figures.parts.study import Study


def standard_errors(scores: pd.DataFrame, performance: pd.DataFrame, *, study: Study) -> Figure:
    """Draw the sum of each fit's standard errors, and the sum of the honest ones."""
    errors = empirical_errors(performance, study.factors)
    by = errors.groupby(level=[*study.factors, "strategy"], observed=True)
    return beside_honest(
        ScoreBoxes(scores, "se_sum", study),
        by.agg(lambda each: each.to_numpy().sum()),
        what="standard errors",
        subtitle="Standard errors: sum over a fit's coefficients",
        mark="honest: what the estimates scatter by",
        caption="Black: the empirical SEs of the strategy's own estimates, summed over "
        "coefficients; none where estimates have no finite variance.",
        first=lambda row: (
            f"Standard errors of {row['who']} are {too_large(row['value'] - 1)}{row['cell']}"
        ),
        last=lambda row: f"those of {row['who']} {too_large(row['value'] - 1)} at worst",
    )
