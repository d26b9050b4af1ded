"""How often the intervals hold the truth."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd
from matplotlib.figure import Figure

from clustrategy.core.inference import CONFIDENCE
from clustrategy.figures.parts.measure_rows import Panels, draw_panels
from clustrategy.figures.parts.options import Options

PANELS = Panels(
    "coverage",
    "Coverage: how often the 95 % interval holds the true slope",
    "coverage (square-root scale of what it lacks to 1)",
    target=CONFIDENCE,
    pale="bias_eliminated_coverage",
    legend=("of the true value", "of the mean estimate (bias-eliminated coverage)"),
    caption=(
        "Line: the nominal 95 %; band: where 95 % of the coverages of right intervals are. Where "
        "the pale mark, coverage of the mean estimate, is the higher, bias takes its part."
    ),
)


def coverage(
    performance: pd.DataFrame,
    *,
    factors: Sequence[str],
    strategies: Sequence[str],
    options: Options,
) -> Figure:
    """Draw the coverage of the 95 % intervals, cell by cell.

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
