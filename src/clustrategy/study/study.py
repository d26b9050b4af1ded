"""The study: from a validated config to cells, shards and paths."""

from __future__ import annotations

import itertools
import math
import os
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from functools import cached_property
from importlib.metadata import version
from pathlib import Path
from typing import Any, Literal

from clustrategy.audit import references as audit
from clustrategy.calibration.given_data import GivenData
from clustrategy.calibration.table_source import TableSource
from clustrategy.core.cells import (
    FACTORS,
    MECHANISM,
    NUMBERS_OR_LISTS,
    SIZES,
    Cell,
    Level,
    cell_path,
    format_level,
    level,
)
from clustrategy.core.errors import ConfigError, nearest
from clustrategy.core.scenarios import NAMES, SCENARIO
from clustrategy.core.validation import described, shown
from clustrategy.design.variation import differs_within
from clustrategy.dgp import Process, least_rows
from clustrategy.dgp.drawn import AnyProcess
from clustrategy.dgp.given import GivenProcess
from clustrategy.dgp.oracle import is_by_oracle
from clustrategy.dgp.process import MECHANISMS, OF_TWO_ARMS
from clustrategy.engines.chosen import Strategy, parse_all
from clustrategy.evaluation.sample_size import sims_for, sims_for_verdict
from clustrategy.strategies.own_files import load_files
from clustrategy.study import blocks
from clustrategy.study import config as configuration
from clustrategy.study.audits import Audit
from clustrategy.study.blocks import Block, Chosen
from clustrategy.study.effects import resolve_effects
from clustrategy.study.mechanisms import options_in_one_form, resolve_mechanisms
from clustrategy.study.plan import Plan, stored
from clustrategy.study.recipe import Recipe
from clustrategy.study.size import Size, absurdity, too_large, too_many_cells
from clustrategy.study.spread import check_spread, latest_spread

MOST_SIMS = 10_000_000
"""Of a cell: a number far beyond it would hang the plan of the jobs."""


