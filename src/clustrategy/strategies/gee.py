"""Generalized estimating equations."""

from __future__ import annotations

from clustrategy.core.fits import Fits
from clustrategy.core.shard import Shard
from clustrategy.estimation.gee import Correlation, Df, Variance, fit_gee
from clustrategy.strategies.registry import strategy


@strategy("gee", equivariant=True)
def gee(
    shard: Shard,
    *,
    correlation: Correlation = "exchangeable",
    variance: Variance = "robust",
    df: Df = "normal",
) -> Fits:
    """Fit generalized estimating equations with a sandwich variance.

    Parameters
    ----------
    shard : Shard
        The datasets.
    correlation : str
        The working correlation; scale and correlation by moments, as statsmodels'.
    variance : str
        `robust` (Liang & Zeger 1986); `mancl_derouen`, residuals times (I - H_g)^-1 (Mancl &
        DeRouen 2001, Biometrics 57, 126-134); `kauermann_carroll`, times (I - H_g)^-1/2
        (Kauermann & Carroll 2001, JASA 96, 1387-1396), the principal root.
    df : str
        Degrees of freedom of the t distribution.

    Returns
    -------
    Fits
    """
    return fit_gee(shard, correlation, variance, df)
