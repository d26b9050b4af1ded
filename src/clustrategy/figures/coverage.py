"""How often the intervals hold the truth."""

from __future__ import annotations

import pandas as pd
from matplotlib.figure import Figure
from scipy.special import bdtr

from clustrategy.core.inference import CONFIDENCE
from clustrategy.figures.parts.cells import worst_established
from clustrategy.figures.parts.labels import percent
from clustrategy.figures.parts.measure_dots import CHANCE, Measure, draw_measure
from clustrategy.figures.parts.study import Study


def _finding(worst: pd.DataFrame, values: pd.DataFrame, cell: str) -> str:
    """Say whose intervals hold the truth too rarely, by more than the lowest of so many may."""
    tail = bdtr((worst["value"] * worst["n"]).round(), worst["n"], CONFIDENCE)
    off = worst[tail * len(values) <= CHANCE]
    if off.empty:
        return (
            f"No intervals are found to hold the true slope too rarely: the lowest of "
            f"{len(values):,} coverages, {percent(worst.iloc[0]['value'])}, can be chance alone"
        )
    return worst_established(
        worst,
        off,
        lambda row: (
            f"95 % intervals of {row['who']} hold the true slope in {percent(row['value'])} of "
            f"datasets in their worst {cell}"
        ),
        lambda row: f"those of {row['who']} in {percent(row['value'])}",
        "found to hold it too rarely",
    )


COVERAGE = Measure(
    "coverage",
    "Coverage: how often the 95 % interval holds the true slope",
    "coverage",
    target=CONFIDENCE,
    unit=0.01,
    write=percent,
    finding=_finding,
    worst="lowest",
)


def coverage(performance: pd.DataFrame, *, study: Study) -> Figure:
    """Draw the coverage of the 95 % intervals, cell by cell."""
    return draw_measure(performance, COVERAGE, study)
