"""A study yet to come, described by its sizes, its variances and who is treated."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Literal

import numpy as np

from clustrategy.core.one_design import on_one_design
from clustrategy.core.shard import INTERCEPT, Floats, Ints, Shard
from clustrategy.dgp.arms import is_treated
from clustrategy.dgp.process import Process
from clustrategy.dgp.seeds import Seeds, Stream, Streams, cell_key
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
        streams = Streams.of(seed, key, sims)
        seeds = Seeds(seed, key, sims, Stream.RESAMPLING)
        base = streams(Stream.BASE)
        deviations = base.standard_normal(2 * clusters).reshape(-1, 2, clusters)
        if not self.size_cv:
            n = np.full((1, clusters), self.rows, dtype=np.int64)
            X = self._design(n)
            errors = base.standard_normal(len(X)).reshape(len(sims), -1)
            by_row = np.repeat(deviations, n[0], axis=2)
            y = self._response(X, errors, by_row[:, 0], by_row[:, 1])
            return on_one_design(y, Shard(y[0], X, n, self.terms), seeds)
        n = cluster_sizes(self._sizes(clusters), deviations[:, 0], streams)
        X = self._design(n)
        errors = base.standard_normal(n.sum(axis=1))
        means, slopes = (np.repeat(deviations[:, k], n.reshape(-1)) for k in (0, 1))
        return Shard(self._response(X, errors, means, slopes), X, n, self.terms, seeds)

    def _response(self, X: Floats, errors: Floats, means: Floats, slopes: Floats) -> Floats:
        """Return responses, (..., R), from standard normals: errors and deviations by row."""
        y = self.sigma_residual * errors
        y += self.sigma_between * means
        if self.sigma_slope:
            y += self.sigma_slope * X[:, 1] * slopes
        return y

    def _design(self, n: Ints) -> Floats:
        """Return X, (R, 2), of clusters of these sizes, (S, G)."""
        rows = n.reshape(-1)
        if self.varies_within:
            unit = np.arange(rows.sum()) - np.repeat(np.cumsum(rows) - rows, rows)
        else:
            unit = np.repeat(np.arange(rows.size) % n.shape[1], rows)
        return np.column_stack([np.ones(unit.size), is_treated(unit, self.treated)])

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
