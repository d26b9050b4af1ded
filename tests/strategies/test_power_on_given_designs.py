"""Power from draws without an effect is that of data with the effect, for every strategy."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
import pytest

from clustrategy.core.fits import Fits
from clustrategy.core.inference import t_inference
from clustrategy.core.one_design import on_one_design
from clustrategy.core.shard import INTERCEPT, Floats, Shard
from clustrategy.dgp.given import GivenProcess, draw_given
from clustrategy.engines.chosen import Strategy, registry

EFFECTS = np.array([0.0, 0.5, 1.2])
SIMS = 30
OPTIONS: dict[str, dict[str, Any]] = {"mixed": {"random": [INTERCEPT, "x"]}}


@cache
def process() -> GivenProcess:
    """Eleven clusters of 3 to 17 rows, four of them treated; intercepts and slopes vary."""
    n = np.array([3, 17, 5, 8, 12, 4, 9, 6, 15, 7, 10])
    x = np.random.default_rng(2).standard_normal(n.sum())
    arm = np.repeat(np.arange(n.size) % 3 == 0, n)
    X = np.column_stack([np.ones(x.size), x, arm])
    design = Shard(np.zeros(x.size), X, n[None], (INTERCEPT, "x", "treat"))
    return GivenProcess(design, (INTERCEPT, "x"), np.array([[0.3, 0.1], [0.1, 0.15]]), 1.0)


def p_values(fits: Fits, nulls: Floats) -> Floats:
    """(S, p) the p-values of one null value of each coefficient."""
    if fits.p_nulls.shape[2]:
        return fits.p_nulls[..., 0]
    return t_inference(fits.estimate - nulls, fits.std_error, fits.df).p_value


@pytest.mark.parametrize("name", registry())
def test_rejections_of_shifted_draws_are_those_of_data_with_the_effect(name: str) -> None:
    strategy = Strategy.parse({"strategy": name, **OPTIONS.get(name, {})})
    drawn = draw_given(process(), 9, "estimated", range(SIMS))
    y = drawn.y.reshape(SIMS, -1) + process().shard.X @ EFFECTS
    same_draws = on_one_design(y, process().shard, drawn.seeds)
    nulls = np.broadcast_to(-EFFECTS, (SIMS, 3))
    without = p_values(strategy.fit(drawn, nulls[..., None]), nulls)
    none = np.zeros_like(nulls)
    with_effect = p_values(strategy.fit(same_draws, none[..., None]), none)
    assert np.array_equal(np.isnan(without), np.isnan(with_effect))
    assert np.array_equal(without < 0.05, with_effect < 0.05)
    np.testing.assert_allclose(without, with_effect, rtol=1e-7, atol=1e-12)
    power = (with_effect[:, 1] < 0.05).mean()
    assert 0.2 < power < 1.0
