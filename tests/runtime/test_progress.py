"""What a run says of itself where there is no terminal."""

from __future__ import annotations

import logging

import pytest

from clustrategy.runtime.progress import Progress


def record(message: str = "", **fields: object) -> logging.LogRecord:
    """Return a log record as Snakemake makes them."""
    made = logging.LogRecord("snakemake", logging.INFO, "", 0, message, None, None)
    made.__dict__.update(fields)
    return made


def test_each_tenth_part_is_said_once(capsys: pytest.CaptureFixture[str]) -> None:
    progress = Progress()
    for done in range(1, 41):
        assert progress.filter(record(done=done, total=40))
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 10
    assert lines[0] == "4 of 40 steps done (10 %)"
    assert lines[-1] == "40 of 40 steps done (100 %)"


def test_few_steps_are_said_one_by_one(capsys: pytest.CaptureFixture[str]) -> None:
    progress = Progress()
    for done in (1, 2, 3):
        progress.filter(record(done=done, total=3))
    assert len(capsys.readouterr().err.splitlines()) == 3


def test_other_records_pass_and_say_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    progress = Progress()
    assert progress.filter(record("Finished job 3."))
    assert progress.filter(record(done=None, total=None))
    assert progress.filter(record(done=0, total=0))
    assert capsys.readouterr().err == ""
