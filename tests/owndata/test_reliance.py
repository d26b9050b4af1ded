"""For which coefficients which strategies are to be relied on, by rules with a source each."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from clustrategy.owndata.analysis import Analysis
from clustrategy.owndata.fit import fit


def analysis(clusters: int, strategies: list[object], mean_age: float = 0.0) -> Analysis:
    rng = np.random.default_rng(8)
    school = np.repeat(np.arange(clusters), 9)
    data = pd.DataFrame(
        {
            "school": school,
            "treat": (school % 2).astype(float),
            "age": rng.normal(mean_age, 1.0, size=school.size),
        }
    )
    data["score"] = rng.normal(size=len(data)) + rng.normal(size=clusters)[school]
    return fit(data, "score ~ treat + age", cluster="school", strategies=strategies)


MIXED = ["mixed_maximal", "mixed_uncorrelated"]


@pytest.mark.parametrize(
    ("clusters", "strategy", "treat", "age"),
    [
        (60, "ols", "ignores the clusters", "ignores the clusters"),
        (60, "cluster_robust", "", ""),
        (12, "cluster_robust", "intervals are too narrow", "intervals are too narrow"),
        (20, {"strategy": "cluster_robust", "variance": "CR2", "df": "satterthwaite"}, "", ""),
        (20, {"strategy": "cluster_robust", "df": "satterthwaite"}, "", ""),
        (20, {"strategy": "cluster_robust", "variance": "CR2", "df": "normal"}, "normal", "normal"),
        (20, "gee", "normal quantiles", "normal quantiles"),
        (60, "gee", "", ""),
        (20, {"strategy": "gee", "df": "G-p"}, "", ""),
        (20, "mixed_intercept", "", "if slopes differ"),
        (60, "mixed_intercept", "", "if slopes differ"),
        (20, {"strategy": "mixed_intercept", "variance": "CR2"}, "", ""),
        (20, "mixed", "", "if slopes differ"),
        *((20, name, "are liberal", "") for name in MIXED),
        *((30, name, "", "") for name in MIXED),
        *((20, {"strategy": name, "cross_level": True}, "", "") for name in MIXED),
        (20, {"strategy": "mixed", "random": ["(Intercept)", "age"]}, "are liberal", ""),
        (20, {"strategy": "mixed_maximal", "variance": "CR2"}, "", ""),
        (5, "wild_cluster_bootstrap", "least p-value is 0.062", "least p-value is 0.062"),
        (6, "wild_cluster_bootstrap", "", ""),
        (5, {"strategy": "wild_cluster_bootstrap", "weights": "webb"}, "", ""),
        (5, {"strategy": "wild_cluster_bootstrap", "impose_null": False}, "", ""),
        (
            5,
            {"strategy": "wild_cluster_bootstrap", "variant": "V"},
            *["least p-value is 0.062"] * 2,
        ),
        (5, {"strategy": "wild_cluster_bootstrap", "variant": "S"}, "", ""),
        (20, "two_stage", "", ""),
    ],
)
def test_each_rule(clusters, strategy, treat, age):
    found = analysis(clusters, [strategy])
    (label,) = (one.label for one in found.strategies)
    for term, said in (("treat", treat), ("age", age)):
        reason = found.reliance.reason(label, term)
        assert (said in reason) if said else reason == ""


def test_two_stage_regression_off_the_mean_is_set_aside_for_what_is_constant_within():
    found = analysis(20, ["two_stage"], mean_age=12.0)
    assert "where age is 0" in found.reliance.reason("two_stage", "treat")
    assert found.reliance.reason("two_stage", "age") == ""


def test_what_is_set_aside_everywhere_is_said_at_once_and_never_gone_by():
    found = analysis(20, ["ols", "mixed_intercept"])
    assert found.reliance.never == ["ols"]
    said = found.summary.advice
    assert said.startswith("Go by mixed_intercept.") and "Set aside: ols (it ignores" in said
    treat, age = found.summary.findings
    assert ", by mixed_intercept." in treat
    assert "with no test to be relied on (ols" in age
    alone = analysis(20, ["ols"]).summary
    assert alone.advice.startswith("None of these strategies is to be relied on here: ols (it ign")


@pytest.mark.parametrize(
    ("clusters", "said"),
    [
        (2, "No test here is to be trusted, as there are 2 clusters"),
        (9, "Go by OLS CR2, with reserve: with 9 clusters"),
        (10, "Go by OLS CR2; where"),
    ],
)
def test_advice_has_a_reserve_with_few_clusters(clusters, said):
    rng = np.random.default_rng(3)
    data = pd.DataFrame({"g": np.repeat(np.arange(clusters), 12)})
    data["x"], data["y"] = rng.normal(size=(2, len(data)))
    assert fit(data, "y ~ x", cluster="g").summary.advice.startswith(said)


@pytest.mark.parametrize(("clusters", "said"), [(12, "its fit is singular"), (60, "")])
def test_kenward_rogers_test_of_a_singular_fit_with_few_clusters(clusters, said):
    entry = {"strategy": "mixed_maximal", "df": "kenward_roger"}
    found = analysis(clusters, [entry])
    assert found.fits[0].status[0] == "singular"
    assert found.reliance.reason("mixed_maximal", "age").startswith(said)
    assert bool(found.reliance.reason("mixed_maximal", "age")) is bool(said)
