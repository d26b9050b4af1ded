"""What a strategy promises of its tests, intervals and standard errors, and how far it keeps it.

The numbers are those of one strategy, in one cell, for the terms of one kind together: a dataset
counts once, with the mean over its terms, so that their dependence is in the Monte Carlo errors.

A strategy depends on the coefficients only by a shift: adding X d to the response adds d to the
estimates and changes nothing else. So the p-value at the true value is that of a null hypothesis
which holds, whatever the coefficient is, and the p-value at the true value less d is that of zero
where the coefficient is d. One set of datasets has the false-positive rate of each coefficient, and
the power at each effect.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray

from clustrategy.core.shard import Floats, Ints
from clustrategy.evaluation.measures import NO_VARIANCE, Z
from clustrategy.evaluation.wilson import effective_trials, wilson

NO_FIT = "no usable fit"
NOT_ESTIMATED = "not estimated"
ONE_SIM = "one sim"
NO_TEST = "the p-value at the true value is not known"
LISTED_ONLY = "tests by resampling: power at the listed effects only"
OUT_OF_REACH = "power does not reach 80 %"
DO_NOT_VARY = "the replicates do not vary"

GOAL = 0.8
"""The power of the minimal detectable effect."""


@dataclass(frozen=True)
class Found:
    """A number of a strategy in a cell.

    Attributes
    ----------
    value, mcse : float
        The number and its Monte Carlo standard error; NaN where there is none.
    low, high : float
        Its interval.
    n : int
        The datasets used.
    trials : float
        Of a rate: how many independent trials tell as much.
    note : str
        Why there is no number.
    influence : (S,) array, optional
        How much each dataset moves the number, NaN where it was not used.
    by_dataset : (n,) array, optional
        Of a rate: the share of the terms of each dataset used, in the order of the sims.
    terms : int
        Of a rate: the terms that are taken together.
    """

    value: float = np.nan
    mcse: float = np.nan
    low: float = np.nan
    high: float = np.nan
    n: int = 0
    trials: float = 0.0
    note: str = ""
    influence: Floats | None = field(default=None, compare=False)
    by_dataset: Floats | None = field(default=None, compare=False)
    terms: int = 1


@dataclass(frozen=True)
class Sample:
    """The usable numbers of one strategy in one cell for T terms in S datasets, NaN elsewhere.

    Attributes
    ----------
    error, std_error, df : (T, S) array
        The estimate less the truth, its standard error and degrees of freedom.
    low, high : (T, S) array
        The confidence limits less the truth.
    own : (1 + effects, T, S) array, optional
        The p-values at the truth, and at the truth less each effect, of a strategy whose tests are
        not those of the t distribution.
    missing : str
        Why there are no numbers, where there are none.
    """

    error: Floats
    std_error: Floats
    df: Floats
    low: Floats
    high: Floats
    own: Floats | None = None
    missing: str = NO_FIT

    @cached_property
    def p_null(self) -> Floats:
        """(T, S) the p-values of the tests of the truth."""
        from scipy.special import stdtr

        if self.own is not None:
            return np.asarray(self.own[0])
        with np.errstate(divide="ignore", invalid="ignore"):
            return np.asarray(2.0 * stdtr(self.df, -np.abs(self.error / self.std_error)))

    def reaching(self, p_value: float) -> Floats:
        """Return (T, S) the distance, of estimate and null value, that has this p-value by t."""
        from scipy.special import stdtrit

        values, places = self._df
        with np.errstate(invalid="ignore", over="ignore"):
            return np.asarray(stdtrit(values, 1.0 - p_value / 2.0)[places] * self.std_error)

    @cached_property
    def _df(self) -> tuple[Floats, Ints]:
        """The different degrees of freedom, and (T, S) the place of each among them."""
        values, places = np.unique(self.df, return_inverse=True)
        return values, places.reshape(self.df.shape)

    def both_signs(self) -> Sample:
        """Return the sample in which each term stands twice, once with its sign reversed.

        Its power at an effect is the mean over the effect and its negative, of one set of datasets.
        Tests that resample are left out: their p-values are those of the effects alone.
        """
        return Sample(
            np.concatenate([self.error, -self.error]),
            np.tile(self.std_error, (2, 1)),
            np.tile(self.df, (2, 1)),
            np.concatenate([self.low, -self.high]),
            np.concatenate([self.high, -self.low]),
            missing=self.missing,
        )


def rate(outcomes: Floats, confidence: float, missing: str = NO_FIT) -> Found:
    """Return the rate of outcomes, each 0, 1 or NaN.

    Parameters
    ----------
    outcomes : (T, S) array
        Of each term in each dataset.
    confidence : float
        The level of the interval.
    missing : str
        The note where all are NaN.
    """
    known = ~np.isnan(outcomes)
    counts = known.sum(axis=0)
    used = counts > 0
    n = int(used.sum())
    if n == 0:
        return Found(note=missing)
    by_dataset = np.where(known, outcomes, 0.0).sum(axis=0)[used] / counts[used]
    share = float(by_dataset.mean())
    trials = effective_trials(share, by_dataset, len(outcomes))
    low, high = wilson(share, trials, confidence)
    mcse = float(np.sqrt(np.mean((by_dataset - share) ** 2) / n)) if n > 1 else np.nan
    note = "" if n > 1 else ONE_SIM
    ends = float(low), float(high)
    return Found(share, mcse, *ends, n, trials, note, by_dataset=by_dataset, terms=len(outcomes))


def _marked(marks: NDArray[np.bool_], *known: Floats) -> Floats:
    """Return marks as numbers, NaN where any of the arrays is."""
    there = ~np.any([np.isnan(each) for each in known], axis=0)
    return np.where(there, marks, np.nan)


def false_positive_rate(sample: Sample, alpha: float, confidence: float) -> Found:
    """Return the share of tests of the truth that reject it at level alpha."""
    marks = false_positives(sample, alpha)
    missing = sample.missing
    if missing == NO_FIT and np.isnan(marks).all() and not np.isnan(sample.error).all():
        missing = NO_TEST
    return rate(marks, confidence, missing)


def false_positives(sample: Sample, alpha: float) -> Floats:
    """Return which tests of the truth reject it, (T, S): 1 and 0, NaN where there is no test."""
    return _marked(sample.p_null <= alpha, sample.p_null)


def coverage(sample: Sample, confidence: float) -> Found:
    """Return the share of intervals that hold the truth."""
    inside = (sample.low <= 0) & (sample.high >= 0)
    return rate(_marked(inside, sample.low, sample.high), confidence, sample.missing)


def relative_error(sample: Sample, confidence: float, *, finite_variance: bool = True) -> Found:
    """Return the error of the model SE, relative to the empirical SE.

    Of several terms both are root mean squares. The Monte Carlo error is by influence values,
    r/2 (V_i / V - e_i² / S²) for r = sqrt(V) / S.
    """
    complete = np.asarray(np.isfinite(sample.error + sample.std_error).all(axis=0))
    moments = _moments(sample, complete, finite_variance)
    if isinstance(moments, Found):
        return moments
    squares, spread = moments
    variances = (sample.std_error[:, complete] ** 2).mean(axis=0)
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = float(np.sqrt(variances.mean() / spread))
        influence = ratio / 2 * (variances / variances.mean() - squares / spread)
    return _normal(ratio - 1.0, influence, confidence)


def bias(sample: Sample, confidence: float, *, finite_variance: bool = True) -> Found:
    """Return the mean error over the empirical SE."""
    complete = np.asarray(np.isfinite(sample.error).all(axis=0))
    moments = _moments(sample, complete, finite_variance)
    if isinstance(moments, Found):
        return moments
    squares, spread = moments
    error = sample.error[:, complete].mean(axis=0)
    with np.errstate(divide="ignore", invalid="ignore"):
        value = float(error.mean() / np.sqrt(spread))
        influence = (error - error.mean()) / np.sqrt(spread) - value / 2 * (squares / spread - 1)
    return _normal(value, influence, confidence)


def _moments(
    sample: Sample, complete: NDArray[np.bool_], finite_variance: bool
) -> tuple[Floats, float] | Found:
    """Return (n,) the squared deviations of the estimates, whose mean is their variance, and that.

    Instead, what is found where there is none.
    """
    n = int(complete.sum())
    if n == 0:
        return Found(note=sample.missing)
    if not finite_variance:
        return Found(n=n, note=NO_VARIANCE)
    if n == 1:
        return Found(n=n, note=ONE_SIM)
    error = sample.error[:, complete]
    deviations = error - error.mean(axis=1, keepdims=True)
    squares = (deviations**2).mean(axis=0) * n / (n - 1.0)
    return squares, float(squares.mean())


def normal_interval(value: float, mcse: float, confidence: float) -> tuple[float, float]:
    """Return the interval of a number whose Monte Carlo error is normal."""
    half = NormalDist().inv_cdf(0.5 + confidence / 2) * mcse
    return value - half, value + half


def _normal(value: float, influence: Floats, confidence: float) -> Found:
    """Return a number with the interval of a normal distribution."""
    n = influence.size
    mcse = float(np.std(influence, ddof=1) / np.sqrt(n))
    if not (np.isfinite(value) and np.isfinite(mcse)):
        return Found(n=n, note=DO_NOT_VARY)
    return Found(value, mcse, *normal_interval(value, mcse, confidence), n)


def power(sample: Sample, effects: Sequence[float], alpha: float, confidence: float) -> list[Found]:
    """Return the share of tests of zero that reject it, were the coefficients these effects.

    Parameters
    ----------
    sample : Sample
        The numbers, whatever the coefficients were.
    effects : Sequence of float
        The coefficients; of a strategy with tests of its own those that it sample.
    alpha, confidence : float
        The level of the tests, and of the intervals.
    """
    return [rate(each, confidence, sample.missing) for each in findings(sample, effects, alpha)]


def findings(sample: Sample, effects: Sequence[float], alpha: float) -> list[Floats]:
    """Return which tests of zero reject it, (T, S), were the coefficients each of these effects.

    Parameters
    ----------
    sample, effects, alpha
        As of `power`.

    Returns
    -------
    list of (T, S) array
        1 and 0, NaN where there is no test.
    """
    if sample.own is not None:
        return [_marked(p <= alpha, p) for p in sample.own[1:]]
    far = sample.reaching(alpha)
    return [_marked(np.abs(sample.error + effect) >= far, sample.error, far) for effect in effects]


def size_adjusted_power(
    sample: Sample, effects: Sequence[float], alpha: float, confidence: float
) -> list[Found]:
    """Return the power at the critical p-value that gives the tests of the truth the level alpha.

    As the measure of that name (`measures`), of several terms together: the critical value c is the
    alpha quantile of the p-values of the truth, and its error is in the influence values.

    Parameters
    ----------
    sample, effects, alpha, confidence
        As of `power`.
    """
    null = sample.p_null
    known = np.sort(null[~np.isnan(null)])
    n = int((~np.isnan(null)).any(axis=0).sum())
    if n < 2:
        return [Found(n=n, note=ONE_SIM if n else sample.missing) for _ in effects]
    half = Z * np.sqrt(alpha * (1 - alpha) / known.size)
    sizes = max(alpha - half, 0.0), alpha, min(alpha + half, 1.0)
    criticals = _quantiles(known, sizes)
    level = _marked(null <= criticals[1], null) - alpha
    if sample.own is None:
        reaches = [sample.reaching(critical) for critical in criticals]
    found = []
    for place, effect in enumerate(effects):
        if sample.own is not None:
            p = sample.own[1 + place]
            low, adjusted, high = (_marked(p < critical, p) for critical in criticals)
        else:
            shifted = np.abs(sample.error + effect)
            low, adjusted, high = (_marked(shifted > reach, shifted, reach) for reach in reaches)
        value = float(np.nanmean(adjusted))
        slope = (np.nanmean(high) - np.nanmean(low)) / (sizes[2] - sizes[0])
        found.append(_adjusted(value, adjusted - value - slope * level, confidence))
    return found


def _quantiles(known: Floats, shares: Sequence[float]) -> Floats:
    """Return the quantiles of sorted numbers."""
    return np.interp(np.array(shares) * (known.size - 1), np.arange(known.size), known)


def _adjusted(value: float, by_term: Floats, confidence: float) -> Found:
    known = ~np.isnan(by_term)
    used = known.any(axis=0)
    influence = np.full(by_term.shape[1], np.nan)
    influence[used] = np.where(known, by_term, 0.0).sum(axis=0)[used] / known.sum(axis=0)[used]
    n = int(used.sum())
    mcse = float(np.std(influence[used], ddof=1) / np.sqrt(n))
    low, high = normal_interval(value, mcse, confidence)
    return Found(value, mcse, max(low, 0.0), min(high, 1.0), n, influence=influence)


def minimal_detectable_effect(
    sample: Sample, alpha: float, confidence: float, *, size_adjusted: bool = False
) -> Found:
    """Return the least effect at which the power is 80 %.

    Its interval is that of order statistics of the effects from which on each test rejects.

    Parameters
    ----------
    sample : Sample
        The numbers, whatever the coefficients were.
    alpha, confidence : float
        The level of the tests, and of the interval.
    size_adjusted : bool
        Whether the power is that at the critical p-value of `size_adjusted_power`.
    """
    if sample.own is not None:
        return Found(note=LISTED_ONLY)
    there = ~np.isnan(sample.error + sample.reaching(alpha))
    n = int(there.any(axis=0).sum())
    if n < 2:
        return Found(n=n, note=ONE_SIM if n else sample.missing)
    critical = alpha
    if size_adjusted:
        (critical,) = _quantiles(np.sort(sample.p_null[there]), (alpha,))
    far = sample.reaching(critical)
    error, reach = sample.error[there], far[there]
    above = np.sort(reach - error)
    below = np.sort(-reach - error)
    rejected = np.arange(1, above.size + 1) + below.size - np.searchsorted(below, above)
    enough = np.flatnonzero((above > 0) & (rejected >= GOAL * above.size - 1e-9))
    if not enough.size or not np.isfinite(above[enough[0]]):
        return Found(n=n, note=OUT_OF_REACH)
    place = int(enough[0])
    z = NormalDist().inv_cdf(0.5 + confidence / 2)
    if size_adjusted:
        (at,) = size_adjusted_power(sample, (float(above[place]),), alpha, confidence)
        share = at.mcse
    else:
        marks = np.where(there, sample.error + above[place] >= far, np.nan)
        trials = rate(marks, confidence).trials
        share = np.sqrt(GOAL * (1 - GOAL) / trials)

    def ends(errors: float) -> tuple[float, float, float]:
        half = errors * share * above.size
        first, last = int(np.floor(place - half)), int(np.ceil(place + half))
        low = max(float(above[max(first, 0)]), 0.0)
        high = float(above[last]) if last < above.size else np.inf
        both = (high - low) / (2 * errors) if first >= 0 and np.isfinite(high) else np.nan
        return low, high, both

    low, high, mcse = ends(z)
    if size_adjusted:
        # The interval is wide, and power rises slowly at its upper end.
        *_, mcse = ends(1.0)
    return Found(float(above[place]), mcse, low, high, n)
