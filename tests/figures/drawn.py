"""Figures of the tests' tables, and what is drawn in them as numbers and words."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cache
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection, PathCollection
from matplotlib.figure import Figure
from matplotlib.path import Path

from clustrategy.figures.parts.options import Options
from clustrategy.figures.registry import FIGURES, function_of
from tests.figures.tables import (
    DGP,
    STRATEGIES,
    STUDY,
    Given,
    make_audit,
    make_cluster_coefficients,
    make_dependence,
    make_estimates,
    make_fits,
    make_performance,
    make_scores,
)

OPTIONS: Options = {
    "width": 9,
    "dpi": 60,
    "palette": "colorblind",
    "scale": "log",
    "dgp": DGP,
    "alpha": 0.05,
}

MAKERS: Mapping[str, Callable[[], pd.DataFrame]] = {
    "estimates": make_estimates,
    "performance": make_performance,
    "scores": make_scores,
    "fits": make_fits,
    "audit": make_audit,
    "cluster_coefficients": make_cluster_coefficients,
    "dependence": make_dependence,
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
        factors=factors,
        strategies=strategies,
        options={**OPTIONS, **options},
    )


@cache
def few_cells(table: str) -> pd.DataFrame:
    """Return a table of `MAKERS` with few of its cells, which tests share and must not change."""
    made = MAKERS[table]()
    if "clusters" in made:
        made = made[(made["clusters"] == 10) & (made["between_cluster_sigma"] < 1)]
    return made


@cache
def shared_figure(name: str) -> Figure:
    """Return the figure of the tables of `MAKERS`, which tests share and must not change."""
    return figure_of(name)


def panel_axes(figure: Figure, table: pd.DataFrame) -> Iterator[tuple[Axes, pd.DataFrame]]:
    """The panels with their part of the table, in the order in which they are read."""
    cells = table.groupby(["clusters", "obs_per_cluster"])
    return zip(figure.axes, (part for _, part in cells), strict=True)


def all_lines(axes: Axes) -> list[np.ndarray]:
    """The lines in the panel's collections."""
    collections = [one for one in axes.collections if isinstance(one, LineCollection)]
    return [np.asarray(line) for one in collections for line in one.get_segments()]


def drawn_lines(axes: Axes, points: int) -> list[np.ndarray]:
    """The lines of so many points in the panel's collections."""
    return [line for line in all_lines(axes) if len(line) == points]


def text_of(figure: Figure) -> str:
    """Title, axis titles and caption of a figure."""
    return " ".join(" ".join(text.get_text() for text in figure.texts).split())


def said(axes: Axes) -> list[str]:
    """The texts in a panel."""
    return [text.get_text() for text in axes.texts]


def marks(axes: Axes) -> list[PathCollection]:
    """The collections of marks in a panel."""
    return [one for one in axes.collections if isinstance(one, PathCollection)]


def heights(axes: Axes) -> list[float]:
    """Heights of the marks that are drawn where they are, in order of their size."""
    return sorted(
        float(y)
        for one in marks(axes)
        if not is_arrow(one)
        for _, y in np.asarray(one.get_offsets())
    )


def arrows(axes: Axes) -> int:
    """The number of arrows in a panel."""
    return sum(len(np.asarray(one.get_offsets())) for one in marks(axes) if is_arrow(one))


def is_arrow(one: PathCollection) -> bool:
    """Whether the marks are triangles."""
    (path,) = one.get_paths()
    codes = np.asarray(path.codes)
    return len(codes) == 4 and codes[-1] == Path.CLOSEPOLY
