"""Whether the estimates are right on average."""

from __future__ import annotations

import pandas as pd
from matplotlib.figure import Figure
from scipy.special import stdtr

from clustrategy.figures.parts.cells import worst_established
from clustrategy.figures.parts.labels import signed
from clustrategy.figures.parts.measure_dots import CHANCE, Measure, draw_measure
from clustrategy.figures.parts.study import Study


def _finding(worst: pd.DataFrame, values: pd.DataFrame, cell: str) -> str:
    """Say whose bias is the largest, if it is more than the largest of so many is by chance."""
    tail = stdtr((worst["n"] - 1).clip(lower=1), -worst["value"].abs() * worst["n"] ** 0.5)
    off = worst[2 * tail * len(values) <= CHANCE]
    if off.empty:
        size = f"{abs(worst.iloc[0]['value']):.2g} empirical SEs"
        return (
            f"No strategy is found biased: the largest of {len(values):,} mean errors is {size}, "
            "which chance alone can make"
        )
    return worst_established(
        worst,
        off,
        lambda row: (
            f"The mean estimate of {row['who']} is {abs(row['value']):.2g} empirical SEs off in "
            f"its worst {cell}"
        ),
        lambda row: f"that of {row['who']} {abs(row['value']):.2g}",
        "found biased",
    )


BIAS = Measure(
    "bias",
    "Bias: mean estimate less the true slope, in empirical SEs",
    "bias / empirical SE",
    target=0.0,
    unit=0.1,
    write=signed,
    finding=_finding,
    caption="The bias in units of the outcome is in the tables.",
    standardised=True,
)


def bias(performance: pd.DataFrame, *, study: Study) -> Figure:
    """Draw the bias in units of the empirical SE, cell by cell."""
    return draw_measure(performance, BIAS, study)
