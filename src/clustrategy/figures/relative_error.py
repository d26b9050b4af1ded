"""Whether the standard errors are as large as the estimates scatter."""

from __future__ import annotations

from statistics import NormalDist

import pandas as pd
from matplotlib.figure import Figure

from clustrategy.figures.parts.cells import worst_established
from clustrategy.figures.parts.labels import too_large
from clustrategy.figures.parts.measure_dots import CHANCE, Measure, draw_measure
from clustrategy.figures.parts.study import Study


def signed_percent(share: float) -> str:
    """Write a share in percent, with its sign."""
    return f"{100 * share:+.0f} %".replace("-", "−") if abs(share) >= 0.005 else "0 %"


def _finding(worst: pd.DataFrame, values: pd.DataFrame, cell: str) -> str:
    """Say whose standard errors are off by more than the worst of so many are by chance."""
    tail = worst["value"].abs().div(worst["mcse"]).map(NormalDist().cdf).rsub(1)
    off = worst[2 * tail * len(values) <= CHANCE]
    if off.empty:
        return (
            f"No standard errors are shown to be off: the largest of {len(values):,} relative "
            f"errors, {signed_percent(worst.iloc[0]['value'])}, can be chance alone"
        )
    return worst_established(
        worst,
        off,
        lambda row: (
            f"Standard errors of {row['who']} are {too_large(row['value'])} in their worst {cell}"
        ),
        lambda row: f"those of {row['who']} {too_large(row['value'])}",
        "shown to be off",
    )


RELATIVE_ERROR = Measure(
    "relative_error",
    "Relative error of the model SE: its root mean square over the empirical SE, less 1",
    "relative error of the model SE",
    target=0.0,
    unit=0.05,
    write=signed_percent,
    finding=_finding,
)


def relative_error(performance: pd.DataFrame, *, study: Study) -> Figure:
    """Draw the relative error of the model SE, cell by cell."""
    return draw_measure(performance, RELATIVE_ERROR, study)
