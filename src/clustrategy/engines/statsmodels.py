"""Least squares by statsmodels, as its users know it."""

from __future__ import annotations

from importlib.metadata import version
from typing import Any, Literal

import numpy as np

from clustrategy.dataset import Shard
from clustrategy.fits import Fit, Fits, fit_each
from clustrategy.strategies import strategy
from clustrategy.strategies.least_squares import NO_DF, mark_undefined, solve


def versions() -> dict[str, str]:
    """The version of the package that computes the numbers."""
    return {"statsmodels": version("statsmodels")}


@strategy("ols", engine="statsmodels")
def ols(shard: Shard) -> Fits:
    """`OLS(y, X).fit()`."""
    return fit_each(shard, lambda one: _tidy(_model(one).fit()), _defined(shard))


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

    fits = _defined(shard)
    if shard.clusters < 2:
        everywhere = np.ones(shard.sims, dtype=bool)
        fits.fail(everywhere, "undefined", "one cluster: a cluster-robust variance needs two")
    return fit_each(shard, fit, fits)


def _defined(shard: Shard) -> Fits:
    """Fits still to be made, but for those that statsmodels would answer with a pseudo-inverse."""
    fits = Fits.blank(shard.sims, shard.p)
    mark_undefined(shard, fits, solve(shard))
    fits.fail(shard.n_obs <= shard.p, "undefined", NO_DF)
    return fits


def _model(one: Shard) -> Any:
    import statsmodels.api as sm

    return sm.OLS(one.y, one.X)


def _tidy(result: Any) -> Fit:
    # statsmodels keeps the G - 1 of a clustered variance apart from the model's N - p.
    df = getattr(result, "df_resid_inference", None) or result.df_resid
    return Fit(
        result.params,
        result.bse,
        np.full(result.params.shape, df if result.use_t else np.inf),
        sigma=float(np.sqrt(result.scale)),
    )
