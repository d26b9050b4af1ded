"""Performance measures of an estimator, each with its Monte Carlo standard error.

They are computed from n replicates with errors e = estimate - truth and variances V = std_error².
Every measure comes with its influence values: one per replicate, of mean zero, that says how much
the measure moves with that replicate. Their standard deviation over sqrt(n) is a Monte Carlo
standard error (MCSE) that assumes no distribution. The influence values of a difference between two
strategies on the same datasets are the differences of theirs.

The formulas are in docs/measures.md. They are from Morris, White & Crowther (2019), table 6; Siepe
et al. (2024), table 3; and Pustejovsky & Miratrix, Designing Monte Carlo Simulations in R, on
performance criteria.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, fields
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from clustrategy.core.inference import CONFIDENCE
from clustrategy.core.shard import Floats

Z = 1.96
"""The standard errors on either side of a 95 % interval."""

NORMAL_IQR = 1.3489795003921634
"""The interquartile range of a standard normal variable."""

ALIKE = 1e-12
"""Variances that differ by no more, relative to their mean, are one number: they have no df."""

ENDLESS = "some intervals have no end"
NO_VARIANCE = "no finite variance"
TOO_FEW = "too few replicates"
ALL_ALIKE = "the replicates do not vary"
TRUTH_IS_0 = "true value is 0"
NOT_BY_T = "p-values are not of t"
"""The notes that say why a measure has no value or no MCSE."""

ENOUGH = 4
"""With so many replicates every measure and MCSE has a value unless all replicates are alike."""


@dataclass(frozen=True)
class Replicates:
    """The numbers of one strategy for one coefficient in n replicates, NaN where it gave none.

    Attributes
    ----------
    error : (n,) array
        The estimate less the truth.
    truth : (n,) array
        The true value.
    variance : (n,) array
        The squared standard error.
    p_value : (n,) array
        The p-value of the test of zero.
    p_null : (n,) array
        The p-value of the same test of the true value; NaN where it is not known.
    low, high : (n,) array
        The confidence limits less the truth.
    """

    error: Floats
    truth: Floats
    variance: Floats
    p_value: Floats
    p_null: Floats
    low: Floats
    high: Floats

    @classmethod
    def of(
        cls,
        estimate: Floats,
        truth: Floats,
        std_error: Floats,
        df: Floats,
        p_value: Floats | None = None,
        conf_low: Floats | None = None,
        conf_high: Floats | None = None,
        confidence: float = CONFIDENCE,
        p_null: Floats | None = None,
    ) -> Replicates:
        """Take the replicates from the columns of a tidy table.

        Parameters
        ----------
        estimate, truth, std_error, df : (n,) array
            The columns; `df = inf` is the normal distribution.
        p_value, conf_low, conf_high : (n,) array, optional
            Tests and limits; without, those of the t distribution.
        confidence : float
            The level of the intervals of the t distribution.
        p_null : (n,) array, optional
            The p-values of the tests of the truth, NaN where they are to be those of t.
        """
        from scipy.special import stdtr, stdtrit

        error = estimate - truth
        with np.errstate(divide="ignore", invalid="ignore"):
            null_by_t = 2.0 * stdtr(df, -np.abs(error / std_error))
            p_by_t = 2.0 * stdtr(df, -np.abs(estimate / std_error))
            if conf_low is None or conf_high is None:
                half = stdtrit(df, 0.5 + confidence / 2.0) * std_error
                conf_low, conf_high = estimate - half, estimate + half
        if p_value is None:
            p_value = p_by_t
        else:
            null_by_t = np.where(_same(p_value, p_by_t), null_by_t, np.nan)
        p_null = null_by_t if p_null is None else np.where(np.isnan(p_null), null_by_t, p_null)
        limits = conf_low - truth, conf_high - truth
        return cls(error, truth, std_error * std_error, p_value, p_null, *limits)

    @property
    def size(self) -> int:
        """The number of replicates."""
        return self.error.size

    def take(self, rows: NDArray[np.bool_] | NDArray[np.intp]) -> Replicates:
        """Return some of the replicates, by a mask or by their places."""
        if rows.dtype == bool and rows.all():
            return self
        return Replicates(*(getattr(self, f.name)[rows] for f in fields(self)))

    def replaced(self, rows: NDArray[np.bool_], by: Replicates) -> Replicates:
        """Return the replicates, some of them replaced by others of the same datasets."""
        return Replicates(
            *(np.where(rows, getattr(by, f.name), getattr(self, f.name)) for f in fields(self))
        )

    def known(self, columns: tuple[str, ...]) -> NDArray[np.bool_]:
        """Return (n,) whether none of the columns is NaN."""
        rows = np.ones(self.size, dtype=bool)
        for column in columns:
            rows &= ~np.isnan(getattr(self, column))
        return rows


def _same(p_value: Floats, p_by_t: Floats) -> NDArray[np.bool_]:
    """Return (n,) which p-values are missing or those of the t test."""
    return np.isnan(p_value) | np.isclose(p_value, p_by_t, rtol=1e-6, atol=1e-300)


LEVEL = {
    "type": "number",
    "exclusiveMinimum": 0,
    "exclusiveMaximum": 1,
    "expected": "between 0 and 1",
}
"""The schema of a level of tests or intervals."""


class Settings(NamedTuple):
    """What the measures depend on besides the replicates.

    Attributes
    ----------
    alpha : float
        The level of the tests.
    confidence : float
        The level of the intervals.
    jackknife : bool
        Whether empirical_se, relative_error and relative_precision have the jackknife's MCSE. The
        default MCSE, of Morris, White & Crowther (2019), takes the estimates to be normal.
    """

    alpha: float = 0.05
    confidence: float = CONFIDENCE
    jackknife: bool = False


class Measured(NamedTuple):
    """A measure as computed.

    Attributes
    ----------
    value, mcse : float
        The measure and its Monte Carlo standard error.
    influence : (n,) array
        Its influence values.
    note : str
        Why there is no value, empty where there is one.
    """

    value: float
    mcse: float
    influence: Floats
    note: str = ""


def standard_error(influence: Floats) -> float:
    """Return the standard error that follows from influence values, NaN for a single one."""
    n = influence.size
    if n < 2:
        return np.nan
    centred = influence - influence.mean()
    return float(np.sqrt((centred * centred).sum() / (n * (n - 1.0))))


def _by_influence(value: float, influence: Floats) -> Measured:
    return Measured(float(value), standard_error(influence), influence)


def _mean(values: Floats) -> Measured:
    mean = values.mean()
    return _by_influence(mean, values - mean)


def _share(successes: NDArray[np.bool_]) -> Measured:
    """Return a proportion with the binomial standard error: 0 if the proportion is 0 or 1."""
    share = successes.mean()
    return Measured(
        float(share), float(np.sqrt(share * (1 - share) / successes.size)), successes - share
    )


def _jackknife(value: float, left_out: Floats) -> Measured:
    """Return a measure with the jackknife's MCSE (Efron & Tibshirani 1993, eq. 11.5).

    Its value is given, and so are its values with each replicate left out in turn.
    """
    influence = (left_out.size - 1.0) * (left_out.mean() - left_out)
    return _by_influence(value, influence)


def _variance(values: Floats) -> np.float64:
    """Return the sample variance, NaN for a single value."""
    if values.size < 2:
        return np.float64(np.nan)
    centred = values - values.mean()
    return np.float64((centred * centred).sum() / (values.size - 1.0))


def _mean_left_out(values: Floats) -> Floats:
    """Return the mean without each value in turn."""
    n = np.float64(values.size)
    return (n * values.mean() - values) / (n - 1.0)


def _variance_left_out(values: Floats) -> Floats:
    """Return the sample variance without each value in turn."""
    n = np.float64(values.size)
    centred = values - values.mean()
    square = centred * centred
    return np.maximum(square.sum() - n / (n - 1.0) * square, 0.0) / (n - 2.0)


def _bias(r: Replicates, _: Settings) -> Measured:
    return _mean(r.error)


def _relative_bias(r: Replicates, _: Settings) -> Measured:
    """Return the mean error over the mean truth.

    If the truth is one value, this is the usual mean of e / truth. If truths vary, the mean of the
    ratios has no finite variance unless truths stay away from zero; the ratio of the means has.
    """
    truth = r.truth.mean()
    if truth == 0:
        return _nothing(r, TRUTH_IS_0)
    value = r.error.mean() / truth
    return _by_influence(value, (r.error - value * r.truth) / truth)


def _median_bias(r: Replicates, _: Settings) -> Measured:
    """Return the median error; its MCSE is the order statistics' 95 % interval over 2 × 1.96."""
    n = r.size
    ordered = np.sort(r.error)
    median = 0.5 * (ordered[(n - 1) // 2] + ordered[n // 2])
    c = int(np.floor((n + 1) / 2 - Z * np.sqrt(n / 4) + 0.5))
    mcse = float((ordered[n - c] - ordered[c - 1]) / (2 * Z)) if c >= 1 else np.nan
    return Measured(float(median), mcse, mcse * np.sqrt(n) * np.sign(r.error - median))


def _empirical_se(r: Replicates, settings: Settings) -> Measured:
    value = np.sqrt(_variance(r.error))
    measured = _jackknife(value, np.sqrt(_variance_left_out(r.error)))
    if settings.jackknife:
        return measured
    return measured._replace(mcse=float(value / np.sqrt(2.0 * (r.size - 1))))


def _robust_se(r: Replicates, _: Settings) -> Measured:
    """Return the interquartile range as a normal standard deviation.

    The MCSE is that of two quantiles whose densities are estimated from order statistics around
    them (McKean & Schrader 1984), as the median's.
    """
    n = r.size
    ordered = np.sort(r.error)
    half = Z * np.sqrt(0.25 * 0.75 / n)
    quartiles, influences = [], []
    for share in (0.25, 0.75):
        below, above = max(share - half, 0.0), min(share + half, 1.0)
        low, quartile, high = _quantiles(ordered, np.array([below, share, above]))
        sparsity = (high - low) / (above - below)
        quartiles.append(quartile)
        influences.append(sparsity * (share - (r.error <= quartile)))
    spread = (quartiles[1] - quartiles[0]) / NORMAL_IQR
    influence = (influences[1] - influences[0]) / NORMAL_IQR
    return _by_influence(spread, influence) if n > 1 else _nothing(r)


def _quantiles(ordered: Floats, shares: Floats) -> Floats:
    """Return quantiles of ordered values, interpolated as R and NumPy do (type 7)."""
    return np.interp(shares * (ordered.size - 1), np.arange(ordered.size), ordered)


def _mse(r: Replicates, _: Settings) -> Measured:
    return _mean(r.error * r.error)


def _rmse(r: Replicates, settings: Settings) -> Measured:
    return _root(_mse(r, settings))


def _root(square: Measured) -> Measured:
    """Return the square root of a mean, with its MCSE by the delta method."""
    root = np.sqrt(square.value)
    return _by_influence(root, square.influence / (2.0 * root))


def _model_se(r: Replicates, _: Settings) -> Measured:
    """Return the root of the mean variance, not the mean standard error."""
    return _root(_mean(r.variance))


def _relative_error(r: Replicates, settings: Settings) -> Measured:
    """Return the relative error of the model SE as an estimate of the empirical SE."""
    model, empirical = r.variance.mean(), _variance(r.error)
    ratio = np.sqrt(model / empirical)
    left_out = np.sqrt(_mean_left_out(r.variance) / _variance_left_out(r.error))
    measured = _jackknife(ratio - 1.0, left_out)
    if settings.jackknife:
        return measured
    n = np.float64(r.size)
    terms = _variance(r.variance) / (4.0 * n * model**2) + 1.0 / (2.0 * (n - 1.0))
    return measured._replace(mcse=float(ratio * np.sqrt(terms)))


def _variance_ratio(r: Replicates, _: Settings) -> Measured:
    """Return the mean variance over the variance of the estimates."""
    value = r.variance.mean() / _variance(r.error)
    return _jackknife(value, _mean_left_out(r.variance) / _variance_left_out(r.error))


def _variance_df(r: Replicates, _: Settings) -> Measured:
    """Return the degrees of freedom of the chi-square that varies as much as the variances."""
    if np.ptp(r.variance) <= ALIKE * r.variance.mean():
        return Measured(np.nan, np.nan, np.zeros(r.variance.size))
    value = 2.0 * r.variance.mean() ** 2 / _variance(r.variance)
    mean = _mean_left_out(r.variance)
    return _jackknife(value, 2.0 * mean * mean / _variance_left_out(r.variance))


def _coverage(r: Replicates, _: Settings) -> Measured:
    return _share((r.low <= 0) & (r.high >= 0))


def _bias_eliminated_coverage(r: Replicates, _: Settings) -> Measured:
    bias = r.error.mean()
    return _share((r.low <= bias) & (r.high >= bias))


def _rejection_rate(r: Replicates, settings: Settings) -> Measured:
    return _share(r.p_value <= settings.alpha)


def _size_adjusted_power(r: Replicates, settings: Settings) -> Measured:
    """Return the power at the critical p-value that makes the size alpha on the same datasets.

    With c the alpha quantile of the p-values under the null hypothesis, the influence of a
    replicate is [p < c] - power - s ([p_null <= c] - alpha). Here s is how fast power rises with
    size, taken between the ends of the interval in which the observed size lies by chance.
    """
    alpha, n = settings.alpha, r.size
    if (r.truth == 0).any():
        return _nothing(r, TRUTH_IS_0)
    if np.isnan(r.p_null).any():
        return _nothing(r, NOT_BY_T)
    half = Z * np.sqrt(alpha * (1 - alpha) / n)
    sizes = np.array([max(alpha - half, 0.0), alpha, min(alpha + half, 1.0)])
    low, critical, high = _quantiles(np.sort(r.p_null), sizes)
    rejected = r.p_value < critical
    power = rejected.mean()
    slope = ((r.p_value < high).mean() - (r.p_value < low).mean()) / (sizes[2] - sizes[0])
    return _by_influence(power, (rejected - power) - slope * ((r.p_null <= critical) - alpha))


def _interval_width(r: Replicates, _: Settings) -> Measured:
    return _mean_length(r.high - r.low)


def _interval_score(r: Replicates, settings: Settings) -> Measured:
    """Return the mean of width + 2/(1 - confidence) miss (Gneiting & Raftery 2007, eq. 43)."""
    miss = np.maximum(r.low, 0.0) + np.maximum(-r.high, 0.0)
    return _mean_length(r.high - r.low + 2.0 / (1.0 - settings.confidence) * miss)


def _mean_length(lengths: Floats) -> Measured:
    """Return the mean of lengths, nothing if any is infinite."""
    if np.isinf(lengths).any():
        return Measured(np.nan, np.nan, np.full(lengths.size, np.nan), ENDLESS)
    return _mean(lengths)


def _nothing(r: Replicates, note: str = "") -> Measured:
    return Measured(np.nan, np.nan, np.full(r.size, np.nan), note)


class Measure(NamedTuple):
    """How a measure is computed.

    Attributes
    ----------
    function : Callable
        Computes it.
    needs : tuple of str
        The columns of `Replicates` that it needs; replicates without them are not used.
    moments : bool or "mcse"
        Whether the measure itself, or only its MCSE (`"mcse"`), needs estimates with a finite
        variance.
    """

    function: Callable[[Replicates, Settings], Measured]
    needs: tuple[str, ...]
    moments: bool | str


MEASURES = {
    "bias": Measure(_bias, ("error",), "mcse"),
    "relative_bias": Measure(_relative_bias, ("error",), "mcse"),
    "median_bias": Measure(_median_bias, ("error",), False),
    "empirical_se": Measure(_empirical_se, ("error",), True),
    "robust_se": Measure(_robust_se, ("error",), False),
    "mse": Measure(_mse, ("error",), True),
    "rmse": Measure(_rmse, ("error",), True),
    "model_se": Measure(_model_se, ("variance",), True),
    "relative_error": Measure(_relative_error, ("error", "variance"), True),
    "variance_ratio": Measure(_variance_ratio, ("error", "variance"), True),
    "variance_df": Measure(_variance_df, ("variance",), True),
    "coverage": Measure(_coverage, ("low", "high"), False),
    "bias_eliminated_coverage": Measure(_bias_eliminated_coverage, ("error", "low", "high"), True),
    "rejection_rate": Measure(_rejection_rate, ("p_value",), False),
    "size_adjusted_power": Measure(_size_adjusted_power, ("error", "p_value"), False),
    "interval_width": Measure(_interval_width, ("low", "high"), True),
    "interval_score": Measure(_interval_score, ("low", "high"), True),
}
NAMES = (*MEASURES, "relative_precision", "unusable_rate")
"""The names of all measures, in the order of tables."""


class Result(NamedTuple):
    """A measure as it stands in a table: value, MCSE, number of replicates used, and a note."""

    value: float
    mcse: float
    n: int
    note: str = ""


EMPTY = Result(np.nan, np.nan, 0, "no usable replicates")


def evaluate(
    name: str, replicates: Replicates, settings: Settings, *, finite_variance: bool = True
) -> Result:
    """Evaluate a measure on the replicates that have what it needs.

    Parameters
    ----------
    name : str
        One of `MEASURES`.
    replicates : Replicates
        The usable replicates.
    settings : Settings
        What else the measure depends on.
    finite_variance : bool
        Whether the estimates have a finite variance.
    """
    measure = MEASURES[name]
    used = replicates.take(replicates.known(measure.needs))
    if used.size == 0:
        return EMPTY
    with np.errstate(divide="ignore", invalid="ignore"):
        measured = measure.function(used, settings)
    return _result(measured, used.size, measure.moments, finite_variance)


def difference(
    name: str,
    own: Replicates,
    reference: Replicates,
    settings: Settings,
    *,
    finite_variance: bool = True,
) -> Result:
    """Evaluate a measure less that of a reference, on replicates where both have what it needs.

    Parameters
    ----------
    name : str
        One of `MEASURES`.
    own, reference : Replicates
        The usable replicates of both, of the same datasets row by row.
    settings : Settings
        What else the measure depends on.
    finite_variance : bool
        Whether the estimates of both have a finite variance.
    """
    measure = MEASURES[name]
    rows = own.known(measure.needs) & reference.known(measure.needs)
    if not rows.any():
        return EMPTY
    with np.errstate(divide="ignore", invalid="ignore"):
        a = measure.function(own.take(rows), settings)
        b = measure.function(reference.take(rows), settings)
        measured = _by_influence(a.value - b.value, a.influence - b.influence)
    return _result(
        measured._replace(note=a.note or b.note), int(rows.sum()), measure.moments, finite_variance
    )


def relative_precision(
    own: Replicates, reference: Replicates, settings: Settings, *, finite_variance: bool = True
) -> Result:
    """Evaluate the gain of precision over a reference, (S_reference / S_own)² - 1.

    Its MCSE is that of two correlated normal estimates unless the jackknife's is asked for.

    Parameters
    ----------
    own, reference : Replicates
        The usable replicates of both, of the same datasets row by row; those are used where both
        have an estimate.
    settings : Settings
        What else the measure depends on.
    finite_variance : bool
        Whether the estimates of both have a finite variance.
    """
    rows = own.known(("error",)) & reference.known(("error",))
    n = int(rows.sum())
    if n == 0:
        return EMPTY
    e, f = own.take(rows).error, reference.take(rows).error
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = _variance(f) / _variance(e)
        measured = _jackknife(ratio - 1.0, _variance_left_out(f) / _variance_left_out(e))
        if not settings.jackknife and n > 1:
            correlation = ((e - e.mean()) * (f - f.mean())).sum() / (n - 1.0)
            correlation /= np.sqrt(_variance(e) * _variance(f))
            unexplained = max(0.0, 1.0 - correlation**2)
            mcse = 2.0 * ratio * np.sqrt(unexplained / (n - 1.0))
            measured = measured._replace(mcse=float(mcse))
    return _result(measured, n, True, finite_variance)


def unusable_rate(usable: NDArray[np.bool_]) -> Result:
    """Return the share of replicates that are unusable."""
    if usable.size == 0:
        return EMPTY
    share = _share(~usable)
    return Result(share.value, share.mcse, usable.size)


def unusable_difference(own: NDArray[np.bool_], reference: NDArray[np.bool_]) -> Result:
    """Return the unusable rate less that of a reference on the same datasets."""
    if own.size == 0:
        return EMPTY
    return _result(_mean(reference.astype(float) - own), own.size, False, True)


def _result(measured: Measured, n: int, moments: bool | str, finite_variance: bool) -> Result:
    value, mcse, note = measured.value, measured.mcse, measured.note
    if moments and not finite_variance:
        mcse, note = np.nan, NO_VARIANCE
        if moments is True:
            value = np.nan
    if not (note or (np.isfinite(value) and np.isfinite(mcse))):
        note = ALL_ALIKE if n >= ENOUGH else TOO_FEW
    return Result(
        value if np.isfinite(value) else np.nan, mcse if np.isfinite(mcse) else np.nan, n, note
    )
