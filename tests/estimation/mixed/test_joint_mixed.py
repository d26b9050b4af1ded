"""Joint tests of the fixed effects of mixed models, at a theta of one's choice."""

from __future__ import annotations

import numpy as np
import pytest

from clustrategy.core.joint_tests import JointTests
from clustrategy.core.shard import Shard
from clustrategy.engines.chosen import Strategy
from clustrategy.estimation.mixed.kenward_roger import Adjustment, joint_kenward_roger
from clustrategy.estimation.mixed.reml import Point
from clustrategy.estimation.mixed.satterthwaite import joint_satterthwaite
from clustrategy.estimation.mixed.standard_errors import StandardErrors
from tests.dense import lower
from tests.factors import GOLDEN, GROUPS, NUMBERS, factors, random_factors, recoded
from tests.points import contrasts_of, point_at

RANDOM = {"mixed_intercept": [0], "mixed_maximal": [0, 5]}
FITTED = [(name, model) for name in GOLDEN for model in RANDOM if GOLDEN[name][model]]
METHODS = {
    "satterthwaite": ("satterthwaite", "model"),
    "kenward_roger": ("kenward_roger", "model"),
    "CR2": ("satterthwaite", "CR2"),
}


def at(point: Point, df: str, variance: str) -> JointTests:
    return StandardErrors(df, variance, tuple(GROUPS.values())).of(point).joint


@pytest.mark.parametrize(("name", "model"), FITTED)
@pytest.mark.parametrize("method", METHODS)
def test_is_lmertests_pbkrtests_and_clubsandwichs_at_the_same_theta(name, model, method):
    golden = GOLDEN[name][model]
    point = point_at(factors(name), RANDOM[model], lower(np.array(golden["theta"], dtype=float)))
    tests = at(point, *METHODS[method])
    for place, group in enumerate(GROUPS):
        expected = golden["tests"][group][method]
        for column in NUMBERS:
            # lmerTest's own df are of numerical derivatives.
            rtol = 1e-6 if method == "satterthwaite" else 1e-9
            found = getattr(tests, column)[0, place]
            np.testing.assert_allclose(found, expected[column], rtol=rtol)


def test_fai_and_cornelius_df_may_depend_on_the_coding_and_their_f_does_not():
    shard = factors("sleep-unbalanced")
    both = (shard, recoded(shard, 1, "f", "g"))
    one, two = (at(point_at(s, [0], np.eye(1)), "satterthwaite", "model") for s in both)
    np.testing.assert_allclose(one.statistic, two.statistic, rtol=1e-8)
    # The df of all contrasts of one factor are nearly equal, those of both factors are not.
    np.testing.assert_allclose(one.den_df[0, :2], two.den_df[0, :2], rtol=1e-2)
    assert abs(one.den_df[0, 2] / two.den_df[0, 2] - 1.0) > 0.05


@pytest.mark.parametrize(
    ("df", "expected"),
    [
        ([5.0, 5.0], 5.0),
        ([4.0, 6.0], 2.0 * (2.0 + 1.5) / (2.0 + 1.5 - 2.0)),
        ([1.5, 6.0], 2.0),
        ([2.0, 2.0], 2.0),
        ([1.5, 1.5], 1.5),
        ([np.inf, 6.0], 2.0 * (1.0 + 1.5) / 0.5),
    ],
)
def test_df_of_uncorrelated_contrasts_make_those_of_f(monkeypatch, df, expected):
    """E F = sum of nu / (nu - 2) over q is that of F(q, f): f = 2 E / (E - q)."""
    module = "clustrategy.estimation.mixed.satterthwaite.satterthwaite"
    monkeypatch.setattr(module, lambda derivatives, contrasts: np.array([df]))
    point = point_at(random_factors(1), [0], np.eye(1))
    found = joint_satterthwaite(point.derivatives(), contrasts_of(point)[:, 1:3])
    np.testing.assert_allclose(found, expected, rtol=1e-12)


def test_balanced_data_have_the_exact_f_tests_of_a_split_plot():
    """A factor between clusters on G - 3 df, one within them on N - G - 2."""
    rng = np.random.default_rng(5)
    G, n = 9, 6
    f, g = np.tile(np.arange(3), G * n // 3), np.repeat(np.arange(G) % 3, n)
    X = np.column_stack([np.ones(f.size), f == 1, f == 2, g == 1, g == 2]).astype(np.float64)
    y = rng.standard_normal(f.size) + 2.0 * np.repeat(rng.standard_normal(G), n)
    shard = Shard(y, X, np.full((1, G), n), ("(Intercept)", "fb", "fc", "gv", "gw"))
    means = y.reshape(G, n).mean(axis=1)
    plots = means.reshape(3, 3)  # the clusters of a g in a column
    between = 3.0 * ((plots.mean(axis=0) - means.mean()) ** 2).sum() / 2.0
    between /= ((plots - plots.mean(axis=0)) ** 2).sum() / (G - 3)
    inside = (y.reshape(G, n) - means[:, None]).reshape(-1, 3)
    levels = inside.mean(axis=0)
    within = G * n / 3 * (levels**2).sum() / 2.0
    within /= ((inside - levels) ** 2).sum() / (G * n - G - 2)
    for df in ("satterthwaite", "kenward_roger"):
        strategy = Strategy.parse({"strategy": "mixed_intercept", "df": df})
        tests = strategy.joint_tests(shard, [np.array([1, 2]), np.array([3, 4])])
        np.testing.assert_allclose(tests.statistic[0], [within, between], rtol=1e-8)
        np.testing.assert_allclose(tests.den_df[0], [G * n - G - 2, G - 3], rtol=1e-7)


def test_two_df_exactly_are_no_matter_of_rounding():
    """Five clusters of equal size at three levels: 1 - A2 / q and what it is divided by are 0."""
    rng = np.random.default_rng(6)
    level, n = np.array([0, 0, 1, 1, 2]), 8
    g = np.repeat(level, n)
    X = np.column_stack([np.ones(g.size), g == 1, g == 2]).astype(np.float64)
    y = rng.standard_normal(g.size) + 2.0 * np.repeat(rng.standard_normal(5), n)
    shard = Shard(y, X, np.full((1, 5), n), ("(Intercept)", "gv", "gw"))
    means = y.reshape(5, n).mean(axis=1)
    of_level = np.array([means[level == k].mean() for k in range(3)])[level]
    expected = ((of_level - means.mean()) ** 2).sum() / ((means - of_level) ** 2).sum()
    strategy = Strategy.parse({"strategy": "mixed_intercept", "df": "kenward_roger"})
    tests = strategy.joint_tests(shard, [np.array([1, 2])])
    np.testing.assert_allclose(tests.statistic[0], expected, rtol=1e-7)
    np.testing.assert_allclose(tests.den_df[0], 2.0, rtol=1e-7)


def test_kenward_roger_without_positive_df_has_no_test():
    """One variance, known very badly, on which one of two coefficients depends: A1 = A2 = 9."""
    falls, one = np.array([[[1.0, 0.0, 0.0, 0.0]]]), np.ones((1, 1))
    adjustment = Adjustment(falls, 0.0 * one, np.array([[[9.0]]]), np.zeros((1, 2, 2)), 1e12 * one)
    statistic, den_df = joint_kenward_roger(adjustment, np.eye(2)[None], np.ones((1, 2)))
    assert np.isnan(den_df[0])
