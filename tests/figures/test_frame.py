"""What surrounds the panels has room, and says what it is to say."""

from __future__ import annotations

import re
import warnings
from functools import cache

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from clustrategy.figures.parts.files import quiet, save
from clustrategy.figures.parts.frame import compose, nothing, words_on
from clustrategy.figures.parts.style import Look, new_figure
from clustrategy.figures.registry import FIGURES
from clustrategy.figures.words import Words, words_of
from tests.figures.drawn import few_cells, figure_of, shared_figure, text_of
from tests.figures.in_order import is_in_order
from tests.figures.tables import (
    DESIGN,
    STRATEGIES,
    STUDY,
    make_estimates,
    make_performance,
)
from tests.figures.verdict_tables import make_verdicts


@pytest.mark.parametrize("name", FIGURES)
def test_words_are_inside_the_page_and_apart_and_the_title_is_a_sentence(name):
    figure = shared_figure(name)
    is_in_order(figure)
    title, subtitle, caption = words_on(figure)
    assert len(title.split()) > 5 and subtitle and caption.endswith(".")
    assert not set("\n{}") & set(title + subtitle + caption) and "nan" not in title


@pytest.mark.parametrize(
    "name", ["standard_errors", "nested_loop", "audit", "dependence", "power_curves"]
)
def test_the_narrowest_figures_are_in_order_too(name):
    is_in_order(figure_of(name, *map(few_cells, FIGURES[name].tables), width=4))


ODD = {
    "cluster_robust": "<b>in bold</b> & <script>x</script>",
    "two_stage": "a" * 2500 + "z" * 2500,
    "mixed_maximal": "cost in $x$ and _y_^2, %",
}
ONE = {"clusters": 10, "obs_per_cluster": 5, "between_cluster_sigma": 0.1, "sim": 1}


def smallest(table: pd.DataFrame) -> pd.DataFrame:
    """One cell, one sim and one strategy."""
    if "measure" in table and "scope" in table:
        cell = {name: [level] for name, level in ONE.items() if name in table}
        return make_verdicts(levels=cell, strategies=["mixed_maximal"])
    for name, level in {**ONE, "strategy": "mixed_maximal"}.items():
        if name in table and (table[name] == level).any():
            table = table[table[name] == level]
    return table


def without_numbers(table: pd.DataFrame) -> pd.DataFrame:
    """No fit is usable: NaN for every number of a fit, and nothing that is ok."""
    of_fits = [n for n in table.select_dtypes("float") if n not in (*STUDY, "true_value")]
    table = table.assign(**dict.fromkeys(map(str, of_fits), np.nan))
    if "status" in table:
        table = table.assign(status="error")
    return table.assign(verdict="both_failed") if "verdict" in table else table


def oddly_named(table: pd.DataFrame) -> pd.DataFrame:
    return table.assign(strategy=table["strategy"].replace(ODD)) if "strategy" in table else table


@pytest.mark.parametrize("name", FIGURES)
@pytest.mark.parametrize("change", [smallest, without_numbers, oddly_named])
def test_hard_studies_have_their_figures_in_order(name, change):
    if change is without_numbers and FIGURES[name].tables[0] in TRUE_VALUES:
        return
    tables = [few_cells(table) for table in FIGURES[name].tables]
    strategies = {smallest: STRATEGIES[2:], oddly_named: [*ODD.values()]}.get(change, STRATEGIES)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        warnings.simplefilter("ignore", PendingDeprecationWarning)
        figure = figure_of(name, *map(change, tables), strategies=strategies)
        is_in_order(figure)
    title = words_on(figure).title
    assert "nan" not in title and max(map(len, title.split())) <= 60
    if change is without_numbers and name != "convergence":
        assert title.startswith("No")


TRUE_VALUES = ("cluster_coefficients", "dependence")
"""Tables without fits."""


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
        is_in_order(figure_of(name, performance, estimates, **changes))


def test_the_words_of_a_figure_are_in_its_files(tmp_path):
    look = Look(width=4, note="NOT AUDITED: no R.")
    figure = new_figure(look, 1)
    figure.subplots()
    title = "A two-stage regression finds <half> & less of it, as far as 1,000 sims can tell: −3 %"
    words = {"title": title, "subtitle": r"share of \$x\$", "caption": "Bars: 95 %."}
    compose(figure, look, **words)
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


def test_names_in_a_script_that_the_font_lacks_are_drawn_without_a_word(tmp_path):
    with quiet():
        figure = nothing(Look(), "No school", "学校")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with pytest.raises(UserWarning, match="Glyph"):
            save(figure, [tmp_path / "loud.png"])
        with quiet():
            save(figure, [tmp_path / "a.png"])
