"""How much of the true variance CR2 is expected to find: by brute force, and by simulation."""

from __future__ import annotations

import numpy as np
import pytest

from clustrategy.core.shard import Shard
from clustrategy.design.cr2_share import cr2_share
from clustrategy.estimation.cluster_robust import fit_cluster_robust


def design(sizes: list[int], seed: int = 0) -> Shard:
    rng = np.random.default_rng(seed)
    n = np.array(sizes)
    codes = np.repeat(np.arange(n.size), n)
    treat = (codes < n.size // 2).astype(float)
    X = np.column_stack([np.ones(codes.size), rng.normal(size=codes.size), treat])
    return Shard(rng.normal(size=codes.size), X, n[None], ("(Intercept)", "x", "treat"))


def by_brute_force(shard: Shard, rho: float) -> np.ndarray:
    """From the definitions, with matrices of all rows."""
    X, codes = shard.X, shard.cluster_codes(0)
    inverse = np.linalg.inv(X.T @ X)
    M = np.eye(len(X)) - X @ inverse @ X.T
    omega = np.where(codes[:, None] == codes, rho, 0.0)
    np.fill_diagonal(omega, 1.0)
    expected, residual = np.zeros(3), M @ omega @ M
    for cluster in range(shard.clusters):
        rows = np.flatnonzero(codes == cluster)
        values, vectors = np.linalg.eigh(M[np.ix_(rows, rows)])
        root = (vectors * np.where(values > 1e-10, values, np.inf) ** -0.5) @ vectors.T
        w = root @ X[rows] @ inverse
        expected += np.einsum("ij,ik,kj->j", w, residual[np.ix_(rows, rows)], w)
    return expected / np.diagonal(inverse @ X.T @ omega @ X @ inverse)


@pytest.mark.parametrize("rho", [0.0, 0.05, 0.4, 1.0])
@pytest.mark.parametrize("sizes", [[3] * 6, [40, 3, 4, 5, 6, 2, 9], [1, 2, 30, 30]])
def test_it_is_what_its_definition_says(sizes, rho):
    shard = design(sizes)
    np.testing.assert_allclose(cr2_share(shard, rho), by_brute_force(shard, rho), rtol=1e-9)


def test_it_is_all_of_it_for_independent_errors():
    np.testing.assert_allclose(cr2_share(design([50, 3, 3, 8, 4]), 0.0), 1.0, rtol=1e-12)


def test_variances_of_simulated_errors_are_as_expected():
    """4,000 outcomes: the mean of CR2 over the variance of the estimates."""
    shard, rho, sims = design([60, 5, 5, 5, 5, 5, 5, 5]), 0.3, 4000
    rng = np.random.default_rng(3)
    rows = shard.y.size
    own = rng.normal(size=(sims, shard.clusters)).repeat(shard.n[0], axis=1)
    y = np.sqrt(rho) * own + np.sqrt(1 - rho) * rng.normal(size=(sims, rows))
    many = Shard(
        y.ravel(), np.tile(shard.X, (sims, 1)), np.repeat(shard.n, sims, axis=0), shard.terms
    )
    fits = fit_cluster_robust(many, "CR2", "satterthwaite")
    found = (fits.std_error**2).mean(axis=0) / fits.estimate.var(axis=0)
    expected = cr2_share(shard, rho)
    assert expected[2] < 0.85
    np.testing.assert_allclose(found, expected, rtol=5 * np.sqrt(2 / sims) * 2)


def test_without_an_intercept_it_is_not_known():
    shard = design([5] * 5)
    bare = Shard(shard.y, shard.X[:, 1:], shard.n, shard.terms[1:])
    assert np.isnan(cr2_share(bare, 0.2)).all()
