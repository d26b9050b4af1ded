"""For which coefficients a strategy is to be relied on, and why not for the others.

What the strategies do with few clusters is from the inference study (docs/inference.md): false
positives at 5 % in the worst of 45 cells of 10 to 100 clusters.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from clustrategy.core.shard import INTERCEPT, Shard
from clustrategy.engines.chosen import Strategy

FEW_CLUSTERS = 40.0
"""Effective clusters below which CR1S and its like are not to be relied on: 7.4 % with 30 clusters
(Cameron, Gelbach & Miller 2008, REStat 90, 414-427, call fewer than 30 to 50 few)."""

FEW_FOR_MAXIMAL = 30
"""Clusters below which a mixed model with random slopes is not to be relied on for predictors that
are constant within clusters: 15.4 % by Satterthwaite's and 8.5 % by Kenward and Roger's degrees of
freedom with 10 clusters, 6.3 % with 30."""

OFF_CENTRE = 0.5
"""Standard deviations between 0 and a predictor's mean from which two-stage regression compares
clusters far from their means."""

LEVEL = 0.05

SMALL = ("CR0", "CR1", "CR1S", "pymer4")
"""Cluster-robust variances that are too small with few clusters."""

Row = Mapping[str, Any]


@dataclass(frozen=True)
class Reliance:
    """Why strategies are not to be relied on.

    Attributes
    ----------
    reasons : dict of (str, str) to str
        By the strategy's label and the coefficient; what is not in it is to be relied on.
    labels, terms : tuple of str
        All strategies and coefficients.
    """

    reasons: Mapping[tuple[str, str], str]
    labels: tuple[str, ...]
    terms: tuple[str, ...]

    def reason(self, label: str, term: str) -> str:
        """Return why a strategy is not to be relied on for a coefficient, empty where it is."""
        return self.reasons.get((label, term), "")

    @cached_property
    def never(self) -> list[str]:
        """The labels of strategies that are to be relied on for no coefficient."""
        return [
            label
            for label in self.labels
            if all((label, term) in self.reasons for term in self.terms)
        ]


def reliance(shard: Shard, strategies: Sequence[Strategy], by_term: Sequence[Row]) -> Reliance:
    """Judge for which coefficients strategies are to be relied on.

    Parameters
    ----------
    shard : Shard
        One dataset.
    strategies : sequence of Strategy
        What is fitted to it.
    by_term : sequence of mapping
        What the design says of each coefficient.

    Returns
    -------
    Reliance
    """
    off = off_centre(shard, by_term)
    reasons = {}
    for strategy in strategies:
        for row in by_term:
            for rule in RULES:
                if reason := rule(strategy, row, shard.clusters, off):
                    reasons[strategy.label, str(row["term"])] = reason
                    break
    labels = tuple(strategy.label for strategy in strategies)
    return Reliance(reasons, labels, tuple(str(row["term"]) for row in by_term))


def off_centre(shard: Shard, by_term: Sequence[Row]) -> list[str]:
    """Return the predictors that vary within clusters and whose mean is far from 0."""
    found = []
    for column, row in zip(shard.X.T, by_term, strict=True):
        if row["varies_in"] and abs(column.mean()) > OFF_CENTRE * column.std():
            found.append(str(row["term"]))
    return found


def _ignores_clusters(strategy: Strategy, row: Row, clusters: int, off: Sequence[str]) -> str:
    return "it ignores the clusters" if strategy.name == "ols" else ""


def _small_errors(strategy: Strategy, row: Row, clusters: int, off: Sequence[str]) -> str:
    if strategy.name not in ("cluster_robust", "fixed_effects"):
        return ""
    options = strategy.options
    small = options.get("variance", "CR1S") in SMALL and options.get("df", "G-1") != "satterthwaite"
    effective = min(float(clusters), float(np.nan_to_num(row["effective_clusters"], nan=clusters)))
    if not small or effective >= FEW_CLUSTERS:
        return ""
    return "its standard errors are too small with few clusters"


def _normal_with_few(strategy: Strategy, row: Row, clusters: int, off: Sequence[str]) -> str:
    mixed = strategy.name.startswith("mixed")
    default = "satterthwaite" if mixed else "normal" if strategy.name == "gee" else ""
    normal = strategy.options.get("df", default) == "normal"
    return (
        "its normal quantiles are too small with few clusters"
        if (normal and clusters < FEW_CLUSTERS)
        else ""
    )


def _intercept_alone(strategy: Strategy, row: Row, clusters: int, off: Sequence[str]) -> str:
    alone = strategy.name == "mixed_intercept" or (
        strategy.name == "mixed"
        and tuple(strategy.options.get("random", (INTERCEPT,))) == (INTERCEPT,)
    )
    model = strategy.options.get("variance", "model") == "model"
    if alone and model and row["varies_in"] and row["term"] != INTERCEPT:
        return "its standard errors are too small if slopes differ between clusters"
    return ""


def _slopes_and_few(strategy: Strategy, row: Row, clusters: int, off: Sequence[str]) -> str:
    names = ("mixed_maximal", "mixed_uncorrelated", "mixed_selected", "mixed_fallback")
    if strategy.name not in names and not (
        strategy.name == "mixed" and len(strategy.options.get("random", ())) > 1
    ):
        return ""
    model = strategy.options.get("variance", "model") == "model"
    constant = row["varies_in"] == 0 and row["term"] != INTERCEPT
    if model and constant and clusters < FEW_FOR_MAXIMAL:
        return "with few clusters its tests of what is constant within them are liberal"
    return ""


def _cannot_reject(strategy: Strategy, row: Row, clusters: int, off: Sequence[str]) -> str:
    if strategy.name != "wild_cluster_bootstrap":
        return ""
    least = 2.0 ** (1 - clusters)
    rademacher = strategy.options.get("weights", "rademacher") == "rademacher"
    if rademacher and least > LEVEL:
        return f"with {clusters} clusters its least p-value is {least:.2g}"
    return ""


def _at_zero(strategy: Strategy, row: Row, clusters: int, off: Sequence[str]) -> str:
    constant = row["varies_in"] == 0 and row["term"] != INTERCEPT
    if strategy.name != "two_stage" or not constant or not off:
        return ""
    where = off[0] if len(off) == 1 else f"{off[0]} and {len(off) - 1} more"
    return f"it compares the clusters where {where} is 0"


RULES: tuple[Callable[[Strategy, Row, int, Sequence[str]], str], ...] = (
    _ignores_clusters,
    _small_errors,
    _normal_with_few,
    _intercept_alone,
    _slopes_and_few,
    _cannot_reject,
    _at_zero,
)
"""Each says why a strategy is not to be relied on for a coefficient; the first that does counts."""
