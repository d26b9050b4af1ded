"""Figures of the tests' tables, and what is drawn in them as numbers and words."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cache
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from matplotlib.figure import Figure
from matplotlib.patches import PathPatch
from matplotlib.path import Path

from clustrategy.figures.parts.study import Study
from clustrategy.figures.registry import FIGURES, function_of
from tests.figures.placebo_tables import make_placebo
from tests.figures.power_tables import make_detectable, make_power
from tests.figures.tables import (
    DESIGN,
    DGP,
    STRATEGIES,
    STUDY,
    Given,
    make_audit,
    make_cluster_coefficients,
    make_dependence,
    make_differences,
    make_estimates,
    make_fits,
    make_performance,
    make_scores,
)
from tests.figures.verdict_tables import make_verdicts

VERDICT = {"lower": 0.5, "upper": 1.3, "liberal": 1.5, "effect": 0.5}

OPTIONS: Mapping[str, Any] = {
    "width": 9,
    "dpi": 60,
    "palette": "colorblind",
    "scale": "log",
    "dgp": DGP,
    "alpha": 0.05,
    "verdict": VERDICT,
}

MAKERS: Mapping[str, Callable[[], pd.DataFrame]] = {
    "estimates": make_estimates,
    "performance": make_performance,
    "scores": make_scores,
    "fits": make_fits,
    "audit": make_audit,
    "cluster_coefficients": make_cluster_coefficients,
    "dependence": make_dependence,
    "differences": make_differences,
    "verdicts": make_verdicts,
    "placebo": make_placebo,
    "power": make_power,
    "detectable": make_detectable,
}


def figure_of(
    name: str,
    *tables: pd.DataFrame | None,
    factors: Sequence[str] = STUDY,
    strategies: Sequence[str] = STRATEGIES,
    **options: Any,
) -> Figure:
    """Draw a figure; tables that are not given or None are those of `MAKERS`."""
    reads = FIGURES[name].tables
    made = [
        MAKERS[read]() if table is None else table
        for read, table in itertools.zip_longest(reads, tables[: len(reads)])
    ]
    return function_of(name)(
        *(
            Given(one) if read == "estimates" else one
            for read, one in zip(reads, made, strict=True)
        ),
        study=Study(factors, strategies, {**OPTIONS, **options}),
    )


@cache
def few_cells(table: str) -> pd.DataFrame:
    """Return a table of `MAKERS` with few of its cells, which tests share and must not change."""
    makers = {"verdicts": make_verdicts, "power": make_power, "detectable": make_detectable}
    if table in makers:
        levels = {**DESIGN, "clusters": [10], "between_cluster_sigma": [0.1]}
        return makers[table](levels=levels)
    made = MAKERS[table]()
    if "clusters" in made:
        made = made[(made["clusters"] == 10) & (made["between_cluster_sigma"] < 1)]
    return made


@cache
def shared_figure(name: str) -> Figure:
    """Return the figure of the tables of `MAKERS`, which tests share and must not change."""
    return figure_of(name)


def panel_axes(figure: Figure, table: pd.DataFrame) -> Iterator[tuple[Axes, pd.DataFrame]]:
    """The panels of sizes with their part of the table, in the order in which they are read."""
    cells = table.groupby(["clusters", "obs_per_cluster"])
    return zip(figure.axes, (part for _, part in cells), strict=False)


def drawn_lines(axes: Axes, points: int) -> list[np.ndarray]:
    """The lines of so many points in the panel: those of one path, and of collections."""
    lines = []
    for patch in axes.get_children():
        if isinstance(patch, PathPatch):
            path = patch.get_path()
            lines += np.split(path.vertices, np.flatnonzero(path.codes == Path.MOVETO)[1:])
        elif isinstance(patch, LineCollection):
            lines += patch.get_segments()
    return [np.asarray(line) for line in lines if len(line) == points]


def dots(axes: Axes) -> np.ndarray:
    """The places (n, 2) of the round marks in a panel, which are the shortest of lines."""
    lines = [line for line in drawn_lines(axes, 2) if 0 < np.ptp(line[:, 1]) < 0.01]
    return np.array([line.mean(axis=0) for line in lines]).reshape(-1, 2)


def text_of(figure: Figure) -> str:
    """Title, subtitle, axis titles and caption of a figure."""
    return " ".join(" ".join(text.get_text() for text in figure.texts).split())


def said(axes: Axes) -> list[str]:
    """The texts in a panel."""
    return [text.get_text() for text in axes.texts]
