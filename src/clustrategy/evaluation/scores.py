"""The study's metrics: how far off, how unsure, how significant, and did it fit at all."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from clustrategy.core.shard import Floats


class Scores(NamedTuple):
    """One value per sim; NaN where the fit gave no numbers."""

    coef_abs_err: Floats
    se_sum: Floats
    t_sum: Floats


def score(*, estimate: Floats, std_error: Floats, statistic: Floats, truth: Floats) -> Scores:
    """Sums over the coefficients, intercept included.

    Parameters
    ----------
    estimate, std_error, statistic, truth : (S, p).

    Returns
    -------
    Scores : the summed absolute coefficient error, the summed SE and the summed |t|, (S,) each.
    """
    return Scores(
        np.abs(estimate - truth).sum(axis=1), std_error.sum(axis=1), np.abs(statistic).sum(axis=1)
    )
