"""The figures of a study: what they read, which studies have them, and the code they rest on.

A new figure is a file with a function, both of the figure's name, and an entry in `FIGURES`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from importlib import import_module
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from clustrategy.core.sources import sources

if TYPE_CHECKING:
    from matplotlib.figure import Figure

FOLDER = Path(__file__).parent

FilePath = str | PathLike[str]

Need = Literal["any", "grid", "fixed", "zero", "table"]

LARGE = "estimates"
"""The table that is not read whole: its figures take `clustrategy.figures.parts.files.Rows`."""

TOO_TALL = "The study has more cells than one page can show"
IN_TABLES = "All numbers are in the tables, and a study of some of the cells has the same ones."


@dataclass(frozen=True)
class StudyFigure:
    """A figure that a study may have.

    Attributes
    ----------
    tables : tuple of str
        The tables that it reads.
    needs : {"any", "grid", "fixed", "zero", "table"}
        What a study must have for the figure to show something: a grid; with coefficients that are
        the same in all sims; among these a slope of zero; or a table of one's own.
    """

    tables: tuple[str, ...]
    needs: Need = "any"


FIGURES: Mapping[str, StudyFigure] = {
    "false_positives": StudyFigure(("verdicts",)),
    "power_curves": StudyFigure(("power", "detectable", "verdicts"), needs="table"),
    "power_by_effect": StudyFigure(("verdicts",), needs="grid"),
    "head_to_head": StudyFigure(("differences", "performance"), needs="grid"),
    "verdict_map": StudyFigure(("verdicts",), needs="grid"),
    "coefficient_recovery": StudyFigure(("scores",), needs="grid"),
    "standard_errors": StudyFigure(("scores", "performance"), needs="grid"),
    "t_statistics": StudyFigure(("scores", "performance", "estimates"), needs="grid"),
    "convergence": StudyFigure(("fits",), needs="grid"),
    "bias": StudyFigure(("performance",), needs="grid"),
    "relative_error": StudyFigure(("performance",)),
    "coverage": StudyFigure(("performance",)),
    "p_value_ecdf": StudyFigure(("performance", "estimates"), needs="zero"),
    "zip_plot": StudyFigure(("performance", "estimates"), needs="fixed"),
    "nested_loop": StudyFigure(("performance",), needs="fixed"),
    "lollipop": StudyFigure(("performance",), needs="fixed"),
    "audit": StudyFigure(("audit",)),
    "cluster_coefficients": StudyFigure(("cluster_coefficients",), needs="grid"),
    "dependence": StudyFigure(("dependence",), needs="grid"),
    "placebo": StudyFigure(("placebo",), needs="table"),
}
"""The figures by name. Without an audit a study lacks that figure."""


def names(coefficients: Iterable[Mapping[str, Any] | Sequence[float]] | None) -> list[str]:
    """List the figures that show something of a study.

    Parameters
    ----------
    coefficients : iterable of mapping or sequence of float, optional
        What the cells of its grid have: mappings if drawn anew in every sim, else the values, the
        intercept first. There are none where the study is on the design of a table.
    """
    met: set[Need] = {"any", "table" if coefficients is None else "grid"}
    for values in coefficients or ():
        if not isinstance(values, Mapping):
            met |= {"fixed", "zero"} if 0 in values[1:] else {"fixed"}
    return [name for name, figure in FIGURES.items() if figure.needs in met]


def code_of(name: str) -> list[Path]:
    """List the files of the package that the figure of this name is drawn by."""
    return sources(FOLDER / f"{name}.py", FOLDER / "parts/files.py", FOLDER / "parts/frame.py")


def function_of(name: str) -> Callable[..., Figure]:
    """Import the function that draws a figure, and no other figure's.

    It is called with the tables in the order of `StudyFigure.tables` and with ``study``, and
    raises `TooTall` if the figure would be higher than a page.
    """
    if name not in FIGURES:
        raise KeyError(name)
    function: Callable[..., Figure] = getattr(import_module(f"{__package__}.{name}"), name)
    return function


def draw(
    name: str,
    table_paths: Sequence[FilePath],
    outputs: Sequence[FilePath],
    *,
    factors: Sequence[str],
    strategies: Sequence[str],
    options: Mapping[str, Any],
    note: str = "",
) -> None:
    """Draw a figure of a study and write it to every output.

    Parameters
    ----------
    name, table_paths : str, sequence of path
        A key of `FIGURES`, and its tables in order, each as ``.parquet`` or ``.csv``.
    outputs : sequence of path
        Files to write; the suffix (``.png``, ``.pdf`` or ``.svg``) decides the format.
    factors, strategies, options
        The attributes of `clustrategy.figures.parts.study.Study`.
    note : str
        A sentence that the caption is to end with.
    """
    from clustrategy.figures.parts.files import Rows, quiet, read_table, save
    from clustrategy.figures.parts.frame import nothing
    from clustrategy.figures.parts.study import Study
    from clustrategy.figures.parts.style import TooTall

    study = Study(factors, strategies, {**options, "note": note})
    with quiet():
        tables = [
            Rows(path) if table == LARGE else read_table(path)
            for table, path in zip(FIGURES[name].tables, table_paths, strict=True)
        ]
        try:
            figure = function_of(name)(*tables, study=study)
        except TooTall:
            figure = nothing(study.look, TOO_TALL, name.replace("_", " "), IN_TABLES)
        save(figure, outputs)
