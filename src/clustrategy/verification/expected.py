"""What the verification studies must show, held against what they show, and the verdict.

A row of the table is one number that is known without simulation: `exact` or `published`, judged
by the Monte Carlo error of what was simulated; `approximate`, known roughly; `identity`, the same
by two strategies on every dataset.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd
from scipy.special import ndtri

from clustrategy.core.errors import DataError
from clustrategy.dgp import Process
from clustrategy.engines.chosen import Strategy, registry
from clustrategy.verification import closed_forms
from clustrategy.verification.closed_forms import Arms, Wald

FAMILY_WISE = 0.01
"""The probability that any |z| is beyond the bound although all is right."""

BOUNDARY = 1e-4
"""A random intercept that vanishes more often than this has no closed form here."""

BAND = 0.03
"""How far approximate rates are from the truth, as far as is known."""

COLUMNS = (
    "kind",
    "statement",
    "source",
    "strategy",
    "term",
    "measure",
    "expected",
    "found",
    "mcse",
    "z",
    "tolerance",
    "n",
    "verdict",
)

STATEMENTS = {
    "bias": "bias is zero",
    "median_bias": "bias is zero",
    "empirical_se": "spread of estimates",
    "robust_se": "spread of estimates",
    "mse": "spread of estimates",
    "model_se": "mean variance estimate",
    "relative_error": "mean variance estimate",
    "variance_ratio": "mean variance estimate",
    "variance_df": "variance estimate's spread",
    "rejection_rate": "false-positive rate",
    "coverage": "coverage",
    "interval_width": "interval width",
}
POWER = "power"
COMPLETE = "no fit fails"
ERRORS = "Monte Carlo standard errors"
ROUGH = "false-positive rate of a random intercept where slopes vary"

OWN = "own_mcse"
"""The column of Monte Carlo errors as the study itself has them."""

ERROR_BAND = 0.1
"""How far the mean of these over many numbers may be off, as a share."""

OF_ESTIMATOR = {
    "bias",
    "median_bias",
    "empirical_se",
    "robust_se",
    "mse",
    "model_se",
    "relative_error",
}
"""Measures that stand once for all variances of one estimator: standard errors have no part in
them, or `variance_ratio` says the same."""

Options = Mapping[str, Any]
Row = dict[str, Any]


@dataclass(frozen=True)
class Cell:
    """A cell of a verification study.

    Attributes
    ----------
    factors : its levels, as they stand in tables.
    process : what draws its datasets.
    """

    factors: Mapping[str, Any]
    process: Process


@dataclass(frozen=True)
class Known:
    """A number that a measure must be near.

    Attributes
    ----------
    value : the number.
    unit : sqrt(n) times its Monte Carlo error in n sims; None where the study's own must do.
    """

    value: float
    unit: float | None = None


def options_of(strategy: Strategy) -> dict[str, Any]:
    """The options of a strategy with those that its entry leaves to their defaults."""
    function = registry()[strategy.name][strategy.engine].function
    parameters = inspect.signature(function).parameters.values()
    defaults = {p.name: p.default for p in parameters if p.kind is p.KEYWORD_ONLY}
    return defaults | dict(strategy.options)


def arms(process: Process) -> Arms | None:
    """The balanced design of arms that a process draws, where that is all that it draws."""
    if process.treatment == "none" or process.continuous or not _is_plain(process):
        return None
    intercept, *slopes = map(float, process.sigmas)
    if len(set(slopes)) > 1:
        return None
    return Arms(
        process.treatment,
        process.clusters,
        process.obs_per_cluster,
        process.arms,
        intercept,
        slopes[0],
        process.residual_sigma,
    )


def has_one_predictor(process: Process) -> bool:
    """Whether a process draws one standard normal predictor and nothing out of the ordinary."""
    return process.treatment == "none" and process.predictors == 1 and _is_plain(process)


def _is_plain(process: Process) -> bool:
    """Whether coefficients are given and all options but those of a design have their defaults."""
    of_design = (
        "clusters",
        "obs_per_cluster",
        "between_cluster_sigma",
        "predictors",
        "coefficients",
        "residual_sigma",
        "sigma_ratios",
        "treatment",
        "arms",
    )
    plain = Process(**{name: getattr(process, name) for name in of_design})
    return process == plain and not isinstance(process.coefficients, Mapping)


def of_wald(wald: Wald, theta: float) -> dict[str, Known]:
    """All measures of a coefficient's estimate, variance estimate, test and interval."""
    sd, scale, df = float(np.sqrt(wald.variance)), wald.scale, wald.variance_df
    known = {
        "bias": Known(0.0, sd),
        "median_bias": Known(0.0, sd * np.sqrt(np.pi / 2.0)),
        "empirical_se": Known(sd, sd * np.sqrt(0.5)),
        "robust_se": Known(sd),
        "mse": Known(wald.variance, wald.variance * np.sqrt(2.0)),
        "model_se": Known(sd * np.sqrt(scale), sd * np.sqrt(scale / (2.0 * df))),
        "relative_error": Known(np.sqrt(scale) - 1.0, np.sqrt(scale * (0.5 / df + 0.5))),
        "variance_ratio": Known(scale, scale * np.sqrt(2.0 / df + 2.0)),
        "variance_df": Known(df, df * np.sqrt(wald.log_variance_df_variance)),
    }
    if not np.isnan(wald.df):
        known["rejection_rate"] = _rate(wald.rejection(theta))
        known["interval_width"] = Known(wald.interval_width, wald.interval_width_sd)
        if theta:
            known["coverage"] = _rate(wald.coverage)
    return known


