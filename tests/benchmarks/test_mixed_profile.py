"""Where the CPU of a mixed model's fit goes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest
from benchmarks.mcpower_ours import process
from benchmarks.mixed_parts import EFFECTS, PARTS, seconds, watched
from benchmarks.mixed_profile import describe, measured

from benchmarks import mixed_profile
from clustrategy.core.shard import Shard
from clustrategy.dgp import simulate

DESIGNS = ("30 × 25", "10 × 10")


def drawn(sims: Sequence[int]) -> Shard:
    """Draw datasets of the smallest design."""
    design = process({**EFFECTS, "clusters": 10, "rows": 10})
    return simulate(design, 1, {"clusters": 10}, sims).shard


def test_evaluations_are_the_sum_of_those_of_each_dataset() -> None:
    alone = [watched(drawn([sim])).evaluated for sim in range(3)]
    assert min(alone) > 2 and watched(drawn(range(3))).evaluated == sum(alone)


def test_the_parts_of_a_fit_are_those_of_the_table() -> None:
    found = seconds(drawn(range(50)))
    assert set(found) == set(PARTS) - {"draw"} | {"evaluated"} and min(found.values()) > 0


def test_the_fit_is_beside_its_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    def child(module: str, turn: int) -> dict[str, Any]:
        late = 5.0 * turn
        one = {
            "parts": dict.fromkeys(PARTS, 10.0 + late),
            "evaluations": 5.0 + turn,
            "read": 2.0 + late,
            "newton": 6.0 + late,
            "sims": 1000,
            "alone": 4000.0 + late,
        }
        study = {"value": 0.47 + late, "derivatives": 0.39, "fits": 2250, "seconds": 0.75}
        return {"designs": [{"design": name, **one} for name in DESIGNS], "study": study}

    monkeypatch.setattr(mixed_profile, "child", child)
    said = describe(measured(2))
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in said]
    # Triangles, value, derivatives and rest, over 2 + 6.
    row = ["10", "10", "10", "10", "10", "40", "5.5", "2", "6", "5"]
    assert [r[1:] for r in rows if r[0] in DESIGNS] == [row] * 2
    (kernel,) = [line for line in said if line.startswith("**No compiled kernel.**")]
    assert "0.47 µs a cluster and evaluation for the value and 0.39 for the derivatives" in kernel
    assert "all 2,250 maximal fits of the default study together take 0.75" in kernel
    assert "takes 4 ms for one dataset" in said[-1] and "40 ms for 1,000 at once" in said[-1]
