"""Shares of kinds of outcome as stacked bars."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from matplotlib.axes import Axes
from matplotlib.patches import Patch

from clustrategy.figures.style import INK, Colour, Look, tint

GREY = (0.35, 0.35, 0.35)


@dataclass(frozen=True)
class Kind:
    """A kind of outcome and how its part of a bar is painted.

    Attributes
    ----------
    label
        Its name for readers.
    paint
        How much white is mixed with a bar's colour.
    hatch
        Matplotlib's hatch.
    dark
        Whether hatch and edge are in ink instead of the bar's colour.
    """

    label: str
    paint: float
    hatch: str = ""
    dark: bool = False

    def edge(self, colour: Colour) -> Colour | str:
        """Return the colour of hatch and edge."""
        return INK if self.dark else colour


def draw_stacks(
    axes: Axes,
    x: np.ndarray,
    width: float,
    shares: np.ndarray,
    kinds: Sequence[Kind],
    colours: Sequence[Colour],
    look: Look,
) -> None:
    """Draw stacked bars; parts without height are left out.

    Parameters
    ----------
    x, width
        Centres of the bars, (bars,), and their width.
    shares
        Heights of the parts, (bars, kinds).
    colours
        The bars' colours.
    """
    bottoms = np.cumsum(shares, axis=1) - shares
    for kind, share, bottom in zip(kinds, shares.T, bottoms.T, strict=True):
        seen = [int(bar) for bar in np.flatnonzero(share)]
        if seen:
            axes.bar(
                x[seen],
                share[seen],
                width,
                bottom=bottom[seen],
                facecolor=[tint(colours[bar], kind.paint) for bar in seen],
                edgecolor=[kind.edge(colours[bar]) for bar in seen],
                hatch=kind.hatch,
                linewidth=look.line,
            )


def kind_handles(kinds: Sequence[Kind]) -> list[Patch]:
    """The legend's entries: a grey patch for each kind."""
    return [
        Patch(
            facecolor=tint(GREY, kind.paint),
            edgecolor=kind.edge(GREY),
            hatch=kind.hatch,
            label=kind.label,
        )
        for kind in kinds
    ]
