"""Stacked bars of shares of fits, by how the fits ended."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.patches import Patch

from clustrategy.figures.parts.style import INK, Colour, Look, tint

GREY = (0.35, 0.35, 0.35)


@dataclass(frozen=True)
class Outcome:
    """An outcome of fits and how its part of a bar is painted.

    Attributes
    ----------
    label, hatch : str
        Its name for readers, and matplotlib's hatch.
    paint : float
        Share of white in the colour, the rest of which is the bar's.
    dark : bool
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
    outcomes: Sequence[Outcome],
    colours: Sequence[Colour],
    look: Look,
) -> None:
    """Draw a stacked bar of its colour at each x; parts without height are left out.

    The heights of the parts are ``shares`` of shape (bars, outcomes), the first one at the bottom.
    """
    bottoms = np.cumsum(shares, axis=1) - shares
    for outcome, share, bottom in zip(outcomes, shares.T, bottoms.T, strict=True):
        seen = [int(bar) for bar in np.flatnonzero(share)]
        if seen:
            faces = [tint(colours[bar], outcome.paint) for bar in seen]
            edges = [outcome.edge(colours[bar]) for bar in seen]
            style: dict[str, Any] = {"facecolor": faces, "edgecolor": edges, "hatch": outcome.hatch}
            place = x[seen], share[seen], width, bottom[seen]
            axes.bar(*place, linewidth=look.line, **style)


def outcome_handles(outcomes: Sequence[Outcome]) -> list[Patch]:
    """Return a legend's entries: a grey patch for each outcome."""
    handles = []
    for one in outcomes:
        colours: dict[str, Any] = {"facecolor": tint(GREY, one.paint), "edgecolor": one.edge(GREY)}
        handles.append(Patch(hatch=one.hatch, label=one.label, **colours))
    return handles
