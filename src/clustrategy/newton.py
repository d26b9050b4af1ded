"""The least REML criterion of many datasets at once.

Fisher scoring in Psi, projected on the positive semidefinite matrices, gives a start that has the
right rank more often than not; from there Newton's method in L, where Psi = L L'. L has no
constraints, so that a singular optimum is a point like any other, reached in as few steps. Where L
has lost rank, the derivative with respect to Psi tells whether another dimension would lower the
criterion; then the search goes on there (Burer & Monteiro 2005, Math. Program. 103, 427-444).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from clustrategy.dataset import Floats
from clustrategy.reml import Criterion, Derivatives, Factor, columnwise

# Multiples of the identity to start from.
STARTS = (0.1, 1.0)
# Where rows outnumber random coefficients by more than the first number and by no more than the
# second: further multiples to start from, and whether to start by scoring from the least one too.
FURTHER = ((-np.inf, 15, (20.0, 1.0), True), (15, 30, (5.0,), False))
SCORING_STEPS = 2
# Eigenvalues of Psi, in coordinates where a row tells as much as sigma^2: below SMALLEST one is
# taken for zero when Psi is projected, beyond LARGEST the search is given up.
SMALLEST = 1e-4
LARGEST = 1e12
# Curvatures below this share of the largest count as this share.
FLATTEST = 1e-9
# After PATIENCE steps, and every AGAIN steps from there, a slow search drops what is nearly zero.
ITERATIONS = 100
PATIENCE = 6
AGAIN = 24
SHORTENINGS = 6
SECULAR_STEPS = 8
# Of the criterion: what the next step must promise to be taken; what may be left when a search
# counts as converged; what one more dimension or another search must gain; how far a model's
# promise may be believed when a search is given up; what rounding may add.
DECREMENT = 1e-9
ENOUGH = 1e-7
GAIN = 1e-8
HOPE = 1e-6
OPTIMISM = 3.0
ROUNDING = 1e-11


class Minimum(NamedTuple):
    """Where the search ended.

    Attributes
    ----------
    factor : (S, q, q) lower triangular L.
    converged : (S,) whether the next step would lower the criterion by no more than `ENOUGH`.
    """

    factor: Factor
    converged: NDArray[np.bool_]

    @property
    def endless(self) -> NDArray[np.bool_]:
        """(S,) whether Psi grew beyond all bounds: nothing is left to the residual variance."""
        return ~self.converged & ((self.factor * self.factor).sum(axis=(1, 2)) >= LARGEST)


def minimise(criterion: Criterion) -> Minimum:
    """The least criterion of each dataset.

    A dataset's numbers do not depend on which others it is searched with. Where there are hardly
    more rows than random coefficients, the criterion can have several minima: 3 % of datasets of
    10 clusters, 5 rows and 4 coefficients each have, and one search in a hundred misses the least.
    There the best of several searches is taken, which misses it in one of a thousand.
    """
    minimum = _search(criterion, _start(criterion, STARTS))
    rows = criterion.nu + criterion.p
    spare = rows - criterion.design.shape[3] * criterion.q
    for low, high, sizes, scoring in FURTHER:
        some = np.flatnonzero((spare > low) & (spare <= high))
        if some.size:
            scarce = criterion.take(some)
            starts = [_multiple(scarce, size) for size in sizes]
            if scoring:
                starts.append(_start(scarce, STARTS[:1]))
            _search_again(scarce, starts, minimum, some)
    return minimum


def _search_again(
    scarce: Criterion, starts: Sequence[Factor], minimum: Minimum, sims: NDArray[np.int64]
) -> None:
    """Put lower minima in place, of the datasets `sims` of the minimum, from further starts."""
    value = scarce.at(minimum.factor[sims]).value
    others = scarce.take(np.tile(np.arange(sims.size), len(starts)))
    found = _search(others, np.concatenate(starts), np.tile(value, len(starts)))
    values = np.concatenate([value - HOPE, others.at(found.factor).value])
    best = np.argmin(values.reshape(1 + len(starts), sims.size), axis=0)
    lower = np.flatnonzero(best)
    chosen = (best[lower] - 1) * sims.size + lower
    minimum.factor[sims[lower]] = found.factor[chosen]
    minimum.converged[sims[lower]] = found.converged[chosen]


def _search(criterion: Criterion, factor: Factor, known: Floats | None = None) -> Minimum:
    """The minimum that is reached from (S, q, q) `factor`.

    A search that by its quadratic model will end no lower than what is `known` (S,) is given up.
    """
    rows, columns = columnwise(criterion.q)
    converged = np.zeros(criterion.sims, dtype=bool)
    active = np.arange(criterion.sims)
    # C order: in which order a norm adds must not depend on the number of datasets.
    theta = np.ascontiguousarray(factor[:, rows, columns])
    radius = 2.0 * (np.linalg.norm(theta, axis=1) + 0.1)
    step, value, promise = np.zeros(theta.shape), np.full(active.size, np.inf), np.ones(active.size)
    due = np.full(active.size, PATIENCE)
    model: Quadratic | None = None
    for iteration in range(ITERATIONS):
        trial = theta + step
        derivatives = criterion.at(_factor(trial, criterion.q)).derivatives()
        now = derivatives.point.value
        fell = now <= value + ROUNDING * np.abs(now)
        there = Quadratic.of(*derivatives.by_theta())
        model = there if model is None else model.where(fell, there)
        theta = np.where(fell[:, None], trial, theta)
        length = np.linalg.norm(step, axis=1)
        ratio = (value - now) / promise
        radius = np.where(ratio < 0.1, 0.25 * length, radius)
        radius = np.where(ratio > 0.75, np.maximum(radius, 3.0 * length), radius)
        value = np.where(fell, now, value)
        left = model.left
        done = fell & (left < DECREMENT)
        step, promise = model.least(np.where(done, np.inf, radius))
        promise = np.maximum(promise, DECREMENT)
        hopeless = np.zeros(active.size, dtype=bool)
        if known is not None and iteration >= PATIENCE:
            hopeless = value - OPTIMISM * left > known[active] - HOPE
        if (slow := fell & ~done & (iteration >= due)).any():
            flat = _project(derivatives.point.psi)[:, rows, columns]
            step[slow], value[slow] = flat[slow] - theta[slow], np.inf
            due[slow] = iteration + AGAIN
        if done.any():
            at = np.flatnonzero(done)
            wider, lower = _another_dimension(criterion, derivatives, at)
            step[at[lower]] = wider[lower][:, rows, columns] - theta[at[lower]]
            done[at[lower]] = False
            theta[done] += step[done]
        converged[active] = left < ENOUGH
        factor[active] = _factor(theta, criterion.q)
        kept = ~done & ~hopeless & ((theta * theta).sum(axis=1) < LARGEST)
        if not kept.any():
            break
        if not kept.all():
            criterion, model = criterion.take(np.flatnonzero(kept)), model.take(kept)
            active, theta, value = active[kept], theta[kept], value[kept]
            step, radius, promise = step[kept], radius[kept], promise[kept]
            due = due[kept]
    return Minimum(factor, converged)


@dataclass(frozen=True)
class Quadratic:
    """A quadratic model of the criterion in each dataset, negative curvature taken as positive.

    Attributes
    ----------
    values, vectors : (S, k), (S, k, k) of the second derivative.
    slope : (S, k) the gradient along the vectors.
    """

    values: Floats
    vectors: Floats
    slope: Floats

    @classmethod
    def of(cls, gradient: Floats, hessian: Floats) -> Quadratic:
        """From the derivatives at a point."""
        values, vectors = np.linalg.eigh(hessian)
        values = np.abs(values)
        values = np.maximum(values, FLATTEST * values.max(axis=1, keepdims=True))
        return cls(values, vectors, (np.swapaxes(vectors, 1, 2) @ gradient[..., None])[..., 0])

    def where(self, new: NDArray[np.bool_], other: Quadratic) -> Quadratic:
        """Other models for some of the datasets."""
        return Quadratic(
            np.where(new[:, None], other.values, self.values),
            np.where(new[:, None, None], other.vectors, self.vectors),
            np.where(new[:, None], other.slope, self.slope),
        )

    def take(self, kept: NDArray[np.bool_]) -> Quadratic:
        """The models of some of the datasets."""
        return Quadratic(self.values[kept], self.vectors[kept], self.slope[kept])

    def _along(self, radius: Floats | float) -> Floats:
        """The least of the model within a radius, along the vectors (More & Sorensen 1983)."""
        damping = np.zeros((self.slope.shape[0], 1))
        for _ in range(SECULAR_STEPS):
            shifted = self.values + damping
            square = (self.slope / shifted) ** 2
            length = np.sqrt(square.sum(axis=1))
            excess = length > radius
            if not excess.any():
                break
            # Newton's method for 1 / length - 1 / radius, which is close to linear in the damping.
            bend = (square / shifted).sum(axis=1)
            with np.errstate(divide="ignore", invalid="ignore"):
                more = (length / radius - 1.0) * length**2 / bend
            damping[:, 0] += np.where(excess, more, 0.0)
        return -self.slope / (self.values + damping)

    @property
    def left(self) -> Floats:
        """(S,) by how much the model can fall at all."""
        return 0.5 * (self.slope * self.slope / self.values).sum(axis=1)

    def least(self, radius: Floats | float) -> tuple[Floats, Floats]:
        """(S, k) the step to the least of the model within a radius; (S,) by how much it falls."""
        along = self._along(radius)
        fall = -((self.slope + 0.5 * self.values * along) * along).sum(axis=1)
        return (self.vectors @ along[..., None])[..., 0], fall


def _multiple(criterion: Criterion, size: float) -> Factor:
    """(S, q, q) a multiple of the identity."""
    return np.tile(size * np.eye(criterion.q), (criterion.sims, 1, 1))


def _start(criterion: Criterion, sizes: Sequence[float]) -> Factor:
    """(S, q, q) the best multiple of the identity, then some steps of Fisher scoring."""
    q = criterion.q
    factor = _multiple(criterion, sizes[0])
    value = criterion.at(factor).value
    for size in sizes[1:]:
        other = _multiple(criterion, size)
        now = criterion.at(other).value
        factor = np.where((now < value)[:, None, None], other, factor)
        value = np.minimum(value, now)
    basis = _symmetric_basis(q)
    for _ in range(SCORING_STEPS):
        derivatives = criterion.at(factor).derivatives()
        model = Quadratic.of(derivatives.gradient(basis), derivatives.information(basis))
        change = (model.least(np.inf)[0][:, None] @ basis).reshape(factor.shape)
        projected = _project(derivatives.point.psi + change)
        now = criterion.at(projected).value
        lower = now < value
        factor = np.where(lower[:, None, None], projected, factor)
        value = np.where(lower, now, value)
    return factor


def _symmetric_basis(q: int) -> Floats:
    """(1, k, q q) matrices that span the symmetric ones."""
    rows, columns = columnwise(q)
    basis = np.zeros((rows.size, q, q))
    basis[np.arange(rows.size), rows, columns] = 0.5
    return (basis + np.swapaxes(basis, 1, 2)).reshape(1, rows.size, q * q)


def _another_dimension(
    criterion: Criterion, derivatives: Derivatives, at: NDArray[np.int64]
) -> tuple[Factor, NDArray[np.bool_]]:
    """The factors of some datasets with one more dimension, and where that lowers the criterion."""
    values, vectors = np.linalg.eigh(derivatives.slope[at])
    slope, direction = values[:, 0], vectors[:, :, 0]
    whole = np.zeros((derivatives.slope.shape[0], 1, derivatives.uu.shape[1]))
    whole[at, 0] = (direction[:, :, None] * direction[:, None, :]).reshape(at.size, -1)
    curvature = np.abs(derivatives.hessian(whole)[at, 0, 0])
    factor, lower = derivatives.point.factor[at], np.zeros(at.size, dtype=bool)
    hopeful = (slope < 0.0) & (slope * slope > 2.0 * GAIN * curvature)
    if not hopeful.any():
        return factor, lower
    problem, value = criterion.take(at), derivatives.point.value[at]
    size = np.where(hopeful, -slope / np.where(hopeful, curvature, 1.0), 0.0)
    for _ in range(SHORTENINGS):
        column = direction * np.sqrt(size)[:, None]
        wider = triangular(np.concatenate([factor, column[..., None]], axis=2))
        falls = hopeful & ~lower & (problem.at(wider).value < value - 0.1 * GAIN)
        factor = np.where(falls[:, None, None], wider, factor)
        lower |= falls
        if (lower | ~hopeful).all():
            break
        size *= 0.1
    return factor, lower


def _project(psi: Floats) -> Factor:
    """The factor of the nearest positive semidefinite matrix, of as little rank as will do."""
    values, vectors = np.linalg.eigh(psi)
    values = np.where(values > SMALLEST, values, 0.0)
    # In falling order, so that the columns of zeros come last and stay exactly that.
    return triangular((vectors * np.sqrt(values)[:, None])[..., ::-1])


def triangular(factor: Floats) -> Factor:
    """(S, q, q) the lower triangular L, diagonal not negative, with L L' = A A' for A (S, q, k)."""
    q = factor.shape[1]
    L = np.swapaxes(np.linalg.qr(np.swapaxes(factor, 1, 2), mode="r"), 1, 2)[..., :q]
    return (
        np.ascontiguousarray(L)
        * np.where(np.diagonal(L, axis1=1, axis2=2) < 0.0, -1.0, 1.0)[:, None]
    )


def _factor(theta: Floats, q: int) -> Factor:
    factor = np.zeros((theta.shape[0], q, q))
    rows, columns = columnwise(q)
    factor[:, rows, columns] = theta
    return factor
