"""Whether p-values are uniform where the truth is zero."""

from __future__ import annotations

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from clustrategy.core.counted import listed
from clustrategy.figures.parts.cells import further_factors, spreads
from clustrategy.figures.parts.files import Rows
from clustrategy.figures.parts.frame import DASHES, compose, nothing
from clustrategy.figures.parts.intervals import Z_95
from clustrategy.figures.parts.labels import (
    CLUSTERS,
    KIND,
    factor_label,
    level_label,
    quoted_label,
    signed,
)
from clustrategy.figures.parts.performance import of_zero, slopes, unusable_fits
from clustrategy.figures.parts.scales import stretch
from clustrategy.figures.parts.strategy_panels import strategy_panels
from clustrategy.figures.parts.study import Study
from clustrategy.figures.parts.style import INK, MUTED, shades

LEVELS = np.linspace(0, 0.2, 41)  # the nominal levels at which the distribution is drawn
SUBTITLE = "Where the truth is zero: share of p-values at or below each level, less the level"


def p_value_ecdf(performance: pd.DataFrame, estimates: Rows, *, study: Study) -> Figure:
    """Draw the p-values' distribution function less the uniform one, a panel for each strategy."""
    look = study.look
    alpha = study.alpha
    by = [*further_factors(performance, study.factors), "term"]
    null = of_zero(performance)[by].drop_duplicates()
    shares = distributions(estimates, null, study)
    shares = shares[shares["strategy"].isin(study.strategies)]
    if shares.empty:
        reason = "No slope is zero in every sim, so that no p-value belongs to a true null"
        return nothing(look, reason, SUBTITLE)
    drawn = [name for name in study.strategies if (shares["strategy"] == name).any()]
    figure, panels, down = strategy_panels(look, drawn)
    levels = sorted(shares[CLUSTERS].unique())
    colours = dict(zip(levels, shades(len(levels)), strict=True))
    dashes = dict(zip(dict.fromkeys(shares[KIND]), DASHES * len(shares), strict=False))
    excess = np.stack(list(shares["share"])) - LEVELS
    for strategy, axes in panels.items():
        panel = shares[shares["strategy"] == strategy]
        half = Z_95 * np.sqrt(LEVELS * (1 - LEVELS) / (panel["n"] / panel["terms"]).max())
        axes.fill_between(LEVELS, -half, half, color="#d9d9d9", linewidth=0, zorder=0)
        axes.axhline(0, color=INK, linewidth=look.line, zorder=1)
        axes.axvline(alpha, color=MUTED, linewidth=look.line, linestyle=":", zorder=1)
        for _, row in panel.iterrows():
            line = {"color": colours[row[CLUSTERS]], "linestyle": dashes[row[KIND]]}
            axes.plot(LEVELS, row["share"] - LEVELS, linewidth=1.2 * look.line, zorder=2, **line)
    first = panels[drawn[0]]
    first.set_xlim(0, LEVELS[-1])
    first.set_xticks([0, 0.1, 0.2], ["0", "10", "20"])
    ends = float(excess.min()), float(excess.max())
    apart = 1.3 * look.text * down / 72 / figure.get_figheight()
    stretch(first, "y", ends, target=0.0, unit=0.01, apart=apart, write=lambda x: signed(100 * x))
    lines = [
        [Line2D([], [], color=colours[n], label=level_label(CLUSTERS, n)) for n in levels],
        [Line2D([], [], color=INK, linestyle=dash, label=kind) for kind, dash in dashes.items()],
    ]
    compose(
        figure,
        look,
        title=_finding(shares, alpha),
        subtitle=SUBTITLE,
        legends=[handles if len(handles) > 1 else [] for handles in lines],
        xlabel="nominal level in %",
        ylabel="share of p-values less the level, in % (stretched near 0)",
        caption=_caption(performance, shares, study),
    )
    return figure


def _finding(shares: pd.DataFrame, alpha: float) -> str:
    """Say whose p-values are too small most often at the level of the tests, and whose least."""
    column = int(np.abs(LEVELS - alpha).argmin())
    found = shares.assign(rate=[100 * share[column] for share in shares["share"]])
    most = found.groupby("strategy", observed=True)["rate"].max()
    worst, best = str(most.idxmax()), str(most.idxmin())
    first = f"{most[worst]:.3g} % of the p-values of {quoted_label(worst)} are below"
    last = f", {most[best]:.3g} % of {quoted_label(best)}" if len(most) > 1 else ""
    return f"{first} {LEVELS[column]:g} where it is worst{last}"


def distributions(estimates: Rows, null: pd.DataFrame, study: Study) -> pd.DataFrame:
    """Return the shares of p-values at or below each of `LEVELS`.

    The coefficients that are zero are given by ``term`` and, since these differ from cell to cell,
    the further factors. The intercept is left out.

    Returns
    -------
    DataFrame
        Factors but for those of how much clusters differ, strategy, kind, n (the number of
        p-values), terms (the number of coefficients that these belong to) and share, an array.
    """
    pooled_over = spreads(study.factors)
    keys = [*(factor for factor in study.factors if factor not in pooled_over), "strategy", "term"]
    table = estimates.read([*keys, "p_value"], {"term": sorted(set(null["term"]))})
    table = table[table["p_value"].notna()]
    codes, values = zip(*(pd.factorize(table[key]) for key in keys), strict=True)
    shape = tuple(max(len(levels), 1) for levels in values)
    group, row = np.unique(np.ravel_multi_index(codes, shape), return_inverse=True)
    column = np.searchsorted(LEVELS, table["p_value"].to_numpy())
    bins = len(LEVELS) + 1
    counts = np.bincount(row * bins + column, minlength=len(group) * bins).reshape(-1, bins)
    places = np.unravel_index(group, shape)
    columns = zip(keys, values, places, strict=True)
    found = pd.DataFrame({key: np.asarray(levels)[place] for key, levels, place in columns})
    found = slopes(found, study.dgp)
    wanted = pd.MultiIndex.from_frame(null)
    found = found[pd.MultiIndex.from_frame(found[[*null]]).isin(wanted)]
    by = [key for key in [*keys, KIND] if key != "term"]
    pooled = []
    for key, mine in found.groupby(by, sort=False):
        below = counts[mine.index].sum(axis=0).cumsum()
        pooled.append((*key, below[-1], len(mine), below[:-1] / below[-1]))
    return pd.DataFrame(pooled, columns=[*by, "n", "terms", "share"])


def _caption(performance: pd.DataFrame, shares: pd.DataFrame, study: Study) -> str:
    over = ["alike slopes"] if shares["terms"].max() > 1 else []
    varying = [f"the {factor_label(name)}" for name in spreads(study.factors)]
    over += [f"all levels of {listed(varying)}"] if varying else []
    pooled = f"Pooled over {listed(over)}, with " if over else "There are "
    lost = unusable_fits(performance, study)
    return (
        "Each line is a size of datasets. Above zero a strategy rejects too often at that level, "
        "below too rarely; dotted line: the level of the tests. "
        f"{pooled}{shares['n'].max():,} p-values a line at most. Band: where 95 % of the lines of "
        "uniform p-values are at a level. Where a p-value is an interval, its upper end counts. "
        f"Slopes alone. {lost}"
    )
