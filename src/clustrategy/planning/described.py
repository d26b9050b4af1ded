"""A study yet to come, described by its sizes, its variances and who is treated."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Literal

import numpy as np

from clustrategy.core.one_design import on_one_design
from clustrategy.core.shard import INTERCEPT, Floats, Ints, Shard
from clustrategy.dgp.process import Process
from clustrategy.dgp.seeds import Stream, cell_key, seed_of, streams
from clustrategy.dgp.sizes import cluster_sizes

TREATMENT = "treatment"


@dataclass(frozen=True)
class Described:
    """Clusters of which some, or in which some rows, have a treatment.

    Sizes are drawn anew for every simulated study: they are not known beforehand, and the power is
    the mean over those that may come. How many clusters, or rows of a cluster, are treated is
    fixed. The coefficients are 0.

    Attributes
    ----------
    rows : int
        The rows of a cluster; their mean if sizes vary.
    size_cv : float
        The coefficient of variation of the cluster sizes.
    treatment : {"between", "within"}
        Whether whole clusters are treated, or some rows of each.
    treated : float
        The share of clusters, or of the rows of each cluster, that is treated.
    sigma_between, sigma_slope, sigma_residual : float
        The standard deviations of the clusters' means without treatment, of its effect between
        clusters, and of the errors; all of them are independent and normal.
    """

    rows: int
    size_cv: float
    treatment: Literal["between", "within"]
    treated: float
    sigma_between: float
    sigma_slope: float
    sigma_residual: float

    terms = (INTERCEPT, TREATMENT)
    term = TREATMENT

    @property
    def varies_within(self) -> bool:
        """Whether the treatment varies within clusters."""
        return self.treatment == "within"

    @property
    def lost(self) -> int:
        """The degrees of freedom that coefficients take from a test of the treatment."""
        return 1 if self.varies_within else 2

    @property
    def total_sd(self) -> float:
        """The standard deviation of the response without treatment."""
        return float(np.hypot(self.sigma_between, self.sigma_residual))

    @property
    def rows_per_cluster(self) -> float:
        """The mean number of rows."""
        return float(self.rows)

    def draw(self, clusters: int, seed: int, sims: Sequence[int]) -> Shard:
        """Draw some studies.

        Parameters
        ----------
        clusters : int
            The clusters of each, G.
        seed : int
            From which all numbers follow.
        sims : Sequence of int
            The numbers of the studies. Each is the same whatever stands beside it.

        Returns
        -------
        Shard
            S datasets, with a stream of their own for what resamples them.
        """
        key = cell_key({**asdict(self), "clusters": clusters})
        seeds = tuple(seed_of(seed, key, sim, Stream.RESAMPLING) for sim in sims)
        generators = [streams(seed, key, sim) for sim in sims]
        deviations = np.empty((len(sims), 2, clusters))
        if not self.size_cv:
            n = np.full(clusters, self.rows, dtype=np.int64)
            design = self._design(n)
            y = np.empty((len(sims), len(design.X)))
            for place, one in enumerate(generators):
                rng = one(Stream.BASE)
                rng.standard_normal(out=deviations[place])
                rng.standard_normal(out=y[place])
            return on_one_design(self._response(design, y, deviations), design, seeds)
        parts = []
        for place, one in enumerate(generators):
            rng = one(Stream.BASE)
            rng.standard_normal(out=deviations[place])
            process = self._sizes(clusters)
            design = self._design(cluster_sizes(process, deviations[place, 0], one))
            errors = rng.standard_normal((1, len(design.X)))
            y = self._response(design, errors, deviations[[place]])
            parts.append((y[0], design.X, design.n[0]))
        return Shard(
            np.concatenate([y for y, _, _ in parts]),
            np.concatenate([X for _, X, _ in parts]),
            np.stack([n for _, _, n in parts]),
            self.terms,
            seeds,
        )

    def _response(self, design: Shard, errors: Floats, deviations: Floats) -> Floats:
        """Return (S, R) responses from standard normals: (S, R) errors and (S, 2, G) deviations."""
        codes = design.cluster_codes(0)
        y = self.sigma_residual * errors
        y += self.sigma_between * np.take(deviations[:, 0], codes, axis=1)
        if self.sigma_slope:
            y += self.sigma_slope * design.X[:, 1] * np.take(deviations[:, 1], codes, axis=1)
        return y

    def _design(self, n: Ints) -> Shard:
        """Return the design of clusters of these sizes."""
        cluster = np.repeat(np.arange(n.size), n)
        rank = np.arange(cluster.size) - np.repeat(np.cumsum(n) - n, n)
        unit = rank if self.varies_within else cluster
        X = np.column_stack([np.ones(cluster.size), is_treated(unit, self.treated)])
        return Shard(np.zeros(cluster.size), X, n[None, :], self.terms)

    def _sizes(self, clusters: int) -> Process:
        """Return the process that cluster sizes are drawn by."""
        return Process(
            clusters=clusters,
            obs_per_cluster=self.rows,
            between_cluster_sigma=self.sigma_between,
            predictors=0,
            coefficients=[0.0],
            residual_sigma=self.sigma_residual,
            size_cv=self.size_cv,
        )


def is_treated(units: Ints, share: float) -> Floats:
    """Return which of numbered units are treated, 0 or 1: of the first n, the share nearest to it.

    Examples
    --------
    >>> is_treated(np.arange(6), 0.5).tolist(), is_treated(np.arange(6), 0.33).tolist()
    ([1.0, 0.0, 1.0, 0.0, 1.0, 0.0], [0.0, 1.0, 0.0, 0.0, 1.0, 0.0])
    """
    return np.floor((units + 1) * share + 0.5) - np.floor(units * share + 0.5)
