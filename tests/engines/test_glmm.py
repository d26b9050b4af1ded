"""The engine glmm alone: what it refuses, what it says, how its answers are read."""

from __future__ import annotations

import sys

import numpy as np
import pytest

from clustrategy.core.errors import EngineError
from clustrategy.core.shard import Shard
from clustrategy.dgp import Process, simulate
from clustrategy.engines import glmm
from clustrategy.engines.chosen import Strategy
from tests.material import fit, needs_glmm, random_shard


def centred(shard: Shard) -> Shard:
    """The same with a response that least squares has nothing to say of."""
    y = shard.y.copy()
    for sim in range(shard.sims):
        X = shard.X[shard.rows(sim)]
        y[shard.rows(sim)] -= X @ np.linalg.lstsq(X, y[shard.rows(sim)])[0]
    return Shard(y, shard.X, shard.n, shard.terms)


@needs_glmm
def test_no_random_slopes_without_a_random_intercept():
    full = random_shard(1, 1, 8, 3, 8)
    shard = Shard(full.y, full.X[:, 1:], full.n, full.terms[1:])
    refused = fit(shard, "mixed_maximal", engine="glmm")  # 0.6.2
    assert refused.status[0] == "error" and "requires a random intercept" in refused.message[0]


# --- theta --------------------------------------------------------------------------------


@pytest.mark.parametrize("q", [1, 2, 4])
def test_relative_factor_is_the_cholesky_factor_by_column(q):
    rng = np.random.default_rng(q)
    root = rng.standard_normal((q, q + 2))
    matrix = root @ root.T
    below = np.triu_indices(q)[::-1]
    expected = np.linalg.cholesky(matrix)[below]
    np.testing.assert_allclose(glmm.relative_factor(matrix[below]), expected, rtol=1e-12)


@pytest.mark.parametrize("factor", [[[0, 0], [0, 2]], [[3, 0], [1, 0]], [[0, 0], [0, 0]]])
def test_relative_factor_of_a_singular_matrix(factor):
    factor = np.array(factor, dtype=float)
    below = np.triu_indices(2)[::-1]
    assert list(glmm.relative_factor((factor @ factor.T)[below])) == list(factor[below])


# --- what it says -------------------------------------------------------------------------


def test_a_fit_that_did_not_converge_is_kept_and_counted(monkeypatch):
    class Answer:
        beta, se, coef_df = np.array([[1.0, 2.0, 3.0]] * 3)
        converged = False
        warnings = [
            {"kind": "search_limit", "title": "Stopped", "message": "after 500 evaluations"}
        ]

    monkeypatch.setitem(sys.modules, "glmm", type(sys)("glmm"))
    sys.modules["glmm"].fit = lambda data, formula: Answer
    found = fit(centred(random_shard(1, 2, 4, 3, 6)), "mixed_maximal", engine="glmm")
    assert list(found.status) == ["not_converged"] * 2
    assert list(found.message) == ["Stopped: after 500 evaluations"] * 2
    assert found.optimizer_warning.all() and not found.singular.any()
    np.testing.assert_allclose(found.estimate, [[1.0, 2.0, 3.0]] * 2, rtol=1e-12)


@pytest.mark.parametrize(
    ("kind", "status"),
    [
        ("ill_conditioned", "ok"),
        ("variance_at_limit", "not_converged"),
        ("hessian_se_fallback", "not_converged"),
        ("something_new", "not_converged"),
    ],
)
def test_a_warning_of_glmm_counts_unless_it_is_known_to_be_harmless(monkeypatch, kind, status):
    class Answer:
        beta, se, coef_df = np.ones((3, 1))
        converged, dispersion, loglik, varcorr = True, 4.0, -50.0, [[4.0]]
        warnings = [{"kind": kind, "title": "So", "message": "it was"}]

    monkeypatch.setitem(sys.modules, "glmm", type(sys)("glmm"))
    sys.modules["glmm"].fit = lambda data, formula: Answer
    found = fit(random_shard(1, 1, 4, 1, 6), "mixed_intercept", engine="glmm")
    assert (found.status[0], found.message[0]) == (status, "So: it was")
    assert found.hessian_warning[0] == (kind == "hessian_se_fallback")


@needs_glmm
def test_a_variance_beyond_the_engines_reach_is_not_ok():
    shard = simulate(
        Process(10, 8, 4.0, 3, {"uniform": [0, 1]}, 0.001), 1, {"clusters": 10}, range(3)
    ).shard
    found = fit(shard, "mixed_maximal", engine="glmm")
    assert list(found.status) == ["not_converged"] * 3
    assert all("limit" in message for message in found.message)


@pytest.mark.parametrize(("theta", "status"), [(0.99e-4, "singular"), (1.01e-4, "ok")])
def test_singular_is_a_diagonal_theta_below_lme4s_tolerance(monkeypatch, theta, status):
    class Answer:
        beta, se, coef_df = np.ones((3, 1))
        converged, warnings = True, ()
        dispersion, loglik = 4.0, -50.0
        varcorr = [[theta**2 * 4.0]]

    monkeypatch.setitem(sys.modules, "glmm", type(sys)("glmm"))
    sys.modules["glmm"].fit = lambda data, formula: Answer
    found = fit(random_shard(1, 1, 4, 1, 6), "mixed_intercept", engine="glmm")
    assert (found.status[0], bool(found.singular[0])) == (status, status == "singular")
    np.testing.assert_allclose(found.theta, theta, rtol=1e-12)
    assert (found.sigma[0], found.reml_criterion[0]) == (2.0, 100.0)


def test_without_glmm_the_error_says_what_to_do(monkeypatch):
    monkeypatch.setitem(sys.modules, "glmm", None)
    with pytest.raises(EngineError, match="'glmm' cannot be imported .*: elsewhere "):
        Strategy.parse("mixed_maximal", "glmm").check()
