"""Least squares in every cluster, and the regressions over the clusters that follow it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from clustrategy.core.fits import Fits
from clustrategy.core.shard import Floats, Ints, Shard
from clustrategy.estimation.least_squares import DEPENDENT, full_rank
from clustrategy.estimation.proportional_columns import first_proportional, ratios

ONE_CLUSTER = "one cluster: two-stage needs two"


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
    first : (p,) array of int
        For each column of X the first one that it is proportional to within every cluster.
    n : (s, G) array of int
        Rows of each cluster.
    triangles : (s, G, p + 1, p + 1) array
        The shard's triangular factors of these datasets.
    """

    sims: Ints
    first: Ints
    n: Ints
    triangles: Floats

    @classmethod
    def of(cls, shard: Shard) -> Iterator[FirstStage]:
        """Yield the datasets of a shard in groups with the same proportional columns."""
        first = first_proportional(shard.triangles[..., : shard.p])
        for pattern in np.unique(first, axis=0):
            sims = np.flatnonzero((first == pattern).all(axis=1))
            yield cls(sims, pattern, shard.n[sims], shard.triangles[sims])

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

    def mark_undefined(self, fits: Fits) -> None:
        """Fail the fits to datasets that cannot carry both stages.

        Parameters
        ----------
        fits : Fits
            Of the whole shard, marked in place.
        """
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
            [f"{DEPENDENT} in {j} of {G} clusters" for j in dependent],
        )
        everywhere = np.ones(self.sims.size, dtype=bool)
        if G < 2:
            self.fail(fits, everywhere, ONE_CLUSTER)
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
        return FirstStage(self.sims[kept], self.first, self.n[kept], self.triangles[kept])
