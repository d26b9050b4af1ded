"""The REML criterion of mixed models with one grouping factor, for many datasets at once.

The model of a dataset is `y = X beta + Z b_g + e`, `b_g ~ N(0, sigma^2 Psi)`, `e ~ N(0, sigma^2)`,
the columns of Z among those of X, `Psi = L L'` of some structure (`covariance`). Everything comes
from the triangular factors of the clusters, so that its cost does not depend on the number of rows.

Notation and formulas as in Bates, Maechler, Bolker & Walker (2015, JSS 67(1), section 3) and, for
the derivatives, Demidenko (2013, Mixed Models, chapter 2): V_g = I + Z_g Psi Z_g',
M_g = Z_g' V_g^-1 Z_g, N_g = Z_g' V_g^-1 X_g, u_g = Z_g' V_g^-1 (y_g - X_g beta), C the inverse of
F = sum_g X_g' V_g^-1 X_g, r^2 the weighted residual sum of squares, nu = N - p.

Inside, X and Z are replaced by orthogonal columns of the same span and y by its scaled residuals:
the model stays the same, units do not matter and a shift costs few digits. Where the random
effects are so large that they leave next to nothing of y, `recentred` and `turned` give
coordinates in which nothing cancels either. Arrays have the cluster as their last axis and the
elements of the small matrices as their first, so that each operation runs over all clusters of all
datasets.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields, replace
from functools import cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from clustrategy.core.shard import Floats, Ints
from clustrategy.core.triangles import triangular_factors
from clustrategy.estimation.least_squares import residual_rounding
from clustrategy.estimation.mixed.covariance import Diagonal, Factor, Structure, Unstructured

CLUSTERS_AT_ONCE = 20_000
"""Clusters that are worked on at once: enough to hide the cost of a call, few enough for the
cache."""

DEPENDENT_SHARE = 1e-12
"""What is left of a column after others, as a share of it, counts as nothing up to this."""


@dataclass(frozen=True)
class Criterion:
    """The criterion of S datasets, in coordinates that make X and Z orthogonal.

    Attributes
    ----------
    design : (q, p + 1, S, G) array
        The projection of `[X_g y_g]` on Z_g's column space; its first q columns are Z_g's
        triangle.
    outside : (S, p + 1, p + 1) array
        Cross-products of the rest of `[X_g y_g]`.
    rest : (D, G, p + 1 - q, p + 1) array
        The triangles of that rest, whose first q columns are zero, of these datasets and maybe of
        others.
    members : (S,) array of int
        Which of the D datasets these are.
    nu : (S,) array
        N - p.
    root : (S, p, p) array
        W with beta = W times beta in these coordinates, plus `centre`.
    centre : (S, p) array
        The estimate that beta is counted from: that of least squares until `recentred`.
    scale : (S,) array
        What residuals were divided by.
    rounding : (S,) array
        The length of residuals that are nothing but rounding, in the units of y.
    random_root : (S, q, q) array
        b_g = random_root times b_g in these coordinates.
    constant : (S,) array
        REMLcrit less the criterion in these coordinates.
    structure : Structure
        The covariance structure of Psi.
    """

    design: Floats
    outside: Floats
    rest: Floats
    members: Ints
    nu: Floats
    root: Floats
    centre: Floats
    scale: Floats
    rounding: Floats
    random_root: Floats
    constant: Floats
    structure: Structure

    @classmethod
    def of(
        cls, triangles: Floats, n_obs: Ints, random: Ints, whole: Floats | None = None
    ) -> Criterion:
        """Build the criterion from the clusters' triangular factors, Psi unstructured.

        Parameters
        ----------
        triangles : (S, G, p + 1, p + 1) array
            Factors of `[X_g y_g]`, X of full rank in each dataset.
        n_obs : (S,) array of int
            Rows of each dataset, N.
        random : (q,) array of int
            The columns of X that are Z's.
        whole : (S, p + 1, p + 1) array, optional
            Factors of `[X y]`, made from those of the clusters by default.

        Returns
        -------
        Criterion
        """
        width = triangles.shape[3]
        p, q = width - 1, random.size
        others = np.setdiff1d(np.arange(p), random)
        order = np.concatenate([random, others])
        if whole is None:
            whole = triangular_factors(triangles.reshape(len(triangles), -1, width))
        if (order != np.arange(p)).any():
            triangles = triangular_factors(triangles[..., [*order, p]])
            whole = triangular_factors(whole[..., [*order, p]])
        rows = np.sqrt(n_obs.astype(np.float64))
        root = np.asarray(np.linalg.inv(whole[:, :p, :p]), dtype=np.float64) * rows[:, None, None]
        scale = np.abs(whole[:, p, p]) / rows
        explained = whole[:, :p, p:] / rows[:, None, None]
        columns = np.ascontiguousarray(np.moveaxis(triangles, (2, 3), (0, 1)))
        joined = np.zeros(columns.shape)
        for a in range(p):
            for b in range(a + 1):
                joined[: b + 1, a] += columns[: b + 1, b] * root[:, b, a, None]
        joined[:, p] = columns[:, p]
        for a in range(p):
            joined[: a + 1, p] -= joined[: a + 1, a] * explained[:, a]
        joined[:, p] /= scale[:, None]
        rest = np.ascontiguousarray(np.moveaxis(joined[q:], (0, 1), (2, 3)))
        back = np.argsort(order)
        estimate = (root @ explained)[..., 0]
        nu = (n_obs - p).astype(np.float64)
        log_root = np.log(np.abs(np.diagonal(root, axis1=1, axis2=2))).sum(axis=1)
        return cls(
            design=joined[:q],
            outside=_cross_products(rest),
            rest=rest,
            members=np.arange(n_obs.size),
            nu=nu,
            root=np.ascontiguousarray(root[:, back]),
            centre=estimate[:, back],
            scale=scale,
            rounding=residual_rounding(whole[:, None], n_obs, estimate),
            random_root=root[:, :q, :q],
            constant=nu * (1.0 + np.log(2.0 * np.pi * scale**2 / nu)) - 2.0 * log_root,
            structure=Unstructured(q),
        )

    @classmethod
    def joined(cls, parts: Sequence[Criterion]) -> Criterion:
        """Join criteria whose Z have the same number of columns, Psi unstructured.

        Parameters
        ----------
        parts : sequence of Criterion
            Each as `of` returns it.

        Returns
        -------
        Criterion
        """
        names = [name for name in PER_DATASET if name != "members"]
        together = {name: np.concatenate([getattr(one, name) for one in parts]) for name in names}
        return cls(
            design=np.concatenate([one.design for one in parts], axis=2),
            rest=np.concatenate([one.rest for one in parts]),
            members=np.arange(len(together["nu"])),
            structure=parts[0].structure,
            **together,
        )

    def diagonal(self) -> Criterion:
        """Return the criterion with uncorrelated random coefficients of Z's own columns."""
        columns = np.tile(np.arange(self.q), (self.sims, 1))
        return replace(self, structure=Diagonal.of(self.random_root, columns))

    @property
    def sims(self) -> int:
        """S, the number of datasets."""
        return self.nu.size

    @property
    def q(self) -> int:
        """The number of columns of Z."""
        return self.design.shape[0]

    @property
    def p(self) -> int:
        """The number of fixed coefficients."""
        return self.design.shape[1] - 1

    def estimate(self, beta: Floats) -> Floats:
        """Return the coefficients of X, (S, p), from those in these coordinates."""
        return self.centre + self.scale[:, None] * (self.root @ beta[..., None])[..., 0]

    def take(self, sims: Ints) -> Criterion:
        """Return the criterion of some of the datasets."""
        parts = {name: getattr(self, name)[sims] for name in PER_DATASET}
        design = np.ascontiguousarray(self.design[:, :, sims])
        structure = self.structure.take(sims)
        return replace(self, design=design, **parts, structure=structure)

    def put(self, sims: Ints, others: Criterion) -> Criterion:
        """Return the criterion with some of the datasets in other coordinates."""
        parts = {name: getattr(self, name).copy() for name in PER_DATASET}
        for name, part in parts.items():
            part[sims] = getattr(others, name)
        parts["members"][sims] += len(self.rest)
        design = self.design.copy()
        design[:, :, sims] = others.design
        return Criterion(
            design=design,
            **parts,
            rest=np.concatenate([self.rest, others.rest]),
            structure=self.structure.put(sims, others.structure),
        )

    def exhausted(self) -> NDArray[np.bool_]:
        """Tell where X and the random effects explain the response, but for rounding.

        There the criterion may have no minimum: it falls as the residual variance goes to zero, and
        a search ends anywhere far out.

        Returns
        -------
        (S,) array of bool
            Sharp where the criterion is `recentred` near the residuals of that model, and not
            `turned`.
        """
        p, q = self.p, self.q
        seen = np.moveaxis(self.design, (0, 1), (2, 3))
        effects = seen[..., :q] @ self.structure.uniform(1.0, self.sims)[:, None]
        basis, lengths, _ = np.linalg.svd(effects, full_matrices=False)
        basis = basis * (lengths > DEPENDENT_SHARE * lengths[..., :1])[..., None, :]
        rest = (seen - basis @ (_t(basis) @ seen)).reshape(self.sims, -1, p + 1)
        cross = self.outside + _t(rest) @ rest
        values, vectors = np.linalg.eigh(cross[:, :p, :p])
        along = (_t(vectors) @ cross[:, :p, p:])[..., 0]
        free = values > DEPENDENT_SHARE * (self.nu + p)[:, None]
        explained = np.where(free, along * along / np.where(free, values, 1.0), 0.0)
        left = np.maximum(cross[:, p, p] - explained.sum(axis=1), 0.0)
        return np.asarray(self.scale * np.sqrt(left) <= self.rounding, dtype=np.bool_)

    def recentred(self, point: Point) -> Criterion:
        """Put the residuals at a point in the place of y, in units of their sigma.

        Parameters
        ----------
        point : Point
            A point of this criterion.

        Returns
        -------
        Criterion
        """
        p = self.p
        unit = np.sqrt(point.rss / self.nu)
        design, rest = self.design.copy(), self.rest[self.members]
        for a in range(p):
            design[:, p] -= design[:, a] * point.beta[:, a, None]
        design[:, p] /= unit[:, None]
        rest[..., p:] -= rest[..., :p] @ point.beta[:, None, :, None]
        rest[..., p] /= unit[:, None, None]
        return replace(
            self,
            design=design,
            outside=_cross_products(rest),
            rest=rest,
            members=np.arange(self.sims),
            centre=self.estimate(point.beta),
            scale=self.scale * unit,
            constant=self.constant + 2.0 * self.nu * np.log(unit),
        )

    def turned(self, factor: Factor) -> tuple[Criterion, Factor]:
        """Take the axes of a relative covariance as coordinates of X and Z, the longest first.

        The units of an axis are its length where Psi is more than sigma^2, so that no variance is
        large. The triangles of V_g are then graded, and what is small in them is a difference of
        small numbers.

        Parameters
        ----------
        factor : (S, q, m) array
            L.

        Returns
        -------
        criterion : Criterion
        factor : (S, q, m) array
            The same L in its coordinates.
        """
        q = self.q
        axes, lengths, _ = np.linalg.svd(factor)
        units = np.ones(axes.shape[:2])
        units[:, : lengths.shape[1]] = np.maximum(lengths, 1.0)
        there = axes * units[:, None]
        back = _t(axes) / units[..., None]
        turned = np.moveaxis(self.design, (0, 1), (2, 3)).copy()
        turned[..., :q] = turned[..., :q] @ there[:, None]
        turned = np.asarray(np.linalg.qr(turned, mode="r"))
        root = self.root.copy()
        root[..., :q] = root[..., :q] @ there
        structure, factor = self.structure.turned(back, factor)
        criterion = replace(
            self,
            design=np.ascontiguousarray(np.moveaxis(turned, (2, 3), (0, 1))),
            root=root,
            random_root=self.random_root @ there,
            constant=self.constant - 2.0 * np.log(units).sum(axis=1),
            structure=structure,
        )
        return criterion, factor

    def moment_size(self) -> Floats:
        """Estimate by moments one standard deviation of all random effects, relative to sigma.

        As if they were uncorrelated and alike in these coordinates: then the expectation of
        sum_g |Z_g'r_g|^2, of residuals r of variance 1 about zero, is
        (sum_g tr A_g + s^2 sum_g tr A_g^2) / (1 + q s^2), with A_g = Z_g'Z_g and s what is sought.

        Returns
        -------
        (S,) array
            0 where it is negative, infinite where no s is large enough.
        """
        q = self.q
        trace, squares, found = np.zeros((3, self.sims))
        for i in range(q):
            row = self.design[0, i] * self.design[0, i:]
            for k in range(1, i + 1):
                row += self.design[k, i] * self.design[k, i:]
            trace += row[0].sum(axis=1)
            squares += (row[0] ** 2).sum(axis=1)
            for other in row[1 : q - i]:
                squares += 2.0 * (other * other).sum(axis=1)
            found += (row[-1] ** 2).sum(axis=1)
        excess, room = np.maximum(found - trace, 0.0), squares - q * found
        with np.errstate(divide="ignore", invalid="ignore"):
            return np.where(room > 0.0, np.sqrt(excess / room), np.inf)

    def at(self, factor: Factor) -> Point:
        """Evaluate the criterion at a relative covariance.

        Parameters
        ----------
        factor : (S, q, m) array
            L.

        Returns
        -------
        Point
        """
        q, p = self.q, self.p
        clusters = self.design.shape[3]
        T = np.empty((q, p + 1, self.sims, clusters))
        joined = np.empty((q, q + p + 1, self.sims, clusters))
        log_det, sums = np.zeros(self.sims), np.zeros((p + 1, p + 1, self.sims))
        for some in _pieces(clusters):
            parts = self.design[..., some], joined[..., some], T[..., some]
            log_dets, products = _whiten(*parts, factor)
            log_det += log_dets
            sums += products
        cross = np.ascontiguousarray(sums.transpose(2, 0, 1)) + self.outside
        half = np.linalg.cholesky(cross[:, :p, :p])
        J = _t(np.linalg.inv(half))
        beta = (J @ (_t(J) @ cross[:, :p, p:]))[..., 0]
        contrast = np.concatenate([-beta, np.ones((self.sims, 1))], axis=1)
        Y = joined[:, q:]
        residual = np.einsum("kasg,asg->ksg", Y, _by_cluster(contrast, clusters))
        unseen = _row_sums(contrast * (self.outside @ contrast[..., None])[..., 0])
        rss = unseen + _row_sums(np.vecdot(residual, residual).T)
        log_f = 2.0 * np.log(np.diagonal(half, axis1=1, axis2=2)).sum(axis=1)
        value = log_det + log_f + self.nu * np.log(rss)
        return Point(self, factor, value, T, Y[:, :q], residual, cross, J, beta, rss)


