"""Small tables of a study with fixed coefficients, as its stages would write them."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from scipy import stats

STUDY = ["clusters", "obs_per_cluster", "between_cluster_sigma"]
STRATEGIES = ["cluster_robust", "two_stage", "mixed_maximal"]
DESIGN: Mapping[str, Sequence] = {
    "clusters": [10, 30],
    "obs_per_cluster": [5, 25],
    "between_cluster_sigma": [0.1, 0.5, 1],
}
SIMS = 12

TRUTH = {"(Intercept)": 0.5, "IV1": 0.0, "IV2": 0.3, "IV3": 0.0}
DGP = {"predictors": 3, "predictor_icc": [0, 0, 1], "coefficients": list(TRUTH.values())}
"""IV1 and IV2 vary within clusters, IV3 is a cluster-level predictor."""

WITHIN, CLUSTER_LEVEL = "predictor within clusters", "cluster-level predictor"
METRICS = ["coef_abs_err", "se_sum", "t_sum"]


def grid_table(levels: Mapping[str, Sequence] = DESIGN, **more: Sequence) -> pd.DataFrame:
    """Every cell of a design, with every sim and strategy, and every level of what is more."""
    columns = {**levels, "sim": range(SIMS), "strategy": STRATEGIES, **more}
    return pd.DataFrame(itertools.product(*columns.values()), columns=list(columns))


def make_estimates(levels: Mapping[str, Sequence] = DESIGN, **more: Sequence) -> pd.DataFrame:
    """Normal estimates with SEs that are too small with `two_stage`, and one failed fit a cell."""
    rng = np.random.default_rng(5)
    table = grid_table(levels, **{"term": list(TRUTH), **more})
    truth = table["term"].map(TRUTH)
    table["estimate"] = truth + rng.normal(size=len(table))
    table["std_error"] = np.where(table["strategy"] == "two_stage", 0.5, 1.0)
    table["statistic"] = table["estimate"] / table["std_error"]
    table["p_value"] = 2 * stats.norm.sf(table["statistic"].abs())
    table["conf_low"] = table["estimate"] - 1.96 * table["std_error"]
    table["conf_high"] = table["estimate"] + 1.96 * table["std_error"]
    lost = (table["strategy"] == "mixed_maximal") & (table["sim"] == 0)
    table.loc[lost, "estimate":] = np.nan
    return table.assign(engine="numpy", df=np.inf, p_value_low=np.nan)


def make_performance(estimates: pd.DataFrame | None = None) -> pd.DataFrame:
    """The measures that the figures draw, of estimates."""
    return _performance_of_the_design().copy() if estimates is None else _performance(estimates)


@cache
def _performance_of_the_design() -> pd.DataFrame:
    return _performance(make_estimates())


def _performance(estimates: pd.DataFrame) -> pd.DataFrame:
    numbers = ["sim", "estimate", "std_error", "df", "statistic", "p_value", "conf_low"]
    numbers += ["conf_high", "p_value_low", "engine"]
    key = [name for name in estimates if name not in numbers]
    rows = []
    for values, fits in estimates.groupby(key, sort=False):
        cell: dict[Any, Any] = dict(zip(key, values, strict=True))
        cell["true_value"] = truth = TRUTH[cell["term"]]
        ok = fits.dropna(subset=["estimate"])
        n, spread = len(ok), ok["estimate"].std()
        low, high, mean = ok["conf_low"], ok["conf_high"], ok["estimate"].mean()
        rates = {
            "coverage": ((low <= truth) & (truth <= high)).mean(),
            "bias_eliminated_coverage": ((low <= mean) & (mean <= high)).mean(),
            "rejection_rate": (ok["p_value"] <= 0.05).mean(),
        }
        if truth:
            rates["size_adjusted_power"] = rates["rejection_rate"] / 2
        measures = {name: (r, np.sqrt(r * (1 - r) / max(n, 1))) for name, r in rates.items()}
        measures["bias"] = (mean - truth, spread / np.sqrt(max(n, 1)))
        measures["median_bias"] = (
            ok["estimate"].median() - truth,
            1.25 * spread / np.sqrt(max(n, 1)),
        )
        measures["empirical_se"] = (spread, spread / np.sqrt(2 * max(n - 1, 1)))
        measures["relative_error"] = (ok["std_error"].mean() / spread - 1, 0.1)
        rows += [
            {**cell, "measure": name, "value": value, "mcse": mcse, "n": n}
            for name, (value, mcse) in measures.items()
        ]
        lost = len(fits) - n
        failed: dict[Any, Any] = {"value": lost / len(fits), "mcse": 0.1, "n": len(fits)}
        rows.append({**cell, "measure": "unusable_rate", **failed})
    table = pd.DataFrame(rows).assign(handling="case_wise", note="")
    others = table.assign(handling="list_wise", value=0.123)
    return pd.concat([table, others], ignore_index=True)


def make_differences(performance: pd.DataFrame | None = None) -> pd.DataFrame:
    """The differences of the measures from those of `cluster_robust`."""
    table = make_performance() if performance is None else performance
    own = table["strategy"] == STRATEGIES[0]
    key = [name for name in table if name not in ("strategy", "value", "mcse", "n", "note")]
    base = table.loc[own, [*key, "value"]].rename(columns={"value": "base"})
    others = table[~own].merge(base, on=key)
    return others.assign(reference=STRATEGIES[0], value=others["value"] - others["base"])


class Given(NamedTuple):
    """Estimates that are read from memory as `Rows` reads them from a file."""

    table: pd.DataFrame

    def read(self, columns: Sequence[str], where: Mapping[str, Sequence]) -> pd.DataFrame:
        kept = self.table
        for name, values in where.items():
            kept = kept[kept[name].isin(values)]
        return kept[[*columns]].reset_index(drop=True)


def without_variance(table: pd.DataFrame) -> pd.DataFrame:
    """The same table where `two_stage` with 5 observations per cluster has no finite variance."""
    table = table.copy()
    here = (table["strategy"] == "two_stage") & (table["obs_per_cluster"] == 5)
    here &= table["measure"].isin(["bias", "relative_error", "empirical_se"])
    table.loc[here & (table["measure"] == "relative_error"), "value"] = np.nan
    table.loc[here, "mcse"] = np.nan
    table.loc[here, "note"] = "no finite variance"
    return table


def make_scores(levels: Mapping[str, Sequence] = DESIGN) -> pd.DataFrame:
    """Scores, none for one fit a cell."""
    rng = np.random.default_rng(1)
    table = grid_table(levels)
    table[METRICS] = rng.lognormal(size=(len(table), 3))
    failed = (table["strategy"] == "mixed_maximal") & (table["sim"] == 0)
    table.loc[failed, METRICS] = np.nan
    return table.assign(fit_success=~failed)


def make_fits(levels: Mapping[str, Sequence] = DESIGN) -> pd.DataFrame:
    """Fits, of which 4 of `mixed_maximal` in each cell are not ok."""
    table = grid_table(levels)
    kinds = {0: "singular", 1: "singular", 2: "not_converged", 3: "error"}
    status = table["sim"].map(kinds).fillna("ok")
    return table.assign(status=status.where(table["strategy"] == "mixed_maximal", "ok"))


def make_audit() -> pd.DataFrame:
    """Two sims a cell: mixed models with lme4 as it is and without bounds, least squares."""
    rng = np.random.default_rng(4)
    table = grid_table(DESIGN)
    table = table[table["sim"] < 2]
    references = {
        "cluster_robust": ["statsmodels"],
        "two_stage": ["statsmodels"],
        "mixed_maximal": ["lme4", "lme4_unbounded"],
    }
    table = table.assign(reference=table["strategy"].map(references)).explode("reference")
    table = table.merge(pd.DataFrame({"term": ["(Intercept)", "IV1"]}), how="cross")
    for column in ("estimate", "std_error", "df", "p_value"):
        table[column] = rng.uniform(0.1, 0.9, len(table))
        table[f"reference_{column}"] = table[column] * (1 + 1e-9)
    mixed = table["reference"] != "statsmodels"
    criterion = np.where(mixed, 100.0, np.nan)
    for column in ("reml_criterion", "reference_reml_criterion", "best_reml_criterion"):
        table[column] = criterion
    for flag in ("singular", "optimizer_warning", "gradient_warning", "hessian_warning"):
        table[f"reference_{flag}"] = False
    return table.assign(singular=False, status="ok", reference_status="ok", verdict="agree")


def lme4_fits(table: pd.DataFrame, *sims: tuple) -> pd.Series:
    """Which rows are fits by lme4, each given by clusters, obs_per_cluster, sigma and sim."""
    key = pd.MultiIndex.from_frame(table[[*STUDY, "sim"]])
    return (table["reference"] == "lme4") & key.isin(list(sims))


def audit_with_every_outcome() -> pd.DataFrame:
    """At sigma 0.1, of 8 fits by lme4: 2 singular, 1 short, 2 warned, 1 error, 2 in order."""
    table = make_audit()
    true_boundary, stuck, warned, failed, slack = (
        lme4_fits(table, *sims)
        for sims in (
            [(10, 5, 0.1, 0), (10, 5, 0.1, 1)],
            [(10, 25, 0.1, 0)],
            [(10, 25, 0.1, 1), (30, 5, 0.1, 0)],
            [(30, 5, 0.1, 1)],
            [(30, 25, 0.1, 0)],
        )
    )
    table.loc[true_boundary, ["singular", "reference_singular"]] = True
    # One of the two has a gradient warning too, which lme4 does not give where it is singular.
    table.loc[lme4_fits(table, (10, 5, 0.1, 1)), "reference_gradient_warning"] = True
    table.loc[stuck, ["reference_singular", "reference_hessian_warning"]] = True
    table.loc[stuck, "reference_reml_criterion"] += 1.0
    table.loc[stuck, "verdict"] = "reference_short"
    table.loc[true_boundary | stuck, "reference_status"] = "singular"
    table.loc[warned, "reference_gradient_warning"] = True
    table.loc[warned, "reference_status"] = "not_converged"
    table.loc[failed, "reference_status"] = "error"
    table.loc[failed, "verdict"] = "reference_failed"
    of_the_reference = [name for name in map(str, table) if name.startswith("reference_")]
    numbers = [name for name in of_the_reference if table[name].dtype == float]
    table.loc[failed, numbers] = np.nan
    table.loc[slack, "reference_reml_criterion"] += 1e-5
    table.loc[slack, "verdict"] = "reference_slack"
    return table


def make_cluster_coefficients() -> pd.DataFrame:
    """Coefficients of each cluster, at two levels of sigma."""
    rng = np.random.default_rng(2)
    cells = itertools.product([10], [25], [0.1, 1.0], range(2), range(10), ["(Intercept)", "IV1"])
    table = pd.DataFrame(cells, columns=[*STUDY, "sim", "cluster", "term"])
    deviation = table["between_cluster_sigma"] * rng.normal(size=len(table))
    return table.assign(true_value=0.5, coefficient=0.5 + deviation)


def make_dependence() -> pd.DataFrame:
    """Points of people measured once and repeatedly."""
    rng = np.random.default_rng(3)
    person = np.repeat([1, 2, 3], 7)
    offset = np.tile(np.linspace(-0.8, 0.8, 7), 3)
    noise = 0.1 * rng.normal(size=21)
    parts = {
        "once": (np.arange(1, 22), rng.normal(size=21), rng.normal(size=21)),
        "repeated": (person, person + offset, 0.5 * offset + noise),
        "simpson": (person, 1.5 * person + offset, -2.0 * person + 0.7 * offset + noise),
    }
    return pd.concat(
        pd.DataFrame({"panel": name, "person": who, "x": x, "y": y})
        for name, (who, x, y) in parts.items()
    )


def set_values(
    table: pd.DataFrame,
    measure: str,
    value: float,
    strategy: str = "cluster_robust",
    **also: Any,
) -> pd.DataFrame:
    """The table with other values of a measure of a strategy."""
    here = (table["measure"] == measure) & (table["strategy"] == strategy)
    for name, level in also.items():
        here &= table[name] == level
    return table.assign(value=table["value"].mask(here, value))