def _rate(value: float) -> Known:
    return Known(value, float(np.sqrt(value * (1.0 - value))))


def _of_least_squares(design: Arms, column: int, options: Options) -> Wald:
    return closed_forms.least_squares(design, column)


def _of_cluster_robust(design: Arms, column: int, options: Options) -> Wald:
    return closed_forms.cluster_robust(design, column, options["variance"], options["df"])


GEE = {"robust": "CR0", "kauermann_carroll": "CR2", "mancl_derouen": "CR3"}
"""What the variances of GEE are called where the weights are those of least squares."""


def _of_gee(design: Arms, column: int, options: Options) -> Wald:
    variance = GEE[options["variance"]]
    return closed_forms.cluster_robust(design, column, variance, options["df"])


def _of_fixed_effects(design: Arms, column: int, options: Options) -> Wald | None:
    """Least squares, since the arms are alike in all clusters and so orthogonal to them."""
    if design.between or not column:
        return None
    return _of_cluster_robust(design, column, options)


def _of_two_stage(design: Arms, column: int, options: Options) -> Wald | None:
    if not is_plain(options):
        return None
    if design.between:
        return closed_forms.random_intercept(design, column)
    return closed_forms.two_stage(design, column)


def is_plain(options: Options) -> bool:
    """Whether a two-stage strategy is the t test of the clusters' own coefficients."""
    return bool(options["weights"] == "equal" and options["test"] == "t")


def _of_wild_bootstrap(design: Arms, column: int, options: Options) -> None:
    """Its test alone has a closed form, and no t distribution."""


def has_signs(design: Arms, strategy: Strategy) -> bool:
    """Whether a strategy's test of a design is one by random signs, exact but for its steps."""
    options = options_of(strategy)
    if design.between:
        return False
    if strategy.name == "two_stage":
        return bool(options["weights"] == "equal" and options["test"] == "sign_flip")
    return strategy.name == "wild_cluster_bootstrap" and bool(
        options["impose_null"] and options["weights"] == "rademacher"
    )


def _of_random_intercept(design: Arms, column: int, options: Options) -> Wald | None:
    if options["variance"] != "model":
        return None
    if closed_forms.boundary_probability(design) > BOUNDARY:
        return None
    if not (design.between or column) and design.slope_sd:
        return None
    wald = closed_forms.random_intercept(design, column)
    return replace(wald, df=np.inf) if options["df"] == "normal" else wald


OF_ARMS: Mapping[str, Callable[[Arms, int, Options], Wald | None]] = {
    "ols": _of_least_squares,
    "cluster_robust": _of_cluster_robust,
    "gee": _of_gee,
    "fixed_effects": _of_fixed_effects,
    "two_stage": _of_two_stage,
    "wild_cluster_bootstrap": _of_wild_bootstrap,
    "mixed_intercept": _of_random_intercept,
}
"""How each strategy's coefficient gets its closed form in a design of arms, if it has one."""


