"""How an engine that fits one dataset at a time serves the mixed models."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from clustrategy.core.fits import Fit, Fits, fit_each
from clustrategy.core.shard import Shard
from clustrategy.estimation.mixed.models import CORRELATED, FitAll, fit_model
from clustrategy.strategies import strategy

FitOne = Callable[[Shard, Sequence[int]], Fit]


def register(engine: str, fit: FitAll, module: str, models: Sequence[str] = CORRELATED) -> None:
    """Register models as strategies of an engine.

    Parameters
    ----------
    engine : its name.
    fit : takes a shard, the columns of X that have random coefficients (S, p) and the fits to fill
        in, of which those that have failed already are passed over.
    module : the name of the module that computes the fits.
    models : keys of `RANDOM`.
    """

    def add(name: str) -> None:
        @strategy(name, engine=engine, module=module)
        def fit_shard(shard: Shard) -> Fits:
            return fit_model(shard, name, fit)

    for name in models:
        add(name)


def each(fit_one: FitOne) -> FitAll:
    """What `register` takes, for an engine that fits one dataset at a time.

    Parameters
    ----------
    fit_one : takes a shard of one dataset and the columns of X that have random coefficients.
    """

    def fit(shard: Shard, random: NDArray[np.bool_], fits: Fits) -> None:
        columns = iter([np.flatnonzero(random[sim]) for sim in np.flatnonzero(fits.status == "ok")])
        fit_each(shard, lambda one: fit_one(one, next(columns).tolist()), fits)

    return fit
