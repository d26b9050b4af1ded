"""Which options go together: what is refused, and what is not although it is near."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from clustrategy.dgp import Process, simulate

PLAIN = Process(6, 4, 0.5, 2, {"uniform": [0, 1]}, 1.0)


@pytest.mark.parametrize(
    "options",
    [
        {"coefficients": {"uniform": [1, 1]}},
        {"coefficients": [0, 1, 2]},
        {"sigma_ratios": [1, 0, 2]},
        {"between_cluster_sigma": None, "icc": 0.0},
        {"between_cluster_sigma": None, "icc": 0.99, "slope_sd": [0, 2]},
        {"endogeneity": 0.5, "treatment": "between"},
        {"endogeneity": 0.5, "predictors": 3, "arms": 3, "treatment": "within"},
        {"missing_rate": 0.5, "predictors": 1, "treatment": "between"},
        {"missing_rate": 0.5, "predictors": 3, "arms": 3, "treatment": "between"},
        {"missing_rate": 0.5, "missing_mechanism": "MCAR", "arms": 3, "treatment": "between"},
        {"missing_rate": 0.5, "missing_mechanism": "MCAR", "predictors": 0, "coefficients": [0]},
        {"predictors": 5, "arms": 6, "treatment": "between"},
        {"predictors": 3, "arms": 4, "treatment": "within"},
        {"predictor_icc": [0.2, 0.3]},
        {"predictor_icc": [0.2], "treatment": "between"},
        {"predictor_correlation": -0.99},
        {"predictor_correlation": -0.99, "predictors": 1},
        {"predictor_correlation": -0.49, "predictors": 3},
        {"predictor_correlation": -0.99, "predictors": 3, "treatment": "between"},
        {"treatment": "between", "treated": 1},
        {"treatment": "between", "treated": 5, "intercept_variance_ratio": 4.0},
        {"treatment": "within", "treated": 0.125, "residual_variance_ratio": 0.25},
        {"treated": 3, "intercept_variance_ratio": 4.0, "residual_variance_ratio": 4.0},
        {"predictor_correlation": -0.49, "hidden_slope_sd": 0.1},
        {"predictor_correlation": -0.99, "hidden_slope_sd": 0.1, "predictors": 1},
        {"predictor_distribution": ["normal", "binary"], "endogeneity": 0.3},
        {"predictor_distribution": "uniform", "hidden_slope_sd": 0.3},
        {"predictor_distribution": "binary", "predictor_correlation": 0.99},
        {"predictor_distribution": ["uniform", "binary"], "predictor_correlation": 0.86},
        {"predictor_distribution": ["binary"], "treatment": "between"},
        {"size_cv": 0.5, "obs_per_cluster": 2},
        {"size_cv": 0.1, "informative_size": -1},
    ],
)
def test_options_at_the_edge_go_together(options: dict[str, Any]) -> None:
    process = replace(PLAIN, **options)
    assert process.conflict is None
    assert simulate(process, 1, {}, [0]).shard.finite.all()


@pytest.mark.parametrize(
    ("options", "option", "sentence"),
    [
        (
            {"coefficients": {"uniform": [1, 0.5]}},
            "coefficients.uniform",
            "must be [low, high], found [1, 0.5]",
        ),
        (
            {"coefficients": [0, 1]},
            "coefficients",
            "must be 3 values for 2 predictors (intercept first), found 2",
        ),
        (
            {"sigma_ratios": [1, 1, 1, 1]},
            "sigma_ratios",
            "must be 3 values for 2 predictors (intercept first), found 4",
        ),
        (
            {"between_cluster_sigma": None},
            "between_cluster_sigma",
            "is not given, nor is an icc in its place",
        ),
        (
            {"between_cluster_sigma": None, "icc": 0.1, "slope_sd": [0.1]},
            "slope_sd",
            "must be one number or 2, one for each predictor, found 1",
        ),
        (
            {"endogeneity": -0.5, "predictors": 1, "treatment": "between"},
            "endogeneity",
            "needs an IV1 that is not a treatment arm: one predictor more",
        ),
        (
            {"missing_rate": 0.1, "arms": 3, "treatment": "between"},
            "missing_rate",
            "needs two arms or an IV1 that is not a treatment arm: one predictor more",
        ),
        (
            {"predictors": 1, "arms": 3, "treatment": "between"},
            "arms",
            "of a treatment need 2 predictors for 3 arms, found 1",
        ),
        (
            {"predictors": 6, "arms": 7, "treatment": "between"},
            "arms",
            "must be at most clusters where the treatment is between clusters, found 7 arms for 6",
        ),
        (
            {"predictors": 4, "arms": 5, "treatment": "within"},
            "arms",
            "must be at most obs_per_cluster where the treatment is within clusters, "
            "found 5 arms for 4",
        ),
        (
            {"treated": 1, "treatment": "between", "arms": 3},
            "treated",
            "needs a treatment of two arms, found 3",
        ),
        (
            {"intercept_variance_ratio": 4.0, "treatment": "within"},
            "intercept_variance_ratio",
            "needs a treatment between clusters; an effect within clusters that differs between "
            "them has a slope_sd",
        ),
        (
            {"treated": 6, "treatment": "between"},
            "treated",
            "must leave units in both arms, found 6, which is 6 of the 6 clusters",
        ),
        (
            {"treated": 0.1, "treatment": "within"},
            "treated",
            "must leave units in both arms, found 0.1, which is 0 of the 4 rows of a cluster",
        ),
        (
            {"predictor_icc": [0.2, 0.3], "treatment": "within"},
            "predictor_icc",
            "must be one number or 1, one for each predictor that is not a treatment arm, found 2",
        ),
        (
            {"predictor_correlation": -0.5, "predictors": 3},
            "predictor_correlation",
            "must be greater than -0.5 for 3 predictors that are not treatment arms, found -0.5",
        ),
        (
            {"predictor_correlation": -1.0},
            "predictor_correlation",
            "must be greater than -1 for 2 predictors that are not treatment arms, found -1.0",
        ),
        (
            {"predictor_correlation": -0.5, "hidden_slope_sd": 0.1},
            "predictor_correlation",
            "must be greater than -0.5 for 2 predictors that are not treatment arms and a hidden "
            "covariate, found -0.5",
        ),
        # A binary and a uniform variable correlate by at most sqrt(3) / 2, in any way.
        (
            {"predictor_distribution": ["uniform", "binary"], "predictor_correlation": 0.87},
            "predictor_correlation",
            "is out of reach for predictors of this predictor_distribution and predictor_icc, "
            "found 0.87",
        ),
        (
            {"predictor_distribution": ["binary"]},
            "predictor_distribution",
            "must be one distribution or 2, one for each predictor that is not a treatment arm, "
            "found 1",
        ),
        (
            {"predictor_distribution": "binary", "endogeneity": 0.1},
            "endogeneity",
            "needs a normal IV1, found a binary one",
        ),
        (
            {
                "predictor_distribution": ["normal", "binary"],
                "predictor_correlation": 0.1,
                "hidden_slope_sd": 1.0,
            },
            "hidden_slope_sd",
            "needs normal predictors where there is a predictor_correlation",
        ),
        (
            {"size_cv": 0.5, "obs_per_cluster": 1},
            "size_cv",
            "above 0 needs obs_per_cluster of at least 2, found 1",
        ),
        (
            {"informative_size": 0.5},
            "informative_size",
            "needs clusters that differ in size: a size_cv above 0",
        ),
    ],
)
def test_options_that_do_not_go_together(
    options: dict[str, Any], option: str, sentence: str
) -> None:
    assert replace(PLAIN, **options).conflict == (option, sentence)
