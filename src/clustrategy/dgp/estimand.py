"""The two averages of the clusters' coefficients: over clusters, and over persons, that is rows.

They differ where cluster sizes are informative: the average over persons is `E[n b] / E[n]`, with n
a cluster's rows before any are missing and b its coefficients.

References
----------
Williamson, Datta & Satten (2003), Biometrics 59, 36-42; Kahan, Li, Copas & Harhay (2023),
International Journal of Epidemiology 52, 107-118.
"""

from __future__ import annotations

import numpy as np

from clustrategy.core.shard import Floats
from clustrategy.dgp.distributions import mean_given
from clustrategy.dgp.process import Process
from clustrategy.dgp.sizes import further_rows

REACH, STEPS = 14.0, 897
"""The trapezoidal rule from minus to plus so much is exact to 1e-9 of a standard deviation."""


def over_persons(process: Process) -> Floats:
    """Return by how much the averages over persons exceed those over clusters.

    They are `sigma_k E[n z_k] / E[n]`. Rounding a size at random leaves its mean as it is, so that
    E[n z_0] is an integral over the normal score x of the size: of the size at x times the mean of
    z_0 given x. A slope's deviation shares with it what `intercept_slope_correlation` says. Where
    intercepts of treated clusters have a variance of their own, so has the treatment's average.

    Parameters
    ----------
    process : Process
        The options.

    Returns
    -------
    (p,) array
        Of each coefficient, the intercept first.

    Examples
    --------
    Sizes of mean 20, their coefficient of variation 1, that correlate by 0.5 with intercepts:

    >>> from clustrategy.dgp import Process
    >>> from clustrategy.dgp.estimand import over_persons
    >>> process = Process(10, 20, 0.5, predictors=1, coefficients=[0, 0], residual_sigma=1,
    ...                   size_cv=1, informative_size=0.5)
    >>> over_persons(process).round(4)
    array([0.2236, 0.    ])
    """
    if not process.informative_size:
        return np.zeros(process.predictors + 1)
    score = np.linspace(-REACH, REACH, STEPS)
    density = np.exp(-(score**2) / 2.0) / np.sqrt(2.0 * np.pi)
    deviation = mean_given(process.random_distribution, score, process.informative_size)
    rows = 1.0 + further_rows(process).at_score(score)
    intercept = np.trapezoid(density * rows * deviation, score) / process.obs_per_cluster
    shares = np.full(process.predictors + 1, process.intercept_slope_correlation)
    shares[0] = 1.0
    exceed = process.sigmas * shares * intercept
    ratio, _ = process.variance_ratios
    if ratio != 1:
        exceed[-1] += (np.sqrt(ratio) - 1.0) * exceed[0]
    return np.asarray(exceed)
