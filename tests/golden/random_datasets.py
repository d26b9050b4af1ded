"""500 small datasets of 25 kinds, easy and nasty, on which engines are compared.

The same bits on every machine and with every version of numpy: PCG64's raw stream is fixed, and
all arithmetic on it is elementwise and exactly rounded.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from clustrategy.core.shard import INTERCEPT, Floats, Shard

NUMBERS = range(500)
SEED = 20260715


class RandomDataset(NamedTuple):
    """A dataset as a shard of one, and what is peculiar about it."""

    kind: str
    shard: Shard


class Draws:
    """Random numbers of one dataset."""

    def __init__(self, number: int) -> None:
        self._bits = np.random.PCG64(np.random.SeedSequence([SEED, number]))

    def whole(self, low: int, high: int) -> int:
        """A whole number, low to high, both included."""
        return low + int(self._bits.random_raw() % (high - low + 1))

    def sizes(self, low: int, high: int, clusters: int) -> np.ndarray:
        """(G,) rows of each cluster, equal in every second dataset."""
        if self.whole(0, 1):
            return np.full(clusters, self.whole(low, high))
        return np.array([self.whole(low, high) for _ in range(clusters)])

    def normal(self, *shape: int) -> Floats:
        """Nearly standard normal: twelve uniforms, less six."""
        words = self._bits.random_raw((*shape, 12)) >> np.uint64(32)
        return words.sum(axis=-1, dtype=np.uint64).astype(float) / 2.0**32 - 6.0


class Plan(NamedTuple):
    """What a kind departs from, the rest being ordinary.

    Attributes
    ----------
    predictors : the fewest and the most, beyond the intercept.
    clusters : the fewest and the most.
    spare : rows of a cluster beyond its random coefficients, the fewest and the most.
    between, residual : standard deviations.
    change : what is done to (y, X, cluster, draws) in the end, in place.
    """

    predictors: tuple[int, int] = (0, 5)
    clusters: tuple[int, int] = (6, 25)
    spare: tuple[int, int] = (1, 6)
    between: float = 0.7
    residual: float = 1.0
    change: Callable[[Floats, Floats, np.ndarray, Draws], None] = lambda y, X, cluster, draws: None


def _times(factor: float) -> Callable[..., None]:
    def change(y: Floats, X: Floats, cluster: np.ndarray, draws: Draws) -> None:
        X[:, 1:] *= factor

    return change


def _response(factor: float, shift: float = 0.0) -> Callable[..., None]:
    def change(y: Floats, X: Floats, cluster: np.ndarray, draws: Draws) -> None:
        y *= factor
        y += shift

    return change


def _shifted(y: Floats, X: Floats, cluster: np.ndarray, draws: Draws) -> None:
    X[:, 1:] += 1e6


def _scales(y: Floats, X: Floats, cluster: np.ndarray, draws: Draws) -> None:
    for column in range(1, X.shape[1]):
        X[:, column] *= float(f"1e{draws.whole(-6, 6)}")


def _duplicated(y: Floats, X: Floats, cluster: np.ndarray, draws: Draws) -> None:
    X[:, -1] = X[:, 1]


def _summed(y: Floats, X: Floats, cluster: np.ndarray, draws: Draws) -> None:
    X[:, -1] = X[:, 0] + X[:, 1] - X[:, 2]


def _between_clusters(y: Floats, X: Floats, cluster: np.ndarray, draws: Draws) -> None:
    X[:, 1] = draws.normal(cluster[-1] + 1)[cluster]


def _constant(y: Floats, X: Floats, cluster: np.ndarray, draws: Draws) -> None:
    X[:, 1] = 3.0


def _flat(y: Floats, X: Floats, cluster: np.ndarray, draws: Draws) -> None:
    y[:] = 2.0


def _not_finite(y: Floats, X: Floats, cluster: np.ndarray, draws: Draws) -> None:
    target = y if draws.whole(0, 1) else X[:, -1]
    target[draws.whole(0, y.size - 1)] = (np.nan, np.inf, -np.inf)[draws.whole(0, 2)]


KINDS = {
    "ordinary": Plan(),
    "many rows": Plan(spare=(10, 25)),
    "hardly enough rows": Plan(spare=(0, 1)),
    "few clusters": Plan(clusters=(2, 5), spare=(2, 8)),
    "no variance between clusters": Plan(between=0.0),
    "little variance between clusters": Plan(between=1e-3),
    "much variance between clusters": Plan(between=30.0),
    "half of the coefficients vary": Plan(predictors=(1, 5)),
    "perfectly correlated coefficients": Plan(predictors=(1, 5)),
    "clusters of one row": Plan(spare=(2, 8)),
    "predictors x 1e6": Plan(predictors=(1, 5), change=_times(1e6)),
    "predictors x 1e-6": Plan(predictors=(1, 5), change=_times(1e-6)),
    "predictors on different scales": Plan(predictors=(1, 5), change=_scales),
    "predictors + 1e6": Plan(predictors=(1, 5), change=_shifted),
    "response x 1e6": Plan(change=_response(1e6)),
    "response x 1e-6": Plan(change=_response(1e-6)),
    "response + 1e6": Plan(change=_response(1.0, 1e6)),
    "cluster-level predictor": Plan(predictors=(1, 5), change=_between_clusters),
    "constant predictor": Plan(predictors=(1, 5), change=_constant),
    "duplicated predictor": Plan(predictors=(2, 5), change=_duplicated),
    "predictor a sum of others": Plan(predictors=(3, 5), change=_summed),
    "one cluster": Plan(clusters=(1, 1), spare=(2, 20)),
    "no residuals": Plan(between=0.0, residual=0.0),
    "constant response": Plan(change=_flat),
    "not finite": Plan(change=_not_finite),
}


def random_dataset(number: int) -> RandomDataset:
    """Dataset `number` of 500; its kind is the `number % 25`th."""
    kind = list(KINDS)[number % len(KINDS)]
    plan = KINDS[kind]
    draws = Draws(number)
    q = 1 + draws.whole(*plan.predictors)
    clusters = draws.whole(*plan.clusters)
    sizes = draws.sizes(q + plan.spare[0], q + plan.spare[1], clusters)
    if kind == "clusters of one row":
        sizes[:: draws.whole(2, 4)] = 1
    cluster = np.repeat(np.arange(clusters), sizes)
    X = draws.normal(cluster.size, q)
    X[:, 0] = 1.0
    own = plan.between * draws.normal(clusters, q)
    if kind == "half of the coefficients vary":
        own[:, 1::2] = 0.0
    if kind == "perfectly correlated coefficients":
        own[:, 1:] = own[:, :1]
    y = plan.residual * draws.normal(cluster.size)
    for column, coefficient in enumerate(draws.normal(q)):
        y += X[:, column] * (coefficient + own[cluster, column])
    plan.change(y, X, cluster, draws)
    return RandomDataset(
        kind, Shard(y, X, sizes[None, :], (INTERCEPT, *(f"x{k}" for k in range(1, q))))
    )
