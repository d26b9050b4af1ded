"""A study yet to come whose clusters are like those of a table."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from clustrategy.core.shard import Floats, Ints, Shard
from clustrategy.design.variation import differs_within
from clustrategy.dgp.given import GivenProcess, draw_given
from clustrategy.dgp.seeds import Generators, Seeds, Stream, Streams, cell_key

ROUNDING = 1e-9
"""A whole number of clusters may come out less by so much."""


@dataclass(frozen=True)
class Resampled:
    """Whole clusters of a table, resampled with replacement, each a cluster of its own.

    The clusters are drawn anew for every simulated study. Where the predictor of interest is 0 or
    1 for whole clusters, or one of the dummies of a category that is, the shares of the arms stay
    those of the table, and clusters are drawn within them. The coefficients are 0.

    Attributes
    ----------
    process : GivenProcess
        How outcomes are drawn on the table itself.
    term : str
        The coefficient of interest.
    scenario : str
        Which supposition about the variances the process is.
    said_of_rows : str
        A sentence on the rows of the table that are left out, empty where none are.
    category : tuple of str
        All coefficients of the category that the one of interest belongs to.
    """

    process: GivenProcess
    term: str
    scenario: str
    said_of_rows: str = ""
    category: tuple[str, ...] = ()

    @property
    def terms(self) -> tuple[str, ...]:
        """The names of the coefficients."""
        return self.process.terms

    @cached_property
    def _predictor(self) -> Floats:
        return np.asarray(self.process.shard.X[:, self.terms.index(self.term)])

    @cached_property
    def _starts(self) -> Ints:
        n = self.process.shard.n[0]
        return np.cumsum(n) - n

    @cached_property
    def _varies(self) -> NDArray[np.bool_]:
        """(p,) which columns of X vary within clusters."""
        return np.asarray(differs_within(self.process.shard).any(axis=0))

    @property
    def varies_within(self) -> bool:
        """Whether the predictor of interest varies within clusters."""
        return bool(self._varies[self.terms.index(self.term)])

    @property
    def lost(self) -> int:
        """The degrees of freedom that coefficients take from a test of the predictor."""
        return 1 if self.varies_within else int((~self._varies).sum())

    @cached_property
    def arms(self) -> tuple[Ints, ...]:
        """The clusters of each arm, or all together where there are no arms."""
        columns = [self.terms.index(name) for name in self.category or (self.term,)]
        values = self.process.shard.X[self._starts][:, columns]
        if self._varies[columns].any() or not np.isin(values, (0.0, 1.0)).all():
            return (np.arange(self._starts.size),)
        _, arm = np.unique(values, axis=0, return_inverse=True)
        arm = arm.reshape(-1)
        return tuple(np.flatnonzero(arm == number) for number in range(arm.max() + 1))

    @property
    def treated(self) -> float | None:
        """The share of clusters in the second of two arms."""
        if len(self.arms) != 2:
            return None
        return self.arms[1].size / self.process.clusters

    def in_arms(self, clusters: int) -> list[int]:
        """Return how many of some clusters are in each arm, by largest remainders."""
        exact = [clusters * arm.size / self.process.clusters for arm in self.arms]
        counts = [int(np.floor(one + ROUNDING)) for one in exact]
        rest = [one - count for one, count in zip(exact, counts, strict=True)]
        last = sorted(range(len(rest)), key=lambda arm: (round(-rest[arm], 9), -arm))
        for arm in last[: clusters - sum(counts)]:
            counts[arm] += 1
        return counts

    @property
    def total_sd(self) -> float:
        """The root of the variance of the response about its mean, averaged over the rows."""
        shard = self.process.shard
        Z = shard.X[:, [shard.terms.index(name) for name in self.process.random]]
        sigma = np.broadcast_to(np.asarray(self.process.sigma), shard.clusters)
        between = np.einsum("ij,jk,ik->i", Z, self.process.covariance, Z)
        return float(np.sqrt((between + np.repeat(sigma, shard.n[0]) ** 2).mean()))

    @property
    def rows_per_cluster(self) -> float:
        """The mean number of rows."""
        return self.process.rows / self.process.clusters

    def draw(self, clusters: int, seed: int, sims: Sequence[int]) -> Shard:
        """Draw some studies; as of `Described`."""
        name = f"{self.scenario}, {clusters} clusters"
        key = cell_key({"scenario": name})
        chosen = self._chosen(clusters, Streams.of(seed, key, sims)(Stream.SIZES))
        drawn = [
            draw_given(self._on(own), seed, name, [sim])
            for own, sim in zip(chosen, sims, strict=True)
        ]
        return Shard(
            np.concatenate([one.y for one in drawn]),
            np.concatenate([one.X for one in drawn]),
            np.concatenate([one.n for one in drawn]),
            self.terms,
            Seeds(seed, key, sims, Stream.RESAMPLING),
        )

    def _chosen(self, clusters: int, generators: Generators) -> Ints:
        """Draw (S, G) clusters of the table."""
        parts = [
            arm[generators.integers(arm.size, count)]
            for arm, count in zip(self.arms, self.in_arms(clusters), strict=True)
        ]
        return np.concatenate(parts, axis=1)

    def _on(self, chosen: Ints) -> GivenProcess:
        """Return the process on some clusters of the table."""
        shard = self.process.shard
        n = shard.n[0][chosen]
        within = np.arange(n.sum()) - np.repeat(np.cumsum(n) - n, n)
        rows = np.repeat(self._starts[chosen], n) + within
        sigma = np.asarray(self.process.sigma)
        return replace(
            self.process,
            shard=Shard(np.zeros(rows.size), shard.X[rows], n[None, :], shard.terms),
            sigma=sigma[chosen] if sigma.ndim else float(sigma),
        )
