"""Rejection rates from the literature whose data the verification studies draw as well."""

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
    treatment, arms, clusters : the design, balanced.
    variance, df : the strategy's options.
    rate, sims : what was found, in how many datasets.
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
arms and complete data, the mean of all cells with so many clusters, 50,000 datasets each; where
whole clusters have the arms, of the cells whose treatment effects do not vary."""

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
    """A row for each rate that the study has as well: of IV1, all cells of the design together.

    The difference of one arm stands for all, since those to the same reference hang together.
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
