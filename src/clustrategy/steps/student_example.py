"""Fit the regressions of the student example and write what they show."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from clustrategy.examples.student_page import page
from clustrategy.examples.student_regressions import example
from clustrategy.examples.student_table import Settings
from clustrategy.figures.parts.files import quiet, save
from clustrategy.figures.student import student_figure
from clustrategy.tables.files import write_text, write_whole


def student_example(
    path: str | Path,
    settings: Mapping[str, Any],
    options: Mapping[str, Any],
    *,
    table: str | Path,
    text: str | Path,
    figures: Sequence[str | Path],
) -> None:
    """Write the example's table, page and figure.

    Parameters
    ----------
    path : str or Path
        The data, as CSV or in a zip archive.
    settings, options : Mapping
        The config's `student` and `figures`.
    table, text : str or Path
        The files to write.
    figures : Sequence of str or Path
        The figure's files; the suffix decides the format.
    """
    it = example(path, Settings(**settings))
    with quiet():
        save(student_figure(it, options), figures)
    write_whole(table, lambda beside: it.table.to_csv(beside, index=False))
    write_text(page(it), text)
