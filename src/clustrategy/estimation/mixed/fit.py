"""Mixed models on whole shards: REML by Newton's method, a block of datasets at a time."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from clustrategy.core.fits import Fits
from clustrategy.core.joint_tests import JointTests
from clustrategy.core.shard import Floats, Ints, Shard
from clustrategy.estimation.cluster_robust import leave_out_zeros
from clustrategy.estimation.mixed.models import MixedModel, blank_fits, is_singular
from clustrategy.estimation.mixed.optimizer import Minimum, given_minimum, minimise
from clustrategy.estimation.mixed.reml import CLUSTERS_AT_ONCE, Criterion
from clustrategy.estimation.mixed.standard_errors import StandardErrors

SINGULAR = "boundary (singular) fit: a variance is zero or a correlation is 1 or -1"
NOT_FINITE = "the fit gave numbers that are not finite"
NO_MINIMUM = "the clusters' own coefficients explain the response exactly: no residual variance"
ENDLESS = "the search for the REML optimum did not end"


def fit_model(
    shard: Shard,
    model: MixedModel,
    standard_errors: StandardErrors,
    wanted: NDArray[np.bool_] | None = None,
    joint: JointTests | None = None,
) -> Fits:
    """Fit a mixed model by REML.

    Parameters
    ----------
    shard : Shard
        The datasets.
    model : MixedModel
        Which coefficients are random.
    standard_errors : StandardErrors
        How standard errors and degrees of freedom come from a fit.
    wanted : (S,) array of bool, optional
        The datasets to fit; the others are left undefined. All by default.
    joint : JointTests, optional
        Where the tests of the groups of `standard_errors` are put, of the datasets that are fitted.

    Returns
    -------
    Fits
    """
    fits = blank_fits(shard, model, wanted)
    for sims, criterion in blocks(shard, model, fits.status == "ok"):
        fill(shard, sims, minimise(criterion), standard_errors, fits, joint)
    return fits


def at_theta(shard: Shard, model: MixedModel, theta: Floats, wanted: NDArray[np.bool_]) -> Fits:
    """Evaluate a mixed model at a given theta instead of searching for the optimum.

    Parameters
    ----------
    shard : Shard
        The datasets.
    model : MixedModel
        Which coefficients are random.
    theta : (S, k) array
        lme4's theta, by column; only that of the wanted datasets counts.
    wanted : (S,) array of bool
        The datasets to evaluate; the others are left undefined.

    Returns
    -------
    Fits
        With Satterthwaite's degrees of freedom.
    """
    fits = blank_fits(shard, model, wanted)
    for sims, criterion in blocks(shard, model, fits.status == "ok"):
        factor = criterion.structure.from_lme4(theta[sims], criterion.random_root)
        given = given_minimum(criterion, factor)
        fill(shard, sims, given, StandardErrors("satterthwaite", "model"), fits)
    return fits


def blocks(
    shard: Shard, model: MixedModel, wanted: NDArray[np.bool_]
) -> Iterator[tuple[Ints, Criterion]]:
    """Split datasets into blocks that are worked on at once.

    Parameters
    ----------
    shard : Shard
        The datasets.
    model : MixedModel
        Which coefficients are random.
    wanted : (S,) array of bool
        The datasets to work on.

    Yields
    ------
    sims : (s,) array of int
        The datasets of a block, which all have the same random columns.
    criterion : Criterion
        Their REML criterion.
    """
    random = model.random(shard)
    at_once = datasets_at_once(shard.clusters)
    for pattern in np.unique(random[wanted], axis=0):
        sims = np.flatnonzero(wanted & (random == pattern).all(axis=1))
        for start in range(0, sims.size, at_once):
            some = sims[start : start + at_once]
            columns = np.flatnonzero(pattern)
            criterion = Criterion.of(
                shard.triangles[some], shard.n_obs[some], columns, shard.whole[some]
            )
            yield some, criterion if model.correlated else criterion.diagonal()


def datasets_at_once(clusters: int) -> int:
    """Return how many datasets of so many clusters are worked on at once."""
    return max(1, CLUSTERS_AT_ONCE // clusters)


def fill(
    shard: Shard,
    sims: Ints,
    minimum: Minimum,
    standard_errors: StandardErrors,
    fits: Fits,
    joint: JointTests | None = None,
) -> None:
    """Fill in the fits to some datasets from where the search ended.

    Parameters
    ----------
    shard : Shard
        All datasets.
    sims : (s,) array of int
        Those of the minimum.
    minimum : Minimum
        Where the search ended.
    standard_errors : StandardErrors
        How standard errors and degrees of freedom come from a fit.
    fits : Fits
        Filled in place.
    joint : JointTests, optional
        Filled in place, too.
    """
    point, criterion = minimum.point, minimum.point.criterion
    uncertainty = standard_errors.of(point)
    fits.estimate[sims] = criterion.estimate(point.beta)
    fits.std_error[sims] = uncertainty.std_error
    fits.df[sims] = uncertainty.df
    if joint is not None:
        joint.put(sims, uncertainty.joint)
    fits.sigma[sims] = criterion.scale * np.sqrt(point.rss / criterion.nu)
    fits.reml_criterion[sims] = point.reml_criterion
    theta = criterion.structure.to_lme4(point.factor, criterion.random_root)
    fits.theta[sims, : theta.shape[1]] = theta
    fits.singular[sims] = is_singular(theta, correlated=criterion.structure.lower_triangular)
    fits.optimizer_warning[sims] = ~minimum.converged
    here = np.isin(np.arange(shard.sims), sims)
    if standard_errors.variance == "CR2":
        leave_out_zeros(fits, shard.terms)
    tested = np.isfinite(fits.std_error)
    if standard_errors.df != "normal":
        tested &= np.isfinite(fits.df)
    untested = ~tested & (fits.message == "")[:, None]
    finite = np.isfinite(fits.estimate).all(axis=1) & ~untested.any(axis=1)
    exhausted = np.isin(np.arange(shard.sims), sims[minimum.exhausted])
    fits.fail(exhausted, "undefined", NO_MINIMUM)
    fits.fail(here & ~finite, "error", NOT_FINITE)
    fitted = here & (fits.status == "ok")
    stuck, boundary = fitted & fits.optimizer_warning, fitted & fits.singular
    fits.status[boundary], fits.message[boundary] = "singular", SINGULAR
    fits.status[stuck], fits.message[stuck] = "not_converged", ENDLESS
