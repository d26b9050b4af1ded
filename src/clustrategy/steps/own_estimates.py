"""The study's strategies on the table itself, and what its design can tell."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from clustrategy.calibration.table_source import TableSource
from clustrategy.core.counted import counted, listed
from clustrategy.design.from_table import Design
from clustrategy.owndata.fit import fitted
from clustrategy.owndata.reservations import reservations
from clustrategy.study.plan import read_plan
from clustrategy.tables.files import read_parquet, write_csv, write_parquet

if TYPE_CHECKING:
    import pandas as pd

RESERVATIONS = "clustrategy.reservations"
"""In the metadata of `own_design`: what there is to mind, as a list in JSON."""

ROWS = "clustrategy.rows"
"""In the metadata of `own_design`: the rows and clusters in a sentence."""


def own_estimates(
    folder: str,
    data: Mapping[str, Any],
    *,
    estimates: str,
    estimates_csv: str,
    design: str,
    design_csv: str,
) -> None:
    """Write the estimates on the table itself, and a row of its design for each coefficient.

    Parameters
    ----------
    folder : str
        Of the study, with its plan.
    data : Mapping
        The section `data` of the config.
    estimates, estimates_csv, design, design_csv : str
        The files to write.

    Raises
    ------
    DataError
        If the table cannot be read, or is not what the formula needs.
    """
    plan = read_plan(folder)
    recipe = plan.recipe
    strategies = [recipe.chosen[label] for label in plan.labels]
    found = fitted(TableSource.of(data).design(), strategies, recipe.seed)
    metadata = {"clustrategy.study": plan.study, "clustrategy.version": plan.version}
    of_design = {
        **metadata,
        ROWS: f"{_read(found.given)}{found.summary.design}",
        RESERVATIONS: json.dumps(reservations(found)),
    }
    _write(found.tidy(), estimates, estimates_csv, metadata)
    _write(found.design(), design, design_csv, of_design)


def read_reservations(folder: str) -> list[str]:
    """Return what there is to mind by the tables of a study; empty where they are not there."""
    path = Path(folder, "own_design.parquet")
    if not path.exists():
        return []
    found = read_parquet(path).schema.metadata or {}
    return list(json.loads(found.get(RESERVATIONS.encode(), b"[]")))


def _read(design: Design) -> str:
    """Say how many rows were read and which columns lack values, where some are left out."""
    if not design.rows_left_out:
        return ""
    lacking = [f"{column} ({count:,})" for column, count in design.left_out.items()]
    return f"{counted(design.rows_read, 'row')} read; values are missing in {listed(lacking)}. "


def _write(frame: pd.DataFrame, parquet: str, csv: str, metadata: Mapping[str, str]) -> None:
    table = pa.Table.from_pandas(frame, preserve_index=False).replace_schema_metadata(None)
    write_parquet(table, parquet, metadata)
    write_csv(table, csv)
