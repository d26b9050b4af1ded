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


def shard_path(cell: Mapping[str, int | float], sims: range) -> str:
    """The path of some sims of a cell, factors in the order of the cell."""
    levels = [f"{factor}={format_level(value)}" for factor, value in cell.items()]
    return "/".join([*levels, f"sims={sims[0]}-{sims[-1]}.parquet"])


def read_shard_path(path: str) -> tuple[Cell, range]:
    """The cell and the sims of a path that ends as `shard_path` writes it."""
    backwards = reversed(PurePath(path).with_suffix("").parts)
    pairs = dict(part.split("=") for part in takewhile(lambda part: "=" in part, backwards))
    first, last = pairs.pop("sims").split("-")
    cell = {factor: level(factor, float(text)) for factor, text in reversed(pairs.items())}
    return cell, range(int(first), int(last) + 1)
