"""The profiled REML criterion."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest
from scipy.special import chdtri, lambertw

from clustrategy.core.shard import INTERCEPT, Shard
from clustrategy.estimation.mixed.profile import NO_MINIMUM, Profile
from tests.material import FOLDER, golden

LME4 = json.loads((FOLDER / "profile.json").read_text())["models"]
LIMITS = [
    pytest.param(model, k, id=f"{model['dataset']}-{model['correlated']}-{len(model['sd'])}-{k}")
    for model in LME4
    for k in range(len(model["sd"]))
]

pytestmark = pytest.mark.filterwarnings("error::RuntimeWarning")


def profile(shard: Shard, random: tuple[str, ...] = (INTERCEPT,), correlated: bool = True):
    columns = np.array([shard.terms.index(name) for name in random])
    return Profile.of(shard.triangles[0], int(shard.n_obs[0]), columns, correlated=correlated)


def one_way(means: np.ndarray, spread: float) -> Shard:
    """Two rows a cluster, this far from its mean."""
    y = (means[:, None] + np.array([spread, -spread])).ravel()
    return Shard(y, np.ones((y.size, 1)), np.full((1, means.size), 2), (INTERCEPT,))


@pytest.mark.parametrize(("model", "k"), LIMITS)
def test_limits_are_those_of_a_brute_force_profile_of_lme4s_criterion(model, k):
    shard = golden(model["dataset"])
    found = profile(shard, tuple(model["random"]), model["correlated"])
    np.testing.assert_allclose(found.minimum, model["reml"], rtol=1e-8)
    np.testing.assert_allclose(found.sd, model["sd"], rtol=2e-6)
    for level, known in model["limits"][k].items():
        limits = found.limits(k, float(level), 4.0 * max(model["sd"][k], shard.y.std()))
        np.testing.assert_allclose(limits, [known["low"], known["high"]], rtol=2e-6)


@pytest.mark.parametrize("clusters", [2, 10])
@pytest.mark.parametrize("level", [0.8, 0.95])
def test_where_only_clusters_differ_the_limits_have_a_closed_form(clusters, level):
    """Of a variance s^2 with d degrees of freedom: v - log v = 1 + chi^2 / d at s^2 / v.

    With 9 degrees of freedom and 80 %, .58 to 1.96 times s^2.
    """
    means = np.random.default_rng(3).normal(size=clusters)
    df = clusters - 1
    ends = -lambertw(-np.exp(-1.0 - chdtri(1, 1.0 - level) / df), k=[-1, 0]).real
    known = means.std(ddof=1) / np.sqrt(ends)
    limits = profile(one_way(means, 1e-3)).limits(0, level, 100.0)
    np.testing.assert_allclose(limits, known, rtol=1e-4)
    if (clusters, level) == (10, 0.8):
        np.testing.assert_allclose(1.0 / ends, [0.58, 1.96], atol=0.005)


def test_a_variance_at_zero_has_an_upper_limit():
    """Equal means: with s^2 of the rows, log(1 + 2t) and 2 rows a cluster tell against t."""
    found = profile(one_way(np.zeros(6), 1.0))
    assert found.sd[0] == 0.0
    limits = found.limits(0, 0.95, 10.0)
    assert limits.low == 0.0
    # REML of the one-way layout: 5 log(s^2 + 2 t^2) + 6 log s^2 + 12 / s^2, least over s^2.
    s2 = np.linspace(0.5, 2.5, 200_001)

    def least(t: float) -> float:
        return float((5 * np.log(s2 + 2 * t * t) + 6 * np.log(s2) + 12 / s2).min())

    np.testing.assert_allclose(least(limits.high) - least(0.0), chdtri(1, 0.05), rtol=1e-5)


def test_a_limit_beyond_the_largest_one_is_infinite():
    found = profile(one_way(np.array([1.0, 2.0, 4.0, 3.0]), 0.5))
    assert found.limits(0, 0.95, 2.0 * found.sd[0]).high == np.inf
    assert found.limits(0, 0.95, 0.5 * found.sd[0]).high == np.inf
    assert np.isfinite(found.limits(0, 0.95, 10.0 * found.sd[0]).high)


@pytest.mark.parametrize(("y", "x"), [(1e-6, 1.0), (1.0, 1e6)])
def test_limits_go_with_the_units(y, x):
    shard = golden("sleepstudy")
    units = replace(shard, y=shard.y * y, X=shard.X * np.array([1.0, x]))
    random = (INTERCEPT, "x1")
    one = profile(shard, random, correlated=False).limits(1, 0.95, 50.0)
    other = profile(units, random, correlated=False).limits(1, 0.95, 50.0 * y / x)
    np.testing.assert_allclose(other, np.array(one) * y / x, rtol=1e-5)


def three_slopes() -> Shard:
    """Ten clusters of 3 to 8 rows, the predictors correlated, one slope the same for all."""
    rng = np.random.default_rng(2)
    n = rng.integers(3, 9, size=10)
    X = np.column_stack([np.ones(n.sum()), rng.normal(size=(n.sum(), 3)) + rng.normal(size=(1, 3))])
    X[:, 3] += X[:, 2]
    b = np.repeat(rng.normal(size=(10, 4)) * [1.0, 0.7, 0.4, 0.0], n, axis=0)
    y = (X * b).sum(axis=1) + rng.normal(size=n.sum())
    return Shard(y, X, n[None], (INTERCEPT, "x1", "x2", "x3"))


def dense(shard: Shard, sd: np.ndarray, sigma: float) -> float:
    """REMLcrit by the N x N matrices, the coefficients of all columns of X uncorrelated."""
    g = shard.cluster_codes(0)
    V = (shard.X * sd**2) @ shard.X.T * (g[:, None] == g) + sigma**2 * np.eye(g.size)
    inverse = np.linalg.inv(V)
    F = shard.X.T @ inverse @ shard.X
    e = shard.y - shard.X @ np.linalg.solve(F, shard.X.T @ inverse @ shard.y)
    determinants = np.linalg.slogdet(V)[1] + np.linalg.slogdet(F)[1]
    nu = g.size - shard.p
    return float(determinants + e @ inverse @ e + nu * np.log(2.0 * np.pi))


def test_with_all_else_held_the_criterion_is_that_of_the_whole_matrices():
    shard = three_slopes()
    found = profile(shard, shard.terms, correlated=False)
    for k in range(4):
        alone = found.alone(k)
        for sd in (0.0, 0.3, found.sd[k], 2.0, 40.0):
            others = np.where(np.arange(4) == k, sd, found.sd)
            np.testing.assert_allclose(alone(sd), dense(shard, others, found.sigma), rtol=1e-9)
        limits = found.limits(k, 0.8, 20.0, alone=True)
        for limit in limits:
            at = alone(limit) - found.minimum - chdtri(1, 0.2)
            assert limit == 0.0 or abs(at) < 1e-5
        # What is optimised anew is no higher, so its limits are no nearer.
        assert all(found.at(k, sd) <= alone(sd) + 1e-8 for sd in limits)


def test_a_response_that_clusters_explain_exactly_has_no_profile():
    with pytest.raises(ValueError, match=NO_MINIMUM):
        profile(one_way(np.array([1.0, 2.0, 4.0]), 0.0))