PER_DATASET = [
    part.name for part in fields(Criterion) if part.name not in ("design", "rest", "structure")
]
"""The attributes of a criterion whose first axis is the dataset."""


def _cross_products(rest: Floats) -> Floats:
    """Sum the cross-products of the rest of the clusters' triangles, (S, G, r, p + 1)."""
    S, _, r, width = rest.shape
    rows = rest.reshape(S, -1, width)
    outside = _t(rows) @ rows
    outside[:, : width - r] = outside[:, :, : width - r] = 0.0
    return outside


def _by_cluster(matrices: Floats, clusters: int) -> Floats:
    """Repeat what each dataset has, (S, ...), for each of its clusters, (..., S, G)."""
    last = np.ascontiguousarray(matrices.transpose(*range(1, matrices.ndim), 0))
    return np.repeat(last[..., None], clusters, axis=-1)


def _pieces(clusters: int) -> Iterator[slice]:
    """Split clusters into pieces that are worked on at once."""
    for start in range(0, clusters, CLUSTERS_AT_ONCE):
        yield slice(start, start + CLUSTERS_AT_ONCE)


def _whiten(design: Floats, joined: Floats, T: Floats, factor: Factor) -> tuple[Floats, Floats]:
    """Multiply `[X_g y_g]` of some clusters by V_g^-1/2.

    Parameters
    ----------
    design : (q, p + 1, S, G) array
        As of `Criterion`.
    joined : (q, q + p + 1, S, G) array
        Filled in: after what V_g leaves in q columns, V_g^-1/2 [X_g y_g], called Y.
    T : (q, p + 1, S, G) array
        Filled in: Z_g' V_g^-1 [X_g y_g].
    factor : (S, q, m) array
        L.

    Returns
    -------
    log_det : (S,) array
        The sum of log |V_g|.
    sums : (p + 1, p + 1, S) array
        The sum of [X_g y_g]' V_g^-1 [X_g y_g], as far as `design` has them.
    """
    q, width, S, _ = design.shape
    V, Y = joined[:, :q], joined[:, q:]
    half = np.einsum("iksg,kjsg->ijsg", design[:, :q], _by_cluster(factor, design.shape[3]))
    np.einsum("iksg,jksg->ijsg", half, half, out=V)
    for i in range(q):
        V[i, i] += 1.0
    Y[:] = design
    # V = K D K' with a unit triangle K: joined becomes K^-1 [V X y].
    for j in range(q - 1):
        joined[j + 1 :, j + 1 :] -= (joined[j + 1 :, j] / joined[j, j])[:, None] * joined[
            j, j + 1 :
        ]
    pivots = V[range(q), range(q)]
    Y /= np.sqrt(pivots)[:, None]
    np.einsum("kasg,kbsg->absg", Y[:, :q], Y, out=T)
    sums = np.empty((width, width, S))
    sums[:q] = np.vecdot(T, np.ones(T.shape[3]))
    sums[q:, :q] = np.swapaxes(sums[:q, q:], 0, 1)
    sums[q:, q:] = _row_sums(np.vecdot(Y[:, q:, None], Y[:, None, q:]).transpose(1, 2, 3, 0))
    return np.log(pivots.prod(axis=0)).sum(axis=1), sums


