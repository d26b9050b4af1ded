"""Joint tests of two-stage regression, over the clusters as its tests of one coefficient.

Coefficients of one regression over the clusters, those of a cluster-level factor: the F test of
that regression, with precision weights that of the meta-regression. One coefficient of each of
several regressions on the same predictors, those of a factor that varies within clusters: with b
their estimates, E'E the cross-products of the residuals, f their degrees of freedom and c the
diagonal element of (Z'Z)^-1, Hotelling's

    T^2 = f b' (E'E)^-1 b / c,    (f - q + 1) / (f q) T^2 ~ F(q, f - q + 1),

without cluster-level predictors that of the clusters' mean coefficients, with F(q, G - q) (Anderson
2003, An Introduction to Multivariate Statistical Analysis, chapters 5 and 8).

Under sign flips T^2 grows with s' (B'B)^-1 s, s the sum of the flipped coefficients and B'B their
cross-products, which no flip changes. A flip of some clusters whose sum is a, the others' r, takes
s from r + a to r - a, so that T^2 becomes no smaller if and only if r' (B'B)^-1 a <= 0.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from clustrategy.core.fits import Fits
from clustrategy.core.joint_tests import JointTests
from clustrategy.core.shard import Floats, Ints, Shard
from clustrategy.estimation.first_stage import Adjust, FirstStage, SmallClusters, first_stages
from clustrategy.estimation.meta_analysis import pool
from clustrategy.estimation.resampling import signs
from clustrategy.estimation.two_stage import Test, Weights, fit_two_stage, rounding
from clustrategy.estimation.wald import Turned

SAME_DESIGN = 1e-9
"""Relative differences of cluster-level predictors up to this are rounding."""

TIED_COSINE = 1e-12
"""Sums r and a whose cosine is no larger are at a right angle: the flip leaves T^2 as it is."""

NO_SCATTER = "the scatter of the clusters' coefficients is singular"
APART = "the coefficients are of regressions over the clusters that differ in their predictors"
OWN_WEIGHTS = "with precision weights each coefficient is weighted by a tau^2 of its own"


class Tested(NamedTuple):
    """A group of coefficients of the datasets of a first stage.

    Attributes
    ----------
    statistic : (s,) array
        F, NaN where there is none.
    den_df : float
        Its denominator's degrees of freedom.
    weighted : (s, G, q) array
        The clusters' coefficients times their weights.
    reason : str
        Why a statistic is NaN.
    """

    statistic: Floats
    den_df: float
    weighted: Floats
    reason: str


def joint_two_stage(
    shard: Shard,
    groups: Sequence[Ints],
    weights: Weights,
    test: Test,
    draws: int,
    small_clusters: SmallClusters,
    adjust: Adjust,
) -> JointTests:
    """Test groups of coefficients over the clusters.

    Parameters
    ----------
    shard : Shard
        The datasets.
    groups : sequence of (q,) array of int
        The columns of X of each group.
    weights, test, draws, small_clusters, adjust
        As of `fit_two_stage`.

    Returns
    -------
    JointTests
        With `sign_flip` the F statistic of the other tests and a p-value by flips. Without numbers
        where the group's coefficients come from regressions on different predictors or, with
        precision weights, from several regressions: their joint covariance would need that of the
        clusters' coefficients, of which tau^2 is a diagonal element.
    """
    tests = JointTests.blank(shard.sims, groups)
    # One draw tells as well as many which coefficients are tested.
    fits = fit_two_stage(shard, None, weights, test, 1, small_clusters, adjust)
    unmarked = Fits.blank(shard.sims, shard.p)
    for stage in first_stages(shard, unmarked, small_clusters, weights == "precision")[0]:
        stage = stage.defined(fits)
        if stage.sims.size == 0:
            continue
        found = JointTests.blank(stage.sims.size, groups)
        drawn = [
            signs(shard, int(sim), stage.n.shape[1], draws)
            for sim in (stage.sims if test == "sign_flip" else [])
        ]
        for place, group in enumerate(groups):
            tested = _tested(stage, group, weights, test != "t", adjust)
            p_value = None
            if test == "sign_flip":
                p_value = np.array(
                    [_share(b, s) for b, s in zip(tested.weighted, drawn, strict=True)]
                )
                p_value[np.isnan(tested.statistic)] = np.nan
            found.fill(place, tested.statistic, tested.den_df, tested.reason, p_value)
        tests.put(stage.sims, found)
    return tests.agree_with(fits, groups, shard.terms)


def _tested(
    stage: FirstStage, group: Ints, weights: Weights, scaled: bool, adjust: Adjust
) -> Tested:
    owner = {c: number for number, second in enumerate(stage.second) for c in second.columns}
    numbers = np.array([owner[column] for column in group])
    plain = np.isin(group, stage.own)
    if adjust == "slopes" and plain.any() and not plain.all():
        nothing = np.full(stage.sims.size, np.nan)
        return Tested(nothing, np.nan, stage.coefficients[..., numbers], APART)
    adjusted = adjust == "slopes" and not plain.any()
    if (numbers == numbers[0]).all():
        return _one_regression(stage, int(numbers[0]), group, weights, scaled, adjusted)
    second = [stage.second[number] for number in numbers]
    responses = np.array([one.response for one in second])
    coefficients = stage.coefficients[..., responses]
    nothing = np.full(stage.sims.size, np.nan)
    if weights == "precision":
        return Tested(nothing, np.nan, coefficients, OWN_WEIGHTS)
    designs = [stage.beside_slopes(one) if adjusted else one.design for one in second]
    design = designs[0]
    places = {
        int(np.flatnonzero(one.columns == c)[0]) for one, c in zip(second, group, strict=True)
    }
    same = all(
        one.shape == design.shape and np.allclose(one, design, rtol=SAME_DESIGN, atol=0.0)
        for one in designs[1:]
    )
    if np.unique(numbers).size < numbers.size or len(places) > 1 or not same:
        return Tested(nothing, np.nan, coefficients, APART)
    return _several(coefficients, design, places.pop(), rounding(stage)[:, responses])


def _one_regression(
    stage: FirstStage,
    number: int,
    group: Ints,
    weights: Weights,
    scaled: bool,
    adjusted: bool,
) -> Tested:
    """Test coefficients of one regression over the clusters."""
    response, columns, design = stage.second[number]
    if adjusted:
        design = stage.beside_slopes(stage.second[number])
    places = [int(np.flatnonzero(columns == column)[0]) for column in group]
    effect = np.ascontiguousarray(stage.coefficients[..., response])
    df = float(design.shape[1] - design.shape[2])
    if weights == "precision":
        pooled = pool(effect, np.ascontiguousarray(stage.variances[..., response]), design)
        estimate = pooled.estimate
        root: Floats = np.asarray(np.linalg.cholesky(pooled.covariance), dtype=np.float64)
        scale = pooled.residual_ss / df if scaled else np.ones(len(effect))
        effect = effect * pooled.weights
    else:
        q = design.shape[2]
        joined = np.concatenate([design, effect[..., None]], axis=2)
        triangle = np.asarray(np.linalg.qr(joined, mode="r"))
        root = np.asarray(np.linalg.inv(triangle[:, :q, :q]), dtype=np.float64)
        estimate = (root @ triangle[:, :q, q:])[..., 0]
        scale = triangle[:, q, q] ** 2 / df
        scale = np.where(scale > rounding(stage)[:, response], scale, np.nan)
    turned = Turned.of(root[:, places])(estimate[:, places])
    statistic = (turned * turned).sum(axis=1) / (len(places) * scale)
    return Tested(statistic, df, effect[..., None], NO_SCATTER)


def _several(coefficients: Floats, design: Floats, place: int, noise: Floats) -> Tested:
    """Test the coefficients of one predictor in several regressions over the clusters."""
    G, q = coefficients.shape[1:]
    k = design.shape[2]
    f = G - k
    if f < q:
        return Tested(np.full(len(noise), np.nan), np.nan, coefficients, NO_SCATTER)
    joined = np.concatenate([design, coefficients], axis=2)
    triangle = np.asarray(np.linalg.qr(joined, mode="r"))
    root = np.linalg.inv(triangle[:, :k, :k])
    estimate = (root @ triangle[:, :k, k:])[:, place]
    scatter = triangle[:, k:, k:]
    left = np.diagonal(scatter, axis1=1, axis2=2) ** 2 / f
    singular = (left <= noise).any(axis=1)
    scatter = np.where(singular[:, None, None], np.eye(q), scatter)
    along = np.linalg.solve(np.swapaxes(scatter, 1, 2), estimate[..., None])[..., 0]
    c = (root[:, place] ** 2).sum(axis=1)
    statistic = (f - q + 1.0) / q * (along * along).sum(axis=1) / c
    return Tested(np.where(singular, np.nan, statistic), f - q + 1.0, coefficients, NO_SCATTER)


def _share(weighted: Floats, signs: Floats) -> float:
    """Return the share of sign vectors, (B, G), that make T^2 of (G, q) no smaller."""
    flipped = (signs != signs[:, :1]).astype(np.float64)
    sums = np.stack([flipped @ weighted, (1.0 - flipped) @ weighted])
    triangle = np.linalg.qr(weighted, mode="r")
    a, r = sums @ np.linalg.pinv(triangle)
    lengths = np.sqrt((a * a).sum(axis=1) * (r * r).sum(axis=1))
    return float(((a * r).sum(axis=1) <= TIED_COSINE * lengths).mean())
