"""A shard of datasets as arrays: what simulate makes and every strategy takes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from clustrategy.core.proportional_columns import first_proportional
from clustrategy.core.triangles import Floats, Ints, triangles_of_clusters, triangular_factors

INTERCEPT = "(Intercept)"

DEFAULT_SEED = np.random.SeedSequence(0)
"""Of what resamples a dataset that came without a seed."""

ROWS_AT_ONCE = 65_536
"""Rows whose size is found at once: few enough for the cache."""

RANGE = (1e-70, 1e70)
"""Fourth powers of such numbers, which degrees of freedom take, keep all their digits."""


@dataclass(frozen=True)
class Shard:
    """S datasets of G clusters each, analysed by the same model `y ~ X`.

    Rows are sorted by dataset, then by cluster. Clusters may differ in size.

    Attributes
    ----------
    y : (R,) array
        Response, R the rows of all datasets together.
    X : (R, p) array
        Fixed-effect design, the intercept's column of ones included.
    n : (S, G) array of int
        Rows of each cluster, at least 1.
    terms : tuple of str
        The p names of the columns of X, as broom and lme4 write them.
    seeds : Sequence of SeedSequence, optional
        One of each dataset, for what resamples it; `DEFAULT_SEED` where there are none. They do not
        depend on the response.
    """

    y: Floats
    X: Floats
    n: Ints
    terms: tuple[str, ...]
    seeds: Sequence[np.random.SeedSequence] | None = None

    @classmethod
    def balanced(cls, y: Floats, X: Floats, terms: Sequence[str]) -> Shard:
        """Build a shard of equal clusters.

        Parameters
        ----------
        y : (S, G, n) array
            Response.
        X : (S, G, n, p) array
            Fixed-effect design.
        terms : sequence of str
            Names of the p columns.

        Returns
        -------
        Shard
        """
        sims, clusters, rows = y.shape
        n = np.full((sims, clusters), rows, dtype=np.int64)
        return cls(y.reshape(-1), X.reshape(y.size, -1), n, tuple(terms))

    @property
    def sims(self) -> int:
        """S, the number of datasets."""
        return self.n.shape[0]

    @property
    def clusters(self) -> int:
        """G, the number of clusters of each dataset."""
        return self.n.shape[1]

    @property
    def p(self) -> int:
        """The number of coefficients."""
        return len(self.terms)

    @cached_property
    def n_obs(self) -> Ints:
        """(S,) rows of each dataset, N."""
        return self.n.sum(axis=1)

    @cached_property
    def _bounds(self) -> Ints:
        return np.concatenate([[0], np.cumsum(self.n_obs)])

    def rows(self, sim: int) -> slice:
        """Return the rows of one dataset."""
        return slice(int(self._bounds[sim]), int(self._bounds[sim + 1]))

    def dataset(self, sim: int) -> Shard:
        """Return one dataset as a shard of its own."""
        rows = self.rows(sim)
        seeds = None if self.seeds is None else self.seeds[sim : sim + 1]
        return Shard(self.y[rows], self.X[rows], self.n[sim : sim + 1], self.terms, seeds)

    def generator(self, sim: int) -> np.random.Generator:
        """Return a generator for what resamples one dataset, the same one at every call."""
        seed = DEFAULT_SEED if self.seeds is None else self.seeds[sim]
        return np.random.Generator(np.random.PCG64(seed))

    def cluster_codes(self, sim: int) -> Ints:
        """Return the cluster, 0 to G - 1, of each row of one dataset, (N,)."""
        return np.repeat(np.arange(self.clusters), self.n[sim])

    @cached_property
    def _largest(self) -> Floats:
        """(S, p + 1) the largest number of each column of X and of y, by its size."""
        largest = np.empty((self.sims, self.p + 1))
        starts = self._bounds[:-1]
        at_once = max(1, ROWS_AT_ONCE * self.sims // max(1, len(self.y)))
        for first in range(0, self.sims, at_once):
            some = slice(first, first + at_once)
            rows = slice(starts[first], self._bounds[min(first + at_once, self.sims)])
            for column, x in enumerate((*self.X[rows].T, self.y[rows])):
                found = np.maximum.reduceat(np.abs(x), starts[some] - starts[first])
                largest[some, column] = found
        return largest

    @cached_property
    def finite(self) -> NDArray[np.bool_]:
        """(S,) whether all numbers of a dataset are finite."""
        return np.asarray(np.isfinite(self._largest).all(axis=1))

    @cached_property
    def in_range(self) -> NDArray[np.bool_]:
        """(S,) whether squares and products of a dataset's numbers neither overflow nor vanish.

        By the largest number of each column, if it is not 0: `RANGE`, and so for y over each of X.
        """
        largest = np.where(self._largest == 0.0, 1.0, self._largest)
        low, high = RANGE
        with np.errstate(over="ignore", under="ignore"):
            scales = np.column_stack([largest, largest[:, -1:] / largest])
        return np.asarray(((scales > low) & (scales < high)).all(axis=1))

    @cached_property
    def triangles(self) -> Floats:
        """(S, G, p + 1, p + 1) triangular factors of `[X_g y_g]`, padded with rows of zeros.

        `T_g' T_g = [X_g y_g]' [X_g y_g]`: all that least squares, its cluster-robust variances
        and two-stage regression need of a cluster, whatever its size. Forming the cross-products
        themselves would lose digits (Golub & Van Loan 2013, section 5.3).
        """
        factors = triangles_of_clusters(self.X, self.y, self.n.reshape(-1))
        return factors.reshape(self.sims, self.clusters, *factors.shape[1:])

    @cached_property
    def whole(self) -> Floats:
        """(S, p + 1, p + 1) triangular factors of `[X y]` of each dataset."""
        stacked = self.triangles.reshape(self.sims, -1, self.p + 1)
        return triangular_factors(stacked)

    @cached_property
    def first_proportional(self) -> Ints:
        """(S, p) of each column of X the first one that it is a multiple of in every cluster."""
        return first_proportional(self.triangles[..., : self.p])
