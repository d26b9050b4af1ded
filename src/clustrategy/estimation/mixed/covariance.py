"""How the relative covariance Psi of the random effects depends on its parameters theta.

Psi = L L' with a factor L that is linear in theta, so that no theta is out of bounds and a
singular Psi is a point like any other. Everything is in the coordinates of `reml.Criterion`.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import NamedTuple, Protocol, Self

import numpy as np

from clustrategy.core.shard import Floats, Ints

Factor = Floats
"""(S, q, m) L with Psi = L L'."""

SMALLEST_VARIANCE = 1e-4
"""Eigenvalues of Psi below this are set to zero when Psi is projected.

In units in which a row of data tells as much as sigma^2.
"""


class RankOneDirections(NamedTuple):
    """Vectors v along which Psi may grow by v v'.

    Attributes
    ----------
    slopes : (S, c) array
        The derivative of a criterion along each of them.
    vectors : (S, c, q) array
        The v.
    """

    slopes: Floats
    vectors: Floats


class Structure(Protocol):
    """A covariance structure, as far as the criterion and its optimizer need to know it.

    Attributes
    ----------
    effects : int
        m, the number of random coefficients of a cluster.
    lower_triangular : bool
        Whether L is lower triangular, with correlations between all random coefficients.
    """

    @property
    def effects(self) -> int:
        """m, the number of random coefficients of a cluster."""

    @property
    def lower_triangular(self) -> bool:
        """Whether L is lower triangular."""

    def take(self, sims: Ints) -> Structure:
        """Return the structure of some of the datasets."""

    def put(self, sims: Ints, others: Self) -> Self:
        """Return the structure with that of some of the datasets in other coordinates."""

    def turned(self, back: Floats, factor: Factor) -> tuple[Self, Factor]:
        """Return the structure and L in other coordinates.

        Parameters
        ----------
        back : (S, q, q) array
            Takes random coefficients to the other coordinates.
        factor : (S, q, m) array
            L in these.

        Returns
        -------
        structure : Structure
        factor : (S, q, m) array
        """

    def factor(self, theta: Floats) -> Factor:
        """Return L, (S, q, m), from theta, (S, k)."""

    def theta(self, factor: Factor) -> Floats:
        """Return theta, (S, k), from L."""

    def uniform(self, size: Floats | float, sims: int) -> Factor:
        """Return the L, (S, q, m), of uncorrelated random effects of one size.

        Parameters
        ----------
        size : float or (S,) array
            Their standard deviation.
        sims : int
            S.

        Returns
        -------
        (S, q, m) array
        """

    @property
    def basis(self) -> Floats:
        """(S or 1, b, q q) matrices that span the Psi of this structure."""

    def directions(self, factor: Factor) -> Floats:
        """Return the derivatives of Psi with respect to theta, (S, k, q q)."""

    def hessian_term(self, slope: Floats) -> Floats:
        """Return what the second derivatives of Psi add to the Hessian of a criterion in theta.

        Parameters
        ----------
        slope : (S, q, q) array
            The gradient of the criterion with respect to Psi.

        Returns
        -------
        (S, k, k) array
        """

    def project(self, factor: Factor, step: Floats | None = None) -> Factor:
        """Return the L of the nearest positive semidefinite Psi, small eigenvalues set to zero.

        Parameters
        ----------
        factor : (S, q, m) array
            L.
        step : (S, b) array, optional
            The distance from L L' along the basis; none by default.

        Returns
        -------
        (S, q, m) array
        """

    def rank_one_directions(self, slope: Floats) -> RankOneDirections:
        """Return the directions in which Psi may gain a dimension.

        Parameters
        ----------
        slope : (S, q, q) array
            The gradient of a criterion with respect to Psi.

        Returns
        -------
        RankOneDirections
        """

    def add_rank_one(self, factor: Factor, vector: Floats, size: Floats) -> Factor:
        """Return the L of Psi + size v v', v (S, q) one of the rank-one directions, size (S,)."""

    def to_lme4(self, factor: Factor, random_root: Floats) -> Floats:
        """Return lme4's theta, (S, k), which belongs to Z's own columns.

        Parameters
        ----------
        factor : (S, q, m) array
            L.
        random_root : (S, q, q) array
            As in `reml.Criterion`.

        Returns
        -------
        (S, k) array
        """

    def from_lme4(self, theta: Floats, random_root: Floats) -> Factor:
        """Return L from lme4's theta, columns beyond the k of this structure ignored."""


