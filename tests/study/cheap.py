"""A study that costs next to nothing, made here without Snakemake, and what its files hold."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pyarrow as pa

from clustrategy.study.plan import Plan
from clustrategy.study.shards import Shards, judge, make, read
from clustrategy.study.study import Study
from tests.conftest import SMALL

LABELS = ("cluster_robust", "two_stage")
CHEAP: dict[str, Any] = {
    **SMALL,
    "study": "cheap",
    "grid": {"clusters": [5, 7], "obs_per_cluster": [6], "between_cluster_sigma": [0.5]},
    "sims": 3,
    "sims_per_shard": 2,
    "strategies": list(LABELS),
}
KINDS = ("truth", "estimates", "fits", "scores")


def planned(folder: Path, **changes: Any) -> Plan:
    """Plan the study, with some keys of its config changed, for a folder of one's choice."""
    return replace(Study.from_config({**CHEAP, **changes}).plan, folder=str(folder))


def work_off(plan: Plan) -> int:
    """Make all blocks that are not good, and return how many they were."""
    tasks = [judged.task for judged in judge(plan) if judged.task is not None]
    for task in tasks:
        make(plan.recipe, plan.folder, task.block)
    return len(tasks)


def finished(folder: Path, **changes: Any) -> Plan:
    """Plan the study and make all its shards."""
    plan = planned(folder, **changes)
    plan.write()
    work_off(plan)
    return plan


def shards_of(plan: Plan) -> list[Shards]:
    """Return the shards of all blocks."""
    return [Shards.of(plan.recipe, plan.folder, block) for block in plan.blocks]


def rows(plan: Plan, kind: str) -> pa.Table:
    """Return all rows of a kind, by cell, strategy and sim."""
    keys = ["clusters", "sim"] if kind in ("truth", "datasets") else ["clusters", "strategy", "sim"]
    parts = []
    for shards in shards_of(plan):
        table = read(shards, kind)
        clusters = pa.repeat(shards.block.cell["clusters"], table.num_rows)
        parts.append(table.append_column("clusters", clusters))
    whole = pa.concat_tables(parts)
    place = pa.array(range(whole.num_rows))
    order = [*((key, "ascending") for key in keys), ("place", "ascending")]
    return whole.append_column("place", place).sort_by(order).drop_columns(["place"])


def bits(table: pa.Table, labels: Iterable[str] | None = None) -> str:
    """Write out a table, or the rows of some strategies, to the last digit."""
    if labels is not None:
        kept = [label in set(labels) for label in table["strategy"].to_pylist()]
        table = table.filter(pa.array(kept))
    return repr(table.to_pydict())


def contents(folder: str | Path) -> dict[str, bytes]:
    """Return what the Parquet files in a folder hold, by their path there."""
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in sorted(Path(folder).rglob("*.parquet"))
    }


def dates(folder: str | Path) -> dict[str, tuple[int, int]]:
    """Return which files are in a folder: of each its inode and when it was written."""
    return {
        str(path.relative_to(folder)): (path.stat().st_ino, path.stat().st_mtime_ns)
        for path in sorted(Path(folder).rglob("*"))
        if path.is_file()
    }
