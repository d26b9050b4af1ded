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


def test_two_clusters():
    (one, *_) = found(table(2), "score ~ age", ["ols"]).cautions
    assert (one.kind, one.value) == ("two_clusters", 2)


def test_few_clusters_are_judged_by_how_narrow_the_usual_intervals_are():
    """By the numbers of both strategies, and by statsmodels' for CR1S."""
    cr2 = {"strategy": "cluster_robust", "name": "CR2", "variance": "CR2", "df": "satterthwaite"}
    analysis = found(table(12), strategies=["cluster_robust", cr2])
    (one,) = of_kind(analysis, "few_clusters")
    rows = analysis.tidy().query("term == @one.term")
    width = (rows["conf_high"] - rows["conf_low"]).to_numpy()
    np.testing.assert_allclose(one.value, width[0] / width[1], rtol=1e-9)
    assert f"{100 * one.value:.0f} % as wide as CR2's for {one.term}" in one.text
    assert of_kind(found(table(200), strategies=["cluster_robust", cr2]), "few_clusters") == []


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
    assert f"treat: {fewest} of 50 clusters {said} it." in one.text


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
    assert "The estimates can be used, the variances cannot" in one.text


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
    assert one.term == "age" and "compares clusters where age is 0, beyond the data" in one.text
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
    assert "treat: without one of the clusters there is no estimate of it" in one.text
    assert of_kind(found(table(), strategies=["ols"]), "indispensable") == []


def test_one_large_cluster_that_decides_an_arm():
    rng = np.random.default_rng(6)
    sizes = np.array([2000, *[12] * 19])
    school = np.repeat(np.arange(20), sizes)
    data = pd.DataFrame({"school": school, "treat": (school < 10).astype(float)})
    data["score"] = rng.normal(size=len(data)) + rng.normal(size=20)[school]
    analysis = fit(data, "score ~ treat", cluster="school")
    (one,) = of_kind(analysis, "small_share")
    assert one.term == "treat" and one.value < 0.3
    assert "is expected to find" in analysis.reliance.reason("OLS CR2", "treat")
    assert ", by mixed intercept CR2." in analysis.summary.findings[0]


def test_a_cluster_without_which_an_estimate_is_another():
    rng = np.random.default_rng(9)
    data = table(30, 10)
    data["score"] = 0.1 * rng.normal(size=300)
    data.loc[data["school"] == 4, "score"] += 2.0 * data["age"]
    analysis = found(data, "score ~ age", ["ols"])
    (one,) = of_kind(analysis, "influence")
    rest = data[data["school"] != 4]
    without = np.polyfit(rest["age"], rest["score"], 1)[0]
    assert (
        one.term == "age"
        and f"without the cluster '4' the least-squares estimate is {without:.2f}"[:-1] in one.text
    )


def test_least_squares_much_less_precise_than_a_random_intercept():
    rng = np.random.default_rng(10)
    data = table(30, 20)
    data["score"] = 4.0 * rng.normal(size=30)[data["school"]] + rng.normal(size=600)
    data["age"] = 0.5 * rng.normal(size=30)[data["school"]] + rng.normal(size=600)
    analysis = fit(data, "score ~ age", cluster="school")
    rows = analysis.tidy().query("term == 'age'").set_index("strategy")["std_error"]
    (one,) = of_kind(analysis, "efficiency")
    np.testing.assert_allclose(one.value, rows["OLS CR2"] / rows["mixed intercept CR2"], rtol=1e-12)


def test_a_response_of_two_values():
    data = table().assign(score=lambda d: (d["score"] > 0).astype(int))
    assert (
        "differences in probability"
        in of_kind(found(data, "score ~ age", ["ols"]), "two_values")[0].text
    )


def test_mundlaks_test_is_corrected_for_the_number_of_predictors():
    rng = np.random.default_rng(12)
    data = table(40, 10)
    for place in range(6):
        data[f"x{place}"] = rng.normal(size=400) + rng.normal(size=40)[data["school"]]
    names = " + ".join(f"x{place}" for place in range(6))
    analysis = found(data, f"score ~ {names}", ["ols"])
    p = analysis.design()["mundlak_p_value"].to_numpy()[1:]
    expected = [f"x{place}" for place in range(6) if p[place] <= 0.05 / 6]
    assert p.min() > 0.05 / 6 or expected
    assert [one.term for one in of_kind(analysis, "within_between")][:1] == expected[:1]


@pytest.mark.parametrize(("states", "said"), [(3, "3 of 50 clusters ever have it"), (6, "")])
def test_a_policy_of_a_few_states_after_a_year(states, said):
    data = table()
    data["policy"] = (data["school"] < states).astype(int)
    data["after"] = np.tile([0, 1], 200)
    analysis = found(data, "score ~ policy * after", ["ols"])
    cautions = {one.term: one.text for one in of_kind(analysis, "few_treated")}
    assert ("policy:after" in cautions) is bool(said)
    assert said in cautions.get("policy:after", "")
    # What every cluster has in some rows is no matter of few clusters.
    assert "after" not in cautions
