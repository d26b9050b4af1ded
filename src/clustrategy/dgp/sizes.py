"""How many rows each cluster has."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from clustrategy.core.shard import Floats, Ints
from clustrategy.dgp.process import Process
from clustrategy.dgp.seeds import Stream, Streams

ROUNDING_VARIANCE = 1.0 / 6.0
"""What rounding at random adds to a variance: the mean of f (1 - f) over fractions f."""

LEAST_VARIANCE = 0.01
"""The variance before rounding is at least this."""


HIGHEST_SCORE = 8.0
"""Beyond it a probability below 1 is hardly a number below 1."""


class FurtherRows(NamedTuple):
    """The distribution of a cluster's rows beyond the first, before they are rounded.

    Attributes
    ----------
    at_score : callable
        From standard normals to the quantiles at their probabilities.
    at_most : callable
        From numbers above 0 to the probabilities of being no larger.
    """

    at_score: Callable[[Floats], Floats]
    at_most: Callable[[Floats], Floats]


def cluster_sizes(process: Process, intercepts: Floats, streams: Streams) -> Ints:
    """Draw the rows of each cluster, at least 1 and on average exactly `obs_per_cluster`.

    A size is one plus a variate of `further_rows`, rounded up or down at random with the
    probabilities that keep its mean, which adds a variance of 1/6. Its normal score has the
    correlation `informative_size` with the intercept's (a Gaussian copula).

    Parameters
    ----------
    process : Process
        The options.
    intercepts : (S, G) array
        The standard normals behind the clusters' intercepts.
    streams : Streams
        The generators of the sims.

    Returns
    -------
    (S, G) array of int
        The rows of each cluster.
    """
    if process.size_cv == 0:
        return np.full(intercepts.shape, process.obs_per_cluster, dtype=np.int64)
    generators = streams(Stream.SIZES)
    normals = generators.standard_normal(process.clusters).reshape(intercepts.shape)
    r = process.informative_size
    score = r * intercepts + np.sqrt(1.0 - r**2) * normals
    further = further_rows(process).at_score(score)
    below = np.floor(further)
    up = generators.random(process.clusters).reshape(intercepts.shape) < further - below
    return 1 + below.astype(np.int64) + up


def size_quantiles(process: Process, count: int) -> Floats:
    """Return (count,) sizes that stand for equal shares of the clusters, before they are rounded.

    Parameters
    ----------
    process : Process
        The options.
    count : int
        How many; one alone where all clusters have as many rows.
    """
    if process.size_cv == 0:
        return np.array([float(process.obs_per_cluster)])
    from scipy.special import ndtri

    return 1.0 + further_rows(process).at_score(ndtri((np.arange(count) + 0.5) / count))


def further_rows(process: Process) -> FurtherRows:
    """Return the distribution of a cluster's rows beyond the first, before they are rounded.

    With m the mean size, its mean is m - 1 and its variance (m CV)^2 - 1/6. It is gamma, lognormal,
    or Pareto's (type I), whose tail falls by the power 1 + sqrt(1 + 1/cv^2) of the size, with cv
    the variate's own coefficient of variation.
    """
    mean = process.obs_per_cluster - 1.0
    variance = (process.obs_per_cluster * process.size_cv) ** 2 - ROUNDING_VARIANCE
    return _OF_MOMENTS[process.size_distribution](mean, max(variance, LEAST_VARIANCE))


def _gamma(mean: float, variance: float) -> FurtherRows:
    from scipy.special import gammainc, gammaincinv, ndtr

    shape, scale = mean**2 / variance, variance / mean
    return FurtherRows(
        lambda score: scale * gammaincinv(shape, ndtr(np.minimum(score, HIGHEST_SCORE))),
        lambda further: gammainc(shape, further / scale),
    )


def _lognormal(mean: float, variance: float) -> FurtherRows:
    from scipy.special import ndtr

    s2 = np.log1p(variance / mean**2)
    s, centre = np.sqrt(s2), np.log(mean) - s2 / 2.0
    return FurtherRows(
        lambda score: np.exp(centre + s * score),
        lambda further: ndtr((np.log(further) - centre) / s),
    )


def _pareto(mean: float, variance: float) -> FurtherRows:
    from scipy.special import log_ndtr

    # The variance of Pareto's distribution over its squared mean is 1 / (power (power - 2)).
    power = 1.0 + np.sqrt(1.0 + mean**2 / variance)
    least = mean * (power - 1.0) / power
    return FurtherRows(
        lambda score: least * np.exp(-log_ndtr(-score) / power),
        lambda further: 1.0 - np.minimum(least / further, 1.0) ** power,
    )


_OF_MOMENTS: dict[str, Callable[[float, float], FurtherRows]] = {
    "gamma": _gamma,
    "lognormal": _lognormal,
    "pareto": _pareto,
}
