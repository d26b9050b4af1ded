"""What the page calls the strategies of config/which-strategy.yaml."""

from __future__ import annotations

from typing import NamedTuple


class Strategy(NamedTuple):
    """What the page calls a strategy.

    Attributes
    ----------
    short, words : str
        Its name in tables, and what it is.
    page : str
        Where its own page is.
    """

    short: str
    words: str
    page: str


STRATEGIES = {
    "ols": Strategy("OLS", "least squares that ignores the clusters", "ols"),
    "OLS, CR1S": Strategy(
        "CR1S",
        "least squares, the usual cluster-robust standard errors, t(G − 1)",
        "cluster_robust",
    ),
    "OLS, CR2": Strategy(
        "CR2", "least squares, CR2 with Satterthwaite's degrees of freedom", "cluster_robust"
    ),
    "OLS, CR3": Strategy("CR3", "least squares, CR3 (the jackknife), t(G − 1)", "cluster_robust"),
    "within-between OLS, CR2": Strategy(
        "within-between",
        "least squares with the cluster means beside (Mundlak), CR2",
        "cluster_robust",
    ),
    "fixed effects, CR2": Strategy("fixed effects", "the within estimator, CR2", "fixed_effects"),
    "GEE, Ford-Westgate": Strategy(
        "GEE-FW", "GEE, exchangeable, Ford and Westgate's variance, t(G − k)", "gee"
    ),
    "GEE, Mancl-DeRouen": Strategy(
        "GEE-MD", "GEE, exchangeable, Mancl and DeRouen's variance, t(G − k)", "gee"
    ),
    "two_stage": Strategy(
        "two-stage", "least squares in each cluster, a t test of what comes out", "two_stage"
    ),
    "two-stage, precision": Strategy(
        "two-stage, weighted",
        "the same by random-effects meta-analysis (Hartung-Knapp)",
        "two_stage",
    ),
    "two-stage, beside slopes": Strategy(
        "two-stage, slopes",
        "the same, clusters' slopes beside cluster-level predictors",
        "two_stage",
    ),
    "mixed_intercept": Strategy("RI", "mixed model, random intercept alone", "mixed_intercept"),
    "mixed, random intercept, CR2": Strategy(
        "RI-CR2", "mixed model, random intercept, CR2 standard errors", "mixed_intercept"
    ),
    "mixed, random intercept, KR": Strategy(
        "RI-KR", "mixed model, random intercept, Kenward and Roger's method", "mixed_intercept"
    ),
    "mixed_uncorrelated": Strategy(
        "uncorrelated",
        "mixed model, uncorrelated random intercept and slopes",
        "mixed_uncorrelated",
    ),
    "mixed_maximal": Strategy(
        "maximal", "mixed model, all random slopes and correlations, Satterthwaite", "mixed_maximal"
    ),
    "mixed, maximal, KR": Strategy(
        "maximal-KR", "the maximal model, Kenward and Roger's method", "mixed_maximal"
    ),
    "mixed, maximal, cross-level": Strategy(
        "maximal, cross-level", "the maximal model with cross-level products", "mixed_maximal"
    ),
    "mixed_fallback": Strategy(
        "fallback",
        "maximal, else uncorrelated, else intercept: the first not singular",
        "mixed_fallback",
    ),
    "mixed_selected": Strategy(
        "selected", "random slopes kept by likelihood ratio tests", "mixed_selected"
    ),
    "wild_cluster_bootstrap": Strategy(
        "wild", "least squares, restricted wild cluster bootstrap", "wild_cluster_bootstrap"
    ),
    "wild bootstrap, S": Strategy(
        "wild-S", "the same with jackknifed scores (WCR-S)", "wild_cluster_bootstrap"
    ),
}
"""By their labels in config/which-strategy.yaml, in the order of the page's legend."""
