"""The figures of a study: what they read, which studies have them, and the code they rest on.

A new figure is a file with a function, both of the figure's name, an entry in `FIGURES`, and a case
in `function_of`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from clustrategy.core.sources import sources

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from clustrategy.figures.drawing import FilePath
    from clustrategy.figures.parts.options import Options

FOLDER = Path(__file__).parent

Need = Literal["any", "fixed", "zero", "nonzero"]


@dataclass(frozen=True)
class StudyFigure:
    """A figure that a study may have.

    Attributes
    ----------
    tables : tuple of str
        The tables that it reads.
    needs : {"any", "fixed", "zero", "nonzero"}
        The coefficients that a study must have for the figure to show something: any; some that
        are the same in all sims; among these a slope of zero, or one of another value.
    """

    tables: tuple[str, ...]
    needs: Need = "any"


FIGURES: Mapping[str, StudyFigure] = {
    "coefficient_recovery": StudyFigure(("scores",)),
    "standard_errors": StudyFigure(("scores",)),
    "t_statistics": StudyFigure(("scores",)),
    "convergence": StudyFigure(("fits", "audit")),
    "bias": StudyFigure(("performance",)),
    "relative_error": StudyFigure(("performance",)),
    "coverage": StudyFigure(("performance",)),
    "type_i_error": StudyFigure(("performance",), needs="zero"),
    "power": StudyFigure(("performance",), needs="nonzero"),
    "p_value_ecdf": StudyFigure(("performance", "estimates"), needs="zero"),
    "zip_plot": StudyFigure(("performance", "estimates"), needs="fixed"),
    "nested_loop": StudyFigure(("performance",), needs="fixed"),
    "lollipop": StudyFigure(("performance",), needs="fixed"),
    "audit": StudyFigure(("audit",)),
    "cluster_coefficients": StudyFigure(("cluster_coefficients",)),
    "dependence": StudyFigure(("dependence",)),
}
"""The figures by name. Without an audit a study lacks that figure, and `convergence` that table."""


def names(coefficients: Iterable[Mapping[str, Any] | Sequence[float]]) -> list[str]:
    """List the figures that show something of a study.

    Parameters
    ----------
    coefficients : iterable of mapping or sequence of float
        The `coefficients` of the study's cells: how they are drawn anew in every sim, or their
        values, the intercept first.
    """
    met: set[Need] = {"any"}
    for values in coefficients:
        if not isinstance(values, Mapping):
            met.add("fixed")
            met |= {"nonzero" if value else "zero" for value in values[1:]}
    return [name for name, figure in FIGURES.items() if figure.needs in met]


def code_of(name: str) -> list[Path]:
    """List the files of the package that the figure of this name is drawn by."""
    return sources(FOLDER / f"{name}.py", FOLDER / "drawing.py")


def function_of(name: str) -> Callable[..., Figure]:
    """Import the function that draws a figure, and no other figure's."""
    match name:
        case "coefficient_recovery":
            from clustrategy.figures.coefficient_recovery import coefficient_recovery

            return coefficient_recovery
        case "standard_errors":
            from clustrategy.figures.standard_errors import standard_errors

            return standard_errors
        case "t_statistics":
            from clustrategy.figures.t_statistics import t_statistics

            return t_statistics
        case "convergence":
            from clustrategy.figures.convergence import convergence

            return convergence
        case "bias":
            from clustrategy.figures.bias import bias

            return bias
        case "relative_error":
            from clustrategy.figures.relative_error import relative_error

            return relative_error
        case "coverage":
            from clustrategy.figures.coverage import coverage

            return coverage
        case "type_i_error":
            from clustrategy.figures.type_i_error import type_i_error

            return type_i_error
        case "power":
            from clustrategy.figures.power import power

            return power
        case "p_value_ecdf":
            from clustrategy.figures.p_value_ecdf import p_value_ecdf

            return p_value_ecdf
        case "zip_plot":
            from clustrategy.figures.zip_plot import zip_plot

            return zip_plot
        case "nested_loop":
            from clustrategy.figures.nested_loop import nested_loop

            return nested_loop
        case "lollipop":
            from clustrategy.figures.lollipop import lollipop

            return lollipop
        case "audit":
            from clustrategy.figures.audit import audit

            return audit
        case "cluster_coefficients":
            from clustrategy.figures.cluster_coefficients import cluster_coefficients

            return cluster_coefficients
        case "dependence":
            from clustrategy.figures.dependence import dependence

            return dependence
    raise KeyError(name)


def draw(
    name: str,
    table_paths: Sequence[FilePath],
    outputs: Sequence[FilePath],
    *,
    factors: Sequence[str],
    strategies: Sequence[str],
    options: Options,
    note: str = "",
) -> None:
    """Draw a figure of a study and write it to every output.

    Parameters
    ----------
    name : str
        A key of `FIGURES`.
    table_paths : sequence of path
        The figure's tables, in its order, each as ``.parquet`` or ``.csv``.
    outputs : sequence of path
        Files to write; the suffix (``.png`` or ``.pdf``) decides the format.
    factors : sequence of str
        The study's factors, in order.
    strategies : sequence of str
        The labels of the study's strategies, in order.
    options : Options
        The study's settings of figures, and what else the figure needs of the study.
    note : str
        A sentence that the caption is to end with.
    """
    from clustrategy.figures.drawing import write_figure

    tables = dict(zip(FIGURES[name].tables, table_paths, strict=False))
    options = {**options, "note": note}
    title = name.replace("_", " ").capitalize()
    write_figure(
        function_of(name),
        tables,
        outputs,
        title=title,
        factors=factors,
        strategies=strategies,
        options=options,
    )
