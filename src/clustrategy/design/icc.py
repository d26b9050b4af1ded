"""How alike the rows of a cluster are."""

from __future__ import annotations

import numpy as np

from clustrategy.core.shard import INTERCEPT, Shard
from clustrategy.estimation.mixed.fit import fit_model
from clustrategy.estimation.mixed.models import INTERCEPT_ONLY
from clustrategy.estimation.mixed.standard_errors import StandardErrors


def icc(shard: Shard, *, given_x: bool) -> float:
    """Estimate the intraclass correlation by REML with a random intercept.

    Parameters
    ----------
    shard : Shard
        One dataset.
    given_x : bool
        Whether of the residuals given X, or of the response itself.

    Returns
    -------
    float
        The share of the variance that lies between clusters, 0 to 1; NaN where the model cannot be
        fitted, as without an intercept.
    """
    if not given_x:
        ones = np.ones((shard.y.size, 1))
        shard = Shard(shard.y, ones, shard.n, (INTERCEPT,), shard.seeds)
    if INTERCEPT not in shard.terms or not shard.in_range.all():
        return float("nan")
    fits = fit_model(shard, INTERCEPT_ONLY, StandardErrors("normal", "model"))
    variance = fits.theta[0, 0] ** 2
    return float(variance / (1.0 + variance))
