"""Designs read from tables: categories, missing values, labels of clusters, transformations."""

from __future__ import annotations

import warnings

import numpy as np
import pandas as pd
import pytest

from clustrategy import analyze
from clustrategy.core.errors import DataError, RowsLeftOut
from clustrategy.design.from_table import design_from_table
from tests.material import GOLDEN, golden, orthodont, sleepstudy

# coef(lm(...)) of R 4.2, which takes the first level as the reference
TREATMENT = {
    "distance ~ age + Sex": [15.3856902356902, 0.660185185185185, 2.32102272727273],
    "distance ~ C(age) * Sex": [
        21.1818181818182,
        1.04545454545454,
        1.90909090909091,
        2.90909090909091,
        1.69318181818182,
        -0.107954545454544,
        0.934659090909088,
        1.68465909090909,
    ],
}


@pytest.mark.parametrize("formula", TREATMENT)
def test_categories_are_coded_as_rs_treatment_contrasts(formula):
    found = analyze(orthodont(), formula, cluster="Subject", strategies=["ols"])
    np.testing.assert_allclose(found["estimate"], TREATMENT[formula], rtol=1e-11)


def test_the_first_level_of_a_categorical_column_is_the_reference():
    sex = pd.Categorical(orthodont()["Sex"], categories=["Male", "Female"])
    data = orthodont().assign(Sex=sex)
    found = analyze(data, "distance ~ age * Sex", cluster="Subject", strategies=["ols"])
    expected = [16.340625, 0.784375, 1.03210227272727, -0.304829545454545]
    np.testing.assert_allclose(found["estimate"], expected, rtol=1e-11)


def test_levels_that_no_row_has_are_left_out_as_r_does():
    sex = pd.Categorical(orthodont()["Sex"], categories=["Male", "Other", "Female"])
    data = orthodont().assign(Sex=sex)
    found = analyze(data, "distance ~ Sex", cluster="Subject", strategies=["ols"])
    np.testing.assert_allclose(found["estimate"], [24.96875, -2.32102272727273], rtol=1e-12)


def test_categories_in_a_mixed_model():
    # lmer(distance ~ factor(age) + Sex + (1 | Subject)), tight tolerances: SE and df
    found = analyze(
        orthodont(), "distance ~ C(age) + Sex", cluster="Subject", strategies=["mixed_intercept"]
    )
    std_error = [0.633477749927479, *[0.392377962657439] * 3, 0.761416849393553]
    np.testing.assert_allclose(found["std_error"], std_error, rtol=1e-6)
    np.testing.assert_allclose(found["df"], [33.8025712613088, 78, 78, 78, 25], rtol=1e-5)


def test_rows_with_a_missing_value_in_the_model_are_left_out():
    data = sleepstudy()
    # 1-based c(seq(3, 180, 7), 1:4, 55:58)
    gone = sorted({*range(2, 180, 7), *range(4), *range(54, 58)})
    data["other"] = np.nan
    data["Subject"] = data["Subject"].astype(float)
    for place, row in enumerate(gone):
        data.loc[row, ["Reaction", "Days", "Subject"][place % 3]] = np.nan
    design = design_from_table(data, "Reaction ~ Days", "Subject")
    assert (design.rows_read, design.rows_left_out) == (180, 33)
    assert design.left_out == {"Days": 11, "Reaction": 11, "Subject": 11}
    shard = design.shard
    expected = golden("sleepstudy-unbalanced")
    assert np.array_equal(shard.y, expected.y) and np.array_equal(shard.X, expected.X)
    assert np.array_equal(shard.n, expected.n)
    with pytest.warns(RowsLeftOut, match="in Days, Reaction, Subject$") as caught:
        found = analyze(data, "Reaction ~ Days", cluster="Subject", strategies=["cluster_robust"])
    assert [warning.filename for warning in caught] == [__file__], "it points to the caller"
    golden_se = GOLDEN["sleepstudy-unbalanced"]["robust"]["CR1S"]["std_error"]
    np.testing.assert_allclose(found["std_error"], golden_se, rtol=1e-11)


