"""Ordinary least squares with cluster-robust standard errors."""

from __future__ import annotations

from collections.abc import Sequence

from clustrategy.core.fits import Fits
from clustrategy.core.joint_tests import JointTests
from clustrategy.core.shard import Ints, Shard
from clustrategy.estimation.added_columns import fit_parts, joint_parts, with_means
from clustrategy.estimation.cluster_robust import (
    NO_SATTERTHWAITE,
    Df,
    VarianceOrJackknife,
    fit_cluster_robust,
    joint_cluster_robust,
)
from clustrategy.strategies.registry import strategy


def no_jackknife_df(
    variance: VarianceOrJackknife = "CR1S", df: Df = "G-1", **options: object
) -> str:
    """Say that the jackknife has no degrees of freedom of Satterthwaite's, where they are asked."""
    return NO_SATTERTHWAITE if variance == "jackknife" and df == "satterthwaite" else ""


def moves_along(variance: VarianceOrJackknife = "CR1S", **options: object) -> bool:
    """Tell whether the standard errors do not depend on the coefficients.

    Hansen's jackknife takes a coefficient for zero without the one cluster that tells of it.
    """
    return variance != "jackknife"


def joint(
    shard: Shard,
    groups: Sequence[Ints],
    *,
    variance: VarianceOrJackknife = "CR1S",
    df: Df = "G-1",
    within_between: bool = False,
) -> JointTests:
    """Test groups of coefficients; options as of `cluster_robust`."""

    def test(sims: Ints, part: Shard) -> JointTests:
        return joint_cluster_robust(part, groups, variance, df)

    return joint_parts(shard, with_means(shard, within_between), groups, test)


@strategy("cluster_robust", refusal=no_jackknife_df, equivariant=moves_along, joint=joint)
def cluster_robust(
    shard: Shard,
    *,
    variance: VarianceOrJackknife = "CR1S",
    df: Df = "G-1",
    within_between: bool = False,
) -> Fits:
    """Fit ordinary least squares with a cluster-robust variance.

    Parameters
    ----------
    shard : Shard
        The datasets.
    variance : str
        CR0; CR1 = CR0 G/(G-1); CR1S = CR1 (N-1)/(N-p), as Stata and statsmodels; pymer4 = CR1
        N/(N-p); CR2 and CR3, as clubSandwich; CV3 = CR3 (G-1)/G, the jackknife;
        jackknife, that of Hansen (2025, J Appl Econom), which is CR3 where every cluster can be
        left out, and has no `satterthwaite`.
    df : str
        Degrees of freedom of the t distribution; `satterthwaite` as Pustejovsky & Tipton (2018).
    within_between : bool
        Whether the cluster means of the predictors that vary within clusters are in the model as
        well (Mundlak 1978, Econometrica 46, 69-85): the predictors' coefficients are then those
        of `fixed_effects`, and so are their standard errors with CR0, CR1, CR2, CR3 and CV3.

    Returns
    -------
    Fits
    """

    def fit(sims: Ints, part: Shard) -> Fits:
        return fit_cluster_robust(part, variance, df)

    return fit_parts(shard, with_means(shard, within_between), fit)