@dataclass(frozen=True)
class Study:
    """A validated config.

    Attributes
    ----------
    name, seed, sims, sims_per_shard
        As in the config.
    levels : dict of str to list
        The levels of each factor, those of `FACTORS` first and further ones in alphabetical
        order.
    dgp : dict
        The data-generating process but for what the grid sets.
    strategies : list of Strategy
        In the config's order.
    config : dict
        The whole config, defaults filled in.
    files : Sequence of str
        Where it was read from, for messages.
    known_audit : Mapping, optional
        What a plan says of the audit.
    given : GivenData, optional
        The design of a table of one's own, where the study is on that: its one factor is the
        scenario, and `dgp` is empty.
    """

    name: str
    seed: int
    sims: int
    sims_per_shard: int | Literal["auto"]
    levels: dict[str, list[Any]]
    dgp: dict[str, Any]
    strategies: list[Strategy]
    config: dict[str, Any] = field(repr=False)
    files: Sequence[str] = ()
    known_audit: Mapping[str, Any] | None = None
    given: GivenData | None = field(default=None, repr=False)

    @classmethod
    def from_config(
        cls,
        config: Mapping[str, Any],
        files: Sequence[str] = (),
        known_audit: Mapping[str, Any] | None = None,
        given: GivenData | None = None,
    ) -> Study:
        """Validate a config.

        Parameters
        ----------
        config : Mapping
            As read from YAML.
        files : Sequence of str
            Where it was read from, later ones over earlier ones; for messages.
        known_audit : Mapping, optional
            What the study's plan says of its audit, for a job on a machine that may have another
            R, or none.
        given : GivenData, optional
            What the section `data` stands for, where that is no file.

        Raises
        ------
        ConfigError
            One sentence that names the file, the key, what was expected and what was found.
        DataError
            The same, of the table in `data`.
        """
        config = latest_spread(config, files)
        _check_cells(config, files)
        _check_beside_data(config, files)
        full = configuration.validate(config, files)
        if "data" not in full and "grid" not in full:
            raise ConfigError(
                f"{configuration.holder(files, [])}: the config lacks the key 'grid', or 'data'"
            )
        if isinstance(full["strategies_from"], str):
            full["strategies_from"] = [full["strategies_from"]]
        if "data" in full:
            # What goes with a grid has defaults.
            del full["dgp"], full["worked_example"]
            if given is None:
                given = TableSource.of(full["data"]).given_data(f"results/{full['study']}")
            levels = {SCENARIO: _scenarios(full["data"]["scenarios"], given, files)}
        else:
            resolve_mechanisms(full, files)
            check_spread(full, files)
            first = [name for name in FACTORS if name in full["grid"]]
            further = sorted(set(full["grid"]) - set(FACTORS))
            levels = {name: _levels(full["grid"], name, files) for name in (*first, *further)}
        try:
            load_files(full["strategies_from"])
        except ConfigError as error:
            source = configuration.holder(files, ["strategies_from"])
            raise ConfigError(f"{source}: strategies_from: {error}") from None
        try:
            strategies = parse_all(full["strategies"])
        except ConfigError as error:
            source = configuration.holder(files, ["strategies"])
            raise ConfigError(f"{source}: strategies: {error}") from None
        _resolve_sims(full, math.prod(map(len, levels.values())), files)
        _resolve_performance(full["performance"], strategies, files)
        resolve_effects(full["verdict"], full["performance"]["alpha"], given, files)
        if "by" not in config.get("verdict", {}):
            full["verdict"]["by"] = [name for name in full["verdict"]["by"] if name in levels]
        _check_verdict(full, levels, files)
        study = cls(
            name=full["study"],
            seed=full["seed"],
            sims=full["sims"],
            sims_per_shard=full["sims_per_shard"],
            levels=levels,
            dgp=full.get("dgp", {}),
            strategies=strategies,
            config=full,
            files=files,
            known_audit=known_audit,
            given=given,
        )
        processes = [study.process(cell) for cell in study.cells]
        study._check_arms(processes)
        study._check_size(processes)
        if given is not None:
            study._check_terms({given.shard.terms})
            return study
        example = study.synthetic(study.config["worked_example"], "worked_example")
        if (wrong := too_large(example)) is not None:
            source = configuration.holder(files, ["worked_example", wrong[0]])
            raise ConfigError(f"{source}: worked_example.{wrong[0]} {wrong[1]}")
        study._check_terms({process.terms for process in [*processes, example]})
        return study

    def _check_arms(self, processes: Sequence[AnyProcess]) -> None:
        """Raise ConfigError where there are options about arms, but no treatment in any cell."""
        if any(isinstance(one, Process) and one.treatment != "none" for one in processes):
            return
        mechanisms = self.dgp.get(MECHANISMS, {})
        sections: dict[tuple[str, ...], Mapping[str, Any]] = {
            ("grid",): self.levels,
            ("dgp",): self.dgp,
        }
        sections |= {("dgp", MECHANISMS, name): part for name, part in mechanisms.items()}
        for section, options in sections.items():
            for option in options:
                if option in OF_TWO_ARMS:
                    path = [*section, option]
                    raise ConfigError(
                        f"{configuration.holder(self.files, path)}: {'.'.join(path)} needs a "
                        "treatment, between or within clusters"
                    )

    def _check_size(self, processes: Sequence[AnyProcess]) -> None:
        """Raise ConfigError where the study is absurdly large."""
        wrong = absurdity(processes, self.chosen, self.sims, self.sims_per_shard)
        if wrong is not None:
            path = ["grid", wrong[0]] if wrong[0] in self.levels else [wrong[0]]
            source = configuration.holder(self.files, path)
            raise ConfigError(f"{source}: {'.'.join(path)} {wrong[1]}")

    def _check_terms(self, models: Iterable[tuple[str, ...]]) -> None:
        """Raise ConfigError where a strategy's options do not suit one of the study's models."""
        for terms in sorted(models, key=len):
            for strategy in self.strategies:
                try:
                    strategy.check_terms(terms)
                except ConfigError as error:
                    source = configuration.holder(self.files, ["strategies"])
                    raise ConfigError(f"{source}: strategies: {error}") from None

    @property
    def chosen(self) -> list[Chosen]:
        """What the cost of the fits depends on."""
        return [Chosen(strategy.name, strategy.engine) for strategy in self.strategies]

    @property
    def factors(self) -> list[str]:
        """The factors, in the order of paths and tables."""
        return list(self.levels)

    @cached_property
    def cells(self) -> list[Cell]:
        """Every combination of levels, the last factor running fastest."""
        return [
            dict(zip(self.levels, values, strict=True))
            for values in itertools.product(*self.levels.values())
        ]

    def process(self, cell: Mapping[str, Any]) -> AnyProcess:
        """Return the data-generating process of a cell."""
        if self.given is not None:
            return self.given.processes[cell[SCENARIO]]
        return self.synthetic(cell)

    def synthetic(self, cell: Mapping[str, Any], section: str = "grid") -> Process:
        """Return the data-generating process of a cell of a grid.

        Parameters
        ----------
        cell : Mapping
            What it sets of the process; the rest is as in `dgp`.
        section : str
            The section of the config that the cell is from.

        Raises
        ------
        ConfigError
            Where the process's options do not go together.
        """
        process = Process.of(self.dgp, cell)
        if process.conflict is not None:
            key, problem = process.conflict
            option = key.partition(".")[0]
            where = [section] if option in cell else ["dgp"]
            mechanism = cell.get(MECHANISM)
            if mechanism is not None and option in self.dgp[MECHANISMS][mechanism]:
                where = ["dgp", MECHANISMS, mechanism]
            source = configuration.holder(self.files, [*where, option])
            raise ConfigError(f"{source}: {'.'.join(where)}.{key} {problem}")
        return process

    @property
    def coefficients(self) -> list[Any] | None:
        """What the cells of a grid have as coefficients; on a given design there is nothing."""
        if self.given is not None:
            return None
        return list(self.levels.get("coefficients", [self.dgp["coefficients"]]))

    @property
    def further_dgp(self) -> dict[str, Any]:
        """What of the data-generating process is the same in all cells."""
        fixed = {*self.dgp} - {*self.levels, MECHANISMS}
        return {key: self.dgp[key] for key in sorted(fixed)}

    @property
    def _recipe_effects(self) -> Any:
        effects = self.config["verdict"]["effects"]
        if is_by_oracle(effects):
            return {**effects, "alpha": self.config["performance"]["alpha"]}
        return effects

    @cached_property
    def recipe(self) -> Recipe:
        """What the shards are made from."""
        entries = [strategy.spec for strategy in self.strategies]
        dgp = options_in_one_form(self.dgp)
        given = None
        if self.given is not None:
            digests = self.given.digests
            given = {
                "table": self.given.made_from,
                "digests": {name: digests[name] for name in self.levels[SCENARIO]},
            }
        return Recipe(
            self.seed,
            dgp,
            entries,
            self._recipe_effects,
            self.config["keep_datasets"],
            self.config["strategies_from"],
            given,
            self.folder,
            self.given,
        )

    @cached_property
    def plan(self) -> Plan:
        """The study as plain values: all blocks, and what they are made from."""
        return Plan(
            study=self.name,
            version=version("clustrategy"),
            folder=self.folder,
            recipe=self.recipe,
            labels=[strategy.label for strategy in self.strategies],
            cells=self.cells,
            cuts=[[(sims[0], sims[-1]) for sims in self.cut(cell)] for cell in self.cells],
            audit=None if self.audit is None else asdict(self.audit),
        )

    @property
    def performance_settings(self) -> dict[str, Any]:
        """How the strategies are compared, as plain values.

        `reference`, `fallback`, `alpha` and `usable` as in the config, and `finite_variance`: of
        each strategy, by cell, whether its estimates have a finite variance there.
        """
        smallest = [_smallest(self.process(cell)) for cell in self.cells]
        finite = {
            strategy.label: [strategy.finite_variance(rows, slopes) for rows, slopes in smallest]
            for strategy in self.strategies
        }
        return {**self.config["performance"], "finite_variance": finite}

    @property
    def verdict_settings(self) -> dict[str, Any]:
        """How the strategies are judged, as plain values.

        `verdict` of the config, `alpha`, `usable` and `finite_variance` of `performance_settings`,
        and `equivariant`: of each strategy, whether it depends on the coefficients by a shift.
        """
        performance = self.performance_settings
        names = ("alpha", "usable", "finite_variance")
        return {
            **self.config["verdict"],
            **{name: performance[name] for name in names},
            "equivariant": {s.label: s.equivariant for s in self.strategies},
        }

    @property
    def placebo_settings(self) -> dict[str, Any]:
        """How the placebo check counts rejections: `alpha` and `usable` as in the config."""
        return {name: self.config["performance"][name] for name in ("alpha", "usable")}

    @property
    def sims_to_certify(self) -> int:
        """How many sims a cell find a strategy that keeps its level safe in all cells."""
        return _sims_to_certify(self.config, len(self.cells))

    @property
    def audited_sims(self) -> int:
        """How many sims of each cell are audited; 0 where there is no audit."""
        settings = self.config["audit"]
        if settings is None:
            return 0
        return self.sims if settings["sims"] == "all" else min(settings["sims"], self.sims)

    @property
    def unaudited(self) -> list[str]:
        """The labels of the strategies for which there is no reference, here or anywhere."""
        settings = self.config["audit"]
        if settings is None:
            return []
        engine = settings["engine"]
        return [s.label for s in self.strategies if not audit.references(s, engine)]

    @cached_property
    def audit(self) -> Audit | None:
        """What audits the study, where something does."""
        settings = self.config["audit"]
        if settings is None:
            return None
        if self.known_audit is not None:
            return Audit(**self.known_audit)
        return Audit.of(self.strategies, settings["engine"], self.audited_sims)

    @property
    def left_out(self) -> str:
        """Why all or some references are left out, empty where none is."""
        return "the config has no audit" if self.audit is None else self.audit.missing

    @property
    def reference_versions(self) -> dict[str, str]:
        """The versions of what the strategies are audited by."""
        return {} if self.audit is None else dict(self.audit.versions)

    @property
    def largest_cells(self) -> list[Cell]:
        """The cells with the most clusters and observations: one for each other combination."""
        most = {factor: max(self.levels[factor]) for factor in SIZES}
        return [cell for cell in self.cells if most.items() <= cell.items()]

    def cut(self, cell: Mapping[str, Level]) -> list[range]:
        """Return the sims of each block of a cell; see `blocks`."""
        if self.sims_per_shard != "auto":
            return blocks.equal(self.sims, self.sims_per_shard)
        return blocks.doubling(self.sims, blocks.cap(self.process(cell), self.chosen))

    def size(self, made: Iterable[Block], seconds: float) -> Size:
        """Say how large some blocks are, which take so many CPU seconds."""
        sims = Counter[int]()
        places = {cell_path(cell): place for place, cell in enumerate(self.cells)}
        for block in made:
            sims[places[cell_path(block.cell)]] += len(block.sims)
        return Size.of(
            [(self.process(self.cells[place]), count) for place, count in sims.items()],
            len(self.strategies),
            csv=self.config["csv"],
            keep_datasets=self.config["keep_datasets"],
            seconds=seconds,
        )

    @property
    def folder(self) -> str:
        """Where the results of the study live."""
        return f"results/{self.name}"

    def check_folder(self) -> None:
        """Raise ConfigError where the folder cannot be written to or is another study's."""
        existing = Path(self.folder)
        while not existing.exists():
            existing = existing.parent
        if not os.access(existing, os.W_OK | os.X_OK):
            raise ConfigError(f"{self.folder}: no permission to write in {existing}")
        found = stored(self.folder)
        if found and found["study"] != self.name and found["study"].lower() == self.name.lower():
            raise ConfigError(
                f"{self.folder}: is the folder of the study {found['study']!r} on this file "
                "system, which takes small and capital letters for the same: give the study "
                "another name ('study:' in the config)"
            )
        if found is None or next(existing.glob("truth/**/*.parquet"), None) is None:
            return
        if (found["given"] or self.recipe.given) is not None:
            self._check_table(found["given"])
            return
        of_this = {"seed": self.seed, **_flat("dgp", self.dgp)}
        of_that = {"seed": found["seed"], **_flat("dgp", found["dgp"])}
        for options in (of_this, of_that):
            # What a mechanism is made of decides on its own blocks alone.
            options.pop(f"dgp.{MECHANISMS}", None)
        for key in [*of_this, *of_that]:
            old, new = of_that.get(key), of_this.get(key)
            if old != new:
                source = configuration.holder(self.files, key.split("."))
                raise ConfigError(
                    f"{self.folder}: was made with {key} {described(old)}, but {source} says "
                    f"{described(new)}: give the study another name ('study:' in the config), or "
                    "move that folder away"
                )

    def _check_table(self, found: Mapping[str, Any] | None) -> None:
        """Raise ConfigError where the folder holds results of another table or of none."""
        if self.given is None or found is None or found["table"] != self.given.made_from:
            raise ConfigError(
                f"{self.folder}: was made from another table, or from the same one read otherwise: "
                "give the study another name ('study:' in the config, or --name), or move that "
                "folder away"
            )


