"""The look shared by all figures."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any, Self

import numpy as np
from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure
from matplotlib.text import Annotation

PRINT_WIDTH = 6.5
INK = "#222222"
MUTED = "#666666"
BAND = "#f2f2f2"
WRONG = "#b3261e"
GOOD = "#0173b2"

PAGE = 12.5 / 9  # height over width of a page of A4 without its margins

Colour = tuple[float, float, float]

GREY: Colour = (0.7, 0.7, 0.7)
"""Of what does not count."""

COLORBLIND = "0173b2 de8f05 029e73 d55e00 cc78bc ca9161 fbafe4 949494 ece133 56b4e9"
"""Seaborn's palette of that name, copied so that most figures need not import seaborn."""


@dataclass(frozen=True)
class Look:
    """How a figure is drawn.

    Attributes
    ----------
    width, dpi : float, int
        Width of the figure in inches, and the resolution of a PNG file.
    palette : str
        Name of a seaborn palette.
    scale : {"log", "linear"}
        Scale of the y axis of scores.
    note : str
        A sentence that the caption ends with.
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
        """Take the settings that options have, and the defaults for the others."""
        known = (field.name for field in fields(cls))
        return cls(**{name: options[name] for name in known if options.get(name) is not None})

    def printed(self, points: float) -> float:
        """Return the size that is ``points`` once the figure is printed on a page."""
        return points * max(self.width / PRINT_WIDTH, 1)

    @property
    def page(self) -> float:
        """The most inches from top to bottom of the figure."""
        return PAGE * max(self.width, PRINT_WIDTH)

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
        """Return ``count`` distinct colours, from the palette if it has that many.

        ``colorblind`` goes on with dark shades of its ten colours.
        """
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
        """Return each strategy's colour, which depends on its place among the strategies."""
        return dict(zip(strategies, self.colours(len(strategies)), strict=True))


class TooTall(Exception):
    """A figure would be higher than a page."""


def new_figure(look: Look, height: float) -> Figure:
    """Return an empty figure, so many inches high; `TooTall` if a page is not."""
    if height > look.page:
        raise TooTall
    figure = Figure(figsize=(look.width, height), dpi=look.dpi)
    FigureCanvasAgg(figure)
    return figure


def shades(count: int) -> list[Colour]:
    """Return colours for the levels of a number, from light to dark."""
    levels = colormaps["plasma"](np.linspace(0.82, 0.0, max(count, 2))[-count:])
    return [to_rgb(level) for level in levels]


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


def name_axes(axes: Axes, look: Look, *, x: str = "", y: str = "", title: str = "") -> None:
    """Write the titles of a panel and of its axes."""
    axes.set_xlabel(x, size=look.text, color=INK)
    axes.set_ylabel(y, size=look.text, color=INK)
    axes.set_title(title, size=look.text, color=INK, loc="left")


def note(
    axes: Axes, text: str, place: tuple[float, float], shift: tuple[float, float], **style: Any
) -> Annotation:
    """Write a text so many points from a place in a panel, by default a share of its axes."""
    style = {"xycoords": "axes fraction", "color": INK, **style}
    return axes.annotate(text, place, shift, textcoords="offset points", **style)
