"""The closing words of a run: where the results are, and the main finding."""

from __future__ import annotations

from pathlib import Path

from pyarrow.csv import read_csv

from clustrategy.core.counted import counted
from clustrategy.evaluation.medians import as_text
from clustrategy.runtime.lock import start_of_run
from clustrategy.study.study import Study


def closing_words(study: Study) -> str:
    """Say what this run made: where the results are, the summary table, what the audit found.

    Empty where nothing of the study was made, as when another target was asked for.
    """
    folder = Path(study.folder)
    start = start_of_run(study.folder)
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
            f"Medians over {counted(len(study.cells), 'cell')} of {counted(study.sims, 'sim')} "
            "(Monte Carlo standard error in brackets):\n\n"
            f"{as_text(read_csv(folder / 'summary.csv'))}\n\n"
            "Bias, coverage, error rates and more, by cell, strategy and coefficient: "
            "performance.csv\n"
        )
    missing = study.left_out
    if "audit.txt" in made and study.config["audit"]:
        words += f"\n{(folder / 'audit.txt').read_text(encoding='utf-8')}"
    elif missing and "summary.csv" in made:
        words += f"\nNot audited: {missing}.\n"
    return words
