"""Mixed models by REML whose random effects are given."""

from __future__ import annotations

from clustrategy.core.fits import Fits
from clustrategy.core.shard import Shard
from clustrategy.estimation.mixed.fit import fit_model
from clustrategy.estimation.mixed.models import INTERCEPT_ONLY, MAXIMAL, UNCORRELATED
from clustrategy.estimation.mixed.standard_errors import Df, StandardErrors, Variance
from clustrategy.strategies.registry import strategy

APART = (
    "df: kenward_roger goes with its own variance; with variance: CR2 use satterthwaite or normal"
)


def kenward_roger_with_cr2(
    df: Df = "satterthwaite", variance: Variance = "model", **options: object
) -> str:
    """Say that Kenward and Roger's df have a variance of their own, where another is asked for."""
    return APART if df == "kenward_roger" and variance != "model" else ""


@strategy("mixed_maximal", refusal=kenward_roger_with_cr2, equivariant=True)
def mixed_maximal(shard: Shard, *, df: Df = "satterthwaite", variance: Variance = "model") -> Fits:
    """Fit random intercepts and slopes, with all their correlations.

    Parameters
    ----------
    shard : Shard
        The datasets.
    df : str
        Degrees of freedom: Satterthwaite's, Kenward and Roger's (with their variance), or infinite.
    variance : str
        The model's own variance of the fixed effects, or CR2.

    Returns
    -------
    Fits
    """
    return fit_model(shard, MAXIMAL, StandardErrors(df, variance))


@strategy("mixed_uncorrelated", refusal=kenward_roger_with_cr2, equivariant=True)
def mixed_uncorrelated(
    shard: Shard, *, df: Df = "satterthwaite", variance: Variance = "model"
) -> Fits:
    """Fit random intercepts and slopes without correlations; options as of `mixed_maximal`."""
    return fit_model(shard, UNCORRELATED, StandardErrors(df, variance))


@strategy("mixed_intercept", refusal=kenward_roger_with_cr2, equivariant=True)
def mixed_intercept(
    shard: Shard, *, df: Df = "satterthwaite", variance: Variance = "model"
) -> Fits:
    """Fit random intercepts alone; options as of `mixed_maximal`."""
    return fit_model(shard, INTERCEPT_ONLY, StandardErrors(df, variance))
