"""What strategies found as rows: estimates as broom's `tidy`, fits as its `glance`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from clustrategy.core.fits import Fits
from clustrategy.core.inference import t_inference
from clustrategy.core.shard import Floats

NULLS = "p_value_nulls"
"""The column of p-values of further null values: a list, which no CSV can hold."""

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
        (NULLS, pa.list_(pa.float64())),
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


def null_values(truth: Floats, effects: Sequence[float] | Sequence[Sequence[float]]) -> Floats:
    """Return the null values of each coefficient whose p-values are kept.

    Parameters
    ----------
    truth : (S, p) array
        The coefficients that the datasets were drawn with.
    effects : Sequence of float, or one of these of each coefficient
        The coefficients at which the power is asked for.

    Returns
    -------
    (S, p, K) array
        The truth, whose rejections are false, then the truth less each effect: to reject that is to
        find an effect of this size. K is one more than there are effects.
    """
    sizes = np.asarray(effects, dtype=np.float64)
    zero = np.zeros((*sizes.shape[:-1], 1))
    return truth[..., None] - np.concatenate([zero, sizes], axis=-1)


def estimates_table(
    fits: Fits, terms: Sequence[str], sims: Sequence[int], strategy: str, engine: str
) -> pa.Table:
    """Make a row per sim and term, in the columns of broom's `tidy`.

    Tests and intervals are the strategy's own where it has some, else those of the t distribution.
    Where a p-value is known to lie between two values only, these are `p_value_low` and `p_value`;
    elsewhere `p_value_low` is null. `p_value_nulls` holds the p-values of the null values that the
    strategy was given, in their order; it is null where it has none of its own.
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
        _lists(fits.p_nulls.reshape(rows, fits.p_nulls.shape[2])),
    ]
    return pa.table(columns, schema=ESTIMATES)


def _lists(values: Floats) -> pa.Array:
    """Return the rows of an array as lists, null where a row has no number."""
    there = np.isfinite(values).any(axis=1)
    lengths = np.where(there, values.shape[1], 0)
    offsets = pa.array(np.concatenate([[0], np.cumsum(lengths)]), pa.int32())
    kept = pa.array(values[there].reshape(-1))
    return pa.ListArray.from_arrays(offsets, kept, mask=pa.array(~there))


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

    Tests of its own are left out, as the tables do not tell them from those of the t distribution,
    but for those of further null values.
    """
    sims = fits.num_rows
    p = estimates.num_rows // max(1, sims)
    thetas = fits["theta"].to_pylist()
    lists = estimates[NULLS].combine_chunks()
    nulls = pc.max(pc.list_value_length(lists)).as_py() or 0
    out = Fits.blank(sims, p, max((len(theta) for theta in thetas), default=0), nulls)
    there = lists.is_valid().to_numpy(zero_copy_only=False)
    values = lists.flatten().to_numpy().reshape(there.sum(), nulls)
    out.p_nulls.reshape(sims * p, nulls)[there] = values
    for name in ("estimate", "std_error", "df"):
        getattr(out, name)[:] = estimates[name].to_numpy().reshape(sims, p)
    for name in FITS.names[3:-1]:
        getattr(out, name)[:] = fits[name].to_numpy(zero_copy_only=False)
    for row, theta in zip(out.theta, thetas, strict=True):
        row[: len(theta)] = theta
    return out
