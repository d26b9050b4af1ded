"""Hold the verification studies against what is known."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from clustrategy.engines.chosen import Strategy
from clustrategy.study.study import Study
from clustrategy.tables.files import read_parquet, write_csv, write_parquet
from clustrategy.verification.cells import Cell, cells_of
from clustrategy.verification.identities import Fitted
from clustrategy.verification.judgement import judge
from clustrategy.verification.known_numbers import known_numbers


def verification_table(
    configs: Sequence[Mapping[str, Any]],
    *,
    performance: Sequence[str],
    estimates: Sequence[str],
    fits: Sequence[str],
    parquet: str,
    csv: str,
) -> None:
    """Write a row for each number that is known.

    Parameters
    ----------
    configs : Sequence of Mapping
        The whole config of each verification study.
    performance, estimates, fits : Sequence of str
        The tables of each.
    parquet, csv : str
        The files to write.
    """
    parts: list[pd.DataFrame] = []
    for config, measures, answers, glances in zip(
        configs, performance, estimates, fits, strict=True
    ):
        study = Study.from_config(config)
        fitted = _fitted(cells_of(study), study.strategies, answers, glances)
        parts += known_numbers(study, read_parquet(measures).to_pandas(), fitted)
    whole = pa.Table.from_pandas(judge(parts), preserve_index=False)
    write_parquet(whole, parquet, {"clustrategy.table": "verification"})
    write_csv(whole, csv)


def _fitted(
    cells: Sequence[Cell], strategies: Sequence[Strategy], estimates: str, fits: str
) -> Iterator[dict[str, Fitted]]:
    """Read what each strategy made of each cell; one cell at a time is in memory."""
    for cell in cells:
        level = [(factor, "==", value) for factor, value in cell.factors.items()]
        answers, glances = (
            pq.read_table(
                path,
                columns=columns,
                filters=level,
                partitioning=None,
                page_checksum_verification=True,
            )
            for path, columns in (
                (estimates, ["strategy", "estimate", "std_error", "df"]),
                (fits, ["strategy", "status", "singular"]),
            )
        )
        fitted = {}
        for strategy in strategies:
            mine, ours = (
                table.filter(pc.equal(table["strategy"], strategy.label))
                for table in (answers, glances)
            )
            status, singular = (
                ours[name].to_numpy(zero_copy_only=False) for name in ("status", "singular")
            )
            estimate, std_error, df = (
                mine[name].to_numpy().reshape(ours.num_rows, -1)
                for name in ("estimate", "std_error", "df")
            )
            regular = (status == "ok") & ~singular.astype(bool)
            fitted[strategy.label] = Fitted(estimate, std_error, df, regular)
        yield fitted
