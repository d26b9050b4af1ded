"""How often a test finds what is there."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd
from matplotlib.figure import Figure

from clustrategy.figures.parts.measure_rows import Panels, draw_panels
from clustrategy.figures.parts.options import Options

PANELS = Panels(
    "rejection_rate",
    "Power: how often a slope that is not zero is declared different from zero",
    "rejection rate where the truth is not zero",
    target=None,
    truth="nonzero",
    pale="size_adjusted_power",
    legend=("power", "size-adjusted power"),
    caption=(
        "Power counts for something only where the type I error is held; pale marks: power at "
        "the critical value with which the test would keep its level where the truth is zero. "
        "Dotted line: the level."
    ),
)


def power(
    performance: pd.DataFrame,
    *,
    factors: Sequence[str],
    strategies: Sequence[str],
    options: Options,
) -> Figure:
    """Draw how often slopes that are not zero are found, cell by cell.

    Parameters
    ----------
    performance : DataFrame
        The performance table.
    factors, strategies : sequence of str
        The study's factors, and its strategies in order.
    options : Options
        The settings of the look, `dgp` and `alpha`.
    """
    return draw_panels(performance, PANELS, factors=factors, strategies=strategies, options=options)
