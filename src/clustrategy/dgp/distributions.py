"""Distributions of mean 0 and variance 1, made from standard normal draws.

All are made from the same normals, so that two of them differ in shape alone.
"""

from __future__ import annotations

from math import gamma
from typing import Literal

import numpy as np

from clustrategy.core.shard import Floats, Ints
from clustrategy.dgp.seeds import Generators

Distribution = Literal["normal", "t", "skewed", "contaminated"]

T_DF = 5
CONTAMINATED_SHARE = 0.1
CONTAMINATED_SIGMA = 3.0

REACH, STEPS = 9.0, 289
"""The trapezoidal rule from minus to plus so much is exact to 1e-12."""

_MEAN_SCALE = {
    "normal": 1.0,
    # E sqrt((df - 2) / chi2) = sqrt((df - 2) / 2) Gamma((df - 1) / 2) / Gamma(df / 2)
    "t": np.sqrt((T_DF - 2) / 2.0) * gamma((T_DF - 1) / 2.0) / gamma(T_DF / 2.0),
    "contaminated": (1.0 + CONTAMINATED_SHARE * (CONTAMINATED_SIGMA - 1.0))
    / np.sqrt(1.0 + CONTAMINATED_SHARE * (CONTAMINATED_SIGMA**2 - 1.0)),
}
"""The mean of the scale by which a distribution multiplies its normals."""


def standardised(
    name: Distribution, normals: Floats, generators: Generators, counts: int | Ints
) -> Floats:
    """Turn standard normals of some sims into draws of a distribution.

    Parameters
    ----------
    name : {"normal", "t", "skewed", "contaminated"}
        `t`: Student's t with 5 df over its standard deviation sqrt(5/3), excess kurtosis 6.
        `skewed`: the exponential distribution less its mean, skewness 2, excess kurtosis 6.
        `contaminated`: 0.9 N(0, 1) + 0.1 N(0, 9) over its standard deviation sqrt(1.8), excess
        kurtosis 16/3.
    normals : array
        Independent standard normals, of any shape, sim by sim.
    generators : Generators
        For the further draws that a distribution takes.
    counts : int or (S,) array
        How many of the normals each sim has.

    References
    ----------
    Tukey (1960), A survey of sampling from contaminated distributions.
    """
    match name:
        case "t":
            # z / sqrt(chi2 / df) over its standard deviation sqrt(df / (df - 2))
            chi2 = generators.chisquare(T_DF, counts).reshape(normals.shape)
            return normals * np.sqrt((T_DF - 2) / chi2)
        case "skewed":
            from scipy.special import log_ndtr

            # The exponential's quantile at the normal's probability, from the upper tail.
            return -log_ndtr(-normals) - 1.0
        case "contaminated":
            wide = generators.random(counts).reshape(normals.shape) < CONTAMINATED_SHARE
            variance = 1.0 + CONTAMINATED_SHARE * (CONTAMINATED_SIGMA**2 - 1.0)
            return normals * np.where(wide, CONTAMINATED_SIGMA, 1.0) / np.sqrt(variance)
    return normals


def mean_given(name: Distribution, score: Floats, r: float) -> Floats:
    """Return the mean of a draw of a distribution given a normal that correlates with its own.

    Parameters
    ----------
    name : {"normal", "t", "skewed", "contaminated"}
        As of `standardised`.
    score : (K,) array
        Values of a standard normal.
    r : float
        Its correlation with the standard normal that the draw is made of.

    Returns
    -------
    (K,) array
    """
    if name == "skewed":
        from scipy.special import log_ndtr

        rest = np.linspace(-REACH, REACH, STEPS)
        density = np.exp(-(rest**2) / 2.0) / np.sqrt(2.0 * np.pi)
        normals = r * score[:, None] + np.sqrt(1.0 - r**2) * rest
        return np.asarray(np.trapezoid(-log_ndtr(-normals) * density, rest) - 1.0)
    return r * score * _MEAN_SCALE[name]
