"""Generalized estimating equations for a Gaussian response with identity link, on whole shards.

Liang & Zeger (1986, Biometrika 73, 13-22). Notation: R_g is the working correlation of cluster g,
M the inverse of sum_g X_g' R_g^-1 X_g, e_g the residuals. The exchangeable R_g has the
eigenvector of ones with eigenvalue 1 + (n_g - 1) alpha, and 1 - alpha besides. In a triangular
factor of [1 X_g y_g] the ones are its first row, so R_g^-1/2 is a division of rows, and the
equations are least squares on the rows divided.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from clustrategy.core.fits import Fits
from clustrategy.core.joint_tests import JointTests
from clustrategy.core.shard import INTERCEPT, Floats, Ints, Shard
from clustrategy.estimation.cluster_robust import (
    EIGENVALUE_TOLERANCE,
    ZERO_STD_ERROR,
    leave_out_zeros,
)
from clustrategy.estimation.least_squares import mark_undefined as mark_no_solution
from clustrategy.estimation.least_squares import solve
from clustrategy.estimation.wald import NO_VARIANCE, Turned, wald
from clustrategy.estimation.within import intercept_first, varying

TOLERANCE = 1e-13
"""The change of the working correlation at which the iterations end."""

MARGIN = 1e-9
"""How far the working correlation stays within the range of positive definite matrices."""

MAX_ITERATIONS = 100
ONE_CLUSTER = "one cluster: a robust variance needs two"
NO_PAIRS = "no correlation: not more pairs of rows within clusters than coefficients"
NO_CORRELATION = "the estimate of the working correlation is not one of a positive definite matrix"
ENDLESS = f"the working correlation did not settle within {MAX_ITERATIONS} iterations"

Correlation = Literal["exchangeable", "independence"]
Variance = Literal[
    "robust",
    "mancl_derouen",
    "kauermann_carroll",
    "ford_westgate",
    "fay_graubard",
    "morel_bokossa_neerchal",
]
Df = Literal["normal", "G-1", "G-p", "G-k"]

POWERS: dict[Variance, tuple[float, ...]] = {
    "mancl_derouen": (-1.0,),
    "kauermann_carroll": (-0.5,),
    "ford_westgate": (-0.5, -1.0),
}
"""The powers of I - H_g by which a cluster's residuals are multiplied; variances are averaged."""

FAY_GRAUBARD_BOUND = 0.75
"""The most that one cluster may have of a coefficient's information: Fay & Graubard's b."""

LEAST_DESIGN_EFFECT = 1.0
"""Morel, Bokossa & Neerchal's r."""

MOST_OF_THE_MODEL = 0.5
"""The largest share of the design effect that they add: 1/d with their d = 2."""


class Moments(NamedTuple):
    """Moment estimates at given coefficients.

    Attributes
    ----------
    scale, correlation : (s,) array
        The variance of a row and the exchangeable correlation of two rows of a cluster.
    """

    scale: Floats
    correlation: Floats


@dataclass
class Clusters:
    """The clusters of s datasets, predictors and response centred at their means.

    Uncentred, a large mean would leave the iterations nothing but rounding to settle on.

    Attributes
    ----------
    triangles : (s, G, k, p + 1) array
        Triangular factors of [X_g y_g] whose first row is in the direction of ones.
    n : (s, G) array
        Rows of each cluster.
    means : (s, p + 1) array
        What was subtracted from the columns, 0 in a model without an intercept.
    """

    triangles: Floats
    n: Floats
    means: Floats

    @classmethod
    def of(cls, shard: Shard) -> Clusters:
        """Take the clusters of a shard, whose model has its intercept anywhere or nowhere."""
        wider = intercept_first(shard)
        triangles = wider.triangles[..., wider.p - shard.p :].copy()
        means = np.zeros((shard.sims, shard.p + 1))
        if INTERCEPT in shard.terms:
            first = np.ascontiguousarray(wider.triangles[:, :, 0, 0])
            along = np.ascontiguousarray(np.swapaxes(triangles[:, :, 0], 1, 2))
            means = (along * first[:, None]).sum(axis=2) / shard.n_obs[:, None]
            means[:, shard.terms.index(INTERCEPT)] = 0.0
            triangles[:, :, 0] -= first[..., None] * means[:, None]
        return cls(triangles, shard.n.astype(np.float64), means)

    def take(self, sims: Ints) -> Clusters:
        """Return the clusters of some of the datasets."""
        return Clusters(self.triangles[sims], self.n[sims], self.means[sims])

    def moments(self, estimate: Floats) -> Moments:
        """Estimate scale and correlation by moments (Liang & Zeger 1986).

        Divided by N - p and by P - p, where P is the number of pairs of rows within clusters.

        Parameters
        ----------
        estimate : (s, p) array
            The coefficients.

        Returns
        -------
        Moments
        """
        p = estimate.shape[1]
        residual = residuals(self.triangles, estimate)
        squares = (residual * residual).sum(axis=2)
        products = 0.5 * (self.n * residual[..., 0] ** 2 - squares)
        rows = self.n.sum(axis=1)
        pairs = (0.5 * self.n * (self.n - 1.0)).sum(axis=1)
        with np.errstate(divide="ignore", invalid="ignore"):
            scale = squares.sum(axis=1) / (rows - p)
            return Moments(scale, products.sum(axis=1) / (scale * (pairs - p)))

    def whitened(self, correlation: Floats) -> Floats:
        """Return R_g^-1/2 [X_g y_g], (s, G, k, p + 1), at correlations (s,)."""
        roots = np.empty(self.triangles.shape[:3])
        roots[:] = np.sqrt(1.0 - correlation)[:, None, None]
        roots[..., 0] = np.sqrt(1.0 + correlation[:, None] * (self.n - 1.0))
        return self.triangles / roots[..., None]

    def bounds(self) -> tuple[Floats, Floats]:
        """Return the correlations, (s,) each, between which all R_g are positive definite."""
        high = np.full(len(self.n), 1.0 - MARGIN)
        return -high / (self.n.max(axis=1) - 1.0), high


