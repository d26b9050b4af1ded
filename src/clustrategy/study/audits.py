"""The audit of a study's blocks: what its shards are made from, and how they are made."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from clustrategy.audit.comparison import AUDIT, Audited, compare
from clustrategy.core.digests import digest
from clustrategy.core.errors import DataError
from clustrategy.core.sources import PACKAGE, code_digest, sources
from clustrategy.dgp import simulate
from clustrategy.engines.chosen import Strategy
from clustrategy.study.blocks import FIT, LME4, Block
from clustrategy.study.packs import Judged, Task
from clustrategy.study.plan import Plan
from clustrategy.study.recipe import Recipe
from clustrategy.study.shards import MADE_FROM, WHOLE, Shards, make, read, stamp
from clustrategy.tables.estimates import fits_from_tables
from clustrategy.tables.sealed import read_sealed, write_sealed

FOLDER = "audit"
START = 4.0
"""CPU seconds that R and lme4 take to start, in every job."""


@dataclass(frozen=True)
class Audit:
    """What audits the blocks of a study.

    Attributes
    ----------
    engine : str
        The reference of the mixed models.
    sims : int
        How many sims of each cell are audited.
    references : mapping of str to sequence of mapping
        The references of each label that can run here, as `Strategy.spec` gives them.
    """

    engine: str
    sims: int
    references: Mapping[str, Sequence[Mapping[str, Any]]]

    def audited(self, recipe: Recipe) -> list[Audited]:
        """Return the strategies of a study with their references."""
        return [
            Audited.of(strategy, self.engine, [*map(Strategy.parse, self.references[label])])
            for label, strategy in recipe.chosen.items()
        ]

    @cached_property
    def versions(self) -> dict[str, str]:
        """The versions of the references."""
        versions: dict[str, str] = {}
        for entry in (entry for others in self.references.values() for entry in others):
            versions |= Strategy.parse(entry).versions
        return dict(sorted(versions.items()))

    def digest(self, recipe: Recipe) -> str:
        """Digest what audits come from, but for blocks."""
        code = sources(PACKAGE / "audit/comparison.py", but=[PACKAGE / "engines/chosen.py"])
        fitted = [
            [audited.chosen.digest, [reference.digest for reference in audited.references]]
            for audited in self.audited(recipe)
        ]
        return digest(self.engine, code_digest(code), fitted)


@dataclass(frozen=True)
class AuditedBlocks:
    """The blocks of a study that are audited, or of which the first sims are.

    Attributes
    ----------
    plan : Plan
    audit : Audit
    """

    plan: Plan
    audit: Audit

    @classmethod
    def of(cls, plan: Plan) -> AuditedBlocks:
        """Read from a plan what is audited.

        Raises
        ------
        DataError
            Where nothing is.
        """
        if plan.audit is None:
            raise DataError("the config has no 'audit:', so there is nothing to audit")
        return cls(plan, Audit(**plan.audit))

    @cached_property
    def blocks(self) -> list[Block]:
        """The audited sims of each block that has some."""
        return [block.head(self.audit.sims) for block in self._wholes.values()]

    @cached_property
    def _wholes(self) -> dict[str, Block]:
        """The blocks that have audited sims, by the path of these."""
        sims = self.audit.sims
        return {b.head(sims).path: b for b in self.plan.blocks if b.first < sims}

    @cached_property
    def _digest(self) -> str:
        return self.audit.digest(self.plan.recipe)

    @property
    def digest(self) -> str:
        """Changes with whatever the audit's table is made from."""
        return digest(self._digest, self.audit.sims, self.plan.digest)

    def file(self, head: Block) -> Path:
        """Return the file of an audited block."""
        return Path(self.plan.folder, FOLDER, head.path)

    def made_from(self, head: Block) -> str:
        """Digest what the audit of a block is made from."""
        return digest(self._digest, self.plan.recipe.digests(head).fits)

    def judge(self) -> Iterator[Judged]:
        """Judge the audited blocks in turn."""
        recipe = self.plan.recipe
        for head in self.blocks:
            parts = stamp(self.file(head))
            made_from = self.made_from(head)
            task = None
            if (parts or {}).get(WHOLE) != made_from:
                task = Task(head, made_from, self._seconds(recipe, head))
            yield Judged(task, parts is None)

    def _seconds(self, recipe: Recipe, head: Block) -> float:
        process = recipe.process(head.cell)
        rows = process.clusters * process.obs_per_cluster
        engines = [entry["engine"] for others in self.audit.references.values() for entry in others]
        costs = [FIT.get(engine, LME4)(process.clusters, rows) for engine in engines]
        return len(head.sims) * sum(costs)

    def make(self, head: Block) -> None:
        """Write a row per audited sim, strategy, reference and term of a block.

        The numbers of the study are read as they stand in its shards; the data are drawn again.
        """
        recipe = self.plan.recipe
        tables = _rows(self.plan, self._wholes[head.path], head)
        shard = simulate(recipe.process(head.cell), recipe.seed, head.cell, head.sims).shard
        parts = [AUDIT.empty_table()]
        for audited in self.audit.audited(recipe):
            label = audited.strategy.label
            kept = [table.filter(pc.equal(table["strategy"], label)) for table in tables]
            parts.append(compare(shard, head.sims, audited, fits_from_tables(*kept)))
        made_from = json.dumps({WHOLE: self.made_from(head)})
        write_sealed(pa.concat_tables(parts), self.file(head), {MADE_FROM: made_from})

    def read(self, head: Block) -> pa.Table:
        """Read the audit of a block; where it is damaged or stale it is made again."""
        path = self.file(head)
        try:
            if (stamp(path) or {}).get(WHOLE) == self.made_from(head):
                return read_sealed(path)
        except DataError:
            pass
        self.make(head)
        return read_sealed(path)


def _rows(plan: Plan, block: Block, head: Block) -> list[pa.Table]:
    """Read the estimates and fits of the first sims of a block."""
    shards = Shards.of(plan.recipe, plan.folder, block)
    kinds = ("estimates", "fits")
    try:
        tables = [read(shards, kind) for kind in kinds]
    except DataError:
        make(plan.recipe, plan.folder, block, afresh=True)
        tables = [read(shards, kind) for kind in kinds]
    sims = pa.array(head.sims, pa.int64())
    return [table.filter(pc.is_in(table["sim"], sims)) for table in tables]
