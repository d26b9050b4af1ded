"""What is left of the rows when the clusters' random effects are taken out."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.linalg import block_diag, toeplitz
from scipy.special import digamma, polygamma

from clustrategy.calibration.within_residuals import WithinResiduals

SIZES = np.array([1, 2, 5, 8])


def design() -> np.ndarray:
    rng = np.random.default_rng(4)
    return np.column_stack([np.ones(16), rng.normal(size=16)])


def test_they_are_the_residuals_of_each_clusters_own_regression():
    y = np.random.default_rng(5).normal(size=16)
    found = WithinResiduals.of(y, design(), SIZES)
    assert found.df.tolist() == [0, 0, 3, 6]
    assert found.squares[:2].tolist() == [0.0, 0.0]
    for g, rows in ((2, slice(3, 8)), (3, slice(8, 16))):
        slope, intercept = np.polyfit(design()[rows, 1], y[rows], 1)
        own = y[rows] - intercept - slope * design()[rows, 1]
        np.testing.assert_allclose(found.residuals[rows], own, atol=1e-12)
        np.testing.assert_allclose(found.squares[g], own @ own, rtol=1e-12)


@pytest.mark.parametrize("rho", [-0.6, 0.0, 0.45])
def test_expectations_under_autoregression_are_those_of_the_whole_matrices(rho):
    found = WithinResiduals.of(np.ones(16), design(), SIZES)
    V = block_diag(*[toeplitz(rho ** np.arange(n)) for n in SIZES])
    A = block_diag(*[toeplitz(np.eye(1, n, 1)[0] / 2.0) for n in SIZES])
    M = np.eye(16) - found.basis @ np.zeros((2, 16))
    M = block_diag(
        *[
            np.eye(n) - (Z := design()[s : s + n]) @ np.linalg.pinv(Z)
            for s, n in zip(np.cumsum(SIZES) - SIZES, SIZES, strict=True)
        ]
    )
    known = np.trace(M @ A @ M @ V), np.trace(M @ V)
    np.testing.assert_allclose(found._expected(rho), known, rtol=1e-10, atol=1e-10)


@pytest.mark.parametrize("rho", [-0.3, 0.0, 0.5])
def test_an_autocorrelation_is_found_again(rho):
    """400 clusters of 10 rows, of which intercept and slope take 2 degrees of freedom."""
    rng = np.random.default_rng(8)
    root = np.linalg.cholesky(toeplitz(rho ** np.arange(10)))
    y = (rng.normal(size=(400, 10)) @ root.T).ravel()
    Z = np.column_stack([np.ones(4000), np.tile(np.arange(10.0), 400)])
    found = WithinResiduals.of(y, Z, np.full(400, 10)).autocorrelation()
    assert abs(found - rho) < 0.06


def test_clusters_without_two_rows_have_no_autocorrelation():
    found = WithinResiduals.of(np.arange(4.0), np.ones((4, 1)), np.ones(4, dtype=int))
    assert found.autocorrelation() is None
    assert found.variances_by_cluster() is None


def test_variances_of_clusters_shrink_as_far_as_their_degrees_of_freedom_do_not_tell():
    """Of equal sizes the weight is one number, known from the estimated spread."""
    rng = np.random.default_rng(2)
    sd = np.exp(rng.normal(size=40))
    y = (rng.normal(size=(40, 6)) * sd[:, None]).ravel()
    within = WithinResiduals.of(y, np.ones((240, 1)), np.full(40, 6))
    variances, spread = within.variances_by_cluster()
    logs = np.log(within.squares / 5) - digamma(2.5) + np.log(2.5)
    noise = polygamma(1, 2.5)
    # Equal sampling variances: REML is the moment estimator.
    np.testing.assert_allclose(spread**2, logs.var(ddof=1) - noise, rtol=1e-6)
    weight = spread**2 / (spread**2 + noise)
    expected = logs.mean() + weight * (logs - logs.mean())
    np.testing.assert_allclose(np.log(variances), expected, rtol=1e-6, atol=1e-8)


def test_a_cluster_without_degrees_of_freedom_has_the_typical_variance():
    y = np.random.default_rng(6).normal(size=16) * np.repeat([1.0, 1.0, 1.0, 30.0], SIZES)
    variances, _ = WithinResiduals.of(y, np.ones((16, 1)), SIZES).variances_by_cluster()
    own = np.log(variances[1:])
    assert own.min() < np.log(variances[0]) < own.max()
