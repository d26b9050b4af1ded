"""Mixed models with cluster means and cross-level products beside their own columns."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest

from clustrategy.core.errors import ConfigError
from clustrategy.core.fits import Fits
from clustrategy.core.inference import t_inference
from clustrategy.core.shard import INTERCEPT, Shard
from clustrategy.dgp import Process, simulate
from clustrategy.engines.chosen import Strategy
from tests.material import FOLDER, GOLDEN, fit, fitted, golden, join, random_shard, same_bits

LMERTEST = json.loads((FOLDER / "contextual.json").read_text())["datasets"]
MODELS = {
    "within_between": {"strategy": "mixed_intercept", "within_between": True},
    "cross_level": {"strategy": "mixed", "random": [INTERCEPT, "x1"], "cross_level": True},
    "cross_level_maximal": {"strategy": "mixed_maximal", "cross_level": True},
}


def with_cluster_level(shard: Shard) -> Shard:
    """Two predictors and, from the number of the cluster, two cluster-level ones."""
    number = shard.cluster_codes(0) + 1.0
    X = np.column_stack([shard.X[:, :3], number % 2, (number % 7) ** 2 / 10])
    return Shard(shard.y, X, shard.n, (*shard.terms[:3], "z1", "z2"))


@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize("name", LMERTEST)
def test_they_are_lmertests_with_these_columns_in_the_formula(name, model):
    expected = LMERTEST[name][model]
    found = fitted(with_cluster_level(golden(name)), **MODELS[model])
    # The script does not centre the means: its intercept is at means of 0.
    some = slice(1 if model == "within_between" else 0, None)
    for column, rtol in (("estimate", 1e-5), ("std_error", 1e-5), ("df", 1e-3)):
        numbers = getattr(found, column)[0]
        np.testing.assert_allclose(numbers[some], expected[column][some], rtol=rtol)


def test_cross_level_is_lme4s_interaction_with_other_zeros():
    """Orthodont, `age * female`: the same model, with main effects where the other is average."""
    shard = golden("orthodont")
    b, age, female = (
        np.asarray(GOLDEN["orthodont"]["mixed_maximal"]["best"]["estimate"]),
        *shard.X[:, 1:3].T,
    )
    own = Shard(shard.y, shard.X[:, :3], shard.n, shard.terms[:3])
    found = fit(own, "mixed_maximal", cross_level=True)
    age, female = shard.X[:, 1:3].mean(axis=0)  # as over clusters: all have the same ages
    expected = [b[0] - b[3] * age * female, b[1] + b[3] * female, b[2] + b[3] * age]
    np.testing.assert_allclose(found.estimate[0], expected, rtol=1e-5)


@pytest.mark.parametrize("rows", [6, (2, 12)])
@pytest.mark.parametrize(
    "entry", [{"strategy": "mixed_intercept"}, {"strategy": "mixed", "df": "kenward_roger"}]
)
def test_a_random_intercept_with_cluster_means_has_the_estimates_of_fixed_effects(entry, rows):
    shard = join(with_one_between(1, rows), with_one_between(2, rows))
    found = fitted(shard, **entry, within_between=True)
    expected = fit(shard, "fixed_effects").estimate[:, 1:3]
    np.testing.assert_allclose(found.estimate[:, 1:3], expected, rtol=1e-10)
    assert (np.abs(fitted(shard, **entry).estimate[:, 1:3] / expected - 1) > 1e-4).all()


def with_one_between(seed: int, rows: int | tuple[int, int]) -> Shard:
    shard = random_shard(seed, 1, 9, 4, rows)
    shard.X[:, 3] = np.random.default_rng(seed).standard_normal(9)[shard.cluster_codes(0)]
    return shard


@pytest.mark.parametrize("entry", MODELS.values())
def test_where_the_zeros_of_predictors_are_does_not_matter(entry):
    shard = with_cluster_level(random_shard(3, 1, 14, 3, (4, 9)))
    X = shard.X.copy()
    X[:, 1:] += [5.0, -3.0, 4.0, 2.0]
    one, other = fitted(shard, **entry), fitted(replace(shard, X=X), **entry)
    for column, rtol in (("estimate", 1e-6), ("std_error", 1e-6), ("df", 1e-4)):
        before, after = (getattr(found, column)[:, 1:] for found in (one, other))
        np.testing.assert_allclose(after, before, rtol=rtol, atol=1e-7)


def test_without_anything_to_add_it_is_the_model_itself():
    balanced = random_shard(1, 2, 8, 3, 6)
    balanced.X[:] = np.tile(balanced.X[:6], (16, 1))
    for name in ("mixed_maximal", "mixed_uncorrelated"):
        found = fit(balanced, name, within_between=True, cross_level=True)
        assert same_bits(found, fit(balanced, name))
        assert np.array_equal(found.random, fit(balanced, name).random)


def test_added_columns_are_never_random():
    """Without an intercept a mean would be the first column of its kind."""
    shard = with_cluster_level(random_shard(3, 1, 12, 3, 6))
    bare = Shard(shard.y, shard.X[:, 1:4], shard.n, shard.terms[1:4])
    plain = fit(bare, "mixed_maximal")
    found = fit(bare, "mixed_maximal", within_between=True, cross_level=True)
    assert plain.random.tolist() == found.random.tolist() == [[True, True, True]]
    assert found.theta.shape == plain.theta.shape and found.status[0] in ("ok", "singular")


def test_too_few_clusters_for_the_slopes_are_said():
    shard = with_cluster_level(random_shard(3, 2, 3, 3, 9).dataset(0))
    found = fit(shard, "mixed", random=["x1"], cross_level=True)
    assert (found.status[0], found.message[0]) == (
        "undefined",
        "3 clusters cannot carry a variance beside 3 cluster-level terms",
    )
    assert np.isnan(found.estimate).all()
    assert fit(shard, "mixed", random=["x1"]).status[0] in ("ok", "singular")


@pytest.mark.parametrize("entry", MODELS.values())
def test_a_shard_gives_the_bits_of_its_datasets(entry):
    """Some of which take other columns than others."""
    parts = [with_cluster_level(random_shard(seed, 1, 9, 3, (4, 8))) for seed in range(3)]
    parts[1].X[:, 2] = parts[1].X[:, 3] * 2.0 + parts[1].X[:, 4] ** 2
    shard = join(*parts)
    together = fit(shard, **entry)
    assert same_bits(together, Fits.concatenate([fit(part, **entry) for part in parts]))
    groups = [np.array([1]), np.array([3, 4])]
    chosen = Strategy.parse(entry)
    tests = chosen.joint_tests(shard, groups)
    alone = [chosen.joint_tests(part, groups) for part in parts]
    for column in ("statistic", "den_df", "p_value"):
        expected = np.concatenate([getattr(one, column) for one in alone])
        np.testing.assert_allclose(getattr(tests, column), expected, rtol=1e-10)
    squares = (together.estimate[:, 1] / together.std_error[:, 1]) ** 2
    np.testing.assert_allclose(tests.statistic[:, 0], squares, rtol=1e-9)


def test_cross_level_products_bring_the_cluster_level_test_to_its_level():
    """10 clusters, two slopes, two cluster-level predictors: 15.6 % without, 5 % with them.

    300 datasets: 5 % lie within 0.5 and 10, 15.6 % within 9.5 and 24, but for one in 10,000.
    """
    cell = {"clusters": 10, "obs_per_cluster": 10, "between_cluster_sigma": 4.0}
    process = Process(
        **cell,
        predictors=4,
        coefficients=[0.0] * 5,
        residual_sigma=1.0,
        predictor_icc=(0.0, 0.0, 1.0),
        treatment="between",
    )
    shard = simulate(process, 5, cell, range(300)).shard
    rates = []
    for cross_level in (False, True):
        found = fitted(shard, "mixed_maximal", cross_level=cross_level)
        p_value = t_inference(found.estimate, found.std_error, found.df).p_value
        rates.append((p_value[:, 3] < 0.05).mean())
    assert 0.095 < rates[0] < 0.24 and 0.005 < rates[1] < 0.1


@pytest.mark.parametrize("name", ["mixed_fallback", "mixed_selected"])
def test_models_that_are_chosen_have_cluster_means_too(name):
    """Few rows and slopes alike in all clusters: the random intercept alone is kept."""
    cell = {"clusters": 10, "obs_per_cluster": 6, "between_cluster_sigma": 0.0}
    process = Process(**cell, predictors=2, coefficients=[0.5, 0.3, 0.1], residual_sigma=1.0)
    shard = simulate(process, 1, cell, range(4)).shard
    chosen = Strategy.parse({"strategy": name, "within_between": True})
    found, expected = chosen.fit(shard), fit(shard, "fixed_effects")
    kept = found.random.sum(axis=1) == 1
    assert kept.any() and np.isfinite(found.estimate).all() and found.estimate.shape == (4, 3)
    within = expected.estimate[kept, 1:]
    np.testing.assert_allclose(found.estimate[kept, 1:], within, rtol=1e-10)
    joint = chosen.joint_tests(shard, [np.array([1])])
    squares = (found.estimate[:, 1] / found.std_error[:, 1]) ** 2
    np.testing.assert_allclose(joint.statistic[:, 0], squares, rtol=1e-9)


def test_a_slope_is_needed_for_cross_level_products():
    with pytest.raises(ConfigError, match="cross_level: true needs a random slope"):
        Strategy.parse({"strategy": "mixed", "cross_level": True})
    with pytest.raises(ConfigError, match="'mixed_intercept' has no option 'cross_level'"):
        Strategy.parse({"strategy": "mixed_intercept", "cross_level": True})
