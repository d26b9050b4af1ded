"""Least squares with tests and intervals by the wild cluster bootstrap."""

from __future__ import annotations

from clustrategy.core.fits import Fits
from clustrategy.core.shard import Shard
from clustrategy.estimation.wild_bootstrap import Weights, fit_wild_bootstrap
from clustrategy.strategies.draws import no_draws
from clustrategy.strategies.registry import strategy


@strategy("wild_cluster_bootstrap", refusal=no_draws)
def wild_cluster_bootstrap(
    shard: Shard, *, impose_null: bool = True, weights: Weights = "rademacher", draws: int = 999
) -> Fits:
    """Ordinary least squares with tests and intervals by the wild cluster bootstrap.

    Standard errors are CR1's; a constant factor of the variance (CR0, CR1S) changes no p-value and
    no limit. There are no degrees of freedom. The p-value is the share of draws with |t*| >= |t|,
    the confidence limits are the farthest null values that this test does not reject.

    With Rademacher weights all sign vectors are taken, instead of random ones, where those that
    have +1 in the first cluster are at most `draws`: 2^(G-1), for a vector and its opposite have
    the same |t*|. `p_value_low` is the share with |t*| > |t| where that is another one: under
    the null imposed the vector of ones gives back the data, so that then no p-value but an
    interval is identified (Webb 2023, Canadian J. Econ. 56, 839-858).

    The random weights follow from the response alone, rounded to single precision: a dataset has
    the same ones in any shard. All its coefficients share them.

    Parameters
    ----------
    impose_null : whether the residuals that are drawn with are those of the fit under the null,
        anew for each coefficient and null value (WCR), or of the fit itself (WCU).
    weights : Rademacher's two points, the six of Webb, or Mammen's (1993) skewed two.
    draws : bootstrap samples.
    """
    return fit_wild_bootstrap(shard, impose_null, weights, draws)
