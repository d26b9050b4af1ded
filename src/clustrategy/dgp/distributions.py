"""Distributions of mean 0 and variance 1, made from standard normal draws.

All are made from the same normals, so that two of them differ in shape alone.
"""

from __future__ import annotations

from typing import Literal

import numpy as np

from clustrategy.core.shard import Floats

Distribution = Literal["normal", "t", "skewed", "contaminated"]

T_DF = 5
CONTAMINATED_SHARE = 0.1
CONTAMINATED_SIGMA = 3.0


def standardised(name: Distribution, normals: Floats, rng: np.random.Generator) -> Floats:
    """Turn standard normals into draws of a distribution.

    Parameters
    ----------
    name : {"normal", "t", "skewed", "contaminated"}
        `t`: Student's t with 5 df over its standard deviation sqrt(5/3), excess kurtosis 6.
        `skewed`: the exponential distribution less its mean, skewness 2, excess kurtosis 6.
        `contaminated`: 0.9 N(0, 1) + 0.1 N(0, 9) over its standard deviation sqrt(1.8), excess
        kurtosis 16/3.
    normals : array
        Independent standard normals, of any shape.
    rng : Generator
        For the further draws that a distribution takes.

    References
    ----------
    Tukey (1960), A survey of sampling from contaminated distributions.
    """
    match name:
        case "t":
            # z / sqrt(chi2 / df) over its standard deviation sqrt(df / (df - 2))
            return normals * np.sqrt((T_DF - 2) / rng.chisquare(T_DF, normals.shape))
        case "skewed":
            from scipy.special import log_ndtr

            # The exponential's quantile at the normal's probability, from the upper tail.
            return -log_ndtr(-normals) - 1.0
        case "contaminated":
            wide = rng.random(normals.shape) < CONTAMINATED_SHARE
            variance = 1.0 + CONTAMINATED_SHARE * (CONTAMINATED_SIGMA**2 - 1.0)
            return normals * np.where(wide, CONTAMINATED_SIGMA, 1.0) / np.sqrt(variance)
    return normals
