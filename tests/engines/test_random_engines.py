"""The engines on 500 datasets far beyond the grid: right numbers, or a status with a message."""

from __future__ import annotations

import json
import warnings
from collections import defaultdict
from functools import cache

import numpy as np
import pytest

from clustrategy.audit import judgement
from clustrategy.core.fits import STATUSES, Fits
from clustrategy.core.shard import Shard
from clustrategy.engines.chosen import Strategy, registry
from tests.golden.random_datasets import RandomDataset, random_dataset
from tests.material import FOLDER, join

KNOWN = json.loads((FOLDER / "random.json").read_text(encoding="utf-8"))["datasets"]
MODELS = ("mixed_maximal", "mixed_intercept")
# Of slow strategies some datasets will do: every third or seventh are of all 25 kinds, too.
EVERY = {"mixed_uncorrelated": 3, "mixed_fallback": 7, "mixed_selected": 7}
# The kinds on which lme4 without bounds is a reference for the criterion; on the others it stops
# above the optimum or there is none (see tests/golden/README.md).
SHIFTED, EXACT = "predictors + 1e6", ("no residuals", "constant response")
UNITS = ("predictors x 1e6", "predictors x 1e-6", "predictors on different scales")
# Optima below those that lme4 found without bounds, from two starts.
LOWER = {132, 137}


@cache
def dataset(number: int) -> RandomDataset:
    return random_dataset(number)


def fit(shard: Shard, model: str, engine: str) -> Fits:
    with warnings.catch_warnings():
        warnings.simplefilter("error", RuntimeWarning)
        return Strategy.parse({"strategy": model, "engine": engine}).fit(shard)


@cache
def numpy_fits(name: str) -> dict[int, Fits]:
    """Fits of every dataset, or of `EVERY` so many, by number; those of one shape share a shard."""
    shapes = defaultdict(list)
    for known in KNOWN[:: EVERY.get(name, 1)]:
        shard = dataset(known["number"]).shard
        whole = shard.finite.all()
        shapes[(shard.clusters, shard.p) if whole else known["number"]].append(known["number"])
    found = {}
    for numbers in shapes.values():
        together = fit(join(*(dataset(number).shard for number in numbers)), name, "numpy")
        for sim, number in enumerate(numbers):
            found[number] = together.take(np.array([sim]))
    return found


def has_numbers(fits: Fits) -> bool:
    return fits.status[0] in ("ok", "singular")


def close(found: Fits, known: dict, slopes: slice = slice(None)) -> None:
    unit = np.array(known["std_error"], dtype=float)[slopes]
    estimate = np.array(known["estimate"], dtype=float)[slopes]
    np.testing.assert_allclose(found.estimate[0, slopes] / unit, estimate / unit, atol=1e-5)
    np.testing.assert_allclose(found.std_error[0, slopes], unit, rtol=1e-4)
    np.testing.assert_allclose(found.df[0, slopes], known["df"][slopes], rtol=1e-2)
    np.testing.assert_allclose(found.sigma[0], known["sigma"], rtol=1e-4)


def test_there_are_500_of_many_kinds():
    assert len(KNOWN) == 500 and len({known["kind"] for known in KNOWN}) >= 20


@pytest.mark.parametrize("model", MODELS)
def test_numpy_is_never_above_lme4_without_bounds_and_agrees_where_both_are_there(model):
    compared = agreed = 0
    for known in KNOWN:
        kind, shard = dataset(known["number"])
        reference = known[model]["lme4_unbounded"]
        found = numpy_fits(model)[known["number"]]
        if kind == SHIFTED:
            back = known["shifted_back"][model]
            if back.get("reml_criterion") is None:
                assert not has_numbers(found)
                continue
            np.testing.assert_allclose(
                found.reml_criterion[0], back["reml_criterion"], rtol=0, atol=1e-5
            )
            close(found, back, slice(1, None))
            continue
        if kind in EXACT:
            assert found.status[0] == "undefined" and "no residual variance" in found.message[0]
            continue
        assert has_numbers(found) == (reference.get("reml_criterion") is not None), known["number"]
        if not has_numbers(found):
            assert found.message[0] and np.isnan(found.estimate).all()
            continue
        compared += 1
        excess = found.reml_criterion[0] - reference["reml_criterion"]
        assert excess < 1e-7, (known["number"], kind)
        if excess > -1e-6:
            agreed += 1
            close(found, reference)
            if kind not in UNITS:  # singular is a matter of units
                assert found.singular[0] == (reference["status"] == "singular"), known["number"]
    assert compared >= 300 and compared - agreed <= len(LOWER)


@pytest.mark.parametrize("model", MODELS)
def test_glmm_is_right_or_says_that_it_is_not(model):
    """Numbers that it calls good are those of the optimum, or nearly; where not, a known kind."""
    apart = []
    for known in KNOWN:
        kind, shard = dataset(known["number"])
        found, best = fit(shard, model, "glmm"), numpy_fits(model)[known["number"]]
        if not has_numbers(found):
            assert found.message[0], known["number"]
            continue
        if kind in EXACT or not has_numbers(best):
            apart.append((known["number"], kind))
            continue
        excess = found.reml_criterion[0] - best.reml_criterion[0]
        if abs(excess) > 1e-4 or (abs(found.std_error / best.std_error - 1) > 1e-2).any():
            apart.append((known["number"], kind))
    assert len(apart) <= 3, apart


@pytest.mark.parametrize("name", sorted(registry()))
def test_no_dataset_takes_its_neighbours_with_it(name):
    """A shard of a good dataset and a bad one of the same shape: the good one is as alone."""
    strategy = Strategy.parse(name)
    bad = 0
    fits = numpy_fits(name)
    for number, found in fits.items():
        shard = dataset(number).shard
        assert set(found.status) <= set(STATUSES)
        numbers = judgement.has_numbers(found)[0]
        assert numbers == (found.status[0] in ("ok", "singular", "not_converged"))
        assert found.status[0] == "ok" or found.message[0]
        if numbers:
            continue
        bad += 1
        rng = np.random.default_rng(number)
        X = rng.standard_normal(shard.X.shape)
        X[:, 0] = 1.0
        good = Shard(rng.standard_normal(shard.y.shape), X, shard.n, shard.terms)
        both = Shard(
            np.concatenate([shard.y, good.y]),
            np.concatenate([shard.X, good.X]),
            np.concatenate([shard.n, good.n]),
            shard.terms,
        )
        pair, alone = strategy.fit(both), strategy.fit(good)
        assert pair.status.tolist() == [found.status[0], alone.status[0]]
        for column in ("estimate", "std_error", "df"):
            np.testing.assert_array_equal(getattr(pair, column)[1], getattr(alone, column)[0])
    assert bad >= len(fits) / 10


def test_least_squares_of_numpy_and_statsmodels_agree():
    compared = 0
    for known in KNOWN:
        kind, shard = dataset(known["number"])
        if kind in (SHIFTED, *EXACT, *UNITS):
            continue  # there statsmodels, by the pseudo-inverse, has too few digits
        for entry in ("ols", "cluster_robust", "two_stage"):
            ours, theirs = numpy_fits(entry)[known["number"]], fit(shard, entry, "statsmodels")
            assert has_numbers(ours) == has_numbers(theirs), (known["number"], entry)
            if has_numbers(ours):
                compared += 1
                unit = ours.std_error
                np.testing.assert_allclose(theirs.estimate / unit, ours.estimate / unit, atol=1e-8)
                np.testing.assert_allclose(theirs.std_error, unit, rtol=1e-8)
                np.testing.assert_array_equal(theirs.df, ours.df)
    assert compared >= 500
