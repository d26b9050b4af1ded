"""Minimise the REML criterion of many datasets at once.

Fisher scoring in Psi, projected on the positive semidefinite matrices, gives a start that has the
right rank more often than not; from there a trust-region Newton method works on L, where
Psi = L L'. L has no constraints, so that a singular optimum is a point like any other, reached in
as few steps. Where L has lost rank, the derivative with respect to Psi tells whether another
dimension would lower the criterion; then the search goes on there (Burer & Monteiro 2005, Math.
Program. 103, 427-444). The same holds of any structure of Psi whose L is linear in theta.

Where the random effects leave next to nothing of the response, theta is huge, and the search goes
on in coordinates in which it is not.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from clustrategy.core.shard import Floats, Ints
from clustrategy.estimation.mixed.covariance import Factor
from clustrategy.estimation.mixed.reml import Criterion, Derivatives, Point


class Restarts(NamedTuple):
    """Further starts for datasets in which the criterion may have several minima.

    Attributes
    ----------
    above, up_to : float
        How many more rows than random coefficients these datasets have.
    sizes : tuple of float
        Standard deviations of uncorrelated random effects to start from.
    scoring : bool
        Whether to start by Fisher scoring from `SMALLEST_START` too.
    """

    above: float
    up_to: float
    sizes: tuple[float, ...]
    scoring: bool


SMALLEST_START, LARGEST_START = 0.1, 4.0
"""Between these are the standard deviations of uncorrelated random effects from which scoring
starts, estimated by moments."""

RESTARTS = (Restarts(-np.inf, 15, (5.0, 1.0), True), Restarts(15, 30, (5.0,), False))

FIRST_RADIUS, RESTART_RADIUS = 2.0, 0.5
"""How long the first step may be, of the first search and of others, in lengths of theta."""

SCORING_STEPS = 2
MAX_ITERATIONS = 100

LARGEST_TRACE = 1e12
"""The trace of Psi at which a search is given up.

