"""How much of what is known of a coefficient comes from each cluster.

MacKinnon, Nielsen & Webb (2023, Stata Journal 23, 942-982): the leverage of cluster g is
tr(X_g'X_g (X'X)^-1), its partial leverage for coefficient j the share x~_gj'x~_gj / x~_j'x~_j, x~_j
the residuals of column j given the others. The effective number of clusters of a coefficient is
that of Carter, Schnepel & Steigerwald (2017, REStat 99, 698-709), G* = G / (1 + CV^2) of the
gamma_g = c' X_g' Omega_g X_g c, c the column of (X'X)^-1 and Omega_g = rho 11' + (1 - rho) I.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from clustrategy.core.shard import Floats, Shard
from clustrategy.design.full_rank import solve_full_rank
from clustrategy.design.variation import starts

ROUNDING = 1e-12
"""A sum of x~ over a cluster that is less than this share of its terms is zero."""


class Leverage(NamedTuple):
    """The leverage of the G clusters of one dataset.

    Attributes
    ----------
    leverage : (G,) array
        L_g; the sum is p.
    partial : (G, p) array
        Partial leverage of each coefficient; each column sums to 1.
    """

    leverage: Floats
    partial: Floats


def leverage(shard: Shard) -> Leverage:
    """Compute the leverage and partial leverage of every cluster.

    Parameters
    ----------
    shard : Shard
        One dataset.

    Returns
    -------
    Leverage
        NaN where the numbers of a column are out of range (`Shard.in_range`).

    Raises
    ------
    DataError
        If coefficients depend on each other.
    """
    if not shard.in_range.all():
        return Leverage(np.full(shard.clusters, np.nan), np.full((shard.clusters, shard.p), np.nan))
    root = solve_full_rank(shard).root[0]
    half = shard.triangles[0, ..., :-1] @ root
    weights = half @ root.T
    partial = (weights * weights).sum(axis=1)
    return Leverage((half * half).sum(axis=(1, 2)), partial / partial.sum(axis=0))


def effective_clusters(shard: Shard, rho: float = 0.0) -> Floats:
    """Compute the effective number of clusters of each coefficient.

    Parameters
    ----------
    shard : Shard
        One dataset.
    rho : float
        The correlation of errors within clusters, 0 to 1. At 0 G* is 1 over the sum of the squared
        partial leverages.

    Returns
    -------
    (p,) array
        Between 1 and G. NaN at a rho of 1 if x~ sums to zero in each cluster, as with fixed effects
        of the clusters: such errors then cancel. NaN where the numbers of a column are out of range
        (`Shard.in_range`).

    Raises
    ------
    DataError
        If coefficients depend on each other.
    """
    if not shard.in_range.all():
        return np.full(shard.p, np.nan)
    root = solve_full_rank(shard).root[0]
    weights = shard.triangles[0, ..., :-1] @ root @ root.T
    squares = (weights * weights).sum(axis=1)
    gamma = (1.0 - rho) * squares
    if rho > 0.0:
        first = starts(shard)
        sums = np.add.reduceat(shard.X, first, axis=0) @ root @ root.T
        terms = np.add.reduceat(np.abs(shard.X), first, axis=0) @ np.abs(root) @ np.abs(root.T)
        sums[np.abs(sums) <= ROUNDING * terms] = 0.0
        gamma += rho * sums * sums
    with np.errstate(invalid="ignore"):
        return np.asarray(gamma.sum(axis=0) ** 2 / (gamma * gamma).sum(axis=0))
