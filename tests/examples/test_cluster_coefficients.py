"""The coefficients of single clusters."""

from __future__ import annotations

import pytest

from clustrategy.dgp import Process, simulate
from clustrategy.examples.cluster_coefficients import cluster_coefficients

CELL = {"clusters": 6, "obs_per_cluster": 8, "between_cluster_sigma": 0.5}
PROCESS = Process(**CELL, predictors=2, coefficients=[1.0, 0.0, 0.3], residual_sigma=1.0)
ENTRIES = [{"strategy": "ols"}, {"strategy": "two_stage"}, {"strategy": "mixed_maximal"}]


@pytest.mark.parametrize(("sims", "shown"), [(2, 2), (50, 5)])
def test_the_coefficients_of_clusters(sims: int, shown: int) -> None:
    table = cluster_coefficients(PROCESS, 1, CELL, sims).to_pandas()
    drawn = simulate(PROCESS, 1, CELL, range(shown))
    assert len(table) == shown * 6 * 2
    row = table[(table["sim"] == 1) & (table["cluster"] == 4) & (table["term"] == "IV1")].iloc[0]
    assert row["coefficient"] == drawn.cluster_coefficients[1, 3, 1]
    assert row["true_value"] == 0.0
    assert table["clusters"].eq(6).all()
