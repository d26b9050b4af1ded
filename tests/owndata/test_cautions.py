"""What there is to mind of a table: said where it is so, with its number, and only there."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

from clustrategy.owndata.analysis import Analysis
from clustrategy.owndata.cautions import Caution
from clustrategy.owndata.fit import fit
from tests.material import sleepstudy


def table(clusters: int = 50, rows: int = 8, **change: Any) -> pd.DataFrame:
    """Pupils in schools, half of which have a new curriculum, without any effect."""
    rng = np.random.default_rng(11)
    school = np.repeat(np.arange(clusters), rows)
    data = pd.DataFrame(
        {
            "school": school,
            "treat": (school % 2).astype(float),
            "age": rng.normal(size=school.size),
            "score": rng.normal(size=school.size) + rng.normal(size=clusters)[school],
        }
    )
    return data.assign(**change)


def found(
    data: pd.DataFrame, formula: str = "score ~ treat + age", strategies: Any = None
) -> Analysis:
    return fit(data, formula, cluster="school", strategies=strategies)


def of_kind(analysis: Analysis, kind: str) -> list[Caution]:
    return [caution for caution in analysis.cautions if caution.kind == kind]


def test_nothing_is_minded_of_a_good_table_but_what_fixed_effects_cannot_do():
    strategies = ["cluster_robust", "fixed_effects", "mixed_intercept", "ols"]
    (only,) = found(table(), strategies=strategies).cautions
    assert (only.kind, only.value) == ("constant_within", 1)
    assert only.text.startswith("treat is constant within clusters: fixed effects cannot")
    assert found(table(), "score ~ age", strategies).cautions == []


@pytest.mark.parametrize(
    ("clusters", "kinds"), [(2, ["two_clusters"]), (39, ["few_clusters"]), (40, [])]
)
def test_few_clusters(clusters, kinds):
    cautions = found(table(clusters), "score ~ age", ["ols"]).cautions
    of = [one for one in cautions if one.kind in ("two_clusters", "few_clusters")]
    assert [one.kind for one in of] == kinds
    assert all(one.value == clusters and str(clusters) in one.text for one in of)


@pytest.mark.parametrize(("treated", "said"), [(3, "have"), (5, "have"), (45, "lack"), (6, "")])
def test_few_treated_clusters(treated, said):
    data = table()
    data["treat"] = (data["school"] < treated).astype(float)
    cautions = of_kind(found(data, strategies=["ols"]), "few_treated")
    if not said:
        assert cautions == []
        return
    (one,) = cautions
    fewest = min(treated, 50 - treated)
    assert (one.value, one.term) == (fewest, "treat")
    assert f"treat: only {fewest} of 50 clusters {said} it." in one.text


def test_few_effective_clusters_and_one_cluster_with_most_of_the_leverage():
    """By hand: sums of squares of 1 in 49 clusters and of 951 in one, all about 0."""
    data = table(50, 8)
    pattern = np.tile([1.0, -1.0], 4) / np.sqrt(8)
    data["age"] = np.tile(pattern, 50)
    data.loc[data["school"] == 7, "age"] = pattern * np.sqrt(951.0)
    analysis = found(data, "score ~ age", ["ols"])
    (few,), (one,) = of_kind(analysis, "few_effective"), of_kind(analysis, "leverage")
    assert few.term == one.term == "age"
    np.testing.assert_allclose(few.value, 1000.0**2 / (951.0**2 + 49.0), rtol=1e-9)
    np.testing.assert_allclose(one.value, 0.951, rtol=1e-9)
    assert "age rests on 1.1 effective clusters, though there are 50" in few.text
    assert "one cluster, '7', has 95 % of what the data say of it" in one.text
    rest = data[data["school"] != 7]
    without = (rest["age"] * rest["score"]).sum() / 49.0
    pooled = (data["age"] * data["score"]).sum() / 1000.0
    assert f"without it the least-squares estimate is {without:.3g}, not {pooled:.3g}" in one.text


def test_slopes_within_and_between_clusters_that_disagree():
    rng = np.random.default_rng(2)
    data = table(60, 10)
    between = rng.normal(size=60)[data["school"]]
    data["age"] = between + rng.normal(size=600)
    data["score"] = 0.5 * (data["age"] - between) - 2.0 * between + 0.1 * rng.normal(size=600)
    (one,) = of_kind(found(data, "score ~ age", ["ols"]), "within_between")
    assert one.term == "age" and one.value < 1e-6
    assert "within clusters its slope is 0.499, between their means -1.73" in one.text
    assert "of the opposite sign (Simpson's paradox)" in one.text
    data["score"] = 0.5 * data["age"] + 0.1 * rng.normal(size=600)
    assert of_kind(found(data, "score ~ age", ["ols"]), "within_between") == []


def test_a_singular_fit_and_what_it_means():
    data = table(50, 8, score=np.random.default_rng(2).normal(size=400))
    centred = data["score"] - data.groupby("school")["score"].transform("mean")
    analysis = found(data.assign(score=centred), "score ~ age", ["mixed_intercept"])
    (one,) = of_kind(analysis, "singular")
    assert one.strategy == "mixed_intercept"
    assert "no variance between clusters of (Intercept)" in one.text
    assert "the estimates and tests can be used, the variances cannot" in one.text


def test_a_perfect_correlation_is_named():
    rng = np.random.default_rng(5)
    data = table(30, 10)
    u = rng.normal(size=30)[data["school"]]
    data["score"] = u + 0.8 * u * data["age"] + 0.3 * rng.normal(size=300)
    (one,) = of_kind(found(data, "score ~ age", ["mixed_maximal"]), "singular")
    assert "a perfect correlation of (Intercept) with age" in one.text


def test_a_strategy_without_numbers_says_why():
    analysis = found(table(12, 2), "score ~ age + I(age**2)", ["two_stage", "ols"])
    (one,) = of_kind(analysis, "unusable")
    assert one.strategy == "two_stage" and "two_stage gives no numbers (undefined): " in one.text


@pytest.mark.filterwarnings("ignore::clustrategy.core.errors.RowsLeftOut")
def test_rows_that_are_left_out_are_counted_by_column():
    data = sleepstudy().astype({"Days": float})
    data.loc[:6, "Reaction"] = np.nan
    data.loc[5:9, "Days"] = np.nan
    analysis = fit(data, "Reaction ~ Days", cluster="Subject", strategies=["ols"])
    (one,) = of_kind(analysis, "left_out")
    assert one.value == 10
    assert "10 of 180 rows are left out, as they have no value in Days (5) and Reaction (7)." in (
        one.text
    )


def test_many_terms_have_one_caution_each_and_then_a_count():
    data = table(50, 8)
    for place in range(8):
        data[f"x{place}"] = (data["school"] == place).astype(float)
    names = " + ".join(f"x{place}" for place in range(8))
    cautions = of_kind(found(data, f"score ~ age + {names}", ["ols"]), "leverage")
    assert [one.term for one in cautions] == [f"x{place}" for place in range(5)] + [None]
    assert cautions[-1].text == "3 further coefficients rest on one cluster, too."


def test_two_stage_regression_compares_clusters_where_other_predictors_are_zero():
    data = table()
    analysis = found(data.assign(age=data["age"] + 40.0), strategies=["two_stage"])
    (one,) = of_kind(analysis, "at_zero")
    assert one.term == "age" and "compares clusters where age is 0, off the mean" in one.text
    assert analysis.reliance.reason("two_stage", "treat") and not analysis.reliance.never
    centred = found(
        data.assign(age=data["age"] + 40.0), "score ~ treat + center(age)", ["two_stage"]
    )
    assert of_kind(centred, "at_zero") == []
    assert of_kind(found(data, "score ~ age", ["two_stage"]), "at_zero") == []


def test_a_predictor_that_one_cluster_alone_has():
    data = table()
    data["treat"] = (data["school"] == 3).astype(float)
    (one,) = of_kind(found(data, strategies=["ols"]), "indispensable")
    assert (one.term, one.value) == ("treat", 1)
    assert one.text == "treat: without one of the clusters there is no estimate of it at all."
    assert of_kind(found(table(), strategies=["ols"]), "indispensable") == []
