"""Autoregression and variances, estimated together."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy.linalg import block_diag, toeplitz

from clustrategy.calibration.autoregression import autoregression, fitted
from clustrategy.calibration.restricted_likelihood import RestrictedLikelihood
from clustrategy.calibration.working_model import WorkingModel, working_model
from clustrategy.core.shard import INTERCEPT, Shard
from clustrategy.design.from_table import design_from_table
from clustrategy.dgp.given import GivenProcess
from tests.material import orthodont, sleepstudy

pytestmark = pytest.mark.filterwarnings("error::RuntimeWarning")


def correlations(rho: float, rows: int) -> np.ndarray:
    return toeplitz(rho ** np.arange(rows))


def one_way(rho: float, tau2: float, clusters: int, rows: int) -> WorkingModel:
    """Outcomes with an intercept alone whose second moments are exactly those of the truth."""
    wanted = tau2 + correlations(rho, rows)
    y = np.random.default_rng(1).normal(size=(clusters, rows))
    y -= y.mean(axis=0)
    # REML of a saturated mean has the divisor G - 1; that of one mean for all differs by little.
    now = np.linalg.cholesky(y.T @ y / (clusters - 1))
    y = y @ np.linalg.inv(now).T @ np.linalg.cholesky(wanted).T
    return of(y.ravel(), np.ones((y.size, 1)), np.full(clusters, rows))


def of(y: np.ndarray, X: np.ndarray, sizes: np.ndarray) -> WorkingModel:
    names = (INTERCEPT, "x", "z")[: X.shape[1]]
    return working_model(Shard(y, X, sizes[None], names), None)


def unequal(slope: float = 0.7) -> WorkingModel:
    """Eight clusters of 3 to 9 rows with a random slope."""
    rng = np.random.default_rng(6)
    n = np.array([4, 9, 6, 8, 5, 8, 3, 9])
    X = np.column_stack([np.ones(n.sum()), rng.normal(size=n.sum())])
    e = block_diag(*[np.linalg.cholesky(correlations(0.5, size)) for size in n])
    b = np.repeat(rng.normal(size=(8, 2)) * [0.8, slope], n, axis=0)
    return of((b * X).sum(axis=1) + e @ rng.normal(size=n.sum()), X, n)


@pytest.mark.parametrize(
    ("table", "formula", "random", "known"),
    [
        (sleepstudy, "Reaction ~ Days", "1", (0.653133, 31.71358, 37.637336)),
        (sleepstudy, "Reaction ~ Days", "1 + Days", (0.492103, 35.3683, 4.669654, 30.661843)),
        (orthodont, "distance ~ age * nsex", "1", (-0.037533, 1.826331, 1.373100)),
    ],
)
def test_estimates_are_those_of_nlme(table, formula, random, known):
    """By `lme(..., correlation = corAR1())`, `Days` less its mean: rho, standard deviations."""
    design = design_from_table(table(), formula, "Subject", random)
    model = working_model(design.shard, design.random)
    found = autoregression(model)
    sd = np.sqrt(np.diagonal(found.covariance)) / model.unit[model.columns]
    np.testing.assert_allclose([found.rho, *sd, found.sigma], known, rtol=1e-4, atol=3e-5)


@pytest.mark.parametrize(("rho", "tau2"), [(0.8, 0.0), (0.5, 0.4), (-0.3, 0.2), (0.0, 0.5)])
def test_variances_between_and_within_clusters_are_those_of_the_truth(rho, tau2):
    """They were not where those of a model without the correlation stood beside it.

    Under a correlation of .8 and no variance between, a mean of ten rows had one of .80, not .54.
    """
    found = autoregression(one_way(rho, tau2, clusters=40, rows=10))
    between, within = found.covariance[0, 0], found.sigma**2
    np.testing.assert_allclose(found.rho, rho, atol=0.01)
    np.testing.assert_allclose(between + within, tau2 + 1.0, rtol=0.02)
    of_mean = between + within * correlations(found.rho, 10).mean()
    np.testing.assert_allclose(of_mean, tau2 + correlations(rho, 10).mean(), rtol=0.02)


def test_no_variances_near_by_are_likelier():
    """By the N x N matrices' likelihood, which is another computation."""
    model = unequal()
    found = autoregression(model)
    process = GivenProcess(
        model.scaled, model.terms, found.covariance, found.sigma, autocorrelation=found.rho
    )

    def likelihood(**others: object) -> float:
        changed = RestrictedLikelihood.of(replace(process, **others))
        return float(changed.log_likelihoods(model.scaled.y[None])[0])

    best = likelihood()
    np.testing.assert_allclose(best, -found.criterion / 2.0, rtol=1e-9)
    for factor in (0.97, 1.03):
        assert likelihood(sigma=factor * found.sigma) < best
        for k in range(2):
            scale = np.where(np.arange(2) == k, factor, 1.0)
            assert likelihood(covariance=found.covariance * scale * scale[:, None]) < best
        assert likelihood(autocorrelation=factor * found.rho) < best


def test_without_a_correlation_it_is_the_working_model():
    model = unequal()
    found = fitted(model, 0.0)
    np.testing.assert_allclose(found.covariance, model.covariance, rtol=1e-4)
    np.testing.assert_allclose(found.sigma, model.sigma, rtol=1e-5)


def test_rows_without_random_effects_have_the_whole_matrices_criterion():
    model = replace(unequal(), fits=None, columns=np.array([0]), covariance=np.zeros((1, 1)))
    found = autoregression(model)
    assert found.covariance.tolist() == [[0.0]]
    process = GivenProcess(
        model.scaled, (INTERCEPT,), found.covariance, found.sigma, autocorrelation=found.rho
    )
    y = model.scaled.y[None]
    at = RestrictedLikelihood.of(process).log_likelihoods(y)[0]
    np.testing.assert_allclose(at, -found.criterion / 2.0, rtol=1e-9)
    for near in (found.rho - 0.02, found.rho + 0.02):
        other = RestrictedLikelihood.of(replace(process, autocorrelation=near))
        assert other.log_likelihoods(y)[0] < at


def test_two_rows_a_cluster_do_not_tell_a_correlation_from_a_variance_between():
    y = np.random.default_rng(3).normal(size=(20, 2)) + 2.0 * np.arange(20)[:, None]
    assert autoregression(of(y.ravel(), np.ones((40, 1)), np.full(20, 2))) is None


def test_clusters_of_one_row_have_no_autocorrelation():
    y = np.random.default_rng(3).normal(size=12)
    assert autoregression(of(y, np.ones((12, 1)), np.ones(12, dtype=int))) is None
