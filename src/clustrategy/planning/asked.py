"""What is asked of a plan: the settings, and which of them do not go together."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any, Literal

import numpy as np
import yaml

from clustrategy.core.errors import ConfigError
from clustrategy.core.validation import plain, problem, with_defaults
from clustrategy.planning.costs import Costs

MOST_ROWS = 2_000_000
"""A simulated study has no more."""

OF_A_TABLE = ("formula", "cluster", "random", "order", "sheet", "term")
"""Settings that belong to a table."""

DESCRIBING = ("rows", "icc", "sigma_between", "sigma_residual")
"""Settings, None by default, that a table stands for."""


@cache
def schema() -> dict[str, Any]:
    """Return the JSON schema of a plan."""
    text = (
        resources.files("clustrategy.planning")
        .joinpath("plan.schema.yaml")
        .read_text(encoding="utf-8")
    )
    return dict(yaml.safe_load(text))


@dataclass(frozen=True)
class Asked:
    """The settings of a plan, as `plan.schema.yaml` describes them."""

    clusters: tuple[int, int]
    rows: tuple[int, int] | None
    size_cv: float
    icc: float | None
    sigma_between: float | None
    sigma_residual: float | None
    sigma_slope: float
    treatment: Literal["between", "within"]
    treated: float
    formula: str | None
    cluster: str | None
    random: str | None
    order: str | None
    sheet: str | None
    term: str | None
    scenario: str
    effect: float
    power: float
    alpha: float
    costs: Costs | None
    strategies: list[str | dict[str, Any]] | None
    engine: str | None
    sims: int
    seed: int

    @property
    def sigmas(self) -> tuple[float, float]:
        """The standard deviations between clusters and of the errors."""
        if self.icc is not None:
            return float(np.sqrt(self.icc)), float(np.sqrt(1.0 - self.icc))
        return (
            self.sigma_between or 0.0,
            1.0 if self.sigma_residual is None else self.sigma_residual,
        )


def asked(settings: Mapping[str, Any], *, like: bool, where: str = "") -> Asked:
    """Check the settings of a plan.

    Parameters
    ----------
    settings : Mapping
        By name; those that are left out have their defaults.
    like : bool
        Whether there is a table whose clusters are resampled.
    where : str
        The file that they come from, for messages.

    Raises
    ------
    ConfigError
        One sentence that names the setting, what was expected and what was found.
    """
    found = plain(settings)
    wrong = problem(found, schema(), "the plan")
    sentence = wrong.sentence if wrong is not None else None
    if sentence is None:
        full = with_defaults(found, schema())
        sentence = next(_conflicts(found, full, like), None)
    if sentence is not None:
        raise ConfigError(f"{where}: {sentence}" if where else sentence)
    for name in ("clusters", "rows"):
        if full[name] is not None:
            full[name] = _range(full[name])
    cost_cluster, cost_row = full.pop("cost_cluster"), full.pop("cost_row")
    costs = Costs(cost_cluster, cost_row) if cost_cluster is not None else None
    for name in ("like", "strategies_from"):
        del full[name]
    return Asked(**full, costs=costs)


def _range(value: int | list[int]) -> tuple[int, int]:
    return (value, value) if isinstance(value, int) else (value[0], value[1])


def _conflicts(given: Mapping[str, Any], full: Mapping[str, Any], like: bool) -> Iterator[str]:
    for name in ("clusters", "rows"):
        if isinstance(full[name], list) and full[name][0] > full[name][1]:
            yield f"{name} must be [fewest, most], found {full[name]}"
    if full["power"] <= full["alpha"]:
        yield f"power must be more than alpha, {full['alpha']:g}, found {full['power']:g}"
    if (full["cost_cluster"] is None) != (full["cost_row"] is None):
        there, lacks = ("cost_row", "cost_cluster")
        if full["cost_row"] is None:
            there, lacks = lacks, there
        yield f"{there} goes with {lacks}, which is not there"
    yield from (_of_a_table if like else _of_a_description)(given, full)


def _of_a_table(given: Mapping[str, Any], full: Mapping[str, Any]) -> Iterator[str]:
    if full["formula"] is None:
        yield "a table needs the formula by which it is read"
    for name in (*DESCRIBING, "size_cv", "sigma_slope", "treatment", "treated"):
        if given.get(name) is not None:
            yield f"{name} does not go with a table, whose clusters say it"


def _of_a_description(given: Mapping[str, Any], full: Mapping[str, Any]) -> Iterator[str]:
    for name in (*OF_A_TABLE, "scenario"):
        if given.get(name) is not None:
            yield f"{name} needs a table whose clusters are resampled: 'like'"
    if full["rows"] is None:
        yield "rows, of a cluster, are not there: name them, or a table by 'like'"
        return
    if full["icc"] is None and full["sigma_between"] is None:
        yield (
            "icc is not there: name it, or sigma_between, or a table by 'like'; 0 is for clusters "
            "that do not differ"
        )
        return
    for name in ("sigma_between", "sigma_residual"):
        if full["icc"] is not None and full[name] is not None:
            yield f"icc and {name} are two ways to say one thing: leave one out"
    if full["sigma_slope"] and full["treatment"] == "between":
        yield "sigma_slope needs a treatment within clusters, found treatment: between"
    (first, last), (fewest, most) = _range(full["clusters"]), _range(full["rows"])
    if fewest < most and full["cost_cluster"] is None:
        yield (
            f"rows from {fewest} to {most} need cost_cluster and cost_row, by which to choose; or "
            "name one number of rows"
        )
    if full["size_cv"] > 0 and fewest < 2:
        yield f"size_cv above 0 needs rows of at least 2, found {fewest}"
    if last * most > MOST_ROWS:
        yield (
            f"clusters of {last:,} and rows of {most:,} make {last * most:,} rows; a plan takes at "
            f"most {MOST_ROWS:,}"
        )
    of, unit = (first, "cluster") if full["treatment"] == "between" else (fewest, "row")
    if not 0 < int(np.floor(of * full["treated"] + 0.5)) < of:
        least = int(np.ceil(0.5 / min(full["treated"], 1 - full["treated"])))
        yield (
            f"treated: a share of {full['treated']:g} of {of} {unit}{'s' * (of > 1)} leaves an arm "
            f"without a {unit}; take at least {max(least, 2)} {unit}s, or another share"
        )
