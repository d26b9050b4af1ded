"""How large the t statistics are."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd
from matplotlib.figure import Figure

from clustrategy.figures.parts.options import Options
from clustrategy.figures.parts.score_boxes import draw_boxes


def t_statistics(
    scores: pd.DataFrame,
    *,
    factors: Sequence[str],
    strategies: Sequence[str],
    options: Options,
) -> Figure:
    """Draw the sum of each fit's absolute t statistics.

    Parameters
    ----------
    scores : DataFrame
        The scores.
    factors, strategies : sequence of str
        The study's factors, and its strategies in order.
    options : Options
        The settings of the look.
    """
    return draw_boxes(
        scores,
        "t_sum",
        "t statistics",
        "sum of absolute t statistics",
        factors=factors,
        strategies=strategies,
        options=options,
    )
