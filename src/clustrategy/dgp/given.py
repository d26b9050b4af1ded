"""Drawing outcomes on a design that is given: X, clusters and sizes stay as they are."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from clustrategy.core.counted import counted
from clustrategy.core.errors import ConfigError, DataError, nearest
from clustrategy.core.one_design import on_one_design
from clustrategy.core.shard import Floats, Shard
from clustrategy.dgp.residuals import autoregressive
from clustrategy.dgp.seeds import Seeds, Stream, Streams, cell_key

ROUNDING = 1e-8
"""Means, covariances and eigenvalues may be off by this share of what they are made of."""


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
        The covariance matrix of a cluster's random coefficients; it may be singular.
    sigma : float or (G,) array
        The residual standard deviation, of all clusters or of each.
    autocorrelation : float
        Of the residuals of successive rows of a cluster: 1 is a unit root and is not allowed.
    residuals : (R,) array, optional
        Residuals to resample in place of normal ones. Their mean is 0; they are scaled to sigma.
    effects : (K, q) array, optional
        The random coefficients of clusters, to resample as whole vectors in place of normal ones:
        their mean is 0, their covariance matrix (divided by K) `covariance`.

    Raises
    ------
    DataError
        If the shard is not one dataset of finite numbers.
    ConfigError
        If any of the others is not what is said above.
    """

    shard: Shard
    random: tuple[str, ...]
    covariance: Floats
    sigma: float | Floats
    autocorrelation: float = 0.0
    residuals: Floats | None = None
    effects: Floats | None = None

    def __post_init__(self) -> None:
        _check_design(self.shard)
        _check_random(self.random, self.shard.terms)
        units = _units(self)
        _check_covariance(self.covariance, units)
        _check_sigma(np.asarray(self.sigma), self.shard.clusters)
        if not abs(self.autocorrelation) < 1.0:
            raise ConfigError(
                "autocorrelation must be between -1 and 1, both excluded, found "
                f"{self.autocorrelation:g}"
            )
        if self.residuals is not None:
            _check_residuals(self.residuals)
        if self.effects is not None:
            _check_effects(self.effects, self.covariance, units)

    @property
    def clusters(self) -> int:
        """The number of clusters."""
        return self.shard.clusters

    @property
    def rows(self) -> int:
        """The rows of a dataset."""
        return self.shard.y.size

    @property
    def terms(self) -> tuple[str, ...]:
        """The names of the coefficients."""
        return self.shard.terms


def draw_given(process: GivenProcess, seed: int, scenario: str, sims: Sequence[int]) -> Shard:
    """Draw some sims of a scenario.

    Parameters
    ----------
    process : GivenProcess
        How outcomes are drawn in the scenario.
    seed : int
        The study's seed.
    scenario : str
        The name of the scenario, which enters the seeds.
    sims : Sequence of int
        The numbers of the sims. Each is the same whatever stands beside it.

    Returns
    -------
    Shard
        S datasets that differ in y and in their seeds alone. All coefficients of X are 0.

    Examples
    --------
    Three outcomes of 2 clusters with 2 rows each:

    >>> import numpy as np
    >>> from clustrategy.core.shard import Shard
    >>> X = np.column_stack([np.ones(4), [0.0, 1.0, 0.0, 1.0]])
    >>> shard = Shard(np.zeros(4), X, np.array([[2, 2]]), ("(Intercept)", "x"))
    >>> process = GivenProcess(shard, ("(Intercept)",), np.array([[0.25]]), sigma=1.0)
    >>> drawn = draw_given(process, seed=1, scenario="estimated", sims=range(3))
    >>> drawn.sims, drawn.y.shape, drawn.terms
    (3, (12,), ('(Intercept)', 'x'))
    >>> again = draw_given(process, seed=1, scenario="estimated", sims=[2])
    >>> bool((again.y == drawn.y[8:]).all())
    True
    """
    key = cell_key({"scenario": scenario})
    streams = Streams.of(seed, key, sims)
    n, X = process.shard.n[0], process.shard.X
    normals = streams(Stream.BASE).standard_normal(len(X) + n.size * len(process.random))
    normals = normals.reshape(len(sims), -1)
    y = _errors(process, normals[:, : len(X)], streams)
    b = _coefficients(process, normals[:, len(X) :], streams)
    codes = process.shard.cluster_codes(0)
    for place, name in enumerate(process.random):
        y += X[:, process.shard.terms.index(name)] * np.take(b[:, place], codes, axis=1)
    return on_one_design(y, process.shard, Seeds(seed, key, sims, Stream.RESAMPLING))


def _errors(process: GivenProcess, normals: Floats, streams: Streams) -> Floats:
    """Return (S, R) errors, the normals' where none are resampled."""
    e, n = normals, process.shard.n[0]
    if process.residuals is not None:
        pool = process.residuals / np.sqrt((process.residuals**2).mean())
        e = pool[streams(Stream.RESIDUAL_DISTRIBUTION).integers(pool.size, normals.shape[1])]
    if process.autocorrelation:
        e = autoregressive(e, n, process.autocorrelation)
    return e * np.repeat(np.broadcast_to(process.sigma, n.size), n)


