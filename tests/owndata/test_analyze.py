from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm

from clustrategy import analyze
from clustrategy.core.errors import ConfigError
from clustrategy.design.from_table import design_from_table
from clustrategy.engines.chosen import Strategy
from clustrategy.owndata.defaults import default_strategies
from tests.material import fit, orthodont, sleepstudy

COLUMNS = [
    "strategy",
    "engine",
    "term",
    "estimate",
    "std_error",
    "df",
    "statistic",
    "p_value",
    "conf_low",
    "conf_high",
    "status",
    "message",
]


FOUR = ["cluster_robust", "two_stage", "mixed_maximal", "mixed_intercept"]


def rows(found: pd.DataFrame, strategy: str) -> pd.DataFrame:
    return found[found["strategy"] == strategy].set_index("term")


def test_a_row_per_strategy_and_term():
    found = analyze(sleepstudy(), "Reaction ~ Days", cluster="Subject")
    assert list(found.columns) == COLUMNS
    pairs = list(zip(found["strategy"], found["term"], strict=True))
    names = [entry["name"] for entry in default_strategies()]
    assert pairs == [(name, term) for name in names for term in ("(Intercept)", "Days")]
    assert set(found["engine"]) == {"numpy"}
    assert set(found["status"]) == {"ok"} and set(found["message"]) == {""}


def test_sleepstudy():
    found = analyze(sleepstudy(), "Reaction ~ Days", cluster="Subject", strategies=FOUR)
    # R 4.2: clubSandwich CR1S with t(17); lm per subject and t.test; lmerTest
    expected = {
        "cluster_robust": (1.55012491854642, 17, 3.38129827729275e-06),
        "two_stage": (1.54578889629473, 17, 3.26378807133186e-06),
        "mixed_maximal": (1.54578889288849, 17, 3.26378783e-06),
        "mixed_intercept": (0.804221428545719, 161, 6.412601e-27),
    }
    for name, (std_error, df, p) in expected.items():
        days = rows(found, name).loc["Days"]
        exact = not name.startswith("mixed")
        np.testing.assert_allclose(days["estimate"], 10.467285959596, rtol=1e-9)
        np.testing.assert_allclose(days["std_error"], std_error, rtol=1e-11 if exact else 1e-6)
        np.testing.assert_allclose(days["df"], df, rtol=1e-6)
        np.testing.assert_allclose(days["p_value"], p, rtol=1e-10 if exact else 1e-5)
    days = rows(found, "two_stage").loc["Days"]
    # qt(.975, 17) = 2.10981557783332
    half = 2.10981557783332 * 1.54578889629473
    limits = [10.467285959596 - half, 10.467285959596 + half]
    np.testing.assert_allclose([days["conf_low"], days["conf_high"]], limits, rtol=1e-11)


def test_orthodont_with_an_interaction_of_age_and_sex():
    found = analyze(orthodont(), "distance ~ age * nsex", cluster="Subject", strategies=FOUR)
    maximal = rows(found, "mixed_maximal")
    # lmerTest::lmer(distance ~ age * nsex + (age | Subject)), tight tolerances
    assert list(maximal.index) == ["(Intercept)", "age", "nsex", "age:nsex"]
    expected = {
        "estimate": [16.340625, 0.784375, 1.03210227272727, -0.304829545454545],
        "std_error": [1.01853184822194, 0.0859995106732804, 1.59573272989233, 0.134735339082078],
        "df": [25, 25, 25, 25],
        "p_value": [1.13731202711539e-14, 1.986219046e-09, 0.523663028030709, 0.0326138384674817],
    }
    for column, values in expected.items():
        rtol = 1e-4 if column == "p_value" else 1e-5
        np.testing.assert_allclose(maximal[column], values, rtol=rtol, err_msg=column)
    # (1 | Subject)
    intercept = rows(found, "mixed_intercept")
    std_error = [0.981312236680274, 0.0775011049183193, 1.53742080529747, 0.121420896103416]
    np.testing.assert_allclose(intercept["std_error"], std_error, rtol=1e-6)
    np.testing.assert_allclose(intercept["df"], [103.98636103, 79, 103.98636103, 79], rtol=1e-6)


def test_two_stage_regresses_the_clusters_intercepts_on_cluster_level_predictors():
    data = orthodont()
    found = rows(
        analyze(data, "distance ~ age + nsex", cluster="Subject", strategies=FOUR), "two_stage"
    )
    own = [np.polyfit(one["age"], one["distance"], 1)[::-1] for _, one in data.groupby("Subject")]
    intercepts, slopes = np.array(own).T
    sex = data.groupby("Subject")["nsex"].first()
    second = sm.OLS(intercepts, sm.add_constant(sex.to_numpy())).fit()
    assert list(found["status"]) == ["ok"] * 3

    order = ["(Intercept)", "nsex", "age"]
    means = [*second.params, slopes.mean()]
    errors = [*second.bse, slopes.std(ddof=1) / np.sqrt(27)]
    np.testing.assert_allclose(found.loc[order, "estimate"], means, rtol=1e-10)
    np.testing.assert_allclose(found.loc[order, "std_error"], errors, rtol=1e-10)
    assert list(found.loc[order, "df"]) == [25, 25, 26]


