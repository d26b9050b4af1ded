"""Names beside marks, where there is room for them."""

from __future__ import annotations

from clustrategy.figures.parts.dot_names import name_dots
from clustrategy.figures.parts.style import Look, new_figure
from tests.figures.in_order import is_in_order


def test_names_are_inside_the_panel_and_apart_and_the_first_are_written():
    figure = new_figure(Look(), 2)
    axes = figure.subplots()
    axes.set_axis_off()
    places = {"at the right end": (1, 0.5), "at the left": (0, 0.5), "above": (0.5, 1)}
    names = [(name, *place) for name, place in places.items()]
    crowd = [(f"number {k}", 0.5, 0.2) for k in range(30)]
    written = name_dots(axes, [*names, ("far too long " * 30, 0.5, 0.5), *crowd], Look())
    assert written[:3] == [*places] and written[3:5] == ["number 0", "number 1"]
    assert len(written) < 12 and [text.get_text() for text in axes.texts] == written
    inside = axes.get_window_extent()
    for text in axes.texts:
        box = text.get_window_extent()
        assert inside.x0 <= box.x0 and box.x1 <= inside.x1 and box.y1 <= inside.y1
    is_in_order(figure)
