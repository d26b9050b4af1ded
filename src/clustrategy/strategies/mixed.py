"""Mixed models by REML whose random effects are given."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

from clustrategy.core.fits import Fits
from clustrategy.core.joint_tests import JointTests
from clustrategy.core.shard import INTERCEPT, Ints, Shard
from clustrategy.estimation.mixed.contextual import Context, fit_in_context, joint_in_context
from clustrategy.estimation.mixed.models import (
    INTERCEPT_ONLY,
    MAXIMAL,
    MODELS,
    UNCORRELATED,
    MixedModel,
    given,
)
from clustrategy.estimation.mixed.standard_errors import Df, StandardErrors, Variance
from clustrategy.strategies.random import no_such_coefficient, twice
from clustrategy.strategies.registry import strategy

APART = (
    "df: kenward_roger goes with its own variance; with variance: CR2 use satterthwaite or normal"
)


NO_SLOPE = "cross_level: true needs a random slope, and random names the intercept alone"


def kenward_roger_with_cr2(
    df: Df = "satterthwaite", variance: Variance = "model", **options: object
) -> str:
    """Say that Kenward and Roger's df have a variance of their own, where another is asked for."""
    return APART if df == "kenward_roger" and variance != "model" else ""


def joint(
    model: MixedModel,
    shard: Shard,
    groups: Sequence[Ints],
    *,
    df: Df = "satterthwaite",
    variance: Variance = "model",
    within_between: bool = False,
    cross_level: bool = False,
) -> JointTests:
    """Test groups of coefficients by a mixed model; options as of `mixed_maximal`."""
    context = Context(within_between, cross_level)
    return joint_in_context(shard, model, StandardErrors(df, variance, tuple(groups)), context)


def joint_of_intercept(
    shard: Shard,
    groups: Sequence[Ints],
    *,
    df: Df = "satterthwaite",
    variance: Variance = "model",
    within_between: bool = False,
) -> JointTests:
    """Test groups of coefficients by the model with a random intercept alone."""
    return joint(
        INTERCEPT_ONLY, shard, groups, df=df, variance=variance, within_between=within_between
    )


def joint_of_given(
    shard: Shard,
    groups: Sequence[Ints],
    *,
    random: tuple[str, ...] = (INTERCEPT,),
    correlated: bool = True,
    df: Df = "satterthwaite",
    variance: Variance = "model",
    within_between: bool = False,
    cross_level: bool = False,
) -> JointTests:
    """Test groups of coefficients by the mixed model with these random effects."""
    return joint(
        given(random, correlated),
        shard,
        groups,
        df=df,
        variance=variance,
        within_between=within_between,
        cross_level=cross_level,
    )


def mixed_refusal(
    random: Sequence[str] = (INTERCEPT,), cross_level: bool = False, **options: Any
) -> str:
    """Say why options of `mixed` do not go together."""
    no_slope = NO_SLOPE if cross_level and set(random) == {INTERCEPT} else ""
    return twice(random) or no_slope or kenward_roger_with_cr2(**options)


@strategy(
    "mixed",
    refusal=mixed_refusal,
    unsuited=no_such_coefficient,
    equivariant=True,
    joint=joint_of_given,
)
def mixed(
    shard: Shard,
    *,
    random: tuple[str, ...] = (INTERCEPT,),
    correlated: bool = True,
    df: Df = "satterthwaite",
    variance: Variance = "model",
    within_between: bool = False,
    cross_level: bool = False,
) -> Fits:
    """Fit a mixed model in which the named coefficients differ between clusters.

    Parameters
    ----------
    shard : Shard
        The datasets.
    random : tuple of str
        Coefficients, or terms of a formula, which stand for all of their coefficients: `arm` for
        `arm[T.b]` and `arm[T.c]`.
    correlated : bool
        Whether their deviations from the fixed effects may correlate.
    df, variance : str
        As of `mixed_maximal`.
    within_between, cross_level : bool
        As of `mixed_maximal`.

    Returns
    -------
    Fits
    """
    context = Context(within_between, cross_level)
    return fit_in_context(shard, given(random, correlated), StandardErrors(df, variance), context)


@strategy(
    "mixed_maximal",
    refusal=kenward_roger_with_cr2,
    equivariant=True,
    joint=partial(joint, MAXIMAL),
)
def mixed_maximal(
    shard: Shard,
    *,
    df: Df = "satterthwaite",
    variance: Variance = "model",
    within_between: bool = False,
    cross_level: bool = False,
) -> Fits:
    """Fit random intercepts and slopes, with all their correlations.

    Parameters
    ----------
    shard : Shard
        The datasets.
    df : str
        Degrees of freedom: Satterthwaite's, Kenward and Roger's (with their variance), or infinite.
    variance : str
        The model's own variance of the fixed effects, or CR2.
    within_between : bool
        Whether the cluster means of the predictors that vary within clusters are in the model as
        well (Mundlak 1978, Econometrica 46, 69-85): the predictors' coefficients are then those
        within clusters.
    cross_level : bool
        Whether the products of cluster-level predictors with those that have random slopes are,
        both centred at their means over the clusters.

    Returns
    -------
    Fits
    """
    context = Context(within_between, cross_level)
    return fit_in_context(shard, MAXIMAL, StandardErrors(df, variance), context)


@strategy(
    "mixed_uncorrelated",
    refusal=kenward_roger_with_cr2,
    equivariant=True,
    joint=partial(joint, UNCORRELATED),
)
def mixed_uncorrelated(
    shard: Shard,
    *,
    df: Df = "satterthwaite",
    variance: Variance = "model",
    within_between: bool = False,
    cross_level: bool = False,
) -> Fits:
    """Fit random intercepts and slopes without correlations; options as of `mixed_maximal`."""
    context = Context(within_between, cross_level)
    return fit_in_context(shard, UNCORRELATED, StandardErrors(df, variance), context)


@strategy(
    "mixed_intercept",
    refusal=kenward_roger_with_cr2,
    equivariant=True,
    joint=joint_of_intercept,
)
def mixed_intercept(
    shard: Shard,
    *,
    df: Df = "satterthwaite",
    variance: Variance = "model",
    within_between: bool = False,
) -> Fits:
    """Fit random intercepts alone; options as of `mixed_maximal`, but for `cross_level`."""
    standard_errors = StandardErrors(df, variance)
    return fit_in_context(shard, INTERCEPT_ONLY, standard_errors, Context(within_between))


def has_columns_beside(options: Mapping[str, Any]) -> bool:
    """Tell whether options of a mixed model set columns beside its own."""
    return bool(options.get("within_between") or options.get("cross_level"))


def model_of(name: str, options: Mapping[str, Any]) -> MixedModel | None:
    """Return the mixed model of a strategy whose random effects do not hang on the data.

    Parameters
    ----------
    name : str
        The strategy's.
    options : mapping
        The strategy's options; those that are left out have their defaults.

    Returns
    -------
    MixedModel or None
        None of any other strategy.
    """
    if name == "mixed":
        return given(options.get("random", (INTERCEPT,)), options.get("correlated", True))
    return MODELS.get(name)
