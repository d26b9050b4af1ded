"""How outcomes are drawn on a design that is given."""

from __future__ import annotations

from dataclasses import dataclass

from clustrategy.core.shard import Floats, Shard


@dataclass(frozen=True)
class GivenProcess:
    """How outcomes are drawn on a given design: y = Z b + e, the coefficients of X zero.

    Attributes
    ----------
    shard : Shard
        One dataset, for its X, clusters and terms; its y is not used.
    random : tuple of str
        The q columns of X with random coefficients; the intercept may be among them.
    covariance : (q, q) array
        The covariance matrix of a cluster's random coefficients.
    sigma : float or (G,) array
        The residual standard deviation, of all clusters or of each.
    autocorrelation : float
        Of the residuals of successive rows of a cluster.
    residuals : (R,) array, optional
        Residuals to resample in place of normal ones: their mean is 0, their standard deviation
        sigma.
    effects : (G, q) array, optional
        The random coefficients of clusters, to resample as whole vectors in place of normal ones:
        their mean is 0, their covariance matrix `covariance`.
    """

    shard: Shard
    random: tuple[str, ...]
    covariance: Floats
    sigma: float | Floats
    autocorrelation: float = 0.0
    residuals: Floats | None = None
    effects: Floats | None = None