def _smallest(process: AnyProcess) -> tuple[int, int]:
    """Return the rows of the smallest cluster, and the predictors that vary within clusters.

    Where they are drawn, those of two values have a row taken off and do not count.
    """
    if isinstance(process, GivenProcess):
        return int(process.shard.n.min()), int(differs_within(process.shard).sum())
    return least_rows(process), process.varying - process.varying_binary


def _check_beside_data(config: Mapping[str, Any], files: Sequence[str]) -> None:
    """Raise ConfigError where a table of one's own stands beside what it takes the place of."""
    for key in ("grid", "dgp", "worked_example", "student"):
        if "data" in config and key in config:
            raise ConfigError(
                f"{configuration.holder(files, [key])}: {key!r} has no place beside 'data', whose "
                "table gives the design and the variances"
            )


def _scenarios(chosen: list[str] | None, given: GivenData, files: Sequence[str]) -> list[str]:
    """Return the scenarios of a study: those chosen, or all that the design has."""
    left_out = {one.name: one.note for one in given.scenarios if one.process is None}
    for name in chosen or ():
        if name in left_out:
            source = configuration.holder(files, ["data", "scenarios"])
            raise ConfigError(f"{source}: data.scenarios: {name} is {left_out[name]}")
    return [name for name in NAMES if name in given.processes and (not chosen or name in chosen)]


