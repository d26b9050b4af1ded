"""The strategies that a table is analysed by where none are named."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from clustrategy.design.random_effects import RandomEffects
from clustrategy.engines.chosen import Strategy

MAXIMAL = {
    "strategy": "mixed_maximal",
    "name": "mixed, maximal, Kenward-Roger",
    "df": "kenward_roger",
}
"""Stands aside where the random effects are named."""

_BEFORE: tuple[dict[str, Any], ...] = (
    {
        "strategy": "cluster_robust",
        "name": "OLS, CR2",
        "variance": "CR2",
        "df": "satterthwaite",
    },
    {"strategy": "wild_cluster_bootstrap", "name": "OLS, wild bootstrap"},
    {"strategy": "two_stage", "name": "two-stage"},
)
_BEHIND: tuple[dict[str, Any], ...] = (
    {"strategy": "mixed_intercept", "name": "mixed, random intercept, CR2", "variance": "CR2"},
    {
        "strategy": "fixed_effects",
        "name": "fixed effects, CR2",
        "variance": "CR2",
        "df": "satterthwaite",
    },
    {"strategy": "cluster_robust", "name": "OLS, CR1S"},
    {"strategy": "ols", "name": "OLS"},
)

FEW_CLUSTERS = 40
"""Below, CR1S is not to be relied on (Cameron, Gelbach & Miller 2008, REStat 90, 414-427; the
inference study finds 7.4 % false positives of cluster-level predictors with 30)."""

_USUAL = ("CR0", "CR1", "CR1S", "pymer4")
"""Variances that are too small with few clusters."""


def default_strategies(random: RandomEffects | None = None) -> list[dict[str, Any]]:
    """Return what a careful methodologist would show, and what papers usually have.

    Parameters
    ----------
    random : RandomEffects, optional
        The random effects of the mixed model, where they are not as many as there can be.

    Returns
    -------
    list of dict
        As under `strategies:` in a config.
    """
    return [*_BEFORE, MAXIMAL if random is None else chosen(random), *_BEHIND]


def chosen(random: RandomEffects) -> dict[str, Any]:
    """Return the entry of a mixed model with these random effects."""
    return {
        "strategy": "mixed",
        "name": "mixed, as given, Kenward-Roger",
        "random": list(random.coefficients),
        "correlated": random.correlated,
        "df": "kenward_roger",
    }


def not_relied_on(strategies: Sequence[Strategy], clusters: int) -> list[str]:
    """Return the labels of strategies that are shown only because papers usually have them.

    Parameters
    ----------
    strategies : sequence of Strategy
        Those of an analysis.
    clusters : int
        How many clusters there are.

    Returns
    -------
    list of str
        Of least squares without clusters, and where these are few of CR1S and its like.
    """
    return [
        strategy.label
        for strategy in strategies
        if strategy.name == "ols" or clusters < FEW_CLUSTERS and _is_too_small(strategy)
    ]


def _is_too_small(strategy: Strategy) -> bool:
    """Tell whether standard errors are too small with few clusters: CR1S and its like."""
    robust = strategy.name in ("cluster_robust", "fixed_effects")
    small = strategy.options.get("variance", "CR1S") in _USUAL
    return robust and small and strategy.options.get("df", "G-1") != "satterthwaite"
