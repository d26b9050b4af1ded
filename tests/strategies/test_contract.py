"""What every strategy keeps to."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from clustrategy.core.fits import Fits
from clustrategy.core.one_design import on_one_design
from clustrategy.core.shard import Shard
from clustrategy.engines.chosen import Strategy, registry
from tests.material import few, fit, join, needs_glmm, random_shard, same_bits, shards

# Every strategy that needs no R.
EVERY = [
    ("ols", {}),
    ("ols", {"engine": "statsmodels"}),
    ("cluster_robust", {}),
    ("cluster_robust", {"variance": "CR2", "df": "satterthwaite"}),
    ("cluster_robust", {"variance": "CR2", "within_between": True}),
    ("cluster_robust", {"engine": "statsmodels"}),
    ("fixed_effects", {}),
    ("fixed_effects", {"engine": "statsmodels"}),
    ("wild_cluster_bootstrap", {}),
    ("wild_cluster_bootstrap", {"weights": "webb", "draws": 49}),
    ("gee", {"variance": "kauermann_carroll"}),
    ("gee", {"variance": "fay_graubard", "df": "G-k"}),
    ("gee", {"variance": "morel_bokossa_neerchal"}),
    ("gee", {"engine": "statsmodels"}),
    ("two_stage", {}),
    ("two_stage", {"weights": "precision", "test": "sign_flip"}),
    ("mixed", {}),
    ("mixed_maximal", {}),
    ("mixed_maximal", {"df": "kenward_roger"}),
    ("mixed_uncorrelated", {}),
    ("mixed_intercept", {}),
    ("mixed_intercept", {"within_between": True}),
    ("mixed_intercept", {"variance": "CR2"}),
    ("mixed_fallback", {}),
    ("mixed_selected", {}),
    pytest.param("mixed_maximal", {"engine": "glmm"}, marks=needs_glmm),
    pytest.param("mixed_intercept", {"engine": "glmm"}, marks=needs_glmm),
    ("wild_cluster_bootstrap", {"variant": "B", "draws": 49}),
]


@pytest.mark.parametrize(("name", "entry"), EVERY)
def test_shapes_and_statuses(name, entry):
    shard = random_shard(1, 2, 6, 3, 8)
    found = fit(shard, name, **entry)
    assert found.estimate.shape == found.std_error.shape == found.df.shape == (2, 3)
    assert set(found.status) <= {"ok", "singular"}
    estimated = np.isfinite(found.estimate)
    assert estimated[:, 1:].all() and (estimated[:, 0].all() or name == "fixed_effects")
    assert np.array_equal(found.std_error > 0, estimated)
    tested = (found.df > 0) | ((found.p_value >= 0) & (found.conf_low < found.conf_high))
    assert np.array_equal(tested, estimated)


@pytest.mark.parametrize(("name", "entry"), EVERY)
@given(shard=shards())
@settings(few, max_examples=6)
def test_a_shard_gives_the_bits_of_its_datasets(name, entry, shard):
    together = fit(shard, name, **entry)
    alone = Fits.concatenate([fit(shard.dataset(sim), name, **entry) for sim in range(shard.sims)])
    # Some of these datasets have no predictor, or an exchangeable correlation out of its range; of
    # one in 300 it does not settle.
    besides = {"fixed_effects": ["undefined"], "gee": ["undefined", "not_converged"]}.get(name, [])
    assert set(together.status) <= {"ok", "singular", *besides}
    assert same_bits(together, alone)
    assert list(together.message) == list(alone.message)


OURS = [one for one in EVERY if type(one) is tuple and "engine" not in one[1]]


def test_ours_are_all_that_are_registered():
    assert {name for name, _ in OURS} == {
        name for name in registry() if "numpy" in registry()[name]
    }


@pytest.mark.parametrize(("name", "entry"), OURS)
@given(seed=st.integers(0, 10**6), rows=st.sampled_from([6, (4, 9)]), p=st.integers(2, 4))
@settings(few, max_examples=3)
def test_datasets_on_one_design_are_fitted_as_any_others(name, entry, seed, rows, p):
    design = random_shard(seed, 1, 9, p, rows)
    rng = np.random.default_rng(seed)
    b = rng.standard_normal((3, 9, p))[:, design.cluster_codes(0)]
    y = (design.X * b).sum(axis=2) + rng.standard_normal((3, len(design.X)))
    shard = on_one_design(y, design)
    plain = Shard(shard.y, shard.X, shard.n, shard.terms)
    found, expected = (fit(one, name, **entry) for one in (shard, plain))
    assert list(found.status) == list(expected.status)
    assert list(found.message) == list(expected.message)
    unit = np.where(np.isnan(expected.std_error), 1.0, expected.std_error)
    for column in ("estimate", "std_error", "conf_low", "conf_high"):
        one, other = (getattr(fits, column) / unit for fits in (found, expected))
        np.testing.assert_allclose(one, other, rtol=1e-9, atol=1e-9)
    np.testing.assert_allclose(found.df, expected.df, rtol=1e-9)
    np.testing.assert_allclose(found.p_value, expected.p_value, rtol=1e-9, atol=1e-9)
    alone = Fits.concatenate([fit(shard.dataset(sim), name, **entry) for sim in range(3)])
    assert same_bits(found, alone)


@pytest.mark.parametrize(("name", "entry"), EVERY)
def test_balanced_and_unbalanced_neighbours_do_not_change_a_bit(name, entry):
    parts = [random_shard(1, 2, 30, 4, 6), random_shard(2, 2, 30, 4, (6, 40))]
    together = fit(join(*parts, *parts[:1] * 10), name, **entry)
    alone = Fits.concatenate([fit(part, name, **entry) for part in (*parts, *parts[:1] * 10)])
    assert set(together.status) <= {"ok", "singular"}
    assert same_bits(together, alone)


def bad(kind: str) -> Shard:
    """A dataset of 5 clusters and 3 coefficients that cannot be analysed."""
    shard = random_shard(9, 1, 5, 3, 7)
    if kind == "nan in y":
        shard.y[3] = np.nan
    elif kind == "inf in X":
        shard.X[4, 1] = np.inf
    elif kind == "dependent predictors":
        shard.X[:, 2] = shard.X[:, 1]
    elif kind == "fewer rows than coefficients":
        shard = Shard(shard.y[:5], shard.X[:5], np.ones((1, 5), dtype=int), shard.terms)
        shard.X[:, 1:] = 0.0
    return shard


@pytest.mark.parametrize(
    "kind", ["nan in y", "inf in X", "dependent predictors", "fewer rows than coefficients"]
)
@pytest.mark.parametrize(("name", "entry"), EVERY)
def test_a_dataset_that_cannot_be_fitted_is_a_row_and_harms_no_neighbour(name, entry, kind):
    good = [random_shard(seed, 1, 5, 3, 7) for seed in (1, 2)]
    found = fit(join(good[0], bad(kind), good[1]), name, **entry)
    assert found.status[1] in ("undefined", "error") and found.message[1]
    assert np.isnan([found.estimate[1], found.std_error[1], found.df[1]]).all()
    for place, shard in ((0, good[0]), (2, good[1])):
        alone = fit(shard, name, **entry)
        assert found.status[place] == alone.status[0] in ("ok", "singular")
        for column in ("estimate", "std_error", "df", "reml_criterion", "sigma"):
            left, right = getattr(found, column)[place], getattr(alone, column)[0]
            assert np.array_equal(left, right, equal_nan=True)


def test_what_is_not_finite_is_said():
    found = fit(bad("nan in y"), "two_stage")
    assert (found.status[0], found.message[0]) == (
        "undefined",
        "the data hold values that are not finite",
    )


@pytest.mark.parametrize(
    "entry",
    [
        {"strategy": "wild_cluster_bootstrap", "weights": "webb", "draws": 49},
        {"strategy": "two_stage", "test": "sign_flip", "draws": 9},
    ],
)
@pytest.mark.parametrize("kind", ["nan in y", "dependent predictors"])
def test_further_null_values_stay_with_their_datasets(entry, kind):
    good = [random_shard(seed, 1, 5, 3, 7) for seed in (1, 2)]
    seeds = tuple(map(np.random.SeedSequence, range(3)))
    shard = replace(join(good[0], bad(kind), good[1]), seeds=seeds)
    nulls = np.random.default_rng(1).standard_normal((3, 3, 4))
    chosen = Strategy.parse(entry)
    found = chosen.fit(shard, nulls)
    assert found.p_nulls.shape == (3, 3, 4) and np.isnan(found.p_nulls[1]).all()
    alone = [chosen.fit(shard.dataset(sim), nulls[[sim]]) for sim in range(3)]
    assert alone[1].p_nulls.shape == (1, 3, 4)
    assert same_bits(found, Fits.concatenate(alone))
    assert len(np.unique(found.p_nulls[[0, 2]])) > 4
