"""What a design can tell before any model is fitted: by term, and by cluster."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from clustrategy.core.shard import Floats, Shard
from clustrategy.design.influence import estimates_without
from clustrategy.design.leverage import effective_clusters, leverage
from clustrategy.design.slopes import slopes
from clustrategy.design.variation import variation
from clustrategy.estimation.cluster_robust import fit_cluster_robust

if TYPE_CHECKING:
    import pandas as pd

STRONG = 0.999
"""The correlation within clusters that R's effClust takes.

Carter, Schnepel & Steigerwald (2017) advise 1 as the worst case, where there is no G* of what sums
to zero in each cluster.
"""

ROUNDING = 1e-9
"""Values whose sizes differ by no more than this share are equal."""


def by_term(shard: Shard, names: Sequence[str]) -> pd.DataFrame:
    """Describe each coefficient.

    Parameters
    ----------
    shard : Shard
        One dataset.
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
        and its cluster; indispensable_clusters, the number of clusters without any one of which
        there is no estimate; pooled_slope, within_slope and between_slope, signs_differ (whether
        they are of one sign or not) and mundlak_p_value (that within and between are equal).
        Where there is no number: NaN, and no cluster.

    Raises
    ------
    DataError
        If coefficients depend on each other.
    """
    import pandas as pd

    varies = variation(shard)
    partial = leverage(shard).partial
    slope = slopes(shard)
    change = estimates_without(shard) - slope.pooled
    std_error = np.full(shard.p, np.nan)
    if shard.in_range.all():
        std_error = fit_cluster_robust(shard, "CR2", "G-1").std_error[0]
    most, leverage_cluster = _largest(partial, names)
    moved, influence_cluster = _largest(change, names)
    return pd.DataFrame(
        {
            "term": shard.terms,
            "varies_in": varies.varies_in,
            "between_share": varies.between_share,
            "treated_clusters": varies.treated,
            "untreated_clusters": varies.untreated,
            "effective_clusters": effective_clusters(shard),
            "effective_clusters_rho999": effective_clusters(shard, STRONG),
            "largest_partial_leverage": most,
            "largest_partial_leverage_cluster": leverage_cluster,
            "largest_influence": moved,
            "largest_influence_std_errors": moved / std_error,
            "largest_influence_cluster": influence_cluster,
            "indispensable_clusters": np.isnan(change).sum(axis=0),
            "pooled_slope": slope.pooled,
            "within_slope": slope.within,
            "between_slope": slope.between,
            "signs_differ": slope.signs_differ,
            "mundlak_p_value": slope.difference_p_value,
        }
    )


def _largest(values: Floats, names: Sequence[str]) -> tuple[Floats, list[str | None]]:
    """Return of each column of (G, p) the value that is largest in size, and its cluster.

    Of clusters that have the same but for rounding it is the first.
    """
    size = np.where(np.isnan(values), -1.0, np.abs(values))
    place = (size >= (1.0 - ROUNDING) * size.max(axis=0)).argmax(axis=0)
    found = values[place, np.arange(values.shape[1])]
    none = np.isnan(found)
    return found, [None if no else names[at] for at, no in zip(place, none, strict=True)]


def by_cluster(shard: Shard, names: Sequence[str]) -> pd.DataFrame:
    """Describe each cluster.

    Parameters
    ----------
    shard : Shard
        One dataset.
    names : sequence of str
        The names of its clusters.

    Returns
    -------
    DataFrame
        A row per cluster and coefficient: cluster, rows, leverage (of the cluster; over the
        clusters it sums to the number of coefficients), term, partial_leverage (sums to 1) and
        estimate_without (the least-squares estimate without the cluster, NaN where there is none).

    Raises
    ------
    DataError
        If coefficients depend on each other.
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
