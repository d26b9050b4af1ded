"""Simulated studies by number of clusters: what each strategy finds in them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np

from clustrategy.core.fits import Fits, have_numbers
from clustrategy.core.shard import Floats
from clustrategy.engines.chosen import Strategy
from clustrategy.evaluation import promises
from clustrategy.evaluation.cell_verdicts import Judged, Rules, sample_of
from clustrategy.evaluation.promises import Found
from clustrategy.planning.curve import Point
from clustrategy.planning.described import Described
from clustrategy.planning.resampled import Resampled
from clustrategy.tables.estimates import null_values

Population = Described | Resampled

USABLE = ("ok", "singular")

BLOCK = 250_000
"""Rows that are drawn at a time."""

MOST_AT_ONCE = 500
"""Studies that are drawn at a time."""


class Outcomes(NamedTuple):
    """What a strategy makes of S studies; NaN where a fit has no number that counts.

    Attributes
    ----------
    false : (1, S) array
        1 where it rejects a hypothesis that is true.
    found : (2, S) array
        1 where it finds the effect, and where it finds one of the other sign.
    usable : (S,) array
        Whether the fit counts.
    """

    false: Floats
    found: Floats
    usable: Floats

    @classmethod
    def of(cls, fits: Fits, place: int, effect: float, alpha: float) -> Outcomes:
        """Take the tests of one coefficient, whose true value is 0."""
        usable = have_numbers(fits.status, fits.estimate.T, USABLE)
        unknown = np.full_like(fits.estimate.T, np.nan)
        numbers = {
            "estimate": fits.estimate.T,
            "std_error": fits.std_error.T,
            "df": fits.df.T,
            "conf_low": unknown,
            "conf_high": unknown,
        }
        own = fits.p_nulls.transpose(1, 0, 2) if fits.p_nulls.shape[2] else None
        sample = sample_of(numbers, np.zeros_like(unknown), own, usable, [place])
        null = sample.p_null
        if sample.own is not None:
            p = sample.own[1:, 0]
            found = np.where(np.isnan(p), np.nan, p <= alpha)
        else:
            far = sample.reaching(alpha)[0]
            shifted = sample.error[0] + np.array([[effect], [-effect]])
            found = np.where(np.isnan(shifted + far), np.nan, np.abs(shifted) >= far)
        return cls(np.where(np.isnan(null), np.nan, null <= alpha), found, usable.astype(float))


@dataclass(frozen=True)
class Trials:
    """Simulated studies, all from one seed; strategies see the same ones.

    Attributes
    ----------
    population : Described or Resampled
        What the studies are drawn from.
    strategies : dict of str to Strategy
        By label.
    effect : float
        The coefficient that is to be found.
    rules : Rules
        How false-positive rates become verdicts.
    seed : int
        From which all numbers follow.
    tell : callable
        Told how many fits there have been, from time to time.
    """

    population: Population
    strategies: dict[str, Strategy]
    effect: float
    rules: Rules
    seed: int
    tell: Callable[[int], None] = lambda fits: None
    _known: dict[tuple[str, int], list[Outcomes]] = field(default_factory=dict, repr=False)
    _fits: list[int] = field(default_factory=lambda: [0], repr=False)

    def sims(self, label: str, clusters: int) -> int:
        """Return how many studies with so many clusters a strategy was fitted to."""
        return sum(one.usable.size for one in self._known.get((label, clusters), ()))

    def extend(self, clusters: int, labels: Sequence[str], sims: int) -> None:
        """Fit strategies to studies with so many clusters, until there are so many of each."""
        size = self.population.rows_per_cluster * clusters
        step = int(np.clip(BLOCK // size, 1, MOST_AT_ONCE))
        first = min((self.sims(label, clusters) for label in labels), default=sims)
        while first < sims:
            last = min(first - first % step + step, sims)
            behind = [label for label in labels if self.sims(label, clusters) <= first]
            starts = sorted({self.sims(label, clusters) for label in labels} - {first})
            last = min([last, *(start for start in starts if first < start)])
            self._fit(clusters, behind, range(first, last))
            first = last

    def _fit(self, clusters: int, labels: Sequence[str], sims: range) -> None:
        shard = self.population.draw(clusters, self.seed, sims)
        place = self.population.terms.index(self.population.term)
        nulls = null_values(np.zeros((len(sims), shard.p)), [self.effect, -self.effect])
        for label in labels:
            fits = self.strategies[label].fit(shard, nulls)
            found = Outcomes.of(fits, place, self.effect, self.rules.regions.alpha)
            self._known.setdefault((label, clusters), []).append(found)
            self._fits[0] += len(sims)
            self.tell(self._fits[0])

    def _whole(self, label: str, clusters: int) -> Outcomes:
        parts = self._known[label, clusters]
        joined = [np.concatenate(columns, axis=-1) for columns in zip(*parts, strict=True)]
        return Outcomes(*joined)

    def power(self, label: str, clusters: int) -> Found:
        """Return the power with so many clusters, the mean over the effect and its negative."""
        found = self._whole(label, clusters).found
        return promises.rate(found, self.rules.regions.confidence)

    def false_positives(self, label: str, clusters: int) -> Judged:
        """Return the false-positive rate with so many clusters, and the verdict on it."""
        whole = self._whole(label, clusters)
        rate = promises.rate(whole.false, self.rules.regions.confidence)
        terms = (self.population.term,)
        return self.rules.false_positives(
            rate, terms, self.unusable(label, clusters), whole.usable.size
        )

    def unusable(self, label: str, clusters: int) -> float:
        """Return the share of fits that do not count."""
        return float(1.0 - self._whole(label, clusters).usable.mean())

    def places(self, label: str) -> list[int]:
        """Return the numbers of clusters that a strategy was tried with."""
        return sorted(clusters for name, clusters in self._known if name == label)

    def points(self, label: str) -> list[Point]:
        """Return the powers found, by number of clusters."""
        powers = {clusters: self.power(label, clusters) for clusters in self.places(label)}
        return [Point(G, found.value, found.trials) for G, found in powers.items() if found.n]
