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
from clustrategy.figures.parts.labels import CLUSTERS, SIGMA, factor_label, value_label
from clustrategy.figures.parts.study import Study
from clustrategy.figures.parts.style import INK, dress, new_figure

TERMS = {INTERCEPT: "intercept", "IV1": "slope of IV1"}


def cluster_coefficients(table: pd.DataFrame, *, study: Study) -> Figure:
    """Draw the distribution of the clusters' coefficients around the true value."""
    look = study.look
    table = table.assign(deviation=table["coefficient"] - table["true_value"])
    figure = new_figure(look, 0.42 * look.width)
    panels = figure.subplots(1, len(TERMS), sharey=True, squeeze=False)[0]
    levels = sorted(table[SIGMA].unique())
    colour = look.colours(1)[0]
    # seaborn's jitter draws from numpy's global generator.
    np.random.seed(0)  # noqa: NPY002
    for axes, (term, words) in zip(panels, TERMS.items(), strict=True):
        rows = table[table["term"] == term]
        marks: dict[str, Any] = {"data": rows, "x": SIGMA, "y": "deviation", "order": levels}
        marks |= {"color": colour, "ax": axes}
        outline: dict[str, Any] = {"fill": False, "inner": "quart", "cut": 0}
        outline |= {"linewidth": 2 * look.line, "inner_kws": {"linewidth": look.line}}
        dress(axes, look)
        axes.axhline(0, color=INK, linewidth=1.5 * look.line, linestyle="--", zorder=3)
        sns.stripplot(**marks, jitter=0.3, size=2, alpha=0.3, linewidth=0, rasterized=True)
        sns.violinplot(**marks, density_norm="width", **outline)
        axes.set(xlabel="", ylabel="")
        axes.set_xticks(range(len(levels)), [value_label(level) for level in levels])
        axes.set_title(words, fontsize=look.text, color=INK)
    sims, clusters = table["sim"].nunique(), table[CLUSTERS].max()
    compose(
        figure,
        look,
        title=_finding(table, levels),
        subtitle="Coefficients of single clusters, less the true value",
        xlabel=factor_label(SIGMA),
        ylabel="coefficient less its true value",
        caption=(
            f"Each point is a cluster, of {clusters:,} in each of {sims} datasets per cell; "
            "outline: density with its quartiles; dashed line: the true value, which all "
            "strategies try to find."
        ),
    )
    return figure


def _finding(table: pd.DataFrame, levels: Sequence[float]) -> str:
    """Say how far the slopes scatter at the least and the largest sigma."""
    slopes = table[table["term"] != INTERCEPT]
    spread = slopes.groupby(SIGMA)["deviation"].std()
    first = f"Slopes of single clusters scatter with an SD of {spread[levels[0]]:.2g}"
    if len(levels) == 1:
        return first
    return (
        f"{first} at sigma {value_label(levels[0])} and of {spread[levels[-1]]:.2g} at sigma "
        f"{value_label(levels[-1])}"
    )
