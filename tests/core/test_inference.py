from __future__ import annotations

import numpy as np
import pytest
import scipy.stats

from clustrategy.core.inference import t_inference

DF = np.array([0.5, 1, 2, 3.7, 9, 29, 1234.5, 1e6, np.inf])


def test_agrees_with_scipy_stats():
    t = np.array([-4.0, -1.2, 0.0, 0.3, 2.5])[:, None]
    found = t_inference(t * 0.7, np.float64(0.7), DF)
    quantile = np.where(
        np.isinf(DF), scipy.stats.norm.ppf(0.975), scipy.stats.t.ppf(0.975, np.minimum(DF, 1e9))
    )
    tail = np.where(
        np.isinf(DF), scipy.stats.norm.sf(abs(t)), scipy.stats.t.sf(abs(t), np.minimum(DF, 1e9))
    )
    np.testing.assert_allclose(found.statistic, t, rtol=1e-15)
    np.testing.assert_allclose(found.p_value, 2 * tail, rtol=1e-12)
    np.testing.assert_allclose(found.conf_low, 0.7 * (t - quantile), rtol=1e-11)
    np.testing.assert_allclose(found.conf_high, 0.7 * (t + quantile), rtol=1e-11)


# 2 * pnorm(-30), 2 * pt(-50, 9), 2 * pt(-1000, 3), 2 * pt(-2.5, 3.7) of R 4.2
@pytest.mark.parametrize(
    ("t", "df", "p"),
    [
        (30, np.inf, 9.8134278542963744e-198),
        (50, 9, 2.5689529108747980e-12),
        (-1000, 3, 2.2053076425765997e-09),
        (2.5, 3.7, 7.1822022911826752e-02),
    ],
)
def test_p_values_of_r_even_where_the_distribution_function_is_1(t, df, p):
    found = t_inference(np.array([float(t)]), np.array([1.0]), np.array([float(df)]))
    np.testing.assert_allclose(found.p_value, p, rtol=1e-10)


# qt(.975, df) of R 4.2
@pytest.mark.parametrize(
    ("df", "quantile"),
    [
        (1, 12.7062047361746941),
        (2, 4.3026527297494619),
        (9, 2.2621571627982049),
        (29, 2.0452296421327034),
        (3.7, 2.8675207071911917),
        (np.inf, 1.9599639845400536),
    ],
)
def test_95_per_cent_intervals_of_r(df, quantile):
    found = t_inference(np.array([3.0]), np.array([2.0]), np.array([float(df)]))
    np.testing.assert_allclose(
        [found.conf_low[0], found.conf_high[0]],
        [3 - 2 * quantile, 3 + 2 * quantile],
        rtol=1e-12,
    )


def test_one_degree_of_freedom_is_the_cauchy_distribution():
    t = np.array([0.1, 1.0, 20.0, 1e8])
    p = t_inference(t, np.ones(4), np.ones(4)).p_value
    np.testing.assert_allclose(p, 2 / np.pi * np.arctan(1 / t), rtol=1e-12)


@pytest.mark.parametrize("df", [np.nan, 0.0, -3.0])
def test_no_degrees_of_freedom_give_no_inference(df):
    found = t_inference(np.array([1.0]), np.array([0.5]), np.array([df]))
    assert found.statistic[0] == 2.0
    assert np.isnan([found.p_value[0], found.conf_low[0], found.conf_high[0]]).all()


def test_a_failed_fit_gives_no_inference():
    nan = np.full((2, 3), np.nan)
    assert all(np.isnan(part).all() for part in t_inference(nan, nan, nan))


def test_a_standard_error_of_zero():
    found = t_inference(np.array([1.0, 0.0]), np.zeros(2), np.full(2, 5.0))
    assert found.statistic[0] == np.inf and found.p_value[0] == 0.0
    assert np.isnan(found.statistic[1]) and np.isnan(found.p_value[1])