@dataclass(frozen=True)
class Point:
    """The criterion at one relative covariance of each dataset.

    Attributes
    ----------
    criterion : Criterion
        What was evaluated.
    factor : (S, q, m) array
        L.
    value : (S,) array
        The criterion in the coordinates of `Criterion`.
    N : (q, p + 1, S, G) array
        N_g, whose first q columns are M_g.
    W, residual : (q, q, S, G) and (q, S, G) array
        u_g = W_g' residual_g, and M_g = W_g' W_g.
    cross : (S, p + 1, p + 1) array
        sum_g [X_g y_g]' V_g^-1 [X_g y_g].
    J : (S, p, p) array
        C = J J'.
    beta : (S, p) array
        The estimates.
    rss : (S,) array
        r^2.
    """

    criterion: Criterion
    factor: Factor
    value: Floats
    N: Floats
    W: Floats
    residual: Floats
    cross: Floats
    J: Floats
    beta: Floats
    rss: Floats

    @property
    def reml_criterion(self) -> Floats:
        """(S,) the criterion, lme4's REMLcrit, whatever the coordinates."""
        return self.value + self.criterion.constant

    @property
    def psi(self) -> Floats:
        """(S, q, q) the relative covariance."""
        return _gram(self.factor)

    def take(self, sims: Ints) -> Point:
        """Return the point of some of the datasets."""
        by_dataset = {name: getattr(self, name)[sims] for name in POINT_BY_DATASET}
        by_cluster = {
            name: np.ascontiguousarray(getattr(self, name)[..., sims, :])
            for name in POINT_BY_CLUSTER
        }
        return Point(self.criterion.take(sims), **by_dataset, **by_cluster)

    def put(self, sims: Ints, other: Point) -> Point:
        """Return the point with another one of the same criterion for some of the datasets."""
        parts = {
            name: getattr(self, name).copy() for name in (*POINT_BY_DATASET, *POINT_BY_CLUSTER)
        }
        for name in POINT_BY_DATASET:
            parts[name][sims] = getattr(other, name)[sims]
        for name in POINT_BY_CLUSTER:
            parts[name][..., sims, :] = getattr(other, name)[..., sims, :]
        return Point(self.criterion, **parts)

    def derivatives(self) -> Derivatives:
        """Compute the first and second derivatives with respect to Psi."""
        q, p, S = self.criterion.q, self.criterion.p, self.criterion.sims
        cross, products = (
            sum(parts) for parts in zip(*map(self._sums, _pieces(self.N.shape[3])), strict=True)
        )
        places = _places(q)
        NN = cross[:, : q * p, : q * p].reshape(S, q, p, q, p)
        Nu = cross[:, : q * p, q * p :].reshape(S, q, p, q)
        uu = cross[:, q * p :, q * p :]
        slope = self.cross[:, :q, :q] - np.einsum("siaja->sij", NN)
        flat = products.reshape(2, S, -1)
        return Derivatives(
            point=self,
            slope=slope - (self.criterion.nu / self.rss)[:, None, None] * uu,
            expected=flat[0].take(places.over, axis=1).reshape(S, q * q, q * q),
            squares=flat[1].take(places.over, axis=1).reshape(S, q * q, q * q),
            NN=np.ascontiguousarray(NN.transpose(0, 1, 3, 2, 4)).reshape(S, q * q, p * p),
            Nu=np.ascontiguousarray(Nu.transpose(0, 1, 3, 2)).reshape(S, q * q, p),
            uu=uu.reshape(S, q * q),
        )

    def _sums(self, some: slice) -> tuple[Floats, Floats]:
        """Sum over some clusters what the derivatives are made of.

        Parameters
        ----------
        some : slice
            Which clusters.

        Returns
        -------
        cross : (S, q p + q, q p + q) array
            Cross-products of the N_g in the coordinates of J and the u_g.
        products : (2, S, l, l) array
            Products of the lower triangles of A_g and of M_g, of the two A_g of `Derivatives`.
        """
        q, p = self.criterion.q, self.criterion.p
        M, N = self.N[:, :q, :, some], self.N[:, :p, :, some]
        W, residual = self.W[..., some], self.residual[..., some]
        rows = np.empty((q * p + q, *residual.shape[1:]))
        NJ, u = rows[: q * p].reshape(N.shape), rows[q * p :]
        np.einsum("iasg,absg->ibsg", N, _by_cluster(self.J, N.shape[3]), out=NJ)
        np.einsum("kisg,ksg->isg", W, residual, out=u)
        lower = _places(q).lower
        expected = 2.0 * np.einsum("ibsg,jbsg->ijsg", NJ, NJ)[lower]
        M = M[lower]
        expected -= M
        A = np.stack([expected, u[lower[0]] * u[lower[1]]])
        return _gram(np.swapaxes(rows, 0, 1)), np.swapaxes(A, 1, 2) @ M.transpose(1, 2, 0)


