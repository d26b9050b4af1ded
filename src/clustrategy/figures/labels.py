"""How strategies and factors are named in figures."""

from __future__ import annotations

from typing import Any

CLUSTERS = "clusters"
OBSERVATIONS = "obs_per_cluster"
SIGMA = "between_cluster_sigma"
KIND = "kind"

STRATEGIES = {
    "cluster_robust": "cluster-robust OLS",
    "two_stage": "two-stage",
    "mixed_maximal": "mixed, maximal",
    "mixed_intercept": "mixed, random intercept",
    "mixed_uncorrelated": "mixed, uncorrelated",
    "mixed_fallback": "mixed, fallback",
    "mixed_selected": "mixed, selected",
    "fixed_effects": "fixed effects",
    "wild_cluster_bootstrap": "wild cluster bootstrap",
    "gee": "GEE",
    "ols": "OLS",
}

FACTORS = {
    CLUSTERS: "clusters",
    OBSERVATIONS: "observations per cluster",
    SIGMA: "between-cluster sigma",
}

COUNTS = {
    CLUSTERS: ("cluster", "clusters"),
    OBSERVATIONS: ("observation per cluster", "observations per cluster"),
}


def strategy_label(strategy: str) -> str:
    """Return a strategy's name for readers, or the label itself if it has none."""
    return STRATEGIES.get(strategy, strategy.replace("$", r"\$"))


def factor_label(factor: str) -> str:
    """Return a factor's name for readers."""
    return FACTORS.get(factor, factor.replace("_", " "))


def value_label(value: Any) -> str:
    """Return a factor's level as short text."""
    return value if isinstance(value, str) else f"{value:g}"


def level_label(factor: str, value: Any) -> str:
    """Return a factor and its level, such as ``10 clusters`` or ``residual sigma 0.5``."""
    if factor in COUNTS:
        singular, plural = COUNTS[factor]
        return f"{value_label(value)} {singular if value == 1 else plural}"
    if factor == KIND:
        return str(value)
    return f"{factor_label(factor)} {value_label(value)}"
