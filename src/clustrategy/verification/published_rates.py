"""Rejection rates from the literature, of designs that the verification studies draw as well."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from clustrategy.engines.chosen import Strategy
from clustrategy.verification.cells import Cell, Row, arms, options_of
from clustrategy.verification.comparison import rejected

STATEMENT = "published rate"


@dataclass(frozen=True)
class Published:
    """The rejection rate of a true null hypothesis by `cluster_robust`.

    Attributes
    ----------
    treatment : str
        Whether clusters or rows have the arms.
    arms, clusters : int
        Their numbers in a balanced design.
    variance, df : str
        The options of the strategy.
    rate : float
        The published rate.
    sims : int
        The number of datasets behind it.
    """

    treatment: str
    arms: int
    clusters: int
    variance: str
    df: str
    rate: float
    sims: int


SOURCE = "Pustejovsky & Tipton (2018), replication data"
"""Journal of Business & Economic Statistics 36, 672-683: t tests in balanced designs with three
arms and complete data. Each rate is the mean over all cells with so many clusters, of 50,000
datasets each; if whole clusters have the arms, over the cells whose treatment effects do not
vary."""

RATES = [
    *(
        Published("between", 3, clusters, variance, df, rate, 36 * 50_000)
        for clusters, variance, df, rate in [
            (15, "CR1", "G-1", 0.08248),
            (15, "CR2", "G-1", 0.06447),
            (15, "CR2", "satterthwaite", 0.05017),
            (30, "CR1", "G-1", 0.06400),
            (30, "CR2", "G-1", 0.05571),
            (30, "CR2", "satterthwaite", 0.05004),
        ]
    ),
    *(
        Published("within", 3, clusters, "CR1", "G-1", rate, 18 * 50_000)
        for clusters, rate in [(15, 0.04996), (30, 0.04999), (50, 0.05004)]
    ),
]


def published(
    cells: Sequence[Cell], strategies: Sequence[Strategy], performance: pd.DataFrame
) -> pd.DataFrame:
    """Return a row for each rate that the study has as well, over all cells of the design.

    The rate is that of IV1, the difference of one arm, as differences from the same reference are
    not independent.

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
    for rate in RATES:
        for strategy in strategies:
            if not _is(strategy, rate):
                continue
            found = [rejected(c, strategy, "IV1", performance) for c in cells if _has(c, rate)]
            if not found:
                continue
            n = sum(number for _, number in found)
            share = sum(one * number for one, number in found) / n
            mcse = np.sqrt(rate.rate * (1.0 - rate.rate) * (1.0 / n + 1.0 / rate.sims))
            rows.append(
                {
                    "clusters": rate.clusters,
                    "treatment": rate.treatment,
                    "kind": "published",
                    "statement": STATEMENT,
                    "source": SOURCE,
                    "strategy": strategy.label,
                    "term": "IV1",
                    "measure": "rejection_rate",
                    "expected": rate.rate,
                    "found": share,
                    "mcse": float(mcse),
                    "z": float((share - rate.rate) / mcse),
                    "n": n,
                }
            )
    return pd.DataFrame(rows)


def _is(strategy: Strategy, rate: Published) -> bool:
    options = options_of(strategy)
    mine = (options.get("variance"), options.get("df"))
    return strategy.name == "cluster_robust" and mine == (rate.variance, rate.df)


def _has(cell: Cell, rate: Published) -> bool:
    design = arms(cell.process)
    return design is not None and (design.treatment, design.arms, design.clusters) == (
        rate.treatment,
        rate.arms,
        rate.clusters,
    )
