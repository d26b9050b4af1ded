"""What the shards of a study are made from, and its digests: by them a shard is judged."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import cached_property
from importlib.metadata import version
from typing import Any

from clustrategy.core.cells import Cell
from clustrategy.core.digests import digest
from clustrategy.core.sources import PACKAGE, code_digest, sources
from clustrategy.dgp import Process
from clustrategy.engines.chosen import Strategy
from clustrategy.strategies.own_files import load_files
from clustrategy.study.blocks import Block, Chosen, seconds

_DRAWING = (PACKAGE / "dgp/draw.py", PACKAGE / "tables/datasets.py")
_ROWS = (PACKAGE / "tables/estimates.py",)
_SCORING = (PACKAGE / "evaluation/scores.py", PACKAGE / "tables/scores.py")


def _code(files: Sequence[Any]) -> str:
    return code_digest(sources(*files))


@dataclass(frozen=True)
class Digests:
    """What a block's shards are to be made from.

    Attributes
    ----------
    data : str
        Of the datasets and their truth: seed, process, sims, code and versions.
    fits, scores : dict of str to str
        By strategy: of its estimates and fits, and of its scores.
    """

    data: str
    fits: dict[str, str]
    scores: dict[str, str]


@dataclass(frozen=True)
class Recipe:
    """All that the shards of a study follow from, but for cells and sims.

    Attributes
    ----------
    seed : int
    dgp : mapping
        What of the data-generating process is the same in all cells.
    strategies : sequence of mapping
        The entries in full, as `Strategy.spec` gives them.
    effects : sequence of float
        The effects at which strategies that resample compute their power; the others need none.
    keep_datasets : bool
        Whether the datasets are kept as shards.
    strategies_from : sequence of str
        Files of the user's own that register strategies.
    """

    seed: int
    dgp: Mapping[str, Any]
    strategies: Sequence[Mapping[str, Any]]
    effects: Sequence[float]
    keep_datasets: bool
    strategies_from: Sequence[str] = ()

    @cached_property
    def chosen(self) -> dict[str, Strategy]:
        """The strategies by label, in alphabetical order: theirs in a config is of no account."""
        load_files(self.strategies_from)
        parsed = [Strategy.parse(entry) for entry in self.strategies]
        return {s.label: s for s in sorted(parsed, key=lambda strategy: strategy.label)}

    def process(self, cell: Cell) -> Process:
        """Return the data-generating process of a cell."""
        return Process.of(self.dgp, cell)

    def seconds(self, block: Block, labels: Iterable[str]) -> float:
        """Estimate the CPU seconds to draw a block and to fit strategies of some labels to it."""
        chosen = [Chosen(self.chosen[one].name, self.chosen[one].engine) for one in labels]
        return len(block.sims) * seconds(self.process(block.cell), chosen)

    @cached_property
    def drawing(self) -> str:
        """The digest of what draws datasets: code, and the versions of numpy and scipy."""
        return digest(_code(_DRAWING), version("numpy"), version("scipy"))

    @cached_property
    def _fitting(self) -> dict[str, str]:
        rows = _code(_ROWS)
        return {
            label: digest(rows, s.digest, *[self.effects] * s.resamples)
            for label, s in self.chosen.items()
        }

    @cached_property
    def _scoring(self) -> str:
        return _code(_SCORING)

    def digests(self, block: Block) -> Digests:
        """Return what the shards of a block are to be made from."""
        process = asdict(self.process(block.cell))
        cell = [block.cell, block.first, block.last]
        data = digest(self.drawing, self.seed, process, cell)
        fits = {label: digest(data, fitting) for label, fitting in self._fitting.items()}
        scores = {label: digest(fit, self._scoring) for label, fit in fits.items()}
        return Digests(data, fits, scores)

    @cached_property
    def digest(self) -> str:
        """The digest of all that blocks of the same cells and sims are made from."""
        return digest(self.drawing, self._fitting, self._scoring, self.seed, self.dgp)
