"""The power of a test as a function of the number of clusters, and the number for a given power."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from clustrategy.core.shard import Floats

Z = 1.959963984540054
"""Of intervals of 95 %."""

NEAR = 1.7
"""Numbers of clusters that are so many times larger or smaller than the answer do not tell."""

FARTHEST = 1_000_000
"""Beyond so many clusters a power is not in reach."""

_HALF = 0.5
"""Added to successes and failures, so that powers of 0 and 1 have a finite probit."""


class Point(NamedTuple):
    """The power found with some number of clusters.

    Attributes
    ----------
    clusters : int
    power : float
    trials : float
        How many independent trials tell as much.
    """

    clusters: int
    power: float
    trials: float


class Needed(NamedTuple):
    """A number of clusters and its 95 % interval, not rounded; infinite where out of reach."""

    value: float
    low: float
    high: float


@dataclass(frozen=True)
class PowerCurve:
    """Power as Φ(a + b √G - t), t the critical value of the t distribution with G - lost df.

    It is exact, but for what t's denominator varies, wherever the standard error goes down by √G.
    The intercept and the slope are fitted by maximum likelihood.

    Attributes
    ----------
    coefficients : (2,) array
        a and b.
    covariance : (2, 2) array
        Their covariance matrix.
    lost : int
        The degrees of freedom that coefficients take.
    alpha : float
        The level of the tests.
    """

    coefficients: Floats
    covariance: Floats
    lost: int
    alpha: float

    def power(self, clusters: Floats) -> tuple[Floats, Floats, Floats]:
        """Return the power with (n,) numbers of clusters, and its 95 % band."""
        from scipy.special import ndtr

        middle, half = self._predictor(np.asarray(clusters, dtype=float))
        return ndtr(middle), ndtr(middle - half), ndtr(middle + half)

    def needed(self, power: float) -> Needed:
        """Return the number of clusters that has a power: where curve and band have it."""
        from scipy.special import ndtri

        goal = float(ndtri(power))
        return Needed(*(self._reaches(goal, sign) for sign in (0, 1, -1)))

    def _reaches(self, goal: float, sign: int) -> float:
        """Return where the curve, or the upper or lower end of its band, has a probit."""

        def above(clusters: Floats) -> Floats:
            middle, half = self._predictor(clusters)
            return np.asarray(middle + sign * half - goal)

        return _least(above, self.lost)

    def _predictor(self, clusters: Floats) -> tuple[Floats, Floats]:
        """Return the probit of the power, and half the width of its band."""
        X = _columns(clusters)
        error = np.sqrt(np.einsum("ij,jk,ik->i", X, self.covariance, X))
        return X @ self.coefficients - _critical(clusters, self.lost, self.alpha), Z * error


def fit_curve(
    points: Sequence[Point], lost: int, alpha: float, near: float | None = None
) -> PowerCurve | None:
    """Fit a curve to the powers that were found.

    Parameters
    ----------
    points : Sequence of Point
        Of at least two numbers of clusters.
    lost : int
        The degrees of freedom that coefficients take.
    alpha : float
        The level of the tests.
    near : float, optional
        A number of clusters; points that are more than `NEAR` times larger or smaller are left out
        as long as three others are there.

    Returns
    -------
    PowerCurve or None
        None where the powers do not rise with the number of clusters.
    """
    from scipy.special import ndtr, ndtri

    known = [point for point in points if point.trials > 0 and point.clusters > lost]
    if near is not None:
        close = [point for point in known if near / NEAR <= point.clusters <= near * NEAR]
        known = close if len(close) >= 3 else known
    if len(known) < 2:
        return None
    clusters, share, trials = np.array(known, dtype=float).T
    share = (share * trials + _HALF) / (trials + 2 * _HALF)
    X, offset = _columns(clusters), -_critical(clusters, lost, alpha)
    eta = ndtri(share)
    for _ in range(50):
        p = np.clip(ndtr(eta), 1e-12, 1 - 1e-12)
        density = np.exp(-0.5 * eta**2) / np.sqrt(2 * np.pi)
        weight = trials * density**2 / (p * (1 - p))
        working = eta - offset + (share - p) / np.maximum(density, 1e-12)
        information = (X * weight[:, None]).T @ X
        if np.linalg.cond(information) > 1e12:
            return None
        coefficients = np.linalg.solve(information, X.T @ (weight * working))
        before, eta = eta, np.clip(X @ coefficients + offset, -8.0, 8.0)
        if np.abs(eta - before).max() < 1e-10:
            break
    if coefficients[1] <= 0:
        return None
    return PowerCurve(coefficients, np.linalg.inv(information), lost, alpha)


def _columns(clusters: Floats) -> Floats:
    return np.column_stack([np.ones(clusters.size), np.sqrt(clusters)])


def _critical(clusters: Floats, lost: int, alpha: float) -> Floats:
    from scipy.special import stdtrit

    return np.asarray(stdtrit(np.maximum(clusters - lost, 1e-3), 1 - alpha / 2))


def _least(above: Callable[[Floats], Floats], lost: int) -> float:
    """Return where a function is 0 that rises from below it; infinite where it does not."""
    from scipy.optimize import brentq

    grid = np.append(lost + 0.01, np.geomspace(lost + 1.0, FARTHEST, 200))
    reached = np.flatnonzero(above(grid) >= 0)
    if not reached.size:
        return float("inf")
    if reached[0] == 0:
        return float(grid[0])
    low, high = grid[reached[0] - 1 : reached[0] + 1]
    return float(brentq(lambda one: float(above(np.array([one]))[0]), low, high))
