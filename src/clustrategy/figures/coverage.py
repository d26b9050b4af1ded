"""How often the intervals hold the truth."""

from __future__ import annotations

import pandas as pd
from matplotlib.figure import Figure

from clustrategy.core.inference import CONFIDENCE
from clustrategy.figures.parts.cells import worst_and_best
from clustrategy.figures.parts.labels import percent
from clustrategy.figures.parts.measure_dots import Measure, draw_measure
from clustrategy.figures.parts.study import Study

COVERAGE = Measure(
    "coverage",
    "Coverage: how often the 95 % interval holds the true slope",
    "coverage",
    target=CONFIDENCE,
    unit=0.01,
    write=percent,
    finding=lambda worst, _: worst_and_best(
        worst,
        lambda row: (
            f"95 % intervals of {row['who']} hold the true slope in {percent(row['value'])} of "
            "datasets in their worst cell"
        ),
        lambda row: f"those of {row['who']} in {percent(row['value'])}",
    ),
    worst="lowest",
)


def coverage(performance: pd.DataFrame, *, study: Study) -> Figure:
    """Draw the coverage of the 95 % intervals, cell by cell."""
    return draw_measure(performance, COVERAGE, study)
