"""The design of a study, written from its config."""

from __future__ import annotations

from dataclasses import fields
from typing import Any

import pytest

from clustrategy.dgp import Process
from clustrategy.evaluation.wording import Wording
from clustrategy.report.design import Conduct, conduct, design
from clustrategy.report.process import FACTORS, SENTENCES, in_words
from tests.report.pages import study_of

OPTIONS = {field.name for field in fields(Process)}
CELL = {"clusters", "obs_per_cluster", "between_cluster_sigma"}


def conducted(**config: Any) -> Conduct:
    return conduct(study_of(**config), Wording())


def test_every_option_of_the_process_has_words() -> None:
    assert set(FACTORS) == {*OPTIONS, "mechanism"}
    together = {"treatment", "arms", "treated", "missing_rate", "missing_mechanism"}
    assert {*SENTENCES, *CELL, "predictors", *together} == OPTIONS


@pytest.mark.parametrize(
    ("option", "value", "sentence"),
    [
        (
            "coefficients",
            {"uniform": [-1, 1]},
            "The true coefficients are drawn anew for every dataset, uniformly between -1 and 1.",
        ),
        (
            "coefficients",
            [0, 0.5],
            "The true coefficients are 0 for the intercept and 0.5 for IV1.",
        ),
        ("residual_sigma", 2.0, "The errors have a standard deviation of 2."),
        (
            "sigma_ratios",
            [1, 0, 0.5],
            "The coefficients' standard deviations between clusters are the cell's times 1 for the "
            "intercept, 0 for IV1 and 0.5 for IV2.",
        ),
        (
            "icc",
            0.1,
            "The intercepts' variance is 10 % of its sum with the errors' variance.",
        ),
        ("slope_sd", 0.3, "The slopes have a standard deviation of 0.3 between clusters."),
        (
            "slope_sd",
            [0, 0.3],
            "The slopes' standard deviations between clusters are 0 for IV1 and 0.3 for IV2.",
        ),
        (
            "intercept_slope_correlation",
            -0.3,
            "A cluster's intercept correlates by -0.3 with each of its slopes.",
        ),
        ("predictor_correlation", 0.3, "Any two predictors correlate by 0.3."),
        ("predictor_icc", 0.1, "A share of 0.1 of each predictor's variance is between clusters."),
        (
            "predictor_icc",
            [0, 1],
            "The share of a predictor's variance that is between clusters is 0 for IV1 and 1 for "
            "IV2.",
        ),
        (
            "predictor_distribution",
            "uniform",
            "Predictors that are no treatment arms are uniform.",
        ),
        (
            "predictor_distribution",
            ["normal", "binary"],
            "As to their distributions, IV1 is normal and IV2 is -1 or 1, each with probability "
            "0.5.",
        ),
        ("size_cv", 0.5, "Clusters differ in size, with a coefficient of variation of 0.5."),
        ("informative_size", 0.2, "A cluster's size correlates by 0.2 with its intercept."),
        ("size_distribution", "pareto", "The clusters' sizes follow a Pareto distribution."),
        (
            "residual_distribution",
            "t",
            "The errors follow a t distribution with 5 degrees of freedom.",
        ),
        (
            "random_distribution",
            "contaminated",
            "The clusters' deviations follow a contaminated normal distribution (10% of the draws "
            "have 3 times the standard deviation).",
        ),
        (
            "residual_variance_cv",
            1.0,
            "Clusters differ in their error variance, with a coefficient of variation of 1.",
        ),
        (
            "residual_autocorrelation",
            0.4,
            "The errors of neighbouring rows of a cluster correlate by 0.4.",
        ),
        (
            "intercept_variance_ratio",
            4,
            "The intercepts of treated clusters have 4 times the variance of the others.",
        ),
        (
            "residual_variance_ratio",
            0.5,
            "The errors of the treated arm have 0.5 times the variance of the other's.",
        ),
        (
            "hidden_slope_sd",
            0.3,
            "The slope of a covariate that no model has differs between clusters, with a standard "
            "deviation of 0.3.",
        ),
        ("estimand", "persons", "The true coefficients are averages over persons."),
        ("endogeneity", 0.5, "IV1 correlates by 0.5 with the cluster's intercept."),
        (
            "missing_rate",
            0.1,
            "10 % of the rows are missing at random, the more the larger IV1.",
        ),
    ],
)
def test_an_option_is_said_unless_the_grid_sets_it(option: str, value: Any, sentence: str) -> None:
    assert in_words({option: value}, []) == [sentence]
    assert in_words({option: value}, [option]) == []


@pytest.mark.parametrize("option", sorted(OPTIONS - CELL - {"predictors", "coefficients"}))
def test_nothing_is_said_of_an_option_at_its_default(option: str) -> None:
    defaults = {field.name: field.default for field in fields(Process)}
    if option != "residual_sigma":
        assert in_words({option: defaults[option]}, []) == []


