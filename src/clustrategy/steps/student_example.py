"""The steps of the second worked example: its table from a download, and its results."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from clustrategy.examples.student_page import page
from clustrategy.examples.student_regressions import example
from clustrategy.examples.student_table import extract
from clustrategy.figures.parts.options import Options
from clustrategy.tables.files import write_text, write_whole


def student_table(archive: str | Path, table: str | Path, settings: Mapping[str, Any]) -> None:
    """Write the table that an archive holds, its checksum verified."""
    content = extract(archive, settings)
    write_whole(table, lambda beside: beside.write_bytes(content))


def student_example(
    path: str | Path,
    settings: Mapping[str, Any],
    options: Options,
    *,
    table: str | Path,
    text: str | Path,
    figures: Sequence[str | Path],
) -> None:
    """Write the example's table, page and figure.

    Parameters
    ----------
    path : the data, as CSV or in a zip archive.
    settings, options : the study's `student` and `figures` settings.
    table, text, figures : the files to write.
    """
    from clustrategy.figures.parts.files import quiet, save
    from clustrategy.figures.student import student_figure

    it = example(path, settings)
    with quiet():
        save(student_figure(it, options), figures)
    write_whole(table, lambda beside: it.table.to_csv(beside, index=False))
    write_text(page(it), text)
