"""Put the shards of a study together, into Parquet for programs and CSV for people."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from contextlib import ExitStack

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from clustrategy.study.blocks import Block
from clustrategy.study.plan import Plan, read_plan
from clustrategy.study.shards import read_or_make
from clustrategy.tables.cells import with_cell
from clustrategy.tables.estimates import NULLS
from clustrategy.tables.files import csv_parts, parquet_parts

KINDS = ("truth", "estimates", "fits", "scores")


def aggregate(
    folder: str,
    *,
    truth: str,
    estimates: str,
    fits: str,
    scores: str,
    sim_results: str | None = None,
    sim_estimates: str | None = None,
) -> None:
    """Write the whole tables of a study.

    Rows are in the order of cells, sims, strategies and terms, so that the files do not depend
    on how the sims were cut into blocks. One cell at a time is in memory. A shard that turns out
    to be damaged, or not of the plan, is made again.

    Parameters
    ----------
    folder : str
        Of the study, with its plan.
    truth, estimates, fits, scores : str
        The Parquet files to write.
    sim_results, sim_estimates : str, optional
        The scores and the estimates as CSV, where they are wanted.
    """
    plan = read_plan(folder)
    metadata = {
        "clustrategy.study": plan.study,
        "clustrategy.version": plan.version,
        "clustrategy.plan": plan.digest,
    }
    again = 0
    with ExitStack() as files:
        parquet = {
            kind: files.enter_context(parquet_parts(path, metadata))
            for kind, path in zip(KINDS, (truth, estimates, fits, scores), strict=True)
        }
        csv = {
            path: files.enter_context(csv_parts(path))
            for path in (sim_results, sim_estimates)
            if path
        }
        for place, cell in enumerate(plan.cells):
            tables, made = _cell(plan, plan.blocks_of(place))
            again += made
            whole = {kind: with_cell(cell, table) for kind, table in tables.items()}
            for kind, table in whole.items():
                parquet[kind](table)
            if sim_results:
                csv[sim_results](whole["scores"])
            if sim_estimates:
                csv[sim_estimates](
                    _with_truth(whole["estimates"], whole["truth"], len(plan.labels))
                )
    if again:
        blocks = "block was" if again == 1 else "blocks were"
        print(f"clustrategy: {again:,} {blocks} damaged and made again", file=sys.stderr)


def _cell(plan: Plan, blocks: Sequence[Block]) -> tuple[dict[str, pa.Table], int]:
    """Read the tables of a cell, and count the blocks that had to be made again."""
    parts: dict[str, list[pa.Table]] = {kind: [] for kind in KINDS}
    again = 0
    for block in blocks:
        found, made = read_or_make(plan, block, KINDS)
        again += made
        for kind, table in zip(KINDS, found, strict=True):
            parts[kind].append(table)
    whole = {kind: pa.concat_tables(tables).combine_chunks() for kind, tables in parts.items()}
    for kind in KINDS[1:]:
        table = whole[kind]
        place = pc.index_in(table["strategy"], pa.array(plan.labels)).to_numpy()
        whole[kind] = table.take(np.lexsort((place, table["sim"].to_numpy())))
    return whole, again


def _with_truth(estimates: pa.Table, truth: pa.Table, strategies: int) -> pa.Table:
    """Append the true value to the estimates; those of the truth are per sim and term alone.

    The p-values of further null values are left out: a CSV cannot hold lists.
    """
    sims = len(pc.unique(truth["sim"]))
    values = np.repeat(truth["value"].to_numpy().reshape(sims, 1, -1), strategies, axis=1)
    return estimates.drop_columns(NULLS).append_column("true_value", pa.array(values.reshape(-1)))
