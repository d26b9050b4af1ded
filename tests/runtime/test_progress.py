"""How far a run says that it is."""

from __future__ import annotations

import json
import logging
import re
import sys
from collections.abc import Mapping
from io import StringIO
from pathlib import Path

import pytest
from rich.console import Console
from rich.progress import Progress as Bars

from clustrategy.runtime import progress as module
from clustrategy.runtime.progress import AUDITING, MAKING, SAID, Progress
from clustrategy.runtime.work import Work
from clustrategy.study.blocks import Block
from clustrategy.study.packs import Pack
from snakemake_logger_plugin_clustrategy import _Shown


class Run:
    """A run that is made up: a clock, packs in a folder, and Snakemake's log records."""

    def __init__(self, folder: Path) -> None:
        self.time = 100.0
        self.folder = folder
        self.progress = Progress(["ok", "singular"], lambda: self.time)
        self.stats = {"total": 0}

    def packs(self, rule: str, datasets: list[int], seconds: list[float]) -> None:
        """Plan packs 0, 1, ... of so many datasets, which are thought to take so long."""
        packs = {
            f"{k}": Pack([Block({"clusters": 5}, 0, n - 1)], cost)
            for k, (n, cost) in enumerate(zip(datasets, seconds, strict=True))
        }
        (self.folder / rule).mkdir()
        self.progress.follow(Work(str(self.folder / rule), packs, missing=len(packs)), rule)

    def log(self, event: str, **fields: object) -> logging.LogRecord:
        """Let a record pass."""
        record = logging.LogRecord("snakemake", logging.INFO, "", 0, "", None, None)
        record.__dict__.update(event=event, **fields)
        assert self.progress.filter(record)
        return record

    def begin(self, job: int, rule: str, pack: str = "") -> None:
        """Start a job."""
        wildcards = {"pack": pack} if pack else {}
        self.log("job_info", jobid=job, rule_name=rule, wildcards=wildcards)

    def write(
        self, rule: str, pack: str, datasets: int, statuses: Mapping[str, int], end: str = ".json"
    ) -> None:
        """Leave behind what the job of a pack does."""
        content = json.dumps({"datasets": datasets, "statuses": statuses})
        (self.folder / rule / f"{pack}{end}").write_text(content)

    def end(self, job: int, done: int, total: int) -> None:
        """End a job."""
        self.log("job_finished", job_id=job)
        self.log("progress", done=done, total=total)


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    monkeypatch.setattr(module.threading.Thread, "start", lambda self: None)
    monkeypatch.setattr(module.time, "strftime", lambda form: "12:03:41")
    return Run(tmp_path)


def test_a_run_from_its_first_job_to_its_last(run: Run, capsys: pytest.CaptureFixture[str]) -> None:
    run.packs(MAKING, [1000, 3000], [10.0, 30.0])
    run.packs(AUDITING, [4], [20.0])
    run.log("run_info", stats={"total": 6})
    run.begin(1, MAKING, "0")
    run.time += 20
    run.write(MAKING, "0", 1000, {"ok": 1900, "singular": 90, "error": 7, "not_converged": 3})
    run.end(1, 1, 6)
    # It took twice as long as was thought: 60 s, and 20 and 3 times 3 of what is not known yet.
    said = [
        "1,000 of 4,000 datasets done (25 %), 10 of 2,000 fits unusable, 0:20 elapsed, about 1:30 "
        "left"
    ]
    run.begin(2, MAKING, "1")
    run.time += 60
    run.write(MAKING, "1", 3000, {"ok": 6000})
    run.end(2, 2, 6)
    said += [
        "4,000 of 4,000 datasets done (100 %), 10 of 8,000 fits unusable, 1:20 elapsed, about "
        "0:30 left"
    ]
    run.begin(3, AUDITING, "0")
    run.time += 10
    run.write(AUDITING, "0", 1, {}, ".part")
    run.progress.look()
    # Three audits more, of 10 s each, and three steps.
    said += ["audit: 1 of 4 datasets done (25 %), 1:30 elapsed, about 0:40 left"]
    run.time += 30
    run.write(AUDITING, "0", 4, {})
    run.end(3, 3, 6)
    said += ["audit: 4 of 4 datasets done (100 %), 2:00 elapsed, about 0:10 left"]
    for job in (4, 5, 6):
        run.begin(job, "figure")
        run.time += 1200
        run.end(job, job, 6)
    said += [
        "4 of 6 steps done (66 %), 22:00 elapsed, about 40:00 left",
        "5 of 6 steps done (83 %), 42:00 elapsed, about 20:00 left",
        "6 of 6 steps done (100 %), 1:02:00 elapsed",
    ]
    assert capsys.readouterr().err.splitlines() == [f"12:03:41  {words}" for words in said]


