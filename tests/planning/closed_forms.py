"""Power and numbers of clusters in closed form, for equal clusters."""

import numpy as np
from scipy.stats import nct
from scipy.stats import t as student

from clustrategy.planning.described import Described


def variance(described: Described, clusters: int) -> float:
    """The variance of the difference of two means of clusters, or of the mean difference."""
    d = described
    if d.varies_within:
        n1 = np.floor(d.rows * d.treated + 0.5)
        return (d.sigma_slope**2 + d.sigma_residual**2 * (1 / n1 + 1 / (d.rows - n1))) / clusters
    g1 = np.floor(clusters * d.treated + 0.5)
    return (d.sigma_between**2 + d.sigma_residual**2 / d.rows) * (1 / g1 + 1 / (clusters - g1))


def power(described: Described, clusters: int, effect: float, alpha: float = 0.05) -> float:
    """The power of the two-sided t test on clusters' means, or on their differences."""
    df = clusters - (1 if described.varies_within else 2)
    shift = effect / np.sqrt(variance(described, clusters))
    critical = student.ppf(1 - alpha / 2, df)
    return float(nct.sf(critical, df, shift) + nct.cdf(-critical, df, shift))


def needed(described: Described, effect: float, goal: float = 0.8) -> int:
    """The fewest clusters with a power."""
    return next(G for G in range(3, 10_000) if power(described, G, effect) >= goal)