def _flat(name: str, options: Mapping[str, Any]) -> dict[str, Any]:
    return {f"{name}.{option}": value for option, value in options.items()}


def _check_cells(config: Mapping[str, Any], files: Sequence[str]) -> None:
    """Refuse a grid of too many cells before each of its levels is looked at."""
    grid = config.get("grid")
    wrong = too_many_cells(grid) if isinstance(grid, Mapping) else ""
    if wrong:
        raise ConfigError(f"{configuration.holder(files, ['grid'])}: grid.{wrong}")


def _levels(grid: Mapping[str, Any], factor: str, files: Sequence[str]) -> list[Any]:
    """Return the levels of a factor in their one form; each is to be there once."""
    values = [level(factor, value) for value in grid[factor]]
    if factor in NUMBERS_OR_LISTS:
        values = _alike(values)
    known: set[str] = set()
    for value in values:
        text = format_level(value)
        if text in known:
            source = configuration.holder(files, ["grid", factor])
            raise ConfigError(f"{source}: grid.{factor} lists the level {text[:80]} twice")
        known.add(text)
    return values


def _alike(levels: list[Any]) -> list[Any]:
    """Return levels as lists, all of them if any is, so that a column has one type."""
    lengths = [len(one) for one in levels if isinstance(one, list)]
    if not lengths:
        return levels
    return [one if isinstance(one, list) else [one] * lengths[0] for one in levels]


