"""Designs without a closed form."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from clustrategy.verification.cells import arms, has_one_predictor
from clustrategy.verification.expected import expectations
from tests.verification.studies import BETWEEN, STRATEGIES


@pytest.mark.parametrize(
    "change",
    [
        {"size_cv": 0.5},
        {"residual_distribution": "t"},
        {"intercept_slope_correlation": 0.3},
        {"treatment": "none"},
        {"predictors": 3, "coefficients": [0, 0, 0, 0]},
        {"coefficients": {"uniform": [0, 1]}},
        {"treatment": "within", "sigma_ratios": [1, 0, 1]},
    ],
)
def test_other_designs_have_no_closed_form(change: dict[str, Any]) -> None:
    process = replace(BETWEEN, **change)
    assert arms(process) is None
    assert not has_one_predictor(process)
    assert not list(expectations(process, STRATEGIES[0]))
