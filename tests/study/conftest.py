"""Shared by the tests of studies and of steps that make them."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from clustrategy.core.fits import Fits
from clustrategy.core.shard import Floats, Shard
from clustrategy.engines.chosen import Strategy
from clustrategy.strategies.own_files import load_files


@pytest.fixture(autouse=True)
def _forget() -> Iterator[None]:
    """Forget the strategies of files that a config has named."""
    yield
    load_files([])


@pytest.fixture
def fitted(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The labels of the strategies that are fitted, a shard each, from now on."""
    labels: list[str] = []
    fit = Strategy.fit

    def spy(self: Strategy, shard: Shard, nulls: Floats | None = None) -> Fits:
        labels.append(self.label)
        return fit(self, shard, nulls)

    monkeypatch.setattr(Strategy, "fit", spy)
    return labels
