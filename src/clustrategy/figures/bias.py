"""Whether the estimates are right on average."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd
from matplotlib.figure import Figure

from clustrategy.figures.parts.measure_rows import Panels, draw_panels
from clustrategy.figures.parts.options import Options

PANELS = Panels(
    "bias",
    "Bias: mean estimate less the true slope, in standard errors",
    "bias / empirical SE",
    target=0.0,
    standardised=True,
    substitute="median_bias",
    caption=(
        "Mean of the estimates less the true value, in units of the empirical SE (the bias "
        "itself is in the table); line: no bias; band: where 95 % of the marks are of strategies "
        "that have none."
    ),
)


def bias(
    performance: pd.DataFrame,
    *,
    factors: Sequence[str],
    strategies: Sequence[str],
    options: Options,
) -> Figure:
    """Draw the bias in units of the empirical SE, cell by cell.

    Parameters
    ----------
    performance : DataFrame
        The performance table.
    factors, strategies : sequence of str
        The study's factors, and its strategies in order.
    options : Options
        The settings of the look, and `dgp`.
    """
    return draw_panels(performance, PANELS, factors=factors, strategies=strategies, options=options)
