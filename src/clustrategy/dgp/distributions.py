"""Distributions of mean 0 and variance 1, made of standard normal draws.

The same normals stand behind all of them, so that what differs between two distributions is
their shape alone.
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
    """Draws of a distribution.

    Parameters
    ----------
    name : `t`: Student's with 5 df over its standard deviation sqrt(5/3); excess kurtosis 6.
        `skewed`: the exponential less its mean; skewness 2, excess kurtosis 6. `contaminated`:
        0.9 N(0, 1) + 0.1 N(0, 9) (Tukey 1960) over its standard deviation sqrt(1.8); excess
        kurtosis 16/3.
    normals : independent standard normals, of any shape.
    rng : for what it takes besides.
    """
    match name:
        case "t":
            # z / sqrt(chi2 / df), over its standard deviation sqrt(df / (df - 2))
            return normals * np.sqrt((T_DF - 2) / rng.chisquare(T_DF, normals.shape))
        case "skewed":
            from scipy.special import log_ndtr

            # the exponential's quantile at the normal's probability, from the upper tail
            return -log_ndtr(-normals) - 1.0
        case "contaminated":
            wide = rng.random(normals.shape) < CONTAMINATED_SHARE
            variance = 1.0 + CONTAMINATED_SHARE * (CONTAMINATED_SIGMA**2 - 1.0)
            return normals * np.where(wide, CONTAMINATED_SIGMA, 1.0) / np.sqrt(variance)
    return normals
