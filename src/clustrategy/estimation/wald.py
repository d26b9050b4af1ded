"""The Wald statistic of several coefficients at once.

The coefficients of a group have the rows C of a matrix R with R R' their covariance under a model.
C = T' Q' with T triangular and the columns of Q orthonormal turns them into T'^-1 times themselves,
whose covariance under the model is the identity: there nothing depends on how the group is coded,
and what is singular shows.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from clustrategy.core.shard import Floats

ZERO_VARIANCE = 1e-20
"""A variance is zero below this share of what the model makes of it."""

NO_VARIANCE = "the variance of the coefficients together is singular"


class Turned(NamedTuple):
    """What makes the coefficients of a group independent, of unit variance under the model.

    Attributes
    ----------
    basis : (S, p, q) array
        Q.
    triangle : (S, q, q) array
        T.
    """

    basis: Floats
    triangle: Floats

    @classmethod
    def of(cls, rows: Floats) -> Turned:
        """Take the rows C, (S, q, p), of the coefficients of a group."""
        return cls(*np.linalg.qr(np.swapaxes(rows, 1, 2)))

    def __call__(self, parts: Floats) -> Floats:
        """Turn estimates, or what adds up to them, (S, q, ...)."""
        by_column = parts.reshape(*parts.shape[:2], -1)
        turned = np.linalg.solve(np.swapaxes(self.triangle, 1, 2), by_column)
        return np.asarray(turned.reshape(parts.shape), dtype=np.float64)


def wald(estimate: Floats, parts: Floats, unit: Floats) -> Floats:
    """Compute b' V^-1 b with V a sum of squares.

    Parameters
    ----------
    estimate : (S, q) array
        b, turned.
    parts : (S, n, q) array
        The rows F of V = F' F, turned.
    unit : (S,) array
        What the model makes of each variance, apart from a constant of the order of one.

    Returns
    -------
    (S,) array
        NaN where V is singular.
    """
    S, n, q = parts.shape
    if n < q:
        return np.full(S, np.nan)
    _, lengths, axes = np.linalg.svd(np.linalg.qr(parts, mode="r"))
    singular = lengths[:, -1] ** 2 <= ZERO_VARIANCE * unit
    along = (axes @ estimate[..., None])[..., 0] / np.where(singular[:, None], 1.0, lengths)
    return np.where(singular, np.nan, (along * along).sum(axis=1))
