"""The benchmark of one large table."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest
from benchmarks.one_table import draw
from benchmarks.own_table import COEFFICIENTS, OTHERS, STRATEGIES, describe, measured

from benchmarks import own_table
from clustrategy.engines.chosen import Strategy


def test_the_table_has_predictors_within_and_between_schools_of_many_sizes() -> None:
    table = draw(300)
    by_school = table.groupby("school")
    sizes = by_school.size()
    assert len(sizes) == 300 and sizes.min() == 1 and 50 < sizes.max() <= 60
    assert (by_school["treat"].nunique() == 1).all()
    assert (by_school[["x", "age"]].nunique().max() > 1).all()
    assert not table["school"].is_monotonic_increasing
    np.testing.assert_array_equal(draw(300)["score"], table["score"])


@pytest.mark.parametrize("entry", STRATEGIES, ids=own_table.name)
def test_the_strategies_are_ones_that_there_are(entry: dict[str, Any]) -> None:
    assert Strategy.parse(entry).name == entry["strategy"]


def answer(module: str, *arguments: Any) -> dict[str, Any]:
    """What a process prints: 2 CPU seconds for the study, 3 for a table, 30 by others."""
    if module == "fits":
        return {"seconds": {"simulate": 9.0, "cluster_robust": 1.5, "sufficient statistics": 0.5}}
    clusters, coefficients, entry = arguments
    fit = 29.0 if "engine" in json.loads(entry) else 2.0
    seconds = {"read": 0.5, "triangles": 1.0, "fit": fit}
    return {"rows": 20 * clusters, "seconds": seconds, "peak": coefficients * 2**28}


def test_seconds_are_those_of_fitting_and_ratios_of_the_same_run(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(own_table, "child", answer)
    result = measured(2, 100, 50, OTHERS)
    said = describe(result)
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in said]
    ours, others = (
        [row for row in rows if row[0] in map(own_table.name, entries)]
        for entries in (STRATEGIES, OTHERS)
    )
    assert len(ours) == len(STRATEGIES) and len(others) == len(OTHERS)
    assert {tuple(row[1:]) for row in ours} == {("3", "3", "1.5", "1.50")}
    assert {tuple(row[1:]) for row in others} == {("30", "3", "10", "1.00", "1.00")}
    assert "2,000 rows in 100 clusters" in said[0] and "0.5 CPU seconds more" in said[0]
    assert {row["coefficients"] for row in result["strategies"]} == set(COEFFICIENTS)
