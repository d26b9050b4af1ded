from __future__ import annotations

import numpy as np

from clustrategy.evaluation.scores import score


def test_sums_over_the_coefficients_intercept_included():
    found = score(
        estimate=np.array([[1.0, -2.0], [0.5, 0.25]]),
        std_error=np.array([[0.5, 0.25], [1.0, 2.0]]),
        statistic=np.array([[2.0, -8.0], [0.5, 0.125]]),
        truth=np.array([[0.0, -1.5], [0.5, 1.25]]),
    )
    assert list(found.coef_abs_err) == [1.5, 1.0]
    assert list(found.se_sum) == [0.75, 3.0]
    assert list(found.t_sum) == [10.0, 0.625]


def test_a_fit_without_numbers_has_no_scores_and_its_neighbours_have():
    gap = np.array([[np.nan, np.nan], [1.0, 1.0], [1.0, np.nan]])
    found = score(estimate=gap, std_error=gap, statistic=gap, truth=np.zeros((3, 2)))
    for metric in found:
        assert list(np.isnan(metric)) == [True, False, True]
        assert metric[1] == 2.0
