"""How often a test finds what is not there."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd
from matplotlib.figure import Figure

from clustrategy.figures.parts.measure_rows import Panels, draw_panels
from clustrategy.figures.parts.options import Options


def type_i_error(
    performance: pd.DataFrame,
    *,
    factors: Sequence[str],
    strategies: Sequence[str],
    options: Options,
) -> Figure:
    """Draw how often slopes of zero are rejected, cell by cell.

    Parameters
    ----------
    performance : DataFrame
        The performance table.
    factors, strategies : sequence of str
        The study's factors, and its strategies in order.
    options : Options
        The settings of the look, `dgp` and `alpha`.
    """
    panels = Panels(
        "rejection_rate",
        "Type I error: how often a slope of zero is declared different from zero",
        "rejection rate where the truth is zero (square-root scale)",
        target=options["alpha"],
        truth="zero",
        caption=(
            "Line: the nominal level; band: where 95 % of the rates of a test that keeps it are."
        ),
    )
    return draw_panels(performance, panels, factors=factors, strategies=strategies, options=options)
