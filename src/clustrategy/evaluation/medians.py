"""The closing table: per strategy the medians of the metrics, and how its fits ended."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from clustrategy.core.shard import Floats
from clustrategy.evaluation.scores import Scores

METRICS = Scores._fields
BOOTSTRAPS = 500


class Estimate(NamedTuple):
    """A number and its Monte Carlo standard error."""

    value: float
    mcse: float


def stratified_median(values: Sequence[Floats]) -> Estimate:
    """Estimate the median over all cells.

    Cells are strata: they were not drawn, only the sims within them. So the Monte Carlo standard
    error is that of a bootstrap of the sims within each cell, from a fixed seed. It is NaN if a
    cell has a single sim, and too small if the cells are so far apart that the median falls
    between them.

    Parameters
    ----------
    values : Sequence of (sims,) array
        The finite values of each cell.

    References
    ----------
    Efron & Tibshirani (1993), An Introduction to the Bootstrap, chapter 6.
    """
    filled = [cell for cell in values if cell.size]
    if not filled:
        return Estimate(np.nan, np.nan)
    median = float(np.median(np.concatenate(filled)))
    if min(cell.size for cell in filled) < 2:
        return Estimate(median, np.nan)
    rng = np.random.default_rng(0)
    together = [
        np.stack([*cells]) for _, cells in itertools.groupby(filled, key=lambda cell: cell.size)
    ]
    medians = [
        np.median(np.concatenate([_resampled(cells, rng) for cells in together]))
        for _ in range(BOOTSTRAPS)
    ]
    return Estimate(median, float(np.std(medians, ddof=1)))


def _resampled(cells: Floats, rng: np.random.Generator) -> Floats:
    """Draw as many values from each of (cells, sims), with replacement, and string them together.

    The draws are those of `rng.choice` for each cell in turn.
    """
    drawn = rng.integers(0, cells.shape[1], cells.shape)
    return np.take_along_axis(cells, drawn, axis=1).reshape(-1)


def stratified_share(marked: Sequence[NDArray[np.bool_]]) -> Estimate:
    """Estimate the share of marked fits over all cells, with the cells as strata.

    Parameters
    ----------
    marked : Sequence of (sims,) array of bool
        The fits of each cell, and which of them count.
    """
    n = sum(cell.size for cell in marked)
    share = sum(int(cell.sum()) for cell in marked) / n
    if min(cell.size for cell in marked) < 2:
        return Estimate(share, np.nan)
    variance = sum(cell.size * cell.var(ddof=1) for cell in marked) / n**2
    return Estimate(share, float(np.sqrt(variance)))


def medians(
    scores: pa.Table,
    fits: pa.Table,
    factors: Sequence[str],
    strategies: Sequence[str],
    usable: Sequence[str],
) -> pa.Table:
    """Return a row per strategy: medians and shares over the whole grid, with MCSE.

    Parameters
    ----------
    scores, fits : Table
        The scores and fits of a study, row by row of the same fit, its cells one after the other.
    factors, strategies : Sequence of str
        The factors and the labels of the study, in the order of its tables.
    usable : Sequence of str
        The status of fits whose numbers count.

    Returns
    -------
    Table
        `strategy`, `fits`, `median_*` of each metric, and the shares of the fits with
        `fit_success`, of the singular and of the unusable ones; each with `*_mcse`.
    """
    status = fits["status"].to_numpy(zero_copy_only=False)
    columns = {name: scores[name].to_numpy(zero_copy_only=False) for name in METRICS}
    shares = {
        "fit_success_rate": scores["fit_success"].to_numpy(zero_copy_only=False).astype(bool),
        "singular_rate": status == "singular",
        "unusable_rate": ~np.isin(status, list(usable)),
    }
    keys = np.column_stack([scores[factor].to_numpy() for factor in factors])
    starts = np.flatnonzero(np.r_[True, (keys[1:] != keys[:-1]).any(axis=1)])[1:]
    label = scores["strategy"].to_numpy(zero_copy_only=False)
    rows: dict[str, list[str | int | float]] = {"strategy": [], "fits": []}
    for strategy in strategies:
        mine = label == strategy

        def by_cell(whole: NDArray[Any], mine: NDArray[np.bool_] = mine) -> list[NDArray[Any]]:
            cells = zip(np.split(whole, starts), np.split(mine, starts), strict=True)
            return [cell[chosen] for cell, chosen in cells]

        rows["strategy"].append(strategy)
        rows["fits"].append(int(mine.sum()))
        for metric in METRICS:
            values = by_cell(columns[metric])
            median = stratified_median([cell[np.isfinite(cell)] for cell in values])
            rows.setdefault(f"median_{metric}", []).append(median.value)
            rows.setdefault(f"median_{metric}_mcse", []).append(median.mcse)
        for name, marked in shares.items():
            share = stratified_share(by_cell(marked))
            rows.setdefault(name, []).append(share.value)
            rows.setdefault(f"{name}_mcse", []).append(share.mcse)
    return pa.table(rows)
