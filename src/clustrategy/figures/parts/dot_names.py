"""Names beside marks, where there is room for them."""

from __future__ import annotations

from collections.abc import Iterable

from matplotlib.axes import Axes
from matplotlib.text import Annotation
from matplotlib.transforms import Bbox

from clustrategy.figures.parts.style import INK, Look, note

SIDES = ((1, 0), (-1, 0), (0, 1), (0, -1), (1, 1), (-1, 1), (1, -1), (-1, -1))
TOWARDS = {1: "left", -1: "right", 0: "center"}, {1: "bottom", -1: "top", 0: "center"}
GAP = 4.0


def name_dots(axes: Axes, names: Iterable[tuple[str, float, float]], look: Look) -> list[str]:
    """Write names beside marks, each where no other name and no edge of the panel is.

    Parameters
    ----------
    axes : Axes
        A panel whose place in the figure is settled.
    names : iterable of (str, float, float)
        Each name and where its mark is, the most important first.
    look : Look
        The figure's look.

    Returns
    -------
    list of str
        The names that were written.
    """
    inside = axes.get_window_extent()
    taken: list[Bbox] = []
    written = []
    for name, x, y in names:
        for right, up in SIDES:
            text = _beside(axes, name, (x, y), right, up, look)
            extent = text.get_window_extent().padded(1)
            fits = inside.x0 <= extent.x0 and extent.x1 <= inside.x1
            fits &= inside.y0 <= extent.y0 and extent.y1 <= inside.y1
            if fits and not any(extent.overlaps(other) for other in taken):
                taken.append(extent)
                written.append(name)
                break
            text.remove()
    return written


def _beside(
    axes: Axes, name: str, place: tuple[float, float], right: int, up: int, look: Look
) -> Annotation:
    gap = look.printed(GAP)
    shift = (gap * right, gap * up)
    sides = {"ha": TOWARDS[0][right], "va": TOWARDS[1][up]}
    style = {"size": look.printed(7), "color": INK, "in_layout": False, "zorder": 6, **sides}
    return note(axes, name, place, shift, xycoords="data", **style)
