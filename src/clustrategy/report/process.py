"""The data-generating process in words."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import fields
from typing import Any

from clustrategy.core.cells import MECHANISM, Level, format_level
from clustrategy.core.counted import counted, listed
from clustrategy.dgp import Process
from clustrategy.dgp.distributions import CONTAMINATED_SHARE, CONTAMINATED_SIGMA, T_DF

FACTORS = {
    "clusters": "clusters in a dataset",
    "obs_per_cluster": "observations in a cluster",
    "between_cluster_sigma": "standard deviation of the coefficients between clusters",
    "predictors": "predictors",
    "coefficients": "true coefficients, the intercept first",
    "residual_sigma": "standard deviation of the errors",
    "sigma_ratios": "multiples of between_cluster_sigma, the intercept's first",
    "icc": "share of the intercepts' variance in its sum with the errors'",
    "slope_sd": "standard deviation of the slopes between clusters",
    "intercept_slope_correlation": "correlation of a cluster's intercept with its slopes",
    "predictor_correlation": "correlation of any two predictors",
    "predictor_icc": "share of the predictors' variance that is between clusters",
    "treatment": "what is given to a treatment arm: whole clusters, or rows within them",
    "arms": "arms of the treatment",
    "treated": "clusters, or rows of a cluster, that are treated: half, a number, or a share",
    "intercept_variance_ratio": "variance of the treated clusters' intercepts over the others'",
    "residual_variance_ratio": "variance of the treated arm's errors over the other's",
    "size_cv": "coefficient of variation of the clusters' sizes",
    "informative_size": "correlation of a cluster's size with its intercept",
    "residual_distribution": "distribution of the errors",
    "random_distribution": "distribution of the clusters' deviations",
    "residual_variance_cv": "coefficient of variation, between clusters, of the error variance",
    "residual_autocorrelation": "correlation of the errors of neighbouring rows",
    "endogeneity": "correlation of IV1 with the cluster's intercept",
    "missing_rate": "share of rows that are missing",
    "missing_mechanism": "rows are missing the more the larger IV1 (MAR), or by chance (MCAR)",
    "size_distribution": "distribution of the clusters' sizes",
    "hidden_slope_sd": "standard deviation of the slope of a covariate that no model has",
    "predictor_distribution": "distribution of the predictors that are no treatment arms",
    "estimand": "what the true coefficients are averages over",
    MECHANISM: "data-generating mechanism",
}
"""What each option is, for a table of those that vary."""

_DISTRIBUTIONS = {
    "normal": "a normal distribution",
    "t": f"a t distribution with {T_DF} degrees of freedom",
    "skewed": "a skewed (exponential) distribution",
    "contaminated": (
        f"a contaminated normal distribution ({CONTAMINATED_SHARE:.0%} of the draws have "
        f"{CONTAMINATED_SIGMA:g} times the standard deviation)"
    ),
}


_SHAPES = {
    "normal": "normal",
    "uniform": "uniform",
    "binary": "-1 or 1, each with probability 0.5",
}

_SIZES = {
    "gamma": "a gamma distribution",
    "lognormal": "a lognormal distribution",
    "pareto": "a Pareto distribution",
}


_GIVEN = {"between": "whole clusters", "within": "rows within clusters"}
_OF = {"between": "of the clusters", "within": "of the rows of each cluster"}


def _given(dgp: Mapping[str, Any], varied: Sequence[str]) -> str:
    number = _number(dgp, varied)
    return f"{number} {_OF[dgp['treatment']]}" if number else _GIVEN[dgp["treatment"]]


def _number(dgp: Mapping[str, Any], varied: Sequence[str]) -> str:
    """Write how many are treated, empty where it is half of them or the grid says it."""
    treated: Any = "half" if "treated" in varied else dgp.get("treated", "half")
    if treated == "half":
        return ""
    return f"{treated:g}" if treated >= 1 else f"a share of {treated:g}"


def _coefficients(value: Any) -> str:
    if isinstance(value, Mapping):
        low, high = value["uniform"]
        return (
            "The true coefficients are drawn anew for every dataset, uniformly between "
            f"{low:g} and {high:g}"
        )
    return f"The true coefficients are {_by_term(value)}"


def _by_term(values: Sequence[float], names: Sequence[str] | None = None) -> str:
    names = names or ["the intercept", *(f"IV{k}" for k in range(1, len(values)))]
    return listed([f"{value:g} for {name}" for value, name in zip(values, names, strict=True)])


def _shares(value: Any) -> str:
    if isinstance(value, Sequence):
        names = [f"IV{k}" for k in range(1, len(value) + 1)]
        shares = _by_term(value, names)
        return f"The share of a predictor's variance that is between clusters is {shares}"
    return f"A share of {value:g} of each predictor's variance is between clusters"


def _ratios(value: Any) -> str:
    ratios = _by_term(value)
    return f"The coefficients' standard deviations between clusters are the cell's times {ratios}"


def _predictors(value: Any) -> str:
    if isinstance(value, str):
        return f"Predictors that are no treatment arms are {_SHAPES[value]}"
    each = [f"IV{k} is {_SHAPES[shape]}" for k, shape in enumerate(value, start=1)]
    return f"As to their distributions, {listed(each)}"


def _slope_sd(value: Any) -> str:
    if isinstance(value, Sequence):
        sds = _by_term(value, [f"IV{k}" for k in range(1, len(value) + 1)])
        return f"The slopes' standard deviations between clusters are {sds}"
    return f"The slopes have a standard deviation of {value:g} between clusters"


SENTENCES: Mapping[str, Callable[[Any], str]] = {
    "coefficients": _coefficients,
    "residual_sigma": lambda value: f"The errors have a standard deviation of {value:g}",
    "sigma_ratios": _ratios,
    "icc": lambda value: (
        f"The intercepts' variance is {100 * value:g} % of its sum with the errors' variance"
    ),
    "slope_sd": _slope_sd,
    "intercept_slope_correlation": lambda value: (
        f"A cluster's intercept correlates by {value:g} with each of its slopes"
    ),
    "predictor_correlation": lambda value: f"Any two predictors correlate by {value:g}",
    "predictor_icc": _shares,
    "predictor_distribution": _predictors,
    "size_cv": lambda value: (
        f"Clusters differ in size, with a coefficient of variation of {value:g}"
    ),
    "informative_size": lambda value: (
        f"A cluster's size correlates by {value:g} with its intercept"
    ),
    "size_distribution": lambda value: f"The clusters' sizes follow {_SIZES[value]}",
    "residual_distribution": lambda value: f"The errors follow {_DISTRIBUTIONS[value]}",
    "random_distribution": lambda value: f"The clusters' deviations follow {_DISTRIBUTIONS[value]}",
    "residual_variance_cv": lambda value: (
        f"Clusters differ in their error variance, with a coefficient of variation of {value:g}"
    ),
    "residual_autocorrelation": lambda value: (
        f"The errors of neighbouring rows of a cluster correlate by {value:g}"
    ),
    "intercept_variance_ratio": lambda value: (
        f"The intercepts of treated clusters have {value:g} times the variance of the others"
    ),
    "residual_variance_ratio": lambda value: (
        f"The errors of the treated arm have {value:g} times the variance of the other's"
    ),
    "hidden_slope_sd": lambda value: (
        "The slope of a covariate that no model has differs between clusters, with a standard "
        f"deviation of {value:g}"
    ),
    "estimand": lambda value: f"The true coefficients are averages over {value}",
    "endogeneity": lambda value: f"IV1 correlates by {value:g} with the cluster's intercept",
}
"""The options that are a sentence each; those of the treatment, and of missing rows, are one."""


_MISSING = {"MAR": "at random, the more the larger IV1", "MCAR": "completely at random"}


def _treatment(dgp: Mapping[str, Any], varied: Sequence[str], arms: int) -> str | None:
    known = {"treatment", "arms"} - {*varied}
    if known == {"treatment", "arms"} and dgp.get("treatment", "none") != "none":
        dummies = "predictor is the dummy" if arms == 2 else f"{arms - 1} predictors are dummies"
        given = _given(dgp, varied)
        return f"The last {dummies} of a treatment with {arms} arms, which is given to {given}"
    if known == {"treatment"} and dgp.get("treatment", "none") != "none":
        return f"The last predictors are dummies of a treatment given to {_GIVEN[dgp['treatment']]}"
    if known == {"arms"}:
        return f"Where there is a treatment it has {arms} arms, and the last predictors are dummies"
    return None


def _missing(dgp: Mapping[str, Any], varied: Sequence[str]) -> str | None:
    rate, mechanism = dgp.get("missing_rate", 0), dgp.get("missing_mechanism", "MAR")
    how = "" if "missing_mechanism" in varied else f" {_MISSING[mechanism]}"
    if "missing_rate" in varied:
        return f"Rows are missing{how}" if how and "missing_mechanism" in dgp else None
    return f"{100 * rate:g} % of the rows are missing{how}" if rate else None


def _treated(dgp: Mapping[str, Any], varied: Sequence[str]) -> str | None:
    """Say how many are treated where no sentence on the treatment does."""
    number = _number(dgp, varied)
    if not number or ("treatment" in dgp and "treatment" not in varied):
        return None
    return f"Of clusters, or of the rows of each where they are treated, {number} are treated"


def in_words(dgp: Mapping[str, Any], varied: Sequence[str]) -> list[str]:
    """Say what of the data-generating process is the same in all cells.

    Parameters
    ----------
    dgp : mapping
        The options of the study.
    varied : sequence of str
        The options that the grid sets; nothing is said of them.

    Returns
    -------
    list of str
        A sentence for the coefficients, one for the errors' standard deviation, and one for each
        option that is not at its default.

    Examples
    --------
    >>> dgp = {"predictors": 2, "coefficients": [0, 0, 0.5], "residual_sigma": 1, "size_cv": 0.5}
    >>> for sentence in in_words(dgp, ["clusters"]):
    ...     print(sentence)
    The true coefficients are 0 for the intercept, 0 for IV1 and 0.5 for IV2.
    The errors have a standard deviation of 1.
    Clusters differ in size, with a coefficient of variation of 0.5.
    """
    defaults = {field.name: field.default for field in fields(Process)}
    said = [
        sentence(dgp[option])
        for option, sentence in SENTENCES.items()
        if option in dgp and option not in varied and dgp[option] != defaults[option]
    ]
    together = (
        _missing(dgp, varied),
        _treatment(dgp, varied, dgp.get("arms", defaults["arms"])),
        _treated(dgp, varied),
    )
    said.extend(sentence for sentence in together if sentence is not None)
    return [f"{sentence}." for sentence in said]


def predictors(dgp: Mapping[str, Any], levels: Mapping[str, Sequence[Level]]) -> str:
    """Say how many predictors a dataset has.

    Examples
    --------
    >>> predictors({"predictors": 3}, {}), predictors({}, {"predictors": [1, 2]})
    ('3 predictors', '1 or 2 predictors')
    """
    if "predictors" not in levels:
        return counted(dgp["predictors"], "predictor")
    return f"{' or '.join(map(format_level, levels['predictors']))} predictors"
