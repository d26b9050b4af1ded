"""The datasets on which random effects are selected, and R's numbers for them."""

from __future__ import annotations

import json
from functools import cache

import numpy as np
import pandas as pd

from clustrategy.core.fits import Fits
from clustrategy.core.shard import INTERCEPT, Shard
from clustrategy.dgp import Process, simulate
from tests.material import FOLDER

EXPECTED = json.loads((FOLDER / "selection.json").read_text())
SELECTED = EXPECTED["selected"]


@cache
def drawn() -> dict[str, Shard]:
    """The datasets of selection.json."""
    table = pd.read_csv(FOLDER / "selection_datasets.csv", float_precision="round_trip")
    shards = {}
    for name, rows in table.groupby("dataset", sort=False):
        X = np.column_stack([np.ones(len(rows)), rows[["x1", "x2", "x3"]]])
        sizes = rows.groupby("cluster").size().to_numpy()
        terms = (INTERCEPT, "x1", "x2", "x3")
        shards[str(name)] = Shard(rows["y"].to_numpy(), X, sizes[None, :], terms)
    return shards


def tiny(sigma: float, sims: int, clusters: int = 10, rows: int = 5) -> Shard:
    process = Process(clusters, rows, sigma, 3, {"uniform": [0, 1]}, 1.0)
    return simulate(process, 7, {"clusters": clusters, "s": sigma}, range(sims)).shard


def assert_is(found: Fits, expected: dict, sim: int = 0) -> None:
    """The numbers of R's optimum."""
    unit = np.array(expected["std_error"])
    assert abs(found.reml_criterion[sim] - expected["reml"]) < 1e-8
    np.testing.assert_allclose(
        found.estimate[sim] / unit, np.array(expected["estimate"]) / unit, atol=1e-5
    )
    np.testing.assert_allclose(found.std_error[sim], unit, rtol=2e-5)
    np.testing.assert_allclose(found.df[sim], expected["df"], rtol=2e-4)
    theta = found.theta[sim][~np.isnan(found.theta[sim])]
    np.testing.assert_allclose(theta, expected["theta"], rtol=1e-4, atol=1e-4)
    assert found.singular[sim] == expected["singular"]
    assert found.status[sim] == ("singular" if expected["singular"] else "ok")
