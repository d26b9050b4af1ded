"""A small study whose factors are text and lists, from the config to the tables."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd
import pyarrow.parquet as pq

from tests.conftest import SMALL, Checkout

OPTIONS = {"predictors": 1, "size_cv": 0.4, "missing_rate": 0.1, "random_distribution": "skewed"}
CONFIG = {
    **SMALL,
    "grid": {
        "clusters": [8],
        "obs_per_cluster": [8],
        "between_cluster_sigma": [0.5],
        "arms": [2],
        "treatment": ["between", "within"],
        "residual_distribution": ["normal", "t"],
        "coefficients": [[0, 0], [0, 0.5]],
    },
    "dgp": OPTIONS,
    "worked_example": {"clusters": 10, "obs_per_cluster": 10, "treatment": "within"},
    "strategies": ["cluster_robust", "mixed_intercept"],
}


def test_factors_that_are_text_and_lists(checkout: Callable[..., Checkout]) -> None:
    here = checkout()
    tables = ["estimates.parquet", "sim_estimates.csv", "summary.csv"]
    pictures = ["figures/coefficient_recovery.png", "figures/cluster_coefficients.png"]
    example = "worked_example/worked_example.md"
    targets = [f"results/small/{target}" for target in (*tables, *pictures, example)]
    here.run(*targets, config=CONFIG)
    again = here.run(*targets, config=CONFIG)
    assert "Nothing to be done" in again.output

    schema = pq.read_schema(here.result("estimates.parquet"))
    kinds = {name: str(schema.field(name).type) for name in schema.names[:7]}
    assert kinds == {
        "clusters": "int64",
        "obs_per_cluster": "int64",
        "between_cluster_sigma": "double",
        "arms": "int64",
        "coefficients": "string",
        "residual_distribution": "string",
        "treatment": "string",
    }
    people = pd.read_csv(here.result("sim_estimates.csv"))
    cells = people.groupby(["treatment", "residual_distribution", "coefficients"]).size()
    assert cells.to_dict() == {
        (treatment, residuals, coefficients): 4 * 2 * 2
        for treatment in ("between", "within")
        for residuals in ("normal", "t")
        for coefficients in ("0,0", "0,0.5")
    }
    slopes = people[people["term"] == "IV1"].groupby("coefficients")["true_value"].unique()
    assert slopes.to_dict() == {"0,0": [0.0], "0,0.5": [0.5]}

    # Any dataset again, whose path holds them; an arm of whole clusters, and rows are missing.
    sim = (
        "clusters=8/obs_per_cluster=8/between_cluster_sigma=0.5/arms=2/coefficients=0,0.5/"
        "residual_distribution=t/treatment=between/sim=3"
    )
    here.run(f"results/small/remade/{sim}/dataset.csv", config=CONFIG)
    data = pd.read_csv(here.result(f"remade/{sim}/dataset.csv"))
    clusters = data.groupby("cluster")["IV1"]
    assert clusters.nunique().tolist() == [1] * 8
    assert clusters.first().tolist() == [0, 1] * 4
    assert data["cluster"].value_counts().nunique() > 1
    found = pd.read_csv(here.result(f"remade/{sim}/estimates.csv"))
    study = people.query(
        "treatment == 'between' and residual_distribution == 't' and coefficients == '0,0.5' "
        "and sim == 3"
    )
    assert np.array_equal(found["estimate"], study["estimate"])

    page = here.result(example).read_text()
    assert "10 clusters of " in page
    words = "(treatment within, size_cv 0.4, random_distribution skewed, missing_rate 0.1)"
    assert f"standard deviation 0.25 {words}; the model is `DV ~ IV1`" in page
