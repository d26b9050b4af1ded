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
from clustrategy.audit.references import plan
from clustrategy.core.digests import digest
from clustrategy.core.errors import DataError
from clustrategy.core.sources import PACKAGE, code_digest, sources
from clustrategy.dgp.drawn import draw
from clustrategy.engines.chosen import Strategy
from clustrategy.study.blocks import FIT, LME4, Block
from clustrategy.study.packs import Judged, Task
from clustrategy.study.plan import Plan
from clustrategy.study.recipe import Recipe
from clustrategy.study.shards import MADE_FROM, read_or_make, rows_of, stale_parts, stamp
from clustrategy.tables.estimates import fits_from_tables
from clustrategy.tables.sealed import read_sealed, write_sealed

FOLDER = "audit"
CHOSEN = PACKAGE / "engines/chosen.py"


@dataclass(frozen=True)
class Audit:
    """What audits the blocks of a study, as plain values.

    Attributes
    ----------
    engine : str
        The reference of the mixed models.
    sims : int
        How many sims of each cell are audited.
    references : mapping of str to sequence of mapping
        The references of each label that can run here, as `Strategy.spec` gives them.
    missing : str
        Why a reference cannot run here, empty where all can.
    versions : mapping of str to str
        The versions of the references.
    digests : mapping of str to str
        What the audit of each label comes from, but for blocks.
    """

    engine: str
    sims: int
    references: Mapping[str, Sequence[Mapping[str, Any]]]
    missing: str
    versions: Mapping[str, str]
    digests: Mapping[str, str]

    @classmethod
    def of(cls, strategies: Sequence[Strategy], engine: str, sims: int) -> Audit:
        """Find what can audit strategies here."""
        references, missing = plan(strategies, engine)
        code = code_digest(sources(PACKAGE / "audit/comparison.py", but=[CHOSEN]))
        versions: dict[str, str] = {}
        digests = {}
        for strategy in strategies:
            others = [Strategy.parse(entry) for entry in references[strategy.label]]
            for other in others:
                versions |= other.versions
            chosen = Audited.of(strategy, engine, others).chosen
            digests[strategy.label] = digest(code, chosen.digest, [one.digest for one in others])
        return cls(engine, sims, references, missing, dict(sorted(versions.items())), digests)

    def audited(self, recipe: Recipe) -> dict[str, Audited]:
        """Return the strategies of a study, by label, with their references."""
        return {
            label: Audited.of(strategy, self.engine, [*map(Strategy.parse, self.references[label])])
            for label, strategy in recipe.chosen.items()
        }


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

    @property
    def digest(self) -> str:
        """Changes with whatever the audit's table is made from."""
        made_from = [self.made_from(head) for head in self.blocks]
        return digest(self.plan.labels, self.plan.cells, made_from)

    def file(self, head: Block) -> Path:
        """Return the file of an audited block."""
        return Path(self.plan.folder, FOLDER, head.path)

    def made_from(self, head: Block) -> dict[str, str]:
        """Digest what the audit of each strategy in a block is made from."""
        fits = self.plan.recipe.digests(head).fits
        return {
            label: digest(made, fits[label]) for label, made in sorted(self.audit.digests.items())
        }

    def judge(self) -> Iterator[Judged]:
        """Judge the audited blocks in turn."""
        for head in self.blocks:
            found, wanted = stamp(self.file(head)), self.made_from(head)
            missing = stale_parts(found, wanted)
            task = Task(head, digest(wanted), self._seconds(head, missing)) if missing else None
            yield Judged(head, task, found is None)

    def _seconds(self, head: Block, labels: Sequence[str]) -> float:
        process = self.plan.recipe.process(head.cell)
        engines = [entry["engine"] for label in labels for entry in self.audit.references[label]]
        costs = [FIT.get(engine, LME4)(process.clusters, process.rows) for engine in engines]
        return len(head.sims) * sum(costs)

    def make(self, head: Block) -> Mapping[str, int]:
        """Write a row per audited sim, strategy, reference and term of a block.

        The numbers of the study are read as they stand in its shards; the data are drawn again.
        Rows of strategies that are audited already are taken over. No fit of the study is made, so
        that there are no statuses to count.
        """
        recipe, path, wanted = self.plan.recipe, self.file(head), self.made_from(head)
        missing = stale_parts(stamp(path), wanted)
        try:
            known = read_sealed(path) if len(missing) < len(wanted) else AUDIT.empty_table()
        except DataError:
            known, missing = AUDIT.empty_table(), list(wanted)
        if not missing:
            return {}
        tables = _rows(self.plan, self._wholes[head.path], head)
        shard = draw(recipe.process(head.cell), recipe.seed, head.cell, head.sims).shard
        parts = [AUDIT.empty_table()]
        for label, audited in self.audit.audited(recipe).items():
            if label in missing:
                kept = [rows_of(table, label) for table in tables]
                parts.append(compare(shard, head.sims, audited, fits_from_tables(*kept)))
            else:
                parts.append(rows_of(known, label))
        write_sealed(pa.concat_tables(parts), path, {MADE_FROM: json.dumps(wanted)})
        return {}

    def read(self, head: Block) -> pa.Table:
        """Read the audit of a block; where it is damaged or stale it is made again."""
        path, wanted = self.file(head), self.made_from(head)
        if stale_parts(stamp(path), wanted):
            self.make(head)
        try:
            table = read_sealed(path)
        except DataError:
            self.make(head)
            table = read_sealed(path)
        return table.filter(pc.is_in(table["strategy"], pa.array(list(wanted))))


def _rows(plan: Plan, block: Block, head: Block) -> list[pa.Table]:
    """Read the estimates and fits of the first sims of a block."""
    tables, _ = read_or_make(plan, block, ("estimates", "fits"))
    sims = pa.array(head.sims, pa.int64())
    return [table.filter(pc.is_in(table["sim"], sims)) for table in tables]
