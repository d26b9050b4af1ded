"""Fit the strategies of a study to the datasets of shards."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from clustrategy.core.cells import read_shard_path
from clustrategy.core.errors import DataError
from clustrategy.core.shard import Shard
from clustrategy.engines.chosen import Strategy
from clustrategy.tables.datasets import shard_from_datasets
from clustrategy.tables.estimates import ESTIMATES, FITS, estimates_table, fits_table
from clustrategy.tables.files import read_parquet, write_parquet

_KEY = b"clustrategy.fits"


def fit_shards(
    entries: Sequence[Mapping[str, Any]],
    digests: Mapping[str, str],
    *,
    datasets: Sequence[str],
    estimates: Sequence[str],
    fits: Sequence[str],
) -> None:
    """`fit_shard` for shards, one after the other; the paths of the datasets say which sims."""
    for data, answer, glance in zip(datasets, estimates, fits, strict=True):
        _, sims = read_shard_path(data)
        fit_shard(entries, digests, sims, datasets=data, estimates=answer, fits=glance)


def fit_shard(
    entries: Sequence[Mapping[str, Any]],
    digests: Mapping[str, str],
    sims: Sequence[int],
    *,
    datasets: str,
    estimates: str,
    fits: str,
) -> None:
    """Write the estimates and the fits of every strategy.

    Where the files are there already, from before a strategy was added or changed, the rows of
    every other strategy are taken over: they belong to the same datasets, options, code and
    versions.

    Parameters
    ----------
    entries : the strategies, as `Strategy.spec` gives them.
    digests : the `Strategy.digest` of each label.
    sims : the sims that the datasets must hold.
    datasets : the shard's datasets.
    estimates, fits : the files to write.

    Raises
    ------
    DataError : where the datasets are not those sims.
    """
    shard, found = shard_from_datasets(read_parquet(datasets))
    if found != list(sims):
        raise DataError(f"{datasets}: expected sims {sims[0]} to {sims[-1]}; delete it")
    strategies = [Strategy.parse(entry) for entry in entries]
    fingerprint = _fingerprint(shard)
    digests = {label: f"{fingerprint}:{digest}" for label, digest in digests.items()}
    before = _earlier(estimates, ESTIMATES), _earlier(fits, FITS)
    parts: list[tuple[pa.Table, pa.Table]] = []
    for strategy in strategies:
        label, digest = strategy.label, digests[strategy.label]
        if all(digest == known.get(label) for known, _ in before):
            parts.append((_only(before[0][1], label), _only(before[1][1], label)))
            continue
        result = strategy.fit(shard)
        name = (label, strategy.engine)
        parts.append(
            (
                estimates_table(result, shard.terms, sims, *name),
                fits_table(result, sims, *name),
            )
        )
    metadata = {_KEY.decode(): json.dumps(digests, sort_keys=True)}
    for path, tables_ in zip((estimates, fits), zip(*parts, strict=True), strict=True):
        write_parquet(pa.concat_tables(tables_), path, metadata)


def _fingerprint(shard: Shard) -> str:
    data = hashlib.sha256()
    for array in (shard.y, shard.X, shard.n):
        data.update(np.ascontiguousarray(array).data)
    return data.hexdigest()


def _earlier(path: str, schema: pa.Schema) -> tuple[dict[str, str], pa.Table | None]:
    if not Path(path).exists():
        return {}, None
    try:
        table = pq.read_table(path, partitioning=None)
    except (OSError, pa.ArrowInvalid):
        return {}, None
    if not table.schema.equals(schema):
        return {}, None
    known = (table.schema.metadata or {}).get(_KEY, b"{}")
    return json.loads(known), table.replace_schema_metadata(None)


def _only(table: pa.Table | None, label: str) -> pa.Table:
    assert table is not None
    return table.filter(pc.equal(table["strategy"], label))
