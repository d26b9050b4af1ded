"""Cluster-robust variances of the fixed effects of a mixed model: CR2 and its degrees of freedom.

Bell & McCaffrey (2002, Survey Methodology 28, 169-181) and Pustejovsky & Tipton (2018, JBES 36,
672-683), with the estimated V as the working model and its inverse as the weights, as
clubSandwich has it of a model fitted by lme4. e_g = y_g - X_g beta are the marginal residuals, M
is the inverse of sum_g X_g' V_g^-1 X_g, B_g = V_g - X_g M X_g' the variance of e_g over sigma^2,
and A_g = D_g' (D_g B_g D_g')^(-1/2) D_g for any D_g with D_g' D_g = V_g: A_g B_g A_g = V_g.

Here D_g' is the lower triangular factor of V_g, by which X_g and e_g are whitened; with J J' = M,
U_g is the whitened X_g J. Arrays have the cluster as their last axis, as those of `reml`.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from clustrategy.core.shard import Floats, Ints
from clustrategy.estimation.hotelling import approximate_f, hotelling_df
from clustrategy.estimation.mixed.reml import Point
from clustrategy.estimation.wald import Turned, wald

PIVOT_TOLERANCE = 1e-12
"""Pivots of a Cholesky factor up to this count as zero."""

ZERO_VARIANCE = 1e-10
"""A variance is zero whatever the response below this share of the model's."""

ORTHOGONAL_COSINE = 1e-13
MAX_SWEEPS = 60


class Sandwich(NamedTuple):
    """CR2 variances of contrasts before they are summed over the clusters.

    Attributes
    ----------
    contrasts : (S, k, p) array
        What is tested, in the coordinates of J, as `satterthwaite` takes it.
    scores : (S, k, G) array
        w_g' e_g, whose squares add up to the variances.
    weights, inner : (S, k, p, G) array
        w_g and U_g' w_g.
    """

    contrasts: Floats
    scores: Floats
    weights: Floats
    inner: Floats

    @classmethod
    def of(cls, point: Point, contrasts: Floats) -> Sandwich:
        """Compute them at the optimum."""
        p, q = point.criterion.p, point.criterion.q
        parts = _clusters(point)
        white, half = parts[:, : p + 1], parts[:q, p + 1 :]
        lower = _cholesky(_gram(half, add=1.0))
        _solve(lower, white[:q])
        U, e = white[:, :p], white[:, p:]
        adjusted = _adjusted(U, lower)
        scores = _of_contrasts(contrasts, _product(_t(e), adjusted))[:, :, 0]
        w = _of_contrasts(contrasts, adjusted)
        return cls(contrasts, scores, w, _of_contrasts(contrasts, _product(_t(U), adjusted)))


def cr2(parts: Sandwich) -> tuple[Floats, Floats]:
    """Compute CR2 variances of contrasts and their Satterthwaite degrees of freedom.

    Parameters
    ----------
    parts : Sandwich
        Of the contrasts.

    Returns
    -------
    variance : (S, k) array
        In the criterion's coordinates, where the response is residual / scale: times
        `criterion.scale ** 2` they are those of contrasts of X's coefficients.
    df : (S, k) array
        NaN where the variance is zero whatever the response (as many arms as clusters).
    """
    mean, df = _satterthwaite(parts.weights, parts.inner)
    # The mean of the variance if V is right: h'h, unless pivots at zero were left out.
    known = mean > ZERO_VARIANCE * (parts.contrasts * parts.contrasts).sum(axis=2)
    variance = (parts.scores * parts.scores).sum(axis=2)
    return np.where(known, variance, 0.0), np.where(known, df, np.nan)


