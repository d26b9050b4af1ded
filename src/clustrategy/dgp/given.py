"""How outcomes are drawn on a design that is given."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from clustrategy.core.errors import ConfigError
from clustrategy.core.shard import Floats, Ints, Shard
from clustrategy.dgp.seeds import Stream, cell_key, seed_of, streams

NEGATIVE = 1e-8
"""An eigenvalue of a covariance matrix below zero by no more than this share of the largest is
rounding."""


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

    def __post_init__(self) -> None:
        """Raise ConfigError where the parts do not go together."""
        q = len(self.random)
        missing = [name for name in self.random if name not in self.shard.terms]
        if missing:
            raise ConfigError(
                f"the design has no coefficient {missing[0]!r} to be random; it has "
                f"{', '.join(self.shard.terms)}"
            )
        if self.covariance.shape != (q, q) or not np.allclose(self.covariance, self.covariance.T):
            raise ConfigError(
                f"the covariance matrix of {q} random coefficients must be symmetric, {q} x {q}"
            )
        if q and np.linalg.eigvalsh(self.covariance)[0] < -NEGATIVE * np.abs(self.covariance).max():
            raise ConfigError("the covariance matrix of random coefficients has negative variances")
        sigma = np.asarray(self.sigma)
        if sigma.shape not in ((), (self.shard.clusters,)) or not (sigma > 0.0).all():
            raise ConfigError(
                "sigma must be above 0, one number or one for each of "
                f"{self.shard.clusters} clusters"
            )
        if not -1.0 < self.autocorrelation < 1.0:
            raise ConfigError(
                f"the autocorrelation must be between -1 and 1, found {self.autocorrelation:g}"
            )

    @property
    def columns(self) -> Ints:
        """(q,) the columns of X with random coefficients."""
        return np.array([self.shard.terms.index(name) for name in self.random], dtype=np.int64)

    @property
    def root(self) -> Floats:
        """(q, q) symmetric root of the covariance matrix, continuous where a variance vanishes."""
        values, vectors = np.linalg.eigh(self.covariance)
        return np.asarray((vectors * np.sqrt(np.maximum(values, 0.0))) @ vectors.T)


def draw_given(process: GivenProcess, seed: int, scenario: str, sims: Sequence[int]) -> Shard:
    """Draw outcomes on a given design.

    Parameters
    ----------
    process : GivenProcess
        How they are drawn.
    seed : int
        Of the study.
    scenario : str
        The scenario's name, which enters the seeds.
    sims : sequence of int
        The numbers of the replicates. A replicate's numbers depend on seed, name and number alone.

    Returns
    -------
    Shard
        A dataset per replicate, its X, clusters and sizes those of the design.
    """
    design = process.shard
    rows, clusters, q = design.y.size, design.clusters, len(process.random)
    key = cell_key({"scenario": scenario})
    codes = design.cluster_codes(0)
    effects, errors = np.empty((len(sims), clusters, q)), np.empty((len(sims), rows))
    for place, sim in enumerate(sims):
        rng = streams(seed, key, int(sim))(Stream.BASE)
        if process.effects is None:
            effects[place] = rng.standard_normal((clusters, q)) @ process.root
        else:
            effects[place] = process.effects[rng.integers(len(process.effects), size=clusters)]
        if process.residuals is None:
            errors[place] = rng.standard_normal(rows)
        else:
            errors[place] = process.residuals[rng.integers(len(process.residuals), size=rows)]
    if process.autocorrelation != 0.0:
        _autocorrelate(errors, process.autocorrelation, design)
    if process.residuals is None:
        errors *= np.broadcast_to(process.sigma, clusters)[codes]
    y = errors
    for column, effect in zip(process.columns, np.moveaxis(effects, 2, 0), strict=True):
        y = y + design.X[:, column] * effect[:, codes]
    seeds = tuple(seed_of(seed, key, int(sim), Stream.RESAMPLING) for sim in sims)
    return Shard.on_one_design(y, design, seeds)


def _autocorrelate(errors: Floats, rho: float, design: Shard) -> None:
    """Make independent errors, (S, R), a stationary first-order autoregression in each cluster."""
    sizes = design.n[0]
    starts = np.cumsum(sizes) - sizes
    new = np.sqrt(1.0 - rho * rho)
    for step in range(1, int(sizes.max())):
        at = starts[sizes > step] + step
        errors[:, at] = rho * errors[:, at - 1] + new * errors[:, at]