In units in which a row of data tells as much as sigma^2.
"""

SMALL_RESIDUAL_SHARE = 1e-5
"""Where the residual variance is a smaller share of that of least squares, coordinates change."""

LARGE_TRACE = 1e4
"""Where the trace of Psi has grown beyond this since, they change again."""

MAX_TURNS = 6
"""How often they change at most."""

GIVE_UP_AFTER = 3
"""Iterations after which a search may be given up."""

SLOW_AFTER = 6
"""Iterations after which a search counts as slow: Psi is projected."""

GIVE_UP_NEAR_AFTER = 2
"""Iterations after which a search from near the minimum may be given up."""

PROJECT_EVERY = 24
"""Iterations between projections of Psi in a slow search."""

MAX_SHORTENINGS = 6
SECULAR_ITERATIONS = 8

SMALLEST_CURVATURE_RATIO = 1e-9
"""Smaller curvatures count as this share of the largest."""

SMALLEST_PIVOT_RATIO = 1e-6
"""Pivots above this share of the largest curvature show that a Hessian is positive definite."""

SMALLEST_CURVATURE = 1e-60

# Differences of the criterion.
NEGLIGIBLE_DECREASE = 1e-12
"""What the next step must promise to be taken."""

CONVERGED_DECREASE = 1e-7
"""What the next step may promise where a search counts as converged."""

DIMENSION_GAIN = 1e-8
"""What another dimension must gain."""

RESTART_GAIN = 1e-6
"""What another search must gain."""

CRITERION_ROUNDING = 1e-11
"""What rounding may add, as a share of the criterion."""

MODEL_ERROR = 3.0
"""How many times its predicted decrease a search may still gain before it is given up."""


class Minimum(NamedTuple):
    """Where the search ended.

    Attributes
    ----------
    point : Point
        The criterion there, in coordinates that are good for it.
    converged : (S,) array of bool
        Whether the next step would lower the criterion by no more than `CONVERGED_DECREASE`.
    exhausted : (S,) array of bool
        Whether the random effects can explain the response exactly: the criterion may have no
        minimum then.
    """

    point: Point
    converged: NDArray[np.bool_]
    exhausted: NDArray[np.bool_]

    def take(self, sims: Ints) -> Minimum:
        """Return those of some of the datasets."""
        return Minimum(self.point.take(sims), self.converged[sims], self.exhausted[sims])


class Search(NamedTuple):
    """Where a search in the coordinates of a criterion ended.

    Attributes
    ----------
    factor : (S, q, m) array
        L.
    converged : (S,) array of bool
        As of `Minimum`.
    value : (S,) array
        The criterion there, but for a last step of no more than `NEGLIGIBLE_DECREASE`.
    """

    factor: Factor
    converged: NDArray[np.bool_]
    value: Floats


class Step(NamedTuple):
    """A step of the search.

    Attributes
    ----------
    change : (S, k) array
        The change of the parameters.
    decrease : (S,) array
        The predicted decrease of the criterion.
    """

    change: Floats
    decrease: Floats


def minimise(criterion: Criterion) -> Minimum:
    """Find the minimum of each dataset's criterion.

    A dataset's numbers do not depend on which others it is searched with.

    Parameters
    ----------
    criterion : Criterion
        The criterion of S datasets.

    Returns
    -------
    Minimum

    Notes
    -----
    Where there are hardly more rows than random coefficients, the criterion can have several
    minima: 3 % of datasets of 10 clusters, 5 rows and 4 coefficients each have, and one search in
    a hundred misses the least. There the best of several searches is taken, which misses it in
    one of a thousand.
    """
    size = np.clip(criterion.moment_size(), SMALLEST_START, LARGEST_START)
    search = _trust_region(_scoring_start(criterion, size))
    rows = criterion.nu + criterion.p
    spare = rows - criterion.design.shape[3] * criterion.structure.effects
    for restarts in RESTARTS:
        some = np.flatnonzero((spare > restarts.above) & (spare <= restarts.up_to))
        if some.size:
            scarce = criterion.take(some)
            starts = [scarce.structure.uniform(size, some.size) for size in restarts.sizes]
            if restarts.scoring:
                starts.append(_scoring_start(scarce, SMALLEST_START).factor)
            _restart(scarce, starts, search, some)
    return _go_on(criterion, search, lambda turned, start: _trust_region(turned.at(start)))


def minimise_from(criterion: Criterion, start: Factor, worth: Floats) -> Minimum:
    """Find the minimum of each dataset's criterion from a start that is not far from it.

    Parameters
    ----------
    criterion : Criterion
        The criterion of S datasets.
    start : (S, q, m) array
        L, such as that of a larger model.
    worth : (S,) array
        The REML criterion above which a minimum is not worth the search: one that by its quadratic
        model will end higher is given up, and ends anywhere higher.

    Returns
    -------
    Minimum
    """
    search = _trust_region(criterion.at(start), worth - criterion.constant, GIVE_UP_NEAR_AFTER)
    return _go_on(criterion, search, lambda turned, start: _trust_region(turned.at(start)))


def given_minimum(criterion: Criterion, factor: Factor) -> Minimum:
    """Take a given L, (S, q, m), for where a search ended."""

    def stay(there: Criterion, start: Factor) -> Search:
        return Search(start, np.ones(there.sims, dtype=bool), there.at(start).value)

    return _go_on(criterion, stay(criterion, factor), stay)


def _go_on(
    criterion: Criterion, ended: Search, search: Callable[[Criterion, Factor], Search]
) -> Minimum:
    """Go on from where a search ended, in other coordinates where these have become bad."""
    factor, converged = ended.factor.copy(), ended.converged.copy()
    exhausted = np.zeros(criterion.sims, dtype=bool)
    point = criterion.at(factor)
    due = np.flatnonzero(point.rss < SMALL_RESIDUAL_SHARE * (criterion.nu + criterion.p))
    if due.size == 0:
        return Minimum(point, converged, exhausted)
    exhausted[due] = criterion.take(due).recentred(point.take(due)).exhausted()
    due = due[~exhausted[due]]
    for _ in range(MAX_TURNS):
        if due.size == 0:
            break
        here = criterion.take(due)
        turned, start = here.recentred(here.at(factor[due])).turned(factor[due])
        criterion = criterion.put(due, turned)
        ended = search(turned, start)
        factor[due], converged[due] = ended.factor, ended.converged
        large = (factor[due] * factor[due]).sum(axis=(1, 2)) > LARGE_TRACE
        due = due[large | ~converged[due]]
    return Minimum(criterion.at(factor), converged, exhausted)


def _restart(scarce: Criterion, starts: Sequence[Factor], search: Search, sims: Ints) -> None:
    """Replace the minima of the datasets `sims` by lower ones found from further starts."""
    value = search.value[sims]
    others = scarce.take(np.tile(np.arange(sims.size), len(starts)))
    found = _trust_region(others.at(np.concatenate(starts)), np.tile(value, len(starts)))
    values = np.concatenate([value - RESTART_GAIN, found.value])
    best = np.argmin(values.reshape(1 + len(starts), sims.size), axis=0)
    lower = np.flatnonzero(best)
    chosen = (best[lower] - 1) * sims.size + lower
    search.factor[sims[lower]] = found.factor[chosen]
    search.converged[sims[lower]] = found.converged[chosen]
    search.value[sims[lower]] = found.value[chosen]


def _trust_region(
    point: Point, known: Floats | None = None, patience: int = GIVE_UP_AFTER
) -> Search:
    """Search from a start by Newton's method within a trust region.

    A search that by its quadratic model will end no lower than a minimum that is `known`, (S,), is
    given up after so many iterations of `patience`.
    """
    criterion, factor = point.criterion, point.factor.copy()
    converged, least = np.zeros(criterion.sims, dtype=bool), np.zeros(criterion.sims)
    active = np.arange(criterion.sims)
    structure = criterion.structure
    theta = structure.theta(factor)
    radius = FIRST_RADIUS if known is None else RESTART_RADIUS
    radius = radius * (np.linalg.norm(theta, axis=1) + 0.1)
    step = Step(np.zeros(theta.shape), np.ones(active.size))
    value = np.full(active.size, np.inf)
    due = np.full(active.size, SLOW_AFTER)
    model: QuadraticModel | None = None
    for iteration in range(MAX_ITERATIONS):
        trial = theta + step.change
        if iteration > 0:
            point = criterion.at(structure.factor(trial))
        derivatives = point.derivatives()
        now = point.value
        accepted = now <= value + CRITERION_ROUNDING * np.abs(now)
        there = QuadraticModel.of(*derivatives.by_theta())
        model = there if model is None else model.where(accepted, there)
        theta = np.where(accepted[:, None], trial, theta)
        length = np.linalg.norm(step.change, axis=1)
        ratio = (value - now) / step.decrease
        radius = np.where(ratio < 0.1, 0.25 * length, radius)
        radius = np.where(ratio > 0.75, np.maximum(radius, 3.0 * length), radius)
        radius = np.minimum(radius, np.sqrt(LARGEST_TRACE))
        value = least[active] = np.where(accepted, now, value)
        left = model.largest_decrease
        done = accepted & (left < NEGLIGIBLE_DECREASE)
        change, decrease = model.step(np.where(done, np.inf, radius))
        step = Step(change, np.maximum(decrease, NEGLIGIBLE_DECREASE))
        given_up = np.zeros(active.size, dtype=bool)
        if known is not None and iteration >= patience:
            given_up = value - MODEL_ERROR * left > known[active] - RESTART_GAIN
        if (slow := accepted & ~done & (iteration >= due)).any():
            flat = structure.theta(structure.project(point.factor))
            step.change[slow], value[slow] = flat[slow] - theta[slow], np.inf
            due[slow] = iteration + PROJECT_EVERY
        if done.any():
            at = np.flatnonzero(done)
            wider, lower = _add_dimension(criterion, derivatives, at)
            step.change[at[lower]] = wider[lower] - theta[at[lower]]
            done[at[lower]] = False
            theta[done] += step.change[done]
        converged[active] = left < CONVERGED_DECREASE
        factor[active] = structure.factor(theta)
        kept = ~done & ~given_up & ((theta * theta).sum(axis=1) < LARGEST_TRACE)
        if not kept.any():
            break
        if not kept.all():
            criterion, model = criterion.take(np.flatnonzero(kept)), model.take(kept)
            active, theta, value = active[kept], theta[kept], value[kept]
            step, radius = Step(step.change[kept], step.decrease[kept]), radius[kept]
            due, structure = due[kept], criterion.structure
    return Search(factor, converged, least)


@dataclass(frozen=True)
class QuadraticModel:
    """A quadratic model of each dataset's criterion, negative curvature taken as positive.

    Attributes
    ----------
    gradient : (S, k) array
        The gradient.
    hessian : (S, k, k) array
        The second derivative.
    newton : (S, k) array
        The step to the minimum of the model.
    definite : (S,) array of bool
        Where the second derivative is clearly positive definite.
    values, vectors : (S, k) and (S, k, k) array
        Curvatures of the model and their directions; only where it is not.
    """

    gradient: Floats
    hessian: Floats
    newton: Floats
    definite: NDArray[np.bool_]
    values: Floats
    vectors: Floats

    @classmethod
    def of(cls, gradient: Floats, hessian: Floats) -> QuadraticModel:
        """Build the model from the gradient, (S, k), and the Hessian, (S, k, k), at a point."""
        newton, definite = _solved(hessian, -gradient)
        values, vectors = np.zeros(gradient.shape), np.zeros(hessian.shape)
        if not definite.all():
            other = np.flatnonzero(~definite)
            values[other], vectors[other] = _curvatures(hessian[other])
            step = _step_along(gradient[other], values[other], vectors[other], np.inf)
            newton[other] = step.change
        return cls(gradient, hessian, newton, definite, values, vectors)

    def where(self, new: NDArray[np.bool_], other: QuadraticModel) -> QuadraticModel:
        """Return the other models for the datasets that are `new`, these for the rest."""
        if new.all():
            return other
        return QuadraticModel(
            np.where(new[:, None], other.gradient, self.gradient),
            np.where(new[:, None, None], other.hessian, self.hessian),
            np.where(new[:, None], other.newton, self.newton),
            np.where(new, other.definite, self.definite),
            np.where(new[:, None], other.values, self.values),
            np.where(new[:, None, None], other.vectors, self.vectors),
        )

    def take(self, kept: NDArray[np.bool_]) -> QuadraticModel:
        """Return the models of some of the datasets."""
        return QuadraticModel(
            self.gradient[kept],
            self.hessian[kept],
            self.newton[kept],
            self.definite[kept],
            self.values[kept],
            self.vectors[kept],
        )

    @property
    def largest_decrease(self) -> Floats:
        """(S,) the decrease to the minimum of the model, half the squared Newton decrement."""
        return -0.5 * (self.gradient * self.newton).sum(axis=1)

    def step(self, radius: Floats | float) -> Step:
        """Return the step to the minimum of the model within a radius."""
        change, decrease = self.newton.copy(), self.largest_decrease
        long = np.flatnonzero(np.sqrt((change * change).sum(axis=1)) > radius)
        if long.size:
            values, vectors = self.values[long], self.vectors[long]
            definite = self.definite[long]
            values[definite], vectors[definite] = _curvatures(self.hessian[long[definite]])
            within = np.broadcast_to(radius, decrease.shape)[long]
            shorter = _step_along(self.gradient[long], values, vectors, within)
            change[long], decrease[long] = shorter.change, shorter.decrease
        return Step(change, decrease)


def _solved(matrices: Floats, right: Floats) -> tuple[Floats, NDArray[np.bool_]]:
    """Solve symmetric systems, (S, k, k) and (S, k), by Gauss and Jordan's method, without pivots.

    Returns the solutions, (S, k), and where they count, (S,): where the matrix is clearly positive
    definite.
    """
    k = right.shape[1]
    A = np.empty((k, k + 1, len(right)))
    A[:, :k], A[:, k] = matrices.transpose(1, 2, 0), right.T
    pivots = np.diagonal(A)
    least = SMALLEST_PIVOT_RATIO * np.abs(pivots).max(axis=1)
    # Where it is not definite, anything may come out.
    with np.errstate(all="ignore"):
        for j in range(k):
            row = A[j, j + 1 :] / A[j, j]
            A[:, j + 1 :] -= A[:, j, None] * row
            A[j, j + 1 :] = row
    definite = (least > 0.0) & (pivots > least[:, None]).all(axis=1)
    return np.ascontiguousarray(A[:, k].T), definite


def _curvatures(hessian: Floats) -> tuple[Floats, Floats]:
    """Return the eigenvalues and eigenvectors of Hessians, negative curvature taken as positive."""
    values, vectors = np.linalg.eigh(hessian)
    values = np.abs(values)
    values = np.maximum(values, SMALLEST_CURVATURE_RATIO * values.max(axis=1, keepdims=True))
    return np.maximum(values, SMALLEST_CURVATURE), vectors


def _step_along(gradient: Floats, values: Floats, vectors: Floats, radius: Floats | float) -> Step:
    """Minimise models within a radius, along their vectors (More & Sorensen 1983)."""
    slope = (np.swapaxes(vectors, 1, 2) @ gradient[..., None])[..., 0]
    damping = np.zeros((len(slope), 1))
    for _ in range(SECULAR_ITERATIONS):
        shifted = values + damping
        square = (slope / shifted) ** 2
        length = np.sqrt(square.sum(axis=1))
        excess = length > radius
        if not excess.any():
            break
        # Newton's method for 1 / length - 1 / radius, which is close to linear in the damping.
        derivative = (square / shifted).sum(axis=1)
        with np.errstate(divide="ignore", invalid="ignore"):
            more = (length / radius - 1.0) * length**2 / derivative
        damping[:, 0] += np.where(excess, more, 0.0)
    along = -slope / (values + damping)
    decrease = -((slope + 0.5 * values * along) * along).sum(axis=1)
    return Step((vectors @ along[..., None])[..., 0], decrease)


def _scoring_start(criterion: Criterion, size: Floats | float) -> Point:
    """Take some steps of Fisher scoring from uniform L of a size, or of sizes (S,)."""
    structure = criterion.structure
    point = criterion.at(structure.uniform(size, criterion.sims))
    basis = structure.basis
    for _ in range(SCORING_STEPS):
        derivatives = point.derivatives()
        model = QuadraticModel.of(derivatives.gradient(basis), derivatives.information(basis))
        projected = structure.project(point.factor, model.step(np.inf).change)
        point = _lower(point, criterion.at(projected))
    return point


def _lower(point: Point, other: Point) -> Point:
    """Return of each dataset the point at which the criterion is lower, the first if none is."""
    lower = np.flatnonzero(other.value < point.value)
    if lower.size == point.value.size:
        return other
    return point.put(lower, other) if lower.size else point


def _add_dimension(
    criterion: Criterion, derivatives: Derivatives, at: Ints
) -> tuple[Floats, NDArray[np.bool_]]:
    """Add a dimension to L of the datasets `at`.

    Returns their theta, (s, k), and where that lowers the criterion, (s,).
    """
    structure = criterion.structure.take(at)
    slopes, vectors = structure.rank_one_directions(derivatives.slope[at])
    whole = np.zeros((derivatives.slope.shape[0], vectors.shape[1], derivatives.uu.shape[1]))
    outer = vectors[..., :, None] * vectors[..., None, :]
    whole[at] = outer.reshape(at.size, vectors.shape[1], -1)
    curvatures = np.diagonal(derivatives.hessian(whole)[at], axis1=1, axis2=2)
    curvatures = np.maximum(np.abs(curvatures), SMALLEST_CURVATURE)
    predicted = np.where(slopes < 0.0, slopes * slopes / curvatures, 0.0)
    best = np.arange(at.size), predicted.argmax(axis=1)
    slope, curvature, vector = slopes[best], curvatures[best], vectors[best]
    factor, lower = derivatives.point.factor[at], np.zeros(at.size, dtype=bool)
    promising = (slope < 0.0) & (slope * slope > 2.0 * DIMENSION_GAIN * curvature)
    if not promising.any():
        return structure.theta(factor), lower
    problem, value = criterion.take(at), derivatives.point.value[at]
    size = np.where(promising, np.minimum(-slope / curvature, LARGEST_TRACE), 0.0)
    for _ in range(MAX_SHORTENINGS):
        wider = structure.add_rank_one(factor, vector, size)
        falls = promising & ~lower & (problem.at(wider).value < value - 0.1 * DIMENSION_GAIN)
        factor = np.where(falls[:, None, None], wider, factor)
        lower |= falls
        if (lower | ~promising).all():
            break
        size *= 0.1
    return structure.theta(factor), lower