def _coefficients(process: GivenProcess, normals: Floats, streams: Streams) -> Floats:
    """Return (S, q, G) coefficients of the clusters."""
    clusters = process.shard.clusters
    if process.effects is not None:
        pool = process.effects
        places = streams(Stream.CLUSTER_DISTRIBUTION).integers(len(pool), clusters)
        return np.swapaxes(pool[places], 1, 2)
    z = normals.reshape(len(normals), len(process.random), clusters)
    return np.asarray(root_of(process) @ z)


def root_of(process: GivenProcess) -> Floats:
    """Return a root of the covariance matrix, (q, q).

    It is the symmetric one where columns of X are scaled to 1: unlike Cholesky's it exists, and has
    no jump, where the matrix is singular; and draws do not depend on the predictors' units.
    """
    unit = _units(process)
    values, vectors = np.linalg.eigh(_scaled(process.covariance, unit))
    root = (vectors * np.sqrt(np.maximum(values, 0.0))) @ vectors.T
    return np.asarray(root / unit[:, None])


def _units(process: GivenProcess) -> Floats:
    """Return the largest numbers, (q,), of the columns with random coefficients, by their size."""
    columns = [process.shard.terms.index(name) for name in process.random]
    largest = np.abs(process.shard.X[:, columns]).max(axis=0)
    return np.where(largest == 0.0, 1.0, largest)


def _scaled(covariance: Floats, unit: Floats) -> Floats:
    """Return the covariance matrix of what the coefficients add to the response."""
    return covariance * unit * unit[:, None]


def _check_design(shard: Shard) -> None:
    if shard.sims != 1:
        raise DataError(f"the design of a process must be one dataset, found {shard.sims}")
    if not np.isfinite(shard.X).all():
        column = np.flatnonzero(~np.isfinite(shard.X).all(axis=0))[0]
        raise DataError(f"the column {shard.terms[column]!r} of the design must be finite numbers")


def _check_random(random: tuple[str, ...], terms: tuple[str, ...]) -> None:
    for name in random:
        if name not in terms:
            raise ConfigError(
                f"random has {name!r}, which is not one of the columns of the design, "
                f"{', '.join(terms)}{nearest(name, terms)}"
            )
        if random.count(name) > 1:
            raise ConfigError(f"random has {name!r} {random.count(name)} times")


def _check_covariance(covariance: Floats, unit: Floats) -> None:
    q = unit.size
    if covariance.shape != (q, q):
        raise ConfigError(
            f"covariance must be of shape {(q, q)}, as random has {counted(q, 'column')}, found "
            f"{covariance.shape}"
        )
    if not np.isfinite(covariance).all():
        raise ConfigError(f"covariance must be finite numbers, found {covariance.tolist()}")
    scaled = _scaled(covariance, unit)
    rounding = ROUNDING * np.abs(scaled).max(initial=0.0)
    if (np.abs(scaled - scaled.T) > rounding).any():
        raise ConfigError(f"covariance must be symmetric, found {covariance.tolist()}")
    if (np.linalg.eigvalsh(scaled) < -rounding).any():
        raise ConfigError(
            "covariance must have no negative variance, nor a linear combination of the "
            f"coefficients with one, found {covariance.tolist()}"
        )


def _check_sigma(sigma: Floats, clusters: int) -> None:
    if sigma.shape not in ((), (clusters,)):
        raise ConfigError(
            f"sigma must be one number or one of each of the {clusters} clusters, found an array "
            f"of shape {sigma.shape}"
        )
    wrong = ~((sigma > 0.0) & np.isfinite(sigma))
    if wrong.any():
        raise ConfigError(f"sigma must be finite and above 0, found {sigma[wrong][0]:g}")


def _check_residuals(pool: Floats) -> None:
    if pool.ndim != 1 or pool.size == 0 or not np.isfinite(pool).all():
        raise ConfigError(
            f"residuals must be a list of finite numbers, found an array of shape {pool.shape}"
        )
    size = np.sqrt((pool**2).mean())
    if size == 0.0:
        raise ConfigError("residuals must not all be 0")
    if abs(pool.mean()) > ROUNDING * size:
        raise ConfigError(f"residuals must have a mean of 0, found {pool.mean():g}")


def _check_effects(pool: Floats, covariance: Floats, unit: Floats) -> None:
    q = unit.size
    if pool.ndim != 2 or pool.shape[1] != q or len(pool) == 0 or not np.isfinite(pool).all():
        raise ConfigError(
            f"effects must be rows of finite numbers, {q} each as random has "
            f"{counted(q, 'column')}, found an array of shape {pool.shape}"
        )
    found, expected = pool * unit, _scaled(covariance, unit)
    largest = np.abs(expected).max(initial=0.0)
    if (np.abs(found.mean(axis=0)) > ROUNDING * np.sqrt(largest)).any():
        raise ConfigError(f"effects must have means of 0, found {pool.mean(axis=0).tolist()}")
    if (np.abs(found.T @ found / len(pool) - expected) > ROUNDING * largest).any():
        raise ConfigError(
            "effects must have the covariance matrix that covariance says, "
            f"{covariance.tolist()}, found {(pool.T @ pool / len(pool)).tolist()}"
        )
