"""From an estimate, its standard error and degrees of freedom to test and interval."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from clustrategy.core.shard import Floats

CONFIDENCE = 0.95


class Inference(NamedTuple):
    """Arrays of the shape of the estimates."""

    statistic: Floats
    p_value: Floats
    conf_low: Floats
    conf_high: Floats


def t_inference(estimate: Floats, std_error: Floats, df: Floats) -> Inference:
    """Two-sided t test of zero and 95 % interval; `df = inf` is the normal distribution.

    The p-value is taken from the tail itself, so that it does not underflow to 0 where
    `2 (1 - cdf)` would. Degrees of freedom that are NaN or not positive give NaN.
    """
    # Half of the cost of starting a job that does not test anything, were it at the top.
    from scipy.special import stdtr, stdtrit

    with np.errstate(divide="ignore", invalid="ignore"):
        statistic = estimate / std_error
        p_value = 2.0 * stdtr(df, -np.abs(statistic))
        half = stdtrit(df, 0.5 + CONFIDENCE / 2.0) * std_error
    return Inference(statistic, p_value, estimate - half, estimate + half)
