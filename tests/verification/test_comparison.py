"""What is known beside what was found: its Monte Carlo errors, what is lost, what is rough."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from clustrategy.core.errors import DataError
from clustrategy.dgp import Process
from clustrategy.verification.cells import Cell
from clustrategy.verification.comparison import approximate, errors, exact
from clustrategy.verification.judgement import judge
from tests.verification.studies import CELLS, SIMS, STRATEGIES, study, verdicts


def test_the_monte_carlo_errors_are_those_of_the_closed_forms() -> None:
    keys = ["treatment", "strategy", "term", "measure"]
    table = exact(CELLS, STRATEGIES, study()).set_index(keys)
    rate = table.loc[("within", "CR1", "IV1", "rejection_rate")]
    assert rate["expected"] == pytest.approx(0.05)
    assert rate["mcse"] == pytest.approx(np.sqrt(0.05 * 0.95 / SIMS))
    # Of 15 clusters' own differences, each with variance 1 + 2/2.
    spread = table.loc[("within", "ols", "IV1", "empirical_se")]
    assert spread["expected"] == pytest.approx(np.sqrt(2 / 15))
    assert spread["mcse"] == pytest.approx(np.sqrt(2 / 15) / np.sqrt(2 * SIMS))
    ratio = table.loc[("within", "CR1", "IV1", "variance_ratio")]
    assert ratio["mcse"] == pytest.approx(np.sqrt((2 / 14 + 2) / SIMS))


def test_a_lost_number_is_an_error_and_one_without_error_differs() -> None:
    performance = study()
    lost = performance[performance["measure"] != "variance_df"]
    with pytest.raises(DataError, match="lacks .* first of all variance_df of 'ols' for .Inter"):
        verdicts(lost)
    blank = judge([pd.DataFrame([{"kind": "exact", "expected": 0.0, "found": 0.0, "z": np.nan}])])
    assert blank["verdict"].tolist() == ["differs"]


def test_monte_carlo_errors_that_are_too_small_are_found_out() -> None:
    """As of a jackknife that lacks its factor n - 1."""
    performance = study()
    table = exact(CELLS, STRATEGIES, performance)
    keys = [*CELLS[0].factors, "strategy", "term", "measure"]
    right = performance.drop(columns="mcse").merge(table[[*keys, "mcse"]], on=keys, how="left")
    right["mcse"] *= 1.02
    for factor, verdicts_found in [(1.0, {"agrees"}), (1 / np.sqrt(SIMS), {"agrees", "differs"})]:
        mine = right["measure"] == "variance_ratio"
        scaled = right.assign(mcse=right["mcse"].where(~mine, factor * right["mcse"]))
        found = judge([errors(exact(CELLS, STRATEGIES, scaled))])
        assert set(found["verdict"]) == verdicts_found
        wrong = found.loc[found["verdict"] == "differs", "measure"]
        assert all("variance_ratio" in measure for measure in wrong)


def test_a_random_intercept_where_slopes_vary() -> None:
    process = Process(30, 25, 1.0, 1, [0, 0], 1.0, sigma_ratios=[1, 1])
    cell = Cell({"clusters": 30}, process)
    mine = {"strategy": "mixed_intercept", "term": "IV1", "measure": "coverage"}
    for coverage, verdict in [(0.377, "agrees"), (0.5, "differs")]:
        row = {**cell.factors, **mine, "value": coverage, "mcse": 0.007, "n": 5000}
        (found,) = judge([approximate([cell], STRATEGIES, pd.DataFrame([row]))]).to_dict("records")
        assert found["expected"] == pytest.approx(0.594, abs=5e-4)
        assert found["verdict"] == verdict
