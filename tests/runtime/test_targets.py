"""Targets that are none, and which were meant."""

from __future__ import annotations

import logging

import pytest

from clustrategy.runtime.targets import MissingTarget

FILES = ["results/a/performance.csv", "results/a/figures/coverage.png", "results/a/fits.parquet"]
WORDS = (
    "No rule to produce {} (if you use input functions make sure that they don't raise unexpected "
    "exceptions)."
)


def record(message: str = "", **fields: object) -> logging.LogRecord:
    """Return a log record as Snakemake makes them."""
    made = logging.LogRecord("snakemake", logging.INFO, "", 0, message, None, None)
    made.__dict__.update(fields)
    return made


@pytest.mark.parametrize(
    ("target", "meant"),
    [
        ("studnet", "student"),
        ("verfy", "verify"),
        ("al", "all"),
        ("results/a/performence.csv", "performance.csv"),
        ("results/a/figures/coverge.png", "coverage.png"),
        ("results/b/performence.csv", None),
        ("something else", None),
    ],
)
def test_the_nearest_target_is_suggested(target: str, meant: str | None) -> None:
    made = record(WORDS.format(target), exception="MissingRuleException")
    assert MissingTarget(lambda: FILES).filter(made)
    hint = f" (did you mean {meant!r}?)" if meant else ""
    assert made.getMessage() == (
        f"clustrategy: there is no target {target!r}{hint}; targets are all, audit, student, "
        "verify, verify_short and files of the results"
    )


def test_other_records_pass_as_they_are() -> None:
    for fields in ({"exception": "WorkflowError"}, {}):
        made = record(WORDS.format("x"), **fields)
        assert MissingTarget(lambda: FILES).filter(made)
        assert made.getMessage() == WORDS.format("x")
    other = record("Missing input files", exception="MissingRuleException")
    assert MissingTarget(lambda: FILES).filter(other)
    assert other.getMessage() == "Missing input files"
