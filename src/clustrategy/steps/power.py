"""The power of every strategy at all effects, and the least effect that it finds."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from clustrategy.study.plan import read_plan
from clustrategy.study.power import study_power
from clustrategy.study.whole_tables import read_cells
from clustrategy.tables.files import read_parquet, write_csv, write_parquet


def power(
    folder: str,
    settings: Mapping[str, Any],
    *,
    estimates: str,
    fits: str,
    truth: str,
    verdicts: str,
    power: str,
    power_csv: str,
    detectable: str,
    detectable_csv: str,
) -> None:
    """Write the curves of power by cell, and minimal detectable effects by cell and over cells.

    Parameters
    ----------
    folder : str
        Of the study, with its plan.
    settings : Mapping
        As `Study.verdict_settings` gives them.
    estimates, fits, truth : str
        The whole tables of the study.
    verdicts : str
        The table of verdicts, which says what is safe.
    power, power_csv, detectable, detectable_csv : str
        The files to write.

    Raises
    ------
    DataError
        If the tables do not hold the sims and strategies of the study.
    """
    plan = read_plan(folder)
    cells = read_cells(plan, estimates=estimates, fits=fits, truth=truth)
    curves, least = study_power(plan, settings, cells, read_parquet(verdicts))
    metadata = {"clustrategy.study": plan.study, "clustrategy.version": plan.version}
    for table, parquet, csv in ((curves, power, power_csv), (least, detectable, detectable_csv)):
        write_parquet(table, parquet, metadata)
        write_csv(table, csv)