def joint_cr2(parts: Sandwich, group: Ints, estimate: Floats) -> tuple[Floats, Floats, Floats]:
    """Test several contrasts at once.

    Parameters
    ----------
    parts : Sandwich
        Of the contrasts.
    group : (q,) array of int
        Which of them.
    estimate : (S, q) array
        Theirs, over `criterion.scale`.

    Returns
    -------
    wald : (S,) array
        b' V^-1 b, NaN where V is singular.
    statistic, den_df : (S,) array
        F and its degrees of freedom by the approximate Hotelling test of `hotelling`.
    """
    turned = Turned.of(parts.contrasts[:, group])
    scores, weights, inner = (
        turned(part[:, group]) for part in (parts.scores, parts.weights, parts.inner)
    )
    ones = np.ones(len(estimate))
    squares = wald(turned(estimate), np.ascontiguousarray(np.swapaxes(scores, 1, 2)), ones)
    return squares, *approximate_f(squares, len(group), hotelling_df(weights, inner))


def _clusters(point: Point) -> Floats:
    """Return X_g J, e_g and Z_g L of each cluster, (p, p + 1 + m, S, G).

    Z_g is zero below its first q rows. A triangle's last row, which is orthogonal to X_g, is left
    out: there B_g = V_g = I.
    """
    criterion = point.criterion
    p, q, m = criterion.p, criterion.q, point.factor.shape[2]
    S, G = criterion.design.shape[2:]
    rows = np.zeros((p, p + 1, S, G))
    rows[:q] = criterion.design
    rows[q:] = np.moveaxis(criterion.rest[criterion.members, :, :-1], (2, 3), (0, 1))
    out = np.zeros((p, p + 1 + m, S, G))
    turned = _of_contrasts(np.swapaxes(point.J, 1, 2), rows[:, :p])
    out[:, :p] = turned.transpose(2, 1, 0, 3)
    out[:, p] = rows[:, p]
    for a in range(p):
        out[:, p] -= rows[:, a] * point.beta[:, a, None]
    half = _of_contrasts(np.swapaxes(point.factor, 1, 2), rows[:q, :q])
    out[:q, p + 1 :] = half.transpose(2, 1, 0, 3)
    return out


def _adjusted(U: Floats, lower: Floats) -> Floats:
    """Compute D V^-1 A X J = S (S (I - U U') S)^(-1/2) U of each cluster, (p, p, S, G), S = D D'.

    The root is taken by the singular values of S R, R R' = I - U U', whose condition is the
    root's, not its square. Where a pivot of R is zero (a predictor that varies in one cluster
    alone) it is that of the Moore-Penrose inverse, as clubSandwich takes. `lower`, (q, q, S, G), is
    D' in the rows that Z_g has; elsewhere it is I.
    """
    q = len(lower)
    spread = _gram(_t(lower))
    W = _cholesky(_gram(U, sign=-1.0, add=1.0))
    W[:q] = _product(spread, W[:q])
    W = _orthogonal(W)
    squares = _sum_of_squares(W)
    cubes = squares * np.sqrt(squares)
    inverse = np.where(cubes > 0.0, 1.0 / np.where(cubes > 0.0, cubes, 1.0), 0.0)
    out = _product(W, inverse[:, None] * _product(_t(W), U))
    out[:q] = _product(spread, out[:q])
    return out


def _satterthwaite(w: Floats, inner: Floats) -> tuple[Floats, Floats]:
    """Compute tr P and (tr P)^2 / tr(P^2), (S, k) each, of the variances sum_g (w_g' e_g)^2.

    P_gh = w_g' (I - U U')_gh w_h, so that off the diagonal it has rank p and both traces cost
    O(G p^2): each cluster's products with the earlier ones, of which nothing is subtracted.
    Otherwise one cluster that tells nearly all of a coefficient would leave no digits. `w` and
    `inner`, (S, k, p, G), are w_g and U_g' w_g.
    """
    size, overlap = (_sum_of_squares(np.moveaxis(part, 2, 0)) for part in (w, inner))
    diagonal = size - overlap
    rows, columns = np.triu_indices(inner.shape[2])
    outer = inner[:, :, rows] * inner[:, :, columns]
    earlier = np.cumsum(outer[..., :-1], axis=3)
    earlier *= outer[..., 1:]
    twice = np.where(rows == columns, 2.0, 4.0)
    trace = diagonal.sum(axis=2)
    squared = (diagonal * diagonal).sum(axis=2) + (earlier.sum(axis=3) * twice).sum(axis=2)
    with np.errstate(invalid="ignore", divide="ignore"):
        return trace, trace * trace / squared


