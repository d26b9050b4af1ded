"""Whether the standard errors are as large as the estimates scatter."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd
from matplotlib.figure import Figure

from clustrategy.figures.parts.measure_rows import Panels, draw_panels
from clustrategy.figures.parts.options import Options


def percent(share: float) -> str:
    """Write a share in percent, with its sign."""
    return f"{100 * share:+.0f}%".replace("-", "−") if share else "0%"


PANELS = Panels(
    "relative_error",
    "Standard errors: too small (below zero) or too large",
    "relative error of the model SE",
    target=0.0,
    write=percent,
    caption="Average model SE (root mean square) over the empirical SE, less 1.",
)


def relative_error(
    performance: pd.DataFrame,
    *,
    factors: Sequence[str],
    strategies: Sequence[str],
    options: Options,
) -> Figure:
    """Draw the relative error of the model SE, cell by cell.

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
