"""What the members of the family of wild cluster bootstraps multiply by the weights of a draw.

MacKinnon, Nielsen & Webb (2023, J. Appl. Econometrics 38, 671-694) name four. C is the classic one:
residuals as they are, and the CR1 variance. S takes jackknifed residuals, those of each cluster
from the fit to all others; V the jackknife's variance, CV3; B both. wildboottest calls them 11, 31,
13 and 33.

Let h_g be X_g W, with W W' the inverse of X'X, and e_g a cluster's residuals. H_g = h_g h_g' is its
part of the hat matrix of the model, and h_g (I - QQ') h_g' that of the model without what is
tested, which of one coefficient is Q = r and of several an orthonormal basis of their rows of W.
Residuals as of the fit to all other clusters are the inverse of I - H_g times those of the fit to
all, of the model that the null leaves if it is imposed. They give z_g + tau y_g = h_g' times them.
The jackknife's variance takes the inverse of I - H_g times h_g, which here is called adjusted, for
h_g: q_g + tau k_g = r' adjusted' times the residuals, and a_g = h_g' adjusted r. Where a cluster
cannot be left out, eigenvalues of zero are left out of the inverse, as in CR3.
"""

from __future__ import annotations

from typing import Literal, NamedTuple

import numpy as np

from clustrategy.core.fits import Fits
from clustrategy.core.shard import Floats, Ints, Shard
from clustrategy.estimation.cluster_robust import (
    ONE_CLUSTER,
    adjustment,
    influences,
    leave_out_zeros,
    sum_of_squares,
)
from clustrategy.estimation.least_squares import Solution, mark_undefined, solve

Variant = Literal["C", "S", "V", "B"]

SCORES, VARIANCE = ("S", "B"), ("V", "B")
"""The members that take jackknifed residuals, and a jackknifed variance."""


class Parts(NamedTuple):
    """What the draws are made from.

    Attributes
    ----------
    variant : str
        The member of the family.
    solution : Solution
        Least squares.
    half : (S, G, k, p) array
        X_g W in the coordinates of the clusters' triangles.
    adjusted : (S, G, k, p) array
        What the variance takes in its place.
    residual : (S, G, k) array
        e_g.
    scores : (S, G, p) array
        The scores of the variance.
    factor : float
        What the sum of their squares is multiplied by.
    squares : (S, p) array
        The sum of the clusters' squared influences on each estimate.
    """

    variant: Variant
    solution: Solution
    half: Floats
    adjusted: Floats
    residual: Floats
    scores: Floats
    factor: float
    squares: Floats


def least_squares(shard: Shard, variant: Variant, nulls: int = 0) -> tuple[Fits, Parts]:
    """Fit ordinary least squares with cluster-robust standard errors, as yet without tests.

    Parameters
    ----------
    shard : Shard
        The datasets.
    variant : str
        Whose standard errors, CR1's or CV3's.
    nulls : int
        K of `Fits.p_nulls`.

    Returns
    -------
    fits : Fits
        Undefined ones marked.
    parts : Parts
    """
    fits = Fits.blank(shard.sims, shard.p, nulls=nulls)
    solution = solve(shard)
    half, residual = influences(shard.triangles, solution)
    G = shard.clusters
    adjusted, factor = half, G / max(G - 1, 1)
    if variant in VARIANCE:
        adjusted, factor = adjustment(half, -1.0) @ half, (G - 1) / G
    scores = (np.swapaxes(adjusted, 2, 3) @ residual[..., None])[..., 0]
    squares = sum_of_squares(scores @ np.swapaxes(solution.root, 1, 2), solution)
    fits.estimate[:] = solution.estimate
    fits.std_error[:] = np.sqrt(factor * squares)
    mark_undefined(shard, fits, solution)
    if G < 2:
        fits.fail(np.ones(shard.sims, dtype=bool), "undefined", ONE_CLUSTER)
    leave_out_zeros(fits, shard.terms)
    return fits, Parts(variant, solution, half, adjusted, residual, scores, factor, squares)


def jackknifed(half: Floats, basis: Floats | None, residual: Floats) -> Floats:
    """Return residuals of each cluster as of the fit to all others.

    Parameters
    ----------
    half : (S, G, k, p) array
        X_g W.
    basis : (S, p, q) array, optional
        Q of what the null says, if it is imposed.
    residual : (S, G, k, m) array
        Residuals of the fit to all clusters.

    Returns
    -------
    (S, G, k, m) array
    """
    if basis is not None:
        half = half - (half @ basis[:, None]) @ np.swapaxes(basis, 1, 2)[:, None]
    return np.asarray(adjustment(half, -1.0) @ residual)


class Sums(NamedTuple):
    """Whose sums over the clusters, times the weights, a draw consists of; see `wild_bootstrap`.

    Attributes
    ----------
    z : (S, 1 or p, p, G) array
        z_g, of each coefficient if they differ.
    y : (S, p, p, G) array
        y_g.
    q, k : (S, p, G) array
        q_g and k_g.
    a : (S, p, p, G) array
        a_g.
    """

    z: Floats
    y: Floats
    q: Floats
    k: Floats
    a: Floats

    @classmethod
    def of(cls, parts: Parts, sims: Ints, direction: Floats, impose_null: bool) -> Sums:
        """Prepare some datasets.

        Parameters
        ----------
        parts : Parts
            Of a shard.
        sims : (S,) array of int
            Which datasets.
        direction : (S, p, p) array
            A row r for each coefficient.
        impose_null : bool
            Whether residuals come from the fit under the null.

        Returns
        -------
        Sums
        """
        half, residual = parts.half[sims], parts.residual[sims]
        across = np.swapaxes(direction, 1, 2)[:, None]
        moved = np.moveaxis(half @ across, 3, 1)[..., None]  # (S, p, G, k, 1)
        residual, lifted = residual[:, None, ..., None], moved
        if parts.variant in VARIANCE:
            lifted = np.moveaxis(parts.adjusted[sims] @ across, 3, 1)[..., None]
        a = _by_cluster(half, lifted)
        if parts.variant in SCORES and impose_null:
            both = np.empty((*moved.shape[:4], 2))
            both[..., :1], both[..., 1:] = residual, moved
            for term in range(both.shape[1]):
                both[:, term] = jackknifed(half, direction[:, term, :, None], both[:, term])
            residual, moved = both[..., :1], both[..., 1:]
        elif parts.variant in SCORES:
            residual = jackknifed(half, None, residual[:, 0])[:, None]
        z, y = _by_cluster(half, residual), _by_cluster(half, moved)
        if parts.variant in VARIANCE:
            q, k = ((lifted * one).sum(axis=(3, 4)) for one in (residual, moved))
        else:
            q, k = ((direction[:, :, None] @ one)[:, :, 0] for one in (z, y))
        return cls(z, y, q, k, a)


def _by_cluster(half: Floats, vectors: Floats) -> Floats:
    """Return h_g' times vectors (S, m, G, k, 1), the clusters last: (S, m, p, G)."""
    scores = (np.swapaxes(half, 2, 3)[:, None] @ vectors)[..., 0]
    return np.ascontiguousarray(np.swapaxes(scores, 2, 3))
