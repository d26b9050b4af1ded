"""Two-stage regression: least squares in every cluster, then a test over the clusters.

Also called summary measures or the two-stage (Feldman 1988) or OLS-OLS approach (Mumford &
Nichols 2009), with precision weights a random-effects meta-analysis of the clusters. A predictor
that is constant within clusters has no part in the first stage; in the second one the clusters'
intercepts are regressed on it ("slopes as outcomes", Burstein, Linn & Capell 1978), and on its
product with a predictor that varies within clusters the slopes of that predictor.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from clustrategy.dataset import Floats, Ints, Shard
from clustrategy.fits import Fits
from clustrategy.inference import CONFIDENCE
from clustrategy.meta_analysis import pool
from clustrategy.multiples import factors, parents
from clustrategy.resampling import signs
from clustrategy.strategies import strategy
from clustrategy.strategies.least_squares import full_rank

NO_SIGNS = "a sign-flip test has no place for predictors that are constant within clusters"

Weights = Literal["equal", "precision"]
Test = Literal["t", "hartung_knapp", "sign_flip"]


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


def finite_variance(rows: int, slopes: int, **_: object) -> bool:
    """Whether the clusters' estimates, and so their mean, have a finite variance.

    With predictors from a normal distribution the inverse of their cross-products about the
    cluster's mean is inverse Wishart with rows - 1 degrees of freedom and has an expectation if
    these exceed slopes + 1. Precision weights change nothing: where a cluster has two residual
    degrees of freedom a mean of any weights is finite because the estimates are, and with one its
    variance is too poor a guess to tell a wild estimate.
    """
    return slopes == 0 or rows - slopes > 2


@strategy("two_stage", finite_variance=finite_variance)
def two_stage(
    shard: Shard, *, weights: Weights = "equal", test: Test = "t", draws: int = 999
) -> Fits:
    """The mean of the clusters' own coefficients, SE = sd / sqrt(G), t with G - 1 df.

    Undefined where a cluster cannot carry a regression of its own; with hardly more rows than
    coefficients its estimates have no finite variance.

    Parameters
    ----------
    weights : `equal`; or `precision`, 1 / (v_g + tau^2) with v_g the squared standard error of the
        cluster's coefficient, taken as known, and tau^2 by REML.
    test : `t`, which with precision weights has the standard error 1 / sqrt(sum of weights);
        `hartung_knapp` (Hartung & Knapp 2001; Knapp & Hartung 2003), whose standard error comes from the
        scatter of the clusters' coefficients as weighted and which with equal weights is `t`
        itself; `sign_flip`, which changes the signs of the clusters' coefficients.
    draws : of random signs, where not all 2^G are tried.
    """
    fits = Fits.blank(shard.sims, shard.p)
    for stage in FirstStage.of(shard):
        stage.mark_undefined(fits)
        if weights == "precision":
            _need_variances(stage, fits)
        if test == "sign_flip" and stage.own.size < shard.p:
            stage.fail(fits, np.ones(stage.sims.size, dtype=bool), NO_SIGNS)
        stage = stage.defined(fits)
        if stage.sims.size == 0:
            continue
        if weights == "equal":
            shares = _mean(stage, fits)
        else:
            shares = _pooled(stage, fits, scaled=test != "t")
        if test == "sign_flip":
            for place, sim in enumerate(stage.sims):
                flips = signs(shard.dataset(int(sim)), draws)
                _flip(stage.coefficients[place], shares[place], flips, fits, sim)
    return fits


def _mean(stage: FirstStage, fits: Fits) -> Floats:
    """Fill in means and regressions with equal weights, and give the weights (s, G, k)."""
    G = stage.n.shape[1]
    coefficients = stage.coefficients
    mean = coefficients.sum(axis=1) / G
    deviation = coefficients - mean[:, None]
    with np.errstate(divide="ignore", invalid="ignore"):
        variance = (deviation * deviation).sum(axis=1) / np.float64(G - 1)
    there = np.ix_(stage.sims, stage.own)
    fits.estimate[there] = mean
    fits.std_error[there] = np.sqrt(variance / G)
    fits.df[there] = G - 1.0
    for response, columns, design in stage.second:
        q = columns.size
        if q > 1:
            response_column = coefficients[..., response, None]
            joined = np.concatenate([design, response_column], axis=2)
            triangle = np.asarray(np.linalg.qr(joined, mode="r"))
            root = np.linalg.inv(triangle[:, :q, :q])
            scale = triangle[:, q, q] ** 2 / (G - q)
            there = np.ix_(stage.sims, columns)
            fits.estimate[there] = (root @ triangle[:, :q, q:])[..., 0]
            fits.std_error[there] = np.sqrt(scale[:, None] * (root * root).sum(axis=2))
            fits.df[there] = G - q
    return np.ones(coefficients.shape)


def _need_variances(stage: FirstStage, fits: Fits) -> None:
    k, G = stage.own.size, stage.n.shape[1]
    few = (stage.n <= k).sum(axis=1)
    stage.fail(
        fits,
        few > 0,
        [f"{j} of {G} clusters have no residual degrees of freedom for a weight" for j in few],
    )
    exact = (stage.joined[..., k, k] == 0).sum(axis=1)
    stage.fail(
        fits,
        exact > 0,
        [f"{j} of {G} clusters have no residual variance for a weight" for j in exact],
    )


def _pooled(stage: FirstStage, fits: Fits, scaled: bool) -> Floats:
    """Fill in meta-analyses, and give their weights (s, G, k).

    Parameters
    ----------
    scaled : whether the standard errors are Hartung and Knapp's.
    """
    G = stage.n.shape[1]
    weights = np.ones(stage.coefficients.shape)
    for response, columns, design in stage.second:
        df = G - columns.size
        pooled = pool(
            np.ascontiguousarray(stage.coefficients[..., response]),
            np.ascontiguousarray(stage.variances[..., response]),
            design,
        )
        factor = pooled.residual_ss / df if scaled else np.ones(stage.sims.size)
        there = np.ix_(stage.sims, columns)
        fits.estimate[there] = pooled.estimate
        fits.std_error[there] = np.sqrt(factor[:, None] * pooled.variance)
        fits.df[there] = df
        weights[..., response] = pooled.weights
    return weights


def _flip(coefficients: Floats, weights: Floats, signs: Floats, fits: Fits, sim: int) -> None:
    """Fill in the sign-flip tests and intervals of one dataset.

    To flip some clusters' signs about a value makes |t| no smaller if and only if that value lies
    between the mean of these clusters and the mean of the others. So the value's p-value is the
    share of the sign vectors whose two means enclose it, and the limits of the interval are order
    statistics of the means. Weights stay what they are under all flips.

    Parameters
    ----------
    coefficients, weights : (G, p).
    signs : (k, G), the first without a flip.
    """
    # A vector and its negative part the clusters alike; so none flips the first cluster.
    flipped = (signs != signs[:, :1]).astype(np.float64)
    parts = [flipped, 1.0 - flipped]
    with np.errstate(divide="ignore", invalid="ignore"):
        means = np.array([(part @ (weights * coefficients)) / (part @ weights) for part in parts])
    none = ~flipped.any(axis=1)
    means[:, none] = np.array([-np.inf, np.inf])[:, None, None]
    low, high = np.sort(means, axis=0)
    fits.p_value[sim] = ((low <= 0.0) & (high >= 0.0)).mean(axis=0)
    outside = int(np.floor((1.0 - CONFIDENCE) * len(signs) + 1e-9))
    fits.conf_low[sim] = np.sort(low, axis=0)[outside]
    fits.conf_high[sim] = np.sort(high, axis=0)[-1 - outside]
