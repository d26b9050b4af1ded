"""The columns of the scores."""

from __future__ import annotations

import pyarrow as pa

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
