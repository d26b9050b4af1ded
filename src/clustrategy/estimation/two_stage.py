"""Two-stage regression: least squares in every cluster, then a test over the clusters.

Also called summary measures or the two-stage (Feldman 1988) or OLS-OLS approach (Mumford &
Nichols 2009), with precision weights a random-effects meta-analysis of the clusters. A predictor
that is constant within clusters has no part in the first stage; in the second one the clusters'
intercepts are regressed on it ("slopes as outcomes", Burstein, Linn & Capell 1978), and on its
product with a predictor that varies within clusters the slopes of that predictor.

The regression of intercepts may have the clusters' slopes beside the cluster-level predictors. If a
cluster's intercept and slopes are jointly normal, the intercept is linear in the slopes, and as
these do not depend on a cluster-level predictor, its coefficient is the same with them as without:
analysis of covariance, the conditional test of the growth-curve model (Rao 1965, Biometrika 52,
447-458).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, NamedTuple

import numpy as np

from clustrategy.core.fits import Fits
from clustrategy.core.inference import CONFIDENCE
from clustrategy.core.shard import Floats, Ints, Shard
from clustrategy.estimation.cluster_robust import leave_out_zeros
from clustrategy.estimation.first_stage import (
    Adjust,
    FirstStage,
    SecondStage,
    SmallClusters,
    first_stages,
    tell,
)
from clustrategy.estimation.least_squares import NO_RESIDUAL, RESIDUAL_ROUNDING, explained, solve
from clustrategy.estimation.meta_analysis import pool
from clustrategy.estimation.resampling import signs

COEFFICIENT_ROUNDING = 1e-13
"""The scatter of coefficients, relative to their size, that is nothing but rounding."""

NO_SIGNS = "a sign-flip test has no place for predictors that are constant within clusters"

Weights = Literal["equal", "precision"]
Test = Literal["t", "hartung_knapp", "sign_flip"]


class SignFlip(NamedTuple):
    """Tests of one dataset by sign flips.

    Attributes
    ----------
    p_value, conf_low, conf_high : (k,) array
        Of each of the clusters' coefficients.
    p_nulls : (k, K) array
        Of further null values.
    """

    p_value: Floats
    conf_low: Floats
    conf_high: Floats
    p_nulls: Floats


def fit_two_stage(
    shard: Shard,
    nulls: Floats | None,
    weights: Weights,
    test: Test,
    draws: int,
    small_clusters: SmallClusters,
    adjust: Adjust,
) -> Fits:
    """Fit every cluster by itself, then test over the clusters.

    Parameters
    ----------
    shard : Shard
        The datasets.
    nulls : (S, p, K) array, optional
        Further null values of each coefficient to test by sign flips.
    weights : str
        `equal`; or `precision`, 1 / (v_g + tau^2) with v_g the squared standard error of the
        cluster's coefficient, taken as known, and tau^2 by REML.
    test : str
        `t`, which with precision weights has the standard error 1 / sqrt(sum of weights);
        `hartung_knapp` (Hartung & Knapp 2001; Knapp & Hartung 2003), whose standard error comes
        from the weighted scatter of the clusters' coefficients and which with equal weights is
        `t` itself; `sign_flip`, which changes the signs of the clusters' coefficients.
    draws : int
        Random sign vectors, where not all are tried.
    small_clusters : str
        What becomes of clusters that cannot carry a regression of their own with a residual, as
        in `first_stages`.
    adjust : str
        `slopes` puts the clusters' slopes beside cluster-level predictors in the second stage, for
        the coefficients of the latter; with equal weights and `t` only.

    Returns
    -------
    Fits
    """
    if nulls is None:
        nulls = np.empty((shard.sims, shard.p, 0))
    fits = Fits.blank(shard.sims, shard.p, nulls=nulls.shape[2] if test == "sign_flip" else 0)
    fits.fail(explained(shard.triangles, shard.n_obs, solve(shard)), "undefined", NO_RESIDUAL)
    regressions: list[tuple[Ints, Ints]] = []
    stages, left_out = first_stages(shard, fits, small_clusters, weights == "precision", adjust)
    for stage in stages:
        if weights == "precision":
            _need_variances(stage, fits)
        means = [second.response for second in stage.second if second.columns.size == 1]
        if test == "sign_flip" and not means:
            stage.fail(fits, np.ones(stage.sims.size, dtype=bool), NO_SIGNS)
        stage = stage.defined(fits)
        if stage.sims.size == 0:
            continue
        if weights == "equal":
            shares = _mean(stage, fits, adjust)
        else:
            shares = _pooled(stage, fits, scaled=test != "t")
        if test == "sign_flip":
            rest = [second.columns for second in stage.second if second.columns.size > 1]
            if rest:
                regressions.append((stage.sims, np.sort(np.concatenate(rest))))
            for place, sim in enumerate(stage.sims):
                there = sim, stage.own[means]
                found = _sign_flip(
                    stage.coefficients[place][:, means],
                    shares[place][:, means],
                    signs(shard, int(sim), stage.n.shape[1], draws),
                    nulls[there],
                )
                for name, values in found._asdict().items():
                    getattr(fits, name)[there] = values
    leave_out_zeros(fits, shard.terms)
    for sims, columns in regressions:
        _leave_out_regressions(fits, sims[fits.status[sims] == "ok"], columns, shard.terms)
    tell(fits, left_out)
    return fits


def _leave_out_regressions(fits: Fits, sims: Ints, columns: Ints, terms: Sequence[str]) -> None:
    """Leave out the standard errors of coefficients that are no mean over the clusters."""
    there = np.ix_(sims, columns)
    fits.std_error[there] = fits.df[there] = np.nan
    left = f"{NO_SIGNS}, and left out: {', '.join(np.asarray(terms)[columns])}"
    for sim in sims:
        fits.tell(sim, left)


def _mean(stage: FirstStage, fits: Fits, adjust: Adjust) -> Floats:
    """Fill in means and regressions with equal weights; return the weights, (s, G, k)."""
    G = stage.n.shape[1]
    coefficients = stage.coefficients
    mean = coefficients.sum(axis=1) / G
    deviation = coefficients - mean[:, None]
    with np.errstate(divide="ignore", invalid="ignore"):
        variance = (deviation * deviation).sum(axis=1) / np.float64(G - 1)
    noise = rounding(stage)
    there = np.ix_(stage.sims, stage.own)
    fits.estimate[there] = mean
    fits.std_error[there] = np.sqrt(np.where(variance > noise, variance, np.nan) / G)
    fits.df[there] = G - 1.0
    for second in stage.second:
        if second.columns.size > 1:
            _regress(stage, fits, second, second.design, noise, 0)
            if adjust == "slopes":
                _regress(stage, fits, second, stage.beside_slopes(second), noise, 1)
    return np.ones(coefficients.shape)


def _regress(
    stage: FirstStage, fits: Fits, second: SecondStage, design: Floats, noise: Floats, first: int
) -> None:
    """Fill in a regression over the clusters, its coefficients from the `first` on.

    The design, (s, G, q), may have more columns than the regression has coefficients to fill in.
    """
    G, q = design.shape[1:]
    joined = np.concatenate([design, stage.coefficients[..., second.response, None]], axis=2)
    triangle = np.asarray(np.linalg.qr(joined, mode="r"))
    root = np.linalg.inv(triangle[:, :q, :q])
    scale = triangle[:, q, q] ** 2 / (G - q)
    scale = np.where(scale > noise[:, second.response], scale, np.nan)
    some = slice(first, second.columns.size)
    there = np.ix_(stage.sims, second.columns[some])
    fits.estimate[there] = (root @ triangle[:, :q, q:])[:, some, 0]
    fits.std_error[there] = np.sqrt(scale[:, None] * (root * root).sum(axis=2))[:, some]
    fits.df[there] = G - q


def rounding(stage: FirstStage) -> Floats:
    """Return the variance over the clusters of their coefficients that is mere rounding, (s, k)."""
    root = np.linalg.inv(stage.triangle)
    response = stage.joined[..., -1]
    squares = (response * response).sum(axis=2)[..., None] * (root * root).sum(axis=3)
    return np.asarray(COEFFICIENT_ROUNDING**2 * squares.sum(axis=1) / stage.n.shape[1])


def _need_variances(stage: FirstStage, fits: Fits) -> None:
    """Fail the fits to datasets with a cluster whose estimates have no variance."""
    k, G = stage.own.size, stage.n.shape[1]
    few = (stage.n <= k).sum(axis=1)
    stage.fail(
        fits,
        few > 0,
        [f"{j} of {G} clusters have no residual degrees of freedom for a weight" for j in few],
    )
    response = stage.joined[..., k]
    length = np.sqrt((response * response).sum(axis=2))
    exact = (np.abs(response[..., k]) <= RESIDUAL_ROUNDING * length).sum(axis=1)
    stage.fail(
        fits,
        exact > 0,
        [f"{j} of {G} clusters have no residual variance for a weight" for j in exact],
    )


def _pooled(stage: FirstStage, fits: Fits, scaled: bool) -> Floats:
    """Fill in meta-analyses; return their weights, (s, G, k).

    Standard errors are Hartung and Knapp's where `scaled`.
    """
    G = stage.n.shape[1]
    weights = np.ones(stage.coefficients.shape)
    for response, columns, design in stage.second:
        df = G - columns.size
        pooled = pool(
            np.ascontiguousarray(stage.coefficients[..., response]),
            np.ascontiguousarray(stage.variances[..., response]),
            design,
        )
        factor = pooled.residual_ss / df if scaled else np.ones(stage.sims.size)
        there = np.ix_(stage.sims, columns)
        fits.estimate[there] = pooled.estimate
        fits.std_error[there] = np.sqrt(factor[:, None] * pooled.variance)
        fits.df[there] = df
        weights[..., response] = pooled.weights
    return weights


def _sign_flip(coefficients: Floats, weights: Floats, signs: Floats, nulls: Floats) -> SignFlip:
    """Test the coefficients of one dataset, (G, k), by sign vectors, (B, G), of 0 and (k, K) nulls.

    The first vector flips nothing. To flip some clusters' signs about a value makes |t| no smaller
    if and only if that value lies between the mean of these clusters and the mean of the others. So
    the value's p-value is the share of the sign vectors whose two means enclose it, and the limits
    of the interval are order statistics of the means. The weights, (G, k), stay what they are under
    all flips.
    """
    # A vector and its negative split the clusters alike; so none flips the first cluster.
    flipped = (signs != signs[:, :1]).astype(np.float64)
    parts = [flipped, 1.0 - flipped]
    with np.errstate(divide="ignore", invalid="ignore"):
        means = np.array([(part @ (weights * coefficients)) / (part @ weights) for part in parts])
    none = ~flipped.any(axis=1)
    means[:, none] = np.array([-np.inf, np.inf])[:, None, None]
    low, high = np.sort(means, axis=0)
    p_value = ((low <= 0.0) & (high >= 0.0)).mean(axis=0)
    p_nulls = ((low[..., None] <= nulls) & (high[..., None] >= nulls)).mean(axis=0)
    outside = int(np.floor((1.0 - CONFIDENCE) * len(signs) + 1e-9))
    limits = np.sort(low, axis=0)[outside], np.sort(high, axis=0)[-1 - outside]
    return SignFlip(p_value, *limits, p_nulls)
