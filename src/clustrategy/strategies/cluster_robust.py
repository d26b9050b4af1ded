"""Ordinary least squares with cluster-robust standard errors."""

from __future__ import annotations

from collections.abc import Sequence

from clustrategy.core.fits import Fits
from clustrategy.core.joint_tests import JointTests
from clustrategy.core.shard import Ints, Shard
from clustrategy.estimation.cluster_robust import (
    Df,
    Variance,
    fit_cluster_robust,
    joint_cluster_robust,
)
from clustrategy.strategies.registry import strategy


def joint(
    shard: Shard, groups: Sequence[Ints], *, variance: Variance = "CR1S", df: Df = "G-1"
) -> JointTests:
    """Test groups of coefficients; options as of `cluster_robust`."""
    return joint_cluster_robust(shard, groups, variance, df)


@strategy("cluster_robust", equivariant=True, joint=joint)
def cluster_robust(shard: Shard, *, variance: Variance = "CR1S", df: Df = "G-1") -> Fits:
    """Fit ordinary least squares with a cluster-robust variance.

    Parameters
    ----------
    shard : Shard
        The datasets.
    variance : str
        CR0; CR1 = CR0 G/(G-1); CR1S = CR1 (N-1)/(N-p), as Stata and statsmodels; pymer4 = CR1
        N/(N-p); CR2 and CR3, as clubSandwich; CV3 = CR3 (G-1)/G, the jackknife.
    df : str
        Degrees of freedom of the t distribution; `satterthwaite` as Pustejovsky & Tipton (2018).

    Returns
    -------
    Fits
    """
    return fit_cluster_robust(shard, variance, df)
