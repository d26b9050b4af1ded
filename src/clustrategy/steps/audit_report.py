"""What an audit found: its table, its summary by cell, and the verdict on the run."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pandas as pd
import pyarrow as pa

from clustrategy.audit import verdicts as audit
from clustrategy.core.cells import read_shard_path, sim_path
from clustrategy.core.errors import DataError
from clustrategy.steps.audit import AUDIT
from clustrategy.tables.cells import with_cell
from clustrategy.tables.files import read_parquet, write_csv, write_parquet, write_text

MIXED = tuple(audit.MIXED_REFERENCES)


def gather(shards: Sequence[str], *, audit_table: str, by_cell: str) -> None:
    """Write the audit of a whole study, and its summary by cell, strategy and reference.

    Parameters
    ----------
    shards : the files of `audit_shard`, in the order of cells and sims.
    audit_table, by_cell : the Parquet and the CSV file to write.

    Raises
    ------
    DataError : where there is nothing to gather.
    """
    if not shards:
        raise DataError("the config has no 'audit:', so there is nothing to audit")
    parts = []
    for path in shards:
        cell, _ = read_shard_path(path)
        table = read_parquet(path).replace_schema_metadata(None)
        parts.append(with_cell(cell, table))
    whole = pa.concat_tables(parts)
    factors = [name for name in whole.column_names if name not in AUDIT.names]
    rows = _differences(whole.to_pandas())
    keys = [*factors, "strategy", "engine", "reference"]
    summary = rows.groupby(keys, sort=False).agg(
        sims=("sim", "nunique"),
        max_estimate_difference=("estimate_difference", "max"),
        max_std_error_difference=("std_error_difference", "max"),
        max_df_difference=("df_difference", "max"),
        max_p_value_difference=("p_value_difference", "max"),
        max_criterion_above_best=("criterion_above", "max"),
        max_reference_criterion_above_best=("reference_criterion_above", "max"),
    )
    fits = rows.groupby([*keys, "sim"], sort=False).first()
    for verdict in ("agree", *audit.REASONS, *audit.FAULTS):
        summary[verdict] = (fits["verdict"] == verdict).groupby(level=keys, sort=False).sum()
    for name, flag in _singular(fits).items():
        summary[name] = flag.groupby(level=keys, sort=False).sum()
    write_parquet(whole, audit_table, {})
    frame = pa.Table.from_pandas(summary.reset_index(), preserve_index=False)
    write_csv(frame.replace_schema_metadata(None), by_cell)


def _differences(rows: pd.DataFrame) -> pd.DataFrame:
    """The table with how far engine and reference are apart, in the units of `audit`'s bounds."""
    unit = rows[["estimate", "std_error"]].abs().max(axis=1)
    apart = (rows["estimate"] - rows["reference_estimate"]).abs() / unit
    return rows.assign(
        estimate_difference=apart,
        std_error_difference=(rows["reference_std_error"] / rows["std_error"] - 1.0).abs(),
        df_difference=(rows["reference_df"] / rows["df"] - 1.0).abs(),
        p_value_difference=(rows["reference_p_value"] - rows["p_value"]).abs(),
        criterion_above=rows["reml_criterion"] - rows["best_reml_criterion"],
        reference_criterion_above=rows["reference_reml_criterion"] - rows["best_reml_criterion"],
    )


def _singular(fits: pd.DataFrame) -> dict[str, pd.Series[bool]]:
    engine, reference = fits["singular"], fits["reference_singular"]
    return {
        "both_singular": engine & reference,
        "engine_alone_singular": engine & ~reference,
        "reference_alone_singular": reference & ~engine,
    }


