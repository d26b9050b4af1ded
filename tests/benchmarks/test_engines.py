"""Who is compared in the benchmark of the engines."""

from __future__ import annotations

import json
import sys
from typing import Any

import numpy as np
import pytest
from benchmarks.engines import DEFAULT, MIXED, REFERENCE, STRATEGIES, describe, measured

from benchmarks import engines, fits, mixedlm_engine
from clustrategy.core.errors import EngineError
from clustrategy.core.shard import Shard
from clustrategy.engines.chosen import Strategy
from clustrategy.strategies.registry import REGISTERED, Registered

CELLS, SIMS = 45, 50


def answer(module: str, first: int, sims: int, entries: str, *, failing: str) -> dict[str, Any]:
    """What the process of a contender prints; a failing engine is fast."""
    chosen = json.loads(entries)
    count = CELLS * sims * len(chosen)
    fails = any(entry["engine"] == failing for entry in chosen)
    parts = (*engines.SHARED, *(entry["strategy"] for entry in chosen))
    parts = (fits.SIMULATE, fits.PARQUET, *parts)
    seconds = dict.fromkeys(parts, 0.001 if fails else 1.0)
    return {
        "sims": sims,
        "seconds": seconds,
        "fits": count,
        "failed": count if fails else 0,
        "versions": {entry["engine"]: "1.2" for entry in chosen},
    }


@pytest.fixture(autouse=True)
def _mixedlm(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the registry know mixedlm during a test."""
    for name, function in mixedlm_engine.FITS.items():
        entry = Registered(function, check=mixedlm_engine.check)
        monkeypatch.setitem(REGISTERED[name], mixedlm_engine.ENGINE, entry)


@pytest.fixture
def failing(monkeypatch: pytest.MonkeyPatch) -> Any:
    """A function that benchmarks engines of which one fails in all its fits."""

    def benchmark(engine: str) -> dict[str, Any]:
        def child(*arguments: Any) -> dict[str, Any]:
            return answer(*arguments, failing=engine)

        monkeypatch.setattr(engines, "child", child)
        return measured(2, None)

    monkeypatch.setattr(Strategy, "check", lambda self: None)
    return benchmark


@pytest.mark.parametrize(
    ("engine", "name", "count"), [("mixedlm", "mixedlm", 180), ("lme4", REFERENCE, 360)]
)
def test_a_contender_whose_fits_fail_is_not_ranked(
    failing: Any, engine: str, name: str, count: int
) -> None:
    result = failing(engine)
    assert name not in result["contenders"]
    assert set(result["contenders"]) | {name} == {DEFAULT, REFERENCE, "glmm", "mixedlm"}
    said = describe(result)
    assert f"\nLeft out: {name}, {count} of {count} fits failed." in said
    rows = [line for line in said if line.startswith(f"| {name} ")]
    assert all("left out" in row for row in rows)


def test_the_default_engines_must_not_fail(failing: Any) -> None:
    with pytest.raises(SystemExit, match="default engines: 18,000 of 18,000 fits failed"):
        failing("numpy")


def test_an_engine_that_is_not_here_is_left_out(
    failing: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def check(self: Strategy) -> None:
        if self.engine == "mixedlm":
            raise EngineError("the engine 'mixedlm' cannot be imported")

    monkeypatch.setattr(Strategy, "check", check)
    result = failing("")
    assert result["left_out"] == {"mixedlm": "the engine 'mixedlm' cannot be imported"}
    assert "mixedlm" not in result["contenders"]


def test_the_packages_are_named_with_their_versions(failing: Any) -> None:
    (said,) = [line for line in describe(failing("")) if "Versions: " in line]
    assert said.endswith("Versions: numpy 1.2, statsmodels 1.2, lme4 1.2, glmm 1.2, mixedlm 1.2.")


def test_mixedlm_that_is_missing_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "mixedlm", None)
    with pytest.raises(EngineError, match="'mixedlm' cannot be imported"):
        Strategy.parse("mixed_maximal", "mixedlm").check()


def test_fits_without_numbers_are_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    study = fits.default_study()
    monkeypatch.setattr(fits, "default_study", lambda: study)
    monkeypatch.setitem(study.__dict__, "cells", study.cells[:2])
    known = REGISTERED["ols"]
    whole = known["numpy"].function

    def half(shard: Shard) -> Any:
        found = whole(shard)
        found.fail(np.arange(shard.sims) % 2 == 1, "error", "by design")
        return found

    monkeypatch.setitem(known, "numpy", Registered(half))
    assert fits.timed([Strategy.parse("ols")], range(4))[1:] == (8, 4)


def test_the_strategies_of_the_mixed_models_are_among_all() -> None:
    assert set(MIXED) < set(STRATEGIES)
