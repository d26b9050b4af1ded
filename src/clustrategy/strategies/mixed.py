"""Mixed models by REML, their random effects given."""

from __future__ import annotations

from clustrategy.core.fits import Fits
from clustrategy.core.shard import Shard
from clustrategy.estimation.mixed.fit import Df, Inference, Variance, fit_model, refusal
from clustrategy.strategies import strategy


@strategy("mixed_maximal", refusal=refusal)
def mixed_maximal(shard: Shard, *, df: Df = "satterthwaite", variance: Variance = "model") -> Fits:
    """Random intercept and slopes, with all their correlations."""
    return fit_model(shard, "mixed_maximal", Inference(df, variance))


@strategy("mixed_uncorrelated", refusal=refusal)
def mixed_uncorrelated(
    shard: Shard, *, df: Df = "satterthwaite", variance: Variance = "model"
) -> Fits:
    """Random intercept and slopes without correlations."""
    return fit_model(shard, "mixed_uncorrelated", Inference(df, variance))


@strategy("mixed_intercept", refusal=refusal)
def mixed_intercept(
    shard: Shard, *, df: Df = "satterthwaite", variance: Variance = "model"
) -> Fits:
    """Random intercept alone."""
    return fit_model(shard, "mixed_intercept", Inference(df, variance))
