"""How alike the rows of a cluster are."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from clustrategy.core.shard import INTERCEPT, Shard
from clustrategy.engines.chosen import OUT_OF_RANGE
from clustrategy.estimation.mixed.fit import fit_model
from clustrategy.estimation.mixed.models import INTERCEPT_ONLY
from clustrategy.estimation.mixed.standard_errors import StandardErrors

NO_INTERCEPT = "the model has no intercept"


class Icc(NamedTuple):
    """An intraclass correlation, and how its fit went.

    Attributes
    ----------
    value : float
        The share of the variance that lies between clusters, 0 to 1; NaN where there is none.
    status : str
        That of the fit: `ok`, `singular` (at 0), or unusable.
    message : str
        Why.
    """

    value: float
    status: str
    message: str


def icc(shard: Shard, *, given_x: bool) -> Icc:
    """Estimate the intraclass correlation by REML with a random intercept.

    Parameters
    ----------
    shard : Shard
        One dataset.
    given_x : bool
        Whether of the residuals given X, or of the response itself.

    Returns
    -------
    Icc
    """
    if not given_x:
        ones = np.ones((shard.y.size, 1))
        shard = Shard(shard.y, ones, shard.n, (INTERCEPT,), shard.seeds)
    if INTERCEPT not in shard.terms:
        return Icc(float("nan"), "undefined", NO_INTERCEPT)
    if not shard.in_range.all():
        return Icc(float("nan"), "undefined", OUT_OF_RANGE)
    fits = fit_model(shard, INTERCEPT_ONLY, StandardErrors("normal", "model"))
    variance = fits.theta[0, 0] ** 2
    return Icc(float(variance / (1.0 + variance)), str(fits.status[0]), str(fits.message[0]))
