"""Least squares in every cluster, and what is regressed on what over the clusters afterwards."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from clustrategy.core.fits import Fits
from clustrategy.core.shard import Floats, Ints, Shard
from clustrategy.estimation.least_squares import full_rank
from clustrategy.estimation.proportional_columns import factors, parents


class SecondStage(NamedTuple):
    """A regression over the clusters of their coefficients of one column.

    Attributes
    ----------
    response : which of the first stage's coefficients.
    columns : the q columns of X whose coefficients it gives, that column's first.
    design : (s, G, q) ones and the cluster-level predictors.
    """

    response: int
    columns: Ints
    design: Floats


@dataclass
class FirstStage:
    """The clusters' own regressions, of the s datasets of a shard that have the same `parents`.

    Attributes
    ----------
    sims : (s,) which datasets.
    parents : (p,) as `multiples.parents` gives them.
    n : (s, G) rows of each cluster.
    triangles : (s, G, p + 1, p + 1) as the shard's.
    """

    sims: Ints
    parents: Ints
    n: Ints
    triangles: Floats

    @classmethod
    def of(cls, shard: Shard) -> Iterator[FirstStage]:
        """The datasets of a shard, by their `parents`."""
        found = parents(shard.triangles[..., : shard.p])
        for pattern in np.unique(found, axis=0):
            sims = np.flatnonzero((found == pattern).all(axis=1))
            yield cls(sims, pattern, shard.n[sims], shard.triangles[sims])

    @cached_property
    def own(self) -> Ints:
        """(k,) the columns of X that have coefficients in the clusters' own regressions."""
        return np.flatnonzero(self.parents == np.arange(len(self.parents)))

    @cached_property
    def joined(self) -> Floats:
        """(s, G, k + 1, k + 1) triangular factors of these columns and y."""
        if self.own.size == len(self.parents):
            return self.triangles
        kept = np.append(self.own, len(self.parents))
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
        """(s, G, k)."""
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
        for response, parent in enumerate(self.own):
            columns = np.flatnonzero(self.parents == parent)
            design = np.ones((*self.n.shape, columns.size))
            with np.errstate(divide="ignore", invalid="ignore"):
                for place, column in enumerate(columns[1:], start=1):
                    design[..., place] = factors(
                        self.triangles[..., column], self.triangles[..., parent]
                    )
            found.append(SecondStage(response, columns, design))
        return found

    def mark_undefined(self, fits: Fits) -> None:
        """Fail the fits to datasets that lack a cluster's own regression or the second stage."""
        k, G = self.own.size, self.n.shape[1]
        small = (self.n < k).sum(axis=1)
        self.fail(
            fits,
            small > 0,
            [f"{j} of {G} clusters have fewer rows than the {k} coefficients" for j in small],
        )
        dependent = (~self.solvable).sum(axis=1)
        self.fail(
            fits,
            dependent > 0,
            [f"the predictors are linearly dependent in {j} of {G} clusters" for j in dependent],
        )
        everywhere = np.ones(self.sims.size, dtype=bool)
        if G < 2:
            self.fail(fits, everywhere, "one cluster: two-stage needs two")
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
                self.fail(
                    fits,
                    ~full_rank(np.asarray(np.linalg.qr(design, mode="r"))),
                    "the predictors are linearly dependent",
                )

    def fail(self, fits: Fits, where: NDArray[np.bool_], message: str | list[str]) -> None:
        """Mark fits to some of these datasets as undefined."""
        everywhere = np.zeros(fits.status.size, dtype=bool)
        everywhere[self.sims] = where
        messages = np.full(fits.status.size, "", dtype=object)
        messages[self.sims] = message
        fits.fail(everywhere, "undefined", list(messages))

    def defined(self, fits: Fits) -> FirstStage:
        """Those datasets whose fits have not failed."""
        kept = fits.status[self.sims] == "ok"
        if kept.all():
            return self
        return FirstStage(self.sims[kept], self.parents, self.n[kept], self.triangles[kept])
