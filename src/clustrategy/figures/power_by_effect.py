"""How often each strategy finds an effect, by the size of the effect."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from matplotlib.ticker import FixedLocator, FuncFormatter, MaxNLocator, NullLocator

from clustrategy.core.counted import counted
from clustrategy.figures.parts.factors import combinations
from clustrategy.figures.parts.frame import compose, nothing, strategy_inks, title_panels
from clustrategy.figures.parts.labels import (
    CLUSTERS,
    kind_label,
    kind_title,
    level_label,
    percent,
    quoted_label,
    strategy_label,
)
from clustrategy.figures.parts.study import Study
from clustrategy.figures.parts.style import INK, Colour, Look, dress, new_figure
from clustrategy.figures.parts.verdicts import (
    kinds_shown,
    liberal_somewhere,
    of_slopes,
    over_cells,
    rows_of,
    safe_everywhere,
)

POWER = "size_adjusted_power"
ALIKE = 0.02
"""Differences in power that do not matter."""

GREY: Colour = (0.7, 0.7, 0.7)
MOST_PANELS = 4


def power_by_effect(verdicts: pd.DataFrame, *, study: Study) -> Figure:
    """Draw size-adjusted power against the effect, and how far each strategy is below the best."""
    look = study.look
    subtitle = (
        "Size-adjusted power (at the critical value at which just "
        f"{percent(study.options['alpha'])} of true hypotheses are rejected)"
    )
    rows = of_slopes(rows_of(verdicts, POWER, study))
    if rows.empty:
        why = "No strategy has a power at any effect"
        return nothing(look, why, subtitle)
    split = [CLUSTERS] if 1 < rows[CLUSTERS].nunique() <= MOST_PANELS else []
    means = _means(rows, split, study.factors)
    several = rows[list(study.factors)].drop_duplicates().shape[0] > 1
    over = over_cells(verdicts, study)
    drawn = [name for name in study.strategies if name in set(means["strategy"])]
    safe = safe_everywhere(over, drawn)
    liberal = liberal_somewhere(over, drawn)
    rivals = safe or [name for name in drawn if name not in liberal] or drawn
    inks = strategy_inks(study.strategies, look)
    lines = {
        name: _line(inks[name], name in safe, name in liberal and name not in rivals, look)
        for name in drawn
    }

    kinds, levels = kinds_shown(rows), combinations(rows, split)
    heights = [look.printed(part * min(4.4 / len(kinds), 2.3)) for part in (0.63, 0.37)]
    heights *= len(kinds)
    height = sum(heights) + look.printed(0.45) * len(kinds)
    figure = new_figure(look, height)
    panels = figure.subplots(
        len(heights), len(levels), sharex=True, sharey="row", squeeze=False, height_ratios=heights
    )
    means = means.merge(_best(means, rivals, split), on=["kind", "effect", *split])
    means["below"] = 100 * (means["value"] - means["best"])
    floor = min(1.1 * float(means.loc[means["strategy"].isin(rivals), "below"].min()), -3.0)
    for place, kind in enumerate(kinds):
        for column, level in enumerate(levels):
            mine = means[(means["kind"] == kind) & (means[split] == list(level)).all(axis=1)]
            curves, losses = panels[2 * place : 2 * place + 2, column]
            _draw(curves, mine, "value", lines)
            _draw(losses, mine, "below", lines)
            losses.axhspan(-100 * ALIKE, 0, color="#ececec", linewidth=0, zorder=-1)
            for axes in (curves, losses):
                dress(axes, look)
        first = panels[2 * place, 0]
        first.set_ylim(0, 1.02)
        first.set_ylabel("power", fontsize=look.text, color=INK)
        first.yaxis.set_major_formatter(FuncFormatter(lambda share, _: f"{100 * share:g} %"))
        below = panels[2 * place + 1, 0]
        below.set_ylim(floor, -0.12 * floor)
        below.set_ylabel("points to\nthe best", fontsize=look.text, color=INK)
        below.yaxis.set_major_locator(MaxNLocator(3, integer=True))
        below.yaxis.set_major_formatter(FuncFormatter(lambda y, _: f"{y:g}".replace("-", "−")))
    blocks = [*map(kind_title, kinds)] if len(kinds) > 1 else [""]
    columns = [", ".join(map(level_label, split, level)) for level in levels]
    title_panels(panels[::2], blocks, columns, look, [0.0] * len(kinds))
    effects = np.sort(means["effect"].unique())
    _scale_effects(panels[0, 0], effects)
    effect = float(effects[np.abs(effects - study.options["verdict"]["effect"]).argmin()])
    power = _at_the_effect(means[means["kind"] == kinds[0]], effect)
    where = f"an effect of {effect:g}" + (f" of a {kind_label(kinds[0])}" if len(kinds) > 1 else "")
    best, title = _finding(power, safe, liberal, where)
    order = [*power.index, *(name for name in drawn if name not in power.index)]
    compose(
        figure,
        look,
        title=title,
        subtitle=subtitle + (", mean over these cells" if several else ""),
        legends=[_handles(lines, order, look)],
        xlabel="effect, in units of the outcome per unit of the predictor",
        caption=_caption(rows, means, lines, safe, best, effect),
    )
    return figure


def _means(rows: pd.DataFrame, split: Sequence[str], factors: Sequence[str]) -> pd.DataFrame:
    """Average over the cells of a panel, where a strategy has a value in each of them."""
    by = ["kind", *split, "effect"]
    cells = rows.groupby(by)[list(factors)].apply(lambda part: len(part.drop_duplicates()))
    squares = rows.assign(square=rows["mcse"].fillna(0) ** 2)
    means = squares.groupby([*by, "strategy"], as_index=False, sort=False).agg(
        value=("value", "mean"), square=("square", "sum"), count=("value", "size")
    )
    means = means.merge(cells.rename("cells").reset_index(), on=by)
    means = means[means["count"] == means["cells"]]
    return means.assign(mcse=np.sqrt(means["square"]) / means["cells"])


def _best(means: pd.DataFrame, rivals: Sequence[str], split: Sequence[str]) -> pd.DataFrame:
    """Return the highest mean of the strategies that count, for each panel and effect."""
    mine = means[means["strategy"].isin(rivals)]
    by = mine.groupby(["kind", "effect", *split], as_index=False)
    return by.agg(best=("value", "max"))


def _line(colour: Colour, safe: bool, grey: bool, look: Look) -> dict[str, Any]:
    if grey:
        return {
            "color": GREY,
            "linestyle": (0, (1, 1.2)),
            "linewidth": 1.5 * look.line,
            "zorder": 2,
        }
    dash: Any = "-" if safe else (0, (4, 1.5))
    return {"color": colour, "linestyle": dash, "linewidth": 2 * look.line, "zorder": 3}


def _draw(axes: Axes, means: pd.DataFrame, column: str, lines: Mapping[str, dict]) -> None:
    for name, style in lines.items():
        mine = means[means["strategy"] == name].sort_values("effect")
        axes.plot(mine["effect"], mine[column], marker="o", markersize=2.6, **style)


def _scale_effects(axes: Axes, effects: np.ndarray) -> None:
    """Label the effects on a logarithmic axis."""
    axes.set_xscale("log")
    axes.set_xlim(effects[0] / 1.15, effects[-1] * 1.15)
    axes.xaxis.set_major_locator(FixedLocator(list(effects)))
    axes.xaxis.set_minor_locator(NullLocator())
    axes.xaxis.set_major_formatter(FuncFormatter(lambda effect, _: f"{effect:g}"))


def _handles(lines: Mapping[str, dict], order: Sequence[str], look: Look) -> list[Line2D | Patch]:
    """Return a legend's entries: the strategies in order, and the grey ones in one entry."""
    own = [name for name in order if lines[name]["color"] != GREY]
    entries: list[Line2D | Patch] = [
        Line2D([], [], label=strategy_label(name), **lines[name]) for name in own
    ]
    grey = [name for name in order if name not in own]
    if grey:
        named = strategy_label(grey[0]) if len(grey) == 1 else f"{len(grey)} strategies"
        entries.append(Line2D([], [], label=f"liberal somewhere: {named}", **lines[grey[0]]))
    entries.append(Patch(facecolor="#ececec", label=f"within {100 * ALIKE:g} points of the best"))
    return entries


