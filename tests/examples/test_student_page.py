"""The words of the example on real data, and its figure."""

from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from clustrategy.examples.student_page import page as page_of
from clustrategy.examples.student_regressions import (
    CLUSTERED,
    CREDITS,
    UNCLUSTERED,
    Example,
)
from clustrategy.figures.student import student_figure
from tests.examples.student import (
    EXPECTED,
    TWIN,
    clinics,
    made,
    twin,
)


def test_the_page_of_the_real_table(real: Example) -> None:
    page = page_of(real)
    assert "{" not in page
    ratio = EXPECTED[UNCLUSTERED]["std_error"] / EXPECTED[CLUSTERED]["std_error"]
    assert f"{ratio:.2f} times smaller" in page
    for words in (
        "2 clusters: GP 349, MS 46",
        "Neither t test finds",
        "p = 0.497 unclustered and p = 0.143 clustered",
        "rank 1",
        "Only 1 degree of freedom is left",
        "p = 1.18e-05",
        "need more than 2 clusters as well",
        "fixed effect",
        "(student.png)",
    ):
        assert words in page
    assert "Cortez" not in page, "the twin is not the real table"


def test_the_credit_follows_the_checksum(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(CREDITS, hashlib.sha256(TWIN).hexdigest(), "a well-known table")
    assert "The table: a well-known table." in page_of(made(tmp_path, twin()))


@pytest.mark.parametrize(
    ("count", "there", "not_there"),
    [
        (
            2,
            ["What is wrong with it", "rank 1", "c00 30, c01 30"],
            [],
        ),
        (
            5,
            ["How far to trust it", "rank 2", "Only 4 degrees of freedom are", "C(clinic)"],
            ["What is wrong with it", "more than 2 clusters as well", "1 degree of"],
        ),
        (
            50,
            ["How far to trust it", "30 rows each", "49 degrees of freedom are", "40 more"],
            ["Only", "What to do instead", "C(clinic)", "c10"],
        ),
    ],
)
def test_the_page_of_other_tables(
    tmp_path: Path, count: int, there: list[str], not_there: list[str]
) -> None:
    change = {"formula": "y ~ `the dose`", "cluster": "clinic"}
    it = made(tmp_path, clinics(count, 30), **change)
    page = page_of(it)
    assert "{" not in page
    assert [words for words in there if words not in page] == []
    assert [words for words in not_there if words in page] == []
    larger = it.slope(CLUSTERED)["std_error"] > it.slope(UNCLUSTERED)["std_error"]
    assert f"times {'larger' if larger else 'smaller'}" in page
    assert "`` y ~ `the dose` ``" in page


def words_of(it: Example) -> str:
    figure = student_figure(it, {})
    texts = [*figure.texts, *(text for axes in figure.axes for text in axes.texts)]
    return " ".join(text.get_text() for text in texts).replace("\n", " ")


def test_the_figure_shows_the_trap(real: Example) -> None:
    words = words_of(real)
    assert "6.45 times smaller" in words
    assert "p = 1.2e-05: zero is outside" in words
    assert words.count("zero is outside") == 1
    assert "The trap" in words


def test_the_figure_draws_the_first_of_several_predictors_and_says_so(tmp_path: Path) -> None:
    change = {"formula": "y ~ age + `the dose`", "cluster": "clinic"}
    it = made(tmp_path, clinics(8, 12), **change)
    assert it.term == "age"
    assert "Of several predictors age is drawn" in words_of(it)


def test_a_cluster_whose_rows_give_no_slope_has_none(tmp_path: Path) -> None:
    table = pd.concat([twin(), pd.DataFrame({"school": ["ZZ"], "absences": [1.0], "G3": [2.0]})])
    it = made(tmp_path, table)
    assert np.isnan(it.own[2]).all()
    assert "nan" not in words_of(it)
    row = next(line for line in page_of(it).splitlines() if line.startswith("| ZZ"))
    assert "nan" not in row
