"""What surrounds the panels has room, and says what it is to say."""

from __future__ import annotations

import re
import warnings
from functools import cache

import pytest
from PIL import Image

from clustrategy.figures.parts.files import save
from clustrategy.figures.parts.frame import compose, words_on
from clustrategy.figures.parts.style import Look, new_figure
from clustrategy.figures.registry import FIGURES
from clustrategy.figures.words import Words, words_of
from tests.figures.drawn import few_cells, figure_of, shared_figure, text_of
from tests.figures.tables import (
    DESIGN,
    STRATEGIES,
    STUDY,
    make_estimates,
    make_performance,
    make_scores,
)


def test_the_title_of_the_y_axis_keeps_clear_of_legend_and_caption():
    table = make_scores({**DESIGN, "clusters": [10], "obs_per_cluster": [5, 25, 100]})
    figure = figure_of("t_statistics", table)
    renderer = figure.canvas.get_renderer()
    ylabel = next(text for text in figure.texts if text.get_rotation() == 90)
    box = ylabel.get_window_extent(renderer)
    caption = max((t for t in figure.texts if t is not ylabel), key=lambda t: len(t.get_text()))
    for other in (figure.legends[0], caption):
        assert not box.overlaps(other.get_window_extent(renderer))


def test_text_is_at_least_8_points_on_the_printed_page():
    figure = shared_figure("coefficient_recovery")
    texts = [*figure.texts, *figure.legends[0].get_texts(), *figure.axes[0].get_yticklabels()]
    assert min(text.get_size() for text in texts) * 6.5 / 9 >= 8 - 1e-9


@pytest.mark.parametrize("name", FIGURES)
def test_a_note_ends_the_caption_of_every_figure(name):
    note = "NOT AUDITED: R is not on this machine."
    tables = [few_cells(table) for table in FIGURES[name].tables]
    noted, plain = figure_of(name, *tables, note=note), figure_of(name, *tables)
    captions = {text.get_text().replace("\n", " ") for text in noted.texts}
    assert sum(caption.endswith(f". {note}") for caption in captions) == 1
    assert "NOT AUDITED" not in text_of(plain)


VARIANTS = {
    "one strategy": ({}, {"strategies": STRATEGIES[:1]}),
    "one cell": ({name: [levels[0]] for name, levels in DESIGN.items()}, {}),
    "fifteen strategies": ({}, {"strategies": [*STRATEGIES, *(f"s{k}" for k in range(12))]}),
    "many sizes": ({"clusters": [*range(5, 12)], "between_cluster_sigma": [0]}, {}),
    "a factor of texts": ({}, {"factors": [*STUDY, "treatment"]}),
}


@cache
def tables_of(variant):
    levels, changes = VARIANTS[variant]
    more = {"treatment": ["between", "none"]} if "factors" in changes else {}
    estimates = make_estimates({**DESIGN, "clusters": [10], **levels}, **more)
    return estimates, make_performance(estimates), changes


@pytest.mark.parametrize("variant", VARIANTS)
@pytest.mark.parametrize(
    "name", ["coverage", "p_value_ecdf", "zip_plot", "nested_loop", "lollipop"]
)
def test_any_study_has_its_figures(name, variant):
    estimates, performance, changes = tables_of(variant)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        figure = figure_of(name, performance, estimates, **changes)
        figure.draw_without_rendering()
    bounds = figure.bbox.padded(1)
    for text in [*figure.texts, *(t for axes in figure.axes for t in axes.texts)]:
        box = text.get_window_extent()
        assert bounds.x0 <= box.x0 and box.x1 <= bounds.x1, text.get_text()
        assert bounds.y0 <= box.y0 and box.y1 <= bounds.y1, text.get_text()


def test_the_words_of_a_figure_are_in_its_files(tmp_path):
    look = Look(width=4, note="NOT AUDITED: no R.")
    figure = new_figure(look, 1)
    figure.subplots()
    title = "A two-stage regression finds <half> & less of it, as far as 1,000 sims can tell: −3 %"
    words = {"title": title, "subtitle": r"share of \$x\$", "caption": "Bars: 95 %."}
    compose(figure, look, panels_height=1, **words)
    expected = Words(title, "share of $x$", "Bars: 95 %. NOT AUDITED: no R.")
    assert words_on(figure) == expected
    save(figure, [tmp_path / name for name in ("a.svg", "a.png", "a.pdf")])
    assert words_of(tmp_path / "a.svg") == expected
    text = (tmp_path / "a.svg").read_text()
    assert "<dc:date>" not in text and "<text" not in text and "<?xml" in text
    with Image.open(tmp_path / "a.png") as picture:
        assert picture.info["Title"] == title
        assert picture.info["Description"] == f"{expected.subtitle}\n{expected.caption}"
    pdf = (tmp_path / "a.pdf").read_bytes()
    assert re.search(rb"/Title", pdf) and re.search(rb"/Subject", pdf)
