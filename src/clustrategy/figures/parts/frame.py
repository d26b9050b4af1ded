"""What surrounds the panels of a figure: title, subtitle, legends, axis titles and caption."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np
from matplotlib.artist import Artist
from matplotlib.figure import Figure
from matplotlib.layout_engine import ConstrainedLayoutEngine
from matplotlib.legend import Legend
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from matplotlib.text import Text
from matplotlib.transforms import Bbox

from clustrategy.figures.parts.labels import strategy_label
from clustrategy.figures.parts.style import (
    INK,
    MUTED,
    Colour,
    Look,
    TooTall,
    new_figure,
    note,
    shade,
)
from clustrategy.figures.words import Words

EDGE = 0.08
LEADING = 1.3
BOLD = 1.17  # how much wider bold letters are
LEGEND: Mapping[str, Any] = {
    "loc": "upper left",
    "frameon": False,
    "labelcolor": INK,
    "borderaxespad": 0,
    "borderpad": 0.2,
    "handlelength": 1.6,
    "columnspacing": 1.4,
}
DASHES: tuple[Any, ...] = ("-", (0, (3, 1)), (0, (1, 1)))


def wrap(text: str, inches: float, points: float) -> str:
    """Break a text into lines that fit a width at a font size, but not before a percent sign."""
    return textwrap.fill(
        text.replace(" %", "\N{NO-BREAK SPACE}%"), max(8, int(inches * 72 / (0.54 * points)))
    )


def _text_height(text: str, points: float) -> float:
    return (text.count("\n") + 1) * LEADING * points / 72


def _legend(figure: Figure, look: Look, handles: Sequence[Artist]) -> tuple[Legend, float]:
    """Add a legend in as few rows as fit the width; also return its height in inches."""
    for columns in range(len(handles), 0, -1):
        legend = figure.legend(handles=handles, ncols=columns, fontsize=look.text, **LEGEND)
        legend.set_in_layout(False)
        extent = legend.get_window_extent()
        if columns == 1 or extent.width <= (look.width - 2 * EDGE) * figure.dpi:
            break
        legend.remove()
    return legend, extent.height / figure.dpi


def lines_of(titles: Sequence[str]) -> int:
    """Return how many lines titles beside each other take."""
    return max(title.count("\n") + 1 for title in titles) if any(titles) else 0


def title_panels(
    axes: np.ndarray,
    blocks: Sequence[str],
    columns: Sequence[str],
    look: Look,
    heads: Sequence[float],
) -> None:
    """Write above each block of panels what it is, and above the first what its columns are.

    The axes are the first panels of each block, of shape (blocks, columns); titles may be empty;
    ``heads`` are the points that are left free above each block's panels.
    """
    style: dict[str, Any] = {"size": look.text, "color": INK}
    for place, (first, title, head) in enumerate(zip(axes[:, 0], blocks, heads, strict=True)):
        rise = 3 + head + LEADING * look.text * (lines_of(columns) if place == 0 else 0)
        # A title makes room for itself; the columns' texts stand below the first one.
        first.set_title(title or " ", loc="left", pad=rise, weight="bold", **style)
    style |= {"ha": "center", "va": "bottom", "in_layout": False}
    for panel, title in zip(axes[0], columns, strict=True):
        if title:
            note(panel, title, (0.5, 1), (0, 3 + heads[0]), **style)


def strategy_handles(strategies: Sequence[str], colours: Mapping[str, Colour]) -> list[Patch]:
    """Return a legend's entries: a patch of its colour for each strategy."""
    return [Patch(facecolor=colours[name], label=strategy_label(name)) for name in strategies]


def dot(label: str, look: Look, **mark: Any) -> Line2D:
    """Return a legend's entry for one mark."""
    style = {"color": INK, "marker": "o", "markersize": look.printed(3.4), **mark}
    return Line2D([], [], linestyle="none", label=label, **style)


def strategy_inks(strategies: Sequence[str], look: Look) -> dict[str, Colour]:
    """Return each strategy's colour a little darker, for lines and small marks."""
    colours = look.strategy_colours(strategies)
    return {strategy: shade(colour, 0.12) for strategy, colour in colours.items()}


