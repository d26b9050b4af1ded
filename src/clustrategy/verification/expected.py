"""What a strategy must show in the cells whose answers are known."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import numpy as np

from clustrategy.dgp import Process
from clustrategy.engines.chosen import Strategy
from clustrategy.verification import closed_forms
from clustrategy.verification.cells import (
    GrowthCurves,
    arms,
    coefficients,
    growth_curves,
    has_one_predictor,
    is_t_test_of_summaries,
    options_of,
)
from clustrategy.verification.closed_forms import Arms, Wald

BOUNDARY = 1e-4
"""A random intercept whose variance is estimated as 0 more often has no closed form here."""

GEE = {"robust": "CR0", "kauermann_carroll": "CR2", "mancl_derouen": "CR3"}
"""What the variances of GEE are called if the weights are those of least squares."""

Options = Mapping[str, Any]


@dataclass(frozen=True)
class Expected:
    """A number that a measure must be near.

    Attributes
    ----------
    value : float
        The number.
    unit : float, optional
        sqrt(n) times the Monte Carlo standard error of the measure in n sims; None if the study's
        own must do.
    """

    value: float
    unit: float | None = None


class Expectation(NamedTuple):
    """What is expected of a coefficient.

    Attributes
    ----------
    term : str
        The coefficient.
    true_value : float
        Its true value.
    measures : dict of str to Expected
        The numbers, by measure.
    """

    term: str
    true_value: float
    measures: dict[str, Expected]


def expectations(process: Process, strategy: Strategy) -> Iterator[Expectation]:
    """Yield what is known of a strategy's coefficients if a process draws the data."""
    values = coefficients(process)
    if values is None:
        return
    design, curves = arms(process), growth_curves(process)
    for column, (term, theta) in enumerate(zip(process.terms, values, strict=True)):
        if curves is not None:
            size = _size_of_growth_curves(curves, strategy)
            if term in curves.treatments and theta == 0.0 and size is not None:
                yield Expectation(term, theta, {"rejection_rate": _rate(size)})
        elif design is not None and strategy.name in WALDS:
            wald = WALDS[strategy.name](design, column, options_of(strategy))
            if wald is not None:
                yield Expectation(term, theta, wald_measures(wald, theta))
            elif theta == 0.0 and has_signs(design, strategy):
                draws = options_of(strategy)["draws"]
                size = closed_forms.sign_flip_rejection(design.clusters, draws)
                yield Expectation(term, theta, {"rejection_rate": _rate(size)})
        elif column and has_one_predictor(process):
            yield Expectation(term, theta, _slope_measures(process, strategy))


def wald_measures(wald: Wald, theta: float) -> dict[str, Expected]:
    """Return all measures of a coefficient's estimate, variance estimate, test and interval."""
    sd, scale, df = float(np.sqrt(wald.variance)), wald.scale, wald.variance_df
    known = {
        "bias": Expected(0.0, sd),
        "median_bias": Expected(0.0, sd * np.sqrt(np.pi / 2.0)),
        "empirical_se": Expected(sd, sd * np.sqrt(0.5)),
        "robust_se": Expected(sd),
        "mse": Expected(wald.variance, wald.variance * np.sqrt(2.0)),
        "model_se": Expected(sd * np.sqrt(scale), sd * np.sqrt(scale / (2.0 * df))),
        "relative_error": Expected(np.sqrt(scale) - 1.0, np.sqrt(scale * (0.5 / df + 0.5))),
        "variance_ratio": Expected(scale, scale * np.sqrt(2.0 / df + 2.0)),
        "variance_df": Expected(df, df * np.sqrt(wald.log_variance_df_variance)),
    }
    if not np.isnan(wald.df):
        known["rejection_rate"] = _rate(wald.rejection(theta))
        known["interval_width"] = Expected(wald.interval_width, wald.interval_width_sd)
        if theta:
            known["coverage"] = _rate(wald.coverage)
    return known


def _rate(value: float) -> Expected:
    return Expected(value, float(np.sqrt(value * (1.0 - value))))


def _slope_measures(process: Process, strategy: Strategy) -> dict[str, Expected]:
    """Return what is known of the slope of one random predictor."""
    G, n = process.clusters, process.obs_per_cluster
    slope_sd, residual_sd = float(process.sigmas[1]), process.residual_sigma
    known = {"bias": Expected(0.0), "median_bias": Expected(0.0)}
    if strategy.name == "two_stage" and is_t_test_of_summaries(options_of(strategy)):
        setting = (G, n, 1, slope_sd, residual_sd)
        kurtosis = closed_forms.two_stage_kurtosis(*setting)
        known |= _spread(closed_forms.two_stage_variance(*setting), kurtosis)
        known["variance_ratio"] = Expected(1.0)
    if strategy.name == "fixed_effects":
        known |= _spread(closed_forms.within_variance(G, n, slope_sd, residual_sd), 3.0)
    return known


