"""Pages of made-up studies on tables."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa

from clustrategy.calibration.given_data import GivenData
from clustrategy.design.from_table import design_from_table
from clustrategy.evaluation import detectable
from clustrategy.evaluation.recommendation import Answer, advice
from clustrategy.study.study import Study
from tests.report.pages import page_of, rows_of, verdicts_of


@cache
def given(predictor: str = "x", slopes: float = 0.0) -> GivenData:
    """A table of 12 clusters of 6 rows; slopes vary by so much."""
    rng = np.random.default_rng(3)
    cluster = np.repeat(np.arange(12), 6)
    x = np.tile(np.arange(6.0), 12)
    y = rng.normal(size=12)[cluster] + rng.normal(size=72)
    y += slopes * rng.normal(size=12)[cluster] * x
    data = pd.DataFrame({predictor: x, "y": y, "g": cluster})
    formula = "y ~ x" if predictor == "x" else f'y ~ Q("{predictor}")'
    return GivenData.of(design_from_table(data, formula, "g"), "made up", ordered=False)


def study_of(
    predictor: str = "x",
    scenarios: Sequence[str] = ("estimated", "upper_95"),
    strategies: Sequence[Any] = ("two_stage", "ols"),
    slopes: float = 0.0,
) -> Study:
    config = {
        "study": "mine",
        "seed": 1,
        "sims": 100,
        "data": {"file": "t.csv", "formula": "y ~ x", "cluster": "g", "scenarios": [*scenarios]},
        "strategies": [*strategies],
        "audit": None,
    }
    return Study.from_config(config, given=given(predictor, slopes))


def rows_on(study: Study, strategy: str, value: float | None = 0.05, **fields: Any) -> list[Any]:
    """The rows of a strategy for the one predictor, over all scenarios of the study."""
    term = study.given.shard.terms[1] if study.given else ""
    fields = {"cells": len(study.cells), "undecided_cells": len(study.cells), **fields}
    found = []
    for row in rows_of(strategy, value, **fields):
        effect = study.config["verdict"]["effect"][term] if row["effect"] else None
        of = {"kind": term, "terms": term} if row["kind"] else {}
        worst = "upper_95" if row["worst_cell"] and len(study.cells) > 1 else None
        found.append({**row, **of, "effect": effect, "worst_cell": worst})
    return found


SAFE = {"safe": True, "verdict": "holds", "safe_cells": 2, "undecided_cells": 0}
BAD = {"verdict": "liberal", "liberal_cells": 2, "undecided_cells": 0}


def page(study: Study, rows: Sequence[Mapping[str, Any]] | None = None, **found: Any) -> str:
    if rows is None:
        rows = [row for one in study.strategies for row in rows_on(study, one.label)]
    return page_of(study, rows, **found)


def least(term: str, *rows: Mapping[str, Any]) -> pa.Table:
    of_all = {"scope": "all", "kind": term, "terms": term, "power": 0.8, "cells": 2}
    return pa.Table.from_pylist([{**of_all, **row} for row in rows], detectable.SCHEMA)


def answers(study: Study, rows: Sequence[Mapping[str, Any]]) -> list[Answer]:
    effect = study.config["verdict"]["effect"]
    return advice(verdicts_of(study, rows), effect, sims=100).answers


FOUND = {
    "strategy": "two_stage",
    "size_adjusted": False,
    "effect": 1.234,
    "conf_low": 1.2,
    "conf_high": 1.27,
    "standardised": 0.61,
    "standardised_by": detectable.BY_BOTH,
}
ESTIMATES = pa.Table.from_pylist(
    [
        {
            "strategy": strategy,
            "term": term,
            "estimate": 4.321,
            "std_error": 0.5,
            "df": df,
            "p_value": 0.03,
            "conf_low": 3.0,
            "conf_high": 5.0,
            "message": "",
        }
        for term in ("(Intercept)", "x")
        for strategy, df in (("ols", 70.0), ("two_stage", 11.0))
    ]
)
