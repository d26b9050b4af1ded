"""An analysis as a user calls for it: its tables, its words, and what it refuses."""

from __future__ import annotations

import warnings

import numpy as np
import pandas as pd
import pytest
from scipy.stats import ttest_ind

from clustrategy import analyze
from clustrategy.core.errors import ClustrategyError, RowsLeftOut
from clustrategy.owndata.fit import fit
from tests.material import orthodont, sleepstudy


def test_the_tidy_table_is_that_of_analyze():
    data = sleepstudy()
    ours = fit(data, "Reaction ~ Days + (Days | Subject)").tidy()
    pd.testing.assert_frame_equal(ours, analyze(data, "Reaction ~ Days + (Days | Subject)"))
    assert list(ours["strategy"].unique()) == [
        "OLS CR2",
        "OLS wild bootstrap",
        "two-stage",
        "mixed as given Kenward-Roger",
        "mixed intercept CR2",
        "fixed effects CR2",
        "OLS CR1S",
        "OLS",
    ]


def test_glance_of_sleepstudy_is_lme4s():
    """lmer(Reaction ~ Days + (Days | Subject), sleepstudy), R 4.2, lme4 1.1-31."""
    row = fit(sleepstudy(), "Reaction ~ Days + (Days | Subject)").glance().iloc[3]
    assert (row["nobs"], row["clusters"], row["rows_left_out"]) == (180, 18, 0)
    np.testing.assert_allclose(row["reml_criterion"], 1743.628271866, rtol=1e-9)
    np.testing.assert_allclose(row["sigma"], 25.59182, rtol=1e-5)
    np.testing.assert_allclose(row["sd__(Intercept)"], 24.74045, rtol=1e-4)
    np.testing.assert_allclose(row["sd__Days"], 5.92214, rtol=1e-4)
    np.testing.assert_allclose(row["cor__(Intercept).Days"], 0.0656, atol=2e-4)
    np.testing.assert_allclose(row["theta"], [0.966742, 0.015169, 0.230910], atol=2e-5)
    assert row["singular"] is False or not row["singular"]


def test_random_effects_by_an_argument_are_those_of_a_bar():
    data = sleepstudy()
    by_bar = fit(data, "Reaction ~ Days + (0 + Days | Subject)").tidy()
    by_name = fit(data, "Reaction ~ Days", cluster="Subject", random="0 + Days").tidy()
    pd.testing.assert_frame_equal(by_bar, by_name)


def test_named_random_effects_go_to_the_strategies_that_take_them():
    options = {"strategies": ["mixed", "mixed_maximal"], "cluster": "Subject"}
    both = fit(sleepstudy(), "Reaction ~ Days", random="1 + Days", **options).tidy()
    (own, maximal) = (rows for _, rows in both.groupby("strategy", sort=False))
    columns = ["estimate", "std_error", "df", "p_value"]
    np.testing.assert_array_equal(own[columns], maximal[columns])


def test_an_analysis_prints_what_to_do_what_to_mind_and_every_term():
    analysis = fit(orthodont(), "distance ~ age * Sex + (age | Subject)")
    text = str(analysis)
    assert text == repr(analysis)
    title, advice, *_ = text.split("\n\n")
    assert title == "distance ~ age * Sex + (age | Subject), by Subject"
    assert advice.startswith("Go by OLS CR2; where others disagree, say so. Set aside: OLS (it")
    places = [text.index(part) for part in ("Go by", "- age:", "Mind:", "\n\nage\n", "108 rows in")]
    assert places == sorted(places)
    assert max(len(line) for line in text.split("\n\nage\n")[0].splitlines()) <= 88


def test_words_of_terms_follow_from_the_numbers():
    analysis = fit(sleepstudy(), "Reaction ~ Days", cluster="Subject")
    (only,) = analysis.summary.findings
    assert only == (
        "Days: 10.5 [7.2, 13.7], p < 0.001, by OLS CR2. The other 6 agree (10.5); 6 of all 7 are "
        "one computation here."
    )
    null = sleepstudy().assign(other=np.random.default_rng(4).normal(size=180))
    (only,) = fit(null, "Reaction ~ other", cluster="Subject").summary.findings
    assert ", by OLS CR2. The other 6 agree (" in only and "], p = 0." in only


def test_notebooks_show_tables_and_no_script():
    data = sleepstudy().rename(columns={"Days": "<b>Days & nights</b>"})
    html = fit(data, "Reaction ~ `<b>Days & nights</b>`", cluster="Subject")._repr_html_()
    assert "<table>" in html and "<b>" not in html and "&lt;b&gt;Days &amp; nights" in html