class _Places(NamedTuple):
    """Where elements of symmetric q x q matrices are in their lower triangles, taken row by row.

    Attributes
    ----------
    lower : pair of (l,) array of int
        Rows and columns of a lower triangle.
    over : (q^4,) array of int
        Places of the products of A's and M's elements in
        tr(A D M E) = sum_ijkl D_ij E_kl A_li M_jk, D and E symmetric.
    """

    lower: tuple[Ints, Ints]
    over: Ints


@cache
def _places(q: int) -> _Places:
    lower = np.tril_indices(q)
    where = np.empty((q, q), dtype=np.int64)
    where[lower] = where.T[lower] = np.arange(lower[0].size)
    first, second, third, last = np.indices((q, q, q, q)).reshape(4, -1)
    return _Places(lower, where[last, first] * lower[0].size + where[second, third])


POINT_BY_DATASET = ("factor", "value", "cross", "J", "beta", "rss")
"""The attributes of a point whose first axis is the dataset."""

POINT_BY_CLUSTER = ("N", "W", "residual")
"""Those whose last axes are dataset and cluster."""


def _row_sums(rows: Floats) -> Floats:
    """Sum the rows of (..., k), in an order that does not depend on how many there are."""
    return np.ascontiguousarray(rows).sum(axis=-1)


