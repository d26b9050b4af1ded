"""How far the coefficients of single clusters scatter."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib.figure import Figure

from clustrategy.core.shard import INTERCEPT
from clustrategy.figures.parts.frame import compose
from clustrategy.figures.parts.labels import (
    CLUSTERS,
    ICC,
    SIGMA,
    SLOPE_SD,
    factor_label,
    level_label,
    value_label,
)
from clustrategy.figures.parts.study import Study
from clustrategy.figures.parts.style import INK, dress, new_figure

SLOPE = "IV1"
TERMS = {INTERCEPT: "intercept", SLOPE: "slope of IV1"}
SAYS = {INTERCEPT: (SIGMA, ICC), SLOPE: (SIGMA, SLOPE_SD)}
"""The factors that may say how much each of them differs between clusters."""


def cluster_coefficients(table: pd.DataFrame, *, study: Study) -> Figure:
    """Draw the distribution of the clusters' coefficients around the true value."""
    look = study.look
    table = table.assign(deviation=table["coefficient"] - table["true_value"])
    figure = new_figure(look, 0.42 * look.width)
    panels = figure.subplots(1, len(TERMS), sharey=True, squeeze=False)[0]
    colour = look.colours(1)[0]
    # seaborn's jitter draws from numpy's global generator.
    np.random.seed(0)  # noqa: NPY002
    for axes, (term, words) in zip(panels, TERMS.items(), strict=True):
        rows = table[table["term"] == term]
        factor = _along(term, study.factors)
        levels = sorted(rows[factor].unique())
        marks: dict[str, Any] = {"data": rows, "x": factor, "y": "deviation", "order": levels}
        marks |= {"color": colour, "ax": axes}
        outline: dict[str, Any] = {"fill": False, "inner": "quart", "cut": 0}
        outline |= {"linewidth": 2 * look.line, "inner_kws": {"linewidth": look.line}}
        dress(axes, look)
        axes.axhline(0, color=INK, linewidth=1.5 * look.line, linestyle="--", zorder=3)
        sns.stripplot(**marks, jitter=0.3, size=2, alpha=0.3, linewidth=0, rasterized=True)
        sns.violinplot(**marks, density_norm="width", **outline)
        axes.set(ylabel="")
        axes.set_xlabel("" if factor == SIGMA else factor_label(factor), size=look.text, color=INK)
        axes.set_xticks(range(len(levels)), [value_label(level) for level in levels])
        axes.set_title(words, fontsize=look.text, color=INK)
    sims, clusters = table["sim"].nunique(), table[CLUSTERS].max()
    compose(
        figure,
        look,
        title=_finding(table, _along(SLOPE, study.factors)),
        subtitle="Coefficients of single clusters, less the true value",
        xlabel=factor_label(SIGMA) if SIGMA in study.factors else "",
        ylabel="coefficient less its true value",
        caption=(
            f"Each point is a cluster, of {clusters:,} in each of {sims} datasets per cell; "
            "outline: density with its quartiles; dashed line: the true value, which all "
            "strategies try to find."
        ),
    )
    return figure


def _along(term: str, factors: Sequence[str]) -> str:
    """Return the factor along the x axis: what says how much a term differs, or the clusters."""
    return next((factor for factor in SAYS[term] if factor in factors), CLUSTERS)


def _finding(table: pd.DataFrame, factor: str) -> str:
    """Say how far the slopes scatter at the least and the largest level of a factor."""
    spread = table[table["term"] == SLOPE].groupby(factor)["deviation"].std()
    first = f"Slopes of single clusters scatter with an SD of {spread.iloc[0]:.2g}"
    if len(spread) == 1:
        return first
    least, most = (
        f"sigma {value_label(level)}" if factor == SIGMA else level_label(factor, level)
        for level in (spread.index[0], spread.index[-1])
    )
    return f"{first} at {least} and of {spread.iloc[-1]:.2g} at {most}"
