"""How the relative covariance Psi of the random effects depends on its parameters theta.

Psi = L L' with a factor L that is linear in theta, so that no theta is out of bounds and a
singular Psi is a point like any other. Everything is in the coordinates of `reml.Criterion`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from clustrategy.core.shard import Floats

Factor = Floats
"""(S, q, m) L with Psi = L L'."""

# Eigenvalues of Psi, in coordinates where a row tells as much as sigma^2: one below is taken for
# zero when Psi is projected.
SMALLEST = 1e-4


class Structure(Protocol):
    """What the search needs to know of a covariance structure.

    Attributes
    ----------
    effects : m, the number of random coefficients of a cluster.
    lower : whether L is lower triangular.
    """

    @property
    def effects(self) -> int: ...

    @property
    def lower(self) -> bool: ...

    def take(self, sims: NDArray[np.int64]) -> Structure:
        """The structure of some of the datasets."""

    def factor(self, theta: Floats) -> Factor:
        """(S, q, m) L from theta (S, k)."""

    def theta(self, factor: Factor) -> Floats:
        """(S, k) theta from L."""

    def multiple(self, size: float, sims: int) -> Factor:
        """(S, q, m) the simplest L: all random effects alike and uncorrelated."""

    @property
    def basis(self) -> Floats:
        """(S or 1, b, q q) matrices that span the Psi of this structure."""

    def directions(self, factor: Factor) -> Floats:
        """(S, k, q q) the change of Psi with each element of theta."""

    def bend(self, slope: Floats) -> Floats:
        """(S, k, k) what the second derivatives of Psi add to a criterion with this slope in Psi.

        Parameters
        ----------
        slope : (S, q, q).
        """

    def project(self, factor: Factor, step: Floats | None = None) -> Factor:
        """The L of the semidefinite Psi that is nearest, of as little rank as will do.

        Parameters
        ----------
        step : (S, b) how far from L L' along the basis.
        """

    def rays(self, slope: Floats) -> tuple[Floats, Floats]:
        """(S, c) slopes along and (S, c, q) vectors v, with which Psi may grow by v v'."""

    def widen(self, factor: Factor, ray: Floats, size: Floats) -> Factor:
        """The L of Psi + size v v', v (S, q) one of the rays, size (S,)."""

    def lme4(self, factor: Factor, random_root: Floats) -> Floats:
        """(S, k) lme4's theta, of Z's own columns.

        Parameters
        ----------
        random_root : (S, q, q) as in `reml.Criterion`.
        """

    def of_lme4(self, theta: Floats, random_root: Floats) -> Factor:
        """The L of lme4's theta, of which columns beyond the k are passed over."""


