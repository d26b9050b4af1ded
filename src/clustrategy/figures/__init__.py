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


def _imported(module: str, function: str, table: DataFrame, **keywords: Any) -> Figure:
    return getattr(import_module(f"{__name__}.{module}"), function)(table, **keywords)


def _lazy(module: str, function: str) -> Callable[..., Figure]:
    return partial(_imported, module, function)


FIGURES: Mapping[str, tuple[Callable[..., Figure], str]] = {
    "coefficient_recovery": (_lazy("metrics", "coefficient_recovery"), "scores"),
    "standard_errors": (_lazy("metrics", "standard_errors"), "scores"),
    "t_statistics": (_lazy("metrics", "t_statistics"), "scores"),
    "convergence": (_lazy("convergence", "convergence"), "fits"),
    "cluster_coefficients": (
        _lazy("cluster_coefficients", "cluster_coefficients"),
        "cluster_coefficients",
    ),
    "dependence": (_lazy("dependence", "dependence"), "dependence"),
}
MODULES = ("__init__", "cluster_coefficients", "convergence", "dependence", "files", "metrics")
"""The modules that these figures come from, with what they import."""

"""Each figure's name, with the function that draws it and the name of the table it reads."""


def draw(
    name: str,
    table_path: str | PathLike[str],
    outputs: Sequence[str | PathLike[str]],
    *,
    factors: Sequence[str],
    strategies: Sequence[str],
    options: Mapping[str, Any],
) -> None:
    """Draw one figure from its table and write it to every output.

    Parameters
    ----------
    name
        A key of :data:`FIGURES`.
    table_path
        The table the figure reads, as ``.parquet`` or ``.csv``.
    outputs
        Files to write; the suffix (``.png`` or ``.pdf``) decides the format.
    factors
        Names of the study's factors, in order.
    strategies
        Labels of the study's strategies, in order.
    options
        ``width`` (inches), ``dpi``, ``palette`` (a seaborn palette) and ``scale`` (``log`` or
        ``linear``); whatever is missing takes its default.
    """
    function, _ = FIGURES[name]
    files = import_module(f"{__name__}.files")
    with files.quiet():
        figure = function(
            files.read_table(table_path), factors=factors, strategies=strategies, options=options
        )
        files.save(figure, outputs)
