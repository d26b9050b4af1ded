from __future__ import annotations

import numpy as np
import pytest

from clustrategy.estimation.meta_analysis import pool


def restricted_likelihood(tau2, effect, variance, design):
    """Twice the restricted log-likelihood, written out, but for a constant."""
    V = np.diag(variance + tau2)
    W = np.linalg.inv(V)
    A = design.T @ W @ design
    residual = effect - design @ np.linalg.solve(A, design.T @ W @ effect)
    return -np.linalg.slogdet(V)[1] - np.linalg.slogdet(A)[1] - residual @ W @ residual


def hard_problem(seed):
    """Two to twelve effects whose variances differ by up to many orders of magnitude."""
    rng = np.random.default_rng(seed)
    G = int(rng.integers(2, 13))
    q = int(rng.integers(1, min(3, G - 1) + 1))
    variance = 10.0 ** rng.uniform(-3, 3) * rng.chisquare(1, G) / rng.chisquare(1, G)
    effect = rng.standard_normal(G) * np.sqrt(variance + rng.choice([0.0, 1.0, 100.0]))
    return effect, variance, np.column_stack([np.ones(G), rng.standard_normal((G, q - 1))])


@pytest.mark.parametrize("first", range(0, 200, 50))
def test_no_value_of_the_variance_between_has_a_higher_likelihood(first):
    for seed in range(first, first + 50):
        effect, variance, design = hard_problem(seed)
        found = pool(effect[None], variance[None], design[None])
        tau2 = float(np.mean(1.0 / found.weights[0] - variance))
        top = 1e4 * (np.var(effect) + variance.max())
        grid = np.geomspace(1e-14, 1, 60) * top
        others = [0.0, 0.999 * max(tau2, 0.0), 1.001 * max(tau2, 0.0), *grid]
        here = restricted_likelihood(max(tau2, 0.0), effect, variance, design)
        best = max(restricted_likelihood(t, effect, variance, design) for t in others)
        assert here >= best - 1e-7 * (1 + abs(best)), seed


def test_problems_do_not_touch_each_other():
    rng = np.random.default_rng(1)
    effect, variance = rng.standard_normal((6, 9)), rng.chisquare(2, (6, 9))
    design = np.concatenate([np.ones((6, 9, 1)), rng.standard_normal((6, 9, 1))], axis=2)
    together = pool(effect, variance, design)
    for k in range(6):
        alone = pool(effect[k : k + 1], variance[k : k + 1], design[k : k + 1])
        assert np.array_equal(together.estimate[k], alone.estimate[0])
        assert np.array_equal(together.variance[k], alone.variance[0])
        assert np.array_equal(together.weights[k], alone.weights[0])


def test_effects_that_are_all_the_same_have_no_variance_between():
    found = pool(np.full((1, 5), 3.0), np.array([[1.0, 2.0, 4.0, 8.0, 8.0]]), np.ones((1, 5, 1)))
    assert np.array_equal(found.weights[0], [1, 1 / 2, 1 / 4, 1 / 8, 1 / 8])
    np.testing.assert_allclose(found.estimate, 3.0, rtol=1e-14)
    np.testing.assert_allclose(found.variance, 1 / 2.0, rtol=1e-14)
