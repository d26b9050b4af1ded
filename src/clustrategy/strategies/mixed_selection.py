"""Mixed models whose random effects are chosen by the data."""

from __future__ import annotations

from clustrategy.core.fits import Fits
from clustrategy.core.shard import Shard
from clustrategy.estimation.mixed.selection import By, fit_fallback, fit_selected
from clustrategy.estimation.mixed.standard_errors import Df, StandardErrors, Variance
from clustrategy.strategies.mixed import kenward_roger_with_cr2
from clustrategy.strategies.registry import strategy


@strategy("mixed_fallback", refusal=kenward_roger_with_cr2)
def mixed_fallback(shard: Shard, *, df: Df = "satterthwaite", variance: Variance = "model") -> Fits:
    """The first that converges and is not singular: maximal, uncorrelated, intercept alone.

    The last is kept whatever became of it.
    """
    return fit_fallback(shard, StandardErrors(df, variance))


@strategy("mixed_selected", refusal=kenward_roger_with_cr2)
def mixed_selected(
    shard: Shard,
    *,
    by: By = "LRT",
    df: Df = "satterthwaite",
    variance: Variance = "model",
) -> Fits:
    """What is left of the maximal model after backward selection of its random effects.

    Parameters
    ----------
    by : LRT takes the next smaller model as long as the likelihood ratio test of the two does not
        reject it at `ALPHA`, chi^2 with the difference of their numbers of parameters, the
        boundary left out of account; AIC takes the least of all models on the way to the
        intercept alone.
    """
    return fit_selected(shard, by, StandardErrors(df, variance))