def compose(
    figure: Figure,
    look: Look,
    *,
    title: str,
    subtitle: str,
    caption: str,
    legends: Sequence[Sequence[Artist]] = (),
    xlabel: str = "",
    ylabel: str = "",
) -> None:
    """Make a figure higher, lay out its panels and write what surrounds them.

    Parameters
    ----------
    figure, look : Figure, Look
        A figure whose panels are drawn, as high as these with their tick labels, and its look,
        whose note ends the caption.
    title, subtitle, caption : str
        What was found, the measure, and how to read the figure; wrapped where they are long.
    legends : sequence of sequence of Artist
        The entries of each legend; the legends stand below the subtitle, one below the other.
        Empty ones are left out.
    xlabel, ylabel : str
        Axis titles that all panels share.

    Raises
    ------
    TooTall
        If the whole would be higher than a page.
    """
    words = Words(title, subtitle, f"{caption} {look.note}".strip())
    sizes = (BOLD * look.title, look.text, look.text)
    inner = look.width - 2 * EDGE
    head, second, foot = (wrap(text, inner, size) for text, size in zip(words, sizes, strict=True))
    placed = [_legend(figure, look, handles) for handles in legends if handles]

    panels_height = figure.get_figheight()
    line = LEADING * look.text / 72
    above = _text_height(head, look.title) + _text_height(second, look.text)
    top = EDGE + above + sum(height for _, height in placed) + EDGE
    bottom = EDGE + _text_height(foot, look.text) + EDGE + (line if xlabel else 0)
    ylabel = wrap(ylabel, panels_height, look.text)
    left = EDGE / 2 + (_text_height(ylabel, look.text) if ylabel else 0)
    height = top + panels_height + bottom
    if height > look.page:
        raise TooTall
    figure.set_size_inches(look.width, height)

    box = (left / look.width, bottom / height, 1 - left / look.width, panels_height / height)
    ConstrainedLayoutEngine(rect=box).execute(figure)
    # The solver's last digits differ between runs, and equal figures are to be equal files.
    for axes in figure.axes:
        axes.set_position(tuple(np.round(axes.get_position().bounds, 9)))

    def write(x: float, y: float, text: str, **style: Any) -> None:
        figure.text(x, y, text, **{"size": look.text, "color": INK, "va": "top", **style})

    edge = EDGE / look.width
    below = height - EDGE
    write(edge, below / height, head, label=words.title, size=look.title, weight="bold")
    below -= _text_height(head, look.title)
    write(edge, below / height, second, label=words.subtitle)
    below -= _text_height(second, look.text)
    grey: dict[str, Any] = {"color": MUTED, "linespacing": 1.15, "va": "baseline"}
    write(edge, EDGE / height, foot, label=words.caption, **grey)
    for legend, legend_height in placed:
        legend.set_loc("upper left")
        legend.set_bbox_to_anchor((edge, below / height), figure.transFigure)
        below -= legend_height

    corners = np.array([axes.get_position().get_points() for axes in figure.axes])
    x, y = (corners[:, 0].min(axis=0) + corners[:, 1].max(axis=0)) / 2
    if xlabel:
        write(x, (bottom - 0.2 * line) / height, xlabel, ha="center")
    if ylabel:
        write(edge, y, ylabel, ha="left", va="center", rotation=90, ma="center")


def words_on(figure: Figure) -> Words:
    """Return the words of a figure that `compose` surrounded, as they were before wrapping."""
    return Words(*(str(text.get_label()).replace(r"\$", "$") for text in _words(figure)))


@contextmanager
def wordless(figure: Figure) -> Iterator[Bbox]:
    """Hide the words of a figure that `compose` surrounded, and give what is between, in inches."""
    words = _words(figure)
    *above, below = [text.get_window_extent() for text in words]
    top = min(extent.y0 for extent in above if extent.height)
    bottom = below.y1 if below.height else 0.0
    between = Bbox([[0.0, bottom / figure.dpi], [figure.get_figwidth(), top / figure.dpi]])
    for text in words:
        text.set_visible(False)
    try:
        yield between
    finally:
        for text in words:
            text.set_visible(True)


def _words(figure: Figure) -> list[Text]:
    return figure.texts[:3]


def nothing(look: Look, title: str, subtitle: str, caption: str = "") -> Figure:
    """Return a figure without values, whose title says why there are none."""
    figure = new_figure(look, 0.12 * look.width)
    axes = figure.subplots()
    axes.set_axis_off()
    words: dict[str, Any] = {"ha": "center", "va": "center", "size": look.text, "color": MUTED}
    axes.text(0.5, 0.5, "no values", transform=axes.transAxes, **words)
    compose(figure, look, title=title, subtitle=subtitle, caption=caption)
    return figure