REFUSED = {
    "weights": ({"weights": "w"}, "^weights: no strategy takes them"),
    "random without a strategy": (
        {"random": "1", "strategies": ["ols"]},
        "no strategy takes them: add 'mixed'",
    ),
    "random as a list": ({"random": ["Days"]}, "^random must be random effects such as '1"),
    "random of no predictor": ({"random": "1 + x"}, "'x' needs the same term among the fixed"),
    "random with a bar": ({"random": "1 | Subject"}, "has? a '\\|'|have a '\\|'"),
    "small clusters": ({"small_clusters": "dorp"}, "small_clusters must be one of drop, refuse"),
    "no clusters": ({"cluster": None}, "does not say what the clusters are"),
    "near name": ({"cluster": "subject"}, r"no column 'subject' .*\(did you mean 'Subject'\?\)"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_is_refused_is_one_sentence(case):
    change, sentence = REFUSED[case]
    arguments = {"cluster": "Subject", **change}
    with pytest.raises(ClustrategyError, match=sentence) as caught:
        fit(sleepstudy(), "Reaction ~ Days", **arguments)
    assert "\n" not in str(caught.value)


def test_rows_left_out_are_warned_of_at_the_callers_line():
    data = sleepstudy().astype({"Days": float})
    data.loc[3, "Days"] = np.nan
    for call in (fit, analyze):
        with pytest.warns(RowsLeftOut, match="^1 of 180 rows") as caught:
            call(data, "Reaction ~ Days", cluster="Subject", strategies=["ols"])
        assert [warning.filename for warning in caught] == [__file__]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        fit(sleepstudy(), "Reaction ~ Days", cluster="Subject", strategies=["ols"])


def test_small_clusters_are_kept_or_refused_as_asked():
    data = sleepstudy()
    data = data[(data["Subject"] != data["Subject"][0]) | (data["Days"] < 2)]
    said = {
        how: fit(
            data,
            "Reaction ~ Days",
            cluster="Subject",
            strategies=["two_stage"],
            small_clusters=how,
        ).glance()
        for how in ("drop", "refuse")
    }
    assert said["drop"]["status"][0] == "ok" and "1 of 18" in said["drop"]["message"][0]
    assert said["refuse"]["status"][0] == "undefined"


def test_joint_tests_of_terms_with_one_coefficient_are_their_own_tests():
    analysis = fit(orthodont(), "distance ~ age * Sex", cluster="Subject")
    joint = analysis.joint_tests()
    tidy = analysis.tidy().set_index(["strategy", "term"])
    assert list(joint["term"].unique()) == ["age", "Sex", "age:Sex"]
    for row in joint.to_dict("records"):
        column = analysis.given.shard.terms[analysis.given.terms[row["term"]][0]]
        own = tidy.loc[(row["strategy"], column)]
        np.testing.assert_equal(row["p_value"], own["p_value"])
        np.testing.assert_equal(row["statistic"], own["statistic"] ** 2)
    # In a balanced design that of an interaction is the t test of the subjects' own slopes.
    data = orthodont()
    slopes = data.groupby(["Sex", "Subject"])[["age", "distance"]].apply(
        lambda one: np.polyfit(one["age"], one["distance"], 1)[0]
    )
    expected = ttest_ind(slopes["Male"], slopes["Female"])
    maximal = fit(data, "distance ~ age * Sex", cluster="Subject", strategies="mixed_maximal")
    interaction = maximal.joint_tests().set_index("term").loc["age:Sex"]
    found = interaction[["statistic", "den_df", "p_value"]].astype(float)
    np.testing.assert_allclose(found, [expected.statistic**2, 25, expected.pvalue], rtol=1e-5)


def test_a_factor_is_tested_by_all_of_its_coefficients():
    """Least squares: the F test of nested models, by hand."""
    data = orthodont().assign(age=lambda d: d["age"].astype(str))
    analysis = fit(data, "distance ~ age + Sex", cluster="Subject", strategies=["ols"])
    row = analysis.joint_tests().set_index("term").loc["age"]
    y = data["distance"].to_numpy()
    residual_ss = []
    for columns in (["age", "Sex"], ["Sex"]):
        X = pd.get_dummies(data[columns], drop_first=True).to_numpy(float)
        X = np.column_stack([np.ones(len(y)), X])
        residual_ss.append(((y - X @ np.linalg.lstsq(X, y, rcond=None)[0]) ** 2).sum())
    full, small = residual_ss
    np.testing.assert_allclose(row["statistic"], (small - full) / 3 / (full / 103), rtol=1e-9)
    assert (row["num_df"], row["den_df"]) == (3, 103)
    assert "age: all its coefficients together" in str(analysis)
