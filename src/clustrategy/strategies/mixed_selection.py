"""Mixed models whose random effects are chosen by the data."""

from __future__ import annotations

from collections.abc import Sequence

from clustrategy.core.fits import Fits
from clustrategy.core.joint_tests import JointTests
from clustrategy.core.shard import Ints, Shard
from clustrategy.estimation.added_columns import fit_parts, joint_parts, with_means
from clustrategy.estimation.mixed.selection import By, fit_fallback, fit_selected
from clustrategy.estimation.mixed.standard_errors import Df, StandardErrors, Variance
from clustrategy.strategies.mixed import kenward_roger_with_cr2
from clustrategy.strategies.registry import strategy


def joint_fallback(
    shard: Shard,
    groups: Sequence[Ints],
    *,
    df: Df = "satterthwaite",
    variance: Variance = "model",
    within_between: bool = False,
) -> JointTests:
    """Test groups of coefficients by the model that is kept; options as of `mixed_fallback`."""

    def test(sims: Ints, part: Shard) -> JointTests:
        tests = JointTests.blank(part.sims, groups)
        fits = fit_fallback(part, StandardErrors(df, variance, tuple(groups)), tests)
        return tests.agree_with(fits, groups, part.terms)

    return joint_parts(shard, with_means(shard, within_between), groups, test)


@strategy("mixed_fallback", refusal=kenward_roger_with_cr2, equivariant=True, joint=joint_fallback)
def mixed_fallback(
    shard: Shard,
    *,
    df: Df = "satterthwaite",
    variance: Variance = "model",
    within_between: bool = False,
) -> Fits:
    """Fit the first of maximal, uncorrelated and intercept-only that converges and is not singular.

    Parameters
    ----------
    shard : Shard
        The datasets.
    df, variance : str
        As of `mixed_maximal`.
    within_between : bool
        As of `mixed_maximal`.

    Returns
    -------
    Fits
        The random intercept alone is kept even where it is singular or did not converge.
    """

    def fit(sims: Ints, part: Shard) -> Fits:
        return fit_fallback(part, StandardErrors(df, variance))

    return fit_parts(shard, with_means(shard, within_between), fit)


def joint_selected(
    shard: Shard,
    groups: Sequence[Ints],
    *,
    by: By = "LRT",
    df: Df = "satterthwaite",
    variance: Variance = "model",
    within_between: bool = False,
) -> JointTests:
    """Test groups of coefficients by the model that is kept; options as of `mixed_selected`."""

    def test(sims: Ints, part: Shard) -> JointTests:
        tests = JointTests.blank(part.sims, groups)
        fits = fit_selected(part, by, StandardErrors(df, variance, tuple(groups)), tests)
        return tests.agree_with(fits, groups, part.terms)

    return joint_parts(shard, with_means(shard, within_between), groups, test)


@strategy("mixed_selected", refusal=kenward_roger_with_cr2, equivariant=True, joint=joint_selected)
def mixed_selected(
    shard: Shard,
    *,
    by: By = "LRT",
    df: Df = "satterthwaite",
    variance: Variance = "model",
    within_between: bool = False,
) -> Fits:
    """Fit what backward selection leaves of the maximal model's random effects.

    Parameters
    ----------
    shard : Shard
        The datasets.
    by : str
        LRT drops random effects as long as the likelihood ratio test does not reject the smaller
        model at 0.2; AIC takes the least of all models down to the random intercept alone.
    df, variance : str
        As of `mixed_maximal`.
    within_between : bool
        As of `mixed_maximal`.

    Returns
    -------
    Fits
    """

    def fit(sims: Ints, part: Shard) -> Fits:
        return fit_selected(part, by, StandardErrors(df, variance))

    return fit_parts(shard, with_means(shard, within_between), fit)
