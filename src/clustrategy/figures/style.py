"""The look shared by all figures."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any, Self

import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure

PRINT_WIDTH = 6.5
INK = "#222222"
MUTED = "#666666"
BAND = "#f2f2f2"

MOST_PIXELS = 50_000
"""From top to bottom of the panels; a picture cannot have 2^16."""

Colour = tuple[float, float, float]

COLORBLIND = "0173b2 de8f05 029e73 d55e00 cc78bc ca9161 fbafe4 949494 ece133 56b4e9"
"""Seaborn's ``colorblind``, kept here because most figures need nothing else of seaborn.

More than ten strategies have dark shades of the same colours.
"""


@dataclass(frozen=True)
class Look:
    """How a figure is drawn.

    Attributes
    ----------
    width
        Width of the figure in inches.
    dpi
        Resolution of a PNG file.
    palette
        Name of a seaborn palette.
    scale
        Scale of a metric's axis, ``log`` or ``linear``.
    note
        A sentence that every caption ends with.
    """

    width: float = 9.0
    dpi: int = 150
    palette: str = "colorblind"
    scale: str = "log"
    note: str = ""

    def __post_init__(self) -> None:
        if self.scale not in ("log", "linear"):
            raise ValueError(f"scale must be 'log' or 'linear', not {self.scale!r}")

    @classmethod
    def from_options(cls, options: Mapping[str, Any]) -> Self:
        """Take what a study's options set, and the defaults for the rest."""
        known = (field.name for field in fields(cls))
        return cls(**{name: options[name] for name in known if options.get(name) is not None})

    def printed(self, points: float) -> float:
        """Return the size that measures ``points`` once the figure is printed on a page."""
        return points * max(self.width / PRINT_WIDTH, 1)

    @property
    def text(self) -> float:
        """Font size of all text but the title."""
        return self.printed(8)

    @property
    def title(self) -> float:
        """Font size of the title."""
        return self.printed(9.5)

    @property
    def line(self) -> float:
        """Width of a thin line."""
        return self.printed(0.6)

    def colours(self, count: int) -> list[Colour]:
        """Return ``count`` distinct colours, of the palette if it has that many."""
        palette = [to_rgb(f"#{colour}") for colour in COLORBLIND.split()]
        palette += [shade(colour, 0.45) for colour in palette]
        if self.palette != "colorblind" or count > len(palette):
            from seaborn import color_palette

            palette = color_palette(self.palette)
            if count > len(set(palette)):
                palette = color_palette(self.palette, count)
            if count > len(set(palette)):
                palette = color_palette("husl", count)
        return list(palette[:count])

    def strategy_colours(self, strategies: Sequence[str]) -> dict[str, Colour]:
        """Return each strategy's colour, which its place among a study's strategies decides."""
        return dict(zip(strategies, self.colours(len(strategies)), strict=True))


class TooTall(Exception):
    """A figure would have more pixels from top to bottom than a picture can have."""


def new_figure(look: Look, height: float) -> Figure:
    """Return an empty figure that needs neither a display nor pyplot.

    Raises
    ------
    TooTall
        Where ``height`` inches are more than ``MOST_PIXELS``.
    """
    if height * look.dpi > MOST_PIXELS:
        raise TooTall
    figure = Figure(figsize=(look.width, height), dpi=look.dpi)
    FigureCanvasAgg(figure)
    return figure


def tint(colour: Colour, amount: float) -> Colour:
    """Mix a colour with white."""
    return tuple(np.array(colour) * (1 - amount) + amount)


def shade(colour: Colour, amount: float) -> Colour:
    """Mix a colour with black."""
    return tuple(np.array(colour) * (1 - amount))


def dress(axes: Axes, look: Look) -> None:
    """Give a panel its frame, grid and tick labels."""
    axes.tick_params(which="both", labelsize=look.text, width=look.line, color=MUTED, length=3)
    axes.tick_params(which="minor", length=0)
    for side, spine in axes.spines.items():
        spine.set(visible=side in ("left", "bottom"), color=MUTED, linewidth=look.line)
    axes.grid(axis="y", color="#dddddd", linewidth=look.line)
    axes.set_axisbelow(True)
