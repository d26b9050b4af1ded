"""Outcomes on a given design: its moments, its seeds, and the same fits as from plain datasets."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from clustrategy.core.errors import ConfigError
from clustrategy.core.shard import Shard
from clustrategy.dgp.given import GivenProcess, draw_given
from clustrategy.engines.chosen import Strategy
from clustrategy.strategies.registry import REGISTERED

SIZES = np.array([3, 7, 2, 9, 5, 4, 6, 8, 5, 7])


def design(sizes: np.ndarray = SIZES) -> Shard:
    rng = np.random.default_rng(1)
    codes = np.repeat(np.arange(sizes.size), sizes)
    x = rng.normal(size=codes.size)
    X = np.column_stack([np.ones(codes.size), x, codes < sizes.size // 2]).astype(float)
    return Shard(np.zeros(codes.size), X, sizes[None], ("(Intercept)", "x", "treat"))


def process(**change: object) -> GivenProcess:
    covariance = np.array([[0.8, 0.2], [0.2, 0.5]])
    return replace(GivenProcess(design(), ("(Intercept)", "x"), covariance, 1.3), **change)


def test_covariances_of_rows_are_those_of_the_model():
    """Z Psi Z' + sigma^2 I, entry by entry, within five Monte Carlo standard errors."""
    it, sims = process(), 6_000
    shard = draw_given(it, 5, "estimated", range(sims))
    y = shard.y.reshape(sims, -1)[:, :10]
    Z = it.shard.X[:10, :2]
    codes = it.shard.cluster_codes(0)[:10]
    expected = (Z @ it.covariance @ Z.T) * (codes[:, None] == codes) + 1.3**2 * np.eye(10)
    error = np.sqrt((expected**2 + np.outer(*[np.diagonal(expected)] * 2)) / sims)
    assert (np.abs(y.T @ y / sims - expected) < 5 * error).all()


def test_errors_of_a_cluster_are_autocorrelated_and_stationary():
    it = process(random=(), covariance=np.zeros((0, 0)), sigma=2.0, autocorrelation=0.6)
    y = draw_given(it, 5, "autocorrelated", range(6_000)).y.reshape(6_000, -1)
    found = y[:, 3:10].T @ y[:, 3:10] / 6_000  # the second cluster, of 7 rows
    lags = np.abs(np.subtract.outer(np.arange(7), np.arange(7)))
    np.testing.assert_allclose(found, 4.0 * 0.6**lags, atol=5 * 4.0 * np.sqrt(2 / 6_000))
    assert abs((y[:, 2] * y[:, 3]).mean()) < 5 * 4.0 / np.sqrt(6_000)


def test_residual_variances_may_differ_between_clusters():
    sigma = np.linspace(0.5, 3.0, 10)
    it = process(random=(), covariance=np.zeros((0, 0)), sigma=sigma)
    y = draw_given(it, 5, "by_cluster", range(5_000)).y.reshape(5_000, -1)
    expected = np.repeat(sigma, SIZES) ** 2
    np.testing.assert_allclose((y * y).mean(axis=0), expected, rtol=6 * np.sqrt(2 / 5_000))


def test_what_is_resampled_is_of_the_pools():
    pool, effects = np.array([-1.5, 0.5, 1.0]), np.array([[2.0, -10.0], [-2.0, 10.0]])
    it = process(residuals=pool, effects=effects)
    y = draw_given(it, 5, "resampled", range(50)).y.reshape(50, -1)
    X, codes = it.shard.X, it.shard.cluster_codes(0)
    first = np.flatnonzero(codes == 0)
    options = np.array([X[first, :2] @ effect for effect in effects])
    rest = y[:, None, first] - options
    near = np.abs(rest[..., None] - pool).min(axis=-1).max(axis=-1)
    assert (near.min(axis=1) < 1e-12).all()


def test_a_replicate_depends_on_seed_name_and_number_alone():
    it = process(autocorrelation=0.3)
    whole = draw_given(it, 5, "estimated", range(6)).y.reshape(6, -1)
    part = draw_given(it, 5, "estimated", [4, 2]).y.reshape(2, -1)
    np.testing.assert_array_equal(part, whole[[4, 2]])
    assert (draw_given(it, 5, "upper_80", [4]).y != whole[4]).all()
    assert (draw_given(it, 6, "estimated", [4]).y != whole[4]).all()


def test_a_variance_that_vanishes_changes_nothing_else():
    small = process(covariance=np.diag([0.8, 1e-24]))
    none = process(covariance=np.diag([0.8, 0.0]))
    one, other = (draw_given(it, 5, "estimated", range(3)).y for it in (small, none))
    np.testing.assert_allclose(one, other, atol=1e-10)


NUMBERS = ("estimate", "std_error", "df", "p_value", "theta", "sigma", "reml_criterion")


@pytest.mark.parametrize("name", [name for name in REGISTERED if "numpy" in REGISTERED[name]])
def test_every_strategy_finds_the_same_as_in_plain_datasets(name):
    shard = draw_given(process(), 5, "estimated", range(4))
    plain = Shard(shard.y, shard.X, shard.n, shard.terms, shard.seeds)
    one, other = (Strategy.parse(name).fit(each) for each in (shard, plain))
    assert list(one.status) == list(other.status)
    for column in NUMBERS:
        np.testing.assert_allclose(
            getattr(one, column), getattr(other, column), rtol=1e-7, atol=1e-7, err_msg=column
        )


def test_a_true_hypothesis_about_a_treatment_of_clusters_is_rejected_in_5_percent():
    """Cluster means of equal clusters are t distributed: exact, by two-stage regression."""
    it = GivenProcess(design(np.full(12, 6)), ("(Intercept)",), np.array([[0.5]]), 1.0)
    only = replace(it.shard, X=it.shard.X[:, [0, 2]], terms=("(Intercept)", "treat"))
    fits = Strategy.parse("two_stage").fit(
        draw_given(replace(it, shard=only), 7, "estimated", range(4_000))
    )
    from clustrategy.core.inference import t_inference

    p = t_inference(fits.estimate, fits.std_error, fits.df).p_value[:, 1]
    assert abs((p <= 0.05).mean() - 0.05) < 4 * np.sqrt(0.05 * 0.95 / 4_000)


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"random": ("(Intercept)", "z")}, "no coefficient 'z' to be random"),
        ({"covariance": np.eye(3)}, "must be symmetric, 2 x 2"),
        ({"covariance": np.array([[1.0, 0.5], [0.2, 1.0]])}, "must be symmetric"),
        ({"covariance": np.array([[1.0, 2.0], [2.0, 1.0]])}, "negative variances"),
        ({"sigma": 0.0}, "sigma must be above 0"),
        ({"sigma": np.ones(3)}, "one for each of 10 clusters"),
        ({"autocorrelation": 1.0}, "between -1 and 1, found 1"),
    ],
)
def test_what_does_not_go_together_is_one_sentence(change, sentence):
    with pytest.raises(ConfigError, match=sentence):
        process(**change)
