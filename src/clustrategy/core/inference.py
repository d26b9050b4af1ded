"""From an estimate, its standard error and degrees of freedom to test and interval."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from clustrategy.core.shard import Floats

CONFIDENCE = 0.95
"""The level of all confidence intervals."""


class Inference(NamedTuple):
    """A test of zero and an interval of each estimate.

    Attributes
    ----------
    statistic, p_value, conf_low, conf_high : array
        Of the shape of the estimates.
    """

    statistic: Floats
    p_value: Floats
    conf_low: Floats
    conf_high: Floats


def t_inference(estimate: Floats, std_error: Floats, df: Floats) -> Inference:
    """Compute the two-sided t test of zero and the confidence interval.

    The p-value is taken from the tail itself, so that it does not underflow to 0 where
    `2 (1 - cdf)` would.

    Parameters
    ----------
    estimate, std_error : array
        Estimates and their standard errors.
    df : array
        Degrees of freedom; `inf` is the normal distribution. NaN or a number that is not positive
        gives NaN.

    Returns
    -------
    Inference
    """
    # Imported here because it is half of the cost of starting a job that does not test anything.
    from scipy.special import stdtr, stdtrit

    with np.errstate(divide="ignore", invalid="ignore"):
        statistic = estimate / std_error
        p_value = 2.0 * stdtr(df, -np.abs(statistic))
        half = stdtrit(df, 0.5 + CONFIDENCE / 2.0) * std_error
    return Inference(statistic, p_value, estimate - half, estimate + half)


def f_p_value(statistic: Floats, num_df: Floats, den_df: Floats) -> Floats:
    """Compute the upper tail of the F distribution.

    Parameters
    ----------
    statistic : array
        F.
    num_df, den_df : array
        Degrees of freedom; an infinite `den_df` is chi-squared over `num_df`. NaN or a number that
        is not positive gives NaN.

    Returns
    -------
    array

    Examples
    --------
    >>> from clustrategy.core.inference import f_p_value, t_inference
    >>> print(f_p_value(2.0**2, 1.0, 9.0).round(6), t_inference(2.0, 1.0, 9.0).p_value.round(6))
    0.076553 0.076553
    """
    from scipy.special import chdtrc, fdtrc

    with np.errstate(invalid="ignore"):
        normal = chdtrc(num_df, num_df * statistic)
        finite = fdtrc(num_df, np.where(np.isinf(den_df), 1.0, den_df), statistic)
    return np.asarray(np.where(np.isinf(den_df), normal, finite), dtype=np.float64)
