from dataclasses import asdict

import numpy as np
import pytest

from clustrategy.core.shard import Shard
from clustrategy.dgp import cell_key
from clustrategy.evaluation.cell_verdicts import Rules
from clustrategy.planning.described import Described
from clustrategy.planning.strategies import strategies_for
from clustrategy.planning.trials import Trials
from tests.planning.closed_forms import power

WHOLE = Described(8, 0.0, "between", 0.5, 0.2**0.5, 0.0, 0.8**0.5)
FEW_TREATED = Described(8, 0.0, "between", 0.25, 0.2**0.5, 0.0, 0.8**0.5)
ROWS = Described(10, 0.0, "within", 0.5, 0.5, 0.4, 1.0)
THREE_OF_TEN = Described(10, 0.0, "within", 0.3, 0.5, 0.4, 1.0)


def trials(described, labels, effect, seed=3):
    found = strategies_for(labels, within=described.varies_within, engine=None, design=None)
    return Trials(described, {one.label: one for one in found}, effect, Rules(), seed)


@pytest.mark.parametrize(
    ("described", "clusters", "effect"),
    [(WHOLE, 12, 0.9), (FEW_TREATED, 12, 1.0), (ROWS, 14, 0.5), (THREE_OF_TEN, 14, 0.5)],
)
def test_the_t_test_on_clusters_has_the_power_of_the_noncentral_t(described, clusters, effect):
    tried = trials(described, ["two-stage"], effect)
    tried.extend(clusters, ["two-stage"], 2_000)
    found = tried.power("two-stage", clusters)
    assert abs(found.value - power(described, clusters, effect)) < 4 * found.mcse
    rate = tried.false_positives("two-stage", clusters).found
    assert abs(rate.value - 0.05) < 4 * np.sqrt(0.05 * 0.95 / 2_000)


def test_the_mixed_model_is_that_test_away_from_the_boundary():
    far = Described(8, 0.0, "between", 0.5, 1.0, 0.0, 1.0)
    tried = trials(far, ["mixed intercept Satterthwaite", "two-stage"], 1.5)
    tried.extend(10, list(tried.strategies), 300)
    mixed, means = (tried.power(label, 10).value for label in tried.strategies)
    assert abs(mixed - means) < 0.01


def test_the_effect_and_its_negative_are_both_found():
    tried = trials(WHOLE, ["two-stage"], 50.0)
    tried.extend(6, ["two-stage"], 20)
    assert tried.power("two-stage", 6).value == 1.0
    assert tried.power("two-stage", 6).n == 20


def test_sizes_vary_as_much_as_is_said_and_the_arms_stay():
    unequal = Described(20, 0.5, "between", 0.25, 0.5, 0.0, 1.0)
    shard = unequal.draw(16, 1, range(200))
    sizes = shard.n.reshape(-1)
    assert abs(sizes.mean() - 20) < 4 * 10 / np.sqrt(sizes.size)
    assert abs(sizes.std() / sizes.mean() - 0.5) < 0.05
    first = np.cumsum(sizes) - sizes
    treated = shard.X[first, 1].reshape(200, 16)
    assert (treated.sum(axis=1) == 4).all()


@pytest.mark.parametrize("described", [WHOLE, Described(8, 0.6, "within", 0.5, 1.0, 0.5, 1.0)])
def test_a_study_is_the_same_whatever_stands_beside_it(described):
    together, alone = described.draw(7, 1, range(4)), described.draw(7, 1, [2])
    assert (together.dataset(2).y == alone.y).all()
    assert (together.dataset(2).X == alone.X).all()
    assert (described.draw(8, 1, [2]).y[:5] != alone.y[:5]).all()


@pytest.mark.parametrize("size_cv", [0.0, 0.6])
def test_a_study_is_the_plain_recipe(size_cv):
    """Bit for bit: the clusters' deviations first, then the errors; arms in turn."""
    described = Described(6, size_cv, "within", 0.5, 0.8, 0.4, 1.2)
    drawn = described.draw(5, 9, range(8))
    key = cell_key({**asdict(described), "clusters": 5})
    for sim in range(8):
        one, n = drawn.dataset(sim), drawn.n[sim]
        rng = np.random.default_rng(np.random.SeedSequence(9, spawn_key=(*key, sim)))
        mean, slope = (np.repeat(own, n) for own in rng.standard_normal((2, 5)))
        x = np.concatenate([np.arange(size) % 2 == 0 for size in n]).astype(float)
        y = 1.2 * rng.standard_normal(n.sum()) + 0.8 * mean + 0.4 * x * slope
        assert np.array_equal(one.y, y) and np.array_equal(one.X[:, 1], x)
    assert (len(np.unique(drawn.n)) > 1) == (size_cv > 0)


def test_studies_that_are_added_are_those_of_one_go():
    at_once, bit_by_bit = (trials(WHOLE, ["two-stage", "OLS CR2"], 0.9) for _ in range(2))
    at_once.extend(9, ["two-stage", "OLS CR2"], 700)
    bit_by_bit.extend(9, ["two-stage"], 130)
    bit_by_bit.extend(9, ["two-stage", "OLS CR2"], 640)
    bit_by_bit.extend(9, ["OLS CR2"], 700)
    bit_by_bit.extend(9, ["two-stage"], 700)
    for label in ("two-stage", "OLS CR2"):
        assert at_once.sims(label, 9) == bit_by_bit.sims(label, 9) == 700
        assert at_once.power(label, 9) == bit_by_bit.power(label, 9)
        assert at_once.false_positives(label, 9) == bit_by_bit.false_positives(label, 9)


def test_power_of_a_test_by_resampling_is_that_of_studies_with_the_effect():
    wild = {"strategy": "wild_cluster_bootstrap", "draws": 99, "name": "wild"}
    tried = trials(WHOLE, [wild], 1.0)
    tried.extend(8, ["wild"], 30)
    shard = WHOLE.draw(8, 3, range(30))
    rejected = []
    for sign in (1.0, -1.0):
        y = shard.y + sign * shard.X[:, 1]

        moved = Shard(y, np.array(shard.X), shard.n, shard.terms, shard.seeds)
        rejected.append(tried.strategies["wild"].fit(moved).p_value[:, 1] <= 0.05)
    assert tried.power("wild", 8).value == np.mean(rejected)
