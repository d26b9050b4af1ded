"""What an audit says of its findings."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from clustrategy.audit.comparison import AUDIT, Audited, compare
from clustrategy.audit.report import Circumstances, by_cell, fault, lines
from clustrategy.engines.chosen import Strategy
from clustrategy.tables.cells import with_cell
from tests.material import random_shard

CELL = {"clusters": 12, "obs_per_cluster": 8, "between_cluster_sigma": 0.5}
SHARD = random_shard(3, sims=2, clusters=12, p=2, rows=8)


def audit(**changed: Any) -> pd.DataFrame:
    """The audit of two sims by two strategies, the first row of the first fit changed."""
    parts = [AUDIT.empty_table()]
    for name in ("cluster_robust", "mixed_maximal"):
        strategy = Strategy.parse(name)
        engine = "statsmodels" if name == "cluster_robust" else "lme4"
        table = compare(SHARD, [0, 1], Audited(strategy, strategy, [strategy]), strategy.fit(SHARD))
        place = table.column_names.index("reference")
        parts.append(table.set_column(place, "reference", pa.repeat(engine, len(table))))
    table = with_cell(CELL, pa.concat_tables(parts)).to_pandas()
    for name, value in changed.items():
        table.loc[table["sim"] == 1, name] = value
    return table


def test_the_columns_of_the_table() -> None:
    assert list(audit()) == [*CELL, *AUDIT.names]


@pytest.mark.parametrize(
    ("changed", "sentence"),
    [
        (
            {"verdict": "engine_short", "reml_criterion": 3.5, "best_reml_criterion": 3.0},
            "its REML criterion is 0.5 above the least that was found",
        ),
        (
            {"verdict": "engine_failed", "status": "error"},
            "numpy says 'error' where statsmodels has a fit",
        ),
        ({"verdict": "differ", "reml_criterion": np.nan}, "numpy and statsmodels are apart"),
        (
            {"verdict": "differ", "reml_criterion": 1.0},
            "numpy and statsmodels are apart although both are at the optimum",
        ),
    ],
)
def test_a_fault_is_one_sentence_with_the_way_to_its_dataset(
    changed: dict[str, Any], sentence: str
) -> None:
    place = "clusters=12/obs_per_cluster=8/between_cluster_sigma=0.5/sim=1"
    assert fault(audit(**changed), "snakemake remade") == (
        "the audit found numpy at fault in 2 of 4 fits, first of all 'cluster_robust' in "
        f"{place}: {sentence}; to make this dataset and its fits again: "
        f"snakemake remade/{place}/dataset.csv"
    )


def test_an_audit_without_a_fault_says_what_it_found() -> None:
    table = audit()
    assert fault(table, "") is None
    said = lines(table, Circumstances("no glmm", ["OLS, CR2"], {"lme4": "1.1"}, ""))
    assert said[:4] == [
        "Audit: 2 datasets fitted again by lme4 1.1.",
        "NOT AUDITED: no glmm.",
        "  no reference for: OLS, CR2",
        "  least squares: 2 fits, estimates within 0 and SEs within 0 of statsmodels' (relative)",
    ]
    assert said[5:7] == [
        "  lme4 stopped short of the optimum in 0 of 2 fits",
        "  lme4 warned although its optimum was right in 0 of 2 fits",
    ]


def test_the_summary_has_the_largest_distances_and_counts_fits() -> None:
    table = audit()
    mixed = (table["strategy"] == "mixed_maximal") & (table["sim"] == 1)
    table.loc[mixed, "verdict"] = "reference_short"
    table.loc[mixed, "reference_reml_criterion"] += 0.5
    slope = mixed & (table["term"] != "(Intercept)")
    table.loc[slope, "reference_df"] = 1.25 * table.loc[slope, "df"]
    row = by_cell(table).set_index("strategy").loc["mixed_maximal"]
    assert row["sims"] == 2 and row["agree"] == row["reference_short"] == 1
    assert row["max_df_difference"] == pytest.approx(0.25)
    assert row["max_estimate_difference"] == row["max_criterion_above_best"] == 0
    assert row["max_reference_criterion_above_best"] == pytest.approx(0.5)
