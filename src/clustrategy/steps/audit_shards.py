"""Fit the first sims of every cell again by reference engines, and hold the two side by side."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from clustrategy.audit.comparison import AUDIT, Audited, compare
from clustrategy.core.cells import read_shard_path
from clustrategy.core.errors import DataError
from clustrategy.dgp import Process, simulate
from clustrategy.strategies import Strategy
from clustrategy.tables.estimates import fits_from_tables
from clustrategy.tables.files import read_parquet, write_parquet


def audit_shards(
    job: Mapping[str, Any],
    *,
    estimates: Sequence[str],
    fits: Sequence[str],
    audits: Sequence[str],
) -> None:
    """Write a row per audited sim, strategy, reference and term.

    The numbers of the study are read as they stand in its shards; the data are drawn again.

    Parameters
    ----------
    job : Mapping
        `seed` and `dgp` of the study, `sims` (how many of each cell are audited), `engine` (the
        reference of mixed models), `strategies` (entries) and `references` (entries by label).
    estimates, fits : Sequence of str
        Shards of the study.
    audits : Sequence of str
        The files to write, one for each shard.

    Raises
    ------
    DataError
        If a shard lacks sims of a strategy.
    """
    audited = []
    for strategy in map(Strategy.parse, job["strategies"]):
        references = [Strategy.parse(entry) for entry in job["references"][strategy.label]]
        audited.append(Audited.of(strategy, job["engine"], references))
    for answer, glance, out in zip(estimates, fits, audits, strict=True):
        cell, sims = read_shard_path(out)
        sims = sims[: max(0, job["sims"] - sims[0])]
        shard = simulate(Process.of(job["dgp"], cell), job["seed"], cell, sims).shard
        tables = tuple(_first(read_parquet(path), sims) for path in (answer, glance))
        parts = [AUDIT.empty_table()]
        for audit in audited:
            kept = fits_from_tables(*(_only(table, audit.strategy) for table in tables))
            if kept.status.size != len(sims):
                label = audit.strategy.label
                raise DataError(f"{glance}: lacks sims of {label!r}; delete it and run again")
            parts.append(compare(shard, sims, audit, kept))
        write_parquet(pa.concat_tables(parts), out, {})


def _first(table: pa.Table, sims: Sequence[int]) -> pa.Table:
    return table.filter(pc.is_in(table["sim"], pa.array(sims, pa.int64())))


def _only(table: pa.Table, strategy: Strategy) -> pa.Table:
    return table.filter(pc.equal(table["strategy"], strategy.label))