def _of_slope(process: Process, strategy: Strategy) -> dict[str, Known]:
    """What is known of the slope of one random predictor."""
    G, n = process.clusters, process.obs_per_cluster
    slope_sd, residual_sd = float(process.sigmas[1]), process.residual_sigma
    known = {"bias": Known(0.0), "median_bias": Known(0.0)}
    if strategy.name == "two_stage" and is_plain(options_of(strategy)):
        setting = (G, n, 1, slope_sd, residual_sd)
        kurtosis = closed_forms.two_stage_kurtosis(*setting)
        known |= _spread(closed_forms.two_stage_variance(*setting), kurtosis)
        known["variance_ratio"] = Known(1.0)
    if strategy.name == "fixed_effects":
        known |= _spread(closed_forms.within_variance(G, n, slope_sd, residual_sd), 3.0)
    return known


def _spread(variance: float, kurtosis: float) -> dict[str, Known]:
    """Standard deviation and mean square of estimates that need not be normal."""
    if not np.isfinite(kurtosis):
        return {}
    sd, unit = float(np.sqrt(variance)), float(np.sqrt(kurtosis - 1.0))
    return {"empirical_se": Known(sd, sd * unit / 2.0), "mse": Known(variance, variance * unit)}


def known(process: Process, strategy: Strategy) -> Iterator[tuple[str, float, dict[str, Known]]]:
    """What is known of a strategy where a process draws the data: term, true value, measures."""
    if isinstance(process.coefficients, Mapping):
        return
    design = arms(process)
    for column, (term, theta) in enumerate(zip(process.terms, process.coefficients, strict=True)):
        if design is not None and strategy.name in OF_ARMS:
            wald = OF_ARMS[strategy.name](design, column, options_of(strategy))
            if wald is not None:
                yield term, theta, of_wald(wald, theta)
            elif theta == 0.0 and has_signs(design, strategy):
                draws = options_of(strategy)["draws"]
                size = closed_forms.sign_flip_rejection(design.clusters, draws)
                yield term, theta, {"rejection_rate": _rate(size)}
        elif column and has_one_predictor(process):
            yield term, theta, _of_slope(process, strategy)


def exact(
    cells: Sequence[Cell], strategies: Sequence[Strategy], performance: pd.DataFrame
) -> pd.DataFrame:
    """The rows of what is known exactly, in the order of cells, strategies, terms and measures.

    Parameters
    ----------
    cells, strategies : of the study.
    performance : the study's, of the fits that have numbers.
    """
    rows: list[Row] = []
    for cell in cells:
        seen: set[str] = set()
        for strategy in strategies:
            estimator = "ols" if strategy.name in ("cluster_robust", "gee") else strategy.name
            for term, theta, measures in known(cell.process, strategy):
                for measure, number in measures.items():
                    if measure in OF_ESTIMATOR and estimator in seen:
                        continue
                    power = measure == "rejection_rate" and theta != 0.0
                    rows.append(
                        {
                            **cell.factors,
                            "kind": "exact",
                            "statement": POWER if power else STATEMENTS[measure],
                            "source": "closed form",
                            "strategy": strategy.label,
                            "term": term,
                            "measure": measure,
                            "expected": number.value,
                            "unit": number.unit,
                        }
                    )
            seen.add(estimator)
    keys = [*cells[0].factors, "strategy", "term", "measure"]
    expected = pd.DataFrame(rows).astype({"unit": float})
    found = performance.rename(columns={"value": "found"})[[*keys, "found", "mcse", "n"]]
    table = expected.merge(found, on=keys, how="left", validate="1:1")
    lacking = table[table["found"].isna()]
    if len(lacking):
        row = lacking.iloc[0]
        raise DataError(
            f"the performance of a verification study lacks {len(lacking)} of {len(table)} "
            f"numbers, first of all {row['measure']} of {row['strategy']!r} for {row['term']}"
        )
    table = table.rename(columns={"mcse": OWN})
    table["mcse"] = (table["unit"] / np.sqrt(table["n"])).fillna(table[OWN])
    table["z"] = (table["found"] - table["expected"]) / table["mcse"]
    return table.drop(columns="unit")


def errors(table: pd.DataFrame) -> pd.DataFrame:
    """A row for each measure: the study's own Monte Carlo errors over those of the closed forms.

    Parameters
    ----------
    table : as `exact` gives it; rates of 0 and 1 have no error of their own and are passed over.
    """
    own = table[(table[OWN] > 0.0) & (table[OWN] != table["mcse"])]
    own = own.assign(log=np.log(own[OWN] / own["mcse"]))
    logs = own.groupby("measure", sort=False)["log"]
    return pd.DataFrame(
        {
            "kind": "approximate",
            "statement": ERRORS,
            "source": "closed form",
            "measure": [f"MCSE of {measure}, mean ratio" for measure in logs.groups],
            "expected": 1.0,
            "found": np.exp(logs.mean().to_numpy()),
            "tolerance": ERROR_BAND,
            "n": logs.size().to_numpy(),
        }
    )


