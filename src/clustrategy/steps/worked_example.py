"""Write one dataset in full: the data, the truth and what each strategy makes of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa

from clustrategy.core.cells import Level
from clustrategy.dgp import Process
from clustrategy.examples import worked_example as example
from clustrategy.strategies.own_files import load_files
from clustrategy.tables.files import write_csv, write_text

TABLES = ("dataset", "true_coefficients", "cluster_coefficients", "coefficients", "metrics")


def worked_example(
    seed: int,
    dgp: Mapping[str, Any],
    cell: Mapping[str, Level],
    strategies: Sequence[Mapping[str, Any]],
    folder: str | Path,
    strategies_from: Sequence[str] = (),
) -> None:
    """Write `TABLES` as CSV, and a page, into a folder.

    Parameters
    ----------
    seed : int
        Of the study.
    dgp : Mapping
        What of the data-generating process the cell does not set.
    cell : Mapping
        The dataset is this cell's sim 0.
    strategies : Sequence of Mapping
        The entries of the study.
    folder : str or Path
        The folder to write into.
    strategies_from : Sequence of str
        Files of the user's own that register strategies.
    """
    load_files(strategies_from)
    made = example.worked_example(Process.of(dgp, cell), seed, cell, strategies)
    for name in TABLES:
        table = pa.Table.from_pandas(getattr(made, name), preserve_index=False)
        write_csv(table, Path(folder, f"{name}.csv"))
    write_text(made.page, Path(folder, "worked_example.md"))
