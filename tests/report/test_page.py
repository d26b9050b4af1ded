"""The page of a study: what it says, and that nothing of a study can break it or get into it."""

from __future__ import annotations

from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from clustrategy.core.errors import DataError
from clustrategy.evaluation.conclusions import CONCLUSIONS
from clustrategy.figures.words import Words
from clustrategy.report.labels import shortened
from clustrategy.report.pictures import LARGEST, Picture, in_sections, picture
from tests.report.pages import (
    CONCLUSION,
    PROVENANCE,
    fits_of,
    page_of,
    rate,
    rows_of,
    study_of,
    text_of,
    verdicts_of,
    write_picture,
)

EVIL = [
    "<script>alert(1)</script>",
    "\"'><img src=x onerror=alert(1)>",
    "{{ 7 * 7 }}{% raw %}",
    "`</code><b>`",
    "x" * 5000,
]
VOID = {"meta", "link", "img", "wbr", "br"}


class Elements(HTMLParser):
    """Collects the elements of a page; those that need an end tag must have it, in order."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self._open: list[str] = []
        self.feed(page)
        assert self._open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))
        if tag not in VOID:
            self._open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop() == tag


def evil_study() -> Any:
    strategies = [{"strategy": "ols", "name": label} for label in EVIL]
    return replace(study_of(strategies=strategies), name='<b title="">{{ 7 * 7 }}</b>')


def test_the_order_of_answers() -> None:
    page = page_of(study_of())
    heads = [
        "The answer",
        "The design",
        "Aims",
        "Data-generating mechanisms",
        "Estimands",
        "Methods",
        "Performance measures",
        "Figures",
        "Failures",
        "Why to believe it",
        "How to cite",
    ]
    places = [page.index(f">{head}</h") for head in heads]
    assert places == sorted(places)


def test_the_advice_stands_before_its_table() -> None:
    rows = [
        *rows_of("two_stage", 0.05, safe=True, verdict="holds", safe_cells=2, undecided_cells=0),
        *rows_of("ols", 0.7, verdict="liberal", liberal_cells=2, undecided_cells=0),
        *rows_of("maximal"),
    ]
    text = text_of(page_of(study_of(), rows))
    advice = text.index("For predictors within clusters use two_stage: safe in all 2 cells")
    assert advice < text.index("two_stage ✓ safe 5.0 % (1.0) at 10, 5, 0.5")
    assert "ols ✗ liberal 70.0 % (1.0)" in text
    assert "maximal ? undecided" in text
    # In one cell 4,000 sims call a test that keeps its level safe with probability .99.
    assert "sims: 4400 those that keep their level would be" in text


@pytest.mark.parametrize("place", ["labels", "everywhere"])
def test_nothing_is_injected(place: str, tmp_path: Path) -> None:
    study = evil_study() if place == "labels" else replace(study_of(), name=EVIL[0])
    found: dict[str, Any] = {}
    if place == "everywhere":
        fits = fits_of(study, {"ols": ["error"]}).to_pylist()
        fits = [{**row, "message": row["message"] and EVIL[1]} for row in fits]
        found = {
            "fits": pa.Table.from_pylist(fits),
            "pictures": [write_picture(tmp_path, "bias", EVIL[0])],
            "audit": f"Audit: {EVIL[0]}\n  {EVIL[1]}: {EVIL[2]}\n",
            "provenance": {**PROVENANCE, "command": EVIL[0], "platform": EVIL[1]},
            "remake": EVIL[1],
            "conclusions": pa.Table.from_pylist([{**CONCLUSION, "found": EVIL[0]}], CONCLUSIONS),
        }
    page = page_of(study, **found)
    elements = Elements(page).found
    assert "script" not in {tag for tag, _ in elements}
    assert not [name for _, attributes in elements for name in attributes if name[:2] == "on"]
    assert all((a["src"] or "").startswith("data:") for tag, a in elements if tag == "img")
    assert all(a["href"][0] == "#" for tag, a in elements if tag == "a")
    assert "49" not in text_of(page.partition("</header>")[0])
    assert "x" * 61 not in page.partition("The whole config")[0]


def test_what_is_evil_is_shown_as_it_is_written() -> None:
    text = text_of(page_of(evil_study()))
    for label in EVIL[:3]:
        assert f"{label} ? undecided" in text
    assert shortened(EVIL)[EVIL[4]] + " ? undecided" in text


def test_long_labels_stay_apart() -> None:
    labels = ["x" * 100 + end for end in "ab"]
    short = shortened(labels)
    assert len(set(short.values())) == 2
    assert max(map(len, short.values())) < 70


def test_no_usable_fit_and_nan_are_said_in_words() -> None:
    rows = [
        *rows_of("two_stage", None, note="no usable fit"),
        *rows_of("ols", float("nan")),
        *rows_of("maximal"),
    ]
    text = text_of(page_of(study_of(), rows, fits=fits_of(study_of(), {"ols": ["error"] * 100})))
    assert "two_stage – no value – no usable fit" in text
    assert "ols – no value – no value" in text
    assert "nan" not in text.lower().replace("performance", "")
    assert "ols 200 none – 100.0 % 100.0 % 10 clusters, obs_per_cluster 5" in text
    assert "said: error (200)" in text


def test_nothing_usable_at_all() -> None:
    rows = [row for one in ("two_stage", "ols", "maximal") for row in rows_of(one, None)]
    assert "nothing can be said: no strategy has a usable test" in text_of(
        page_of(study_of(), rows)
    )


def test_one_cell_has_no_range_and_one_sim_is_called_one() -> None:
    grid = {"clusters": [10], "obs_per_cluster": [5], "between_cluster_sigma": [0.5]}
    study = study_of(sims=1, grid=grid, strategies=["ols"])
    rows = rows_of("ols", 0.0, cells=1, worst_cell=None, mcse=None, undecided_cells=1)
    text = text_of(page_of(study, rows))
    assert "One strategy applied to the same 1 dataset of one cell." in text
    assert "worst cell" not in text.partition("The design")[0]
    assert "ols ? undecided 0.0 % −12.3 %" in text


def test_a_table_of_verdicts_without_rows_is_said() -> None:
    study = study_of()
    assert "There are no verdicts." in text_of(page_of(study, []))
    assert verdicts_of(study, []).num_rows == 0


def test_an_audit_is_taken_apart_and_its_absence_is_said() -> None:
    text = text_of(
        page_of(study_of(), audit="Audit: 4 datasets by lme4.\n  least squares: 8 fits\n")
    )
    assert "4 datasets by lme4. What the audit found of found least squares 8 fits" in text
    assert "Not audited" not in text
    text = text_of(page_of(study_of()))
    assert "This study was not audited: the config has no audit." in text
    assert "without R." in text


def test_an_audit_that_was_wanted_and_is_not_there_is_said_on_top() -> None:
    left_out = {"references": {}, "left_out": "lme4 needs R"}
    study = study_of(audit={"engine": "lme4"})
    found = page_of(study, provenance={**PROVENANCE, "audit": left_out})
    assert "Not audited: lme4 needs R." in text_of(found.partition("<main>")[0])


def test_the_statements_of_the_first_study_have_verdicts() -> None:
    text = text_of(page_of(study_of(), conclusions=pa.Table.from_pylist([CONCLUSION], CONCLUSIONS)))
    assert "1 All do alike. a ratio of at most 1.15 does not hold The ratio is 1.05 (0.04)." in text
    assert "Conclusions of the study" not in text_of(page_of(study_of()))


def test_how_to_make_a_dataset_again_and_with_what() -> None:
    text = text_of(page_of(study_of()))
    path = "clusters=10/obs_per_cluster=5/between_cluster_sigma=0.5/sim=0/dataset.csv"
    assert f"snakemake --cores 1 results/made-up/remade/{path}" in text
    assert "from 2026-01-02 03:04:05 UTC to 2026-01-02 03:05:00 UTC: snakemake --cores 2" in text
    assert "Python 3.11.7, clustrategy 0.1.0, numpy 2.0.0; on Linux" in text
    assert "All other packages zipp 3.0" in text


def test_without_a_citation_or_a_command_line_that_is_said() -> None:
    text = text_of(
        page_of(
            study_of(), citation=None, provenance={**PROVENANCE, "command": None, "start": None}
        )
    )
    assert "CITATION.cff of the repository, which was not beside the workflow" in text
    assert "from an unknown time" in text


def test_the_explorer_is_linked_once_it_is_there() -> None:
    assert "explorer.html" not in page_of(study_of())
    assert '<a href="explorer.html">' in page_of(study_of(), explorer=True)


def test_figures_have_their_words_and_that_of_the_answer_comes_first(tmp_path: Path) -> None:
    names = ["bias", "false_positives", "mine"]
    pictures = [write_picture(tmp_path, name, f"Title of {name}") for name in names]
    page = page_of(study_of(), pictures=pictures)
    assert page.index("Title of false_positives") < page.index("The design</h2>")
    assert page.index("The design</h2>") < page.index("Title of bias") < page.index("Title of mine")
    assert 'alt="Title of bias share of rejections"' in page
    assert "Bars: 95 % intervals." in text_of(page)
    assert [title for title, _ in in_sections(pictures)] == ["Who keeps which promise", "Further"]


def test_a_large_svg_gives_way_to_its_png_which_has_words_of_its_own(tmp_path: Path) -> None:
    small = write_picture(tmp_path, "bias")
    assert small.source.startswith("data:image/svg+xml;base64,") and small.wordless
    svg = tmp_path / "bias.svg"
    svg.write_text(svg.read_text() + " " * LARGEST)
    large = picture(svg, tmp_path / "bias.png")
    assert large.source.startswith("data:image/png;base64,") and not large.wordless
    assert (
        large.words
        == small.words
        == Words("One finds <more> & less", "share of rejections", "Bars: 95 % intervals.")
    )
    assert 'class="unseen"' in page_of(study_of(), pictures=[large])


@pytest.mark.parametrize("content", ["", "<svg", "<svg xmlns='http://www.w3.org/2000/svg'/>"])
def test_a_damaged_figure_is_one_sentence(content: str, tmp_path: Path) -> None:
    (tmp_path / "bias.svg").write_text(content)
    with pytest.raises(DataError, match=r"bias\.svg: is not a figure with words .*; delete it"):
        picture(tmp_path / "bias.svg", tmp_path / "bias.png")


def test_rates_by_level_are_shown_of_each_kind() -> None:
    study = study_of()
    rows = [row for one in ("two_stage", "ols", "maximal") for row in rows_of(one)]
    rows += [
        rate("ols", value, scope="clusters", clusters=clusters, cells=1, verdict="liberal")
        for clusters, value in ((10, 0.2), (30, 0.1))
    ]
    text = text_of(page_of(study, rows))
    assert "strategy 10 clusters 30 clusters" in text
    assert "ols 20.0 % (1.0) ✗ liberal 10.0 % (1.0) ✗ liberal" in text


def test_a_picture_runs_nothing() -> None:
    assert Picture("a", Words("", "", ""), "data:image/svg+xml;base64,").wordless
    page = page_of(study_of())
    assert "default-src 'none'; img-src data:; style-src 'unsafe-inline'" in page
