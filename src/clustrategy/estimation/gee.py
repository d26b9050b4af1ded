"""Generalized estimating equations for a Gaussian response with identity link, on whole shards.

Liang & Zeger (1986, Biometrika 73, 13-22). Notation: R_g is the working correlation of cluster g,
M the inverse of sum_g X_g' R_g^-1 X_g, e_g the residuals. The exchangeable R_g has the
eigenvector of ones with eigenvalue 1 + (n_g - 1) alpha, and 1 - alpha besides. In a triangular
factor of [1 X_g y_g] the ones are its first row, so R_g^-1/2 is a division of rows, and the
equations are least squares on the rows divided.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from clustrategy.core.fits import Fits
from clustrategy.core.shard import INTERCEPT, Floats, Shard
from clustrategy.estimation.cluster_robust import (
    EIGENVALUE_TOLERANCE,
    ZERO_STD_ERROR,
    leave_out_zeros,
)
from clustrategy.estimation.least_squares import mark_undefined as mark_no_solution
from clustrategy.estimation.least_squares import solve

TOLERANCE = 1e-13
MARGIN = 1e-9
ITERATIONS = 100
ONE_CLUSTER = "one cluster: a robust variance needs two"
NO_PAIRS = "no correlation: not more pairs of rows within clusters than coefficients"
NO_CORRELATION = "the estimate of the working correlation is not one of a positive definite matrix"
ENDLESS = f"the working correlation did not settle within {ITERATIONS} iterations"

Correlation = Literal["exchangeable", "independence"]
Variance = Literal["robust", "mancl_derouen", "kauermann_carroll"]
Df = Literal["normal", "G-1", "G-p"]

POWERS = {"robust": 0.0, "mancl_derouen": -1.0, "kauermann_carroll": -0.5}
"""Of I - H_g, by which a cluster's residuals are multiplied."""


@dataclass
class Clusters:
    """The clusters of s datasets, predictors and response about their means.

    Without that a large mean would leave the iterations nothing but rounding to settle on.

    Attributes
    ----------
    triangles : (s, G, k, p + 1) factors of [X_g y_g] whose first row is in the direction of ones.
    n : (s, G) rows of each cluster.
    means : (s, p + 1) what was taken off the columns, all 0 in a model without an intercept.
    """

    triangles: Floats
    n: Floats
    means: Floats

    @classmethod
    def of(cls, shard: Shard) -> Clusters:
        """Those of a shard, the intercept anywhere or nowhere in its model."""
        wider = shard
        if shard.terms[0] != INTERCEPT:
            X = np.column_stack([np.ones(shard.y.size), shard.X])
            wider = Shard(shard.y, X, shard.n, (INTERCEPT, *shard.terms))
        triangles = wider.triangles[..., wider.p - shard.p :].copy()
        means = np.zeros((shard.sims, shard.p + 1))
        if INTERCEPT in shard.terms:
            first = np.ascontiguousarray(wider.triangles[:, :, 0, 0])
            along = np.ascontiguousarray(np.swapaxes(triangles[:, :, 0], 1, 2))
            means = (along * first[:, None]).sum(axis=2) / shard.n_obs[:, None]
            means[:, shard.terms.index(INTERCEPT)] = 0.0
            triangles[:, :, 0] -= first[..., None] * means[:, None]
        return cls(triangles, shard.n.astype(np.float64), means)

    def some(self, sims: NDArray[np.int64]) -> Clusters:
        """The clusters of some of the datasets."""
        return Clusters(self.triangles[sims], self.n[sims], self.means[sims])

    def moments(self, estimate: Floats) -> tuple[Floats, Floats]:
        """(s,) the moment estimates of scale and correlation at (s, p) coefficients.

        Liang & Zeger's: divided by N - p and by P - p, P the pairs of rows
        within clusters.
        """
        p = estimate.shape[1]
        residual = residuals(self.triangles, estimate)
        squares = (residual * residual).sum(axis=2)
        products = 0.5 * (self.n * residual[..., 0] ** 2 - squares)
        rows = self.n.sum(axis=1)
        pairs = (0.5 * self.n * (self.n - 1.0)).sum(axis=1)
        with np.errstate(divide="ignore", invalid="ignore"):
            scale = squares.sum(axis=1) / (rows - p)
            return scale, products.sum(axis=1) / (scale * (pairs - p))

    def whitened(self, correlation: Floats) -> Floats:
        """(s, G, k, p + 1) R_g^-1/2 [X_g y_g] at (s,) correlations."""
        roots = np.empty(self.triangles.shape[:3])
        roots[:] = np.sqrt(1.0 - correlation)[:, None, None]
        roots[..., 0] = np.sqrt(1.0 + correlation[:, None] * (self.n - 1.0))
        return self.triangles / roots[..., None]

    def bounds(self) -> tuple[Floats, Floats]:
        """(s,) correlations between which all R_g are positive definite, but for a margin."""
        high = np.full(len(self.n), 1.0 - MARGIN)
        return -high / (self.n.max(axis=1) - 1.0), high


def residuals(rows: Floats, estimate: Floats) -> Floats:
    """(s, G, k) of rows (s, G, k, p + 1) at (s, p) coefficients."""
    design = np.ascontiguousarray(rows[..., :-1])
    return rows[..., -1] - (design @ estimate[:, None, :, None])[..., 0]


def least_squares(rows: Floats) -> tuple[Floats, Floats]:
    """Coefficients (s, p) and W with W W' = (X'X)^-1 (s, p, p) from rows (s, G, k, p + 1)."""
    s, G, k, width = rows.shape
    triangle = np.asarray(np.linalg.qr(rows.reshape(s, G * k, width), mode="r"))
    root = np.asarray(np.linalg.inv(triangle[:, :-1, :-1]), dtype=np.float64)
    return (root @ triangle[:, :-1, -1:])[..., 0], root


