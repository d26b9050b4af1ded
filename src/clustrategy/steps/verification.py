"""The verification studies held against what is known: the table and the verdict."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from clustrategy.core.errors import DataError
from clustrategy.engines.chosen import Strategy
from clustrategy.study.study import Study
from clustrategy.tables.cells import with_cell
from clustrategy.tables.files import read_parquet, write_csv, write_parquet, write_text
from clustrategy.verification import expected as verification
from clustrategy.verification.expected import Cell
from clustrategy.verification.identities import Fitted, identities
from clustrategy.verification.published_rates import published


def verify(
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
    configs : of the verification studies, whole.
    performance, estimates, fits : the tables of each.
    parquet, csv : the files to write.
    """
    parts: list[pd.DataFrame] = []
    for config, measures, answers, glances in zip(
        configs, performance, estimates, fits, strict=True
    ):
        study = Study.from_config(config)
        cells = [Cell(_factors(cell), study.process(cell)) for cell in study.cells]
        table = read_parquet(measures).to_pandas()
        table = table[table["handling"] == "case_wise"]
        exact = verification.exact(cells, study.strategies, table)
        parts += [
            exact,
            published(cells, study.strategies, table),
            verification.approximate(cells, study.strategies, table),
            verification.errors(exact),
            verification.complete(exact, study.strategies, study.sims),
        ]
        parts += [
            identities(cell, study.strategies, fitted)
            for cell, fitted in zip(
                cells, _fitted(cells, study.strategies, answers, glances), strict=True
            )
        ]
    whole = pa.Table.from_pandas(verification.judge(parts), preserve_index=False)
    write_parquet(whole, parquet, {"clustrategy.table": "verification"})
    write_csv(whole, csv)


def _factors(cell: Mapping[str, Any]) -> dict[str, Any]:
    """A cell's levels as they stand in tables."""
    (row,) = with_cell(cell, pa.table({"of": [None]})).drop_columns("of").to_pylist()
    return dict(row)


def _fitted(
    cells: Sequence[Cell], strategies: Sequence[Strategy], estimates: str, fits: str
) -> Iterator[dict[str, Fitted]]:
    """What each strategy made of each cell; one cell at a time is in memory."""
    for cell in cells:
        level = [(factor, "==", value) for factor, value in cell.factors.items()]
        answers, glances = (
            pq.read_table(path, columns=columns, filters=level, partitioning=None)
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


def report(table: str, text: str) -> None:
    """Write what was verified in a few lines.

    Raises
    ------
    DataError : where a number differs; the sentence names the one that differs most. Nothing is
        written then.
    """
    rows = read_parquet(table).to_pandas()
    wrong = verification.worst(rows)
    if wrong is not None:
        count = int((rows["verdict"] == "differs").sum())
        raise DataError(
            f"{table}: {count} of {len(rows)} known numbers differ, most of all {_in_words(wrong)}"
        )
    write_text("\n".join(_lines(rows)) + "\n", text)


def _in_words(row: pd.Series) -> str:
    """A row in words: what, where, expected, found, how far."""
    named = set(verification.COLUMNS)
    where = ", ".join(
        f"{name}={row[name]:g}" if isinstance(row[name], float) else f"{name}={row[name]}"
        for name in row.index
        if name not in named and pd.notna(row[name])
    )
    term = f" for {row['term']}" if pd.notna(row["term"]) else ""
    away = (
        f"{row['z']:+.1f} Monte Carlo standard errors"
        if pd.notna(row["z"])
        else f"{row['tolerance']:.2g} is allowed"
    )
    return (
        f"{row['measure']} of {row['strategy']!r}{term} ({where}): expected "
        f"{row['expected']:.5g}, found {row['found']:.5g}; {away}"
    )


def _lines(rows: pd.DataFrame) -> Iterator[str]:
    z = rows["z"].dropna().abs()
    bound = verification.bound(len(z))
    yield (f"Verification: {len(rows):,} known numbers, none differs from what the studies found.")
    exact, rates, rough, same = (
        rows[rows["kind"] == kind] for kind in ("exact", "published", "approximate", "identity")
    )
    yield (
        f"  closed forms: {len(exact):,} numbers, largest |z| {exact['z'].abs().max():.2f} "
        f"(bound {bound:.2f} for all together), {100 * (z > 1.96).mean():.1f} % beyond 1.96"
    )
    if len(rates):
        yield (
            f"  published rates: {len(rates)}, largest |z| {rates['z'].abs().max():.2f}; "
            f"largest difference {(rates['found'] - rates['expected']).abs().max():.4f}"
        )
    for statement, mine in rough.groupby("statement", sort=False):
        away = (mine["found"] - mine["expected"]).abs().max()
        yield f"  {statement}: {len(mine)}, all within {away:.3f}"
    whole = same["statement"] == verification.COMPLETE
    for tolerance, mine in same[~whole].groupby("tolerance"):
        yield (
            f"  identities to {tolerance:.0e}: {len(mine)}, largest relative difference "
            f"{mine['found'].max():.1e}"
        )
    if whole.any():
        yield (
            f"  {verification.COMPLETE}: {whole.sum()} strategies, at most "
            f"{100 * same.loc[whole, 'found'].max():.2g} % of the datasets of a cell are without "
            "numbers"
        )
