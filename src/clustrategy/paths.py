"""Where a shard lives: its cell and its sims, as they stand in its path.

`clusters=10/obs_per_cluster=5/between_cluster_sigma=0.1/sims=0-49.parquet`
"""

from __future__ import annotations

from collections.abc import Mapping
from itertools import takewhile
from pathlib import PurePath

FACTORS = ("clusters", "obs_per_cluster", "between_cluster_sigma")
COUNTS = ("clusters", "obs_per_cluster", "predictors")

Cell = dict[str, int | float]


def level(factor: str, value: float) -> int | float:
    """A factor's level in its one form, so that `1` and `1.0` are the same level."""
    return int(value) if factor in COUNTS else float(value)


def format_level(value: float) -> str:
    """A level as it stands in paths: the shortest text that reads back as the same number."""
    return str(int(value)) if value == int(value) else repr(float(value))


def cell_path(cell: Mapping[str, int | float]) -> str:
    """The path of a cell, factors in the order of the cell."""
    return "/".join(f"{factor}={format_level(value)}" for factor, value in cell.items())


def shard_path(cell: Mapping[str, int | float], sims: range) -> str:
    """The path of some sims of a cell."""
    return f"{cell_path(cell)}/sims={sims[0]}-{sims[-1]}.parquet"


def read_shard_path(path: str) -> tuple[Cell, range]:
    """The cell and the sims of a path that ends as `shard_path` writes it."""
    cell, pairs = _read(PurePath(path).with_suffix(""))
    first, last = pairs["sims"].split("-")
    return cell, range(int(first), int(last) + 1)


def sim_path(cell: Mapping[str, int | float], sim: int) -> str:
    """The path of one sim of a cell."""
    return f"{cell_path(cell)}/sim={sim}"


def read_sim_path(path: str) -> tuple[Cell, int]:
    """The cell and the sim of a path that ends as `sim_path` writes it."""
    cell, pairs = _read(PurePath(path))
    return cell, int(pairs["sim"])


def _read(path: PurePath) -> tuple[Cell, dict[str, str]]:
    """The `name=value` parts that a path ends with: the cell, and what else they say."""
    parts = [*takewhile(lambda part: "=" in part, reversed(path.parts))]
    pairs = {name: text for name, _, text in (part.partition("=") for part in reversed(parts))}
    sims: dict[str, str] = {n: pairs.pop(n) for n in ("sim", "sims") if n in pairs}
    return {factor: level(factor, float(text)) for factor, text in pairs.items()}, sims
