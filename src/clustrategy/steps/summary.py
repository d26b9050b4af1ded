"""The closing table: per strategy the medians of the metrics and the success rate."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.csv

from clustrategy.core.shard import Floats
from clustrategy.tables.files import read_parquet, write_csv

METRICS = ("coef_abs_err", "se_sum", "t_sum")
BOOTSTRAPS = 500


class Estimate(NamedTuple):
    """A number and its Monte Carlo standard error."""

    value: float
    mcse: float


def stratified_median(values: Sequence[Floats]) -> Estimate:
    """The median over all cells and its Monte Carlo standard error.

    Parameters
    ----------
    values : the finite values of each cell. Cells are strata: they were not drawn, only the sims
        within them, so the error is that of a bootstrap of the sims within each cell (Efron &
        Tibshirani 1993, chapter 6), from a fixed seed. It is NaN where a cell has one sim, and too
        small where the cells are so far apart that the median falls between them.
    """
    filled = [cell for cell in values if cell.size]
    if not filled:
        return Estimate(np.nan, np.nan)
    median = float(np.median(np.concatenate(filled)))
    if min(cell.size for cell in filled) < 2:
        return Estimate(median, np.nan)
    rng = np.random.default_rng(0)
    medians = [
        np.median(np.concatenate([rng.choice(cell, cell.size) for cell in filled]))
        for _ in range(BOOTSTRAPS)
    ]
    return Estimate(median, float(np.std(medians, ddof=1)))


def stratified_share(successes: Sequence[np.ndarray]) -> Estimate:
    """The share of successes over all cells, cells as strata."""
    n = sum(cell.size for cell in successes)
    share = sum(int(cell.sum()) for cell in successes) / n
    if min(cell.size for cell in successes) < 2:
        return Estimate(share, np.nan)
    variance = sum(cell.size * cell.var(ddof=1) for cell in successes) / n**2
    return Estimate(share, float(np.sqrt(variance)))


def summarise(
    *, scores: str, factors: Sequence[str], strategies: Sequence[str], summary: str
) -> None:
    """Write a row per strategy: medians and success rate over the whole grid, with MCSE."""
    table = read_parquet(scores)
    keys = np.column_stack([table[factor].to_numpy() for factor in factors])
    starts = np.flatnonzero(np.r_[True, (keys[1:] != keys[:-1]).any(axis=1)])[1:]
    label = table["strategy"].to_numpy(zero_copy_only=False)
    rows: dict[str, list[str | int | float]] = {"strategy": [], "fits": []}
    for strategy in strategies:
        mine = label == strategy

        def by_cell(column: str, mine: np.ndarray = mine) -> list[np.ndarray]:
            whole = table[column].to_numpy(zero_copy_only=False)
            cells = zip(np.split(whole, starts), np.split(mine, starts), strict=True)
            return [cell[chosen] for cell, chosen in cells]

        rows["strategy"].append(strategy)
        rows["fits"].append(int(mine.sum()))
        for metric in METRICS:
            median = stratified_median([cell[np.isfinite(cell)] for cell in by_cell(metric)])
            rows.setdefault(f"median_{metric}", []).append(median.value)
            rows.setdefault(f"median_{metric}_mcse", []).append(median.mcse)
        success = stratified_share([cell.astype(bool) for cell in by_cell("fit_success")])
        rows.setdefault("success_rate", []).append(success.value)
        rows.setdefault("success_rate_mcse", []).append(success.mcse)
    write_csv(pa.table(rows), summary)


def as_text(summary: str) -> str:
    """The summary as a table to print: each number with its Monte Carlo SE in brackets."""
    table = pyarrow.csv.read_csv(summary).to_pylist()
    head = ["strategy", "abs. coef. error", "sum of SEs", "sum of |t|", "fits that succeeded"]
    lines = [head]
    for row in table:
        cells = [str(row["strategy"])]
        for metric in METRICS:
            cells.append(_with_error(row[f"median_{metric}"], row[f"median_{metric}_mcse"]))
        mcse = row["success_rate_mcse"]
        error = "" if mcse is None or np.isnan(mcse) else f" ({100 * mcse:.1f})"
        share = f"{100 * row['success_rate']:.1f} %{error} of {row['fits']:,}"
        lines.append([*cells, share])
    widths = [max(len(line[i]) for line in lines) for i in range(len(head))]
    rule = ["-" * width for width in widths]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip()
        for line in (lines[0], rule, *lines[1:])
    )


def _with_error(value: float | None, mcse: float | None) -> str:
    if value is None or not np.isfinite(value):
        return "none"
    if mcse is None or not np.isfinite(mcse) or mcse <= 0:
        return f"{value:.3g}"
    digits = max(0, 1 - int(np.floor(np.log10(mcse))))
    return f"{value:.{digits}f} ({mcse:.{digits}f})"