def complete(table: pd.DataFrame, strategies: Sequence[Strategy], sims: int) -> pd.DataFrame:
    """A row for each strategy of exact rows: the largest share of datasets that they lack."""
    lost = 1.0 - table.groupby("strategy")["n"].min() / sims
    return pd.DataFrame(
        [
            {
                "kind": "identity",
                "statement": COMPLETE,
                "source": "balanced designs",
                "strategy": strategy.label,
                "measure": "largest share of datasets without numbers",
                "expected": 0.0,
                "found": lost[strategy.label],
                "tolerance": 10 * BOUNDARY if strategy.name.startswith("mixed") else 0.0,
                "n": sims,
            }
            for strategy in strategies
            if strategy.label in lost.index
        ]
    )


def approximate(
    cells: Sequence[Cell], strategies: Sequence[Strategy], performance: pd.DataFrame
) -> pd.DataFrame:
    """The rows of a random intercept alone where slopes vary as well."""
    rows: list[Row] = []
    for cell in cells:
        process = cell.process
        if not has_one_predictor(process) or not process.sigmas[1]:
            continue
        rate = closed_forms.random_intercept_rejection(
            process.obs_per_cluster, 1, float(process.sigmas[1]), process.residual_sigma
        )
        for strategy in strategies:
            if strategy.name != "mixed_intercept":
                continue
            found, n = rejected(cell, strategy, "IV1", performance)
            rows.append(
                {
                    **cell.factors,
                    "kind": "approximate",
                    "statement": ROUGH,
                    "source": "ratio of variances with many clusters",
                    "strategy": strategy.label,
                    "term": "IV1",
                    "measure": "rejection_rate",
                    "expected": rate,
                    "found": found,
                    "mcse": float(np.sqrt(found * (1.0 - found) / n)),
                    "tolerance": BAND,
                    "n": n,
                }
            )
    return pd.DataFrame(rows)


def rejected(
    cell: Cell, strategy: Strategy, term: str, performance: pd.DataFrame
) -> tuple[float, int]:
    """The share of datasets in which a coefficient's true value was rejected, and their number."""
    mine = performance[
        (performance["strategy"] == strategy.label)
        & (performance["term"] == term)
        & (performance["measure"] == "coverage")
    ]
    for factor, level in cell.factors.items():
        mine = mine[mine[factor] == level]
    row = mine.iloc[0]
    return 1.0 - float(row["value"]), int(row["n"])


def bound(count: int) -> float:
    """What |z| may not exceed in any of `count` rows (Bonferroni)."""
    return float(-ndtri(FAMILY_WISE / (2.0 * count)))


def judge(parts: Sequence[pd.DataFrame]) -> pd.DataFrame:
    """The whole table, with its verdicts.

    `agrees` or `differs`: by the bound on |z| where a row has one, else by its tolerance, to which
    three Monte Carlo errors are added where there are some. No number is no agreement.
    """
    table = pd.concat([part for part in parts if len(part)], ignore_index=True)
    factors = [name for name in table.columns if name not in (*COLUMNS, OWN)]
    table = table.reindex(columns=["kind", "statement", "source", *factors, *COLUMNS[3:]])
    by_z = table["kind"].isin(["exact", "published"])
    away = (table["found"] - table["expected"]).abs()
    allowed = table["tolerance"] + 3.0 * table["mcse"].fillna(0.0)
    right = np.where(by_z, table["z"].abs() <= bound(max(1, by_z.sum())), away <= allowed)
    table["verdict"] = np.where(right, "agrees", "differs")
    return table


def worst(table: pd.DataFrame) -> pd.Series | None:
    """The row that differs most, if any does."""
    wrong = table[table["verdict"] == "differs"]
    if not len(wrong):
        return None
    excess = (wrong["found"] - wrong["expected"]).abs() / wrong["tolerance"]
    by_z = wrong["z"].abs() / bound(int(table["z"].notna().sum()))
    return wrong.iloc[int(by_z.fillna(excess).fillna(np.inf).to_numpy().argmax())]
