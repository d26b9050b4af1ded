"""Predictors of any shape, by standard normals behind them (a Gaussian copula).

Two standard normals of correlation c, each turned into a variable of mean 0 and variance 1, give
one of correlation r:

- normal and normal: c
- normal and uniform: sqrt(3 / pi) c
- normal and binary: sqrt(2 / pi) c
- uniform and uniform: (6 / pi) arcsin(c / 2)
- uniform and binary: (2 sqrt(3) / pi) arcsin(c / sqrt(2))
- binary and binary: (2 / pi) arcsin(c)

References
----------
Kruskal (1958), Ordinal measures of association, JASA 53, 814-861; Falk (1999), A simple approach to
the generation of uniformly distributed random variables with prescribed correlations,
Communications in Statistics - Simulation and Computation 28, 785-791; Emrich & Piedmonte (1991), A
method for generating high-dimensional multivariate binary variates, The American Statistician 45,
302-304.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, NamedTuple

import numpy as np

from clustrategy.core.shard import Floats

Shape = Literal["normal", "uniform", "binary"]

ROUNDING = 1e-12
"""An eigenvalue of a covariance matrix that is this little below 0 counts as 0."""

_LINEAR = {"normal": 1.0, "uniform": np.sqrt(3.0 / np.pi), "binary": np.sqrt(2.0 / np.pi)}
"""The correlation of each with the normal behind it."""

_ARC = {"uniform": (6.0 / np.pi) ** 0.5, "binary": (2.0 / np.pi) ** 0.5}
_WITHIN_ARC = {"uniform": 2.0**-0.5, "binary": 1.0}
"""Of two that are not normal the correlation is a arcsin(b c), a and b products of these."""


class Behind(NamedTuple):
    """The normals behind K predictors: each is the sum of one of its cluster and one of its row.

    Attributes
    ----------
    between, within : (K, K) array
        Their covariances; those of a predictor's two normals sum to 1.
    """

    between: Floats
    within: Floats

    @property
    def exists(self) -> bool:
        """Whether there are normals with these covariances."""
        return all(np.linalg.eigvalsh(part)[0] >= -ROUNDING for part in self)


def behind(shapes: Sequence[Shape], shares: Floats, rho: float) -> Behind:
    """Return the normals that give predictors exactly the ICCs and correlations asked for.

    Parameters
    ----------
    shapes : sequence of {"normal", "uniform", "binary"}
        Of each of K predictors.
    shares : (K,) array
        The ICC of each: the correlation of two rows of a cluster.
    rho : float
        Rows' deviations from their cluster's mean, and the means, correlate by it: predictors j and
        k by rho (sqrt(i_j i_k) + sqrt((1 - i_j)(1 - i_k))) in a row, and by rho sqrt(i_j i_k) in
        two rows of a cluster.
    """
    between, within = (np.sqrt(np.outer(part, part)) for part in (shares, 1.0 - shares))
    of_means, of_rows = rho * between, rho * (between + within)
    np.fill_diagonal(of_means, shares)
    np.fill_diagonal(of_rows, 1.0)
    normals_of_means = _normals(of_means, shapes)
    return Behind(normals_of_means, _normals(of_rows, shapes) - normals_of_means)


def mixed(normals: Floats, covariance: Floats) -> Floats:
    """Give independent standard normals, (R, K), a covariance matrix by its symmetric root.

    Each row is worked out by itself, so that its bits do not depend on those beside it.
    """
    found = np.zeros_like(normals)
    varying = np.flatnonzero(np.diagonal(covariance))
    values, vectors = np.linalg.eigh(covariance[np.ix_(varying, varying)])
    root = (vectors * np.sqrt(np.maximum(values, 0.0))) @ vectors.T
    for k, weights in zip(varying, root, strict=True):
        for j, weight in zip(varying, weights, strict=True):
            if weight:
                found[:, k] += weight * normals[:, j]
    return found


def shaped(normals: Floats, shape: Shape) -> Floats:
    """Turn standard normals into a variable of mean 0 and variance 1.

    Parameters
    ----------
    normals : (R,) array
    shape : {"normal", "uniform", "binary"}
        `uniform`: between -sqrt(3) and sqrt(3). `binary`: -1 or 1, each with probability 1/2.
    """
    match shape:
        case "uniform":
            from scipy.special import ndtr

            return np.asarray(np.sqrt(3.0) * (2.0 * ndtr(normals) - 1.0))
        case "binary":
            return np.where(normals < 0.0, -1.0, 1.0)
    return normals


def _normals(correlations: Floats, shapes: Sequence[Shape]) -> Floats:
    """Return the correlations of the normals behind variables of these correlations."""
    found = np.empty_like(correlations)
    for j, first in enumerate(shapes):
        for k, second in enumerate(shapes):
            r = correlations[j, k]
            if "normal" in (first, second):
                found[j, k] = r / (_LINEAR[first] * _LINEAR[second])
            else:
                arc = r / (_ARC[first] * _ARC[second])
                found[j, k] = np.sin(arc) / (_WITHIN_ARC[first] * _WITHIN_ARC[second])
    return found
