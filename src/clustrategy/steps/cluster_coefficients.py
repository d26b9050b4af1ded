"""Draw the coefficients of single clusters in the cells that have the most clusters."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pyarrow as pa

from clustrategy.core.cells import Level
from clustrategy.dgp import Process
from clustrategy.examples import cluster_coefficients as example
from clustrategy.tables.files import write_parquet


def cluster_coefficients(
    seed: int,
    dgp: Mapping[str, Any],
    cells: Sequence[Mapping[str, Level]],
    *,
    sims: int,
    table: str,
) -> None:
    """Write the cluster coefficients of intercept and IV1 in the first sims of some cells.

    Parameters
    ----------
    seed : int
        Of the study.
    dgp : Mapping
        What of the data-generating process the cells do not set.
    cells : Sequence of Mapping
        Which cells.
    sims : int
        How many sims of a cell the study has.
    table : str
        The Parquet file to write.
    """
    parts = [
        example.cluster_coefficients(Process.of(dgp, cell), seed, cell, sims) for cell in cells
    ]
    write_parquet(pa.concat_tables(parts), table, {})
