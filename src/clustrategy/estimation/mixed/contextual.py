"""Mixed models with columns beside the model's own: cluster means, and cross-level products."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from clustrategy.core.fits import Fits
from clustrategy.core.joint_tests import JointTests
from clustrategy.core.shard import INTERCEPT, Ints, Shard
from clustrategy.estimation.added_columns import (
    Part,
    cross_level_products,
    fit_parts,
    joint_parts,
    widened,
    with_means,
)
from clustrategy.estimation.mixed.fit import fit_model
from clustrategy.estimation.mixed.models import MixedModel, mark_crowded
from clustrategy.estimation.mixed.standard_errors import StandardErrors
from clustrategy.estimation.within import varying


@dataclass(frozen=True)
class Context:
    """What stands beside the columns of a model.

    Attributes
    ----------
    within_between : bool
        Whether the cluster means of all predictors that vary within clusters do.
    cross_level : bool
        Whether the products of cluster-level predictors with all that have random slopes do, those
        of the means among them.
    """

    within_between: bool = False
    cross_level: bool = False

    def parts(self, shard: Shard, model: MixedModel) -> Iterator[Part]:
        """Yield the datasets with their columns, those of the same columns together."""
        for sims, part in with_means(shard, self.within_between):
            if not self.cross_level:
                yield sims, part
                continue
            slopes = _with_none_beside(model.random(shard)[sims], part)
            for some, further in widened(part, cross_level_products(part, slopes)):
                yield sims[some], further


def fit_in_context(
    shard: Shard, model: MixedModel, standard_errors: StandardErrors, context: Context
) -> Fits:
    """Fit a mixed model with columns beside its own.

    Parameters
    ----------
    shard : Shard
        The datasets.
    model : MixedModel
        Which coefficients are random; none of the columns beside are.
    standard_errors : StandardErrors
        How standard errors and degrees of freedom come from a fit.
    context : Context
        What stands beside.

    Returns
    -------
    Fits
        Of the model's own coefficients.
    """

    def fit(sims: Ints, part: Shard) -> Fits:
        return _fit(shard, sims, part, model, standard_errors, context)

    return fit_parts(shard, context.parts(shard, model), fit)


def joint_in_context(
    shard: Shard, model: MixedModel, standard_errors: StandardErrors, context: Context
) -> JointTests:
    """Test the groups of `standard_errors`; all else as of `fit_in_context`."""
    groups = standard_errors.groups

    def joint(sims: Ints, part: Shard) -> JointTests:
        tests = JointTests.blank(part.sims, groups)
        fits = _fit(shard, sims, part, model, standard_errors, context, tests)
        return tests.agree_with(fits, groups, part.terms)

    return joint_parts(shard, context.parts(shard, model), groups, joint)


def _fit(
    shard: Shard,
    sims: Ints,
    part: Shard,
    model: MixedModel,
    standard_errors: StandardErrors,
    context: Context,
    joint: JointTests | None = None,
) -> Fits:
    random = _with_none_beside(model.random(shard)[sims], part)
    terms = np.zeros(part.sims, dtype=np.int64)
    if context.cross_level:
        varies = varying(part)
        slopes = (random & varies).any(axis=1)
        terms[slopes] = (~varies[slopes]).sum(axis=1) + (INTERCEPT not in part.terms)
    possible = terms < part.clusters
    own = replace(model, random=lambda _: random)
    fits = fit_model(part, own, standard_errors, possible, joint)
    fits.status[~possible] = "ok"
    mark_crowded(part.clusters, terms, fits)
    return fits


def _with_none_beside(random: NDArray[np.bool_], part: Shard) -> NDArray[np.bool_]:
    beside = np.zeros((len(random), part.p - random.shape[1]), dtype=bool)
    return np.column_stack([random, beside])
