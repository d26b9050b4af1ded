"""The page in Chromium: from the disk, without a network, to read and to print."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from clustrategy.evaluation.conclusions import CONCLUSIONS
from clustrategy.report.own_table import OwnTable
from tests.report import own_pages
from tests.report.pages import CONCLUSION, fits_of, page_of, rate, rows_of, study_of, write_picture

EVIL = "<script>document.title = 'injected'</script>\"'{{ 7 * 7 }}" + "x" * 300


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A page that has all that a page can have, in a folder of its own."""
    folder, empty = tmp_path_factory.mktemp("figures"), tmp_path_factory.mktemp("empty folder")
    study = replace(study_of(strategies=["two_stage", "ols", {"strategy": "ols", "name": EVIL}]))
    rows = [
        *rows_of("two_stage", 0.05, safe=True, verdict="holds", safe_cells=2, undecided_cells=0),
        *rows_of("ols", 0.7, verdict="liberal", liberal_cells=2, undecided_cells=0),
        *rows_of(EVIL, None),
        *(
            rate(label, 0.06, scope="clusters", clusters=clusters, cells=1)
            for label in ("two_stage", "ols")
            for clusters in (10, 30)
        ),
    ]
    page = page_of(
        study,
        rows,
        fits=fits_of(study, {"ols": ["error", "singular"]}),
        pictures=[write_picture(folder, name) for name in ("false_positives", "bias")],
        conclusions=pa.Table.from_pylist([CONCLUSION], CONCLUSIONS),
        audit="Audit: 4 datasets by lme4.\n  least squares: 8 fits\n",
    )
    (empty / "report.html").write_text(page, encoding="utf-8")
    return empty / "report.html"


@pytest.fixture
def open_page(browser: Any, file: Path) -> Iterator[Callable[..., Any]]:
    """A function that opens the page; it must have made no request and said nothing."""
    heard: list[str] = []
    contexts = []

    def opened(**options: Any) -> Any:
        context = browser.new_context(offline=True, **options)
        contexts.append(context)
        page = context.new_page()
        page.on("console", lambda message: heard.append(message.text))
        page.on("pageerror", lambda error: heard.append(str(error)))
        page.on("dialog", lambda dialog: heard.append(dialog.message))
        page.on("request", lambda request: heard.append(request.url[:100]))
        page.goto(file.as_uri())
        return page

    yield opened
    for context in contexts:
        context.close()
    strangers = [one for one in heard if not one.startswith(("file:", "data:"))]
    assert strangers == []
    assert sum(one.startswith("file:") for one in heard) == len(contexts)


def test_it_opens_from_the_disk_and_every_picture_is_there(open_page: Callable[..., Any]) -> None:
    page = open_page()
    assert page.title() == "made-up: which analysis can be trusted?"
    sizes = page.evaluate("[...document.images].map(image => image.naturalWidth)")
    assert sizes == [30, 30]
    assert page.evaluate("document.scripts.length") == 0
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent") == "Skip to the answer"


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing(open_page: Callable[..., Any], scheme: str) -> None:
    from axe_playwright_python.sync_playwright import Axe

    page = open_page(color_scheme=scheme)
    found = Axe().run(page).response["violations"]
    assert [(one["id"], one["nodes"][0]["html"]) for one in found] == []


def test_dark_is_dark_and_paper_is_white(open_page: Callable[..., Any]) -> None:
    page = open_page(color_scheme="dark")
    paper = "getComputedStyle(document.body).backgroundColor"
    dark = [int(number) for number in re.findall(r"\d+", page.evaluate(paper))]
    assert max(dark) < 64
    page.emulate_media(media="print")
    assert page.evaluate(paper) == "rgb(255, 255, 255)"


def test_a_telephone_scrolls_tables_and_not_the_page(open_page: Callable[..., Any]) -> None:
    page = open_page(viewport={"width": 360, "height": 740})
    assert page.evaluate("document.documentElement.scrollWidth") == 360
    assert page.evaluate("document.querySelector('.scroll').scrollWidth") > 360


def test_it_prints_without_a_table_that_is_cut_off(open_page: Callable[..., Any]) -> None:
    # A4 less its margins, at 96 dots an inch.
    page = open_page(viewport={"width": 688, "height": 1000})
    page.emulate_media(media="print")
    widths = page.evaluate(
        "[...document.querySelectorAll('table')].map(t => t.getBoundingClientRect().right)"
    )
    assert max(widths) <= 688
    printed = page.pdf(prefer_css_page_size=True)
    assert printed.startswith(b"%PDF")
    assert len(re.findall(rb"/Type\s*/Page\b", printed)) in range(4, 9)


@pytest.fixture
def own_table(browser: Any, tmp_path: Path) -> Iterator[Any]:
    """The page of a study on a table, open."""
    study = own_pages.study_of("<script>alert(1)</script>" + "x" * 300)
    assert study.given is not None
    term = study.given.shard.terms[1]
    estimates = [{**row, "term": term} for row in own_pages.ESTIMATES.to_pylist()]
    own = OwnTable(
        own_pages.least(term, own_pages.FOUND), estimates=pa.Table.from_pylist(estimates)
    )
    rows = own_pages.rows_on(study, "two_stage", **own_pages.SAFE)
    (tmp_path / "report.html").write_text(own_pages.page(study, rows, own=own), encoding="utf-8")
    context = browser.new_context(offline=True, viewport={"width": 360, "height": 740})
    opened = context.new_page()
    opened.goto((tmp_path / "report.html").as_uri())
    yield opened
    context.close()


def test_the_page_of_a_table_hides_its_estimates_and_fits_a_telephone(own_table: Any) -> None:
    from axe_playwright_python.sync_playwright import Axe

    assert own_table.evaluate("document.documentElement.scrollWidth") == 360
    assert own_table.evaluate("document.scripts.length") == 0
    estimate = own_table.get_by_text("4.321").first
    assert not estimate.is_visible()
    own_table.get_by_text("The strategy is decided on").click()
    assert estimate.is_visible()
    found = Axe().run(own_table).response["violations"]
    assert [(one["id"], one["nodes"][0]["html"]) for one in found] == []
