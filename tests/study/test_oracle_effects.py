"""Effects by an oracle's power, in real studies in memory."""

from __future__ import annotations

from typing import Any

import pytest

from clustrategy.evaluation.cell_verdicts import CELL
from clustrategy.study.in_memory import simulated_cells
from clustrategy.study.study import Study
from clustrategy.study.verdicts import study_verdicts

CONFIG: dict[str, Any] = {
    "study": "oracle",
    "seed": 3,
    "sims": 400,
    "grid": {"clusters": [12], "obs_per_cluster": [15], "between_cluster_sigma": [0.0]},
    "dgp": {"predictors": 2, "coefficients": [0, 0, 0], "treatment": "between"},
    "strategies": ["ols", "wild_cluster_bootstrap"],
    "verdict": {"effects": {"oracle_power": [0.5, 0.95]}, "effect": 0.95},
}


@pytest.fixture(scope="module")
def rows() -> list[dict[str, Any]]:
    study = Study.from_config(CONFIG)
    table = study_verdicts(study.plan, study.verdict_settings, simulated_cells(study.plan))
    return [row for row in table.to_pylist() if row["scope"] == CELL and row["measure"] == "power"]


@pytest.mark.parametrize("kind", ["predictor within clusters", "treatment of whole clusters"])
@pytest.mark.parametrize("power", [0.5, 0.95])
def test_least_squares_is_all_but_an_oracle_where_clusters_do_not_differ(
    rows: list[dict[str, Any]], kind: str, power: float
) -> None:
    """177 degrees of freedom lose less than 1 point to the normal."""
    (found,) = [
        row for row in rows if (row["strategy"], row["kind"], row["effect"]) == ("ols", kind, power)
    ]
    assert abs(found["value"] - power) < 4 * found["mcse"] + 0.01
    error = {"predictor within clusters": 1 / 180, "treatment of whole clusters": 2 / 90}[kind]
    multiple = {0.5: 1.9599, 0.95: 3.6048}[power]
    assert found["coefficient"] == pytest.approx(multiple * error**0.5, rel=1e-4)


def test_tests_that_resample_are_at_the_same_effects(rows: list[dict[str, Any]]) -> None:
    """They find nearly as much: the p-values they keep are of these effects."""
    by = {(row["strategy"], row["kind"], row["effect"]): row for row in rows}
    kind = "predictor within clusters"
    for power in (0.5, 0.95):
        ols, wild = (by[name, kind, power] for name in ("ols", "wild_cluster_bootstrap"))
        assert wild["coefficient"] == ols["coefficient"]
        assert ols["value"] - 0.2 < wild["value"] < ols["value"] + 0.05
