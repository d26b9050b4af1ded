"""Fixed effects of the clusters."""

from __future__ import annotations

from collections.abc import Sequence

from clustrategy.core.fits import Fits
from clustrategy.core.joint_tests import JointTests
from clustrategy.core.shard import Ints, Shard
from clustrategy.estimation.cluster_robust import Df, Variance
from clustrategy.estimation.within import fit_within, joint_within
from clustrategy.strategies.registry import strategy


def joint(
    shard: Shard, groups: Sequence[Ints], *, variance: Variance = "CR1S", df: Df = "G-1"
) -> JointTests:
    """Test groups of coefficients; options as of `fixed_effects`."""
    return joint_within(shard, groups, variance, df)


@strategy("fixed_effects", equivariant=True, joint=joint)
def fixed_effects(shard: Shard, *, variance: Variance = "CR1S", df: Df = "G-1") -> Fits:
    """Fit least squares with an intercept for every cluster and a cluster-robust variance.

    The intercept and the predictors that vary within no cluster are not estimated. The p of the
    small-sample factors and of the degrees of freedom counts the slopes and one intercept, as
    Stata's `xtreg, fe vce(cluster)` does: the variance is robust to whatever is common to a
    cluster, so its intercept costs nothing.

    Parameters
    ----------
    shard : Shard
        The datasets.
    variance, df : str
        As of `cluster_robust`.

    Returns
    -------
    Fits
    """
    return fit_within(shard, variance, df)
