"""Bad input and faults: one sentence, a non-zero exit, nothing lost."""

from __future__ import annotations

import os
import resource
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from filelock import FileLock

from tests.conftest import ESTIMATES, SMALL, Checkout


def sentence(output: str) -> str:
    """The one line that clustrategy said."""
    assert "Traceback" not in output
    (line,) = [line for line in output.splitlines() if line.startswith("clustrategy:")]
    return line


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"simms": 5}, ["mine.yaml", "'simms'", "'sims'"]),
        ({"seed": "many"}, ["mine.yaml", "seed", "whole number", "'many'"]),
        (
            {"grid": {**SMALL["grid"], "between_cluster_sigma": [-1]}},
            ["mine.yaml", "between_cluster_sigma", "at least 0", "-1"],
        ),
        ({"grid": {**SMALL["grid"], "clusters": []}}, ["mine.yaml", "grid.clusters", "empty list"]),
        ({"strategies": ["two_stge"]}, ["mine.yaml", "'two_stge'", "'two_stage'"]),
    ],
)
def test_a_bad_config(
    checkout: Callable[..., Checkout], change: dict[str, Any], words: list[str]
) -> None:
    run = checkout().run(config={**SMALL, **change}, expect=1)
    said = sentence(run.output)
    assert all(word in said for word in words), said


def test_a_config_that_is_not_yaml(checkout: Callable[..., Checkout]) -> None:
    here = checkout()
    (here.folder / "config/config.yaml").write_text("study: [three\nseed: 1\n")
    said = sentence(here.run(expect=1).output)
    assert "config/config.yaml" in said
    assert "not YAML" in said
    assert "line" in said


def test_what_snakemake_would_not_say_in_a_sentence(finished: Checkout) -> None:
    here = finished
    (here.folder / "broken.yaml").write_text("study: small\nsims: [1\nseed: 1\n")
    for arguments, words in (
        (["--configfile", "broken.yaml"], "broken.yaml, line 3: is not YAML: expected ',' or ']'"),
        (["--configfile", "none.yaml"], "none.yaml: cannot be read (No such file or directory)"),
        (["--config", "sims"], "--config: Config entries have to be defined as name=value pairs"),
        (["studnet", "--configfile", "mine.yaml"], "no target 'studnet' (did you mean 'student'?)"),
    ):
        assert words in sentence(here.run("--dry-run", *arguments, expect=1).output)


def test_a_label_with_braces_is_a_label(finished: Checkout) -> None:
    labels = ["{a}", "b {{ c }}"]
    named = [{"strategy": "ols", "name": label} for label in labels]
    more = {**SMALL, "study": "other", "strategies": named}
    assert finished.run("--dry-run", config=more).output.count("verdicts") >= 1


def test_what_cannot_be_fitted_and_what_it_takes_is_said_first(finished: Checkout) -> None:
    here = finished
    before = sorted((here.folder / "results").rglob("*"))
    one = {**SMALL, "grid": {**SMALL["grid"], "clusters": [1]}}
    said = sentence(here.run("--dry-run", config=one, expect=1).output)
    assert "grid.clusters: no strategy of the study can be fitted in the cell of clusters 1" in said
    more = {**SMALL, "study": "other", "sims": 1000, "strategies": ["cluster_robust"]}
    output = here.run("--dry-run", config=more).output
    said = sentence(output)
    assert "4,000 datasets of 4 cells to be made (168,000 rows, 4,000 fits): about " in said
    assert "Would remove" not in output
    assert sorted((here.folder / "results").rglob("*")) == before


def test_a_folder_of_another_study_is_left_alone(finished: Checkout) -> None:
    here = finished
    before = here.result("estimates.parquet").read_bytes()
    said = sentence(here.run(ESTIMATES, config={**SMALL, "seed": 2}, expect=1).output)
    assert "results/small" in said
    assert "seed 1" in said
    assert here.result("estimates.parquet").read_bytes() == before


def test_r_is_missing(checkout: Callable[..., Checkout], tmp_path: Path) -> None:
    here = checkout()
    lonely = tmp_path / "bin"
    lonely.mkdir()
    for tool in ("bash", "env", "sh"):
        (lonely / tool).symlink_to(f"/bin/{tool}" if tool != "env" else "/usr/bin/env")
    environment = {k: v for k, v in os.environ.items() if k != "R_HOME"} | {"PATH": str(lonely)}
    strategies = [{"strategy": "mixed_maximal", "engine": "lme4"}]
    run = here.run(config={**SMALL, "strategies": strategies}, expect=1, env=environment)
    assert "needs R, which is not here" in sentence(run.output)


def test_two_runs_at_once(finished: Checkout) -> None:
    here = finished
    more = {**SMALL, "sims": 5}
    with FileLock(here.result(".lock")):
        run = here.run(ESTIMATES, config=more, expect=1)
    assert "another run" in sentence(run.output)
    here.run(ESTIMATES, config=more)


def test_no_permission_to_write(checkout: Callable[..., Checkout]) -> None:
    if os.geteuid() == 0:
        pytest.skip("root may write anywhere")
    here = checkout()
    (here.folder / "results").mkdir()
    (here.folder / "results").chmod(0o500)
    assert "no permission" in sentence(here.run(config=SMALL, expect=1).output)


def test_a_file_that_cannot_be_written_whole_is_not_there(
    checkout: Callable[..., Checkout],
) -> None:
    here = checkout()
    grid = {**SMALL["grid"], "obs_per_cluster": [6, 2000]}
    big = {**SMALL, "grid": grid, "keep_datasets": True}

    def little_room() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (400_000, 400_000))

    run = here.run(ESTIMATES, config=big, expect=1, preexec_fn=little_room)
    assert "obs_per_cluster=2000" in run.output
    assert "could not be written" in run.output
    assert "Traceback" not in run.output
    done = {path for path in here.result("estimates").rglob("*.parquet")}
    assert {path.parts[-3] for path in done} >= {"obs_per_cluster=6"}
    assert not list(here.result("").rglob(".*.parquet"))
    kept = {path: path.stat().st_mtime_ns for path in done}
    here.run(ESTIMATES, config=big)
    assert {path: path.stat().st_mtime_ns for path in done} == kept


def test_lint_is_content() -> None:
    folder = Path(__file__).parents[2]
    lint = subprocess.run(
        Checkout(folder).command("--lint"), cwd=folder, capture_output=True, text=True
    )
    assert lint.returncode == 0, lint.stderr
