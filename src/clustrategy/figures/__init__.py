"""The figures of a study.

Importing this package is cheap: the plotting libraries are imported when a figure is drawn, so
that a workflow can read the names in :data:`FIGURES` while it is being parsed.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from importlib import import_module
from os import PathLike
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from matplotlib.figure import Figure
    from pandas import DataFrame

__all__ = ["FIGURES", "draw"]


def _imported(module: str, function: str, *tables: DataFrame, **keywords: Any) -> Figure:
    return getattr(import_module(f"{__name__}.{module}"), function)(*tables, **keywords)


def _lazy(module: str, function: str) -> Callable[..., Figure]:
    return partial(_imported, module, function)


FIGURES: Mapping[str, tuple[Callable[..., Figure], tuple[str, ...]]] = {
    "coefficient_recovery": (_lazy("metrics", "coefficient_recovery"), ("scores",)),
    "standard_errors": (_lazy("metrics", "standard_errors"), ("scores",)),
    "t_statistics": (_lazy("metrics", "t_statistics"), ("scores",)),
    "convergence": (_lazy("convergence", "convergence"), ("fits", "audit")),
    "audit": (_lazy("audit", "audit"), ("audit",)),
    "cluster_coefficients": (
        _lazy("cluster_coefficients", "cluster_coefficients"),
        ("cluster_coefficients",),
    ),
    "dependence": (_lazy("dependence", "dependence"), ("dependence",)),
}
"""Each figure's name, with the function that draws it and the names of the tables it reads.

A study without an audit has no figure of it, and its convergence reads the fits alone.
"""

MODULES = (
    "__init__",
    "audit",
    "cluster_coefficients",
    "convergence",
    "dependence",
    "files",
    "metrics",
)
"""The modules that these figures come from, with what they import."""


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
        ``width`` (inches), ``dpi``, ``palette`` (a seaborn palette) and ``scale`` (``log`` or
        ``linear``); whatever is missing takes its default.
    note
        A sentence that the caption is to end with.
    """
    function, _ = FIGURES[name]
    files = import_module(f"{__name__}.files")
    with files.quiet():
        figure = function(
            *map(files.read_table, table_paths),
            factors=factors,
            strategies=strategies,
            options={**options, "note": note},
        )
        files.save(figure, outputs)
