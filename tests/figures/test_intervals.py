"""Intervals and bands for Monte Carlo error."""

from __future__ import annotations

import numpy as np
import pytest
from statsmodels.stats.proportion import proportion_confint

from clustrategy.figures.parts.intervals import median_interval, median_rank, null_band, wilson


@pytest.mark.parametrize("total", [1, 5, 50, 1000])
def test_wilson_intervals_are_those_of_statsmodels(total):
    count = np.arange(total + 1)
    ours = wilson(count, np.full(total + 1, total))
    theirs = proportion_confint(count, total, method="wilson")
    np.testing.assert_allclose(ours, theirs, atol=1e-12)


@pytest.mark.parametrize("n", [6, 7, 50, 51, 1000])
def test_median_interval_covers_95_percent_and_is_the_narrowest_that_does(n):
    from scipy.stats import binom

    rank = median_rank(n)
    assert 2 * binom.cdf(rank - 1, n, 0.5) <= 0.05 < 2 * binom.cdf(rank, n, 0.5)
    values = np.random.default_rng(n).permutation(n).astype(float)
    assert median_interval(values) == (rank - 1, n - rank)


def test_too_few_values_have_no_median_interval():
    assert np.isnan(median_interval(np.arange(5.0))).all()


def test_the_band_is_where_rates_of_a_test_that_keeps_its_level_are():
    assert null_band(1000, 0.05) == pytest.approx((0.0365, 0.0635), abs=1e-4)
    assert null_band(1000, 0.95) == pytest.approx((0.9365, 0.9635), abs=1e-4)
    assert null_band(4, 0.05)[0] == 0 and null_band(4, 0.95)[1] == 1
