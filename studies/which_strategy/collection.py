"""The verdicts of all parts of the study in one file, with what they were made from."""

from __future__ import annotations

import json
from typing import NamedTuple

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from clustrategy.core.sources import PACKAGE, code_digest, sources
from clustrategy.tables.files import write_parquet
from studies.which_strategy.parts import DOCS, studies

VERDICTS = DOCS / "which-strategy.parquet"

FACTORS = ("clusters", "obs_per_cluster", "icc", "slope_sd", "size_cv", "treated", "mechanism")
RATE, POWER, ADJUSTED = "false_positive_rate", "power", "size_adjusted_power"
UNUSABLE = "unusable_rate"
MEASURES = (RATE, POWER, ADJUSTED, UNUSABLE, "bias", "coverage", "relative_error")
VALUES = ("value", "mcse", "lowest", "highest", "mean_over_these_cells")
COLUMNS = (
    *FACTORS,
    "scope",
    "strategy",
    "kind",
    "measure",
    "effect",
    *VALUES,
    "n",
    "verdict",
    "safe",
    "cells",
    "safe_cells",
    "liberal_cells",
    "worst_cell",
)

DIGITS = 5
"""Of values, whose Monte Carlo errors are in the fourth."""


class Facts(NamedTuple):
    """What the file says of the study.

    Attributes
    ----------
    seed, code : str
        The study's seed, and a digest of the code that drew, fitted and tested.
    """

    seed: str
    code: str


def collect() -> None:
    """Put the verdicts of all parts into one file."""
    tables, seeds = [], set()
    for study in studies():
        table = pd.read_parquet(study.verdicts)
        table = table[table["measure"].isin(MEASURES) & (table["kind"] != "intercept")]
        table = table.reindex(columns=COLUMNS).assign(part=study.part, study=study.name)
        for factor in ("treated", "mechanism"):
            table[factor] = table[factor].astype("string")
        tables.append(table)
        plan = study.verdicts.with_name("study.json").read_text(encoding="utf-8")
        seeds.add(json.loads(plan)["seed"])
    whole = pd.concat(tables, ignore_index=True)
    whole[list(VALUES)] = whole[list(VALUES)].astype(float).round(DIGITS)
    (seed,) = seeds
    code = code_digest(sources(PACKAGE / "steps/verdicts.py"))
    write_parquet(
        pa.Table.from_pandas(whole, preserve_index=False).replace_schema_metadata(),
        VERDICTS,
        {"clustrategy.seed": str(seed), "clustrategy.code": code},
    )


def read() -> tuple[pd.DataFrame, Facts]:
    """Read the collected verdicts, and what the file says of the study."""
    table = pq.read_table(VERDICTS)
    known = {key.decode(): value.decode() for key, value in table.schema.metadata.items()}
    return table.to_pandas(), Facts(known["clustrategy.seed"], known["clustrategy.code"])
