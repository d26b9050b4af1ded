"""What surrounds a run: one at a time, in the study's own folder, and its closing words."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from filelock import FileLock, Timeout
from pyarrow.csv import read_csv

from clustrategy.core.errors import ConfigError
from clustrategy.evaluation.medians import as_text
from clustrategy.study.config import load
from clustrategy.study.study import Study

# Held until the process ends, however it ends: the operating system lets go of it.
_held: list[FileLock] = []


def config_file(path: str) -> str:
    """The path of a config file, if it can be read; else the process ends with one sentence."""
    try:
        load(path)
    except ConfigError as error:
        sys.exit(f"clustrategy: {error}")
    return path


def begin(study: Study) -> None:
    """Claim the study's folder for this run.

    Raises
    ------
    ConfigError : where another run of the study is still going.
    """
    folder = Path(study.folder)
    folder.mkdir(parents=True, exist_ok=True)
    lock = FileLock(folder / ".lock")
    try:
        lock.acquire(blocking=False)
    except Timeout:
        raise ConfigError(f"{folder}: another run of this study is going on; wait for it") from None
    _held.append(lock)
    os.utime(folder / ".lock")
    study.claim()


def closing_words(study: Study) -> str:
    """What this run made: where the results are, the summary table, what the audit found.

    Empty where nothing of the study was made, as when another target was asked for.
    """
    folder = Path(study.folder)
    start = (folder / ".lock").stat().st_mtime
    made = {
        name
        for name in ("summary.csv", "audit.txt", "figures", "student")
        if (folder / name).exists() and (folder / name).stat().st_mtime >= start
    }
    if not made:
        return ""
    words = f"\nThe results are in {study.folder}/"
    if "summary.csv" in made:
        words += (
            ": tables, figures/, worked_example/\n\n"
            f"Medians over {_counted(len(study.cells), 'cell')} of {_counted(study.sims, 'sim')} "
            "(Monte Carlo standard error in brackets):\n\n"
            f"{as_text(read_csv(folder / 'summary.csv'))}\n\n"
            "Bias, coverage, error rates and more, by cell, strategy and coefficient: "
            "performance.csv\n"
        )
    _, missing = study.audit_plan
    if "audit.txt" in made and study.config["audit"]:
        words += f"\n{(folder / 'audit.txt').read_text(encoding='utf-8')}"
    elif missing and "summary.csv" in made:
        words += f"\nNot audited: {missing}.\n"
    return words


def _counted(count: int, noun: str) -> str:
    return f"{count:,} {noun}{'' if count == 1 else 's'}"
