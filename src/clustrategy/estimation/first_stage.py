"""Least squares in every cluster, and the regressions over the clusters that follow it.

A cluster is small if it cannot carry a regression of its own, or none with a residual. Given
normal predictors, the slopes of a cluster with as many rows as coefficients are Cauchy about the
cluster's true ones: without an expectation, and so is every mean that counts them (Graham &
Powell 2012, Econometrica 80, 2105-2152, call such panels irregular).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from clustrategy.core.fits import Fits
from clustrategy.core.proportional_columns import ratios
from clustrategy.core.shard import INTERCEPT, Floats, Ints, Shard
from clustrategy.estimation.least_squares import DEPENDENT, full_rank

SmallClusters = Literal["drop", "refuse", "keep"]

Adjust = Literal["nothing", "slopes"]

SLOPES_ALIKE = "the clusters' slopes do not differ, or are those of a cluster-level predictor"

WORDS: dict[SmallClusters, str] = {
    "drop": "left out",
    "refuse": "refused",
    "keep": "that cannot be kept",
}
"""What messages call the small clusters."""


class SecondStage(NamedTuple):
    """A regression over the clusters of one of their coefficients.

    Attributes
    ----------
    response : int
        Which of the first stage's coefficients is the response.
    columns : (q,) array of int
        The columns of X whose coefficients the regression gives, the response's own first.
    design : (s, G, q) array
        Ones and the cluster-level predictors.
    """

    response: int
    columns: Ints
    design: Floats


@dataclass
class FirstStage:
    """The clusters' own regressions in datasets with the same proportional columns.

    Attributes
    ----------
    sims : (s,) array of int
        Which datasets of the shard.
    counts : (s, C) array of bool
        Which of the shard's C clusters count, G in each of these datasets.
    first : (p,) array of int
        For each column of X the first one that it is proportional to within every cluster.
    n : (s, G) array of int
        Rows of each cluster.
    triangles : (s, G, p + 1, p + 1) array
        Their triangular factors.
    means : bool
        Whether the clusters' own regressions are nothing but their means.
    """

    sims: Ints
    counts: NDArray[np.bool_]
    first: Ints
    n: Ints
    triangles: Floats
    means: bool

    @classmethod
    def of(cls, shard: Shard) -> Iterator[FirstStage]:
        """Yield the datasets of a shard in groups with the same proportional columns."""
        first = shard.first_proportional
        for pattern in np.unique(first, axis=0):
            sims = np.flatnonzero((first == pattern).all(axis=1))
            counts = np.ones((sims.size, shard.clusters), dtype=bool)
            means = INTERCEPT in shard.terms and not pattern.any()
            yield cls(sims, counts, pattern, shard.n[sims], shard.triangles[sims], means)

    @cached_property
    def own(self) -> Ints:
        """(k,) the columns of X that have coefficients in the clusters' own regressions."""
        return np.flatnonzero(self.first == np.arange(len(self.first)))

    @cached_property
    def joined(self) -> Floats:
        """(s, G, k + 1, k + 1) triangular factors of these columns and y."""
        if self.own.size == len(self.first):
            return self.triangles
        kept = np.append(self.own, len(self.first))
        return np.asarray(np.linalg.qr(self.triangles[..., kept], mode="r"))

    @cached_property
    def solvable(self) -> NDArray[np.bool_]:
        """(s, G) whether a cluster can carry a regression of its own."""
        k = self.own.size
        return (self.n >= k) & full_rank(self.joined[..., :k, :k])

    @cached_property
    def triangle(self) -> Floats:
        """(s, G, k, k) the triangles of the predictors alone."""
        k = self.own.size
        return np.where(self.solvable[..., None, None], self.joined[..., :k, :k], np.eye(k))

    @cached_property
    def coefficients(self) -> Floats:
        """(s, G, k) the clusters' own coefficients."""
        k = self.own.size
        return np.asarray(np.linalg.solve(self.triangle, self.joined[..., :k, k:])[..., 0])

    @cached_property
    def variances(self) -> Floats:
        """(s, G, k) s_g^2 (X_g'X_g)^-1_kk, NaN without residual degrees of freedom."""
        k = self.own.size
        with np.errstate(divide="ignore", invalid="ignore"):
            residual = self.joined[..., k, k] ** 2 / np.where(self.n > k, self.n - k, np.nan)
        root = np.linalg.inv(self.triangle)
        return residual[..., None] * (root * root).sum(axis=-1)

    @cached_property
    def second(self) -> list[SecondStage]:
        """The regressions over the clusters, one for each of the clusters' coefficients."""
        found = []
        for response, own in enumerate(self.own):
            columns = np.flatnonzero(self.first == own)
            design = np.ones((*self.n.shape, columns.size))
            with np.errstate(divide="ignore", invalid="ignore"):
                for place, column in enumerate(columns[1:], start=1):
                    design[..., place] = ratios(
                        self.triangles[..., column], self.triangles[..., own]
                    )
            found.append(SecondStage(response, columns, design))
        return found

    @cached_property
    def covariates(self) -> Ints:
        """The coefficients of the first stage that the model has the same in all clusters' means.

        They do not depend on cluster-level predictors, and may so stand beside these.
        """
        alone = [second.response for second in self.second if second.columns.size == 1]
        return np.array(alone, dtype=np.int64)

    def beside_slopes(self, second: SecondStage) -> Floats:
        """Return the design of a regression over the clusters with their other coefficients in it.

        Parameters
        ----------
        second : SecondStage
            One with cluster-level predictors.

        Returns
        -------
        (s, G, q + m) array
        """
        return np.concatenate([second.design, self.coefficients[..., self.covariates]], axis=2)

    def small(self, small_clusters: SmallClusters, variances: bool) -> NDArray[np.bool_]:
        """Tell which clusters are small.

        Without residual degrees of freedom there is no variance. Where none is needed such a
        cluster is small if it has slopes and others have residual degrees of freedom. If none
        has, as in paired measurements, or if the regression is nothing but a mean, it is as good
        as the others.

        Parameters
        ----------
        small_clusters : str
            With `keep` only those are small that cannot carry a regression at all.
        variances : bool
            Whether every cluster needs a variance.

        Returns
        -------
        (s, G) array of bool
        """
        residual = self.solvable & (self.n > self.own.size)
        if small_clusters == "keep" or (self.means and not variances):
            return ~self.solvable
        if variances:
            return ~residual
        return ~np.where(residual.any(axis=1, keepdims=True), residual, self.solvable)

    def reasons(self, small: NDArray[np.bool_], word: str) -> NDArray[Any]:
        """Say of each dataset how many clusters are small, and why.

        Parameters
        ----------
        small : (s, G) array of bool
            Which clusters are.
        word : str
            What they are called.

        Returns
        -------
        (s,) array of str
            Empty where no cluster is small.
        """
        k = self.own.size
        few, saturated = self.n < k, (self.n == k) & self.solvable
        kinds = {
            f"fewer rows than the {k} coefficients": few,
            "as many rows as coefficients": saturated,
            "linearly dependent predictors": ~few & ~saturated,
        }
        sums = {kind: (small & there).sum(axis=1) for kind, there in kinds.items()}
        found = np.full(len(small), "", dtype=object)
        for place in np.flatnonzero(small.any(axis=1)):
            parts = [f"{j[place]} with {kind}" for kind, j in sums.items() if j[place]]
            whole = f"{small[place].sum()} of {small.shape[1]} clusters {word}"
            found[place] = f"{whole}: {', '.join(parts)}"
        return found

    def without(self, small: NDArray[np.bool_]) -> Iterator[FirstStage]:
        """Yield the datasets without some clusters, in groups with the same number of them.

        Parameters
        ----------
        small : (s, G) array of bool
            The clusters to leave out.
        """
        if not small.any():
            yield self
            return
        left = (~small).sum(axis=1)
        for G in np.unique(left):
            there = left == G
            sims, counts, kept = self.sims[there], self.counts[there], ~small[there]
            counts[counts] = kept.reshape(-1)
            n = self.n[there][kept].reshape(sims.size, G)
            triangles = self.triangles[there][kept]
            triangles = triangles.reshape(*n.shape, *triangles.shape[1:])
            yield FirstStage(sims, counts, self.first, n, triangles, self.means)

    def dataset(self, shard: Shard, place: int) -> Shard:
        """Return one of these datasets with the clusters that count.

        Parameters
        ----------
        shard : Shard
            All datasets.
        place : int
            Which of the stage's datasets.

        Returns
        -------
        Shard
        """
        one, counts = shard.dataset(int(self.sims[place])), self.counts[place]
        rows = np.repeat(counts, one.n[0])
        return replace(one, y=one.y[rows], X=one.X[rows], n=one.n[:, counts])

    def mark_undefined(self, fits: Fits) -> None:
        """Fail the fits to datasets that have too few clusters for the second stage.

        Parameters
        ----------
        fits : Fits
            Of the whole shard, marked in place.
        """
        G = self.n.shape[1]
        everywhere = np.ones(self.sims.size, dtype=bool)
        if G < 2:
            self.fail(fits, everywhere, f"{('no', 'one')[G]} cluster: two-stage needs two")
        for second in self.second:
            q = second.columns.size
            if q >= G:
                self.fail(
                    fits,
                    everywhere,
                    f"{G} clusters cannot carry a regression with {q} coefficients over them",
                )
            elif q > 1:
                design = np.where(np.isfinite(second.design), second.design, 0.0)
                self.fail(fits, ~full_rank(np.asarray(np.linalg.qr(design, mode="r"))), DEPENDENT)

    def mark_unadjustable(self, fits: Fits) -> None:
        """Fail the fits to datasets whose regressions cannot be adjusted for slopes.

        Parameters
        ----------
        fits : Fits
            Of the whole shard, marked in place.
        """
        G = self.n.shape[1]
        for second in self.second:
            q = second.columns.size
            if q == 1:
                continue
            wide = q + self.covariates.size
            if wide >= G:
                everywhere = np.ones(self.sims.size, dtype=bool)
                beside = f"{wide} coefficients over them, {wide - q} of slopes"
                self.fail(fits, everywhere, f"{G} clusters cannot carry a regression with {beside}")
            else:
                design = self.beside_slopes(second)
                design = np.where(np.isfinite(design), design, 0.0)
                dependent = ~full_rank(np.asarray(np.linalg.qr(design, mode="r")))
                self.fail(fits, dependent, SLOPES_ALIKE)

    def fail(self, fits: Fits, where: NDArray[np.bool_], message: str | list[str]) -> None:
        """Mark fits to some of these datasets as undefined.

        Parameters
        ----------
        fits : Fits
            Of the whole shard, marked in place.
        where : (s,) array of bool
            Which of these datasets.
        message : str or list of str
            Why, once or for each of these datasets.
        """
        everywhere = np.zeros(fits.status.size, dtype=bool)
        everywhere[self.sims] = where
        messages = np.full(fits.status.size, "", dtype=object)
        messages[self.sims] = message
        fits.fail(everywhere, "undefined", list(messages))

    def defined(self, fits: Fits) -> FirstStage:
        """Return the datasets whose fits have not failed."""
        kept = fits.status[self.sims] == "ok"
        if kept.all():
            return self
        parts = (self.sims[kept], self.counts[kept], self.first, self.n[kept])
        return FirstStage(*parts, self.triangles[kept], self.means)