def _at_the_effect(means: pd.DataFrame, effect: float) -> pd.Series:
    """Return the strategies' means over all panels at an effect, the highest first."""
    mine = means[means["effect"] == effect].groupby("strategy", sort=False)["value"]
    return mine.mean().sort_values(ascending=False, kind="stable")


def _finding(
    power: pd.Series, safe: Sequence[str], liberal: Sequence[str], where: str
) -> tuple[str, str]:
    """Return which of the strategies that count has the most power, and say it.

    Parameters
    ----------
    power : Series
        The power of each strategy, the highest first.
    safe, liberal : sequence of str
        The strategies that are safe in all cells, and those that are liberal in some.
    where : str
        The effect and the kind of predictor.
    """
    rest = [name for name in power.index if name not in liberal]
    pool = [name for name in power.index if name in safe] or rest or list(power.index)
    if safe:
        whose = "Of the safe strategies" if len(pool) > 1 else "Of all strategies only one is safe"
    elif rest:
        whose = "No strategy can be called safe; of those not found liberal"
    else:
        whose = "Every strategy is liberal somewhere; of all"
    best = str(power[pool].idxmax())
    said = f"{whose}{',' if len(pool) > 1 or not safe else ':'} {quoted_label(best)}"
    if len(pool) == 1:
        which = ", which" if safe else ""
        return best, f"{said}{which} has a power of {percent(power[best])} at {where}"
    gap = 100 * (power[best] - power[pool].min())
    others = "the other" if len(pool) == 2 else "the others up to"
    less = f"{others} {gap:.1f} points less" if gap >= 0.05 else "as all of them"
    most = f"{said} has the most power at {where}: {percent(power[best])}"
    return best, f"{most}, {less}"


