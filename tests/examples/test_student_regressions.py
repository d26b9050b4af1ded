"""The numbers of the example on real data."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from clustrategy.core.shard import Shard
from clustrategy.examples.student_regressions import (
    CLUSTERED,
    Example,
)
from tests.examples.student import (
    EXPECTED,
    INTERCEPT,
    INTERCEPT_ERRORS,
    SLOPE,
    SUMS,
)


@pytest.mark.parametrize("strategy", EXPECTED)
def test_the_regressions_are_statsmodels(real: Example, strategy: str) -> None:
    row = real.slope(strategy)
    assert row["estimate"] == pytest.approx(SLOPE, rel=1e-8)
    assert {key: row[key] for key in EXPECTED[strategy]} == pytest.approx(
        EXPECTED[strategy], rel=1e-8
    )
    other = real.table[(real.table["strategy"] == strategy) & (real.table["term"] != "absences")]
    assert other["estimate"].item() == pytest.approx(INTERCEPT, rel=1e-8)
    assert other["std_error"].item() == pytest.approx(INTERCEPT_ERRORS[strategy], rel=1e-8)


def test_two_scores_sum_to_zero_and_give_a_variance_of_rank_one(real: Example) -> None:
    np.testing.assert_allclose(real.scores.sum(axis=0), 0, atol=1e-8)
    assert np.abs(real.scores).min() > 20
    assert real.rank == 1
    X = real.shard.X
    one = np.linalg.inv(X.T @ X) @ real.scores[0]
    n = len(X)
    error = np.sqrt(2 * (n - 1) / (n - 2) * 2) * abs(one[1])
    assert error == pytest.approx(EXPECTED[CLUSTERED]["std_error"], rel=1e-8)


def test_each_clusters_own_fit(real: Example) -> None:
    for (n, sx, sy, sxx, sxy, _), own in zip(SUMS.values(), real.own, strict=True):
        slope = (sxy - sx * sy / n) / (sxx - sx * sx / n)
        np.testing.assert_allclose(own, [sy / n - slope * sx / n, slope], rtol=1e-8)


def test_the_expected_standard_error_is_the_mean_over_all_residuals() -> None:
    rng = np.random.default_rng(3)
    X = np.column_stack([np.ones(20), rng.normal(size=20)])
    shard = Shard(np.zeros(20), X, np.array([[12, 5, 3]]), ("(Intercept)", "x"))
    it = Example("", "y ~ x", "g", "abc", shard, pd.DataFrame(), {})
    bread = np.linalg.inv(X.T @ X)
    mean = 0.0
    for unit in np.eye(20):
        residual = unit - X @ bread @ X.T @ unit
        for code in range(3):
            rows = it.codes == code
            mean += (bread @ X[rows].T @ residual[rows])[1] ** 2
    expected = np.sqrt(3 / 2 * 19 / 18 * mean / bread[1, 1])
    assert it.expected_ratio == pytest.approx(expected, rel=1e-12)
