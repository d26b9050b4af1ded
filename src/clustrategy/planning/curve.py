"""The power of a test as a function of the number of clusters, and the number for a given power."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import NamedTuple

import numpy as np

from clustrategy.core.shard import Floats

Z = 1.959963984540054
"""Of intervals of 95 %."""

NEAR = 1.7
"""Numbers of clusters that are so many times larger or smaller than the answer do not tell."""

FARTHEST = 1_000_000
"""Beyond so many clusters a power is not in reach."""

MOST_DF = 10_000.0
"""With more degrees of freedom the t distribution is normal."""

LARGEST = 30.0
"""A noncentrality beyond this has a power of 1."""

_HALF = 0.5
"""Added to successes and failures, so that powers of 0 and 1 tell no more than they can."""

TINY = 1e-9
"""Powers, and slopes of them, are at least so large, and powers at most so far from 1."""

MOST_STEPS = 200
"""Of a fit."""

NODES = 40
"""Of the mean that a power is."""

PRIOR = 0.5
"""The standard deviation of the prior of a. It tells where the answer is beyond all that was
simulated."""


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
    """Power as that of a two-sided t test with G - lost df and noncentrality a + b √G.

    With a = 0 that is the t test on the means of equal clusters, or on differences within them. The
    intercept a takes in what other tests and designs differ by; its prior is normal about 0.

    Attributes
    ----------
    coefficients : (2,) array
        a and b, where the posterior density is highest; b is above 0.
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
        G = np.asarray(clusters, dtype=float)
        reach = _reach(G - self.lost, self.alpha)
        middle, low, high = (_power(self._shift(G, sign), reach) for sign in (0, -1, 1))
        return middle, low, high

    def needed(self, power: float) -> Needed:
        """Return the number of clusters that has a power: where curve and band have it."""
        return Needed(*(self._reaches(power, sign) for sign in (0, 1, -1)))

    def _shift(self, clusters: Floats, sign: int) -> Floats:
        """Return the noncentrality, or the upper or lower end of its band."""
        X = _columns(clusters)
        error = np.sqrt(np.einsum("ij,jk,ik->i", X, self.covariance, X))
        return np.asarray(X @ self.coefficients + sign * Z * error)

    def _reaches(self, power: float, sign: int) -> float:
        """Return where the curve, or an end of its band, comes to a power."""
        df = _far()
        clusters = self.lost + df
        above = _power(self._shift(clusters, sign), _reach_of_far(self.alpha)) - power
        reached = np.flatnonzero(above >= 0)
        if not reached.size:
            return float("inf")
        last = int(reached[0])
        if last == 0:
            return float(clusters[0])
        return float(np.interp(0.0, above[last - 1 : last + 1], clusters[last - 1 : last + 1]))


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
        None where there are no two powers to fit it to. Its a is 0 where the powers alone would
        have the noncentrality fall.
    """
    known = [point for point in points if point.trials > 0 and point.clusters > lost]
    if near is not None:
        close = [point for point in known if near / NEAR <= point.clusters <= near * NEAR]
        known = close if len(close) >= 3 else known
    if len(known) < 2:
        return None
    clusters, share, trials = np.array(known, dtype=float).T
    share = (share * trials + _HALF) / (trials + 2 * _HALF)
    X, df = _columns(clusters), clusters - lost
    prior = np.array([1 / PRIOR**2, 0.0])
    for columns in ([0, 1], [1]):
        found = _fit(X[:, columns], df, share, trials, alpha, np.diag(prior[columns]))
        if found[0][-1] > 0:
            coefficients, covariance = np.zeros(2), np.zeros((2, 2))
            coefficients[columns] = found[0]
            covariance[np.ix_(columns, columns)] = found[1]
            return PowerCurve(coefficients, covariance, lost, alpha)
    return None


def _fit(
    X: Floats, df: Floats, share: Floats, trials: Floats, alpha: float, prior: Floats
) -> tuple[Floats, Floats]:
    """Return (k,) coefficients of the noncentrality and their covariance matrix.

    By Fisher's scoring, each step halved until it goes up.
    """
    from scipy.special import ndtri, stdtrit

    reach = _reach(df, alpha)

    def density(coefficients: Floats) -> float:
        p = np.clip(_power(X @ coefficients, reach), TINY, 1 - TINY)
        likelihood = trials @ (share * np.log(p) + (1 - share) * np.log1p(-p))
        return float(likelihood - coefficients @ prior @ coefficients / 2)

    # A first guess: the noncentrality goes through 0.
    guess = np.clip(ndtri(share) + stdtrit(df, 1 - alpha / 2), 0.1, LARGEST)
    coefficients = np.zeros(X.shape[1])
    coefficients[-1] = np.median(guess / X[:, -1])
    best = density(coefficients)
    for _ in range(MOST_STEPS):
        p = np.clip(_power(X @ coefficients, reach), TINY, 1 - TINY)
        slope = np.maximum(_slope(X @ coefficients, reach), TINY)
        weight = trials * slope / (p * (1 - p))
        information = (X * (weight * slope)[:, None]).T @ X + prior
        step = np.linalg.solve(information, X.T @ (weight * (share - p)) - prior @ coefficients)
        for _ in range(30):
            now = density(coefficients + step)
            if now >= best:
                break
            step = step / 2
        else:
            break
        coefficients = coefficients + step
        if now - best < 1e-9:
            break
        best = now
    return coefficients, np.asarray(np.linalg.inv(information))


def _power(shift: Floats, reach: Floats) -> Floats:
    """Return the power of the two-sided t test with some noncentrality; `reach` as of `_reach`."""
    from scipy.special import ndtr

    shift = np.clip(shift, 0.0, LARGEST)[:, None]
    return np.asarray((ndtr(shift - reach) + ndtr(-shift - reach)) @ _nodes()[1])


def _slope(shift: Floats, reach: Floats) -> Floats:
    """Return the derivative of the power by the noncentrality."""
    shift = np.clip(shift, 0.0, LARGEST)[:, None]
    densities = np.exp(-0.5 * (shift - reach) ** 2) - np.exp(-0.5 * (shift + reach) ** 2)
    return np.asarray(densities @ _nodes()[1] / np.sqrt(2 * np.pi))


def _reach(df: Floats, alpha: float) -> Floats:
    """Return (n, nodes) what a normal variate has to exceed: t's critical value times s / sigma.

    The power is a mean over the quantiles of s. That is smooth where functions of the noncentral t
    distribution break down.
    """
    from scipy.special import chdtri, stdtrit

    df = np.clip(df, 1.0, MOST_DF)[:, None]
    quantiles, _ = _nodes()
    return np.asarray(stdtrit(df, 1 - alpha / 2) * np.sqrt(chdtri(df, 1 - quantiles) / df))


@cache
def _nodes() -> tuple[Floats, Floats]:
    """Return nodes and weights of the mean over 0 to 1 (Gauss and Legendre)."""
    nodes, weights = np.polynomial.legendre.leggauss(NODES)
    return (nodes + 1) / 2, weights / 2


@cache
def _far() -> Floats:
    """Return degrees of freedom from 1 on, far beyond all that is simulated."""
    return np.geomspace(1.0, FARTHEST, 800)


@cache
def _reach_of_far(alpha: float) -> Floats:
    return _reach(_far(), alpha)


def _columns(clusters: Floats) -> Floats:
    return np.column_stack([np.ones(clusters.size), np.sqrt(clusters)])