@dataclass(frozen=True)
class Unstructured:
    """Psi is any covariance matrix, L lower triangular, theta its triangle by column."""

    effects: int
    lower = True

    def take(self, sims: NDArray[np.int64]) -> Unstructured:
        return self

    def factor(self, theta: Floats) -> Factor:
        factor = np.zeros((theta.shape[0], self.effects, self.effects))
        rows, columns = columnwise(self.effects)
        factor[:, rows, columns] = theta
        return factor

    def theta(self, factor: Factor) -> Floats:
        rows, columns = columnwise(self.effects)
        # C order: in which order a norm adds must not depend on the number of datasets.
        return np.ascontiguousarray(factor[:, rows, columns])

    def multiple(self, size: float, sims: int) -> Factor:
        return np.tile(size * np.eye(self.effects), (sims, 1, 1))

    @property
    def basis(self) -> Floats:
        q = self.effects
        rows, columns = columnwise(q)
        basis = np.zeros((rows.size, q, q))
        basis[np.arange(rows.size), rows, columns] = 0.5
        return (basis + np.swapaxes(basis, 1, 2)).reshape(1, rows.size, q * q)

    def directions(self, factor: Factor) -> Floats:
        return directions(factor)

    def bend(self, slope: Floats) -> Floats:
        rows, columns = columnwise(self.effects)
        return 2.0 * slope[:, rows[:, None], rows] * (columns[:, None] == columns)

    def project(self, factor: Factor, step: Floats | None = None) -> Factor:
        psi = factor @ np.swapaxes(factor, 1, 2)
        if step is not None:
            psi = psi + (step[:, None] @ self.basis).reshape(psi.shape)
        values, vectors = np.linalg.eigh(psi)
        values = np.where(values > SMALLEST, values, 0.0)
        # In falling order, so that the columns of zeros come last and stay exactly that.
        return triangular((vectors * np.sqrt(values)[:, None])[..., ::-1])

    def rays(self, slope: Floats) -> tuple[Floats, Floats]:
        values, vectors = np.linalg.eigh(slope)
        return values[:, :1], np.swapaxes(vectors[:, :, :1], 1, 2)

    def widen(self, factor: Factor, ray: Floats, size: Floats) -> Factor:
        column = ray * np.sqrt(size)[:, None]
        return triangular(np.concatenate([factor, column[..., None]], axis=2))

    def lme4(self, factor: Factor, random_root: Floats) -> Floats:
        return self.theta(triangular(random_root @ factor))

    def of_lme4(self, theta: Floats, random_root: Floats) -> Factor:
        own = self.factor(theta[:, : self.effects * (self.effects + 1) // 2])
        return triangular(np.asarray(np.linalg.solve(random_root, own), dtype=np.float64))


@dataclass(frozen=True)
class Diagonal:
    """The random effects of Z's own columns, or of some, are uncorrelated.

    Psi is the sum of theta_k^2 a_k a_k', and L's columns are theta_k a_k.

    Attributes
    ----------
    axes : (S, q, m) the a_k, of length 1: each stands for a column of Z in its own coordinates.
    """

    axes: Floats
    lower = False

    @classmethod
    def of(cls, random_root: Floats, columns: NDArray[np.int64]) -> Diagonal:
        """From the coordinates of a criterion.

        Parameters
        ----------
        random_root : (S, q, q) as in `reml.Criterion`.
        columns : (S, m) which of Z's columns have random coefficients.
        """
        inverse = np.asarray(np.linalg.inv(random_root), dtype=np.float64)
        axes = np.take_along_axis(inverse, columns[:, None], axis=2)
        return cls(axes / _lengths(axes)[:, None])

    @property
    def effects(self) -> int:
        return self.axes.shape[2]

    def take(self, sims: NDArray[np.int64]) -> Diagonal:
        return Diagonal(self.axes[sims])

    def factor(self, theta: Floats) -> Factor:
        return self.axes * theta[:, None]

    def theta(self, factor: Factor) -> Floats:
        return _column_sums(self.axes * factor)

    def multiple(self, size: float, sims: int) -> Factor:
        return size * self.axes

    @property
    def basis(self) -> Floats:
        S, q, m = self.axes.shape
        axes = np.swapaxes(self.axes, 1, 2)
        return (axes[..., :, None] * axes[..., None, :]).reshape(S, m, q * q)

    def directions(self, factor: Factor) -> Floats:
        return 2.0 * self.theta(factor)[..., None] * self.basis

    def bend(self, slope: Floats) -> Floats:
        return 2.0 * self.rays(slope)[0][..., None] * np.eye(self.effects)

    def project(self, factor: Factor, step: Floats | None = None) -> Factor:
        variances = self.theta(factor) ** 2
        if step is not None:
            variances = variances + step
        return self.factor(np.sqrt(np.where(variances > SMALLEST, variances, 0.0)))

    def rays(self, slope: Floats) -> tuple[Floats, Floats]:
        slopes = (self.basis @ slope.reshape(slope.shape[0], -1, 1))[..., 0]
        return slopes, np.swapaxes(self.axes, 1, 2)

    def widen(self, factor: Factor, ray: Floats, size: Floats) -> Factor:
        grows = (self.axes == ray[..., None]).all(axis=1)
        variances = self.theta(factor) ** 2 + np.where(grows, size[:, None], 0.0)
        return self.factor(np.sqrt(variances))

    def lme4(self, factor: Factor, random_root: Floats) -> Floats:
        return np.abs(self.theta(factor)) * _lengths(random_root @ self.axes)

    def of_lme4(self, theta: Floats, random_root: Floats) -> Factor:
        return self.factor(theta[:, : self.effects] / _lengths(random_root @ self.axes))


def _column_sums(matrices: Floats) -> Floats:
    """(S, m) sums of (S, q, m) over q, added in an order that does not depend on S."""
    return np.ascontiguousarray(np.swapaxes(matrices, 1, 2)).sum(axis=2)


def _lengths(matrices: Floats) -> Floats:
    """(S, m) lengths of the columns of (S, q, m)."""
    return np.sqrt(_column_sums(matrices * matrices))


def columnwise(q: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Rows and columns of a lower triangle, column by column, as lme4 orders theta."""
    columns, rows = np.triu_indices(q)
    return rows, columns


def directions(factor: Factor) -> Floats:
    """(S, k, q q) the change of Psi = L L' with each element of L's lower triangle."""
    S, q, _ = factor.shape
    rows, columns = columnwise(q)
    D = np.zeros((S, rows.size, q, q))
    at = np.arange(rows.size)
    D[:, at, rows, :] = np.moveaxis(factor[:, :, columns], 1, 2)
    D += np.swapaxes(D, 2, 3)
    return D.reshape(S, rows.size, q * q)


def triangular(factor: Floats) -> Factor:
    """(S, q, q) the lower triangular L, diagonal not negative, with L L' = A A' for A (S, q, k)."""
    q = factor.shape[1]
    L = np.swapaxes(np.linalg.qr(np.swapaxes(factor, 1, 2), mode="r"), 1, 2)[..., :q]
    return (
        np.ascontiguousarray(L)
        * np.where(np.diagonal(L, axis1=1, axis2=2) < 0.0, -1.0, 1.0)[:, None]
    )