@dataclass(frozen=True)
class Derivatives:
    """How the criterion changes with Psi, to be contracted along directions.

    Attributes
    ----------
    point : Point
        Where the derivatives were taken.
    slope : (S, q, q) array
        The gradient with respect to Psi.
    expected, squares : (S, q q, q q) array
        The bilinear forms sum_g tr(A_g D M_g E) with A = 2 N C N' - M and A = u u'.
    NN, Nu, uu : (S, q q, p p), (S, q q, p) and (S, q q) array
        sum_g N' D N, N' D u and u' D u as linear forms in D, the first two in the coordinates of
        J.
    """

    point: Point
    slope: Floats
    expected: Floats
    squares: Floats
    NN: Floats
    Nu: Floats
    uu: Floats

    def f_decrease(self, D: Floats) -> Floats:
        """Return the decrease of F, in the coordinates of J, along directions of Psi.

        Parameters
        ----------
        D : (S, k, q q) array
            Directions of Psi.

        Returns
        -------
        (S, k, p p) array
        """
        return D @ self.NN

    def log_rss_decrease(self, D: Floats) -> Floats:
        """Return the decrease of log r^2 along directions of Psi.

        Parameters
        ----------
        D : (S, k, q q) array
            Directions of Psi.

        Returns
        -------
        (S, k) array
        """
        return (D @ self.uu[..., None])[..., 0] / self.point.rss[:, None]

    def gradient(self, D: Floats) -> Floats:
        """Return the gradient of the criterion along directions of Psi.

        Parameters
        ----------
        D : (S, k, q q) array
            Directions of Psi.

        Returns
        -------
        (S, k) array
        """
        return (D @ self.slope.reshape(*self.uu.shape, 1))[..., 0]

    def hessian(self, D: Floats) -> Floats:
        """Return the second derivative of the criterion along directions of Psi.

        Parameters
        ----------
        D : (S, k, q q) array
            Directions of Psi.

        Returns
        -------
        (S, k, k) array
        """
        nu, rss = self._nu, self.point.rss[:, None, None]
        products = D @ (self.expected + 2.0 * nu / rss * self.squares) @ _t(D)
        Nu, uu = np.sqrt(2.0 * nu / rss) * self.Nu, np.sqrt(nu) / rss * self.uu[..., None]
        return _symmetric(products) - _gram(D @ np.concatenate([self.NN, Nu, uu], axis=2))

    def information(self, D: Floats) -> Floats:
        """Return twice the expected information on Psi, sigma estimated, at this Psi.

        Parameters
        ----------
        D : (S, k, q q) array
            Directions of Psi.

        Returns
        -------
        (S, k, k) array
        """
        log_dets = D @ self.expected @ _t(D) - _gram(self.f_decrease(D))
        trace = (self.gradient(D) + self._nu[..., 0] * self.log_rss_decrease(D))[..., None]
        return -_symmetric(log_dets) - trace @ _t(trace) / self._nu

    @property
    def _nu(self) -> Floats:
        return self.point.criterion.nu[:, None, None]

    def by_theta(self) -> tuple[Floats, Floats]:
        """Return gradient, (S, k), and Hessian, (S, k, k), with respect to theta."""
        structure = self.point.criterion.structure
        D = structure.directions(self.point.factor)
        return self.gradient(D), self.hessian(D) + structure.hessian_term(self.slope)


def _t(matrices: Floats) -> Floats:
    return np.swapaxes(matrices, -2, -1)


def _gram(rows: Floats) -> Floats:
    return rows @ _t(rows)


def _symmetric(matrices: Floats) -> Floats:
    return 0.5 * (matrices + _t(matrices))
