"""The tests of an oracle that knows all variances: a yardstick for the size of effects.

An oracle estimates by generalised least squares with the true variances of the errors and of the
clusters' coefficients, so that it loses nothing by estimating them. An effect that it finds in 80 %
of datasets is as hard to find in one cell as in another, however large it has to be.

With Z the columns that vary within clusters and the constant, Psi the covariance of the clusters'
coefficients of these and sigma^2 the variance of the errors, a cluster tells
`(Psi + sigma^2 (Z'Z)^-1)^-1` of them (Swamy 1970, Econometrica 38, 311-323). Z'Z is taken at its
expectation given the cluster's means of Z and its size, predictors as uncorrelated, and all else as
normal and independent: what makes tests harder (autocorrelated or heavy-tailed errors, endogeneity,
missing rows, informative sizes) is left out of account. What a covariate that no model has adds to
the outcome counts as errors.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import numpy as np

from clustrategy.core.shard import Floats, Ints
from clustrategy.dgp.arms import dummies
from clustrategy.dgp.process import Process
from clustrategy.dgp.sizes import size_quantiles

ORACLE_POWER = "oracle_power"
"""The key of effects that are given by an oracle's power."""

KEYS = {ORACLE_POWER, "alpha"}
"""A recipe has the level of the oracle's tests beside its powers."""

SIZES = 400
"""Sizes that stand for those of all clusters."""

DRAWN = 4000
"""Clusters whose means are drawn, where predictors have means that differ."""


def is_by_oracle(effects: object) -> bool:
    """Tell whether effects, as a config or a recipe has them, are given by an oracle's power.

    A mapping of the terms of a table is not, though one of them may have that name: the intercept
    stands beside it.
    """
    return isinstance(effects, Mapping) and ORACLE_POWER in effects and {*effects} <= KEYS


def oracle_standard_errors(process: Process) -> Floats:
    """Return the standard errors of an oracle's estimates.

    Parameters
    ----------
    process : Process
        Of a cell.

    Returns
    -------
    (p,) array
        Of each coefficient, the intercept first, in units of the outcome per unit of the
        predictor.

    Examples
    --------
    10 clusters of 20 rows, errors of 1, intercepts and slopes that vary by 0.5: twice the root of
    (0.25 + 1 / 20) / 10.

    >>> from clustrategy.dgp import Process
    >>> from clustrategy.dgp.oracle import oracle_standard_errors
    >>> process = Process(10, 20, 0.5, predictors=1, coefficients=[0, 0], residual_sigma=1)
    >>> oracle_standard_errors(process).round(4)
    array([0.1732, 0.1732])
    """
    p = process.predictors + 1
    constant = np.zeros(p, dtype=bool)
    constant[1 : 1 + process.continuous] = process.between_share == 1
    constant[1 + process.continuous :] = process.treatment == "between"
    inside = np.flatnonzero(~constant)
    predictors = np.flatnonzero(constant[: 1 + process.continuous])
    information = np.zeros((p, p))
    for arm, count in _arms_of_clusters(process):
        of_cluster = _of_cluster(process, inside, treated=bool(arm.any()))
        columns = np.eye(p)[inside]
        columns[0, p - arm.size :] = arm
        information += count * columns.T @ of_cluster @ columns
        information[predictors, predictors] += count * of_cluster[0, 0]
    return np.sqrt(np.diagonal(np.linalg.inv(information)))


def oracle_effects(
    process: Process, powers: Iterable[float], alpha: float
) -> dict[str, list[float]]:
    """Return the effects that an oracle's two-sided z test finds with given powers.

    Parameters
    ----------
    process : Process
        Of a cell.
    powers : iterable of float
        Between alpha and 1.
    alpha : float
        The level of the test.

    Returns
    -------
    dict of str to list of float
        Of each coefficient as many as there are powers.
    """
    from scipy.special import chdtri, chndtrinc

    # z^2 is noncentral chi-square on 1 df, and its noncentrality (effect / standard error)^2.
    multiples = np.sqrt(chndtrinc(chdtri(1, alpha), 1, 1.0 - np.array([*powers])))
    errors = oracle_standard_errors(process).tolist()
    return {
        term: (error * multiples).tolist()
        for term, error in zip(process.terms, errors, strict=True)
    }


def _arms_of_clusters(process: Process) -> list[tuple[Floats, int]]:
    """Return the dummies of each arm of whole clusters, and how many clusters it has."""
    if process.treatment != "between":
        return [(np.zeros(0), process.clusters)]
    arms = dummies(process, np.arange(process.clusters)).astype(float)
    found, counts = np.unique(arms, axis=0, return_counts=True)
    return [*zip(found, counts.tolist(), strict=True)]


def _of_cluster(process: Process, inside: Ints, *, treated: bool) -> Floats:
    """Return (c, c) what a cluster tells of the coefficients of Z, in the mean over clusters.

    Parameters
    ----------
    process : Process
    inside : (c,) array of int
        The columns of X that are Z's.
    treated : bool
        Whether the whole cluster is in the treated arm, which may have variances of its own.
    """
    sizes = size_quantiles(process, SIZES)
    between = process.between_share[process.between_share < 1]
    varying = slice(1, 1 + between.size)
    covariance = np.zeros((inside.size, inside.size))
    covariance[varying, varying] = np.diag(1.0 - between)
    drawn = 1
    if between.any():
        drawn = DRAWN // sizes.size
        sizes = np.repeat(sizes, drawn)
    means = np.zeros((sizes.size, inside.size))
    means[:, 0] = 1.0
    if drawn > 1:
        half = np.random.default_rng(0).standard_normal((sizes.size // 2, between.size))
        # With each its opposite, of a cluster of the same size.
        pairs = np.stack([half, -half], axis=1).reshape(sizes.size, between.size)
        means[:, varying] = np.sqrt(between) * pairs
    if process.treatment == "within":
        shares = dummies(process, np.arange(process.obs_per_cluster)).mean(axis=0)
        arms = slice(1 + between.size, inside.size)
        means[:, arms] = shares
        covariance[arms, arms] = np.diag(shares) - np.outer(shares, shares)
    squares = covariance + means[:, :, None] * means[:, None]
    hidden, sigmas = process.hidden_slope_sd**2, process.sigmas[inside]
    variance = process.residual_sigma**2 + hidden
    of_treated_rows = process.residual_variance_ratio * process.residual_sigma**2 + hidden
    ratio = of_treated_rows / variance
    if treated:
        variance = of_treated_rows
        sigmas[0] *= np.sqrt(process.intercept_variance_ratio)
    if process.treatment == "within" and ratio != 1:
        # Of the treated rows, whose errors have another variance: their dummy is 1.
        means[:, arms], covariance[arms, arms] = 1.0, 0.0
        of_treated = covariance + means[:, :, None] * means[:, None]
        squares += shares * (1.0 / ratio - 1.0) * of_treated
    rho = process.intercept_slope_correlation
    correlation = np.full(covariance.shape, rho**2)
    correlation[0] = correlation[:, 0] = rho
    np.fill_diagonal(correlation, 1.0)
    psi = sigmas[:, None] * correlation * sigmas
    errors = variance / sizes[:, None, None] * np.linalg.inv(squares)
    return np.asarray(np.linalg.inv(psi + errors).mean(axis=0))
