"""Names of strategies, factors and their levels in figures."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from clustrategy.core.scenarios import SCENARIO

CLUSTERS = "clusters"
OBSERVATIONS = "obs_per_cluster"
SIGMA = "between_cluster_sigma"
ICC = "icc"
SLOPE_SD = "slope_sd"
KIND = "kind"

LONGEST = 48  # characters of a name; of a longer one the middle is left out
SHORT = {OBSERVATIONS: "{} obs.", SIGMA: "σ {}"}  # levels of factors where there is little room
STRATEGIES = {
    "cluster_robust": "cluster-robust OLS",
    "two_stage": "two-stage",
    "mixed": "mixed, as given",
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
    ICC: "ICC",
    SLOPE_SD: "slope SD",
    "intercept_slope_correlation": "intercept-slope correlation",
    "predictor_icc": "ICC of predictors",
    "size_cv": "CV of cluster sizes",
    "informative_size": "correlation of size and intercept",
    "size_distribution": "cluster sizes",
    "predictor_distribution": "predictors",
    "hidden_slope_sd": "SD of hidden slopes",
    "intercept_variance_ratio": "variance ratio of arms' intercepts",
    "residual_variance_ratio": "variance ratio of arms' residuals",
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

SCENARIOS = {
    "estimated": "variances as estimated",
    "lower_80": "SDs at lower 80 % limits",
    "upper_80": "SDs at upper 80 % limits",
    "lower_95": "SDs at lower 95 % limits",
    "upper_95": "SDs at upper 95 % limits",
    "slopes_vary": "slopes vary",
    "variance_by_cluster": "residual variance by cluster",
    "variance_by_arm": "residual variance by arm",
    "autocorrelated": "autocorrelated residuals",
    "resampled": "resampled residuals",
}
"""What scenarios suppose, in few letters; SDs are those of random effects."""

LEVELS = {
    ("treated", "half"): "half treated",
    ("treatment", "none"): "no treatment",
    ("treatment", "between"): "treatment of clusters",
    ("treatment", "within"): "treatment within clusters",
    ("missing_mechanism", "MAR"): "missing at random",
    ("missing_mechanism", "MCAR"): "missing completely at random",
    ("estimand", "clusters"): "averages over clusters",
    ("estimand", "persons"): "averages over persons",
    **{(SCENARIO, name): words for name, words in SCENARIOS.items()},
}


def name_label(name: str, longest: int = LONGEST) -> str:
    """Return a name that others gave on one line: of a long one the two ends."""
    words = "".join(filter(str.isprintable, " ".join(str(name).split())))
    if len(words) > longest:
        tail = longest // 3 - 1
        words = f"{words[: 2 * tail].rstrip()}…{words[-tail:].lstrip()}"
    return words.replace("$", r"\$")


def strategy_label(strategy: str, longest: int = LONGEST) -> str:
    """Return a strategy's name for readers."""
    return STRATEGIES.get(strategy) or name_label(strategy, longest)


def kind_label(kind: str) -> str:
    """Return what a kind of terms is called, which may be the name of a user's column."""
    return " ".join(kind.split()).replace("$", r"\$")


def kind_title(kind: str) -> str:
    """Return what stands above the panels of a kind of terms."""
    words = kind_label(kind)
    return words[:1].upper() + words[1:]


def left_out(terms: Sequence[str]) -> list[str]:
    """Say in a sentence which terms a figure does not show; nothing where there are none."""
    return [f"In the table alone: {', '.join(map(kind_label, terms))}."] if terms else []


def quoted_label(strategy: str) -> str:
    """Return a strategy's name for a sentence, in quotation marks if it has a comma."""
    label = strategy_label(strategy)
    return f"“{label}”" if "," in label else label


def factor_label(factor: str) -> str:
    """Return a factor's name for readers."""
    return FACTORS.get(factor, factor.replace("_", " "))


def value_label(value: Any) -> str:
    """Return a factor's level as short text."""
    if not isinstance(value, str):
        return f"{value:g}"
    parts = value.replace(",", ", ")
    head, _, bounds = parts.partition("uniform, ")
    return f"U({bounds})" if not head and bounds and not bounds[0].isalpha() else parts


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


def cell_label(levels: Mapping[Any, Any], factors: Iterable[str]) -> str:
    """Return a cell's levels in few letters, such as ``10 clusters, 5 obs., σ 1``."""
    return ", ".join(
        SHORT[name].format(value_label(levels[name]))
        if name in SHORT
        else level_label(name, levels[name])
        for name in factors
    )


def abbreviations(factors: Iterable[str]) -> str:
    """Say in a sentence what the short words of `cell_label` stand for."""
    words = {
        OBSERVATIONS: "obs.: observations per cluster",
        SIGMA: "σ: between-cluster sigma",
        SCENARIO: "SDs: standard deviations of random effects",
    }
    said = "; ".join(words[name] for name in factors if name in words)
    return f"{said}." if said else ""


def percent(share: float) -> str:
    """Write a share in percent."""
    return f"{100 * share:.3g} %"


def too_large(excess: float) -> str:
    """Write how much too large or too small something is, in percent."""
    return f"{100 * abs(excess):.0f} % too {'small' if excess < 0 else 'large'}"


def signed(value: float, digits: int = 2) -> str:
    """Write a value with its sign and so many significant digits."""
    return f"{value:+.{digits}g}".replace("-", "−") if value else "0"
