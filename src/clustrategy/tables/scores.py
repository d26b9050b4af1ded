"""The study's metrics as rows."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from clustrategy.core.shard import Floats

SCORES = pa.schema(
    [
        ("sim", pa.int64()),
        ("strategy", pa.string()),
        ("coef_abs_err", pa.float64()),
        ("se_sum", pa.float64()),
        ("t_sum", pa.float64()),
        ("fit_success", pa.bool_()),
    ]
)


def scores_table(
    sims: Sequence[int], strategy: str, metrics: Sequence[Floats], success: NDArray[np.bool_]
) -> pa.Table:
    """Make a row per sim.

    Parameters
    ----------
    sims : sequence of int
        The numbers of the S sims.
    strategy : str
        The label.
    metrics : sequence of (S,) arrays
        `coef_abs_err`, `se_sum` and `t_sum`.
    success : (S,) array of bool
        `fit_success`.
    """
    columns = [
        np.asarray(sims, dtype=np.int64),
        pa.repeat(strategy, len(sims)),
        *(np.asarray(metric) for metric in metrics),
        success,
    ]
    return pa.table(columns, schema=SCORES)
