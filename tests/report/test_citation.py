"""How to cite, from a CITATION.cff."""

from __future__ import annotations

from importlib.metadata import version
from pathlib import Path

from clustrategy.report.citation import citation
from tests.conftest import REPO


def test_that_of_this_repository() -> None:
    found = citation(REPO / "CITATION.cff", "2026")
    assert found.text == (
        "The clustrategy authors (2026). clustrategy: compare analysis strategies for clustered "
        f"data, version {version('clustrategy')}."
    )
    assert "  author = {{The clustrategy authors}},\n" in found.bibtex
    assert found.bibtex.startswith("@software{clustrategy,\n")


def test_persons_a_date_and_an_address(tmp_path: Path) -> None:
    (tmp_path / "CITATION.cff").write_text(
        "title: T\nversion: 2.0\ndate-released: 2024-05-06\nurl: https://example.org\n"
        "authors:\n  - {family-names: Doe, given-names: Jo}\n  - name: A Lab\n"
    )
    found = citation(tmp_path / "CITATION.cff", "2026")
    assert found.text == "Doe, Jo; A Lab (2024). T, version 2.0. https://example.org"
    assert "author = {Doe, Jo and {A Lab}}" in found.bibtex
    assert "year = {2024}" in found.bibtex
