"""A small table of verdicts, as the rule `verdicts` writes it, from hand-written rates."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from tests.figures.tables import DESIGN, STRATEGIES, WITHIN

INTERCEPT = "intercept"
EFFECTS = [0.1, 0.5, 2.0]
SIMS = 1000

Rate = Callable[[str, Mapping[str, Any]], float]


def hand_written(strategy: str, cell: Mapping[str, Any]) -> float:
    """Cluster-robust is liberal where sigma is 1, two-stage conservative, maximal exact."""
    if strategy == "cluster_robust":
        return 0.4 if cell["between_cluster_sigma"] == 1 else 0.06
    return 0.01 if strategy == "two_stage" else 0.05


def half_power(strategy: str, cell: Mapping[str, Any], effect: float) -> float:
    """Cluster-robust has 4 points less than the maximal model, and two-stage 1 point less."""
    lost = {"cluster_robust": 0.04, "two_stage": 0.01}
    return min(0.1 + 0.4 * effect, 0.9) - lost.get(strategy, 0.0)


def judged(rate: float, cells: int = 1) -> dict[str, Any]:
    """A rate with limits at 0.8 and 1.2 times it, and its verdict."""
    low, high = 0.8 * rate, min(1.2 * rate, 1.0)
    ends = {"conservative": 0.025, "holds": 0.065, "slightly_liberal": 0.075, "liberal": 1.0}
    met = [name for name, end in ends.items() if low <= end]
    over = [name for name, end in ends.items() if high <= end]
    same = met[0] == over[0]
    return {
        "value": rate,
        "mcse": rate / 10,
        "conf_low": low,
        "conf_high": high,
        "n": SIMS,
        "verdict": met[0] if same else "undecided",
        "safe": high <= 0.065,
        "cells": cells,
    }


def make_verdicts(
    *,
    levels: Mapping[str, Sequence[Any]] = DESIGN,
    strategies: Sequence[str] = STRATEGIES,
    kinds: Sequence[str] = (INTERCEPT, WITHIN),
    rate: Rate = hand_written,
    power: Callable[[str, Mapping[str, Any], float], float] = half_power,
    unusable: float = 0.0,
) -> pd.DataFrame:
    """The table of a study with one rate for each cell and strategy."""
    cells = [dict(zip(levels, cell, strict=True)) for cell in itertools.product(*levels.values())]
    rows = list(_rows(cells, strategies, kinds, rate, power, unusable))
    return pd.DataFrame(rows).assign(note=None)


def _rows(
    cells: Sequence[dict[str, Any]],
    strategies: Sequence[str],
    kinds: Sequence[str],
    rate: Rate,
    power: Callable[[str, Mapping[str, Any], float], float],
    unusable: float,
) -> Iterator[dict[str, Any]]:
    def judge(strategy: str, cell: Mapping[str, Any]) -> dict[str, Any]:
        one = judged(rate(strategy, cell))
        return {**one, "safe": one["safe"] and unusable <= 0.05}

    for strategy in strategies:
        for cell in cells:
            row = {**cell, "scope": "cell", "strategy": strategy, "n": SIMS, "cells": 1}
            yield {**row, "measure": "unusable_rate", "value": unusable}
        for kind in kinds:
            key = {"strategy": strategy, "kind": kind}
            rates = {"measure": "false_positive_rate", **key}
            for cell in cells:
                yield {**cell, **rates, "scope": "cell", **judge(strategy, cell)}
            for scope, part in _scopes(cells):
                found = [judge(strategy, cell) for cell in part]
                # The worst cell, drawn again, comes out a little lower.
                shrunk = 0.95 if len(part) > 1 else 1.0
                again = judged(shrunk * max(one["value"] for one in found), len(part))
                counts = {
                    "safe": all(one["safe"] for one in found),
                    "safe_cells": sum(one["safe"] for one in found),
                    "liberal_cells": sum(one["verdict"] == "liberal" for one in found),
                }
                level = {} if scope == "all" else {scope: part[0][scope]}
                yield {**level, **rates, "scope": scope, **again, **counts}
            for cell, effect in itertools.product(cells, EFFECTS):
                yield {
                    **cell,
                    **key,
                    "scope": "cell",
                    "measure": "size_adjusted_power",
                    "effect": effect,
                    "value": power(strategy, cell, effect),
                    "mcse": 0.01,
                    "n": SIMS,
                    "cells": 1,
                }


def _scopes(
    cells: Sequence[dict[str, Any]],
) -> Iterator[tuple[str, Sequence[dict[str, Any]]]]:
    yield "all", cells
    clusters = list(dict.fromkeys(cell["clusters"] for cell in cells if "clusters" in cell))
    if len(clusters) > 1:
        for level in clusters:
            yield "clusters", [cell for cell in cells if cell["clusters"] == level]


def without_values(table: pd.DataFrame, note: str = "no usable fit") -> pd.DataFrame:
    """The table where no fit is usable."""
    numbers = ["value", "mcse", "conf_low", "conf_high"]
    table = table.assign(**dict.fromkeys(numbers, np.nan), verdict=None, note=note, n=0)
    return table.assign(safe=table["safe"].mask(table["safe"].notna(), False))
