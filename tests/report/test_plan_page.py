"""The page of a plan: the answer first, nothing from outside, nothing broken."""

import pytest

from clustrategy import plan
from clustrategy.report.plan_page import plan_page
from tests.report.checks import check_alone, check_closed


@pytest.fixture(scope="module")
def found():
    ols = {"strategy": "ols", "name": "<i>OLS</i>"}
    return plan(
        rows=10,
        icc=0.2,
        effect=1.0,
        clusters=(8, 24),
        cost_cluster=100,
        cost_row=2,
        strategies=["two-stage", ols],
        sims=1_000,
    )


@pytest.fixture(scope="module")
def page(found):
    return plan_page(found)


def test_the_answer_comes_first_and_then_what_supports_it(found, page):
    parts = ["<h1>", "Plan for ", "That costs ", "How many clusters, by strategy"]
    parts += ["figure-power_by_clusters", 'id="supposed"', "Supposed: clusters have 10 rows"]
    parts += ['id="found"', "Power and false positives"]
    places = [page.index(part) for part in parts]
    assert places == sorted(places)
    assert f"<h1>{found.words.title}</h1>" in page


def test_it_needs_no_other_file_and_runs_no_script(page):
    check_alone(page)


def test_names_are_text(page):
    assert "<i>" not in page and "&lt;i&gt;OLS&lt;/i&gt;" in page


def test_every_tag_is_closed(page):
    check_closed(page)
