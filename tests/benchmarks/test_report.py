"""The page of the benchmarks."""

from __future__ import annotations

from typing import Any

import pytest

from benchmarks import report


def test_what_was_not_measured_here_stays_on_the_page_with_its_date() -> None:
    before = report.PAGE.read_text()
    assert before.count("\nMeasured on ") == before.count("\n## ") == len(report.SECTIONS)
    assert report.page({}, before) == before


def test_what_was_measured_replaces_its_own_section_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    def describe(result: Any) -> list[str]:
        return [f"{result['seconds']} s now."]

    monkeypatch.setattr(report, "SECTIONS", dict.fromkeys("ab"))
    monkeypatch.setitem(report.SECTIONS, "a", ("First", describe))
    monkeypatch.setitem(report.SECTIONS, "b", ("Second", describe))
    old = "## First\n\n1 s then.\n\nMeasured on a day.\n\n## Second\n\n2 s then.\n"
    found = {"a": {"seconds": 3, "date": "another day", "machine": "one"}}
    said = report.page(found, old)
    assert said.endswith(
        "## First\n\n3 s now.\n\nMeasured on another day: one.\n\n## Second\n\n2 s then.\n"
    )
