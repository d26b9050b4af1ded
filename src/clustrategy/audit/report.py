"""What an audit found: its summary by cell, the fault that ends a run, and a few lines of text."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from clustrategy.audit.comparison import AUDIT
from clustrategy.audit.distance import distances
from clustrategy.audit.references import MIXED
from clustrategy.audit.verdicts import FAULTS, REASONS
from clustrategy.core.cells import sim_path


@dataclass(frozen=True)
class Circumstances:
    """What a report says besides the numbers.

    Attributes
    ----------
    missing : str
        Why references were left out, empty where none was.
    without : Sequence of str
        Labels of the strategies for which there is no reference.
    versions : Mapping of str to str
        The versions of the references.
    remake : str
        The command that makes a dataset again, but for the path of its sim.
    """

    missing: str
    without: Sequence[str]
    versions: Mapping[str, str]
    remake: str


def by_cell(table: pd.DataFrame) -> pd.DataFrame:
    """Sum up an audit by cell, strategy, engine and reference.

    Parameters
    ----------
    table : DataFrame
        The factors and the columns of `AUDIT`.

    Returns
    -------
    DataFrame
        The largest distances, and counts of fits by verdict and of singular ones.
    """
    keys = [*_factors(table), "strategy", "engine", "reference"]
    rows = _with_distances(table)
    summary = rows.groupby(keys, sort=False).agg(
        sims=("sim", "nunique"),
        max_estimate_difference=("estimate_apart", "max"),
        max_std_error_difference=("std_error_apart", "max"),
        max_df_difference=("df_apart", "max"),
        max_p_value_difference=("p_value_apart", "max"),
        max_criterion_above_best=("criterion_apart", "max"),
        max_reference_criterion_above_best=("reference_criterion_apart", "max"),
    )
    fits = rows.groupby([*keys, "sim"], sort=False).first()
    for verdict in ("agree", *REASONS, *FAULTS):
        summary[verdict] = (fits["verdict"] == verdict).groupby(level=keys, sort=False).sum()
    for name, flag in _singular(fits).items():
        summary[name] = flag.groupby(level=keys, sort=False).sum()
    return summary.reset_index()


def fault(table: pd.DataFrame, remake: str) -> str | None:
    """Say in one sentence where the engine is at fault, None where it is not.

    Parameters
    ----------
    table : DataFrame
        The factors and the columns of `AUDIT`.
    remake : str
        The command that makes a dataset again, but for the path of its sim.
    """
    fits = _fits(table)
    wrong = fits[fits["verdict"].isin(FAULTS)]
    if not len(wrong):
        return None
    row = {str(name): value for name, value in wrong.iloc[0].items()}
    place = sim_path({factor: row[factor] for factor in _factors(table)}, row["sim"])
    return (
        f"the audit found {row['engine']} at fault in {len(wrong)} of {len(fits)} fits, first of "
        f"all {row['strategy']!r} in {place}: {_fault_in_words(row)}; to make this dataset and "
        f"its fits again: {remake}/{place}/dataset.csv"
    )


def _fault_in_words(row: Mapping[str, Any]) -> str:
    engine, reference = row["engine"], row["reference"]
    if row["verdict"] == "engine_short":
        above = row["reml_criterion"] - row["best_reml_criterion"]
        return f"its REML criterion is {above:.2g} above the least that was found"
    if row["verdict"] == "engine_failed":
        return f"{engine} says {row['status']!r} where {reference} has a fit"
    if np.isnan(row["reml_criterion"]):
        return f"{engine} and {reference} are apart"
    return f"{engine} and {reference} are apart although both are at the optimum"


def lines(table: pd.DataFrame, circumstances: Circumstances) -> list[str]:
    """Say what an audit without a fault found.

    Parameters
    ----------
    table : DataFrame
        The factors and the columns of `AUDIT`.
    circumstances : Circumstances
        What else is to be said.
    """
    it = circumstances
    named = ", ".join(f"{name} {version}" for name, version in it.versions.items())
    count = len(table[[*_factors(table), "sim"]].drop_duplicates())
    said = []
    if it.versions:
        said.append(f"Audit: no fault found in {count} datasets fitted again by {named}.")
    said += [f"NOT AUDITED: {it.missing}."] if it.missing else []
    said += [f"  no reference for: {'; '.join(it.without)}"] if it.without else []
    rows, fits = _with_distances(table), _fits(_with_distances(table))
    return [*said, *_least_squares_lines(rows), *_mixed_lines(rows, fits)]


def _least_squares_lines(rows: pd.DataFrame) -> list[str]:
    agreed = rows[(rows["verdict"] == "agree") & rows["reml_criterion"].isna()]
    if not len(agreed):
        return []
    count = int((agreed["term"] == agreed["term"].iloc[0]).sum())
    return [
        f"  least squares: {count} fits, estimates within "
        f"{agreed['estimate_apart'].max():.1g} and SEs within "
        f"{agreed['std_error_apart'].max():.1g} of statsmodels' (relative)"
    ]


def _mixed_lines(rows: pd.DataFrame, fits: pd.DataFrame) -> list[str]:
    mixed = fits[fits["reference"].isin([*MIXED])]
    if not len(mixed):
        return []
    best = rows[rows["reml_criterion"].notna()]
    same = best[best["verdict"] == "agree"]
    name = mixed["reference"].iloc[0]
    short = mixed[mixed["verdict"] == "reference_short"]
    off = rows[rows["reference"].isin([*MIXED]) & (rows["verdict"] == "reference_short")]
    off = off.dropna(subset="std_error_apart")
    warned = mixed["reference_status"] == "not_converged"
    right = mixed[warned & (mixed["verdict"] != "reference_short")]
    singular = {k: int(v.sum()) for k, v in _singular(mixed).items()}
    return [
        f"  REML criterion: never above the least of all engines by more than "
        f"{max(0.0, best['criterion_apart'].max()):.1g}; at the same optimum estimates are within "
        f"{same['estimate_apart'].max():.1g}, SEs within "
        f"{same['std_error_apart'].max():.1g}, df within "
        f"{100 * same['df_apart'].max():.1g} %, p within "
        f"{same['p_value_apart'].max():.1g}",
        f"  {name} stopped short of the optimum in {len(short)} of {len(mixed)} fits"
        + (
            f": its criterion was up to {short['reference_criterion_apart'].max():.2g} too high, "
            f"its SEs up to {100 * off['std_error_apart'].max():.2g} % off"
            if len(off)
            else ""
        ),
        f"  {name} warned although its optimum was right in {len(right)} of {len(mixed)} fits",
        f"  singular to both: {singular['both_singular']} fits; to {name} alone "
        f"{singular['reference_alone_singular']}, to the audited engine alone "
        f"{singular['engine_alone_singular']}",
    ]


def _factors(table: pd.DataFrame) -> list[str]:
    return [str(name) for name in table.columns if name not in AUDIT.names]


def _with_distances(table: pd.DataFrame) -> pd.DataFrame:
    """Return the table with the distances beside the numbers."""
    return table.join(distances(table).add_suffix("_apart"))


def _fits(rows: pd.DataFrame) -> pd.DataFrame:
    """Return a row per fit: its first non-missing values."""
    factors = [name for name in _factors(rows) if not name.endswith("_apart")]
    keys = [*factors, "strategy", "reference", "sim"]
    return rows.groupby(keys, sort=False).first().reset_index()


def _singular(fits: pd.DataFrame) -> dict[str, pd.Series[bool]]:
    engine, reference = fits["singular"], fits["reference_singular"]
    return {
        "both_singular": engine & reference,
        "engine_alone_singular": engine & ~reference,
        "reference_alone_singular": reference & ~engine,
    }
