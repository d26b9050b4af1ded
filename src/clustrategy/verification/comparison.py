"""What is known beside what a study found, as rows of the verification's table.

A row is one number that is known without simulation. `exact` numbers are judged by the Monte Carlo
error of what was simulated; `approximate` ones are known roughly; an `identity` is the same by two
strategies on every dataset.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from clustrategy.core.errors import DataError
from clustrategy.engines.chosen import Strategy
from clustrategy.verification import closed_forms
from clustrategy.verification.cells import Cell, Row, has_one_predictor
from clustrategy.verification.expected import BOUNDARY, expectations

BAND = 0.03
"""How far approximate rates may be from the truth."""

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
COMPLETE = "every fit is usable"
ERRORS = "Monte Carlo standard errors"
ROUGH = "false-positive rate of a random intercept where slopes vary"

OWN = "own_mcse"
"""The column of the study's own Monte Carlo errors."""

ERROR_BAND = 0.1
"""How far the study's own Monte Carlo errors may be off on average, as a share."""

ESTIMATORS_OWN = {
    "bias",
    "median_bias",
    "empirical_se",
    "robust_se",
    "mse",
    "model_se",
    "relative_error",
}
"""Measures that have one row for all variances of an estimator: standard errors have no part in
them, or `variance_ratio` says the same."""


def exact(
    cells: Sequence[Cell], strategies: Sequence[Strategy], performance: pd.DataFrame
) -> pd.DataFrame:
    """Return the rows of what is known exactly, by cell, strategy, term and measure.

    Parameters
    ----------
    cells : Sequence of Cell
        The cells of the study.
    strategies : Sequence of Strategy
        Its strategies.
    performance : DataFrame
        Its performance by the handling `case_wise`.

    Raises
    ------
    DataError
        If the performance lacks any of the numbers.
    """
    rows: list[Row] = []
    for cell in cells:
        seen: set[str] = set()
        for strategy in strategies:
            estimator = "ols" if strategy.name in ("cluster_robust", "gee") else strategy.name
            for term, theta, measures in expectations(cell.process, strategy):
                for measure, number in measures.items():
                    if measure in ESTIMATORS_OWN and estimator in seen:
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
    """Compare the study's own Monte Carlo errors with those of the closed forms, by measure.

    Rates of 0 and 1 have no error of their own and are passed over.

    Parameters
    ----------
    table : DataFrame
        The rows of `exact`.
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
    """Return the largest share of a cell's datasets without usable fits, by strategy.

    Parameters
    ----------
    table : DataFrame
        The rows of `exact`; strategies that have none are passed over.
    strategies : Sequence of Strategy
        The strategies of the study.
    sims : int
        The sims of each cell.
    """
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
    """Return the rows of a random intercept where slopes vary as well.

    Parameters
    ----------
    cells : Sequence of Cell
        The cells of the study.
    strategies : Sequence of Strategy
        Its strategies.
    performance : DataFrame
        Its performance by the handling `case_wise`.
    """
    rows: list[Row] = []
    for cell in cells:
        process = cell.process
        if not has_one_predictor(process) or not process.sigmas[1]:
            continue
        rate = closed_forms.random_intercept_rejection(
            process.obs_per_cluster, 1, float(process.sigmas[1]), process.residual_sigma
        )
        for strategy in strategies:
            within_between = strategy.options.get("within_between", False)
            if strategy.name != "mixed_intercept" or within_between:
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
    """Return in what share of how many datasets a coefficient's true value was rejected."""
    mine = performance[
        (performance["strategy"] == strategy.label)
        & (performance["term"] == term)
        & (performance["measure"] == "coverage")
    ]
    for factor, level in cell.factors.items():
        mine = mine[mine[factor] == level]
    row = mine.iloc[0]
    return 1.0 - float(row["value"]), int(row["n"])
