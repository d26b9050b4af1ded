"""From a figure's tables to its files."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from os import PathLike

from matplotlib.figure import Figure

from clustrategy.figures.parts.files import Rows, quiet, read_table, save
from clustrategy.figures.parts.frame import nothing
from clustrategy.figures.parts.options import Options
from clustrategy.figures.parts.style import Look, TooTall

FilePath = str | PathLike[str]

LARGE = "estimates"
"""The table that is not read whole."""

TOO_TALL = (
    "The study has more cells than one picture can show. All numbers are in the tables, and a "
    "study of some of the cells has the same ones."
)


def write_figure(
    function: Callable[..., Figure],
    tables: Mapping[str, FilePath],
    outputs: Sequence[FilePath],
    *,
    title: str,
    factors: Sequence[str],
    strategies: Sequence[str],
    options: Options,
) -> None:
    """Draw a figure from its tables and write it to every output.

    Parameters
    ----------
    function : callable
        Draws the figure; takes the tables in their order and the last three parameters.
    tables : mapping of str to path
        The files of the tables by name, ``.parquet`` or ``.csv``.
    outputs : sequence of path
        Files to write; the suffix (``.png`` or ``.pdf``) decides the format.
    title : str
        The title of what is drawn instead where the figure would be too tall.
    factors, strategies, options
        As `clustrategy.figures.registry.draw` takes them.
    """
    with quiet():
        data = [Rows(path) if name == LARGE else read_table(path) for name, path in tables.items()]
        try:
            figure = function(*data, factors=factors, strategies=strategies, options=options)
        except TooTall:
            figure = nothing(Look.from_options(options), TOO_TALL, title)
        save(figure, outputs)
