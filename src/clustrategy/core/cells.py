"""Where a shard lives: its cell and its sims, as they stand in its path.

`clusters=10/obs_per_cluster=5/between_cluster_sigma=0.1/treatment=within/sims=0-49.parquet`
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import takewhile
from pathlib import PurePath

from clustrategy.core.scenarios import SCENARIO

SIZES = ("clusters", "obs_per_cluster")
SPREADS = ("between_cluster_sigma", "icc", "slope_sd")
"""How much clusters differ: in one way by the first, in another by the others."""

FACTORS = (*SIZES, *SPREADS)
"""The first factors of a cell, those of them that a grid has."""

COUNTS = ("clusters", "obs_per_cluster", "predictors", "arms")
MECHANISM = "mechanism"
"""The factor whose levels are names of options: of `dgp.mechanisms`."""

TEXTS = (
    "treatment",
    "residual_distribution",
    "random_distribution",
    "missing_mechanism",
    "size_distribution",
    "predictor_distribution",
    "estimand",
    MECHANISM,
    SCENARIO,
)
WORDS_OR_NUMBERS = ("treated",)
LISTS = ("coefficients", "sigma_ratios", "predictor_icc")
NUMBERS_OR_LISTS = ("slope_sd",)
"""Lists where the grid has a list among their levels, numbers else."""

Level = int | float | str | Sequence[float] | Sequence[str] | Mapping[str, Sequence[float]]
Cell = dict[str, Level]


def level(factor: str, value: Level) -> Level:
    """Return a factor's level in its one form, so that `1` and `1.0` are the same level."""
    match value:
        case str():
            return value
        case Mapping():
            return {name: [*map(float, numbers)] for name, numbers in value.items()}
        case Sequence() if factor in TEXTS:
            return [*map(str, value)]
        case Sequence():
            return [*map(float, value)]
    return int(value) if factor in COUNTS else float(value)


def format_level(value: Level) -> str:
    """Write a level as it stands in paths and, unless it is a number, in tables.

    A number is the shortest text that reads back as the same; the numbers of a list stand between
    commas: `0,0.5`, and `uniform,0,1` for `{uniform: [0, 1]}`. So do the words of one.
    """
    match value:
        case str():
            return value
        case Mapping():
            return ",".join([*value, *(format_level(x) for part in value.values() for x in part)])
        case Sequence():
            return ",".join(map(format_level, value))
    return str(int(value)) if value == int(value) else repr(float(value))


def read_level(factor: str, text: str) -> Level:
    """Read a level that `format_level` wrote."""
    if factor in TEXTS:
        return text.split(",") if "," in text else text
    if factor in WORDS_OR_NUMBERS and text.isalpha():
        return text
    if factor in (*LISTS, *NUMBERS_OR_LISTS) and "," in text:
        first, *rest = text.split(",")
        if first.isidentifier():
            return {first: [*map(float, rest)]}
        return [*map(float, (first, *rest))]
    return level(factor, float(text))


def cell_path(cell: Mapping[str, Level]) -> str:
    """Return the path of a cell, its factors in their order."""
    return "/".join(f"{factor}={format_level(value)}" for factor, value in cell.items())


def shard_path(cell: Mapping[str, Level], sims: range) -> str:
    """Return the path of some sims of a cell."""
    return f"{cell_path(cell)}/sims={sims[0]}-{sims[-1]}.parquet"


def read_shard_path(path: str) -> tuple[Cell, range]:
    """Read the cell and the sims from a path that ends as `shard_path` writes it."""
    cell, pairs = _read(PurePath(path).with_suffix(""))
    first, last = pairs["sims"].split("-")
    return cell, range(int(first), int(last) + 1)


def sim_path(cell: Mapping[str, Level], sim: int) -> str:
    """Return the path of one sim of a cell."""
    return f"{cell_path(cell)}/sim={sim}"


def read_sim_path(path: str) -> tuple[Cell, int]:
    """Read the cell and the sim from a path that ends as `sim_path` writes it."""
    cell, pairs = _read(PurePath(path))
    return cell, int(pairs["sim"])


def _read(path: PurePath) -> tuple[Cell, dict[str, str]]:
    """Read the `name=value` parts that a path ends with: the cell, and the sims."""
    parts = [*takewhile(lambda part: "=" in part, reversed(path.parts))]
    pairs = {name: text for name, _, text in (part.partition("=") for part in reversed(parts))}
    sims: dict[str, str] = {n: pairs.pop(n) for n in ("sim", "sims") if n in pairs}
    return {factor: read_level(factor, text) for factor, text in pairs.items()}, sims
