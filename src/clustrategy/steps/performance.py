"""How every strategy performed in every cell: the tables `performance` and `differences`."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from clustrategy.core.errors import DataError
from clustrategy.core.shard import Floats
from clustrategy.evaluation.cell_fits import NUMBERS, CellFits, Comparison
from clustrategy.tables.cells import with_cell
from clustrategy.tables.files import read_parquet, write_csv, write_parquet


def performance(
    job: Mapping[str, Any],
    *,
    estimates: str,
    fits: str,
    truth: Sequence[str],
    performance: str,
    performance_csv: str,
    differences: str,
    differences_csv: str,
) -> None:
    """Write how strategies performed, and how they differ on the same datasets.

    The estimates of one cell at a time are in memory.

    Parameters
    ----------
    job : Mapping
        As `Study.performance_job` gives it.
    estimates, fits : str
        The whole tables of the study.
    truth : Sequence of str
        The study's shards of true coefficients, by cell and then block.
    performance, performance_csv, differences, differences_csv : str
        The files to write.

    Raises
    ------
    DataError
        If the tables do not hold the sims and strategies of the study.
    """
    parts = [
        (cell.performance(), cell.differences()) for cell in _cells(job, estimates, fits, truth)
    ]
    metadata = {"clustrategy.study": job["study"], "clustrategy.version": job["version"]}
    files = ((performance, performance_csv), (differences, differences_csv))
    for (parquet, csv), table in zip(files, zip(*parts, strict=True), strict=True):
        whole = pa.concat_tables(
            with_cell(cell, part) for cell, part in zip(job["cells"], table, strict=True)
        )
        write_parquet(whole, parquet, metadata)
        write_csv(whole, csv)


def _cells(
    job: Mapping[str, Any], estimates: str, fits: str, truth: Sequence[str]
) -> Iterator[CellFits]:
    """Read the cells of the study in turn."""
    comparison = Comparison(
        strategies=tuple(job["strategies"]),
        reference=job["reference"],
        fallback=job["fallback"],
        alpha=job["alpha"],
        usable=tuple(job["usable"]),
    )
    labels, S = list(comparison.strategies), job["sims"]
    fits_of_cells = _by_rows(fits, ["sim", "strategy", "status"])
    estimates_of_cells = _by_rows(estimates, NUMBERS)
    rest = iter(truth)
    for place, blocks in enumerate(job["blocks"]):
        terms, values = _truth({next(rest): block for block in blocks})
        p = len(terms)
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
        finite_variance = [job["finite_variance"][label][place] for label in labels]
        yield CellFits.of(comparison, terms, values, numbers, status, finite_variance)


def _truth(shards: Mapping[str, tuple[int, int]]) -> tuple[list[str], Floats]:
    """Read the terms of a cell and their true values, (p, S), from its shards."""
    parts = []
    for path, (first, last) in shards.items():
        table = read_parquet(path)
        sims = last - first + 1
        terms = table["term"].to_pylist()[: table.num_rows // sims]
        wanted = np.repeat(np.arange(first, last + 1), len(terms))
        if not np.array_equal(table["sim"].to_numpy(), wanted):
            raise DataError(f"{path}: expected sims {first} to {last}; delete it and run again")
        parts.append(table["value"].to_numpy().reshape(sims, len(terms)))
    return terms, np.ascontiguousarray(np.concatenate(parts).T)


def _by_rows(path: str, columns: Sequence[str]) -> Callable[[int], pa.Table]:
    """Return a function that reads the next rows of a table, as many as it is asked for."""
    try:
        file = pq.ParquetFile(path, page_checksum_verification=True)
    except (OSError, pa.ArrowInvalid) as error:
        raise _damaged(path, error) from None
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
            except (OSError, pa.ArrowInvalid) as error:
                raise _damaged(path, error) from None
            waiting = pa.concat_tables([waiting, part])
        chosen, waiting = waiting.slice(0, rows), waiting.slice(rows)
        return chosen

    return following


def _damaged(path: str, error: Exception) -> DataError:
    reason = str(error).splitlines()[0]
    return DataError(f"{path}: cannot be read ({reason}); delete it and run again")
