"""Least squares by statsmodels, as its users know it."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np

from clustrategy.dataset import Shard
from clustrategy.fits import Fit, Fits, fit_each
from clustrategy.strategies import strategy


@strategy("ols", engine="statsmodels")
def ols(shard: Shard) -> Fits:
    """`OLS(y, X).fit()`."""
    return fit_each(shard, lambda one: _tidy(_model(one).fit()))


@strategy("cluster_robust", engine="statsmodels")
def cluster_robust(
    shard: Shard,
    *,
    variance: Literal["CR0", "CR1S"] = "CR1S",
    df: Literal["G-1", "normal"] = "G-1",
) -> Fits:
    """`OLS(y, X).fit(cov_type="cluster", use_t=...)`; its own default would be `df: normal`."""

    def fit(one: Shard) -> Fit:
        groups = {"groups": one.cluster_codes(0), "use_correction": variance == "CR1S"}
        return _tidy(_model(one).fit(cov_type="cluster", cov_kwds=groups, use_t=df == "G-1"))

    return fit_each(shard, fit)


def _model(one: Shard) -> Any:
    import statsmodels.api as sm

    if np.linalg.matrix_rank(one.X) < one.p:
        raise ValueError("the predictors are linearly dependent")
    return sm.OLS(one.y, one.X)


def _tidy(result: Any) -> Fit:
    df = result.df_resid_inference if result.use_t else None
    if result.use_t and df is None:
        df = result.df_resid
    shape = result.params.shape
    return Fit(
        result.params,
        result.bse,
        np.full(shape, np.inf if df is None else df),
        sigma=float(np.sqrt(result.scale)),
    )
