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
from clustrategy.design.variation import starts
from clustrategy.estimation.least_squares import solve


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
        One dataset, X of full rank.

    Returns
    -------
    Leverage
    """
    root = solve(shard).root[0]
    half = shard.triangles[0, ..., :-1] @ root
    weights = half @ root.T
    partial = (weights * weights).sum(axis=1)
    return Leverage((half * half).sum(axis=(1, 2)), partial / partial.sum(axis=0))


def effective_clusters(shard: Shard, rho: float = 0.0) -> Floats:
    """Compute the effective number of clusters of each coefficient.

    Parameters
    ----------
    shard : Shard
        One dataset, X of full rank.
    rho : float
        The correlation of errors within clusters, 0 to 1.

    Returns
    -------
    (p,) array
        Between 1 and G.
    """
    root = solve(shard).root[0]
    inverse = root @ root.T
    weights = shard.triangles[0, ..., :-1] @ inverse
    gamma = (1.0 - rho) * (weights * weights).sum(axis=1)
    if rho > 0.0:
        sums = np.add.reduceat(shard.X, starts(shard), axis=0) @ inverse
        gamma += rho * sums * sums
    return np.asarray(gamma.sum(axis=0) ** 2 / (gamma * gamma).sum(axis=0))