def fit_gee(shard: Shard, correlation: Correlation, variance: Variance, df: Df) -> Fits:
    """Coefficients and correlation in turn, until they agree; then a sandwich variance.

    Parameters
    ----------
    correlation : the working correlation; its scale and correlation by moments, as statsmodels'.
    variance : `robust` (Liang & Zeger 1986); `mancl_derouen`, residuals times (I - H_g)^-1 (Mancl
        & DeRouen 2001, Biometrics 57, 126-134); `kauermann_carroll`, times (I - H_g)^-1/2
        (Kauermann & Carroll 2001, JASA 96, 1387-1396), the principal root.
    df : of the t distribution.
    """
    fits = Fits.blank(shard.sims, shard.p)
    mark_undefined(shard, correlation, df, fits)
    sims = np.flatnonzero(fits.status == "ok")
    clusters = Clusters.of(shard).some(sims)
    alpha = np.zeros(sims.size)
    settled = possible = np.ones(sims.size, dtype=bool)
    if correlation == "exchangeable":
        alpha, settled, possible = _correlation(clusters)
    whitened = clusters.whitened(alpha)
    estimate, root = least_squares(whitened)
    residual = residuals(whitened, estimate)
    fits.sigma[sims] = np.sqrt(clusters.moments(estimate)[0])
    influence = _influence(whitened, estimate, root, POWERS[variance])
    if INTERCEPT in shard.terms:
        place = shard.terms.index(INTERCEPT)
        slopes, response = clusters.means[:, :-1], clusters.means[:, -1]
        influence[:, place] -= (slopes[..., None] * influence).sum(axis=1)
        estimate[:, place] += response - (slopes * estimate).sum(axis=1)
    fits.estimate[sims] = estimate
    squares = (influence * influence).sum(axis=2)
    unit = (residual * residual).sum(axis=(1, 2))[:, None] * (root * root).sum(axis=2)
    fits.std_error[sims] = np.sqrt(np.where(squares > ZERO_STD_ERROR**2 * unit, squares, np.nan))
    fits.df[sims] = degrees(df, shard.clusters, shard.p)
    leave_out_zeros(fits, shard.terms)
    fits.fail(np.isin(np.arange(shard.sims), sims[~possible]), "undefined", NO_CORRELATION)
    stuck = sims[possible & ~settled]
    fits.status[stuck], fits.message[stuck] = "not_converged", ENDLESS
    return fits


def degrees(df: Df, G: int, p: int) -> float:
    """The degrees of freedom of G clusters and p coefficients."""
    return {"normal": np.inf, "G-1": G - 1.0, "G-p": float(G - p)}[df]


def mark_undefined(shard: Shard, correlation: Correlation, df: Df, fits: Fits) -> None:
    """Fail the fits to datasets that have no GEE estimate, variance or test."""
    G, p = shard.clusters, shard.p
    solution = solve(shard)
    mark_no_solution(shard, fits, solution)
    everywhere = np.ones(shard.sims, dtype=bool)
    if G < 2:
        fits.fail(everywhere, "undefined", ONE_CLUSTER)
    if correlation == "exchangeable":
        pairs = (shard.n * (shard.n - 1) // 2).sum(axis=1)
        fits.fail(pairs <= p, "undefined", NO_PAIRS)
    if degrees(df, G, p) <= 0:
        message = f"no degrees of freedom: {df} is not positive with {G} clusters"
        fits.fail(everywhere, "undefined", message)


def _correlation(clusters: Clusters) -> tuple[Floats, NDArray[np.bool_], NDArray[np.bool_]]:
    """(s,) exchangeable correlations, which settled, and which are within their range."""
    alpha = np.zeros(len(clusters.n))
    settled = np.zeros(len(alpha), dtype=bool)
    possible = np.ones(len(alpha), dtype=bool)
    active = np.arange(len(alpha))
    for _ in range(ITERATIONS):
        some = clusters.some(active)
        before = alpha[active]
        found = some.moments(least_squares(some.whitened(before))[0])[1]
        alpha[active] = np.clip(found, *some.bounds())
        possible[active] = alpha[active] == found
        settled[active] = np.abs(alpha[active] - before) <= TOLERANCE
        active = active[~settled[active]]
        if active.size == 0:
            break
    return alpha, settled, possible


def _influence(whitened: Floats, estimate: Floats, root: Floats, power: float) -> Floats:
    """(s, p, G) what each cluster adds to the estimates, residuals times a power of I - H_g.

    H_g = X_g M X_g' R_g^-1 becomes half half' by the whitening, with half = R_g^-1/2 X_g W, and
    half' (I - half half')^q = (I - half' half)^q half': a p x p matrix whatever the cluster's size.
    """
    half = np.ascontiguousarray(whitened[..., :-1]) @ root[:, None]
    transposed = np.ascontiguousarray(np.swapaxes(half, 2, 3))
    scores = (transposed @ residuals(whitened, estimate)[..., None])[..., 0]
    if power != 0.0:
        values, vectors = np.linalg.eigh(np.eye(root.shape[1]) - transposed @ half)
        with np.errstate(divide="ignore", invalid="ignore"):
            powers = np.where(values > EIGENVALUE_TOLERANCE, values**power, 0.0)
        along = (np.swapaxes(vectors, 2, 3) @ scores[..., None])[..., 0]
        scores = (vectors @ (powers * along)[..., None])[..., 0]
    return np.ascontiguousarray(np.swapaxes(scores @ np.swapaxes(root, 1, 2), 1, 2))
