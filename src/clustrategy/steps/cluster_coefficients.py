"""Draw the coefficients of single clusters in the cells that have the most clusters."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pyarrow as pa

from clustrategy.dgp import Process
from clustrategy.examples import cluster_coefficients as example
from clustrategy.tables.files import write_parquet


def cluster_coefficients(jobs: Sequence[Mapping[str, Any]], *, sims: int, table: str) -> None:
    """Write the cluster coefficients of intercept and IV1 in the first sims of some cells.

    Parameters
    ----------
    jobs : Sequence of Mapping
        The cells, as `Study.job` gives each.
    sims : int
        How many sims of a cell the study has.
    table : str
        The Parquet file to write.
    """
    parts = [
        example.cluster_coefficients(Process(**job["process"]), job["seed"], job["cell"], sims)
        for job in jobs
    ]
    write_parquet(pa.concat_tables(parts), table, {})
