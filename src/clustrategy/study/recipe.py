"""What the shards of a study are made from, and its digests: by them a shard is judged."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from functools import cached_property
from importlib.metadata import version
from typing import Any

from clustrategy.calibration.given_data import GivenData, read_given_data
from clustrategy.core.cells import Cell
from clustrategy.core.digests import digest
from clustrategy.core.errors import DataError
from clustrategy.core.scenarios import SCENARIO
from clustrategy.core.shard import Floats
from clustrategy.core.sources import PACKAGE, code_digest, sources
from clustrategy.dgp import Process
from clustrategy.dgp.drawn import AnyProcess
from clustrategy.dgp.oracle import ORACLE_POWER, is_by_oracle, oracle_effects
from clustrategy.engines.chosen import Strategy
from clustrategy.strategies.own_files import load_files
from clustrategy.study.blocks import Block, Chosen, seconds
from clustrategy.tables.estimates import null_values

_DRAWING = (PACKAGE / "dgp/draw.py", PACKAGE / "tables/datasets.py")
_DRAWING_ON_DESIGN = (PACKAGE / "dgp/given.py", PACKAGE / "tables/datasets.py")
_ORACLE = (PACKAGE / "dgp/oracle.py",)
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
    effects : sequence of float, or mapping
        The effects at which strategies that resample compute their power; the others need none. On
        a given design those of each term, as many of each; by an oracle its `oracle_power`, and the
        level `alpha` of its tests.
    keep_datasets : bool
        Whether the datasets are kept as shards.
    strategies_from : sequence of str
        Files of the user's own that register strategies.
    given : mapping of str to str, optional
        Of a study on a given design: what identifies its `table`; and `digests`, of the outcomes of
        each scenario.
    folder : str
        Of the study, which keeps the given design.
    known : GivenData, optional
        The given design, where it is in memory; else it is read from the folder.
    """

    seed: int
    dgp: Mapping[str, Any]
    strategies: Sequence[Mapping[str, Any]]
    effects: Sequence[float] | Mapping[str, Any]
    keep_datasets: bool
    strategies_from: Sequence[str] = ()
    given: Mapping[str, Any] | None = None
    folder: str = ""
    known: GivenData | None = field(default=None, repr=False, compare=False)

    @cached_property
    def chosen(self) -> dict[str, Strategy]:
        """The strategies by label, in alphabetical order: theirs in a config is of no account."""
        load_files(self.strategies_from)
        parsed = [Strategy.parse(entry) for entry in self.strategies]
        return {s.label: s for s in sorted(parsed, key=lambda strategy: strategy.label)}

    @cached_property
    def given_data(self) -> GivenData:
        """The given design and its scenarios.

        Raises
        ------
        DataError
            Where what the folder holds is not what the study is of.
        """
        assert self.given is not None
        data = self.known or read_given_data(self.folder)
        if {name: data.digests[name] for name in self.given["digests"]} != self.given["digests"]:
            raise DataError(f"{self.folder}: holds the design of another run; run again")
        return data

    def process(self, cell: Cell) -> AnyProcess:
        """Return the data-generating process of a cell."""
        if self.given is not None:
            return self.given_data.processes[str(cell[SCENARIO])]
        return Process.of(self.dgp, cell)

    def seconds(self, block: Block, labels: Iterable[str]) -> float:
        """Estimate the CPU seconds to draw a block and to fit strategies of some labels to it."""
        chosen = [Chosen(self.chosen[one].name, self.chosen[one].engine) for one in labels]
        return len(block.sims) * seconds(self.process(block.cell), chosen)

    @cached_property
    def drawing(self) -> str:
        """The digest of what draws datasets: code, and the versions of numpy and scipy."""
        code = _code(_DRAWING if self.given is None else _DRAWING_ON_DESIGN)
        return digest(code, version("numpy"), version("scipy"))

    def nulls(self, truth: Floats, cell: Cell) -> Floats:
        """Return the null values of each coefficient whose p-values are kept.

        Parameters
        ----------
        truth : (S, p) array
            The coefficients that the datasets were drawn with.
        cell : dict
            That of the datasets.

        Returns
        -------
        (S, p, K) array
            As `null_values`.
        """
        effects = self.effects
        if not isinstance(effects, Mapping):
            return null_values(truth, effects)
        process = self.process(cell)
        if isinstance(process, Process) and is_by_oracle(effects):
            effects = oracle_effects(process, effects[ORACLE_POWER], effects["alpha"])
        return null_values(truth, [effects[term] for term in process.terms])

    @cached_property
    def _fitting(self) -> dict[str, str]:
        rows = _code(_ROWS)
        at = [self.effects, *[_code(_ORACLE)] * is_by_oracle(self.effects)]
        return {
            label: digest(rows, s.digest, *at * s.resamples) for label, s in self.chosen.items()
        }

    @cached_property
    def _scoring(self) -> str:
        return _code(_SCORING)

    def digests(self, block: Block) -> Digests:
        """Return what the shards of a block are to be made from."""
        if self.given is not None:
            process: Any = self.given["digests"][block.cell[SCENARIO]]
        else:
            process = asdict(self.process(block.cell))  # type: ignore[call-overload]
        cell = [block.cell, block.first, block.last]
        data = digest(self.drawing, self.seed, process, cell)
        fits = {label: digest(data, fitting) for label, fitting in self._fitting.items()}
        scores = {label: digest(fit, self._scoring) for label, fit in fits.items()}
        return Digests(data, fits, scores)

    @cached_property
    def digest(self) -> str:
        """The digest of all that blocks of the same cells and sims are made from."""
        source = [] if self.given is None else [self.given["digests"]]
        return digest(self.drawing, self._fitting, self._scoring, self.seed, self.dgp, *source)