def _resolve_sims(config: dict[str, Any], cells: int, files: Sequence[str]) -> None:
    """Sims that are asked for by a Monte Carlo standard error, as a number."""
    target = config["sims"]
    try:
        if not isinstance(target, int):
            config["sims"] = _sims_for(target, config, cells)
        if config["sims"] > MOST_SIMS:
            raise ConfigError(
                f"{config['sims']:,} datasets per cell, more than the {MOST_SIMS:,} that a cell "
                "can have"
            )
    except ConfigError as error:
        raise ConfigError(f"{configuration.holder(files, ['sims'])}: sims: {error}") from None


def _sims_for(target: Mapping[str, Any], config: Mapping[str, Any], cells: int) -> int:
    """Return the sims for what is wanted: verdicts, or a Monte Carlo standard error."""
    of_verdict = target["of"] == "verdict"
    foreign = ("mcse", "sd") if of_verdict else ("probability",)
    if found := [key for key in foreign if key in target]:
        raise ConfigError(f"has the key {found[0]!r}, which {target['of']} does not take")
    if of_verdict:
        probability = {k: target[k] for k in target if k == "probability"}
        return _sims_to_certify(config, cells, **probability)
    if "mcse" not in target:
        raise ConfigError(f"needs the key 'mcse', the Monte Carlo standard error of {target['of']}")
    return sims_for(**target, alpha=config["performance"]["alpha"])


