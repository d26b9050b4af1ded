"""Put the shards of a study together, into Parquet for programs and CSV for people."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from clustrategy.core.errors import DataError
from clustrategy.core.shard import INTERCEPT
from clustrategy.tables.cells import with_cell
from clustrategy.tables.files import read_parquet, write_csv, write_parquet


def aggregate(
    job: Mapping[str, Any],
    *,
    shards: Mapping[str, Sequence[str]],
    estimates: str,
    fits: str,
    scores: str,
    sim_results: str | None = None,
    sim_estimates: str | None = None,
) -> None:
    """Write the whole tables of a study.

    Rows are in the order of cells, sims, strategies and terms, so that the files do not depend
    on how the sims were cut into shards. One cell at a time is in memory.

    Parameters
    ----------
    job : `study`, `version`, `cells`, `blocks` (of each cell the first and last sim of each of
        its shards) and `strategies` (labels).
    shards : the files of `estimates`, `fits`, `scores` and `truth`, by cell and then block.
    estimates, fits, scores, sim_results, sim_estimates : the files to write, the last two as CSV
        where they are wanted.

    Raises
    ------
    DataError : where a shard does not hold the sims or strategies that it should.
    """
    metadata = {"clustrategy.study": job["study"], "clustrategy.version": job["version"]}
    for stage, path in (("estimates", estimates), ("fits", fits), ("scores", scores)):
        write_parquet(_cells(job, stage, shards[stage]), path, metadata)
    if sim_results is not None:
        write_csv(_cells(job, "scores", shards["scores"]), sim_results)
    if sim_estimates is None:
        return
    answers, truths = (_cells(job, stage, shards[stage]) for stage in ("estimates", "truth"))
    with_truth = (
        _with_truth(answer, truth, len(job["strategies"]))
        for answer, truth in zip(answers, truths, strict=True)
    )
    write_csv(with_truth, sim_estimates)


def _cells(job: Mapping[str, Any], stage: str, files: Sequence[str]) -> Iterator[pa.Table]:
    """A table for each cell."""
    rest = iter(files)
    for cell, blocks in zip(job["cells"], job["blocks"], strict=True):
        shards = {next(rest): block for block in blocks}
        yield with_cell(cell, _cell(job, stage, shards))


def _cell(job: Mapping[str, Any], stage: str, files: Mapping[str, tuple[int, int]]) -> pa.Table:
    """The shards of a cell as one table, in the order of sims, strategies and terms."""
    labels = job["strategies"]
    shards = []
    for path, (first, last) in files.items():
        table = read_parquet(path).replace_schema_metadata(None)
        keys = ["sim"] if stage == "truth" else ["sim", "strategy"]
        found = len(table.group_by(keys).aggregate([]))
        inside = pc.min_max(table["sim"]).as_py() == {"min": first, "max": last}
        wanted = (last - first + 1) * (1 if stage == "truth" else len(labels))
        if not inside or found != wanted or table.num_rows % wanted:
            raise DataError(
                f"{path}: expected sims {first} to {last} of {len(labels)} strategies, found "
                f"{found} of {wanted} fits; delete it and run again"
            )
        shards.append(table)
    whole = pa.concat_tables(shards).combine_chunks()
    if stage == "truth":
        return whole
    place = pc.index_in(whole["strategy"], pa.array(labels)).to_numpy()
    return whole.take(np.lexsort((place, whole["sim"].to_numpy())))


def _with_truth(estimates: pa.Table, truth: pa.Table, strategies: int) -> pa.Table:
    """The estimates with the true value of each, whose rows are per sim and term alone."""
    first = truth["term"].to_numpy(zero_copy_only=False) == INTERCEPT
    sims = np.split(truth["value"].to_numpy(), np.flatnonzero(first)[1:])
    values = np.concatenate([np.tile(value, strategies) for value in sims])
    return estimates.append_column("true_value", pa.array(values))
