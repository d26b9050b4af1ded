"""How every strategy performed in every cell: the tables `performance` and `differences`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pyarrow as pa

from clustrategy.evaluation.cell_fits import CellFits, Comparison
from clustrategy.study.plan import Plan, read_plan
from clustrategy.study.whole_tables import CellTables, read_cells
from clustrategy.tables.cells import with_cell
from clustrategy.tables.files import write_csv, write_parquet


def performance(
    folder: str,
    settings: Mapping[str, Any],
    *,
    estimates: str,
    fits: str,
    truth: str,
    performance: str,
    performance_csv: str,
    differences: str,
    differences_csv: str,
) -> None:
    """Write how strategies performed, and how they differ on the same datasets.

    The estimates of one cell at a time are in memory.

    Parameters
    ----------
    folder : str
        Of the study, with its plan.
    settings : Mapping
        As `Study.performance_settings` gives them.
    estimates, fits, truth : str
        The whole tables of the study.
    performance, performance_csv, differences, differences_csv : str
        The files to write.

    Raises
    ------
    DataError
        If the tables do not hold the sims and strategies of the study.
    """
    plan = read_plan(folder)
    tables = read_cells(plan, estimates=estimates, fits=fits, truth=truth)
    cells = (_fits(cell, plan, settings) for cell in tables)
    parts = [(cell.performance(), cell.differences()) for cell in cells]
    metadata = {"clustrategy.study": plan.study, "clustrategy.version": plan.version}
    files = ((performance, performance_csv), (differences, differences_csv))
    for (parquet, csv), table in zip(files, zip(*parts, strict=True), strict=True):
        whole = pa.concat_tables(
            with_cell(cell, part) for cell, part in zip(plan.cells, table, strict=True)
        )
        write_parquet(whole, parquet, metadata)
        write_csv(whole, csv)


def _fits(cell: CellTables, plan: Plan, settings: Mapping[str, Any]) -> CellFits:
    """Return the fits of a cell, as the measures take them."""
    comparison = Comparison(
        strategies=tuple(plan.labels),
        reference=settings["reference"],
        fallback=settings["fallback"],
        alpha=settings["alpha"],
        usable=tuple(settings["usable"]),
    )
    finite_variance = [settings["finite_variance"][label][cell.place] for label in plan.labels]
    at_truth = None if cell.own is None else cell.own[..., 0]
    return CellFits.of(
        comparison, cell.terms, cell.truth, cell.numbers, cell.status, finite_variance, at_truth
    )
