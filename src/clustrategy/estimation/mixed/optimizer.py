"""The least REML criterion of many datasets at once.

Fisher scoring in Psi, projected on the positive semidefinite matrices, gives a start that has the
right rank more often than not; from there Newton's method in L, where Psi = L L'. L has no
constraints, so that a singular optimum is a point like any other, reached in as few steps. Where L
has lost rank, the derivative with respect to Psi tells whether another dimension would lower the
criterion; then the search goes on there (Burer & Monteiro 2005, Math. Program. 103, 427-444). The
same holds of any structure of Psi whose L is linear in its parameters theta, as L's triangle is.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from clustrategy.core.shard import Floats
from clustrategy.estimation.mixed.covariance import Factor
from clustrategy.estimation.mixed.covariance import triangular as triangular
from clustrategy.estimation.mixed.reml import Criterion, Derivatives

# Multiples of uncorrelated random effects, all alike, to start from.
STARTS = (0.1, 1.0)
# Where rows outnumber random coefficients by more than the first number and by no more than the
# second: further multiples to start from, and whether to start by scoring from the least one too.
FURTHER = ((-np.inf, 15, (20.0, 1.0), True), (15, 30, (5.0,), False))
SCORING_STEPS = 2
# The trace of Psi, in coordinates where a row tells as much as sigma^2, at which a search is given
# up.
LARGEST = 1e12
# Curvatures below this share of the largest count as this share, and none as less than FLAT.
FLATTEST = 1e-9
FLAT = 1e-60
# After PATIENCE steps, and every AGAIN steps from there, a slow search drops what is nearly zero.
ITERATIONS = 100
PATIENCE = 6
AGAIN = 24
SHORTENINGS = 6
SECULAR_STEPS = 8
# Of the criterion: what the next step must promise to be taken; what may be left when a search
# counts as converged; what one more dimension or another search must gain; how far a model's
# promise may be believed when a search is given up; what rounding may add.
DECREMENT = 1e-12
ENOUGH = 1e-7
GAIN = 1e-8
HOPE = 1e-6
OPTIMISM = 3.0
ROUNDING = 1e-11


class Minimum(NamedTuple):
    """Where the search ended.

    Attributes
    ----------
    factor : (S, q, m) L.
    converged : (S,) whether the next step would lower the criterion by no more than `ENOUGH`.
    """

    factor: Factor
    converged: NDArray[np.bool_]


def minimise(criterion: Criterion) -> Minimum:
    """The least criterion of each dataset.

    A dataset's numbers do not depend on which others it is searched with. Where there are hardly
    more rows than random coefficients, the criterion can have several minima: 3 % of datasets of
    10 clusters, 5 rows and 4 coefficients each have, and one search in a hundred misses the least.
    There the best of several searches is taken, which misses it in one of a thousand.
    """
    minimum = _search(criterion, _start(criterion, STARTS))
    rows = criterion.nu + criterion.p
    spare = rows - criterion.design.shape[3] * criterion.structure.effects
    for low, high, sizes, scoring in FURTHER:
        some = np.flatnonzero((spare > low) & (spare <= high))
        if some.size:
            scarce = criterion.take(some)
            starts = [scarce.structure.multiple(size, some.size) for size in sizes]
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
    """The minimum that is reached from (S, q, m) `factor`.

    A search that by its quadratic model will end no lower than what is `known` (S,) is given up.
    """
    converged = np.zeros(criterion.sims, dtype=bool)
    active = np.arange(criterion.sims)
    structure = criterion.structure
    theta = structure.theta(factor)
    radius = 2.0 * (np.linalg.norm(theta, axis=1) + 0.1)
    step, value, promise = np.zeros(theta.shape), np.full(active.size, np.inf), np.ones(active.size)
    due = np.full(active.size, PATIENCE)
    model: Quadratic | None = None
    for iteration in range(ITERATIONS):
        trial = theta + step
        derivatives = criterion.at(structure.factor(trial)).derivatives()
        now = derivatives.point.value
        fell = now <= value + ROUNDING * np.abs(now)
        there = Quadratic.of(*derivatives.by_theta())
        model = there if model is None else model.where(fell, there)
        theta = np.where(fell[:, None], trial, theta)
        length = np.linalg.norm(step, axis=1)
        ratio = (value - now) / promise
        radius = np.where(ratio < 0.1, 0.25 * length, radius)
        radius = np.where(ratio > 0.75, np.maximum(radius, 3.0 * length), radius)
        radius = np.minimum(radius, np.sqrt(LARGEST))
        value = np.where(fell, now, value)
        left = model.left
        done = fell & (left < DECREMENT)
        step, promise = model.least(np.where(done, np.inf, radius))
        promise = np.maximum(promise, DECREMENT)
        hopeless = np.zeros(active.size, dtype=bool)
        if known is not None and iteration >= PATIENCE:
            hopeless = value - OPTIMISM * left > known[active] - HOPE
        if (slow := fell & ~done & (iteration >= due)).any():
            flat = structure.theta(structure.project(derivatives.point.factor))
            step[slow], value[slow] = flat[slow] - theta[slow], np.inf
            due[slow] = iteration + AGAIN
        if done.any():
            at = np.flatnonzero(done)
            wider, lower = _another_dimension(criterion, derivatives, at)
            step[at[lower]] = wider[lower] - theta[at[lower]]
            done[at[lower]] = False
            theta[done] += step[done]
        converged[active] = left < ENOUGH
        factor[active] = structure.factor(theta)
        kept = ~done & ~hopeless & ((theta * theta).sum(axis=1) < LARGEST)
        if not kept.any():
            break
        if not kept.all():
            criterion, model = criterion.take(np.flatnonzero(kept)), model.take(kept)
            active, theta, value = active[kept], theta[kept], value[kept]
            step, radius, promise = step[kept], radius[kept], promise[kept]
            due, structure = due[kept], criterion.structure
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
        values = np.maximum(values, FLAT)
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


def _start(criterion: Criterion, sizes: Sequence[float]) -> Factor:
    """(S, q, m) the best of the multiples, then some steps of Fisher scoring."""
    structure = criterion.structure
    factor = structure.multiple(sizes[0], criterion.sims)
    value = criterion.at(factor).value
    for size in sizes[1:]:
        other = structure.multiple(size, criterion.sims)
        now = criterion.at(other).value
        factor = np.where((now < value)[:, None, None], other, factor)
        value = np.minimum(value, now)
    basis = structure.basis
    for _ in range(SCORING_STEPS):
        derivatives = criterion.at(factor).derivatives()
        model = Quadratic.of(derivatives.gradient(basis), derivatives.information(basis))
        projected = structure.project(factor, model.least(np.inf)[0])
        now = criterion.at(projected).value
        lower = now < value
        factor = np.where(lower[:, None, None], projected, factor)
        value = np.where(lower, now, value)
    return factor


def _another_dimension(
    criterion: Criterion, derivatives: Derivatives, at: NDArray[np.int64]
) -> tuple[Floats, NDArray[np.bool_]]:
    """theta of some datasets with one more dimension, and where that lowers the criterion."""
    structure = criterion.structure.take(at)
    slopes, rays = structure.rays(derivatives.slope[at])
    whole = np.zeros((derivatives.slope.shape[0], rays.shape[1], derivatives.uu.shape[1]))
    whole[at] = (rays[..., :, None] * rays[..., None, :]).reshape(at.size, rays.shape[1], -1)
    curvatures = np.diagonal(derivatives.hessian(whole)[at], axis1=1, axis2=2)
    curvatures = np.maximum(np.abs(curvatures), FLAT)
    promise = np.where(slopes < 0.0, slopes * slopes / curvatures, 0.0)
    best = np.arange(at.size), promise.argmax(axis=1)
    slope, curvature, ray = slopes[best], curvatures[best], rays[best]
    factor, lower = derivatives.point.factor[at], np.zeros(at.size, dtype=bool)
    hopeful = (slope < 0.0) & (slope * slope > 2.0 * GAIN * curvature)
    if not hopeful.any():
        return structure.theta(factor), lower
    problem, value = criterion.take(at), derivatives.point.value[at]
    size = np.where(hopeful, np.minimum(-slope / curvature, LARGEST), 0.0)
    for _ in range(SHORTENINGS):
        wider = structure.widen(factor, ray, size)
        falls = hopeful & ~lower & (problem.at(wider).value < value - 0.1 * GAIN)
        factor = np.where(falls[:, None, None], wider, factor)
        lower |= falls
        if (lower | ~hopeful).all():
            break
        size *= 0.1
    return structure.theta(factor), lower
