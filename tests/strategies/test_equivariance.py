"""Whatever declares that it is equivariant is, by every engine and with every option.

Strategies are found in the registry: one that is new and declares itself is held to it here.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from functools import cache
from itertools import product
from typing import Any, Literal, get_args, get_origin, get_type_hints

import numpy as np
import pytest

from clustrategy.core.errors import EngineError
from clustrategy.core.fits import Fits
from clustrategy.core.inference import t_inference
from clustrategy.core.shard import INTERCEPT, Floats, Shard
from clustrategy.dgp import Process, simulate
from clustrategy.engines.chosen import Strategy, registry
from clustrategy.strategies.registry import REGISTERED, always, strategy
from tests.material import fit, join

DELTA = np.array([3.0, -2.0, 0.7])
NULLS = np.array([0.0, 0.3, 0.5, -1.0])

TOLERANCES = {"statsmodels": 1e-11, "glmm": 1e-6, "lme4_unbounded": 1e-5, "lme4": 1e-4}
"""What other engines may differ by; ours by rounding alone. An optimiser that stops where the
criterion gains less than g is within about the square root of g of the optimum: 1e-8 with lme4,
1e-10 with lme4_unbounded."""


@cache
def datasets(sigma: float) -> Shard:
    """Two datasets of 12 clusters whose sizes go with their intercepts, with rows missing.

    The second predictor is constant within clusters; there are more sign vectors than draws.
    """
    cell = {"clusters": 12, "obs_per_cluster": 12, "between_cluster_sigma": sigma}
    process = Process(
        **cell,
        predictors=2,
        predictor_icc=(0.2, 1.0),
        coefficients=[0.5, 0.3, 0.0],
        residual_sigma=1.0,
        size_cv=0.6,
        informative_size=0.7,
        missing_rate=0.15,
    )
    return simulate(process, 4, cell, range(2)).shard


def entries(name: str, engine: str) -> Iterator[dict[str, Any]]:
    """A strategy by an engine with every option that is a choice."""
    entry = registry()[name][engine]
    choices = {
        option: (True, False) if hint is bool else get_args(hint)
        for option, hint in get_type_hints(entry.function).items()
        if hint is bool or get_origin(hint) is Literal
    }
    if "random" in get_type_hints(entry.function):
        choices["random"] = ([INTERCEPT, "IV1"],)
    for values in product(*choices.values()):
        options = dict(zip(choices, values, strict=True))
        if not entry.refusal(**options):
            yield {"strategy": name, "engine": engine, **options}


def p_values(fits: Fits, nulls: Floats) -> Floats:
    """(S, p, K) the p-values of null values: the strategy's own, or those of t."""
    if fits.p_nulls.shape[2]:
        return fits.p_nulls
    distances = fits.estimate[..., None] - nulls
    return t_inference(distances, fits.std_error[..., None], fits.df[..., None]).p_value


def hold(strategy: Strategy, shard: Shard, tolerance: float) -> None:
    """Hold a strategy to what adding X delta to the response may change."""
    nulls = np.tile(NULLS, (shard.sims, shard.p, 1))
    before = strategy.fit(shard, nulls)
    after = strategy.fit(replace(shard, y=shard.y + shard.X @ DELTA), nulls + DELTA[:, None])
    assert list(after.status) == list(before.status)
    assert np.array_equal(after.singular, before.singular)
    same = {"rtol": tolerance, "atol": tolerance}
    unit = np.where(np.isnan(before.std_error), 1.0, before.std_error)
    shift = (after.estimate - before.estimate) / unit
    moved = np.where(np.isnan(before.estimate), np.nan, DELTA / unit)
    tested = np.where(np.isnan(before.std_error), np.nan, moved)
    np.testing.assert_allclose(shift, moved, **same)
    np.testing.assert_allclose(after.std_error / unit, before.std_error / unit, **same)
    np.testing.assert_allclose(after.df, before.df, **same)
    expected = p_values(before, nulls)
    np.testing.assert_allclose(p_values(after, nulls + DELTA[:, None]), expected, **same)
    if strategy.resamples:
        assert np.array_equal(before.p_nulls[..., 0], before.p_value, equal_nan=True)
        for name in ("conf_low", "conf_high"):
            there = getattr(after, name) - getattr(before, name)
            np.testing.assert_allclose(there / unit, tested, rtol=0, atol=1e-8)
    else:
        assert before.p_nulls.shape == (*before.estimate.shape, 0)


