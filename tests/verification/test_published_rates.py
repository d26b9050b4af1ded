"""Published rates: as they were published, and where a study is held against them."""

from __future__ import annotations

from dataclasses import astuple, replace

import numpy as np
import pandas as pd
import pytest

from clustrategy.engines.chosen import Strategy
from clustrategy.verification.cells import Cell
from clustrategy.verification.published_rates import RATES, published
from tests.verification.studies import BETWEEN

PUBLISHED = {
    # 36 cells of 50,000 datasets where clusters have the arms, 18 where rows have them.
    ("between", 3, 15, "CR1", "G-1", 0.08248, 1_800_000),
    ("between", 3, 15, "CR2", "G-1", 0.06447, 1_800_000),
    ("between", 3, 15, "CR2", "satterthwaite", 0.05017, 1_800_000),
    ("between", 3, 30, "CR1", "G-1", 0.06400, 1_800_000),
    ("between", 3, 30, "CR2", "G-1", 0.05571, 1_800_000),
    ("between", 3, 30, "CR2", "satterthwaite", 0.05004, 1_800_000),
    ("within", 3, 15, "CR1", "G-1", 0.04996, 900_000),
    ("within", 3, 30, "CR1", "G-1", 0.04999, 900_000),
    ("within", 3, 50, "CR1", "G-1", 0.05004, 900_000),
}


def test_the_rates_are_those_of_the_replication_data() -> None:
    assert {astuple(rate) for rate in RATES} == PUBLISHED
    assert len(RATES) == len(PUBLISHED)


def test_the_rate_of_all_cells_together_is_held_against_the_published_one() -> None:
    """Two cells of 15 clusters and one of 24, which is in no publication."""
    processes = [replace(BETWEEN, clusters=g, obs_per_cluster=n) for g, n in ((15, 6), (15, 9))]
    processes.append(replace(BETWEEN, clusters=24))
    cells = [Cell({"place": place}, process) for place, process in enumerate(processes)]
    strategies = [
        Strategy.parse({"strategy": "cluster_robust", "name": name, **options})
        for name, options in {
            "CR0": {"variance": "CR0"},
            "CR1": {"variance": "CR1"},
            "CR1 z": {"variance": "CR1", "df": "normal"},
        }.items()
    ]
    performance = pd.DataFrame(
        [
            {"place": place, "strategy": label, "term": term, "measure": measure}
            for place in range(3)
            for label in ("CR0", "CR1", "CR1 z")
            for term in ("IV1", "IV2")
            for measure in ("coverage", "rejection_rate")
        ]
    ).assign(value=0.5, n=1)
    mine = performance["strategy"].eq("CR1") & performance["term"].eq("IV1")
    mine &= performance["measure"].eq("coverage")
    performance.loc[mine, "value"] = [0.9, 0.95, 0.1]
    performance.loc[mine, "n"] = [1000, 3000, 9]
    (row,) = published(cells, strategies, performance).to_dict("records")
    # 100 + 150 of 4,000.
    assert (row["strategy"], row["term"], row["n"]) == ("CR1", "IV1", 4000)
    assert (row["expected"], row["found"]) == (0.08248, pytest.approx(0.0625))
    mcse = np.sqrt(0.08248 * 0.91752 * (1 / 4000 + 1 / 1_800_000))
    assert row["mcse"] == pytest.approx(mcse)
    assert row["z"] == pytest.approx((0.0625 - 0.08248) / mcse)
    assert (row["kind"], row["treatment"], row["clusters"]) == ("published", "between", 15)
