"""One dataset in full."""

from __future__ import annotations

import numpy as np
import pytest

from clustrategy.dgp import Process, simulate
from clustrategy.examples.worked_example import WorkedExample, stars, worked_example

CELL = {"clusters": 6, "obs_per_cluster": 8, "between_cluster_sigma": 0.5}
PROCESS = Process(**CELL, predictors=2, coefficients=[1.0, 0.0, 0.3], residual_sigma=1.0)
ENTRIES = [{"strategy": "ols"}, {"strategy": "two_stage"}, {"strategy": "mixed_maximal"}]


@pytest.fixture(scope="module")
def worked() -> WorkedExample:
    return worked_example(PROCESS, 1, CELL, ENTRIES)


def test_the_worked_example_is_the_first_sim(worked: WorkedExample) -> None:
    drawn = simulate(PROCESS, 1, CELL, [0])
    assert list(worked.dataset) == ["Group", "DV", "IV1", "IV2"]
    np.testing.assert_array_equal(worked.dataset["DV"], drawn.shard.y)
    np.testing.assert_array_equal(worked.dataset["Group"], np.repeat(np.arange(1, 7), 8))
    assert worked.true_coefficients["true_value"].tolist() == [1.0, 0.0, 0.3]
    np.testing.assert_array_equal(
        worked.cluster_coefficients.iloc[:, 1:], drawn.cluster_coefficients[0]
    )
    ols = worked.coefficients[worked.coefficients["strategy"] == "ols"]
    expected = np.linalg.lstsq(drawn.shard.X, drawn.shard.y)[0]
    np.testing.assert_allclose(ols["estimate"], expected, rtol=1e-12)
    error = np.abs(expected - [1.0, 0.0, 0.3]).sum()
    assert worked.metrics.loc[0, "coef_abs_err"] == pytest.approx(error)
    assert worked.metrics["strategy"].tolist() == ["ols", "two_stage", "mixed_maximal"]


def test_the_page_of_the_worked_example(worked: WorkedExample) -> None:
    assert (
        "6 clusters of 8 observations, every coefficient varying between clusters with standard "
        "deviation 0.5; the model is `DV ~ IV1 + IV2`"
    ) in worked.page
    assert "(Intercept) 1.0000, IV1 0.0000, IV2 0.3000" in worked.page
    for row in worked.coefficients.itertuples():
        assert f"{row.estimate:.4f}" in worked.page
    assert [stars(p) for p in (0.0005, 0.005, 0.04, 0.09, 0.5)] == ["***", "**", "*", ".", ""]


def test_the_page_tells_what_an_analysis_left_out() -> None:
    cell = {"clusters": 6, "obs_per_cluster": 4, "between_cluster_sigma": 0.5}
    process = Process(
        **cell, predictors=1, coefficients=[1.0, 0.0], residual_sigma=1.0, size_cv=0.6
    )
    worked = worked_example(process, 1, cell, [{"strategy": "two_stage"}])
    assert sorted(worked.dataset.groupby("Group").size()) == [2, 2, 4, 5, 5, 5]
    assert "ok: 2 of 6 clusters left out: 2 with as many rows as coefficients\n" in worked.page