DECLARED = [
    pytest.param(name, engine, marks=[pytest.mark.lme4] * engine.startswith("lme4"))
    for name, engines in registry().items()
    for engine, entry in engines.items()
    if entry.equivariant
]


@pytest.mark.parametrize(("name", "engine"), DECLARED)
def test_what_is_declared_equivariant_is(name: str, engine: str) -> None:
    found = [Strategy.parse(entry) for entry in entries(name, engine)]
    try:
        found[0].check()
    except EngineError as error:
        pytest.skip(str(error))
    shards = [datasets(0.7), datasets(0.05)]
    if engine in ("glmm", "lme4", "lme4_unbounded"):  # Where these end on a boundary is chance.
        shards = [datasets(0.7).dataset(0)]
    others = {chosen.label for chosen in found if not chosen.equivariant}
    assert others == {chosen.label for chosen in found if "jackknife" in chosen.options.values()}
    for chosen in found:
        for shard in shards if chosen.equivariant else []:
            hold(chosen, shard, TOLERANCES.get(engine, 1e-12))


def test_all_strategies_of_ours_declare_it() -> None:
    assert len(DECLARED) == sum(map(len, registry().values())) >= 22


def test_the_datasets_have_what_a_shift_could_upset() -> None:
    """Unequal and small clusters, singular fits, other models chosen, a test left out."""
    usual, alike = datasets(0.7), datasets(0.05)
    assert len(set(usual.n.reshape(-1))) > 8 and min(usual.n.min(), alike.n.min()) < 3
    assert not fit(usual, "mixed_maximal").singular.all()
    assert fit(alike, "mixed_maximal").singular.any()
    models = [fit(shard, "mixed_fallback").message[0] for shard in (usual, alike)]
    assert models[0] != models[1]
    assert "left out" in fit(alike, "two_stage").message[1]
    flips = fit(usual, "two_stage", test="sign_flip")
    assert np.isfinite(flips.p_value[:, 1]).all() and np.isnan(flips.p_value[:, 2]).all()


def halved(shard: Shard) -> Fits:
    fits = fit(shard, "ols")
    fits.estimate /= 2.0
    return fits


def by_the_size_of_y(shard: Shard) -> Fits:
    fits = fit(shard, "ols")
    fits.std_error *= 1.0 + 1e-6 * np.abs(shard.y).max()
    return fits


def drawn_by_y(shard: Shard, nulls: Floats | None = None) -> Fits:
    first = [int(abs(y) * 1e6) for y in shard.y[[shard.rows(s).start for s in range(shard.sims)]]]
    seeds = tuple(map(np.random.SeedSequence, first))
    return Strategy.parse("wild_cluster_bootstrap").fit(replace(shard, seeds=seeds), nulls)


@pytest.mark.parametrize("function", [halved, by_the_size_of_y, drawn_by_y])
def test_a_strategy_that_claims_it_and_is_not_is_found_out(function: Any) -> None:
    resamples = function is drawn_by_y
    options = {"resamples": always} if resamples else {}
    strategy("claims", equivariant=True, **options)(function)
    try:
        with pytest.raises(AssertionError):
            hold(Strategy.parse("claims"), datasets(0.7), 1e-12)
    finally:
        del REGISTERED["claims"]


def test_nothing_is_declared_unsaid() -> None:
    strategy("silent")(halved)
    try:
        assert not Strategy.parse("silent").equivariant
    finally:
        del REGISTERED["silent"]


def test_datasets_have_draws_of_their_own_in_whatever_company() -> None:
    """By the seeds that the datasets were drawn with, on the same data."""
    shard = datasets(0.7)
    for options in ({"strategy": "wild_cluster_bootstrap"}, {"test": "sign_flip"}):
        chosen = Strategy.parse({"strategy": "two_stage", **options})
        together = chosen.fit(shard)
        alone = Fits.concatenate([chosen.fit(shard.dataset(sim)) for sim in range(2)])
        assert np.array_equal(together.p_value, alone.p_value, equal_nan=True)
        unseeded = chosen.fit(join(shard))
        assert not np.array_equal(together.p_value, unseeded.p_value, equal_nan=True)
