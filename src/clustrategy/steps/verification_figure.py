"""Draw the figure of the verification."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from clustrategy.figures.parts.files import quiet, read_table, save
from clustrategy.figures.verification import verification


def verification_figure(table: str, options: Mapping[str, Any], files: Sequence[str]) -> None:
    """Draw how far what was found is from what is known.

    Parameters
    ----------
    table : str
        The table that `verification_table` wrote.
    options : Mapping
        The config's `figures`.
    files : Sequence of str
        The files to write; the suffix decides the format.
    """
    with quiet():
        save(verification(read_table(table), options), files)