def _spread(variance: float, kurtosis: float) -> dict[str, Expected]:
    """Return standard deviation and mean square of estimates that need not be normal."""
    if not np.isfinite(kurtosis):
        return {}
    sd, unit = float(np.sqrt(variance)), float(np.sqrt(kurtosis - 1.0))
    return {
        "empirical_se": Expected(sd, sd * unit / 2.0),
        "mse": Expected(variance, variance * unit),
    }


def has_signs(design: Arms, strategy: Strategy) -> bool:
    """Tell whether a strategy tests by random signs, exactly but for the steps of its p-value."""
    options = options_of(strategy)
    if design.between:
        return False
    if strategy.name == "two_stage":
        return bool(options["weights"] == "equal" and options["test"] == "sign_flip")
    return strategy.name == "wild_cluster_bootstrap" and bool(
        options["impose_null"] and options["weights"] == "rademacher"
    )


def _size_of_growth_curves(curves: GrowthCurves, strategy: Strategy) -> float | None:
    """Return the false-positive rate for a treatment of whole clusters, None if it is not known.

    Without correlations of intercepts and slopes, with cross-level products, and by the regression
    of the clusters' own intercepts, slopes have no part in it.
    """
    options = options_of(strategy)
    design = (curves.clusters, curves.slopes, len(curves.treatments))
    if strategy.name == "two_stage" and is_t_test_of_summaries(options):
        return closed_forms.LEVEL
    if options.get("variance") != "model" or options["df"] == "kenward_roger":
        return None
    if options.get("within_between"):
        return None
    normal, cross_level = options["df"] == "normal", options.get("cross_level")
    if strategy.name == "mixed_maximal" and not cross_level:
        return closed_forms.growth_curve_rejection(*design, normal=normal)
    if strategy.name in ("mixed_maximal", "mixed_uncorrelated"):
        alone = (curves.clusters, 0, len(curves.treatments))
        return closed_forms.growth_curve_rejection(*alone, normal=normal)
    return None


def _wald_of_least_squares(design: Arms, column: int, options: Options) -> Wald:
    return closed_forms.least_squares(design, column)


def _wald_of_cluster_robust(design: Arms, column: int, options: Options) -> Wald:
    return closed_forms.cluster_robust(design, column, options["variance"], options["df"])


def _wald_of_gee(design: Arms, column: int, options: Options) -> Wald | None:
    if options["variance"] not in GEE:
        return None
    cluster_level = "G-p" if design.between else "G-1"
    df = cluster_level if options["df"] == "G-k" else options["df"]
    return closed_forms.cluster_robust(design, column, GEE[options["variance"]], df)


def _wald_of_fixed_effects(design: Arms, column: int, options: Options) -> Wald | None:
    """Take least squares: the arms are alike in all clusters and so orthogonal to them."""
    if design.between or not column:
        return None
    return _wald_of_cluster_robust(design, column, options)


def _wald_of_two_stage(design: Arms, column: int, options: Options) -> Wald | None:
    if not is_t_test_of_summaries(options):
        return None
    if design.between:
        return closed_forms.random_intercept(design, column)
    return closed_forms.two_stage(design, column)


def _wald_of_wild_bootstrap(design: Arms, column: int, options: Options) -> None:
    """Return nothing: its test alone has a closed form, and no t distribution."""


def _wald_of_random_intercept(design: Arms, column: int, options: Options) -> Wald | None:
    if options["variance"] != "model":
        return None
    if closed_forms.boundary_probability(design) > BOUNDARY:
        return None
    if not (design.between or column) and design.slope_sd:
        return None
    wald = closed_forms.random_intercept(design, column)
    return replace(wald, df=np.inf) if options["df"] == "normal" else wald


WALDS: Mapping[str, Callable[[Arms, int, Options], Wald | None]] = {
    "ols": _wald_of_least_squares,
    "cluster_robust": _wald_of_cluster_robust,
    "gee": _wald_of_gee,
    "fixed_effects": _wald_of_fixed_effects,
    "two_stage": _wald_of_two_stage,
    "wild_cluster_bootstrap": _wald_of_wild_bootstrap,
    "mixed_intercept": _wald_of_random_intercept,
}
"""How each strategy's coefficient gets its closed form in a design of arms, if it has one."""
