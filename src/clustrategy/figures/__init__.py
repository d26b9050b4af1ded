"""The figures of a study.

Importing this package is cheap: the plotting libraries are imported when a figure is drawn, so
that a workflow can read the names in :data:`FIGURES` while it is being parsed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from importlib import import_module
from os import PathLike
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from matplotlib.figure import Figure
    from pandas import DataFrame

__all__ = ["FIGURES", "draw", "names"]


def _imported(module: str, function: str, *tables: DataFrame, **keywords: Any) -> Figure:
    return getattr(import_module(f"{__name__}.{module}"), function)(*tables, **keywords)


def _lazy(module: str, function: str) -> Callable[..., Figure]:
    return partial(_imported, module, function)


@dataclass(frozen=True)
class Drawing:
    """How a figure comes about.

    Attributes
    ----------
    function
        Draws it from its tables.
    tables
        Names of the tables that it reads.
    shows
        What a study must have for the figure to show something: coefficients of ``fixed`` true
        values, among them a slope of ``zero`` or one that is ``not zero``; nothing if empty.
    """

    function: Callable[..., Figure]
    tables: tuple[str, ...]
    shows: str = ""


PERFORMANCE = ("performance",)

FIGURES: Mapping[str, Drawing] = {
    "coefficient_recovery": Drawing(_lazy("metrics", "coefficient_recovery"), ("scores",)),
    "standard_errors": Drawing(_lazy("metrics", "standard_errors"), ("scores",)),
    "t_statistics": Drawing(_lazy("metrics", "t_statistics"), ("scores",)),
    "convergence": Drawing(_lazy("convergence", "convergence"), ("fits", "audit")),
    "bias": Drawing(_lazy("measures", "bias"), PERFORMANCE),
    "relative_error": Drawing(_lazy("measures", "relative_error"), PERFORMANCE),
    "coverage": Drawing(_lazy("measures", "coverage"), PERFORMANCE),
    "type_i_error": Drawing(_lazy("measures", "type_i_error"), PERFORMANCE, "zero"),
    "power": Drawing(_lazy("measures", "power"), PERFORMANCE, "not zero"),
    "p_value_ecdf": Drawing(
        _lazy("p_values", "p_value_ecdf"), ("performance", "estimates"), "zero"
    ),
    "zip_plot": Drawing(_lazy("zip_plot", "zip_plot"), ("performance", "estimates"), "fixed"),
    "nested_loop": Drawing(_lazy("nested_loop", "nested_loop"), PERFORMANCE, "fixed"),
    "lollipop": Drawing(_lazy("lollipop", "lollipop"), PERFORMANCE, "fixed"),
    "audit": Drawing(_lazy("audit", "audit"), ("audit",)),
    "cluster_coefficients": Drawing(
        _lazy("cluster_coefficients", "cluster_coefficients"), ("cluster_coefficients",)
    ),
    "dependence": Drawing(_lazy("dependence", "dependence"), ("dependence",)),
}
"""Each figure's name, with how it comes about.

A study without an audit has no figure of it, and its convergence reads the fits alone.
"""

LARGE = "estimates"
"""The table of which a figure reads what it needs, as :class:`clustrategy.figures.files.Rows`."""

MODULES = (
    "__init__",
    "audit",
    "cluster_coefficients",
    "convergence",
    "dependence",
    "files",
    "lollipop",
    "measures",
    "metrics",
    "nested_loop",
    "p_values",
    "zip_plot",
)
"""The modules that these figures come from, with what they import."""


def names(coefficients: Iterable[Mapping[str, Any] | Sequence[float]]) -> list[str]:
    """Return the names of the figures that show something of a study.

    Parameters
    ----------
    coefficients
        What its cells have as ``coefficients``: how they are drawn anew in every sim, or their
        fixed values, the intercept first.
    """
    has = {""}
    for values in coefficients:
        if not isinstance(values, Mapping):
            has |= {"fixed"} | {"not zero" if value else "zero" for value in values[1:]}
    return [name for name, drawing in FIGURES.items() if drawing.shows in has]


def draw(
    name: str,
    table_paths: Sequence[str | PathLike[str]],
    outputs: Sequence[str | PathLike[str]],
    *,
    factors: Sequence[str],
    strategies: Sequence[str],
    options: Mapping[str, Any],
    note: str = "",
) -> None:
    """Draw one figure from its tables and write it to every output.

    Parameters
    ----------
    name
        A key of :data:`FIGURES`.
    table_paths
        The tables the figure reads, each as ``.parquet`` or ``.csv``.
    outputs
        Files to write; the suffix (``.png`` or ``.pdf``) decides the format.
    factors
        Names of the study's factors, in order.
    strategies
        Labels of the study's strategies, in order.
    options
        ``width`` (inches), ``dpi``, ``palette`` (a seaborn palette), ``scale`` (``log`` or
        ``linear``) and ``lollipop`` (the measure of that figure); whatever is missing takes its
        default. ``dgp``: what of the data-generating process is the same in all cells;
        ``alpha``: the level of the tests.
    note
        A sentence that the caption is to end with.
    """
    drawing = FIGURES[name]
    files = import_module(f"{__name__}.files")
    with files.quiet():
        tables = [
            files.Rows(path) if table == LARGE else files.read_table(path)
            for table, path in zip(drawing.tables, table_paths, strict=False)
        ]
        options = {**options, "note": note}
        try:
            figure = drawing.function(
                *tables, factors=factors, strategies=strategies, options=options
            )
        except import_module(f"{__name__}.style").TooTall:
            figure = import_module(f"{__name__}.frame").too_tall(name, options=options)
        files.save(figure, outputs)
