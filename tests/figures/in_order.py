"""Whether the words of a figure are inside its page and apart."""

from __future__ import annotations

import itertools

from matplotlib.figure import Figure
from matplotlib.text import Text

from clustrategy.figures.parts.style import Look


def texts_of(figure: Figure) -> list[Text]:
    """All words that are seen: around the panels, in them, at their axes and in legends."""
    found = [*figure.texts, *(text for legend in figure.legends for text in legend.get_texts())]
    for axes in figure.axes:
        found += [*axes.texts, axes.title, axes._left_title]
        for axis in (axes.xaxis, axes.yaxis):
            low, high = sorted(axis.get_view_interval())
            ticks = [tick for tick in axis.get_major_ticks() if tick.label1.get_visible()]
            found += [tick.label1 for tick in ticks if low <= tick.get_loc() <= high]
    return [text for text in found if text.get_text().strip()]


def is_in_order(figure: Figure) -> None:
    """Assert that a figure is no higher than a page, and its words inside it and apart."""
    figure.draw_without_rendering()
    width, height = figure.get_size_inches()
    assert height <= Look(width=width).page + 1e-9
    bounds = figure.bbox.padded(1)
    texts = texts_of(figure)
    boxes = [(text.get_text(), text.get_window_extent().padded(-1)) for text in texts]
    for words, box in boxes:
        assert bounds.x0 <= box.x0 and box.x1 <= bounds.x1, words
        assert bounds.y0 <= box.y0 and box.y1 <= bounds.y1, words
    for (words, box), (others, other) in itertools.combinations(boxes, 2):
        assert not box.overlaps(other), (words, others)
