"""Mixed models by an engine that fits one dataset at a time."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from clustrategy.core.fits import Fit, Fits, fit_each
from clustrategy.core.shard import Shard
from clustrategy.estimation.mixed.models import MixedModel, blank_fits

FitOne = Callable[[Shard, Sequence[int]], Fit]
"""Fits the one dataset of a shard with random coefficients of the columns of X that are listed."""


def fit_mixed(shard: Shard, model: MixedModel, fit_one: FitOne) -> Fits:
    """Fit a mixed model to the datasets of a shard, one by one.

    Parameters
    ----------
    shard : Shard
        The datasets.
    model : MixedModel
        Which coefficients are random.
    fit_one : callable
        Fits one dataset.

    Returns
    -------
    Fits
    """
    fits = blank_fits(shard, model)
    fit_random(shard, model.random(shard), fits, fit_one)
    return fits


def fit_random(shard: Shard, random: NDArray[np.bool_], fits: Fits, fit_one: FitOne) -> None:
    """Fill in the fits that have not failed yet.

    Parameters
    ----------
    shard : Shard
        The datasets.
    random : (S, p) array of bool
        The columns of X that have random coefficients.
    fits : Fits
        Filled in place.
    fit_one : callable
        Fits one dataset.
    """
    columns = iter([np.flatnonzero(random[sim]) for sim in np.flatnonzero(fits.status == "ok")])
    fit_each(shard, lambda one: fit_one(one, next(columns).tolist()), fits)
