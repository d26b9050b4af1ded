"""A verification study made up for tests: its cells, strategies, performance and fits."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd

from clustrategy.dgp import Process
from clustrategy.engines.chosen import Strategy
from clustrategy.verification.cells import Cell
from clustrategy.verification.comparison import complete, exact
from clustrategy.verification.expected import expectations
from clustrategy.verification.identities import Fitted
from clustrategy.verification.judgement import judge
from clustrategy.verification.published_rates import published

SIMS = 20_000
BETWEEN = Process(15, 6, 1.0, 2, [0, 0, 0.6], 1.0, treatment="between", arms=3)
CELLS = [
    Cell({"clusters": 15, "treatment": "between"}, BETWEEN),
    Cell({"clusters": 15, "treatment": "within"}, replace(BETWEEN, treatment="within")),
]
STRATEGIES = [
    Strategy.parse(entry)
    for entry in (
        "ols",
        {"strategy": "cluster_robust", "name": "CR0", "variance": "CR0"},
        {"strategy": "cluster_robust", "name": "CR1", "variance": "CR1"},
        {"strategy": "cluster_robust", "name": "CR3", "variance": "CR3"},
        {"strategy": "cluster_robust", "name": "CV3", "variance": "CV3"},
        "two_stage",
        "mixed_intercept",
    )
]


def study(cells: list[Cell] = CELLS) -> pd.DataFrame:
    """Make up the performance of a study that finds exactly what is known."""
    rows: list[dict[str, Any]] = []
    for cell in cells:
        for strategy in STRATEGIES:
            for term, theta, measures in expectations(cell.process, strategy):
                values = {name: number.value for name, number in measures.items()}
                if theta == 0.0 and "rejection_rate" in values:
                    values["coverage"] = 1.0 - values["rejection_rate"]
                for measure, value in values.items():
                    key = {"strategy": strategy.label, "term": term, "measure": measure}
                    mcse = abs(value) / 100 + 1e-3
                    rows.append({**cell.factors, **key, "value": value, "mcse": mcse, "n": SIMS})
    return pd.DataFrame(rows)


def verdicts(performance: pd.DataFrame) -> pd.DataFrame:
    """Judge a performance without its approximate numbers and identities."""
    table = exact(CELLS, STRATEGIES, performance)
    others = [published(CELLS, STRATEGIES, performance), complete(table, STRATEGIES, SIMS)]
    return judge([table, *others])


def fitted() -> dict[str, Fitted]:
    """Make up fits of 15 clusters that are what they must be, each with arrays of its own."""
    rng = np.random.default_rng(7)
    estimate, std_error = rng.standard_normal((50, 3)), rng.uniform(0.5, 2, (50, 3))
    factor = {"CR3": np.sqrt(15 / 14), "CR0": np.sqrt(14 / 15)}
    return {
        strategy.label: Fitted(
            estimate.copy(),
            std_error * factor.get(strategy.label, 1.0),
            np.full((50, 3), 14.0),
            np.ones(50, dtype=bool),
        )
        for strategy in STRATEGIES
    }
