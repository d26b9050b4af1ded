"""Score the fits of shards against the truth."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from clustrategy.core.errors import DataError
from clustrategy.evaluation.scores import score
from clustrategy.tables.files import read_parquet, write_parquet
from clustrategy.tables.scores import SCORES


def score_shards(
    *, estimates: Sequence[str], fits: Sequence[str], truth: Sequence[str], scores: Sequence[str]
) -> None:
    """`score_shard` for shards, one after the other."""
    for answer, glance, true, metrics in zip(estimates, fits, truth, scores, strict=True):
        score_shard(estimates=answer, fits=glance, truth=true, scores=metrics)


def score_shard(*, estimates: str, fits: str, truth: str, scores: str) -> None:
    """Write a row per sim and strategy with the study's metrics.

    Raises
    ------
    DataError : where estimates, fits and truth are not of the same sims and terms.
    """
    answer, glance, true = (read_parquet(path) for path in (estimates, fits, truth))
    sims = pc.unique(true["sim"])
    p = true.num_rows // len(sims)
    value = true["value"].to_numpy().reshape(-1, p)
    parts = []
    for label in pc.unique(answer["strategy"]):
        rows = answer.filter(pc.equal(answer["strategy"], label))
        status = glance.filter(pc.equal(glance["strategy"], label))
        same = all(rows[key].equals(true[key]) for key in ("sim", "term"))
        if not same or not status["sim"].combine_chunks().equals(sims):
            raise DataError(f"{estimates}: its sims and terms are not those of {truth}")
        numbers = {
            name: rows[name].to_numpy().reshape(-1, p)
            for name in ("estimate", "std_error", "statistic")
        }
        columns = [
            sims,
            pa.repeat(label, len(sims)),
            *(np.asarray(metric) for metric in score(**numbers, truth=value)),
            pc.equal(status["status"], "ok").combine_chunks(),
        ]
        parts.append(pa.table(columns, schema=SCORES))
    write_parquet(pa.concat_tables(parts), scores, {})
