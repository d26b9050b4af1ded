"""Markers that tell kinds of predictors apart, and their entries in legends."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd
from matplotlib.lines import Line2D

from clustrategy.figures.parts.performance import of_truth, true_value_words
from clustrategy.figures.parts.predictor_kinds import SETTINGS, slopes
from clustrategy.figures.parts.style import INK, Colour, Look

MARKERS = "oDs^vP"


def kind_markers(
    table: pd.DataFrame, shown: pd.DataFrame, dgp: Mapping[str, Any]
) -> dict[str, str]:
    """Return the markers of the kinds of predictors that are shown, in the study's order.

    A kind has the same marker in all figures of a study, whichever kinds have values in a figure.
    Where slopes of different true values are different kinds, the first true value has the marker
    of its kind of predictor, and the others have markers of their own.

    Parameters
    ----------
    table : DataFrame
        The performance table of the whole study.
    shown : DataFrame
        What is drawn, with its ``kind``.
    dgp : mapping
        What of the data-generating process is the same in all cells.
    """
    first: list[tuple[str, ...]] = []
    others: list[tuple[str, ...]] = []
    decide = [name for name in table if name in (*SETTINGS, "term", "true_value")]
    for kind, rows in slopes(table.drop_duplicates(decide), dgp).groupby("kind", sort=False):
        true = of_truth(rows, "nonzero").drop_duplicates("true_value")
        values = [f"{kind}{words}" for words in true_value_words(true).tolist()]
        first.append((str(kind), *values[:1]))
        others += [(value,) for value in values[1:]]
    drawn = set(shown["kind"])
    return {
        name: MARKERS[place % len(MARKERS)]
        for place, names in enumerate([*first, *others])
        for name in names
        if name in drawn
    }


def kind_handles(markers: Mapping[str, str], look: Look) -> list[Line2D]:
    """Return a legend's entries for the markers of the kinds of predictors."""
    return [
        dot(kind, look, marker=marker, markerfacecolor=face(marker, INK))
        for kind, marker in markers.items()
    ]


def dot(label: str, look: Look, **mark: Any) -> Line2D:
    """Return a legend's entry for one mark."""
    style = {"color": INK, "marker": "o", "markersize": look.printed(3.4), **mark}
    return Line2D([], [], linestyle="none", label=label, **style)


def face(marker: str, colour: Colour | str) -> Colour | str:
    """Return the colour that fills a marker: the first kind's is solid, others are hollow."""
    return colour if marker == MARKERS[0] else "white"
