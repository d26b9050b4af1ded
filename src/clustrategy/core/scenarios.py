"""The names of scenarios: ways in which outcomes may come about on a given design."""

from __future__ import annotations

SCENARIO = "scenario"
"""The one factor of a study on a given design."""

NAMES = {
    "estimated": "the variances as REML estimates them",
    "lower_80": "the random effects' standard deviations at their lower 80 % limits",
    "upper_80": "the random effects' standard deviations at their upper 80 % limits",
    "lower_95": "the random effects' standard deviations at their lower 95 % limits",
    "upper_95": "the random effects' standard deviations at their upper 95 % limits",
    "slopes_vary": "slopes that vary between clusters as much as the data allow",
    "variance_by_cluster": "a residual variance of each cluster's own",
    "variance_by_arm": "a residual variance of each arm's own",
    "autocorrelated": "residuals correlated from row to row",
    "resampled": "residuals and cluster effects resampled from the fit, in place of normal ones",
}
"""The scenarios, in their order, and what each supposes; they do not depend on the data."""
