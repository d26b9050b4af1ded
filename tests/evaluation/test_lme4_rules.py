from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from clustrategy.core.errors import EngineError
from clustrategy.engines import lme4
from clustrategy.evaluation.lme4_rules import failures
from tests.material import fit, golden

# status, optimizer, gradient, Hessian; failed up to 1.1-18, failed from 1.1-19 on
CASES = [
    ("ok", 0, 0, 0, False, False),
    ("singular", 0, 0, 0, False, True),
    ("singular", 0, 1, 0, True, True),
    ("singular", 0, 0, 1, True, True),
    ("not_converged", 1, 0, 0, True, True),
    ("not_converged", 0, 1, 0, True, True),
    ("not_converged", 0, 0, 1, True, True),
    ("undefined", 0, 0, 0, True, True),
    ("error", 0, 0, 0, True, True),
]
COLUMNS = ["status", "optimizer_warning", "gradient_warning", "hessian_warning"]


@pytest.mark.parametrize(("rule", "failed"), [("<=1.1-18", "older"), (">=1.1-19", "newer")])
def test_each_kind_of_fit(rule, failed):
    fits = pd.DataFrame(CASES, columns=[*COLUMNS, "older", "newer"])
    found = failures({column: fits[column].to_numpy() for column in COLUMNS}, rule)
    assert found.dtype == bool and found.tolist() == fits[failed].tolist()
    assert np.array_equal(failures(fits, rule), found)


@pytest.mark.lme4
@pytest.mark.parametrize(
    ("name", "older"), [("balanced-30x5-0.1", True), ("sleepstudy-unbalanced", False)]
)
def test_fits_of_lme4(name, older):
    """The first is singular short of the optimum, where the gradient check complains."""
    try:
        lme4.check()
    except EngineError as error:
        pytest.skip(str(error))
    found = fit(golden(name), "mixed_maximal", engine="lme4")
    assert failures(vars(found), "<=1.1-18").tolist() == [older]
    assert failures(vars(found), ">=1.1-19").tolist() == [found.status[0] != "ok"]
