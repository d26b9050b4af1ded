"""Limits of a rate that hold at every number of sims at once.

An interval of a fixed number of sims is not valid any more when sims are added until it decides: a
95 % interval that is read again and again leaves out the truth sooner or later. A confidence
sequence leaves it out at no time, with the probability of its level, so that one may stop whenever
one likes. Both here come from Ville's inequality: a nonnegative martingale that starts at 1 ever
reaches 1/a with probability at most a. Outcomes are taken in the order of the sims' numbers, not of
their completion.

References
----------
Robbins (1970), Statistical methods related to the law of the iterated logarithm. Annals of
Mathematical Statistics 41, 1397-1409. Lai (1976), On confidence sequences. Annals of Statistics 4,
265-280. Howard, Ramdas, McAuliffe & Sekhon (2021), Time-uniform, nonparametric, nonasymptotic
confidence sequences. Annals of Statistics 49, 1055-1080. Waudby-Smith & Ramdas (2024), Estimating
means of bounded random variables by betting. JRSS B 86, 1-27.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from clustrategy.core.shard import Floats

STEPS = 60
"""Bisections of [0, 1]: more would not move a limit by a rounding error."""

BET = 0.5
"""The largest share of its capital that the betting sequence stakes on one outcome."""


class Mixture(NamedTuple):
    """A Beta(a, b) distribution of the rate, over which likelihoods are averaged."""

    a: float | Floats
    b: float | Floats


def tuned(rate: float, n: int, confidence: float = 0.95) -> Mixture:
    """Return the mixture whose sequence is tightest near a rate at a planned number of outcomes.

    That is where the widest of its intervals, of half the rate, the rate and one and a half, is
    least: tuned to the rate alone, it could never tell another one from it.

    Parameters
    ----------
    rate : float
        Near which the limits are to be tight.
    n : int
        The outcomes that are planned.
    confidence : float
        The level of the sequence.

    Returns
    -------
    Mixture
        Of mean `rate`; the sequence is valid whatever it is.
    """
    weights = np.geomspace(0.5, 10.0 * n, 60)
    rates = np.array([0.5, 1.0, 1.5]) * rate
    mixtures = Mixture(weights[:, None] * rate, weights[:, None] * (1 - rate))
    low, high = beta_binomial(rates * n, n, mixtures, confidence)
    best = float(weights[int(np.argmin((high - low).max(axis=1)))])
    return Mixture(best * rate, best * (1 - rate))


def beta_binomial(
    successes: ArrayLike, n: ArrayLike, mixture: Mixture, confidence: float = 0.95
) -> tuple[Floats, Floats]:
    """Return the limits of the rate of 0/1 outcomes after n of them, valid at every n at once.

    They are the ends of all p with p^S (1 - p)^(n - S) >= (1 - confidence) B(a + S, b + n - S) /
    B(a, b).

    Parameters
    ----------
    successes, n : array_like
        S of n outcomes.
    mixture : Mixture
        Chosen before the outcomes are seen.
    confidence : float
        The level of the whole sequence.

    Returns
    -------
    low, high : array
        Of the shape of the counts.
    """
    given = (np.asarray(one, dtype=float) for one in (successes, n, mixture.a))
    s, n, _ = np.broadcast_arrays(*given)
    with np.errstate(divide="ignore", invalid="ignore"):
        middle = np.where(n > 0, s / n, 0.5)
    least = np.log(1 - confidence)

    def inside(p: Floats) -> NDArray[np.bool_]:
        return np.asarray(-log_wealth(s, n, p, mixture) >= least)

    low = _edge(inside, middle, np.zeros_like(middle))
    high = _edge(inside, middle, np.ones_like(middle))
    return np.where(s == 0, 0.0, low), np.where(s == n, 1.0, high)


def log_wealth(successes: ArrayLike, n: ArrayLike, p: ArrayLike, mixture: Mixture) -> Floats:
    """Return the logarithm of the martingale under the rate p: the mixed over the own likelihood.

    Parameters
    ----------
    successes, n : array_like
        S of n outcomes.
    p : array_like
        The rate under which it is a martingale.
    mixture : Mixture
        As of `beta_binomial`.
    """
    from scipy.special import betaln, xlog1py, xlogy

    s, n = np.asarray(successes, dtype=float), np.asarray(n, dtype=float)
    mixed = betaln(mixture.a + s, mixture.b + n - s) - betaln(mixture.a, mixture.b)
    return np.asarray(mixed - xlogy(s, p) - xlog1py(n - s, -np.asarray(p, dtype=float)))


def _edge(inside: Callable[[Floats], NDArray[np.bool_]], within: Floats, outer: Floats) -> Floats:
    """Return the last value inside an interval on the way from a value within to an outer one."""
    for _ in range(STEPS):
        halfway = (within + outer) / 2
        good = inside(halfway)
        within, outer = np.where(good, halfway, within), np.where(good, outer, halfway)
    return within


def betting(outcomes: Floats, confidence: float = 0.95) -> tuple[float, float]:
    """Return the limits of the mean of outcomes in [0, 1], valid at every number of them at once.

    For terms that are taken together, whose mean in a dataset may be between 0 and 1. Two gamblers
    bet, one that the mean is above m and one that it is below; m is out as soon as either has
    multiplied a stake of one half by 1 / (1 - confidence) in all. Their bets are the predictable
    plug-in of Waudby-Smith & Ramdas (2024, section 4.3), cut off at half of the capital. What is
    out once stays out. Where that leaves nothing in, as it does with outcomes whose mean changes,
    the limits are where the two gamblers stopped.

    Parameters
    ----------
    outcomes : (n,) array
        In the order of the sims.
    confidence : float
        The level of the whole sequence.
    """
    x = np.asarray(outcomes, dtype=float)
    if x.size == 0:
        return 0.0, 1.0
    goal = np.log(2.0 / (1 - confidence))
    bets = _bets(x, confidence)

    def lost(m: float, values: Floats) -> bool:
        staked = np.minimum(bets, BET / m) if m > 0 else bets
        return bool(np.max(np.cumsum(np.log1p(staked * (values - m)))) >= goal)

    low, high = sorted((_limit(lost, x), 1.0 - _limit(lost, 1.0 - x)))
    return low, high


def _bets(x: Floats, confidence: float) -> Floats:
    """Return (n,) the stake on each outcome, from those before it."""
    count = np.arange(1, x.size + 1)
    mean = (0.5 + np.cumsum(x)) / (count + 1)
    variance = (0.25 + np.cumsum((x - mean) ** 2)) / (count + 1)
    before = np.concatenate([[0.25], variance[:-1]])
    bets: Floats = np.sqrt(2 * np.log(2 / (1 - confidence)) / (before * count * np.log1p(count)))
    return bets


def _limit(lost: Callable[[float, Floats], bool], x: Floats) -> float:
    """Return the least mean that the gambler who bets above it has not ruled out at any time."""
    low, high = 0.0, 1.0
    for _ in range(STEPS):
        halfway = (low + high) / 2
        if lost(halfway, x):
            low = halfway
        else:
            high = halfway
    return low