def report(
    audit_table: str,
    *,
    missing: str,
    without: Sequence[str],
    versions: Mapping[str, str],
    remake: str,
    text: str,
) -> None:
    """Write what the audit found in a few lines.

    Parameters
    ----------
    audit_table : as `gather` writes it.
    missing : why references were left out, empty where none was.
    without : labels of strategies for which there is no reference.
    versions : of the references.
    remake : the command that makes a dataset again, less the path of its sim.
    text : the file to write.

    Raises
    ------
    DataError : where the engine is at fault; the sentence names the first dataset and the command
        that makes it again. Nothing is written then.
    """
    table = read_parquet(audit_table).to_pandas()
    factors = [name for name in table.columns if name not in AUDIT.names]
    rows = _differences(table)
    keys = [*factors, "strategy", "reference", "sim"]
    fits = rows.groupby(keys, sort=False).first().reset_index()
    wrong = fits[fits["verdict"].isin(audit.FAULTS)]
    if len(wrong):
        row = {str(name): value for name, value in wrong.iloc[0].items()}
        cell = {factor: row[factor] for factor in factors}
        raise DataError(
            f"{audit_table}: the audit found {row['engine']} at fault in {len(wrong)} of "
            f"{len(fits)} fits, first of all {row['strategy']!r} in {sim_path(cell, row['sim'])}: "
            f"{audit.fault(row)}; to make this dataset and its fits again: "
            f"{remake}/{sim_path(cell, row['sim'])}/dataset.csv"
        )
    named = ", ".join(f"{name} {version}" for name, version in versions.items())
    count = len(rows[[*factors, "sim"]].drop_duplicates())
    opening = [f"Audit: {count} datasets fitted again by {named}."] if versions else []
    opening += [f"NOT AUDITED: {missing}."] if missing else []
    opening += [f"  no reference for: {'; '.join(without)}"] if without else []
    write_text("\n".join(_lines(rows, fits, opening)) + "\n", text)


def _lines(rows: pd.DataFrame, fits: pd.DataFrame, lines: list[str]) -> list[str]:
    """What was found, after the opening lines."""
    agreed = rows[rows["verdict"] == "agree"]
    plain = agreed[agreed["reml_criterion"].isna()]
    if len(plain):
        lines.append(
            f"  least squares: {_fits(plain)} fits, estimates within "
            f"{plain['estimate_difference'].max():.1g} and SEs within "
            f"{plain['std_error_difference'].max():.1g} of statsmodels' (relative)"
        )
    mixed = fits[fits["reference"].isin(MIXED)]
    if not len(mixed):
        return lines
    best = rows[rows["reml_criterion"].notna()]
    same = agreed[agreed["reml_criterion"].notna()]
    lines.append(
        f"  REML criterion: never above the least of all engines by more than "
        f"{max(0.0, best['criterion_above'].max()):.1g}; at the same optimum estimates are within "
        f"{same['estimate_difference'].max():.1g}, SEs within "
        f"{same['std_error_difference'].max():.1g}, df within "
        f"{100 * same['df_difference'].max():.1g} %, p within "
        f"{same['p_value_difference'].max():.1g}"
    )
    name = mixed["reference"].iloc[0]
    short = mixed[mixed["verdict"] == "reference_short"]
    off = rows[rows["reference"].isin(MIXED) & (rows["verdict"] == "reference_short")]
    off = off.dropna(subset="std_error_difference")
    lines.append(
        f"  {name} stopped short of the optimum in {_of(short, mixed)} fits"
        + (
            f": its criterion was up to {short['reference_criterion_above'].max():.2g} too high, "
            f"its SEs up to {100 * off['std_error_difference'].max():.2g} % off"
            if len(off)
            else ""
        )
    )
    warned = mixed["reference_status"] == "not_converged"
    right = mixed[warned & ~mixed["verdict"].isin(["reference_short"])]
    lines.append(f"  {name} warned although its optimum was right in {_of(right, mixed)} fits")
    singular = {k: int(v.sum()) for k, v in _singular(mixed).items()}
    lines.append(
        f"  singular to both: {singular['both_singular']} fits; to {name} alone "
        f"{singular['reference_alone_singular']}, to the audited engine alone "
        f"{singular['engine_alone_singular']}"
    )
    return lines


def _fits(rows: pd.DataFrame) -> int:
    return int((rows["term"] == rows["term"].iloc[0]).sum())


def _of(some: pd.DataFrame, whole: pd.DataFrame) -> str:
    return f"{len(some)} of {len(whole)}"
