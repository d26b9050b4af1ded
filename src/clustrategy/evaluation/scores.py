"""The study's metrics: how far off, how unsure and how significant the estimates are."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from clustrategy.core.shard import Floats


class Scores(NamedTuple):
    """The metrics of S fits, NaN where a fit gave no numbers.

    Attributes
    ----------
    coef_abs_err : (S,) array
        The sum of the absolute errors of the coefficients.
    se_sum : (S,) array
        The sum of the standard errors.
    t_sum : (S,) array
        The sum of the absolute test statistics.
    """

    coef_abs_err: Floats
    se_sum: Floats
    t_sum: Floats


def score(*, estimate: Floats, std_error: Floats, statistic: Floats, truth: Floats) -> Scores:
    """Sum errors, standard errors and statistics over the coefficients, intercept included.

    Parameters
    ----------
    estimate, std_error, statistic, truth : (S, p) array
        The numbers of S fits and their truth.
    """
    return Scores(
        np.abs(estimate - truth).sum(axis=1), std_error.sum(axis=1), np.abs(statistic).sum(axis=1)
    )


def fit_success(status: ArrayLike) -> NDArray[np.bool_]:
    """Return `fit_success`: whether the status is `ok`."""
    return np.asarray(status) == "ok"