def residuals(rows: Floats, estimate: Floats) -> Floats:
    """Return the residuals, (s, G, k), of rows (s, G, k, p + 1) at coefficients (s, p)."""
    design = np.ascontiguousarray(rows[..., :-1])
    return rows[..., -1] - (design @ estimate[:, None, :, None])[..., 0]


def least_squares(rows: Floats) -> tuple[Floats, Floats]:
    """Compute least squares of stacked rows.

    Parameters
    ----------
    rows : (s, G, k, p + 1) array
        The clusters' rows of predictors and response.

    Returns
    -------
    estimate : (s, p) array
    root : (s, p, p) array
        W with W W' = (X'X)^-1.
    """
    s, G, k, width = rows.shape
    triangle = np.asarray(np.linalg.qr(rows.reshape(s, G * k, width), mode="r"))
    root = np.asarray(np.linalg.inv(triangle[:, :-1, :-1]), dtype=np.float64)
    return (root @ triangle[:, :-1, -1:])[..., 0], root


def fit_gee(shard: Shard, correlation: Correlation, variance: Variance, df: Df) -> Fits:
    """Fit coefficients and correlation in turn until they agree; then a sandwich variance.

    Parameters
    ----------
    shard : Shard
        The datasets.
    correlation : str
        The working correlation; scale and correlation by moments, as statsmodels'.
    variance : str
        `robust` (Liang & Zeger 1986); `mancl_derouen`, residuals times (I - H_g)^-1 (Mancl &
        DeRouen 2001, Biometrics 57, 126-134); `kauermann_carroll`, times (I - H_g)^-1/2
        (Kauermann & Carroll 2001, JASA 96, 1387-1396), the principal root; `ford_westgate`, the
        average of these two (Ford & Westgate 2017, Biom J 59, 478-495); `fay_graubard`, scores
        divided by (1 - min(.75, [X_g' R_g^-1 X_g M]_jj))^1/2 (Fay & Graubard 2001, Biometrics 57,
        1198-1206); `morel_bokossa_neerchal`, a multiple of the variance of the working model added
        (Morel, Bokossa & Neerchal 2003, Biom J 45, 395-409).
    df : str
        Degrees of freedom of the t distribution; k counts the coefficients of columns that vary
        within no cluster, the intercept with them.

    Returns
    -------
    Fits
    """
    return _fit(shard, correlation, variance, df)[0]


def joint_gee(
    shard: Shard, groups: Sequence[Ints], correlation: Correlation, variance: Variance, df: Df
) -> JointTests:
    """Test groups of coefficients by the Wald statistic over q, with F(q, df).

    Parameters
    ----------
    shard : Shard
        The datasets.
    groups : sequence of (q,) array of int
        The columns of X of each group.
    correlation, variance, df : str
        As of `fit_gee`.

    Returns
    -------
    JointTests
    """
    fits, parts = _fit(shard, correlation, variance, df)
    tests = JointTests.blank(shard.sims, groups)
    for place, group in enumerate(groups):
        turned = Turned.of(parts.root[:, group])
        influence = np.swapaxes(turned(parts.influence[:, group]), 1, 2)
        estimate = turned(parts.estimate[:, group])
        statistic = np.full(shard.sims, np.nan)
        statistic[parts.sims] = wald(estimate, influence, parts.residual_ss) / group.size
        tests.fill(place, statistic, degrees(df, shard), NO_VARIANCE)
    return tests.agree_with(fits, groups, shard.terms)


