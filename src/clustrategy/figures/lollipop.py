"""How the strategies compare in any one measure: the lollipop plot.

After the R package rsimsum: A. Gasparini (2018), Journal of Open Source Software 3(26):739.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

import pandas as pd
from matplotlib.figure import Figure

from clustrategy.core.inference import CONFIDENCE
from clustrategy.figures.parts.cells import worst_and_best
from clustrategy.figures.parts.measure_dots import Measure, draw_measure
from clustrategy.figures.parts.performance import of_zero
from clustrategy.figures.parts.study import Study

MEASURES: Mapping[str, tuple[str, float | None]] = {
    "bias": ("bias", 0.0),
    "relative_bias": ("relative bias", 0.0),
    "median_bias": ("median bias", 0.0),
    "empirical_se": ("empirical SE", None),
    "robust_se": ("robust SE: interquartile range / 1.349", None),
    "mse": ("mean squared error", None),
    "rmse": ("root mean squared error", None),
    "model_se": ("model SE", None),
    "relative_error": ("relative error of the model SE", 0.0),
    "variance_ratio": ("model variance / empirical variance", 1.0),
    "variance_df": ("effective degrees of freedom of the model variance", None),
    "coverage": ("coverage of 95 % intervals", CONFIDENCE),
    "bias_eliminated_coverage": ("bias-eliminated coverage", CONFIDENCE),
    "rejection_rate": ("type I error", None),
    "size_adjusted_power": ("size-adjusted power", None),
    "interval_width": ("interval width", None),
    "interval_score": ("interval score", None),
    "relative_precision": ("relative precision", 0.0),
    "unusable_rate": ("share of unusable fits", None),
}
"""The names of the measures for readers, and the value that each should have, if any.

The type I error should be the level of the tests, which the study sets.
"""

DEFAULT = "coverage"


def lollipop(table: pd.DataFrame, *, study: Study) -> Figure:
    """Draw a stick from the target to the measure for each cell, a row for each strategy."""
    name = study.options.get("lollipop", DEFAULT)
    words, target = MEASURES[name]
    if name == "rejection_rate":
        table, target = of_zero(table), study.alpha
    measure = Measure(
        name,
        f"By strategy and cell: {words}",
        words,
        target=target,
        unit=0.01 if target else 0.1,
        write=_written,
        finding=lambda worst, _, cell: worst_and_best(
            worst,
            lambda row: f"{row['who']}: {words} {_written(row['value'])} in the worst {cell}",
            lambda row: f"{row['who']} {_written(row['value'])}",
        ),
        worst=_worst(name, target),
        sticks=True,
    )
    return draw_measure(table, measure, study)


def _written(value: float) -> str:
    return f"{value:.3g}".replace("-", "−")


def _worst(name: str, target: float | None) -> Literal["farthest", "lowest", "highest"]:
    """Return which side of a measure does harm."""
    if name in ("size_adjusted_power", "variance_df") or target == CONFIDENCE:
        return "lowest"
    return "highest" if target is None or name == "rejection_rate" else "farthest"
