"""What becomes of the level where the data choose the strategy that they are tested by."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from clustrategy.owndata.calibrated_choice import calibrated_choice as choose
from clustrategy.study.plan import read_plan
from clustrategy.study.whole_tables import read_cells
from clustrategy.tables.files import read_parquet, write_csv, write_parquet


def calibrated_choice(
    folder: str,
    settings: Mapping[str, Any],
    *,
    estimates: str,
    fits: str,
    truth: str,
    verdicts: str,
    calibrated_choice: str,
    calibrated_choice_csv: str,
) -> None:
    """Write how often tests reject a true null hypothesis after a choice by the same data.

    Parameters
    ----------
    folder : str
        Of a study on a given design, with its plan.
    settings : Mapping
        As `Study.verdict_settings` gives them.
    estimates, fits, truth, verdicts : str
        The whole tables of the study, and its verdicts.
    calibrated_choice, calibrated_choice_csv : str
        The files to write.

    Raises
    ------
    DataError
        If the tables do not hold the sims and strategies of the study.
    """
    plan = read_plan(folder)
    cells = read_cells(plan, estimates=estimates, fits=fits, truth=truth)
    table = choose(plan, settings, cells, read_parquet(verdicts))
    metadata = {"clustrategy.study": plan.study, "clustrategy.version": plan.version}
    write_parquet(table, calibrated_choice, metadata)
    write_csv(table, calibrated_choice_csv)
