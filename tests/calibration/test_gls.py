"""Standard errors of generalised least squares against lme4's and against dense matrices."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from clustrategy.calibration.gls import gls_standard_errors
from clustrategy.core.shard import INTERCEPT, Shard
from clustrategy.dgp.given import GivenProcess
from tests.material import few, golden


def test_the_standard_errors_are_lme4s_at_its_variances():
    """`lmer(Reaction ~ Days + (Days | Subject), sleepstudy)`, as its summary prints them."""
    sds, correlation = np.array([24.741, 5.922]), 0.066
    covariance = np.outer(sds, sds) * np.array([[1.0, correlation], [correlation, 1.0]])
    shard = golden("sleepstudy")
    process = GivenProcess(shard, shard.terms, covariance, sigma=25.592)
    assert gls_standard_errors(process) == pytest.approx([6.825, 1.546], abs=5e-4)


@few
@given(st.integers(0, 2**32 - 1))
def test_the_standard_errors_are_those_of_dense_matrices(seed: int):
    rng = np.random.default_rng(seed)
    n = rng.integers(1, 6, size=7)
    rows = n.sum()
    X = np.column_stack([np.ones(rows), 1e4 * rng.normal(size=rows), rng.normal(size=rows)])
    root = rng.normal(size=(2, 2)) * np.array([[1.0], [1e-4]])
    sigma = rng.uniform(0.5, 2.0, size=7)
    shard = Shard(np.zeros(rows), X, n[None], (INTERCEPT, "a", "b"))
    process = GivenProcess(shard, (INTERCEPT, "a"), root @ root.T, sigma)
    codes = np.repeat(np.arange(7), n)
    V = (X[:, :2] @ root @ root.T @ X[:, :2].T) * (codes[:, None] == codes)
    V += np.diag(np.repeat(sigma**2, n))
    dense = np.sqrt(np.diagonal(np.linalg.inv(X.T @ np.linalg.solve(V, X))))
    assert gls_standard_errors(process) == pytest.approx(dense, rel=1e-7)
