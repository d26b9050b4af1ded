"""Mixed models whose random effects are named."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from clustrategy.audit.judgement import judge
from clustrategy.audit.references import references
from clustrategy.core.shard import INTERCEPT, Shard
from clustrategy.engines.chosen import Strategy
from clustrategy.estimation.mixed.fit import at_theta
from clustrategy.strategies.mixed import model_of
from tests.material import fit, fitted, golden, random_shard, same_bits

ALL = [INTERCEPT, "x1", "x2"]


@pytest.mark.parametrize(
    ("twin", "options"),
    [
        ("mixed_maximal", {"random": ALL}),
        ("mixed_maximal", {"random": ALL[::-1], "df": "kenward_roger"}),
        ("mixed_uncorrelated", {"random": ALL, "correlated": False, "variance": "CR2"}),
        ("mixed_intercept", {}),
        ("mixed_intercept", {"random": [INTERCEPT], "correlated": False, "df": "normal"}),
    ],
)
def test_with_the_random_effects_of_another_strategy_it_is_that_strategy(twin, options):
    shard = random_shard(1, 2, 8, 3, (6, 9))
    rest = {key: options[key] for key in options.keys() & {"df", "variance"}}
    found, other = fit(shard, "mixed", **options), fit(shard, twin, **rest)
    assert set(found.status) <= {"ok", "singular"} and same_bits(found, other)
    assert np.array_equal(found.random, other.random) and found.random[:, 0].all()


def test_a_factor_stands_for_all_of_its_levels():
    rng = np.random.default_rng(2)
    X = np.column_stack([np.ones(120), *np.eye(3)[rng.integers(0, 3, 120)].T[1:]])
    y = rng.standard_normal(120) + np.repeat(rng.standard_normal(12), 10)
    shard = Shard(y, X, np.full((1, 12), 10), (INTERCEPT, "arm[T.b]", "arm[T.c]"))
    found = fit(shard, "mixed", random=["arm"])
    assert same_bits(found, fit(shard, "mixed", random=["arm[T.b]", "arm[T.c]"]))
    assert found.random.tolist() == [[False, True, True]]


def test_what_varies_within_no_cluster_is_named():
    found = fit(golden("orthodont"), "mixed", random=[INTERCEPT, "x2"])
    assert (found.status[0], found.message[0]) == (
        "undefined",
        "x2 varies within no cluster: its coefficient cannot be random",
    )
    alone = fit(golden("orthodont"), "mixed", random=["x2"])
    assert alone.message[0] == found.message[0]


def test_random_coefficients_that_nothing_tells_apart_are_named():
    """x3 is x1 times x2, which is constant within clusters."""
    found = fit(golden("orthodont"), "mixed", random=["x1", "x3"])
    assert (found.status[0], found.message[0]) == (
        "undefined",
        "x1 and x3 are multiples of one another within each cluster: their random coefficients "
        "cannot be told apart",
    )
    assert fit(golden("orthodont"), "mixed", random=["x3"]).status[0] in ("ok", "singular")


def test_only_the_datasets_of_a_shard_in_which_it_is_constant_are_undefined():
    shard = random_shard(3, 3, 7, 3, 8)
    shard.X[shard.rows(1), 2] = np.repeat(np.arange(7.0), 8)
    found = fit(shard, "mixed", random=[INTERCEPT, "x2"])
    assert [status == "undefined" for status in found.status] == [False, True, False]
    assert found.message[1].startswith("x2 varies within no cluster")


def test_an_unknown_name_is_no_fit_but_a_message():
    found = fit(golden("sleepstudy"), "mixed", random=["x5"])
    assert found.status[0] == "error"
    assert found.message[0] == (
        "random must name coefficients of the model, found 'x5' (did you mean 'x1'?); the "
        "coefficients are (Intercept), x1"
    )


def test_without_an_intercept():
    """As the model written out: y ~ 0 + x, slopes that differ between clusters."""
    whole = golden("sleepstudy")
    shard = Shard(whole.y - 250.0, whole.X[:, 1:], whole.n, ("x1",))
    found = fitted(shard, "mixed", random=["x1"])
    theta, sigma = found.theta[0, 0], found.sigma[0]
    clusters = np.repeat(np.eye(18), 10, axis=0)
    Z = clusters * shard.X
    V = np.eye(180) + theta**2 * Z @ Z.T
    inverse = np.linalg.inv(V)
    precision = shard.X.T @ inverse @ shard.X
    estimate = np.linalg.solve(precision, shard.X.T @ inverse @ shard.y)
    residual = shard.y - shard.X @ estimate
    np.testing.assert_allclose(found.estimate[0], estimate, rtol=1e-10)
    np.testing.assert_allclose(sigma**2, residual @ inverse @ residual / 179, rtol=1e-10)
    np.testing.assert_allclose(found.std_error[0], sigma / np.sqrt(precision[0]), rtol=1e-10)


# --- the audit ----------------------------------------------------------------------------


def test_the_references_have_the_same_random_effects():
    entry = {"strategy": "mixed", "random": [INTERCEPT, "x1"], "correlated": False}
    found = references(Strategy.parse(entry), "lme4")
    assert [one.engine for one in found] == ["lme4", "lme4_unbounded"]
    assert all(one.options == {"random": (INTERCEPT, "x1"), "correlated": False} for one in found)
    assert references(Strategy.parse(entry), "glmm") == []
    correlated = Strategy.parse({**entry, "correlated": True})
    assert [one.engine for one in references(correlated, "glmm")] == ["glmm"]
    assert references(Strategy.parse({**entry, "df": "kenward_roger"}), "lme4") == []


def test_the_audit_judges_at_the_references_theta():
    """A reference a little off the optimum, whose numbers are those of its own theta."""
    shard = random_shard(3, 1, 12, 3, (6, 12))
    strategy = Strategy.parse({"strategy": "mixed", "random": [INTERCEPT, "x2"]})
    found = strategy.fit(shard)
    model = model_of(strategy.name, strategy.options)
    assert found.status[0] == "ok" and model is not None
    reference = at_theta(shard, model, found.theta * (1 + 1.9e-4), np.array([True]))
    assert judge(shard, strategy, found, reference, found.reml_criterion) == "reference_slack"
    wrong = replace(reference, estimate=reference.estimate * 1.1)
    assert judge(shard, strategy, found, wrong, found.reml_criterion) == "differ"
