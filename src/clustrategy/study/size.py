"""How large a study is: what is drawn and fitted, what it costs, and what is absurd."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from clustrategy.core.counted import counted
from clustrategy.dgp import Process
from clustrategy.dgp.drawn import AnyProcess
from clustrategy.study.blocks import Chosen, cap, most_blocks, seconds

MOST_CELLS = 10_000
"""Of a study."""

MOST_BLOCKS = 100_000
"""Of a study; each has four files or five."""

MOST_NUMBERS = 100_000_000
"""Of a dataset, rows times columns: 0.8 GB, of which a fit needs several copies."""

MOST_HOURS = 1_000_000
"""Of CPU time, of a study."""

LONG = 3600.0
"""A run of more seconds than this is announced as long."""

_PER_FIT, _PER_COEFFICIENT = 120, 115
_CSV_PER_FIT, _CSV_PER_COEFFICIENT = 90, 180
"""Bytes, of shards and tables, as measured."""


@dataclass(frozen=True)
class Size:
    """How large something is that is to be made.

    Attributes
    ----------
    cells, datasets, rows, fits : int
        Rows are of all datasets.
    bytes : int
        On disk, estimated.
    seconds : float
        CPU time, estimated.
    """

    cells: int = 0
    datasets: int = 0
    rows: int = 0
    fits: int = 0
    bytes: int = 0
    seconds: float = 0.0

    @classmethod
    def of(
        cls,
        parts: Iterable[tuple[AnyProcess, int]],
        strategies: int,
        *,
        csv: bool,
        keep_datasets: bool,
        seconds: float,
    ) -> Size:
        """Add up datasets.

        Parameters
        ----------
        parts : iterable of (Process or GivenProcess, int)
            The datasets of each cell: what they are drawn from, and how many.
        strategies : int
            The fits of each.
        csv, keep_datasets : bool
            Whether the tables are written as CSV, too, and the datasets are kept.
        seconds : float
            The CPU time that all takes.
        """
        cells = datasets = rows = size = 0
        for process, sims in parts:
            p = len(process.terms)
            own = sims * process.rows
            fit = _PER_FIT + p * _PER_COEFFICIENT
            if csv:
                fit += _CSV_PER_FIT + p * _CSV_PER_COEFFICIENT
            size += sims * strategies * fit + keep_datasets * own * 8 * (p + 1)
            cells, datasets, rows = cells + 1, datasets + sims, rows + own
        return cls(cells, datasets, rows, datasets * strategies, size, seconds)

    def said(self, cores: int, folder: str) -> str:
        """Say it in a line.

        Parameters
        ----------
        cores : int
            How many of them share the CPU time.
        folder : str
            Where the files will be.
        """
        return (
            f"{counted(self.datasets, 'dataset')} of {counted(self.cells, 'cell')} to be made "
            f"({counted(self.rows, 'row')}, {counted(self.fits, 'fit')}): about "
            f"{duration(self.seconds)} of CPU time, besides tables and figures, and "
            f"{_memory(self.bytes)} in {folder}/{self._long(cores)}"
        )

    def said_of_audit(self, cores: int) -> str:
        """Say in a line what it takes to audit these datasets; `cores` as of `said`."""
        return (
            f"{counted(self.datasets, 'dataset')} to be audited: about "
            f"{duration(self.seconds)} of CPU time{self._long(cores)}"
        )

    def _long(self, cores: int) -> str:
        """Say how long a long run takes."""
        if self.seconds / cores <= LONG:
            return ""
        of = "one core" if cores == 1 else f"{cores:,} cores"
        return f"; a long run, {duration(self.seconds / cores)} on {of}"


def absurdity(
    cells: Iterable[AnyProcess],
    strategies: Iterable[Chosen],
    sims: int,
    sims_per_shard: int | str,
) -> tuple[str, str] | None:
    """Say what is absurd about a study: the option to change, and why.

    Parameters
    ----------
    cells : iterable of Process or GivenProcess
        The data-generating process of each cell.
    strategies : iterable of Chosen
    sims : int
        Of each cell.
    sims_per_shard : int or "auto"

    Returns
    -------
    tuple of (str, str) or None
        None where nothing is.
    """
    chosen = list(strategies)
    blocks, whole = 0, 0.0
    known: dict[tuple[int, int, int], tuple[int, float]] = {}
    for process in cells:
        if isinstance(process, Process) and (wrong := too_large(process)) is not None:
            return wrong
        size = (process.clusters, process.rows, len(process.terms))
        if size not in known:
            if isinstance(sims_per_shard, str):
                count = most_blocks(sims, cap(process, chosen))
            else:
                count = -(-sims // sims_per_shard)
            known[size] = count, sims * seconds(process, chosen)
        blocks += known[size][0]
        whole += known[size][1]
    hours = whole / 3600
    if hours > MOST_HOURS:
        return "sims", (
            f"is {sims:,} for each of the cells, which would take about {duration(whole)} of CPU "
            f"time, more than the {MOST_HOURS:,} hours that a study can take"
        )
    if blocks > MOST_BLOCKS:
        option = "sims" if isinstance(sims_per_shard, str) else "sims_per_shard"
        return option, (
            f"makes {blocks:,} blocks of files, more than the {MOST_BLOCKS:,} that a study can have"
        )
    return None


def too_large(process: Process) -> tuple[str, str] | None:
    """Say why a dataset is too large, with the option that makes it so; None where it is not."""
    columns = process.predictors + 2
    numbers = process.rows * columns
    if numbers <= MOST_NUMBERS:
        return None
    larger = max(("clusters", "obs_per_cluster"), key=lambda name: getattr(process, name))
    return larger, (
        f"of {getattr(process, larger):,} makes datasets of "
        f"{process.rows:,} rows and {columns} columns, more than the "
        f"{MOST_NUMBERS:,} numbers that a dataset can have"
    )


def too_many_cells(grid: Mapping[str, Any]) -> str:
    """Say that a grid has too many cells; empty where it has not, or is no grid."""
    counts = {name: len(values) for name, values in grid.items() if isinstance(values, list)}
    cells = math.prod(counts.values())
    if cells <= MOST_CELLS:
        return ""
    longest = max(counts, key=lambda name: counts[name])
    return (
        f"{longest} has {counts[longest]:,} levels and the grid {cells:,} cells, more than the "
        f"{MOST_CELLS:,} that a study can have"
    )


def duration(seconds: float) -> str:
    """Write a time with one unit."""
    units = (("year", 365.25 * 86400), ("day", 86400.0), ("hour", 3600.0), ("minute", 60.0))
    for name, unit in units:
        if seconds >= 1.5 * unit:
            return counted(round(seconds / unit), name)
    return counted(max(1, round(seconds)), "second")


def _memory(count: int) -> str:
    """Write a number of bytes with one unit."""
    for name, unit in (("TB", 1e12), ("GB", 1e9), ("MB", 1e6)):
        if count >= unit:
            return (
                f"{count / unit:.2g} {name}"
                if count < 100 * unit
                else f"{count / unit:,.0f} {name}"
            )
    return f"{max(1, round(count / 1e3))} kB"
