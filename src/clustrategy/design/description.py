"""What a design can tell before any model is fitted: by term, and by cluster."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from clustrategy.core.shard import Shard
from clustrategy.design.influence import estimates_without
from clustrategy.design.leverage import effective_clusters, leverage
from clustrategy.design.slopes import slopes
from clustrategy.design.variation import variation
from clustrategy.estimation.cluster_robust import fit_cluster_robust

if TYPE_CHECKING:
    import pandas as pd

STRONG = 0.999
"""The correlation within clusters that Stata's `summclust` takes."""


def by_term(shard: Shard, names: Sequence[str]) -> pd.DataFrame:
    """Describe each coefficient.

    Parameters
    ----------
    shard : Shard
        One dataset, X of full rank.
    names : sequence of str
        The names of its clusters.

    Returns
    -------
    DataFrame
        A row per coefficient: term; varies_in (in how many clusters); between_share (of its
        variance); treated_clusters and untreated_clusters (of a 0/1 predictor that is constant
        within clusters); effective_clusters and effective_clusters_rho999 (Carter, Schnepel &
        Steigerwald's G* for independent errors, and for errors that correlate by .999 within
        clusters); largest_partial_leverage and its cluster; largest_influence, the change of the
        least-squares estimate when a cluster is left out, in units and in standard errors (CR2),
        and its cluster; pooled_slope, within_slope, between_slope and mundlak_p_value.
    """
    import pandas as pd

    varies = variation(shard)
    partial = leverage(shard).partial
    fits = fit_cluster_robust(shard, "CR2", "satterthwaite")
    change = estimates_without(shard) - fits.estimate[0]
    most = partial.argmax(axis=0)
    size = np.abs(change)
    moved = np.where(np.isnan(size), -1.0, size).argmax(axis=0)
    columns = np.arange(shard.p)
    slope = slopes(shard)
    labels = np.asarray(names, dtype=object)
    return pd.DataFrame(
        {
            "term": shard.terms,
            "varies_in": varies.varies_in,
            "between_share": varies.between_share,
            "treated_clusters": varies.treated,
            "untreated_clusters": varies.untreated,
            "effective_clusters": effective_clusters(shard),
            "effective_clusters_rho999": effective_clusters(shard, STRONG),
            "largest_partial_leverage": partial[most, columns],
            "largest_partial_leverage_cluster": labels[most],
            "largest_influence": change[moved, columns],
            "largest_influence_std_errors": change[moved, columns] / fits.std_error[0],
            "largest_influence_cluster": labels[moved],
            "pooled_slope": slope.pooled,
            "within_slope": slope.within,
            "between_slope": slope.between,
            "mundlak_p_value": slope.difference_p_value,
        }
    )


def by_cluster(shard: Shard, names: Sequence[str]) -> pd.DataFrame:
    """Describe each cluster.

    Parameters
    ----------
    shard : Shard
        One dataset, X of full rank.
    names : sequence of str
        The names of its clusters.

    Returns
    -------
    DataFrame
        A row per cluster and coefficient: cluster, rows, leverage (of the cluster; over the
        clusters it sums to the number of coefficients), term, partial_leverage (sums to 1) and
        estimate_without (the least-squares estimate without the cluster, NaN where there is none).
    """
    import pandas as pd

    found = leverage(shard)
    G, p = shard.clusters, shard.p
    return pd.DataFrame(
        {
            "cluster": np.repeat(np.asarray(names, dtype=object), p),
            "rows": np.repeat(shard.n[0], p),
            "leverage": np.repeat(found.leverage, p),
            "term": np.tile(np.asarray(shard.terms, dtype=object), G),
            "partial_leverage": found.partial.ravel(),
            "estimate_without": estimates_without(shard).ravel(),
        }
    )
