"""A study of both averages: the same datasets, each strategy held against both."""

from __future__ import annotations

from typing import Any

import numpy as np

from clustrategy.study.in_memory import simulated_cells
from clustrategy.study.study import Study

CONFIG: dict[str, Any] = {
    "study": "averages",
    "seed": 1,
    "sims": 20,
    "grid": {
        "clusters": [100],
        "obs_per_cluster": [40],
        "between_cluster_sigma": [1.0],
        "estimand": ["clusters", "persons"],
    },
    "dgp": {
        "predictors": 1,
        "coefficients": [2.0, 1.0],
        "size_cv": 0.5,
        "informative_size": 0.8,
        "intercept_slope_correlation": 1.0,
    },
    "strategies": ["two_stage", "ols"],
}


def test_each_strategy_finds_the_average_that_it_is_of() -> None:
    """Two stages weight clusters equally, and least squares weight rows."""
    clusters, persons = simulated_cells(Study.from_config(CONFIG).plan)
    estimates = clusters.numbers["estimate"]
    assert np.array_equal(estimates, persons.numbers["estimate"])
    assert clusters.truth[:, 0].tolist() == [2.0, 1.0]
    assert np.all(persons.truth > clusters.truth + 0.3)

    def z(strategy: int, truth: Any) -> Any:
        error = estimates[strategy] - truth
        return error.mean(axis=1) / error.std(axis=1, ddof=1) * np.sqrt(20)

    two_stage, ols = 0, 1
    assert np.all(np.abs(z(two_stage, clusters.truth)) < 4)
    assert np.all(np.abs(z(ols, persons.truth)) < 4)
    assert np.all(z(two_stage, persons.truth) < -10) and np.all(z(ols, clusters.truth) > 8)
