"""The shards of a block: whether they are what they should be, and how they are made.

Each shard carries, in the metadata of its file, the digest of what it was made from. A shard whose
digest is not the one that the study's recipe gives is stale, whatever the clock says.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from clustrategy.core.digests import digest
from clustrategy.core.errors import DataError
from clustrategy.core.shard import Floats
from clustrategy.dgp.drawn import draw
from clustrategy.evaluation.scores import fit_success, score
from clustrategy.study.blocks import Block
from clustrategy.study.packs import Judged, Task
from clustrategy.study.plan import Plan
from clustrategy.study.recipe import Digests, Recipe
from clustrategy.tables.datasets import datasets_table, truth_table
from clustrategy.tables.estimates import estimates_table, fits_table
from clustrategy.tables.scores import scores_table
from clustrategy.tables.sealed import read_sealed, write_sealed

MADE_FROM = "clustrategy.made_from"
DRAWN = ("truth", "datasets")
WHOLE = "data"
"""The one part of a shard of datasets or truth; the parts of the others are strategies."""

Parts = Mapping[str, str]


@dataclass(frozen=True)
class Shards:
    """The shards of one block in the folder of a study.

    Attributes
    ----------
    folder : str
        Of the study.
    block : Block
    wanted : Digests
        What they are to be made from.
    keep_datasets : bool
        Whether there is to be a shard of the datasets.
    """

    folder: str
    block: Block
    wanted: Digests
    keep_datasets: bool

    @classmethod
    def of(cls, recipe: Recipe, folder: str, block: Block) -> Shards:
        """Give the shards of a block as a recipe wants them."""
        return cls(folder, block, recipe.digests(block), recipe.keep_datasets)

    def file(self, kind: str) -> Path:
        """Return the file of a kind of rows: truth, estimates, fits, scores or datasets."""
        return Path(self.folder, kind, self.block.path)

    def parts(self, kind: str) -> Parts:
        """Return the digest of each part that the shard of a kind is to have."""
        if kind in DRAWN:
            return {WHOLE: self.wanted.data}
        return self.wanted.scores if kind == "scores" else self.wanted.fits

    @property
    def kinds(self) -> tuple[str, ...]:
        """The kinds of shards that are to be there."""
        return ("truth", "estimates", "fits", "scores", *["datasets"] * self.keep_datasets)

    @property
    def nothing(self) -> State:
        """The state of a block of which nothing is there, or to be trusted."""
        labels = sorted(self.wanted.fits)
        drawn = [kind for kind in self.kinds if kind in DRAWN]
        return State(len(self.kinds), labels, labels, drawn)

    def state(self) -> State:
        """Judge the shards by their digests; their rows are not read."""
        found = {kind: stamp(self.file(kind)) for kind in self.kinds}
        stale = {kind: stale_parts(parts, self.parts(kind)) for kind, parts in found.items()}
        return State(
            missing=sum(parts is None for parts in found.values()),
            unfitted=sorted({*stale["estimates"], *stale["fits"]}),
            unscored=sorted(stale["scores"]),
            undrawn=[kind for kind in self.kinds if kind in DRAWN and stale[kind]],
        )


def judge(plan: Plan) -> Iterator[Judged]:
    """Judge the blocks of a plan in turn."""
    for block in plan.blocks:
        shards = Shards.of(plan.recipe, plan.folder, block)
        state = shards.state()
        task = None
        if not state.is_good:
            made_from = digest(shards.wanted.data, shards.wanted.scores)
            task = Task(block, made_from, plan.recipe.seconds(block, state.unfitted))
        yield Judged(block, task, state.missing > 0)


class State(NamedTuple):
    """How far the shards of a block are what they should be.

    Attributes
    ----------
    missing : int
        How many files are not there, or not whole.
    unfitted, unscored : list of str
        The strategies without good estimates and fits, and without good scores.
    undrawn : list of str
        `truth` and `datasets`, where they are not good.
    """

    missing: int
    unfitted: list[str]
    unscored: list[str]
    undrawn: list[str]

    @property
    def is_good(self) -> bool:
        """Whether there is nothing to be made."""
        return not (self.unfitted or self.unscored or self.undrawn)


def stamp(path: Path) -> Parts | None:
    """Return the digests that a shard carries, by part; None where there is no whole file."""
    try:
        metadata = pq.read_metadata(path).metadata or {}
        parts = json.loads(metadata.get(MADE_FROM.encode(), b"{}"))
    except (OSError, ValueError, pa.ArrowException):
        return None
    return parts if isinstance(parts, dict) else {}


def stale_parts(found: Parts | None, wanted: Parts) -> list[str]:
    """List the parts of a shard that are not made from what they are to be made from."""
    return [part for part, made in wanted.items() if (found or {}).get(part) != made]


def rows_of(table: pa.Table, label: str) -> pa.Table:
    """Return the rows of one strategy."""
    return table.filter(pc.equal(table["strategy"], label))


def make(recipe: Recipe, folder: str, block: Block, *, afresh: bool = False) -> Mapping[str, int]:
    """Carry a block through simulate, fit and score, as far as its shards are not good already.

    Parameters
    ----------
    recipe : Recipe
        What the shards are made from.
    folder : str
        Of the study.
    block : Block
        Which sims of which cell.
    afresh : bool
        Whether nothing that is there is to be taken over, whatever its digests say.

    Returns
    -------
    mapping of str to int
        How many of the fits that were made have each status.

    Notes
    -----
    The datasets are drawn again even if one strategy alone is missing: the same bits, and for less
    than it costs to read them.
    """
    shards = Shards.of(recipe, folder, block)
    state = shards.nothing if afresh else shards.state()
    statuses = Counter[str]()
    if state.is_good:
        return statuses
    kept = _kept(shards, [label for label in recipe.chosen if label not in state.unfitted])
    sims = block.sims
    drawn = draw(recipe.process(block.cell), recipe.seed, block.cell, sims)
    terms = drawn.shard.terms
    if "truth" in state.undrawn:
        _write(truth_table(drawn.truth, terms, sims), shards, "truth")
    if "datasets" in state.undrawn:
        _write(datasets_table(drawn.shard, sims), shards, "datasets")
    found = dict(kept)
    for label, strategy in recipe.chosen.items():
        if label not in found:
            fits = strategy.fit(drawn.shard, recipe.nulls(drawn.truth, block.cell))
            statuses.update(fits.status.tolist())
            name = (label, strategy.engine)
            found[label] = _Found(
                estimates_table(fits, terms, sims, *name), fits_table(fits, sims, *name)
            )
    parts = [found[label] for label in recipe.chosen]
    if found.keys() != kept.keys():
        _write(pa.concat_tables([part.estimates for part in parts]), shards, "estimates")
        _write(pa.concat_tables([part.fits for part in parts]), shards, "fits")
    scores = [_scores(part, drawn.truth, sims) for part in parts]
    _write(pa.concat_tables(scores), shards, "scores")
    return statuses


class _Found(NamedTuple):
    """The rows of one strategy."""

    estimates: pa.Table
    fits: pa.Table


def _kept(shards: Shards, labels: Sequence[str]) -> dict[str, _Found]:
    """Read the rows of strategies that need no fit; none where they cannot be read."""
    if not labels:
        return {}
    try:
        tables = [read_sealed(shards.file(kind)) for kind in ("estimates", "fits")]
    except DataError:
        return {}
    return {label: _Found(*(rows_of(table, label) for table in tables)) for label in labels}


def _scores(found: _Found, truth: Floats, sims: range) -> pa.Table:
    numbers = {
        name: found.estimates[name].to_numpy().reshape(truth.shape)
        for name in ("estimate", "std_error", "statistic")
    }
    label = found.fits["strategy"][0].as_py()
    success = fit_success(found.fits["status"].to_numpy())
    return scores_table(sims, label, score(**numbers, truth=truth), success)


def _write(table: pa.Table, shards: Shards, kind: str) -> None:
    made_from = json.dumps(dict(shards.parts(kind)), sort_keys=True)
    write_sealed(table, shards.file(kind), {MADE_FROM: made_from})


def read(shards: Shards, kind: str) -> pa.Table:
    """Read the shard of a kind, whole: the rows of the study's strategies, in their order.

    Raises
    ------
    DataError
        Where it is not there, not whole, damaged, or made from something else.
    """
    path = shards.file(kind)
    parts = stamp(path)
    wanted = shards.parts(kind)
    if parts is None or stale_parts(parts, wanted):
        raise DataError(f"{path}: is not there, or was made from something else")
    table = read_sealed(path)
    if parts.keys() != wanted.keys():
        table = table.filter(pc.is_in(table["strategy"], pa.array(sorted(wanted))))
    block = shards.block
    rows_of_sim = table.num_rows // len(block.sims)
    sims = np.sort(table["sim"].to_numpy())
    if not rows_of_sim or not np.array_equal(sims, np.repeat(block.sims, rows_of_sim)):
        raise DataError(f"{path}: does not hold sims {block.first} to {block.last}")
    return table


def read_or_make(plan: Plan, block: Block, kinds: Sequence[str]) -> tuple[list[pa.Table], bool]:
    """Read shards of a block; where one is damaged or stale, all of the block are made again.

    Returns
    -------
    tables : list of Table
        One for each kind, as `read` gives it.
    again : bool
        Whether the block had to be made again.
    """
    shards = Shards.of(plan.recipe, plan.folder, block)
    try:
        return [read(shards, kind) for kind in kinds], False
    except DataError:
        make(plan.recipe, plan.folder, block, afresh=True)
        return [read(shards, kind) for kind in kinds], True
