"""Least squares with tests and intervals by the wild cluster bootstrap."""

from __future__ import annotations

from collections.abc import Sequence

from clustrategy.core.fits import Fits
from clustrategy.core.joint_tests import JointTests
from clustrategy.core.shard import Floats, Ints, Shard
from clustrategy.estimation.joint_wild_bootstrap import joint_wild_bootstrap
from clustrategy.estimation.wild_bootstrap import Weights, fit_wild_bootstrap
from clustrategy.estimation.wild_scores import Variant
from clustrategy.strategies.draws import no_draws
from clustrategy.strategies.registry import always, strategy


def joint(
    shard: Shard,
    groups: Sequence[Ints],
    *,
    variant: Variant = "C",
    impose_null: bool = True,
    weights: Weights = "rademacher",
    draws: int = 999,
) -> JointTests:
    """Test groups of coefficients; options as of `wild_cluster_bootstrap`."""
    return joint_wild_bootstrap(shard, groups, variant, impose_null, weights, draws)


@strategy(
    "wild_cluster_bootstrap", refusal=no_draws, resamples=always, equivariant=True, joint=joint
)
def wild_cluster_bootstrap(
    shard: Shard,
    nulls: Floats | None = None,
    *,
    variant: Variant = "C",
    impose_null: bool = True,
    weights: Weights = "rademacher",
    draws: int = 999,
) -> Fits:
    """Fit least squares with tests and intervals by the wild cluster bootstrap.

    Parameters
    ----------
    shard : Shard
        The datasets.
    nulls : (S, p, K) array, optional
        Further null values of each coefficient to test.
    variant : str
        The member of the family of MacKinnon, Nielsen & Webb (2023): C, the classic one; S, with
        jackknifed residuals; V, with the jackknife's variance CV3; B, with both.
    impose_null : bool
        Whether residuals come from the fit under the null, anew for each coefficient and null value
        (WCR), or from the unrestricted fit (WCU).
    weights : str
        Rademacher's two points, the six of Webb, or Mammen's (1993) skewed two.
    draws : int
        Bootstrap samples; fewer where all Rademacher vectors are taken instead.

    Returns
    -------
    Fits
    """
    return fit_wild_bootstrap(shard, nulls, variant, impose_null, weights, draws)
