"""The coefficients of single clusters."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pyarrow as pa

from clustrategy.core.cells import Level
from clustrategy.dgp import Process, simulate
from clustrategy.tables.cells import with_cell

SIMS = 5
"""As many sims are enough for a picture."""

TERMS = 2
"""As many terms are drawn: the intercept and IV1."""


def cluster_coefficients(
    process: Process, seed: int, cell: Mapping[str, Level], sims: int
) -> pa.Table:
    """Return the cluster coefficients of intercept and IV1 in the first sims of a cell.

    Parameters
    ----------
    process : Process
        The data-generating process of the cell.
    seed : int
        The study's seed.
    cell : Mapping
        The levels of the cell.
    sims : int
        How many sims the study has.

    Returns
    -------
    Table
        The factors, `sim`, `cluster`, `term`, `coefficient` and `true_value`.
    """
    drawn = simulate(process, seed, cell, range(min(sims, SIMS)))
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
    return with_cell(cell, pa.table(columns))
