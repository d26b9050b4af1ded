"""Whether p-values are uniform where the truth is zero."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, MaxNLocator

from clustrategy.figures.parts.factors import further_factors
from clustrategy.figures.parts.files import Rows
from clustrategy.figures.parts.frame import compose, line_handles, nothing, strategy_lines
from clustrategy.figures.parts.grid import panel_grid
from clustrategy.figures.parts.intervals import Z_95
from clustrategy.figures.parts.labels import KIND, SIGMA
from clustrategy.figures.parts.options import Options
from clustrategy.figures.parts.performance import of_truth, unusable_fits
from clustrategy.figures.parts.predictor_kinds import slopes
from clustrategy.figures.parts.style import INK, MUTED, Look

LEVELS = np.linspace(0, 0.2, 101)
"""The nominal levels at which the distribution is drawn."""

TITLE = "p-values where the truth is zero: how many more are small than should be"


def p_value_ecdf(
    performance: pd.DataFrame,
    estimates: Rows,
    *,
    factors: Sequence[str],
    strategies: Sequence[str],
    options: Options,
) -> Figure:
    """Draw the p-values' distribution function less the uniform one, for each size of datasets.

    Parameters
    ----------
    performance : DataFrame
        The performance table, which knows the slopes whose true value is zero.
    estimates : Rows
        The estimates, with their p-values.
    factors, strategies : sequence of str
        The study's factors, and its strategies in order.
    options : Options
        The settings of the look, `dgp` and `alpha`.
    """
    look = Look.from_options(options)
    alpha = options["alpha"]
    by = [*further_factors(performance, factors), "term"]
    null = of_truth(performance, "zero")[by].drop_duplicates()
    shares = distributions(estimates, null, factors, options.get("dgp", {}))
    shares = shares[shares["strategy"].isin(strategies)]
    if shares.empty:
        reason = "No slope is zero in every sim, so that no p-value belongs to a true null."
        return nothing(look, reason, TITLE)
    grid = panel_grid(
        shares,
        look,
        factors=factors,
        by_kind=True,
        by_sigma=False,
        panel_heights=(look.printed(1.6), look.printed(1.05)),
    )
    lines = strategy_lines(strategies, look)
    excess = np.stack(list(shares["share"])) - LEVELS
    for axes, panel in grid.panels(shares):
        if panel.empty:
            axes.text(0.5, 0.5, "no values", transform=axes.transAxes, ha="center", size=look.text)
            continue
        half = Z_95 * np.sqrt(LEVELS * (1 - LEVELS) / (panel["n"] / panel["terms"]).max())
        axes.fill_between(LEVELS, -half, half, color="#d9d9d9", linewidth=0, zorder=0)
        axes.axhline(0, color=INK, linewidth=look.line, zorder=1)
        axes.axvline(alpha, color=MUTED, linewidth=look.line, linestyle=":", zorder=1)
        for strategy, line in lines.items():
            for share in panel.loc[panel["strategy"] == strategy, "share"]:
                axes.plot(LEVELS, share - LEVELS, zorder=2, **line)
    _scale(grid.axes[0, 0], excess)
    compose(
        grid.figure,
        look,
        panels_height=grid.height,
        title=TITLE,
        subtitle=TITLE,
        legends=[line_handles(lines)],
        xlabel="nominal level",
        ylabel="share of p-values at or below the level, less the level",
        caption=_caption(performance, shares, factors, strategies),
    )
    return grid.figure


def distributions(
    estimates: Rows, null: pd.DataFrame, factors: Sequence[str], dgp: Mapping[str, Any]
) -> pd.DataFrame:
    """Return the shares of p-values at or below each of `LEVELS`.

    Parameters
    ----------
    estimates : Rows
        The estimates, with their p-values.
    null : DataFrame
        The coefficients that are zero: ``term`` and, since these differ from cell to cell, the
        further factors. The intercept is left out.
    factors : sequence of str
        The study's factors.
    dgp : mapping
        What of the data-generating process is the same in all cells.

    Returns
    -------
    DataFrame
        Factors without the between-cluster sigma, strategy, kind, n (the number of p-values),
        terms (the number of coefficients that these belong to) and share, an array.
    """
    keys = [*(factor for factor in factors if factor != SIGMA), "strategy", "term"]
    table = estimates.read([*keys, "p_value"], {"term": sorted(set(null["term"]))})
    table = table[table["p_value"].notna()]
    codes, values = zip(*(pd.factorize(table[key]) for key in keys), strict=True)
    shape = tuple(max(len(levels), 1) for levels in values)
    group, row = np.unique(np.ravel_multi_index(codes, shape), return_inverse=True)
    column = np.searchsorted(LEVELS, table["p_value"].to_numpy())
    bins = len(LEVELS) + 1
    counts = np.bincount(row * bins + column, minlength=len(group) * bins).reshape(-1, bins)
    places = np.unravel_index(group, shape)
    found = slopes(
        pd.DataFrame(
            {
                key: np.asarray(levels)[place]
                for key, levels, place in zip(keys, values, places, strict=True)
            }
        ),
        dgp,
    )
    wanted = pd.MultiIndex.from_frame(null)
    found = found[pd.MultiIndex.from_frame(found[[*null]]).isin(wanted)]
    by = [key for key in [*keys, KIND] if key != "term"]
    pooled = []
    for key, mine in found.groupby(by, sort=False):
        below = counts[mine.index].sum(axis=0).cumsum()
        pooled.append((*key, below[-1], len(mine), below[:-1] / below[-1]))
    return pd.DataFrame(pooled, columns=[*by, "n", "terms", "share"])


def _scale(axes: Axes, excess: np.ndarray) -> None:
    """Scale the shared axes so that most lines are inside."""
    top = float(np.quantile(excess.max(axis=1), 0.8))
    bottom = float(np.quantile(excess.min(axis=1), 0.05))
    axes.set_ylim(min(1.2 * bottom, -0.02), max(1.1 * top, 0.02))
    axes.set_xlim(0, LEVELS[-1])
    axes.set_xticks([0, 0.05, 0.1, 0.15, 0.2])
    axes.xaxis.set_major_formatter(FuncFormatter(lambda level, _: f"{level:g}"))
    axes.yaxis.set_major_locator(MaxNLocator(4, steps=[1, 2, 5, 10]))
    axes.yaxis.set_major_formatter(
        FuncFormatter(lambda value, _: f"{value:+.2g}".replace("-", "−") if value else "0")
    )


def _caption(
    performance: pd.DataFrame,
    shares: pd.DataFrame,
    factors: Sequence[str],
    strategies: Sequence[str],
) -> str:
    several = "alike slopes and " if shares["terms"].max() > 1 else ""
    lost = unusable_fits(performance, factors, strategies)
    return (
        "Above zero a strategy rejects too often at that level, below too rarely; dotted line: "
        f"the level of the tests. Pooled over {several}all levels of the between-cluster sigma, "
        f"{shares['n'].max():,} p-values a line at most. Band: where 95 % of the lines of "
        "uniform p-values are at a level. Lines that leave a panel, some at its left edge, go on "
        "above it. Where a p-value is an interval, its upper end counts. Slopes alone. "
        f"{lost}"
    )
