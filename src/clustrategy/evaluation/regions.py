"""From a rate and its interval to a verdict.

The regions of a false-positive rate, as multiples of the level, are a convention: half the level
and one and a half are Bradley's (1978, Brit. J. Math. Stat. Psych. 31, 144-152) liberal criterion;
1.3 is the most that a test may have to be called safe.
"""

from __future__ import annotations

from dataclasses import dataclass
from statistics import NormalDist
from typing import NamedTuple

import numpy as np

CONSERVATIVE, HOLDS, SLIGHTLY_LIBERAL, LIBERAL = (
    "conservative",
    "holds",
    "slightly_liberal",
    "liberal",
)
UNDECIDED = "undecided"
BIASED = "biased"
RATES = (CONSERVATIVE, HOLDS, SLIGHTLY_LIBERAL, LIBERAL)

MOST_UNUSABLE = 0.05
"""The share of unusable fits above which a strategy is not safe."""

WITHIN = 0.1
"""Relative errors of the model SE, and biases in empirical SEs, up to which a promise is kept."""

MOST_SIMS = 10_000_000
"""Beyond so many sims a verdict is not said to be in reach."""


class Verdict(NamedTuple):
    """A verdict and, where there is none yet, what it is between.

    Attributes
    ----------
    word : str
        The region that the interval lies in, or `undecided`.
    between : str
        The regions that an undecided interval touches.
    """

    word: str
    between: str = ""


def verdict_of(
    interval: tuple[float, float], bounds: tuple[float, ...], words: tuple[str, ...]
) -> Verdict:
    """Return the verdict of an interval.

    Parameters
    ----------
    interval : (low, high)
        The interval of the number.
    bounds : tuple of float
        What the regions lie between, in rising order. The lowest is the least of its region, each
        other the most of the region below it.
    words : tuple of str
        The regions, one more than bounds.
    """
    low, high = interval
    first = 0 if low < bounds[0] else int(np.searchsorted(bounds[1:], low, side="left")) + 1
    last = 0 if high < bounds[0] else int(np.searchsorted(bounds[1:], high, side="left")) + 1
    if first == last:
        return Verdict(words[first])
    touched = list(
        dict.fromkeys(
            words[place]
            for place in range(first, last + 1)
            if not 0 < place < len(bounds) or bounds[place - 1] < bounds[place]
        )
    )
    *most, other = touched
    return Verdict(UNDECIDED, f"{', '.join(most)} or {other}")


@dataclass(frozen=True)
class Regions:
    """The regions of a false-positive rate.

    Attributes
    ----------
    alpha : float
        The level of the tests.
    lower, upper, liberal : float
        Where `holds` begins and ends and where `liberal` begins, as multiples of alpha.
    confidence : float
        The level of the intervals that decide.
    """

    alpha: float = 0.05
    lower: float = 0.5
    upper: float = 1.3
    liberal: float = 1.5
    confidence: float = 0.95

    @property
    def bounds(self) -> tuple[float, float, float]:
        """The rates that the regions lie between."""
        low, up, liberal = (self.alpha * each for each in (self.lower, self.upper, self.liberal))
        return low, up, liberal

    def verdict(self, low: float, high: float) -> Verdict:
        """Return the verdict of an interval of the rate."""
        return verdict_of((low, high), self.bounds, RATES)

    def is_safe(self, limit: float, unusable: float) -> bool:
        """Tell whether a strategy is safe in a cell.

        It is if the one-sided upper limit of its false-positive rate is not above `upper`, and no
        more than `MOST_UNUSABLE` of its fits are unusable.

        Parameters
        ----------
        limit : float
            Of the level `confidence`.
        unusable : float
            The share of unusable fits.
        """
        return limit <= self.upper * self.alpha and unusable <= MOST_UNUSABLE

    def excess_p_value(self, share: float, trials: float) -> float:
        """Return the p-value, by scores, of the hypothesis that the rate is not liberal."""
        bound = self.bounds[2]
        z = (share - bound) / np.sqrt(bound * (1 - bound) / trials)
        return NormalDist().cdf(-float(z))

    def trials_needed(self, share: float) -> float:
        """Return the trials that would decide if the rate were the one found.

        Wilson's interval leaves out a bound b as soon as (R - b)² > z² b (1 - b) / n. No rate is on
        the other side of a bound of 0 or of 1.
        """
        z = NormalDist().inv_cdf(0.5 + self.confidence / 2)
        bounds = np.array([bound for bound in self.bounds if 0 < bound < 1])
        with np.errstate(divide="ignore"):
            return float(np.max(z**2 * bounds * (1 - bounds) / (share - bounds) ** 2))


def holm(p_values: np.ndarray, level: float) -> np.ndarray:
    """Return (m,) which hypotheses Holm (1979) rejects, with a familywise error rate of `level`.

    Parameters
    ----------
    p_values : (m,) array
        Of all hypotheses.
    level : float
        The familywise error rate.
    """
    order = np.argsort(p_values, kind="stable")
    kept = p_values[order] > level / (p_values.size - np.arange(p_values.size))
    rejected = np.zeros(p_values.size, dtype=bool)
    rejected[order] = ~np.logical_or.accumulate(kept)
    return rejected