def _caption(
    rows: pd.DataFrame,
    means: pd.DataFrame,
    lines: Mapping[str, dict],
    safe: Sequence[str],
    best: str,
    effect: float,
) -> str:
    grey = any(line["color"] == GREY for line in lines.values())
    dashed = any(name not in safe and line["color"] != GREY for name, line in lines.items())
    keys = [
        "solid lines: safe in all cells" if safe else "",
        "dashed: neither safe in all cells nor found liberal" if dashed else "",
        "grey dots: liberal in some cell" if grey else "",
    ]
    said = "; ".join(key for key in keys if key)
    here = rows.loc[(rows["effect"] == effect) & (rows["strategy"] == best), "value"]
    parts = [
        f"{said[0].upper()}{said[1:]}." if said else "",
        "Lower panels: the same less the highest of the coloured lines.",
        f"At an effect of {effect:g} the powers of the best in single cells are "
        f"{percent(here.min())} to {percent(here.max())}."
        if means["cells"].max() > 1
        else "",
        f"Monte Carlo SE of the {'means' if means['cells'].max() > 1 else 'powers'}: at most "
        f"{100 * means['mcse'].max():.1f} points.",
        f"{counted(int(rows['n'].max()), 'sim')} per cell.",
        "A strategy without a value in some cell of a panel has no mark there."
        if rows.groupby(["kind", "effect"])["strategy"]
        .value_counts()
        .groupby(level=[0, 1])
        .nunique()
        .max()
        > 1
        else "",
    ]
    return " ".join(part for part in parts if part)
