from __future__ import annotations

import pytest

from clustrategy.core.errors import ConfigError
from clustrategy.core.fits import Fits
from clustrategy.core.shard import Shard
from clustrategy.strategies import registry
from clustrategy.strategies.registry import DEFAULT_ENGINE, strategy
from tests.own_strategies import HEAD


def test_a_decorated_function_is_registered_and_left_as_it_is(monkeypatch):
    monkeypatch.setattr(registry, "REGISTERED", {})

    def mine(shard: Shard) -> Fits:
        return Fits.blank(shard.sims, shard.p)

    assert strategy("mine")(mine) is mine
    strategy("mine", engine="other", versions=lambda: {"other": "1"})(mine)
    entry, other = registry.REGISTERED["mine"][DEFAULT_ENGINE], registry.REGISTERED["mine"]["other"]
    assert entry.function is other.function is mine
    assert entry.finite_variance(1, 5) and entry.refusal(draws=0) == ""
    assert entry.versions().keys() == {"numpy", "scipy"} and other.versions() == {"other": "1"}
    entry.check()


def typed(name: str, more: str = "") -> None:
    """Define a strategy as a cell of a notebook does, of which there is no file."""
    cell = f"{HEAD}@strategy('{name}')\ndef {name}(shard{more}): ..."
    exec(compile(cell, "/tmp/ipykernel_1/2.py", "exec"), {"__name__": "__main__"})


def test_in_a_notebook_a_strategy_may_be_defined_anew(monkeypatch):
    monkeypatch.setattr(registry, "REGISTERED", {})
    typed("own")
    typed("own", ", *, draws=99")
    function = registry.REGISTERED["own"][DEFAULT_ENGINE].function
    assert function.__kwdefaults__ == {"draws": 99}


def test_the_package_s_own_strategies_are_not_to_be_replaced():
    with pytest.raises(ConfigError) as raised:
        typed("ols")
    assert str(raised.value) == (
        "strategy 'ols' has the engine 'numpy' already, by ols in clustrategy/strategies/ols.py, "
        "line 11; the one by ols in __main__ needs another name or engine"
    )
    assert registry.REGISTERED["ols"][DEFAULT_ENGINE].function.__module__.endswith("strategies.ols")
