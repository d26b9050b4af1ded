from __future__ import annotations

from pathlib import Path

import numpy as np

from clustrategy.core.fits import Fits
from clustrategy.core.shard import Shard
from clustrategy.strategies import registry
from clustrategy.strategies.registry import DEFAULT_ENGINE, strategy
from tests.material import random_shard


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


def test_the_readmes_own_strategy_is_one(monkeypatch):
    monkeypatch.setattr(registry, "REGISTERED", {})
    text = (Path(__file__).parents[2] / "README.md").read_text()
    after = text.split("## Adding a strategy", 1)[1]
    exec(after.split("```python", 1)[1].split("```", 1)[0], {})
    between = registry.REGISTERED["between"]["numpy"].function
    shard = random_shard(1, 2, 9, 2, 5)
    found = between(shard)
    assert list(found.status) == ["ok", "ok"] and set(found.df.ravel()) == {7}
    means = np.array([part.mean(axis=0) for part in np.split(np.c_[shard.X, shard.y], 18)])[:9]
    expected = np.linalg.lstsq(means[:, :2], means[:, 2])[0]
    np.testing.assert_allclose(found.estimate[0], expected, rtol=1e-12)