@dataclass(frozen=True)
class Unstructured:
    """Psi is any covariance matrix, L lower triangular, theta its triangle by column.

    Attributes
    ----------
    effects : int
        q, the number of random coefficients of a cluster.
    """

    effects: int
    lower_triangular = True

    def take(self, sims: Ints) -> Unstructured:
        """Return the structure of some of the datasets."""
        return self

    def put(self, sims: Ints, others: Unstructured) -> Unstructured:
        """Return the structure with that of some of the datasets in other coordinates."""
        return self

    def turned(self, back: Floats, factor: Factor) -> tuple[Unstructured, Factor]:
        """Return the structure and L in other coordinates."""
        return self, triangular(back @ factor)

    def factor(self, theta: Floats) -> Factor:
        """Return L from theta."""
        factor = np.zeros((theta.shape[0], self.effects, self.effects))
        rows, columns = columnwise(self.effects)
        factor[:, rows, columns] = theta
        return factor

    def theta(self, factor: Factor) -> Floats:
        """Return theta from L."""
        rows, columns = columnwise(self.effects)
        # C order: in which order a norm adds must not depend on the number of datasets.
        return np.ascontiguousarray(factor[:, rows, columns])

    def uniform(self, size: Floats | float, sims: int) -> Factor:
        """Return the L of uncorrelated random effects of one size."""
        return np.broadcast_to(size, sims)[:, None, None] * np.eye(self.effects)

    @property
    def basis(self) -> Floats:
        """Matrices that span the Psi of this structure."""
        q = self.effects
        rows, columns = columnwise(q)
        basis = np.zeros((rows.size, q, q))
        basis[np.arange(rows.size), rows, columns] = 0.5
        return (basis + np.swapaxes(basis, 1, 2)).reshape(1, rows.size, q * q)

    def directions(self, factor: Factor) -> Floats:
        """Return the derivatives of Psi with respect to theta."""
        return directions(factor)

    def hessian_term(self, slope: Floats) -> Floats:
        """Return what the second derivatives of Psi add to a Hessian."""
        rows, columns = columnwise(self.effects)
        return 2.0 * slope[:, rows[:, None], rows] * (columns[:, None] == columns)

    def project(self, factor: Factor, step: Floats | None = None) -> Factor:
        """Return the L of the nearest positive semidefinite Psi."""
        psi = factor @ np.swapaxes(factor, 1, 2)
        if step is not None:
            psi = psi + (step[:, None] @ self.basis).reshape(psi.shape)
        values, vectors = np.linalg.eigh(psi)
        values = np.where(values > SMALLEST_VARIANCE, values, 0.0)
        # In falling order, so that the columns of zeros come last and stay exactly that.
        return triangular((vectors * np.sqrt(values)[:, None])[..., ::-1])

    def rank_one_directions(self, slope: Floats) -> RankOneDirections:
        """Return the directions in which Psi may gain a dimension."""
        values, vectors = np.linalg.eigh(slope)
        return RankOneDirections(values[:, :1], np.swapaxes(vectors[:, :, :1], 1, 2))

    def add_rank_one(self, factor: Factor, vector: Floats, size: Floats) -> Factor:
        """Return the L of Psi + size v v'."""
        column = vector * np.sqrt(size)[:, None]
        return triangular(np.concatenate([factor, column[..., None]], axis=2))

    def to_lme4(self, factor: Factor, random_root: Floats) -> Floats:
        """Return lme4's theta."""
        return self.theta(triangular(random_root @ factor))

    def from_lme4(self, theta: Floats, random_root: Floats) -> Factor:
        """Return L from lme4's theta."""
        own = self.factor(theta[:, : self.effects * (self.effects + 1) // 2])
        return triangular(np.asarray(np.linalg.solve(random_root, own), dtype=np.float64))


@dataclass(frozen=True)
class Diagonal:
    """The random coefficients of Z's own columns, or of some of them, are uncorrelated.

    Psi is the sum of theta_k^2 a_k a_k', and L's columns are theta_k a_k.

    Attributes
    ----------
    axes : (S, q, m) array
        The a_k, of length 1, each of which stands for one of Z's own columns.
    """

    axes: Floats
    lower_triangular = False

    @classmethod
    def of(cls, random_root: Floats, columns: Ints) -> Diagonal:
        """Build the structure in the coordinates of a criterion.

        Parameters
        ----------
        random_root : (S, q, q) array
            As in `reml.Criterion`.
        columns : (S, m) array of int
            Which of Z's columns have random coefficients.

        Returns
        -------
        Diagonal
        """
        inverse = np.asarray(np.linalg.inv(random_root), dtype=np.float64)
        axes = np.take_along_axis(inverse, columns[:, None], axis=2)
        return cls(axes / _lengths(axes)[:, None])

    @property
    def effects(self) -> int:
        """m, the number of random coefficients of a cluster."""
        return self.axes.shape[2]

    def take(self, sims: Ints) -> Diagonal:
        """Return the structure of some of the datasets."""
        return Diagonal(self.axes[sims])

    def put(self, sims: Ints, others: Diagonal) -> Diagonal:
        """Return the structure with that of some of the datasets in other coordinates."""
        axes = self.axes.copy()
        axes[sims] = others.axes
        return Diagonal(axes)

    def turned(self, back: Floats, factor: Factor) -> tuple[Diagonal, Factor]:
        """Return the structure and L in other coordinates."""
        axes = back @ self.axes
        return Diagonal(axes / _lengths(axes)[:, None]), back @ factor

    def factor(self, theta: Floats) -> Factor:
        """Return L from theta."""
        return self.axes * theta[:, None]

    def theta(self, factor: Factor) -> Floats:
        """Return theta from L."""
        return _column_sums(self.axes * factor)

    def uniform(self, size: Floats | float, sims: int) -> Factor:
        """Return the L of uncorrelated random effects of one size."""
        return np.broadcast_to(size, sims)[:, None, None] * self.axes

    @property
    def basis(self) -> Floats:
        """Matrices that span the Psi of this structure."""
        S, q, m = self.axes.shape
        axes = np.swapaxes(self.axes, 1, 2)
        return (axes[..., :, None] * axes[..., None, :]).reshape(S, m, q * q)

    def directions(self, factor: Factor) -> Floats:
        """Return the derivatives of Psi with respect to theta."""
        return 2.0 * self.theta(factor)[..., None] * self.basis

    def hessian_term(self, slope: Floats) -> Floats:
        """Return what the second derivatives of Psi add to a Hessian."""
        return 2.0 * self.rank_one_directions(slope).slopes[..., None] * np.eye(self.effects)

    def project(self, factor: Factor, step: Floats | None = None) -> Factor:
        """Return the L of the nearest positive semidefinite Psi."""
        variances = self.theta(factor) ** 2
        if step is not None:
            variances = variances + step
        return self.factor(np.sqrt(np.where(variances > SMALLEST_VARIANCE, variances, 0.0)))

    def rank_one_directions(self, slope: Floats) -> RankOneDirections:
        """Return the directions in which Psi may gain a dimension."""
        slopes = (self.basis @ slope.reshape(slope.shape[0], -1, 1))[..., 0]
        return RankOneDirections(slopes, np.swapaxes(self.axes, 1, 2))

    def add_rank_one(self, factor: Factor, vector: Floats, size: Floats) -> Factor:
        """Return the L of Psi + size v v'."""
        grows = (self.axes == vector[..., None]).all(axis=1)
        variances = self.theta(factor) ** 2 + np.where(grows, size[:, None], 0.0)
        return self.factor(np.sqrt(variances))

    def to_lme4(self, factor: Factor, random_root: Floats) -> Floats:
        """Return lme4's theta."""
        return np.abs(self.theta(factor)) * _lengths(random_root @ self.axes)

    def from_lme4(self, theta: Floats, random_root: Floats) -> Factor:
        """Return L from lme4's theta."""
        return self.factor(theta[:, : self.effects] / _lengths(random_root @ self.axes))


def _column_sums(matrices: Floats) -> Floats:
    """Sum (S, q, m) over q, in an order that does not depend on S."""
    return np.ascontiguousarray(np.swapaxes(matrices, 1, 2)).sum(axis=2)


def _lengths(matrices: Floats) -> Floats:
    """Return the lengths, (S, m), of the columns of (S, q, m)."""
    return np.sqrt(_column_sums(matrices * matrices))


@cache
def columnwise(q: int) -> tuple[Ints, Ints]:
    """Return rows and columns of a lower triangle, column by column, as lme4 orders theta."""
    columns, rows = np.triu_indices(q)
    return rows, columns


def directions(factor: Factor) -> Floats:
    """Return the derivatives of Psi = L L' with respect to L's lower triangle, (S, k, q q)."""
    S, q, _ = factor.shape
    rows, columns = columnwise(q)
    D = np.zeros((S, rows.size, q, q))
    at = np.arange(rows.size)
    D[:, at, rows, :] = np.moveaxis(factor[:, :, columns], 1, 2)
    D += np.swapaxes(D, 2, 3)
    return D.reshape(S, rows.size, q * q)


def triangular(factor: Floats) -> Factor:
    """Return the lower triangular L, diagonal not negative, with L L' = A A' for A (S, q, k)."""
    q = factor.shape[1]
    L = np.swapaxes(np.linalg.qr(np.swapaxes(factor, 1, 2), mode="r"), 1, 2)[..., :q]
    return (
        np.ascontiguousarray(L)
        * np.where(np.diagonal(L, axis1=1, axis2=2) < 0.0, -1.0, 1.0)[:, None]
    )
