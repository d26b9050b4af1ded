"""How every strategy performed in every cell: the tables `performance` and `differences`."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from clustrategy.core.errors import DataError
from clustrategy.evaluation.cell_fits import NUMBERS, CellFits, Comparison
from clustrategy.study.plan import Plan, read_plan
from clustrategy.tables.cells import with_cell
from clustrategy.tables.files import damaged, write_csv, write_parquet


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
    cells = _cells(plan, settings, estimates=estimates, fits=fits, truth=truth)
    parts = [(cell.performance(), cell.differences()) for cell in cells]
    metadata = {"clustrategy.study": plan.study, "clustrategy.version": plan.version}
    files = ((performance, performance_csv), (differences, differences_csv))
    for (parquet, csv), table in zip(files, zip(*parts, strict=True), strict=True):
        whole = pa.concat_tables(
            with_cell(cell, part) for cell, part in zip(plan.cells, table, strict=True)
        )
        write_parquet(whole, parquet, metadata)
        write_csv(whole, csv)


def _cells(
    plan: Plan, settings: Mapping[str, Any], *, estimates: str, fits: str, truth: str
) -> Iterator[CellFits]:
    """Read the cells of the study in turn."""
    labels = list(plan.labels)
    comparison = Comparison(
        strategies=tuple(labels),
        reference=settings["reference"],
        fallback=settings["fallback"],
        alpha=settings["alpha"],
        usable=tuple(settings["usable"]),
    )
    fits_of_cells = _by_rows(fits, ["sim", "strategy", "status"])
    estimates_of_cells = _by_rows(estimates, NUMBERS)
    truth_of_cells = _by_rows(truth, ["sim", "term", "value"])
    for place, cell in enumerate(plan.cells):
        terms = list(plan.recipe.process(cell).terms)
        S, p = plan.cuts[place][-1][1] + 1, len(terms)
        values = truth_of_cells(S * p)
        if values["term"].to_pylist()[:p] != terms or values["sim"][-1].as_py() != S - 1:
            raise DataError(f"{truth}: is not of the study's sims; delete it and run again")
        true = np.ascontiguousarray(values["value"].to_numpy().reshape(S, p).T)
        table = estimates_of_cells(S * len(labels) * p)
        numbers = {
            name: np.ascontiguousarray(
                table[name].to_numpy().reshape(S, len(labels), p).transpose(1, 2, 0)
            )
            for name in NUMBERS
        }
        glance = fits_of_cells(S * len(labels))
        if glance["strategy"].to_pylist() != labels * S or glance["sim"][-1].as_py() != S - 1:
            raise DataError(f"{fits}: is not of the study's strategies; delete it and run again")
        status = glance["status"].to_numpy().reshape(S, len(labels)).T
        finite_variance = [settings["finite_variance"][label][place] for label in labels]
        yield CellFits.of(comparison, terms, true, numbers, status, finite_variance)


def _by_rows(path: str, columns: Sequence[str]) -> Callable[[int], pa.Table]:
    """Return a function that reads the next rows of a table, as many as it is asked for."""
    try:
        file = pq.ParquetFile(path, page_checksum_verification=True)
    except (OSError, ValueError, pa.ArrowException) as error:
        raise damaged(path, error) from None
    groups = iter(range(file.num_row_groups))
    waiting = file.schema_arrow.empty_table().select(columns)

    def following(rows: int) -> pa.Table:
        nonlocal waiting
        while waiting.num_rows < rows:
            group = next(groups, None)
            if group is None:
                raise DataError(f"{path}: holds fewer rows than the study; delete it and run again")
            try:
                part = file.read_row_group(group, list(columns))
            except (OSError, ValueError, pa.ArrowException) as error:
                raise damaged(path, error) from None
            waiting = pa.concat_tables([waiting, part])
        chosen, waiting = waiting.slice(0, rows), waiting.slice(rows)
        return chosen

    return following
