"""The config files that a run begins with."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from clustrategy.runtime.configs import config_file, is_asked_for


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("here", "workflow"):
        (tmp_path / name / "config").mkdir(parents=True)
    monkeypatch.chdir(tmp_path / "here")


def test_the_file_in_the_current_folder_comes_first(tmp_path: Path) -> None:
    workflow = tmp_path / "workflow"
    (workflow / "config/config.yaml").write_text("seed: 1\n")
    found = config_file("config/config.yaml", workflow)
    assert found == str(workflow / "config/config.yaml")
    Path("config/config.yaml").write_text("seed: 2\n")
    assert config_file("config/config.yaml", workflow) == "config/config.yaml"


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        (None, "config/config.yaml: cannot be read (No such file or directory)"),
        ("study: [three\nseed: 1\n", "config/config.yaml, line 2: is not YAML"),
        ("- 1\n", "config/config.yaml: expected a mapping of keys to values, found [1]"),
    ],
)
def test_a_file_that_cannot_be_read_ends_the_run(
    tmp_path: Path, text: str | None, sentence: str
) -> None:
    if text is not None:
        (tmp_path / "workflow/config/config.yaml").write_text(text)
    with pytest.raises(SystemExit) as end:
        config_file("config/config.yaml", tmp_path / "workflow")
    said = str(end.value.code)
    assert said.startswith("clustrategy: ") and sentence in said
    assert len(said.splitlines()) == 1


def test_what_few_runs_need_is_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "argv", ["student/snakemake", "--cores", "2", "student_example"])
    assert is_asked_for("student", {})
    assert not is_asked_for("verif", {})
    assert is_asked_for("verif", {"verif": None})
    monkeypatch.setattr(sys, "argv", ["student/snakemake", "--cores", "2"])
    assert not is_asked_for("student", {"seed": 1}), "the program's own name is of no account"
