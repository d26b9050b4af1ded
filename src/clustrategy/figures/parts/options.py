"""What a figure is told of its study beside the tables."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypedDict


class Options(TypedDict, total=False):
    """Settings of a figure; those of its look that are missing take their defaults.

    Attributes
    ----------
    width : float
        Inches.
    dpi : int
        Resolution of a PNG file.
    palette : str
        A palette of seaborn's.
    scale : {"log", "linear"}
        Scale of the y axis of scores.
    note : str
        A sentence that the caption ends with.
    lollipop : str
        The measure that the figure of this name shows.
    dgp : mapping
        What of the data-generating process is the same in all cells.
    alpha : float
        The level of the tests.
    verdict : mapping
        The study's settings of verdicts.
    reference : str, optional
        The label of the strategy that others are compared with; the first unless given.
    """

    width: float
    dpi: int
    palette: str
    scale: str
    note: str
    lollipop: str
    dgp: Mapping[str, Any]
    alpha: float
    verdict: Mapping[str, Any]
    reference: str | None
