"""The config files that a run begins with."""

from __future__ import annotations

import os
import re
import sys
from pathlib import Path

import pytest

from clustrategy.runtime.configs import (
    check_arguments,
    check_files,
    config_file,
    is_asked_for,
)


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


BROKEN = {
    "latin.yaml": (
        b"seed: 1\nstudy: caf\xe9\n",
        "latin.yaml, line 2: is not UTF-8 (found the byte 0xe9)",
    ),
    "empty.yaml": (b"", "empty.yaml: expected a mapping of keys to values, found nothing"),
    "self.yaml": (b"a: &a {b: *a}\n", "self.yaml, line 1: *a stands within what it stands for"),
    "broken.yaml": (
        b"study: [a\nseed: 1\n",
        "broken.yaml, line 2: is not YAML: expected ',' or ']'",
    ),
    "twice.yaml": (b"sims: 1\nseed: 2\nsims: 3\n", "twice.yaml, line 3: the key 'sims' is there"),
    "code.yaml": (
        b"a: !!python/name:os.system x\n",
        "code.yaml, line 1: the tag '!!python/name:os",
    ),
}


@pytest.mark.parametrize("name", BROKEN)
def test_files_of_the_command_line_are_checked(name: str) -> None:
    content, sentence = BROKEN[name]
    Path("good.yaml").write_text("study: mine\n")
    Path(name).write_bytes(content)
    for arguments in (
        ["-n", "--configfile", "good.yaml", name],
        ["--configfiles", name, "--cores", "2", "student"],
        [f"--configfile={name}"],
        ["--configfile", "good.yaml", "--configfile", name, "--", "all"],
    ):
        with pytest.raises(SystemExit) as end:
            check_arguments(arguments)
        said = str(end.value.code)
        assert said.startswith(f"clustrategy: {sentence}")
        assert len(said.splitlines()) == 1
    check_arguments(["-n", "--configfile", "good.yaml", "--config", "sims=3", "--", name])


def test_folders_and_files_that_are_not_there_are_refused(tmp_path: Path) -> None:
    for name, sentence in (
        ("none.yaml", "none.yaml: cannot be read (No such file or directory)"),
        ("config", "config: cannot be read (Is a directory)"),
    ):
        with pytest.raises(SystemExit, match=re.escape(f"clustrategy: {sentence}")):
            check_files([name])
    os.mkfifo("pipe")
    check_files(["pipe"])  # Reading it would wait for a writer, and leave Snakemake nothing.


@pytest.mark.parametrize("entry", ["sims", "3=4", "a b=1", "=1"])
def test_what_is_no_entry_of_a_config_is_said(entry: str) -> None:
    with pytest.raises(SystemExit, match="^clustrategy: --config: "):
        check_arguments(["-n", "--config", "study=mine", entry])
    check_arguments(["-n", "--config", "study=mine", "dgp={predictors: 2}", "--cores", "2"])