def _of_contrasts(contrasts: Floats, parts: Floats) -> Floats:
    """Multiply parts, (i, p, S, G), by each of the contrasts, (S, k, p), to (S, k, i, G)."""
    i, p, S, G = parts.shape
    by_sim = np.ascontiguousarray(parts.transpose(2, 1, 0, 3)).reshape(S, p, i * G)
    return (contrasts @ by_sim).reshape(S, -1, i, G)


def _t(matrices: Floats) -> Floats:
    return np.swapaxes(matrices, 0, 1)


def _sum_of_squares(matrices: Floats) -> Floats:
    """Sum the squares over the first axis."""
    total = matrices[0] * matrices[0]
    for row in matrices[1:]:
        total += row * row
    return total


def _product(left: Floats, right: Floats) -> Floats:
    """Multiply (i, j, S, G) and (j, k, S, G) to (i, k, S, G)."""
    total = left[:, 0, None] * right[0]
    for j in range(1, len(right)):
        total += left[:, j, None] * right[j]
    return total


def _gram(matrices: Floats, sign: float = 1.0, add: float = 0.0) -> Floats:
    """Multiply (i, j, S, G) by their transposes, times sign, plus add I."""
    out = sign * _product(matrices, _t(matrices))
    at = np.arange(len(matrices))
    out[at, at] += add
    return out


def _cholesky(matrices: Floats) -> Floats:
    """Factor (i, i, S, G) into lower triangles; where a pivot is zero, so is its column."""
    lower = np.zeros(matrices.shape)
    for i, row in enumerate(matrices):
        lower[i, : i + 1] = row[: i + 1]
    for j in range(len(lower)):
        pivot = lower[j, j].copy()
        kept = pivot > PIVOT_TOLERANCE
        lower[j:, j] *= np.where(kept, 1.0 / np.sqrt(np.where(kept, pivot, 1.0)), 0.0)
        for i in range(j + 1, len(lower)):
            lower[i, j + 1 : i + 1] -= lower[i, j] * lower[j + 1 : i + 1, j]
    return lower


def _solve(lower: Floats, right: Floats) -> None:
    """Solve lower triangular systems, (i, i, S, G), in place of the right sides, (i, k, S, G)."""
    for j in range(len(right)):
        right[j] /= lower[j, j]
        for i in range(j + 1, len(right)):
            right[i] -= lower[i, j] * right[j]


def _orthogonal(matrices: Floats) -> Floats:
    """Rotate the columns of matrices, (i, j, S, G), until they are orthogonal.

    Hestenes' one-sided Jacobi iteration (Golub & Van Loan 2013, section 8.6.3): the lengths of the
    columns are then the singular values. A cluster that needs no rotation keeps its bits, so that
    it does not matter for how long its neighbours go on.
    """
    columns = np.ascontiguousarray(_t(matrices))
    pairs = [(a, b) for b in range(len(columns)) for a in range(b)]
    for _ in range(MAX_SWEEPS):
        rotated = False
        for a, b in pairs:
            one, other = columns[a], columns[b]
            both = one[0] * other[0]
            for i in range(1, len(one)):
                both += one[i] * other[i]
            first, second = _sum_of_squares(one), _sum_of_squares(other)
            due = both * both > ORTHOGONAL_COSINE**2 * first * second
            if not due.any():
                continue
            rotated = True
            difference = second - first
            both += both
            length = np.abs(difference) + np.sqrt(difference * difference + both * both)
            tangent = np.where(due, np.copysign(both, difference * both), 0.0)
            tangent /= np.where(due, length, 1.0)
            cosine = 1.0 / np.sqrt(1.0 + tangent * tangent)
            sine = cosine * tangent
            columns[a], columns[b] = cosine * one - sine * other, sine * one + cosine * other
        if not rotated:
            break
    return _t(columns)
