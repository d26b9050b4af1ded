"""Placebos of a term: designs in which its predictor is none, as like the real one as may be."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import factorial, prod

import numpy as np

from clustrategy.core.counted import counted
from clustrategy.core.shard import Floats, Ints, Shard
from clustrategy.design.variation import differs_within, starts

PERMUTED = "permuted among clusters"
FLIPPED = "signs flipped by cluster"

FEWEST = 20
"""Different placebos of a term, the real predictor among them, that a rate can be made of."""

LIKE = 2.0
"""Clusters are alike whose sizes, and whose leverages, are at most so many times the least."""

ROUNDING = 1e-9
"""Residuals of a predictor that are a smaller share of its largest number are zero."""


@dataclass(frozen=True)
class Placebos:
    """The placebos of one term.

    Attributes
    ----------
    shard : Shard
        The dataset.
    columns : (k,) array of int
        The columns of X that the term has.
    kind : str
        `PERMUTED` or `FLIPPED`.
    residuals : (N, k) or (G, k) array
        What the other predictors do not say of the columns: of rows where signs are flipped, of
        clusters where values are permuted.
    moves : (D, G) array
        The different placebos: a sign of each cluster, or the cluster whose residuals it gets.
    times : (D,) array of int
        How often each was drawn.
    note : str
        What is to be known of them, or why there are none.
    """

    shard: Shard
    columns: Ints
    kind: str
    residuals: Floats
    moves: Ints
    times: Ints
    note: str

    def designs(self) -> Iterator[Shard]:
        """Give the dataset with each of the placebos in place of the term."""
        shard = self.shard
        codes, own = shard.cluster_codes(0), shard.X[:, self.columns]
        least = ROUNDING * np.abs(own).max(axis=0)
        for move in self.moves:
            if self.kind == FLIPPED:
                values = own + (move[codes, None] - 1.0) * self.residuals
            else:
                values = own + (self.residuals[move] - self.residuals)[codes]
            # What is 0 but for rounding would be a predictor in clusters that have none.
            values[np.abs(values) <= least] = 0.0
            X = shard.X.copy()
            X[:, self.columns] = values
            yield Shard(shard.y, X, shard.n, shard.terms)


def placebos(
    shard: Shard, columns: Sequence[int], draws: int, generator: np.random.Generator
) -> Placebos:
    """Draw placebos of a term.

    The columns of a term, such as those of a factor, move together. They are residualised by the
    other predictors, and only their residuals move: what the other predictors say of them stays, as
    in Freedman & Lane (1983, JBES 1, 292-298) and Kennedy (1995, JBES 13, 85-94).

    - A term that is constant within clusters: the residuals, by the clusters' means of the other
      predictors, are permuted among clusters. A permutation changes the leverage of the clusters
      where these are unequal, so it stays among like ones (compare MacKinnon & Webb 2020, J
      Econometrics 218, 435-450): clusters by size are cut into strata in which the largest is at
      most `LIKE` times the smallest, and these in the same way by the leverage that their other
      predictors give them. Where that leaves fewer than `FEWEST` placebos, all clusters are one
      stratum. Were the predictor randomised among the clusters of a stratum, and were there no
      other predictors, a test by these permutations would be exact; for a predictor that was not
      randomised nothing makes clusters exchangeable.
    - A term that varies within clusters: the signs of the residuals are flipped in clusters drawn
      at random. To permute them within clusters would destroy what slopes that vary do to a test.
      Flips keep them, the order of rows, and each cluster's share of the predictor, between
      clusters and within, so that there is no need of like clusters, nor to split a predictor that
      varies in both ways. They suppose errors as likely as with all signs of a cluster reversed.
      An interaction of a predictor between clusters with one within them is such a term: with two
      arms of equal size, flips assign clusters to arms anew.

    Parameters
    ----------
    shard : Shard
        One dataset, X of full rank.
    columns : sequence of int
        The columns of X that the term has.
    draws : int
        How many to draw. Those that are the same, or differ in all signs, are kept once and
        counted.
    generator : Generator
        By which they are drawn.

    Returns
    -------
    Placebos
        Without a single one, and with a note, where fewer than `FEWEST` differ.
    """
    own = np.asarray(columns, dtype=np.int64)
    others = np.delete(shard.X, own, axis=1)
    if differs_within(shard)[:, own].any():
        residuals = _residuals(shard.X[:, own], others)
        residuals[np.abs(residuals) <= ROUNDING * np.abs(shard.X[:, own]).max(axis=0)] = 0.0
        return _flipped(shard, own, residuals, draws, generator)
    return _permuted(shard, own, others, draws, generator)


def _flipped(
    shard: Shard, columns: Ints, residuals: Floats, draws: int, generator: np.random.Generator
) -> Placebos:
    moving = np.flatnonzero(np.add.reduceat(np.abs(residuals), starts(shard), axis=0).any(axis=1))
    # A placebo and that with all signs reversed are one.
    if moving.size < 1 + np.log2(FEWEST):
        note = f"no placebo: it varies, given the others, in {counted(moving.size, 'cluster')}"
        return _none(shard, columns, FLIPPED, residuals, f"{note}, too few to flip")
    signs = np.ones((draws, shard.clusters), dtype=np.int64)
    signs[:, moving[1:]] = generator.choice([-1, 1], size=(draws, moving.size - 1))
    moves, times = np.unique(signs, axis=0, return_counts=True)
    return Placebos(shard, columns, FLIPPED, residuals, moves, times, "")


def _permuted(
    shard: Shard, columns: Ints, others: Floats, draws: int, generator: np.random.Generator
) -> Placebos:
    first, sizes = starts(shard), shard.n[0]
    values = shard.X[np.ix_(first, columns)]
    means = np.add.reduceat(others, first, axis=0) / sizes[:, None]
    weight = np.sqrt(sizes)[:, None]
    residuals = _residuals(weight * values, weight * means) / weight
    largest = np.abs(values).max(axis=0)
    rounded = np.round(residuals / (ROUNDING * largest)).astype(np.int64)
    kinds = np.unique(rounded, axis=0, return_inverse=True)[1].reshape(-1)
    strata, note = _alike(sizes, _leverage(others, first)), ""
    if _arrangements(kinds, strata) < FEWEST:
        strata = np.zeros(shard.clusters, dtype=np.int64)
        note = "too few clusters are alike in size and leverage: permuted among all"
    elif strata.any():
        alone = int((np.bincount(strata) == 1).sum())
        note = f"permuted within {strata.max() + 1} groups of like size and leverage"
        if alone:
            note += f", {alone} of them a single cluster, which stays as it is"
    if (found := _arrangements(kinds, strata)) < FEWEST:
        note = "no placebo: there is no other way to assign it to the clusters"
        if found > 1:
            note = f"no placebo: there are only {found} ways to assign it to the clusters"
        return _none(shard, columns, PERMUTED, residuals, note)
    order = np.argsort(strata, kind="stable")
    shuffled = np.lexsort((generator.random((draws, shard.clusters)), np.tile(strata, (draws, 1))))
    moves = np.empty((draws, shard.clusters), dtype=np.int64)
    moves[:, order] = shuffled
    _, which, times = np.unique(kinds[moves], axis=0, return_index=True, return_counts=True)
    return Placebos(shard, columns, PERMUTED, residuals, moves[which], times, note)


def _none(shard: Shard, columns: Ints, kind: str, residuals: Floats, note: str) -> Placebos:
    empty = np.empty((0, shard.clusters), dtype=np.int64)
    return Placebos(shard, columns, kind, residuals, empty, empty[:, 0], note)


def _residuals(values: Floats, others: Floats) -> Floats:
    """Return what least squares of the others leaves of values, both (rows, columns)."""
    if not others.shape[1]:
        return values.copy()
    return np.asarray(values - others @ np.linalg.lstsq(others, values, rcond=None)[0])


def _leverage(others: Floats, first: Ints) -> Floats:
    """Return the leverage, (G,), that predictors give the clusters which begin at these rows."""
    Q = np.linalg.qr(others)[0]
    return np.asarray(np.add.reduceat((Q * Q).sum(axis=1), first))


def _alike(sizes: Ints, leverage: Floats) -> Ints:
    """Return to which stratum of like clusters each of them belongs, (G,)."""
    strata = _cut(sizes)
    for stratum in range(strata.max() + 1):
        inside = np.flatnonzero(strata == stratum)
        finer = _cut(leverage[inside])
        strata[inside] = np.where(finer == 0, stratum, strata.max() + finer)
    return strata


def _cut(values: Floats | Ints) -> Ints:
    """Cut values, from the least on, where they exceed `LIKE` times the least of their stratum."""
    strata = np.empty(values.size, dtype=np.int64)
    stratum, least = -1, -np.inf
    for place in np.argsort(values, kind="stable"):
        if stratum < 0 or values[place] > LIKE * least * (1.0 + ROUNDING):
            stratum, least = stratum + 1, values[place]
        strata[place] = stratum
    return strata


def _arrangements(kinds: Ints, strata: Ints) -> int:
    """Return in how many different ways clusters of a stratum can exchange their values."""
    ways = 1
    for stratum in np.unique(strata):
        inside = np.bincount(kinds[strata == stratum])
        ways *= factorial(int(inside.sum())) // prod(factorial(int(one)) for one in inside)
    return ways
