"""Medians of several metrics and strategies, with their joint Monte Carlo error.

The logarithms of the medians of one cell are taken to be normal about those of many sims. Their
correlations come from the datasets that they share: an estimate of a strategy's median is off
together with another's as far as the same datasets lie above both. Cells are independent.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from clustrategy.core.shard import Floats

DRAWS = 2_000
LEAST = 6
"""Fewer values have no interval of 95 % for their median."""

_BAND = 1.96


class LogMedians(NamedTuple):
    """Logarithms of medians.

    Attributes
    ----------
    value : (variables, cells) array
        NaN where there is no median above 0.
    std_error : (variables, cells) array
        Their Monte Carlo standard errors, NaN with fewer than `LEAST` values.
    influence : (variables, cells, sims) array
        What each dataset does to a median: 1/2 or -1/2 by its side of it, 0 if it has no value.
    """

    value: Floats
    std_error: Floats
    influence: Floats


def log_medians(values: Floats) -> LogMedians:
    """Estimate the logarithms of medians of positive values.

    The standard error is that of the interval between the order statistics that contain the median
    of many sims in 95 of 100 studies, divided by its width in standard errors.

    Parameters
    ----------
    values : (variables, cells, sims) array
        NaN where a dataset has no value; the sims of all variables are the same datasets.

    References
    ----------
    McKean & Schrader (1984), A comparison of methods for studentizing the sample median,
    Communications in Statistics - Simulation and Computation 13, 751-773.
    """
    logs = np.log(np.where((values > 0.0) & np.isfinite(values), values, np.nan))
    ordered = np.sort(logs, axis=-1)
    n = np.isfinite(logs).sum(axis=-1)
    reach = 0.5 * _BAND / np.sqrt(np.maximum(n, LEAST))
    median = _quantile(ordered, n, np.full(n.shape, 0.5))
    width = _quantile(ordered, n, 0.5 + reach) - _quantile(ordered, n, 0.5 - reach)
    std_error = np.where(n < LEAST, np.nan, width / (2.0 * _BAND))
    side = np.sign(logs - median[..., None]) / 2.0
    return LogMedians(median, std_error, np.nan_to_num(side))


def _quantile(ordered: Floats, n: Floats, share: Floats) -> Floats:
    """Return a quantile of the first n of sorted values, between neighbours by straight lines."""
    place = share * (np.maximum(n, 1) - 1)
    low = np.floor(place).astype(int)
    high = np.minimum(low + 1, np.maximum(n, 1) - 1)
    below, above = (
        np.take_along_axis(ordered, at[..., None], axis=-1)[..., 0] for at in (low, high)
    )
    return np.asarray(below + (place - low) * (above - below))


def deviations(influence: Floats, std_error: Floats) -> Floats:
    """Draw how far estimates would be off in other studies like this one, from a fixed seed.

    Parameters
    ----------
    influence : (variables, cells, sims) array
        What each dataset does to each estimate, but for a factor.
    std_error : (variables, cells) array
        The standard errors of the estimates.

    Returns
    -------
    (DRAWS, variables, cells) array
    """
    size = np.linalg.norm(influence, axis=-1, keepdims=True)
    units = np.divide(influence, size, out=np.zeros_like(influence), where=size > 0.0)
    correlation = np.einsum("acs,bcs->cab", units, units, optimize=True)
    roots, vectors = np.linalg.eigh(correlation)
    factor = vectors * np.sqrt(np.maximum(roots, 0.0))[:, None]
    normal = np.random.default_rng(0).standard_normal((DRAWS, *factor.shape[:1], len(influence)))
    return np.asarray(np.einsum("cab,dcb->dac", factor, normal, optimize=True) * std_error)
