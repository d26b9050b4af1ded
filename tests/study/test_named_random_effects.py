"""Studies with mixed models whose random effects are named."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from clustrategy.core.errors import ConfigError
from clustrategy.study.study import Study
from tests.conftest import SMALL

ENTRY = {"strategy": "mixed", "random": ["(Intercept)", "IV3"], "correlated": False}


def config(**grid: Any) -> dict[str, Any]:
    made = copy.deepcopy({**SMALL, "strategies": ["ols", ENTRY]})
    made["grid"] |= grid
    return made


def test_a_study_has_them():
    study = Study.from_config(config(predictors=[3, 4]))
    assert study.recipe.strategies[1] == {**ENTRY, "name": "mixed", "engine": "numpy"}
    assert study.strategies[1].options["random"] == ("(Intercept)", "IV3")


def test_a_coefficient_that_some_cells_do_not_have_is_refused_before_anything_runs():
    with pytest.raises(ConfigError) as refused:
        Study.from_config(config(predictors=[3, 2]), ["mine.yaml"])
    assert str(refused.value) == (
        "mine.yaml: strategies: strategy 'mixed': random must name coefficients of the model, "
        "found 'IV3' (did you mean 'IV2'?); the coefficients are (Intercept), IV1, IV2"
    )
