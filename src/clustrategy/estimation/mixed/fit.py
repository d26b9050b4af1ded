"""Mixed models on whole shards: REML by Newton's method, exact Satterthwaite df."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from clustrategy.core.fits import Fits
from clustrategy.core.shard import Floats, Shard
from clustrategy.estimation.cluster_robust import leave_out_zeros
from clustrategy.estimation.mixed import models
from clustrategy.estimation.mixed.cr2 import cr2
from clustrategy.estimation.mixed.kenward_roger import kenward_roger
from clustrategy.estimation.mixed.optimizer import Minimum, minimise
from clustrategy.estimation.mixed.reml import Criterion, Point
from clustrategy.estimation.mixed.satterthwaite import satterthwaite

# Clusters that are worked on at once: enough to hide the cost of a call, few enough for the cache.
CLUSTERS_AT_ONCE = 5000
SINGULAR = "boundary (singular) fit: a variance is zero or a correlation is 1 or -1"
NOT_FINITE = "the fit gave numbers that are not finite"
NO_MINIMUM = "the clusters' own coefficients explain the response exactly: no residual variance"
ENDLESS = "the search for the REML optimum did not end"
APART = (
    "df: kenward_roger goes with its own variance; with variance: CR2 use satterthwaite or normal"
)

Df = Literal["satterthwaite", "kenward_roger", "normal"]
Variance = Literal["model", "CR2"]


def refusal(df: Df = "satterthwaite", variance: Variance = "model", **_: object) -> str:
    """Why the two do not go together, empty where they do."""
    return APART if df == "kenward_roger" and variance != "model" else ""


@dataclass(frozen=True)
class Inference:
    """How standard errors and degrees of freedom come from a fit.

    Attributes
    ----------
    df : Satterthwaite's (Giesbrecht & Burns 1985), Kenward and Roger's (1997), with their variance,
        or infinite ones.
    variance : the model's own, or CR2 (Pustejovsky & Tipton 2018), whose Satterthwaite df are
        those of the sandwich with the fitted model for the working one.
    """

    df: Df
    variance: Variance

    def of(self, point: Point, triangles: Floats) -> tuple[Floats, Floats]:
        """(S, p) standard errors and (S, p) degrees of freedom of X's coefficients.

        Parameters
        ----------
        point : at the optimum.
        triangles : (S, G, p + 1, p + 1) of the datasets.
        """
        criterion = point.criterion
        contrasts = criterion.root @ point.J
        unit = criterion.scale * np.sqrt(point.rss / criterion.nu)
        df = np.full(contrasts.shape[:2], np.inf)
        if self.variance == "CR2":
            unit = criterion.scale
            variance, df = cr2(point, triangles, contrasts)
        elif self.df == "kenward_roger":
            basis = criterion.structure.basis
            basis = np.broadcast_to(basis, (criterion.sims, *basis.shape[1:]))
            variance, df = kenward_roger(point, contrasts, basis)
        else:
            variance = (contrasts * contrasts).sum(axis=2)
            if self.df == "satterthwaite":
                df = satterthwaite(point.derivatives(), contrasts)
        if self.df == "normal":
            df = np.full(contrasts.shape[:2], np.inf)
        return unit[:, None] * np.sqrt(np.where(variance > 0.0, variance, np.nan)), df


def blocks(
    shard: Shard, random: NDArray[np.bool_], wanted: NDArray[np.bool_]
) -> Iterator[tuple[NDArray[np.int64], Criterion]]:
    """Datasets that are worked on at once, all with the same random columns, and their criterion.

    Parameters
    ----------
    random : (S, p) the columns of X that have random coefficients.
    wanted : (S,) which datasets.
    """
    at_once = max(1, CLUSTERS_AT_ONCE // shard.clusters)
    for pattern in np.unique(random[wanted], axis=0):
        sims = np.flatnonzero(wanted & (random == pattern).all(axis=1))
        for start in range(0, sims.size, at_once):
            some = sims[start : start + at_once]
            columns = np.flatnonzero(pattern)
            yield some, Criterion.of(shard.triangles[some], shard.n_obs[some], columns)


def fit(
    shard: Shard,
    random: NDArray[np.bool_],
    fits: Fits,
    *,
    correlated: bool,
    inference: Inference,
) -> None:
    """Fill in the fits that have not failed already."""
    for sims, criterion in blocks(shard, random, fits.status == "ok"):
        problem = criterion if correlated else criterion.diagonal()
        fill(shard, sims, problem, minimise(problem), inference, fits)


def fill(
    shard: Shard,
    sims: NDArray[np.int64],
    criterion: Criterion,
    minimum: Minimum,
    inference: Inference,
    fits: Fits,
) -> None:
    """Fill in the fits to some datasets from where the search ended."""
    point = criterion.at(minimum.factor)
    std_error, df = inference.of(point, shard.triangles[sims])
    fits.estimate[sims] = criterion.estimate(point.beta)
    fits.std_error[sims] = std_error
    fits.df[sims] = df
    fits.sigma[sims] = criterion.scale * np.sqrt(point.rss / criterion.nu)
    fits.reml_criterion[sims] = point.value + criterion.constant
    theta = criterion.structure.lme4(minimum.factor, criterion.random_root)
    fits.theta[sims, : theta.shape[1]] = theta
    fits.singular[sims] = models.singular(theta, correlated=criterion.structure.lower)
    fits.optimizer_warning[sims] = ~minimum.converged
    here = np.isin(np.arange(shard.sims), sims)
    if inference.variance == "CR2":
        leave_out_zeros(fits, shard.terms)
    tested = np.isfinite(fits.std_error)
    if inference.df != "normal":
        tested &= np.isfinite(fits.df)
    untested = ~tested & (fits.message == "")[:, None]
    finite = np.isfinite(fits.estimate).all(axis=1) & ~untested.any(axis=1)
    exhausted = sims[criterion.exhausted(point.rss)]
    fits.fail(np.isin(np.arange(shard.sims), exhausted), "undefined", NO_MINIMUM)
    fits.fail(here & ~finite, "error", NOT_FINITE)
    fitted = here & (fits.status == "ok")
    stuck, boundary = fitted & fits.optimizer_warning, fitted & fits.singular
    fits.status[boundary], fits.message[boundary] = "singular", SINGULAR
    fits.status[stuck], fits.message[stuck] = "not_converged", ENDLESS


def fit_model(
    shard: Shard, name: str, inference: Inference, wanted: NDArray[np.bool_] | None = None
) -> Fits:
    """Fit a model, a key of `models.RANDOM`, to the datasets that are wanted."""
    one = partial(fit, correlated=name in models.CORRELATED, inference=inference)
    return models.fit_model(shard, name, one, wanted)


def at_theta(shard: Shard, name: str, theta: Floats, wanted: NDArray[np.bool_]) -> Fits:
    """What a model, a key of `models.RANDOM`, makes of datasets at a theta that is given.

    Parameters
    ----------
    theta : (S, k) lme4's, by column, the optimum or not; only those of the wanted datasets count.
    wanted : (S,) which datasets; the others are left `undefined`.
    """

    def place(shard: Shard, random: NDArray[np.bool_], fits: Fits) -> None:
        for sims, criterion in blocks(shard, random, fits.status == "ok"):
            problem = criterion if name in models.CORRELATED else criterion.diagonal()
            factor = problem.structure.of_lme4(theta[sims], criterion.random_root)
            given = Minimum(factor, np.ones(sims.size, dtype=bool))
            fill(shard, sims, problem, given, Inference("satterthwaite", "model"), fits)

    return models.fit_model(shard, name, place, wanted)
