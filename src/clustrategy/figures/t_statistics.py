"""How large the t statistics are, beside those that honest standard errors would give."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd
from matplotlib.figure import Figure

from clustrategy.figures.parts.files import Rows
from clustrategy.figures.parts.honesty import beside_honest, empirical_errors
from clustrategy.figures.parts.score_boxes import ScoreBoxes
from clustrategy.figures.parts.study import Study


def t_statistics(
    scores: pd.DataFrame, performance: pd.DataFrame, estimates: Rows, *, study: Study
) -> Figure:
    """Draw the sum of each fit's absolute t statistics, and its median with honest SEs."""
    return beside_honest(
        ScoreBoxes(scores, "t_sum", study),
        honest_medians(estimates, performance, study.factors),
        what="t statistics",
        subtitle="t statistics: sum of the absolute ones of a fit's coefficients",
        mark="median with honest standard errors",
        lead="A large t is not a good one. ",
        caption="Black: the median sum of |estimate| / empirical SE, which a strategy would report "
        "if it knew by how much its estimates scatter; none where they have no finite variance.",
        first=lambda row: (
            f"|t| of {row['who']} is {row['value']:.2g} times what honest standard errors give"
            f"{row['cell']}"
        ),
        last=lambda row: f"of {row['who']} {row['value']:.2g} times at worst",
    )


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
