"""Seconds beside version 0.1."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from benchmarks.first_version import FITTING, WRITING, describe, measured

from benchmarks import first_version

FOLDER = Path("first")


def test_ratios_are_of_the_least_seconds_of_each_version(monkeypatch: pytest.MonkeyPatch) -> None:
    waits = iter([0.0, 3.0, 0.0, 5.0] * 2)

    def answer(sims: int, each: float) -> dict[str, Any]:
        late = next(waits)
        return {"seconds": {part: each * int(sims) / 50 + late for part in (*FITTING, *WRITING)}}

    def run(command: list[str], folder: Path, package: Path) -> tuple[None, str]:
        assert (folder, package) == (FOLDER, FOLDER / "src")
        return None, "said before\n" + json.dumps(answer(int(command[-2]), 2.0))

    def child(module: str, first: int, sims: int, entries: str) -> dict[str, Any]:
        assert (module, first) == ("fits", 0)
        return answer(sims, 0.5 if sims > 50 else 1.0)

    @contextmanager
    def checkout(config: dict[str, Any], commit: str) -> Iterator[Any]:
        assert (config, commit) == ({}, "9d53792")
        yield SimpleNamespace(folder=FOLDER, package=FOLDER / "src")

    for name, stand_in in (("run", run), ("child", child), ("checkout", checkout)):
        monkeypatch.setattr(first_version, name, stand_in)
    said = describe(measured(2))
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in said]
    # Six parts of 2 and of 1 s; with five times as many sims of 10 and of 2.5.
    (summed,) = [row[1:] for row in rows if row[0] == "sum of draws and fits"]
    assert summed == ["12", "6", "0.50", "60", "15", "0.25"]
    assert "The goal of 0.4 was not reached: draws and fits take 0.50" in said[-1]
    assert "With 250 sims a cell they take 0.25:" in said[-1]