class Sandwich(NamedTuple):
    """A robust variance before it is summed over the clusters.

    Attributes
    ----------
    sims : (s,) array of int
        The datasets that have one.
    estimate : (s, p) array
        The coefficients.
    root : (s, p, p) array
        W with W W' their variance under the working model, over the scale.
    residual_ss : (s,) array
        The sum of squares of the whitened residuals.
    influence : (s, p, n) array
        The columns of a root of the variance: what each cluster adds to the estimates, and, where
        the variance is more than their squares, what does the rest.
    """

    sims: Ints
    estimate: Floats
    root: Floats
    residual_ss: Floats
    influence: Floats


def _fit(
    shard: Shard, correlation: Correlation, variance: Variance, df: Df
) -> tuple[Fits, Sandwich]:
    fits = Fits.blank(shard.sims, shard.p)
    mark_undefined(shard, correlation, df, fits)
    sims = np.flatnonzero(fits.status == "ok")
    clusters = Clusters.of(shard).take(sims)
    alpha = np.zeros(sims.size)
    settled = possible = np.ones(sims.size, dtype=bool)
    if correlation == "exchangeable":
        alpha, settled, possible = _correlation(clusters)
    whitened = clusters.whitened(alpha)
    estimate, root = least_squares(whitened)
    residual = residuals(whitened, estimate)
    residual_ss = (residual * residual).sum(axis=(1, 2))
    scale = clusters.moments(estimate).scale
    fits.sigma[sims] = np.sqrt(scale)
    half = np.ascontiguousarray(whitened[..., :-1]) @ root[:, None]
    scores = _scores(half, residual, POWERS.get(variance, (0.0,)))
    influence = np.ascontiguousarray(np.swapaxes(scores @ np.swapaxes(root, 1, 2), 1, 2))
    squares_of_root = (root * root).sum(axis=2)
    if INTERCEPT in shard.terms:
        place = shard.terms.index(INTERCEPT)
        slopes, response = clusters.means[:, :-1], clusters.means[:, -1]
        influence[:, place] -= (slopes[..., None] * influence).sum(axis=1)
        estimate[:, place] += response - (slopes * estimate).sum(axis=1)
        root[:, place] -= (slopes[..., None] * root).sum(axis=1)
    if variance == "fay_graubard":
        influence = _fay_graubard(half, scores, root)
    if variance == "morel_bokossa_neerchal":
        influence = _with_the_model(clusters.n, scores, scale, influence, root)
    fits.estimate[sims] = estimate
    squares = (influence * influence).sum(axis=2)
    unit = residual_ss[:, None] * squares_of_root
    fits.std_error[sims] = np.sqrt(np.where(squares > ZERO_STD_ERROR**2 * unit, squares, np.nan))
    fits.df[sims] = degrees(df, shard)[sims, None]
    leave_out_zeros(fits, shard.terms)
    fits.fail(np.isin(np.arange(shard.sims), sims[~possible]), "undefined", NO_CORRELATION)
    stuck = sims[possible & ~settled]
    fits.status[stuck], fits.message[stuck] = "not_converged", ENDLESS
    return fits, Sandwich(sims, estimate, root, residual_ss, influence)


def degrees(df: Df, shard: Shard) -> Floats:
    """Return the degrees of freedom of each dataset, (S,)."""
    G = float(shard.clusters)
    if df == "G-k":
        return np.asarray(G - (~varying(shard)).sum(axis=1), dtype=np.float64)
    return np.full(shard.sims, {"normal": np.inf, "G-1": G - 1.0, "G-p": G - shard.p}[df])


