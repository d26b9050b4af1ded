"""The verdicts on every strategy: by cell, and over cells with the worst of them drawn again."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from clustrategy.study.plan import read_plan
from clustrategy.study.verdicts import study_verdicts
from clustrategy.study.whole_tables import read_cells
from clustrategy.tables.files import write_csv, write_parquet


def verdicts(
    folder: str,
    settings: Mapping[str, Any],
    *,
    estimates: str,
    fits: str,
    truth: str,
    verdicts: str,
    verdicts_csv: str,
) -> None:
    """Write what to think of every strategy.

    Parameters
    ----------
    folder : str
        Of the study, with its plan.
    settings : Mapping
        As `Study.verdict_settings` gives them.
    estimates, fits, truth : str
        The whole tables of the study.
    verdicts, verdicts_csv : str
        The files to write.

    Raises
    ------
    DataError
        If the tables do not hold the sims and strategies of the study.
    """
    plan = read_plan(folder)
    cells = read_cells(plan, estimates=estimates, fits=fits, truth=truth)
    whole = study_verdicts(plan, settings, cells)
    write_parquet(
        whole, verdicts, {"clustrategy.study": plan.study, "clustrategy.version": plan.version}
    )
    write_csv(whole, verdicts_csv)
