"""Generalized estimating equations."""

from __future__ import annotations

from collections.abc import Sequence

from clustrategy.core.fits import Fits
from clustrategy.core.joint_tests import JointTests
from clustrategy.core.shard import Ints, Shard
from clustrategy.estimation.gee import Correlation, Df, Variance, fit_gee, joint_gee
from clustrategy.strategies.registry import strategy


def joint(
    shard: Shard,
    groups: Sequence[Ints],
    *,
    correlation: Correlation = "exchangeable",
    variance: Variance = "robust",
    df: Df = "normal",
) -> JointTests:
    """Test groups of coefficients; options as of `gee`."""
    return joint_gee(shard, groups, correlation, variance, df)


@strategy("gee", equivariant=True, joint=joint)
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
        (Kauermann & Carroll 2001, JASA 96, 1387-1396), the principal root; `ford_westgate`, the
        average of these two (Ford & Westgate 2017, Biom J 59, 478-495); `fay_graubard`, scores
        divided by (1 - min(.75, [X_g' R_g^-1 X_g M]_jj))^1/2 (Fay & Graubard 2001, Biometrics 57,
        1198-1206); `morel_bokossa_neerchal`, a multiple of the variance of the working model added
        (Morel, Bokossa & Neerchal 2003, Biom J 45, 395-409).
    df : str
        Degrees of freedom of the t distribution; k counts the coefficients of columns that vary
        within no cluster, the intercept with them.

    Returns
    -------
    Fits
    """
    return fit_gee(shard, correlation, variance, df)