@pytest.mark.parametrize(
    ("dgp", "varied", "said"),
    [
        (
            {"treatment": "between"},
            [],
            "The last predictor is the dummy of a treatment with 2 arms, which is given to whole "
            "clusters.",
        ),
        (
            {"treatment": "within", "arms": 3},
            [],
            "The last 2 predictors are dummies of a treatment with 3 arms, which is given to rows "
            "within clusters.",
        ),
        (
            {"treatment": "between", "treated": 3},
            [],
            "The last predictor is the dummy of a treatment with 2 arms, which is given to 3 of "
            "the clusters.",
        ),
        (
            {"treatment": "within", "treated": 0.25},
            [],
            "The last predictor is the dummy of a treatment with 2 arms, which is given to a share "
            "of 0.25 of the rows of each cluster.",
        ),
        (
            {"treated": 3},
            [],
            "Of clusters, or of the rows of each where they are treated, 3 are treated.",
        ),
        (
            {"treatment": "between"},
            ["treated"],
            "The last predictor is the dummy of a treatment with 2 arms, which is given to whole "
            "clusters.",
        ),
        (
            {"treatment": "within"},
            ["arms"],
            "The last predictors are dummies of a treatment given to rows within clusters.",
        ),
        (
            {"arms": 3},
            ["treatment"],
            "Where there is a treatment it has 3 arms, and the last predictors are dummies.",
        ),
    ],
)
def test_a_treatment_is_one_sentence(dgp: dict[str, Any], varied: list[str], said: str) -> None:
    assert in_words(dgp, varied) == [said]


@pytest.mark.parametrize(
    ("mechanism", "varied", "said"),
    [
        ("MAR", [], ["20 % of the rows are missing at random, the more the larger IV1."]),
        ("MCAR", [], ["20 % of the rows are missing completely at random."]),
        ("MCAR", ["missing_rate"], ["Rows are missing completely at random."]),
        ("MCAR", ["missing_mechanism"], ["20 % of the rows are missing."]),
        ("MCAR", ["missing_rate", "missing_mechanism"], []),
    ],
)
def test_missing_rows_are_one_sentence(mechanism: str, varied: list[str], said: list[str]) -> None:
    dgp = {"missing_rate": 0.2, "missing_mechanism": mechanism}
    assert in_words({name: dgp[name] for name in dgp if name not in varied}, varied) == said


def test_the_monte_carlo_errors_are_those_of_a_share() -> None:
    found = conducted(sims=400, performance={"alpha": 0.1})
    errors = {measure.name: measure.error for measure in found.measures}
    # sqrt(.1 × .9 / 400) = .015, sqrt(.95 × .05 / 400) = .0109, sqrt(.25 / 400) = .025
    assert errors["false-positive rate"] == "1.5 points at 10 %"
    assert errors["coverage"] == "1.1 points at 95 %"
    assert errors["power"] == "2.5 points at 50 %"


def test_the_regions_are_those_of_the_config() -> None:
    found = conducted(performance={"alpha": 0.01}, verdict={"upper": 1.2})
    said = dict(found.verdict)
    assert said["conservative"] == "the false-positive rate is below 0.5 %"
    assert said["holds"] == "it is from 0.5 % to 1.2 %"
    assert said["slightly liberal"] == "it is from 1.2 % to 1.5 %"
    assert said["safe"].startswith("the one-sided upper 95 % limit of the rate is at most 1.2 %")


def test_aims_estimands_methods_and_sims() -> None:
    found = design(study_of())
    assert found.aims.startswith("To find out which of 3 strategies")
    assert found.estimands == [
        ("intercept", "(Intercept)"),
        ("predictor within clusters", "IV1, IV2"),
    ]
    one = {"strategies": ["ols"], "grid": {**study_of().config["grid"], "clusters": [9]}}
    assert design(study_of(**one)).aims.startswith("To find out whether a strategy")
    assert conducted(**one).sims == "100 datasets of one cell"
    found = conducted()
    assert [method.label for method in found.methods] == ["two_stage", "ols", "maximal"]
    assert [method.in_figures for method in found.methods] == ["two-stage", "OLS", "maximal"]
    assert found.methods[1].options == ""
    assert "df: satterthwaite" in found.methods[2].options
    assert found.sims == "200 datasets (100 in each of 2 cells)"


@pytest.mark.parametrize(
    ("config", "said"),
    [
        ({}, "means over clusters, not over rows"),
        ({"dgp": {"estimand": "persons"}}, "means over rows, not over clusters"),
        ({"grid": {"estimand": ["clusters", "persons"]}}, "where the estimand is persons"),
    ],
)
def test_what_the_true_coefficients_are_averages_over(config: dict[str, Any], said: str) -> None:
    usual = study_of().config
    both = {section: usual[section] | options for section, options in config.items()}
    assert said in design(study_of(**both)).estimand


def test_the_model_says_how_clusters_differ() -> None:
    grid = {"clusters": [9], "obs_per_cluster": [4]}
    by_sigma, by_icc = (
        design(study_of(grid={**grid, **spread})).model[0]
        for spread in ({"between_cluster_sigma": [1]}, {"icc": [0.1], "slope_sd": [0, 0.3]})
    )
    assert "b = β + between_cluster_sigma × z. The deviations" in by_sigma
    assert "τ is residual_sigma √(icc / (1 − icc)) for the intercept and slope_sd" in by_icc


def test_how_unusable_fits_are_handled() -> None:
    assert "where its status is “ok” or “singular”." in conducted().unusable
    found = conducted(performance={"usable": ["ok"], "fallback": "maximal"}).unusable
    assert "where its status is “ok”." in found
    assert "with the numbers of maximal in place" in found
