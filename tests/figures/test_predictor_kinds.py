"""Which slopes are taken together."""

from __future__ import annotations

import pandas as pd
import pytest

from clustrategy.dgp.kinds import kind
from clustrategy.figures.parts.performance import by_kind
from clustrategy.figures.parts.study import Study
from tests.figures.drawn import figure_of, text_of
from tests.figures.tables import CLUSTER_LEVEL, DGP, STUDY, WITHIN, make_performance

ARM = "treatment of whole clusters"


@pytest.mark.parametrize(
    ("settings", "kinds"),
    [
        ({}, [WITHIN] * 3),
        ({"predictor_icc": 1}, [CLUSTER_LEVEL] * 3),
        ({"predictor_icc": [0, 0.3, 1]}, [WITHIN, "predictor with ICC 0.3", CLUSTER_LEVEL]),
        ({"treatment": "between"}, [WITHIN, WITHIN, ARM]),
        ({"treatment": "within", "arms": 3}, [WITHIN] + 2 * ["treatment within clusters"]),
        ({"endogeneity": 0.4}, [f"{WITHIN}, endogenous", WITHIN, WITHIN]),
        ({"missing_rate": 0.1}, [f"{WITHIN}, rows missing by it", WITHIN, WITHIN]),
        ({"missing_rate": 0.1, "missing_mechanism": "MCAR"}, [WITHIN] * 3),
        ({"predictor_distribution": "binary"}, [WITHIN] * 3),
        (
            {"predictor_distribution": "normal,binary", "treatment": "between"},
            [f"{WITHIN}, normal", f"{WITHIN}, binary", ARM],
        ),
        ({"sigma_ratios": [1, 1, 1, 1]}, [WITHIN] * 3),
        ({"sigma_ratios": [1, 0, 1, 1], "predictor_icc": 1}, [CLUSTER_LEVEL] * 3),
        ({"predictor_icc": "0,1,0.3"}, [WITHIN, CLUSTER_LEVEL, "predictor with ICC 0.3"]),
        ({"predictor_icc": [1, 0], "treatment": "between"}, [CLUSTER_LEVEL, WITHIN, ARM]),
        (
            {"sigma_ratios": "1,1,0,0.5"},
            [f"{WITHIN}, slope's sigma × {ratio}" for ratio in ("1", "0", "0.5")],
        ),
        ({"slope_sd": 0.3}, [WITHIN] * 3),
        (
            {"slope_sd": [0.3, 0.5, 0.1], "predictor_icc": [0, 1, 0]},
            [f"{WITHIN}, slope's SD 0.3", CLUSTER_LEVEL, f"{WITHIN}, slope's SD 0.1"],
        ),
    ],
)
def test_predictors_are_of_a_kind_if_they_differ_by_chance_alone(settings, kinds):
    unset = {
        "predictors": 3,
        "treatment": "none",
        "arms": 2,
        "predictor_icc": 0,
        "sigma_ratios": None,
        "slope_sd": None,
        "endogeneity": 0,
        "missing_rate": 0,
        "missing_mechanism": "MAR",
        "predictor_distribution": "normal",
    }
    assert [kind(f"IV{k}", {**unset, **settings}) for k in (1, 2, 3)] == kinds


def test_a_factor_decides_the_kind_cell_by_cell():
    table = pd.concat([make_performance().assign(treatment=t) for t in ("between", "none")])
    values = by_kind(
        table, "coverage", Study([*STUDY, "treatment"], [], {"dgp": {"predictors": 3}})
    )
    kinds = {t: set(rows["kind"]) for t, rows in values.groupby("treatment")}
    assert kinds == {"between": {WITHIN, ARM}, "none": {WITHIN}}


def test_alike_slopes_are_a_mean_with_the_largest_error_that_it_can_have():
    table = make_performance()
    dgp = {**DGP, "predictor_icc": 0}
    values = by_kind(table, "bias", Study(STUDY, [], {"dgp": dgp}))
    assert set(values["kind"]) == {WITHIN} and set(values["terms"]) == {3}
    rows = table[(table["measure"] == "bias") & (table["handling"] == "case_wise")]
    mean = rows[rows["term"] != "(Intercept)"].groupby([*STUDY, "strategy"])[["value", "mcse"]]
    expected = mean.mean()
    ours = values.set_index([*STUDY, "strategy"])[["value", "mcse"]]
    pd.testing.assert_frame_equal(ours.sort_index(), expected.sort_index())
    assert "Of alike predictors marks are means" in text_of(figure_of("bias", table, dgp=dgp))
    assert "Of alike" not in text_of(figure_of("bias", table[table["term"] != "IV2"]))
