"""The closing words of a run."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from clustrategy.runtime.closing_words import closing_words
from clustrategy.study.study import Study
from tests.study.cheap import CHEAP

SUMMARY = (
    "strategy,fits,median_coef_abs_err,median_coef_abs_err_mcse,fit_success_rate,singular_rate,"
    "unusable_rate\n"
)


@pytest.fixture
def study(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Study:
    """A study whose run began a while ago."""
    monkeypatch.chdir(tmp_path)
    study = Study.from_config({**CHEAP, "sims": 1500})
    Path(study.folder).mkdir(parents=True)
    Path(study.folder, ".lock").touch()
    began = time.time() - 50
    os.utime(Path(study.folder, ".lock"), (began, began))
    monkeypatch.setattr("clustrategy.runtime.closing_words.as_text", lambda table: "THE TABLE")
    return study


def made(study: Study, name: str, text: str = "", ago: float = 0.0) -> None:
    """Write a file of the study, some seconds ago."""
    path = Path(study.folder, name)
    path.write_text(text)
    date = time.time() - ago
    os.utime(path, (date, date))


def test_a_run_that_made_nothing_of_the_study_says_nothing(study: Study) -> None:
    assert closing_words(study) == ""
    made(study, "other.txt")
    made(study, "summary.csv", SUMMARY, ago=1000)
    assert closing_words(study) == "", "that is of an earlier run"


def test_the_summary_is_shown_with_what_it_is_of(study: Study) -> None:
    made(study, "summary.csv", SUMMARY)
    assert closing_words(study) == (
        "\nThe results are in results/cheap/: tables, figures/, worked_example/\n\n"
        "Medians over 2 cells of 1,500 sims (Monte Carlo standard error in brackets):\n\n"
        "THE TABLE\n\n"
        "Bias, coverage, error rates and more, by cell, strategy and coefficient: "
        "performance.csv\n"
        "\nNot audited: the config has no audit.\n"
    )


def test_one_is_not_many(study: Study, monkeypatch: pytest.MonkeyPatch) -> None:
    one = Study.from_config({**CHEAP, "sims": 1, "grid": {**CHEAP["grid"], "clusters": [5]}})
    made(one, "summary.csv", SUMMARY)
    assert "Medians over 1 cell of 1 sim (" in closing_words(one)


def test_what_the_audit_found_is_shown(study: Study) -> None:
    audited = Study.from_config({**CHEAP, "audit": {"engine": "lme4", "sims": 1}})
    made(audited, "audit.txt", "Audit: all agree\n")
    made(audited, "summary.csv", SUMMARY, ago=1000)
    words = closing_words(audited)
    assert words == "\nThe results are in results/cheap/\nAudit: all agree\n"
    made(audited, "audit.txt", "Audit: all agree\n", ago=1000)
    assert closing_words(audited) == ""
    made(study, "audit.txt", "Audit: all agree\n")
    assert "all agree" not in closing_words(study), "this study has no audit any more"


def test_other_targets_say_where_the_results_are(study: Study) -> None:
    Path(study.folder, "figures").mkdir()
    assert closing_words(study) == "\nThe results are in results/cheap/"
