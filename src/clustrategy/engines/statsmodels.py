"""Least squares and two-stage regression by statsmodels, as its users know it."""

from __future__ import annotations

from functools import partial
from importlib.metadata import version
from typing import Any, Literal

import numpy as np

from clustrategy.core.fits import Fit, Fits, fit_each
from clustrategy.core.shard import Floats, Shard
from clustrategy.estimation.cluster_robust import ONE_CLUSTER
from clustrategy.estimation.first_stage import SmallClusters, first_stages, tell
from clustrategy.estimation.least_squares import mark_undefined, solve
from clustrategy.estimation.within import estimable, solve_within
from clustrategy.estimation.within import mark_undefined as mark_no_slopes
from clustrategy.strategies.registry import strategy

# cov_type and use_correction. A cluster's leave-one-out estimates taken around the estimate
# itself, as statsmodels does under this name, are CR3, and with its correction CV3.
VARIANCES = {
    "CR0": ("cluster", False),
    "CR1S": ("cluster", True),
    "CR3": ("cluster-crv3", False),
    "CV3": ("cluster-crv3", True),
}


def versions() -> dict[str, str]:
    """Return the version of the package that computes the numbers."""
    return {"statsmodels": version("statsmodels")}


register = partial(strategy, engine="statsmodels", versions=versions, equivariant=True)


@register("ols")
def ols(shard: Shard) -> Fits:
    """Fit `OLS(y, X).fit()`."""
    return fit_each(shard, lambda one: _tidy(_ols(one.y, one.X).fit()), _defined(shard))


@register("cluster_robust")
def cluster_robust(
    shard: Shard,
    *,
    variance: Literal["CR0", "CR1S", "CR3", "CV3"] = "CR1S",
    df: Literal["G-1", "N-p", "normal"] = "G-1",
) -> Fits:
    """Fit `OLS(y, X).fit(cov_type=..., use_t=...)`; its own default would be `df: normal`.

    Parameters
    ----------
    shard : Shard
        The datasets.
    variance, df : str
        As of the numpy engine, those that statsmodels has.

    Returns
    -------
    Fits
    """
    cov_type, correction = VARIANCES[variance]

    def fit(one: Shard) -> Fit:
        options = {
            "groups": one.cluster_codes(0),
            "use_correction": correction,
            "df_correction": df == "G-1",
        }
        model = _ols(one.y, one.X)
        return _tidy(model.fit(cov_type=cov_type, cov_kwds=options, use_t=df != "normal"))

    fits = _defined(shard)
    if shard.clusters < 2:
        everywhere = np.ones(shard.sims, dtype=bool)
        fits.fail(everywhere, "undefined", ONE_CLUSTER)
    return fit_each(shard, fit, fits)


@register("fixed_effects")
def fixed_effects(
    shard: Shard,
    *,
    variance: Literal["CR0", "CR1S", "CR3", "CV3"] = "CR1S",
    df: Literal["G-1", "N-p", "normal"] = "G-1",
) -> Fits:
    """Fit `OLS` of the rows less their clusters' means, with a constant that counts in p and is 0.

    Parameters
    ----------
    shard : Shard
        The datasets.
    variance, df : str
        As of the numpy engine, those that statsmodels has.

    Returns
    -------
    Fits
    """

    def slopes(part: Shard) -> Fits:
        sizes = part.n.reshape(-1)
        rows = np.column_stack([part.X[:, 1:], part.y])
        sums = np.add.reduceat(rows, np.cumsum(sizes) - sizes)
        rows -= np.repeat(sums / sizes[:, None], sizes, axis=0)
        X = np.column_stack([part.X[:, :1], rows[:, :-1]])
        within = Shard(np.ascontiguousarray(rows[:, -1]), X, part.n, part.terms)
        fits = cluster_robust(within, variance=variance, df=df)
        fits.sigma[:] = np.nan  # made with an N - p that leaves out the clusters' means
        few = Fits.blank(part.sims, part.p)
        mark_no_slopes(part, few, solve_within(part).solution)
        fits.status[few.status != "ok"] = "ok"
        fits.fail(few.status != "ok", "undefined", list(few.message))
        return fits

    return estimable(shard, slopes)


@register("two_stage")
def two_stage(shard: Shard, *, small_clusters: SmallClusters = "drop") -> Fits:
    """Fit `OLS(y, X).fit()` in each cluster, then `DescrStatsW(coefficients).ttest_mean()`.

    With predictors that are constant within clusters, `OLS(coefficients, Z).fit()` follows instead.

    Parameters
    ----------
    shard : Shard
        The datasets.
    small_clusters : str
        As of the numpy engine.

    Returns
    -------
    Fits
    """
    from statsmodels.stats.weightstats import DescrStatsW

    def fit(one: Shard) -> Fit:
        (stage,), _ = first_stages(one, Fits.blank(1, one.p), small_clusters)
        kept = stage.dataset(one, 0)
        ends = np.cumsum(kept.n[0])[:-1]
        clusters = zip(np.split(kept.y, ends), np.split(kept.X[:, stage.own], ends), strict=True)
        coefficients = np.array([_ols(y, X).fit().params for y, X in clusters])
        numbers = np.empty((3, one.p))
        for response, columns, design in stage.second:
            if columns.size == 1:
                sample = DescrStatsW(coefficients[:, response])
                numbers[:, columns[0]] = sample.mean, sample.std_mean, sample.ttest_mean()[2]
            else:
                second = _ols(coefficients[:, response], design[0]).fit()
                numbers[:2, columns] = second.params, second.bse
                numbers[2, columns] = second.df_resid
        return Fit(*numbers)

    fits = Fits.blank(shard.sims, shard.p)
    _, left_out = first_stages(shard, fits, small_clusters)
    fit_each(shard, fit, fits)
    tell(fits, left_out)
    return fits


def _defined(shard: Shard) -> Fits:
    """Return blank fits; those that statsmodels would answer with a pseudo-inverse are failed."""
    fits = Fits.blank(shard.sims, shard.p)
    mark_undefined(shard, fits, solve(shard))
    return fits


def _ols(y: Floats, X: Floats) -> Any:
    from statsmodels.regression.linear_model import OLS

    return OLS(y, X)


def _tidy(result: Any) -> Fit:
    # statsmodels keeps the G - 1 of a clustered variance apart from the model's N - p.
    df = getattr(result, "df_resid_inference", None) or result.df_resid
    return Fit(
        result.params,
        result.bse,
        np.full(result.params.shape, df if result.use_t else np.inf),
        sigma=float(np.sqrt(result.scale)),
    )
