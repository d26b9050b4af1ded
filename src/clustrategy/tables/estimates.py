"""What strategies found as rows: estimates as broom's `tidy`, fits as its `glance`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pyarrow as pa

from clustrategy.core.fits import Fits
from clustrategy.core.inference import t_inference

ESTIMATES = pa.schema(
    [
        ("sim", pa.int64()),
        ("strategy", pa.string()),
        ("engine", pa.string()),
        ("term", pa.string()),
        *(
            (name, pa.float64())
            for name in (
                "estimate",
                "std_error",
                "df",
                "statistic",
                "p_value",
                "conf_low",
                "conf_high",
                "p_value_low",
            )
        ),
    ]
)


FITS = pa.schema(
    [
        ("sim", pa.int64()),
        ("strategy", pa.string()),
        ("engine", pa.string()),
        ("status", pa.string()),
        ("message", pa.string()),
        ("singular", pa.bool_()),
        ("optimizer_warning", pa.bool_()),
        ("gradient_warning", pa.bool_()),
        ("hessian_warning", pa.bool_()),
        ("reml_criterion", pa.float64()),
        ("sigma", pa.float64()),
        ("theta", pa.list_(pa.float64())),
    ]
)


def estimates_table(
    fits: Fits, terms: Sequence[str], sims: Sequence[int], strategy: str, engine: str
) -> pa.Table:
    """Make a row per sim and term, in the columns of broom's `tidy`.

    Tests and intervals are the strategy's own where it has some, else those of the t distribution.
    Where a p-value is known to lie between two values only, these are `p_value_low` and `p_value`;
    elsewhere `p_value_low` is null.
    """
    by_t = t_inference(fits.estimate, fits.std_error, fits.df)
    tests = {
        name: np.where(np.isnan(getattr(fits, name)), getattr(by_t, name), getattr(fits, name))
        for name in ("p_value", "conf_low", "conf_high")
    }
    rows = fits.estimate.size
    columns = [
        np.repeat(np.asarray(sims, dtype=np.int64), len(terms)),
        pa.repeat(strategy, rows),
        pa.repeat(engine, rows),
        pa.array(list(terms) * len(sims)),
        *(
            np.ascontiguousarray(numbers).reshape(-1)
            for numbers in (fits.estimate, fits.std_error, fits.df, by_t.statistic, *tests.values())
        ),
        pa.array(np.ascontiguousarray(fits.p_value_low).reshape(-1), from_pandas=True),
    ]
    return pa.table(columns, schema=ESTIMATES)


def fits_table(fits: Fits, sims: Sequence[int], strategy: str, engine: str) -> pa.Table:
    """Make a row per sim, in the manner of broom's `glance`."""
    theta = [row[~np.isnan(row)] for row in fits.theta]
    columns: list[Any] = [
        np.asarray(sims, dtype=np.int64),
        pa.repeat(strategy, len(sims)),
        pa.repeat(engine, len(sims)),
        *(pa.array(getattr(fits, name)) for name in FITS.names[3:-1]),
        pa.array(theta, pa.list_(pa.float64())),
    ]
    return pa.table(columns, schema=FITS)


def fits_from_tables(estimates: pa.Table, fits: pa.Table) -> Fits:
    """Read the fits of one strategy from its rows in the two tables.

    Tests of its own are left out: the tables do not tell them from those of the t distribution.
    """
    sims = fits.num_rows
    p = estimates.num_rows // max(1, sims)
    thetas = fits["theta"].to_pylist()
    out = Fits.blank(sims, p, max((len(theta) for theta in thetas), default=0))
    for name in ("estimate", "std_error", "df"):
        getattr(out, name)[:] = estimates[name].to_numpy().reshape(sims, p)
    for name in FITS.names[3:-1]:
        getattr(out, name)[:] = fits[name].to_numpy(zero_copy_only=False)
    for row, theta in zip(out.theta, thetas, strict=True):
        row[: len(theta)] = theta
    return out
