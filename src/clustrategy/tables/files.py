"""The tables that pass between the steps: their columns, and files that are whole or absent."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet as pq

from clustrategy.core.cells import COUNTS, LISTS, TEXTS, format_level
from clustrategy.core.errors import DataError
from clustrategy.core.fits import Fits
from clustrategy.core.inference import t_inference
from clustrategy.core.shard import INTERCEPT, Floats, Shard

TRUTH = pa.schema([("sim", pa.int64()), ("term", pa.string()), ("value", pa.float64())])

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


def write_whole(path: str | Path, write: Callable[[Path], object]) -> None:
    """Let `write` fill a file beside `path`, then put it in place at once.

    Raises
    ------
    DataError : where the disk is full or may not be written to; no part of the file is left.
    """
    path = Path(path)
    # The suffix stays last: some writers take the format from it.
    beside = path.with_name(f".{os.getpid()}.{path.name}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write(beside)
        with open(beside, "rb") as written:
            os.fsync(written.fileno())
        os.replace(beside, path)
    except OSError as error:
        reason = os.strerror(error.errno) if error.errno else str(error)
        raise DataError(
            f"{path}: could not be written ({reason}); all that was complete before is kept"
        ) from None
    finally:
        with suppress(OSError):
            beside.unlink()


def write_parquet(
    table: pa.Table | Iterable[pa.Table], path: str | Path, metadata: Mapping[str, str]
) -> None:
    """Write a table whole, with `metadata` in its schema.

    Of a table in parts, one part at a time is in memory.
    """
    parts, schema = _parts(table)
    schema = schema.with_metadata(dict(metadata))

    def write(beside: Path) -> None:
        with pq.ParquetWriter(beside, schema) as writer:
            for part in parts:
                writer.write_table(part)

    write_whole(path, write)


def write_csv(table: pa.Table | Iterable[pa.Table], path: str | Path) -> None:
    """Write a table whole, as CSV for people; one part at a time is in memory."""
    parts, schema = _parts(table)

    def write(beside: Path) -> None:
        with pyarrow.csv.CSVWriter(beside, schema) as writer:
            for part in parts:
                writer.write_table(part)

    write_whole(path, write)


def _parts(table: pa.Table | Iterable[pa.Table]) -> tuple[Iterable[pa.Table], pa.Schema]:
    """A table as parts that follow each other, and their schema."""
    parts = iter([table] if isinstance(table, pa.Table) else table)
    first = next(parts)
    return chain([first], parts), first.schema


def write_text(text: str, path: str | Path) -> None:
    """Write a text file whole."""
    write_whole(path, lambda beside: beside.write_text(text, encoding="utf-8"))


def read_parquet(path: str | Path) -> pa.Table:
    """Read a table.

    Raises
    ------
    DataError : where the file is not there or not whole; the sentence names it.
    """
    try:
        # Shards live in folders named factor=level, which are not to become columns here.
        return pq.read_table(path, partitioning=None)
    except (OSError, pa.ArrowInvalid) as error:
        reason = str(error).splitlines()[0]
        raise DataError(f"{path}: cannot be read ({reason}); delete it and run again") from None


def dataset_schema(terms: Sequence[str]) -> pa.Schema:
    """sim, cluster, DV and the predictors."""
    numbers = [(name, pa.float64()) for name in ("DV", *terms[1:])]
    return pa.schema([("sim", pa.int32()), ("cluster", pa.int32()), *numbers])


def datasets_table(shard: Shard, sims: Sequence[int]) -> pa.Table:
    """Simulated datasets as rows; the column of ones is left out."""
    cluster = np.tile(np.arange(1, shard.clusters + 1, dtype=np.int32), shard.sims)
    columns = [
        np.repeat(np.asarray(sims, dtype=np.int32), shard.n_obs),
        np.repeat(cluster, shard.n.reshape(-1)),
        shard.y,
        *(np.ascontiguousarray(x) for x in shard.X.T[1:]),
    ]
    return pa.table(columns, schema=dataset_schema(shard.terms))


def shard_from_datasets(table: pa.Table) -> tuple[Shard, list[int]]:
    """The shard of a table made by `datasets_table`, and the numbers of its sims."""
    sim, cluster = (table[name].to_numpy() for name in ("sim", "cluster"))
    first = np.flatnonzero(np.r_[True, (sim[1:] != sim[:-1]) | (cluster[1:] != cluster[:-1])])
    sizes = np.diff(np.r_[first, sim.size]).astype(np.int64)
    names = table.column_names[3:]
    X = np.column_stack([np.ones(sim.size), *(table[name].to_numpy() for name in names)])
    sims = np.unique(sim)
    shard = Shard(table["DV"].to_numpy(), X, sizes.reshape(sims.size, -1), (INTERCEPT, *names))
    return shard, sims.tolist()


def truth_table(truth: Floats, terms: Sequence[str], sims: Sequence[int]) -> pa.Table:
    """The coefficients that generated each sim."""
    sim = np.repeat(np.asarray(sims, dtype=np.int64), len(terms))
    return pa.table([sim, list(terms) * len(sims), truth.reshape(-1)], schema=TRUTH)


def estimates_table(
    fits: Fits, terms: Sequence[str], sims: Sequence[int], strategy: str, engine: str
) -> pa.Table:
    """A row per sim and term, in the columns of broom's `tidy`.

    Tests and intervals are the strategy's own where it has some, else of the t distribution;
    `p_value_low` is null but where a p-value is an interval, of which `p_value` is the upper end.
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
    """A row per sim, in the manner of broom's `glance`."""
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
    """The fits of one strategy from its rows, as `estimates_table` and `fits_table` give them.

    All but tests of its own, which the tables do not tell from those of t.
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


def with_cell(cell: Mapping[str, Any], table: pa.Table) -> pa.Table:
    """The cell's values as columns before the others; lists as they stand in paths."""
    names, columns = [], []
    for factor, value in cell.items():
        if factor in (*TEXTS, *LISTS):
            level = pa.scalar(format_level(value), pa.string())
        else:
            level = pa.scalar(value, pa.int64() if factor in COUNTS else pa.float64())
        names.append(factor)
        columns.append(pa.repeat(level, table.num_rows))
    return pa.table([*columns, *table.columns], names=[*names, *table.column_names])
