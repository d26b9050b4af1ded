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
        measures["relative_error"] = (ok["std_error"].mean() / spread - 1, 0.1)
        rows += [
            {**cell, "measure": name, "value": value, "mcse": mcse, "n": n}
            for name, (value, mcse) in measures.items()
        ]
        lost = len(fits) - n
        failed: dict[Any, Any] = {"value": lost / len(fits), "mcse": 0.1, "n": len(fits)}
        rows.append({**cell, "measure": "failure_rate", **failed})
    table = pd.DataFrame(rows).assign(handling="case_wise", note="")
    others = table.assign(handling="list_wise", value=0.123)
    return pd.concat([table, others], ignore_index=True)


class Given(NamedTuple):
    """Estimates that are read from memory as `Rows` reads them from a file."""

    table: pd.DataFrame

    def read(self, columns: Sequence[str], where: Mapping[str, Sequence]) -> pd.DataFrame:
        kept = np.logical_and.reduce([self.table[name].isin(v) for name, v in where.items()])
        return self.table.loc[kept, [*columns]].reset_index(drop=True)


def without_variance(table: pd.DataFrame) -> pd.DataFrame:
    """The same table where `two_stage` with 5 observations per cluster has no finite variance."""
    table = table.copy()
    here = (table["strategy"] == "two_stage") & (table["obs_per_cluster"] == 5)
    here &= table["measure"].isin(["bias", "relative_error"])
    table.loc[here & (table["measure"] == "relative_error"), "value"] = np.nan
    table.loc[here, "mcse"] = np.nan
    table.loc[here, "note"] = "no finite variance"
    return table
