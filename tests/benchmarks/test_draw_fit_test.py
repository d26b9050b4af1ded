"""Seconds and rates beside MCPower."""

from __future__ import annotations

import json
from typing import Any

import pytest
from benchmarks.draw_fit_test import DESIGNS, GLMM, MCPOWER, OURS, describe, measured, ranked
from benchmarks.mcpower_ours import process

from benchmarks import draw_fit_test

SIMS, TURNS = 200, 3


@pytest.fixture
def result(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """What is found where MCPower takes half our seconds, and glmm fails where clusters are few."""

    def said(asked: str, name: str, seconds: float) -> dict[str, Any]:
        design = json.loads(asked)
        assert design["sims"] == SIMS and design["effects"] == [0.0] and design["tests"] == ["t"]
        turn = design["seed"] - 100
        return {
            "rates": {"0 t": 0.02 * (turn + 1)},
            "seconds": seconds * (turn + 1),
            "failed": 3 if name == GLMM and design["clusters"] == 10 else 0,
            "version": None if name == OURS else "1.2",
        }

    def child(module: str, asked: str) -> dict[str, Any]:
        return said(asked, json.loads(asked).get("engine", OURS), 4.0)

    monkeypatch.setattr(draw_fit_test, "child", child)
    monkeypatch.setattr(draw_fit_test, "mcpower", lambda python, asked: said(asked, MCPOWER, 2.0))
    return measured("python", SIMS, TURNS)


def test_seconds_stand_beside_rates_and_are_ratios_of_one_run(result: dict[str, Any]) -> None:
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in describe(result)]
    # The mean of 2, 4 and 6 %, with the standard error of 600 datasets; medians of the seconds.
    rate = "4.00 (0.80)"
    assert [row[1:] for row in rows if row[0] == "30 × 25"] == [
        ["clustrategy", "8", "1", rate],
        ["glmm 1.2", "8", "1", rate],
        ["MCPower 1.2", "4", "0.5", rate],
    ]


def test_a_contender_whose_fits_fail_is_left_out_of_that_design(result: dict[str, Any]) -> None:
    assert {design for design, found in ranked(result).items() if GLMM not in found} == {"10 × 10"}
    said = describe(result)
    assert "\nLeft out at 10 × 10: glmm 1.2, 9 of 600 fits failed." in said
    assert not any(line.startswith("| 10 × 10") and "glmm" in line for line in said)


def test_the_designs_are_those_of_a_random_intercept_and_slope() -> None:
    design = {"clusters": 30, "rows": 25, "level": "row", "icc": 0.2, "slope_variance": 0.25}
    drawn = process(design)
    assert DESIGNS["30 × 25"] == (drawn.clusters, drawn.obs_per_cluster) == (30, 25)
    # An intraclass correlation of 0.2 is an intercept of variance 0.25 beside errors of variance 1.
    assert list(drawn.sigma_ratios) == pytest.approx([0.5, 0.5])
