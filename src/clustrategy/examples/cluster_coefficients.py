"""The coefficients of single clusters in the cells that have the most of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pyarrow as pa

from clustrategy.dgp import Process, simulate
from clustrategy.tables.cells import with_cell
from clustrategy.tables.files import write_parquet

SIMS = 5
TERMS = 2


def cluster_coefficients(jobs: Sequence[Mapping[str, Any]], *, sims: int, table: str) -> None:
    """Write the cluster coefficients of intercept and IV1 in the first sims of some cells.

    Parameters
    ----------
    jobs : a cell each, as `Study.job` gives it.
    sims : how many the study has; five are enough for a picture.
    table : the file to write: the factors, sim, cluster, term, coefficient, true_value.
    """
    parts = []
    for job in jobs:
        process = Process(**job["process"])
        drawn = simulate(process, job["seed"], job["cell"], range(min(sims, SIMS)))
        shape = (min(sims, SIMS), process.clusters, TERMS)
        sim, cluster, term = (axis.ravel() for axis in np.indices(shape))
        truth = np.broadcast_to(drawn.truth[:, None, :TERMS], shape)
        columns = {
            "sim": sim,
            "cluster": cluster + 1,
            "term": np.array(process.terms)[term],
            "coefficient": drawn.cluster_coefficients[..., :TERMS].ravel(),
            "true_value": truth.ravel(),
        }
        parts.append(with_cell(job["cell"], pa.table(columns)))
    write_parquet(pa.concat_tables(parts), table, {})