def test_clusters_may_have_any_labels():
    data = sleepstudy()
    names = np.array([f"subject {k}" for k in np.random.default_rng(1).permutation(18)])
    data = data.assign(Subject=names[data["Subject"] - 1])
    found = analyze(data, "Reaction ~ Days", cluster="Subject", strategies=["cluster_robust"])
    expected = GOLDEN["sleepstudy"]["robust"]["CR1S"]["std_error"]
    np.testing.assert_allclose(found["std_error"], expected, rtol=1e-11)


def test_a_categorical_cluster_column_with_unused_levels():
    data = sleepstudy()
    subject = pd.Categorical(data["Subject"], categories=range(25))
    shard = design_from_table(data.assign(Subject=subject), "Reaction ~ Days", "Subject").shard
    assert shard.n.tolist() == [[10] * 18]


def test_without_an_intercept():
    found = analyze(sleepstudy(), "Reaction ~ 0 + Days", cluster="Subject", strategies=["ols"])
    assert list(found["term"]) == ["Days"]
    data = sleepstudy()
    slope = (data["Days"] @ data["Reaction"]) / (data["Days"] @ data["Days"])
    np.testing.assert_allclose(found["estimate"], slope, rtol=1e-13)


def test_transformations():
    found = analyze(
        sleepstudy(), "np.log(Reaction) ~ I(Days**2)", cluster="Subject", strategies=["ols"]
    )
    data = sleepstudy()
    slope = np.polynomial.Polynomial.fit(data["Days"] ** 2, np.log(data["Reaction"]), 1)
    np.testing.assert_allclose(found["estimate"], slope.convert().coef, rtol=1e-11)


@pytest.mark.parametrize(
    ("formula", "cluster", "sentence"),
    [
        ("Reaction ~ Days", "Person", "the data have no column 'Person' for the clusters; they"),
        ("Reaction ~ Dais", "Subject", "the data have no column 'Dais', which 'Reaction ~ Dais'"),
        ("React ~ Days", "Subject", "the data have no column 'React', which 'React ~ Days' uses"),
        ("Days", "Subject", "the formula 'Days' has no response: expected 'y ~ x'"),
        ("~ Days", "Subject", "the formula '~ Days' has no response: expected 'y ~ x'"),
        ("Reaction ~ Days +", "Subject", r"the formula 'Reaction ~ Days \+' cannot be used: "),
        ("Reaction ~ (Days", "Subject", r"the formula 'Reaction ~ \(Days' cannot be used: "),
        ("", "Subject", "the formula ''"),
        ("text ~ Days", "Subject", "the response of 'text ~ Days' must be one column of numbers"),
        (
            "Reaction ~ stray",
            "Subject",
            "'stray' of the data must hold numbers, .* 'many' in row 7",
        ),
        ("Reaction ~ empty", "Subject", "no row of the data has a value in every column"),
        ("Reaction ~ Days + (1 | Subject) | text", "Subject", "which must be added by"),
        ("Reaction ~ Days | text", "Subject", r"the formula 'Reaction ~ Days \| text'"),
        ("Reaction ~ nothing(Days)", "Subject", "'nothing' is no function that a formula can call"),
    ],
)
def test_what_cannot_be_used_is_said_in_one_sentence(formula, cluster, sentence):
    data = sleepstudy().assign(text="abc", empty=np.nan)
    data.loc[::2, "text"] = "def"
    data.loc[::3, "text"] = "ghi"
    data["stray"] = data["Days"].astype(str).mask(data.index == 7, "many")
    with pytest.raises(DataError, match=sentence) as caught:
        analyze(data, formula, cluster=cluster)
    assert str(caught.value).isprintable()


def test_an_empty_table():
    with pytest.raises(DataError, match="no row of the data has a value"):
        analyze(sleepstudy().iloc[:0], "Reaction ~ Days", cluster="Subject")


def test_whoever_takes_warnings_for_errors_is_told_which_rows_lack_values():
    data = sleepstudy()
    data.loc[3, "Days"] = np.nan
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with pytest.raises(RowsLeftOut, match="^1 of 180 rows .* no value in Days$"):
            analyze(data, "Reaction ~ Days", cluster="Subject", strategies=["ols"])
