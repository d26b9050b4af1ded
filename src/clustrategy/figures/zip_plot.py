"""How the intervals of one cell miss, the farthest on top: the zip plot.

Morris, T. P., White, I. R. and Crowther, M. J. (2019): Using simulation studies to evaluate
statistical methods. Statistics in Medicine 38:2074-2102, figures 5 and 6.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from clustrategy.core.shard import INTERCEPT
from clustrategy.figures.parts.files import Rows
from clustrategy.figures.parts.frame import compose, nothing, strategy_inks
from clustrategy.figures.parts.intervals import wilson
from clustrategy.figures.parts.labels import level_label, quoted_label
from clustrategy.figures.parts.performance import case_wise
from clustrategy.figures.parts.strategy_panels import strategy_panels
from clustrategy.figures.parts.strokes import strokes
from clustrategy.figures.parts.study import Study
from clustrategy.figures.parts.style import INK, Colour, Look, note

SUBTITLE = "Zip plot: the 95 % intervals of one cell, those farthest off on top"
COVERING = "#d6d6d6"
FEWEST = 10
WITH_DECIMALS = 200


def zip_plot(performance: pd.DataFrame, estimates: Rows, *, study: Study) -> Figure:
    """Draw the intervals of the slope and cell whose coverage is worst, a panel per strategy."""
    look = study.look
    place = hardest(performance[performance["strategy"].isin(study.strategies)], study.factors)
    if place is None:
        reason = "No slope is the same in every sim, or no strategy has an interval of one"
        return nothing(look, reason, SUBTITLE)
    truth = place.pop("true_value")
    columns = ["strategy", "estimate", "std_error", "conf_low", "conf_high"]
    rows = estimates.read(columns, {name: [value] for name, value in place.items()})
    rows = rows.dropna(subset=["conf_low", "conf_high"])
    rows = rows.assign(held=(rows["conf_low"] <= truth) & (rows["conf_high"] >= truth))
    parts = {name: rows[rows["strategy"] == name] for name in study.strategies}
    coverages = {name: part["held"].mean() for name, part in parts.items() if len(part)}
    most = int(rows.groupby("strategy", observed=True).size().max())
    # Far enough down to show the coverages and a few intervals at least.
    share = min(np.clip(np.median([*coverages.values()]) - 0.05, 0.5, 0.9), 1.0 - FEWEST / most)
    floor = 5 * np.floor(20 * max(share, 0.0))
    shown = f"Only the top of the {most:,} intervals is" if floor else f"All {most} intervals are"

    ends = rows[["conf_low", "conf_high"]].to_numpy() - truth
    ends = ends[np.isfinite(ends)] if np.isfinite(ends).any() else rows["estimate"] - truth
    reach = 1.1 * np.abs(np.quantile(ends, [0.02, 0.98])).max()

    figure, panels, _ = strategy_panels(look, study.strategies)
    colours = strategy_inks(study.strategies, look)
    for strategy, axes in panels.items():
        axes.axvline(truth, color=INK, linewidth=look.line, zorder=3)
        part = parts[strategy]
        if part.empty:
            axes.text(0.5, 0.5, "none", transform=axes.transAxes, ha="center", size=look.text)
            continue
        seen = part[["conf_low", "conf_high"]].clip(truth - 2.0 * reach, truth + 2.0 * reach)
        _draw_intervals(axes, part.assign(**seen), truth, floor, colours[strategy], look)
    first = panels[study.strategies[0]]
    first.set_xlim(truth - reach, truth + reach)
    first.set_ylim(floor, 100)
    first.set_yticks([floor, *([95] if floor >= 50 else []), 100])
    first.xaxis.set_major_locator(MaxNLocator(4, steps=[1, 2, 5, 10]))
    term = place.pop("term")
    where = ", ".join(level_label(name, value) for name, value in place.items())
    compose(
        figure,
        look,
        title=_finding(coverages),
        subtitle=SUBTITLE,
        xlabel=f"95 % intervals of the slope of {term}, whose true value is {truth:g}",
        ylabel="centile of |estimate − true value| / SE",
        caption=(
            f"The cell and slope with the lowest coverage, mean over the strategies: {where}; "
            f"{term}. Coloured: intervals that miss the true value (vertical line); pale "
            "grey: those that hold it. Number and horizontal lines: coverage and its 95 % Monte "
            "Carlo interval (Wilson); intervals that keep 95 % turn from grey to colour at 95. "
            f"{shown} shown, and wide ones are cut off."
        ),
    )
    return figure


def _finding(coverages: Mapping[str, float]) -> str:
    """Say whose intervals of the cell hold the true value least often, and whose most often."""
    shares = {name: 100 * share for name, share in coverages.items()}
    worst, best = min(shares, key=shares.__getitem__), max(shares, key=shares.__getitem__)
    first = f"In the hardest cell the true slope is in {shares[worst]:.3g} % of the intervals of"
    last = f", in {shares[best]:.3g} % of {quoted_label(best)}" if len(shares) > 1 else ""
    return f"{first} {quoted_label(worst)}{last}"


def hardest(performance: pd.DataFrame, factors: Sequence[str]) -> dict[str, Any] | None:
    """Return the cell and slope with the lowest coverage, as a mean over the strategies.

    Only slopes count whose true value is the same in every sim, and of these the ones that most
    strategies estimate. Without any it is None, else the values of factors, term and true_value.
    """
    rows = case_wise(performance[performance["term"] != INTERCEPT], "coverage")
    rows = rows.dropna(subset=["value", "true_value"])
    if rows.empty:
        return None
    key = [*factors, "term", "true_value"]
    found = rows.groupby(key, as_index=False)["value"].agg(["count", "mean"])
    found = found[found["count"] == found["count"].max()]
    worst = found.loc[found["mean"].idxmin()]
    return {name: worst[name] for name in key}


def _draw_intervals(
    axes: Axes, part: pd.DataFrame, truth: float, floor: float, colour: Colour, look: Look
) -> None:
    """Draw a strategy's intervals at their ranks, and its coverage."""
    off = ((part["estimate"] - truth).abs() / part["std_error"]).to_numpy()
    rank = np.empty(len(off))
    rank[np.argsort(off, kind="stable")] = 100 * (np.arange(len(off)) + 0.5) / len(off)
    seen = rank >= floor
    ends = part[["conf_low", "conf_high"]].to_numpy()
    lines = np.stack([ends, np.repeat(rank[:, None], 2, axis=1)], axis=-1)[seen]
    paint = [COVERING if held else colour for held in part["held"][seen]]
    thick = min(1.6 * look.line, 70 * look.printed(1.1) / max(seen.sum(), 1))
    for shade in dict.fromkeys(paint):
        mine = lines[[one == shade for one in paint]]
        strokes(axes, mine[..., 0], mine[..., 1], edgecolor=shade, linewidth=thick, zorder=2)
    held = int(part["held"].sum())
    low, high = (100 * float(end) for end in wilson(held, len(off)))
    share = 100 * held / len(off)
    for level, dash in ((share, "-"), (low, (0, (4, 2))), (high, (0, (4, 2)))):
        axes.axhline(level, color=INK, linewidth=look.line, linestyle=dash, zorder=4)
    digits = 0 if len(off) < WITH_DECIMALS else 1
    words = f"{share:.{digits}f} % ({low:.{digits}f} to {high:.{digits}f})"
    ground = {"facecolor": "white", "edgecolor": "none", "pad": 1, "alpha": 0.9}
    note(axes, words, (0.03, 0.04), (0, 0), size=look.text, bbox=ground, zorder=5)