def first_stages(
    shard: Shard,
    fits: Fits,
    small_clusters: SmallClusters,
    variances: bool = False,
    adjust: Adjust = "nothing",
) -> tuple[list[FirstStage], NDArray[Any]]:
    """Fit the clusters' own regressions, each dataset without its small clusters.

    Parameters
    ----------
    shard : Shard
        The datasets.
    fits : Fits
        Marked in place: undefined where small clusters may not be left out, or too few are left.
    small_clusters : str
        `drop` leaves them out; with `refuse` datasets that have some are undefined, as with
        `keep` those that have some without coefficients.
    variances : bool
        Whether every cluster needs a variance.
    adjust : str
        With `slopes` regressions over the clusters have to carry the clusters' slopes, too.

    Returns
    -------
    stages : list of FirstStage
        The datasets in groups with as many clusters and the same proportional columns.
    left_out : (S,) array of str
        How many clusters of each dataset were left out, and why; empty where none was.
    """
    stages: list[FirstStage] = []
    left_out = np.full(shard.sims, "", dtype=object)
    for whole in FirstStage.of(shard):
        small = whole.small(small_clusters, variances)
        reasons = whole.reasons(small, WORDS[small_clusters])
        if small_clusters == "drop":
            left_out[whole.sims] = reasons
            stages += whole.without(small)
        else:
            whole.fail(fits, np.asarray(small.any(axis=1)), list(reasons))
            stages.append(whole)
    for stage in stages:
        stage.mark_undefined(fits)
        if adjust == "slopes":
            stage.mark_unadjustable(fits)
    return stages, left_out


def tell(fits: Fits, left_out: NDArray[Any]) -> None:
    """Begin the messages with what was left out.

    Parameters
    ----------
    fits : Fits
        Changed in place.
    left_out : (S,) array of str
        Of each dataset, as `first_stages` gives it.
    """
    for sim in np.flatnonzero(left_out != ""):
        fits.tell(sim, left_out[sim], first=True)
