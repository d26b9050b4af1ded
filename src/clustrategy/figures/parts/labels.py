"""Names of strategies, factors and their levels in figures."""

from __future__ import annotations

from typing import Any

CLUSTERS = "clusters"
OBSERVATIONS = "obs_per_cluster"
SIGMA = "between_cluster_sigma"
KIND = "kind"

LONGEST = 48
"""Characters of a strategy's name; of a longer one the middle is left out."""

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
    "intercept_slope_correlation": "intercept-slope correlation",
    "predictor_icc": "ICC of predictors",
    "size_cv": "CV of cluster sizes",
    "informative_size": "correlation of size and intercept",
    "random_distribution": "random effects",
    "residual_distribution": "residuals",
    "residual_variance_cv": "CV of residual variances",
    "endogeneity": "correlation of IV1 and intercept",
}

COUNTS = {
    CLUSTERS: ("cluster", "clusters"),
    OBSERVATIONS: ("observation per cluster", "observations per cluster"),
    "predictors": ("predictor", "predictors"),
    "arms": ("arm", "arms"),
}

LEVELS = {
    ("treatment", "none"): "no treatment",
    ("treatment", "between"): "treatment of clusters",
    ("treatment", "within"): "treatment within clusters",
}


def strategy_label(strategy: str) -> str:
    """Return a strategy's name for readers: its label, of a long one the two ends."""
    words = "".join(filter(str.isprintable, " ".join(strategy.split())))
    if len(words) > LONGEST:
        words = f"{words[:30].rstrip()}…{words[-15:].lstrip()}"
    return STRATEGIES.get(strategy, words.replace("$", r"\$"))


def factor_label(factor: str) -> str:
    """Return a factor's name for readers."""
    return FACTORS.get(factor, factor.replace("_", " "))


def value_label(value: Any) -> str:
    """Return a factor's level as short text."""
    if not isinstance(value, str):
        return f"{value:g}"
    head, _, rest = value.replace(",", ", ").partition("uniform, ")
    return f"U({rest})" if rest else head


def level_label(factor: str, value: Any) -> str:
    """Return a factor and its level, such as ``10 clusters`` or ``residuals skewed``."""
    if (factor, value) in LEVELS:
        return LEVELS[factor, value]
    if factor in COUNTS:
        singular, plural = COUNTS[factor]
        return f"{value_label(value)} {singular if value == 1 else plural}"
    if factor == KIND:
        return str(value)
    return f"{factor_label(factor)} {value_label(value)}"