def mark_undefined(shard: Shard, correlation: Correlation, df: Df, fits: Fits) -> None:
    """Fail the fits to datasets that have no GEE estimate, variance or test.

    Parameters
    ----------
    shard : Shard
        The datasets.
    correlation, df : str
        As of `fit_gee`.
    fits : Fits
        Marked in place.
    """
    G, p = shard.clusters, shard.p
    solution = solve(shard)
    mark_no_solution(shard, fits, solution)
    everywhere = np.ones(shard.sims, dtype=bool)
    if G < 2:
        fits.fail(everywhere, "undefined", ONE_CLUSTER)
    if correlation == "exchangeable":
        pairs = (shard.n * (shard.n - 1) // 2).sum(axis=1)
        fits.fail(pairs <= p, "undefined", NO_PAIRS)
    message = f"no degrees of freedom: {df} is not positive with {G} clusters"
    fits.fail(degrees(df, shard) <= 0, "undefined", message)


def _correlation(clusters: Clusters) -> tuple[Floats, NDArray[np.bool_], NDArray[np.bool_]]:
    """Iterate exchangeable correlations, (s,).

    Returns them, which settled, and which are within their range.
    """
    alpha = np.zeros(len(clusters.n))
    settled = np.zeros(len(alpha), dtype=bool)
    possible = np.ones(len(alpha), dtype=bool)
    active = np.arange(len(alpha))
    for _ in range(MAX_ITERATIONS):
        some = clusters.take(active)
        before = alpha[active]
        found = some.moments(least_squares(some.whitened(before))[0]).correlation
        alpha[active] = np.clip(found, *some.bounds())
        possible[active] = alpha[active] == found
        settled[active] = np.abs(alpha[active] - before) <= TOLERANCE
        active = active[~settled[active]]
        if active.size == 0:
            break
    return alpha, settled, possible


def _scores(half: Floats, residual: Floats, powers: Sequence[float]) -> Floats:
    """Compute the clusters' scores in the coordinates of W, one set after the other, (s, m G, p).

    Residuals times powers of I - H_g: H_g = X_g M X_g' R_g^-1 becomes half half' by the whitening,
    with half = R_g^-1/2 X_g W, and half' (I - half half')^q = (I - half' half)^q half': a p x p
    matrix whatever the cluster's size. The sum of squares of m sets is the average of theirs.
    """
    transposed = np.ascontiguousarray(np.swapaxes(half, 2, 3))
    scores = (transposed @ residual[..., None])[..., 0]
    if not any(powers):
        return scores
    values, vectors = np.linalg.eigh(np.eye(half.shape[-1]) - transposed @ half)
    along = (np.swapaxes(vectors, 2, 3) @ scores[..., None])[..., 0]
    sets = []
    for power in powers:
        with np.errstate(divide="ignore", invalid="ignore"):
            raised = np.where(values > EIGENVALUE_TOLERANCE, values**power, 0.0)
        sets.append((vectors @ (raised * along)[..., None])[..., 0])
    return sets[0] if len(sets) == 1 else np.concatenate(sets, axis=1) / np.sqrt(len(sets))


def _fay_graubard(half: Floats, scores: Floats, root: Floats) -> Floats:
    """Compute Fay & Graubard's influences, (s, p, G).

    Each cluster's score for coefficient j is divided by (1 - min(b, [X_g' R_g^-1 X_g M]_jj))^1/2.
    Unlike all else here these depend on where the predictors have their zeros.

    Parameters
    ----------
    half : (s, G, k, p) array
        R_g^-1/2 X_g W.
    scores : (s, G, p) array
        W' X_g' R_g^-1 e_g.
    root : (s, p, p) array
        W, of the predictors as they are.
    """
    back = np.swapaxes(np.linalg.inv(root), 1, 2)
    gram = np.ascontiguousarray(np.swapaxes(half, 2, 3)) @ half
    share = ((back[:, None] @ gram) * root[:, None]).sum(axis=3)
    divided = scores @ np.swapaxes(back, 1, 2)
    divided /= np.sqrt(1.0 - np.minimum(FAY_GRAUBARD_BOUND, share))
    return np.ascontiguousarray(np.swapaxes(divided @ root @ np.swapaxes(root, 1, 2), 1, 2))


def _with_the_model(
    n: Floats, scores: Floats, scale: Floats, influence: Floats, root: Floats
) -> Floats:
    """Inflate influences and set beside them a share of the working model's variance.

    c V + delta xi phi M (Morel, Bokossa & Neerchal 2003), as the columns, (s, p, G + p), of a root.

    Parameters
    ----------
    n : (s, G) array
        Rows of each cluster.
    scores : (s, G, p) array
        W' X_g' R_g^-1 e_g.
    scale : (s,) array
        phi.
    influence : (s, p, G) array
        What each cluster adds to the estimates: V is the sum of their squares.
    root : (s, p, p) array
        W.
    """
    G, p, N = n.shape[1], root.shape[1], n.sum(axis=1)
    inflation = (N - 1.0) / (N - p) * (G / (G - 1.0))
    share = p / (G - p) if G > p / MOST_OF_THE_MODEL + p else MOST_OF_THE_MODEL
    effect = (scores * scores).sum(axis=(1, 2)) / (scale * p)
    added = share * np.maximum(effect, LEAST_DESIGN_EFFECT) * scale
    parts = np.sqrt(inflation)[:, None, None] * influence, np.sqrt(added)[:, None, None] * root
    return np.concatenate(parts, axis=2)