def test_clusters_that_two_stage_leaves_out_are_told():
    # R 4.2: lm(Reaction ~ Days) of the other 16 subjects, t.test of the slopes
    data = sleepstudy()
    cut = data["Subject"].map({1: 1, 2: 0}).fillna(9)
    found = rows(
        analyze(data[data["Days"] <= cut], "Reaction ~ Days", cluster="Subject", strategies=FOUR),
        "two_stage",
    )
    assert set(found["status"]) == {"ok"} and set(found["message"]) == {
        "2 of 18 clusters left out: 1 with fewer rows than the 2 coefficients, "
        "1 with as many rows as coefficients"
    }
    days = found.loc["Days"]
    numbers = days[["estimate", "std_error", "df", "p_value"]].astype(float)
    expected = [10.2740412121212, 1.49389928767387, 15, 5.25809588282177e-06]
    np.testing.assert_allclose(numbers, expected, rtol=1e-11)


def test_the_order_of_rows_does_not_matter():
    data = sleepstudy()
    mixed_up = data.sample(frac=1, random_state=3)
    one, other = (
        analyze(d, "Reaction ~ Days", cluster="Subject", strategies=FOUR) for d in (data, mixed_up)
    )
    numbers = ["estimate", "std_error", "df", "p_value", "conf_low", "conf_high"]
    np.testing.assert_allclose(other[numbers], one[numbers], rtol=1e-5)


def test_the_frame_is_not_changed():
    data = sleepstudy().sample(frac=1, random_state=3)
    before = data.copy()
    analyze(data, "Reaction ~ Days", cluster="Subject", strategies=FOUR)
    pd.testing.assert_frame_equal(data, before)


def test_entries_as_in_the_config():
    entry = {"strategy": "cluster_robust", "name": "CR2", "variance": "CR2", "df": "satterthwaite"}
    data = sleepstudy()
    found = analyze(data, "Reaction ~ Days", cluster="Subject", strategies=[entry, "two_stage"])
    assert list(found["strategy"]) == ["CR2", "CR2", "two_stage", "two_stage"]
    shard = design_from_table(data, "Reaction ~ Days", "Subject").shard
    expected = fit(shard, "cluster_robust", variance="CR2", df="satterthwaite")
    assert np.array_equal(found["std_error"][:2], expected.std_error[0])


def test_an_engine_for_the_strategies_that_have_it():
    found = analyze(
        sleepstudy(),
        "Reaction ~ Days",
        cluster="Subject",
        strategies=["cluster_robust", "mixed_intercept"],
        engine="statsmodels",
    )
    default = Strategy.parse("mixed_intercept").engine
    assert list(found["engine"]) == ["statsmodels"] * 2 + [default] * 2 != ["statsmodels"] * 4


def test_an_unknown_strategy_is_refused_before_anything_is_fitted():
    with pytest.raises(ConfigError, match="unknown strategy 'mixed_max'"):
        analyze(sleepstudy(), "Reaction ~ Days", cluster="Subject", strategies=["mixed_max"])


# --- what is wrong with the data ----------------------------------------------------------


@pytest.mark.parametrize("kind", ["text", "category"])
def test_the_names_of_clusters_do_not_matter(kind):
    """Clusters of unequal size, whose order as categories is not that of the alphabet."""
    rng = np.random.default_rng(3)
    sizes = {"low": 3, "mid": 10, "high": 30}
    group = np.repeat(list(sizes), list(sizes.values()))
    data = pd.DataFrame({"x": rng.normal(size=43), "number": np.repeat([0, 1, 2], [3, 10, 30])})
    data["y"] = data["x"] + data["number"] + rng.normal(size=43)
    data["group"] = pd.Categorical(group, [*sizes, "none"]) if kind == "category" else group
    data = data.sample(frac=1, random_state=1)
    strategies = ["cluster_robust", "two_stage", "mixed_intercept"]
    by_name = analyze(data, "y ~ x", cluster="group", strategies=strategies)
    by_number = analyze(data, "y ~ x", cluster="number", strategies=strategies)
    for column in ("estimate", "std_error", "df"):
        np.testing.assert_allclose(by_name[column], by_number[column], rtol=1e-6)


def test_a_seed_gives_the_draws_of_what_resamples_and_nothing_else():
    def found(**seed):
        strategies = ["wild_cluster_bootstrap", "two_stage"]
        return analyze(
            sleepstudy(), "Reaction ~ Days", cluster="Subject", strategies=strategies, **seed
        )

    first, again, other = found(), found(seed=0), found(seed=np.int64(7))
    pd.testing.assert_frame_equal(first, again, check_exact=True)
    pd.testing.assert_frame_equal(other, found(seed=7), check_exact=True)
    for name, same in (("wild_cluster_bootstrap", False), ("two_stage", True)):
        one, two = (table[table["strategy"] == name]["conf_low"] for table in (first, other))
        assert np.array_equal(one, two) is same
    # 18 clusters: 999 draws are near the share of many.
    many = analyze(
        sleepstudy(),
        "Reaction ~ Days",
        cluster="Subject",
        strategies={"strategy": "wild_cluster_bootstrap", "draws": 2**17},
    )
    days = first.iloc[1]
    assert abs(days["p_value"] - many["p_value"].iloc[1]) < 0.01
    np.testing.assert_allclose(
        days[["conf_low", "conf_high"]].astype(float),
        many.iloc[1][["conf_low", "conf_high"]].astype(float),
        rtol=0.1,
    )


@pytest.mark.parametrize("seed", [-1, 1.5, True, "1", None, 2**63])
def test_a_seed_is_a_whole_number(seed):
    with pytest.raises(ConfigError, match="^seed must be "):
        analyze(sleepstudy(), "Reaction ~ Days", cluster="Subject", seed=seed)
