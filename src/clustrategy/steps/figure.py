"""Draw a figure of the study."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from clustrategy.figures.registry import draw


def figure(
    name: str, settings: Mapping[str, Any], *, tables: Sequence[str], files: Sequence[str]
) -> None:
    """Draw one figure from its tables.

    Parameters
    ----------
    name : str
        The figure's name.
    settings : Mapping
        `factors`, `strategies`, `options` and `note`, as `draw` takes them.
    tables : Sequence of str
        The files that the figure reads.
    files : Sequence of str
        The files to write; the suffix decides the format.
    """
    draw(name, tables, files, **settings)