def _sims_to_certify(config: Mapping[str, Any], cells: int, **probability: float) -> int:
    """Return the sims with which what keeps its level is found safe in all cells."""
    verdict = config["verdict"]
    return sims_for_verdict(
        cells,
        alpha=config["performance"]["alpha"],
        upper=verdict["upper"],
        confidence=verdict["confidence"],
        **probability,
    )


def _resolve_performance(
    settings: dict[str, Any], strategies: Sequence[Strategy], files: Sequence[str]
) -> None:
    """Fill in the strategies that others are compared with and replaced by."""
    labels = [strategy.label for strategy in strategies]
    simple = [s.label for s in strategies if s.name in ("cluster_robust", "ols")]
    defaults = {"reference": labels[0], "fallback": [*simple, *labels][0]}
    for key, default in defaults.items():
        if settings[key] is None:
            settings[key] = default
        elif settings[key] not in labels:
            source = configuration.holder(files, ["performance", key])
            raise ConfigError(
                f"{source}: performance.{key} must be a strategy of the study, found "
                f"{shown(settings[key])}{nearest(settings[key], labels)}"
            )


def _check_verdict(
    config: Mapping[str, Any], levels: Mapping[str, Any], files: Sequence[str]
) -> None:
    """Refuse what of `verdict` does not go together with itself or with the factors."""
    settings, alpha = config["verdict"], config["performance"]["alpha"]
    if settings["liberal"] < settings["upper"]:
        key, problem = "liberal", f"must be at least upper, {settings['upper']:g}"
    elif settings["liberal"] * alpha >= 1:
        key, problem = "liberal", f"must be less than 1 / alpha, {1 / alpha:g}"
    else:
        listed = [[entry] if isinstance(entry, str) else entry for entry in settings["by"]]
        for factor in itertools.chain.from_iterable(listed):
            if factor not in levels:
                source = configuration.holder(files, ["verdict", "by"])
                raise ConfigError(
                    f"{source}: verdict.by must list factors of the grid, found {shown(factor)}"
                    f"{nearest(factor, [*levels])}"
                )
        return
    source = configuration.holder(files, ["verdict", key])
    raise ConfigError(f"{source}: verdict.{key} {problem}, found {settings[key]:g}")
