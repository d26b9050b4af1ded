"""Milliseconds a call beside glmm."""

from __future__ import annotations

from typing import Any

import pytest
from benchmarks.few_calls import DATASETS, MODELS
from benchmarks.few_datasets import describe, measured

from benchmarks import few_datasets


def test_times_are_of_the_least_calls_and_the_faster_are_counted(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    waits = iter([5.0, 0.0])

    def child(module: str, calls: int, first: int) -> list[dict[str, Any]]:
        assert (module, calls) == ("few_calls", 7)
        late = next(waits)
        return [
            {**m._asdict(), "datasets": n, "ms": {"numpy": 4.0 + late, "glmm": 2.0 * n}}
            for m in MODELS
            for n in DATASETS
        ]

    monkeypatch.setattr(few_datasets, "child", child)
    monkeypatch.setattr(
        few_datasets.Strategy, "versions", property(lambda self: {self.engine: "1.2"})
    )
    said = describe(measured(7, 2))
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in said]
    row = ["4", "2", "2.00", "4", "6", "0.67", "4", "20", "0.20"]
    assert [r[2:] for r in rows if len(r) > 2 and "×" in r[1]][1:] == [row] * len(MODELS)
    assert "1 dataset in 0 of 6 (2.00 to 2.00 times glmm's)" in said[-1]
    assert "10 datasets in 6 of 6 (0.20 to 0.20 times glmm's)" in said[-1]