def test_jobs_beside_each_other_leave_less_time(run: Run) -> None:
    run.packs(MAKING, [10] * 4, [5.0] * 4)
    run.log("run_info", stats={"total": 4})
    run.begin(1, MAKING, "0")
    run.begin(2, MAKING, "1")
    assert run.progress.said() == "0 of 40 datasets done (0 %), 0:00 elapsed"
    run.time += 30
    for job in (1, 2):
        run.write(MAKING, str(job - 1), 10, {"ok": 10})
        run.end(job, job, 4)
    # Two packs more of 30 s, two at a time.
    assert run.progress.said().endswith(", 0:30 elapsed, about 0:30 left")


def test_a_long_run_prints_no_more_than_twenty_lines_and_none_twice(
    run: Run, capsys: pytest.CaptureFixture[str]
) -> None:
    run.packs(MAKING, [50] * 300, [60.0] * 300)
    run.packs(AUDITING, [1] * 40, [60.0] * 40)
    total = 300 + 40 + 60
    run.log("run_info", stats={"total": total})
    rules = [(MAKING, str(k), 50) for k in range(300)] + [(AUDITING, str(k), 1) for k in range(40)]
    rules += [("figure", "", 0)] * 60
    for job, (rule, pack, datasets) in enumerate(rules):
        run.begin(job, rule, pack)
        run.time += 0.5
        run.progress.look()
        if pack:
            run.write(rule, pack, datasets, {"ok": 2 * datasets})
        run.end(job, job + 1, total)
    lines = capsys.readouterr().err.splitlines()
    assert 12 <= len(lines) <= 20
    counts = [line.split(" done")[0] for line in lines]
    assert len(set(counts)) == len(counts)
    assert [line for line in lines if "15,000 of 15,000 datasets done (100 %)" in line]
    assert [line for line in lines if "audit: 40 of 40 datasets done (100 %)" in line]
    assert re.search(r"  400 of 400 steps done \(100 %\), 3:20 elapsed$", lines[-1])


def test_a_terminal_shows_it_instead(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = StringIO()
    monkeypatch.setattr(terminal, "isatty", lambda: True)
    monkeypatch.setattr(sys, "stderr", terminal)
    run.packs(MAKING, [1, 1], [1.0, 1.0])
    said = getattr(run.log("run_info", stats={"total": 2}), SAID)
    run.begin(1, MAKING, "0")
    run.time += 65
    run.write(MAKING, "0", 1, {"undefined": 1})
    run.end(1, 1, 2)
    words = "1 of 2 datasets done (50 %), 1 of 1 fit unusable, 1:05 elapsed, about 1:05 left"
    assert said() == words
    assert terminal.getvalue() == ""
    console = Console(file=StringIO(), width=100)
    with console.capture() as shown:
        console.print(_Shown(Bars(), said))
    assert words in shown.get()


def test_what_is_known_of_a_pack_stays_while_its_job_starts_again(run: Run) -> None:
    run.packs(MAKING, [10], [1.0])
    run.log("run_info", stats={"total": 1})
    run.begin(1, MAKING, "0")
    run.write(MAKING, "0", 6, {"ok": 5, "error": 1}, ".part")
    run.log("job_error", jobid=1)
    run.begin(1, MAKING, "0")
    run.write(MAKING, "0", 2, {"ok": 2}, ".part")
    run.progress.look()
    assert run.progress.said().startswith("6 of 10 datasets done (60 %), 1 of 6 fits unusable")
    for damaged in ("", "{", "[]", '{"datasets": 9}', "3"):
        (run.folder / MAKING / "0.part").write_text(damaged)
        run.progress.look()
    run.write(MAKING, "0", 10, {"ok": 9, "error": 1})
    run.log("job_finished", job_id=1)
    run.progress.look()
    packs = run.progress._packs[MAKING]
    assert (packs.done, packs.statuses) == (10, {"ok": 9, "error": 1})


def test_where_no_dataset_is_made_there_are_steps_alone(
    run: Run, capsys: pytest.CaptureFixture[str]
) -> None:
    done = {"0": Pack([Block({"clusters": 5}, 0, 9)], 1.0)}
    run.progress.follow(Work(str(run.folder), done, good=1), MAKING)
    run.log("run_info", stats={"total": 3})
    for job in (1, 2, 3):
        run.begin(job, "figure")
        run.time += 10
        run.end(job, job, 3)
    assert capsys.readouterr().err.splitlines() == [
        "12:03:41  1 of 3 steps done (33 %), 0:10 elapsed, about 0:20 left",
        "12:03:41  2 of 3 steps done (66 %), 0:20 elapsed, about 0:10 left",
        "12:03:41  3 of 3 steps done (100 %), 0:30 elapsed",
    ]


def test_records_of_something_else_pass_and_say_nothing(
    run: Run, capsys: pytest.CaptureFixture[str]
) -> None:
    run.log("shellcmd", shellcmd="ls")
    run.log("job_finished", job_id=7)
    run.log("progress", done=0, total=0)
    assert run.progress.filter(logging.LogRecord("", logging.INFO, "", 0, "Words.", None, None))
    assert capsys.readouterr().err == ""
