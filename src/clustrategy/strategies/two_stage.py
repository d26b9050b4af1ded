"""Two-stage regression."""

from __future__ import annotations

from collections.abc import Sequence

from clustrategy.core.fits import Fits
from clustrategy.core.joint_tests import JointTests
from clustrategy.core.shard import Floats, Ints, Shard
from clustrategy.estimation.first_stage import Adjust, SmallClusters
from clustrategy.estimation.joint_two_stage import joint_two_stage
from clustrategy.estimation.two_stage import Test, Weights, fit_two_stage
from clustrategy.strategies.draws import no_draws
from clustrategy.strategies.registry import strategy


def finite_variance(rows: int, slopes: int, **options: object) -> bool:
    """Tell whether the clusters' estimates, and so their mean, have a finite variance.

    With predictors from a normal distribution, the inverse of their cross-products about the
    cluster's mean is inverse Wishart with rows - 1 degrees of freedom and has an expectation if
    these exceed slopes + 1. Treatment arms and binary predictors take a row each and are no
    slopes here. Precision weights change nothing: where a cluster has two residual degrees of
    freedom, a mean of any weights is finite because the estimates are; with one, its variance is
    too poor a guess to tell a wild estimate. Clusters with none may be left out, but where sizes
    differ those with one are there, too.

    Parameters
    ----------
    rows : int
        Rows of the smallest cluster.
    slopes : int
        Predictors that vary within clusters.
    **options
        Those of the strategy, which do not matter.

    Returns
    -------
    bool
    """
    return slopes == 0 or rows - slopes > 2


def flips_signs(test: Test = "t", **options: object) -> bool:
    """Tell whether the test is by sign flips."""
    return test == "sign_flip"


def refusal(
    weights: Weights = "equal",
    test: Test = "t",
    draws: int = 1,
    adjust: Adjust = "nothing",
    **options: object,
) -> str:
    """Say why options do not go together; an empty text where they do."""
    if adjust == "slopes" and (weights != "equal" or test == "sign_flip"):
        found = "weights: precision" if weights != "equal" else "test: sign_flip"
        return f"adjust: slopes goes with weights: equal and test: t, found {found}"
    return no_draws(draws)


def joint(
    shard: Shard,
    groups: Sequence[Ints],
    *,
    weights: Weights = "equal",
    test: Test = "t",
    draws: int = 999,
    small_clusters: SmallClusters = "drop",
    adjust: Adjust = "nothing",
) -> JointTests:
    """Test groups of coefficients; options as of `two_stage`."""
    return joint_two_stage(shard, groups, weights, test, draws, small_clusters, adjust)


@strategy(
    "two_stage",
    finite_variance=finite_variance,
    refusal=refusal,
    resamples=flips_signs,
    equivariant=True,
    joint=joint,
)
def two_stage(
    shard: Shard,
    nulls: Floats | None = None,
    *,
    weights: Weights = "equal",
    test: Test = "t",
    draws: int = 999,
    small_clusters: SmallClusters = "drop",
    adjust: Adjust = "nothing",
) -> Fits:
    """Fit every cluster by itself and take the mean of its coefficients, t with G - 1 df.

    With hardly more rows than coefficients the estimates of a cluster have no finite variance.

    Parameters
    ----------
    shard : Shard
        The datasets.
    nulls : (S, p, K) array, optional
        Further null values of each coefficient to test by sign flips.
    weights : str
        `equal`; or `precision`, 1 / (v_g + tau^2) with v_g the squared standard error of the
        cluster's coefficient, taken as known, and tau^2 by REML.
    test : str
        `t`, which with precision weights has the standard error 1 / sqrt(sum of weights);
        `hartung_knapp` (Hartung & Knapp 2001; Knapp & Hartung 2003), whose standard error comes
        from the weighted scatter of the clusters' coefficients and which with equal weights is
        `t` itself; `sign_flip`, which changes the signs of the clusters' coefficients.
    draws : int
        Random sign vectors, where not all are tried.
    small_clusters : str
        What becomes of clusters that cannot carry a regression of their own, or none with a
        residual where others have one: `drop` leaves them out of both stages and `message` says
        how many; with `refuse` the fit is undefined; `keep` counts those that have coefficients,
        and the fit is undefined where some have none.
    adjust : str
        `slopes` puts the clusters' slopes beside cluster-level predictors in the second stage, for
        the coefficients of the latter, which lose as many df; with equal weights and `t` only.

    Returns
    -------
    Fits
    """
    return fit_two_stage(shard, nulls, weights, test, draws, small_clusters, adjust)
