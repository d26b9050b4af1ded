"""The data-generating process: draws the datasets of a cell, one generator per sim.

beta_k ~ U(low, high) for the intercept and every slope (or fixed values), b_g = beta +
between_cluster_sigma * N(0, I), predictors N(0, 1), DV = X_g b_g + residual_sigma * N(0, 1).
Both sigmas are standard deviations; the coefficients of a cluster are uncorrelated.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from clustrategy.dataset import INTERCEPT, Floats, Shard

Coefficients = Mapping[str, Sequence[float]] | Sequence[float]


@dataclass(frozen=True)
class Process:
    """The data-generating process of one cell.

    Attributes
    ----------
    clusters, obs_per_cluster : the size of a dataset.
    between_cluster_sigma : standard deviation of each coefficient between clusters.
    predictors : the number of slopes.
    coefficients : `{"uniform": [low, high]}`, drawn anew in every sim, or predictors + 1 values.
    residual_sigma : standard deviation of the errors.
    """

    clusters: int
    obs_per_cluster: int
    between_cluster_sigma: float
    predictors: int
    coefficients: Coefficients
    residual_sigma: float

    @property
    def terms(self) -> tuple[str, ...]:
        """The intercept and IV1 to IVp."""
        return (INTERCEPT, *(f"IV{k + 1}" for k in range(self.predictors)))


@dataclass(frozen=True)
class Simulation:
    """Datasets and the truth that made them.

    Attributes
    ----------
    shard : the datasets.
    truth : (S, p) population coefficients.
    cluster_coefficients : (S, G, p) the coefficients of each cluster.
    """

    shard: Shard
    truth: Floats
    cluster_coefficients: Floats


def cell_key(cell: Mapping[str, Any]) -> tuple[int, ...]:
    """The words by which a cell's values, not its place in the grid, enter its seeds.

    `1` and `1.0` are the same value.
    """
    values = {factor: int(v) if v == int(v) else float(v) for factor, v in cell.items()}
    digest = hashlib.sha256(json.dumps(values, sort_keys=True).encode()).digest()
    return tuple(int.from_bytes(digest[i : i + 4], "little") for i in range(0, 16, 4))


def generator(seed: int, cell: Mapping[str, Any], sim: int) -> np.random.Generator:
    """The random generator of one sim: a function of seed, cell values and sim alone."""
    sequence = np.random.SeedSequence(seed, spawn_key=(*cell_key(cell), sim))
    return np.random.Generator(np.random.PCG64(sequence))


def simulate(
    process: Process, seed: int, cell: Mapping[str, Any], sims: Sequence[int]
) -> Simulation:
    """Draw some sims of a cell.

    Parameters
    ----------
    process : the data-generating process.
    seed : the study's seed.
    cell : the factor values that identify the cell.
    sims : the numbers of the sims; each is the same whatever stands beside it.
    """
    S, G, n, p = len(sims), process.clusters, process.obs_per_cluster, process.predictors + 1
    X = np.ones((S, G, n, p))
    y = np.empty((S, G, n))
    truth = np.empty((S, p))
    cluster_coefficients = np.empty((S, G, p))
    for s, sim in enumerate(sims):
        rng = generator(seed, cell, sim)
        if isinstance(process.coefficients, Mapping):
            low, high = process.coefficients["uniform"]
            truth[s] = rng.uniform(low, high, size=p)
        else:
            truth[s] = process.coefficients
        deviation = rng.standard_normal((G, p))
        cluster_coefficients[s] = truth[s] + process.between_cluster_sigma * deviation
        X[s, ..., 1:] = rng.standard_normal((G, n, p - 1))
        error = process.residual_sigma * rng.standard_normal((G, n))
        y[s] = (X[s] * cluster_coefficients[s][:, None]).sum(axis=-1) + error
    return Simulation(Shard.balanced(y, X, process.terms), truth, cluster_coefficients)
