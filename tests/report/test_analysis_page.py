"""The page of a table of one's own: the answer first, nothing from outside, nothing broken."""

from __future__ import annotations

import pytest

from clustrategy import fit
from clustrategy.report.analysis_page import analysis_page
from tests.material import orthodont
from tests.report.checks import check_alone, check_closed


@pytest.fixture(scope="module")
def page() -> str:
    data = orthodont().rename(columns={"age": "<i>age</i>"})
    return analysis_page(fit(data, "distance ~ `<i>age</i>` + Sex", cluster="Subject"), "my/o.csv")


def test_the_answer_comes_first_and_then_what_supports_it(page):
    parts = ["<h1>", "Go by OLS CR2", "Mind</h3>", "figure-forest", 'id="terms"', 'id="clusters"']
    parts += ["Where each predictor varies", "figure-clusters", "figure-leverage"]
    parts += ["figure-shrinkage", 'id="models"', "Residuals and random effects"]
    places = [page.index(part) for part in parts]
    assert places == sorted(places)
    said = "108 rows in 27 clusters of 4 rows each. The intraclass correlation of distance is "
    assert f"{said}0.43, given the predictors 0.61. Read from o.csv." in page


def test_it_needs_no_other_file_and_runs_no_script(page):
    check_alone(page)


def test_names_are_text(page):
    assert "<i>" not in page and "&lt;i&gt;age&lt;/i&gt;" in page


def test_every_tag_is_closed(page):
    check_closed(page)
