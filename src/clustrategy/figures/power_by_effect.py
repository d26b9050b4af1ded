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
from matplotlib.ticker import MaxNLocator

from clustrategy.core.counted import counted
from clustrategy.evaluation.wording import Wording
from clustrategy.figures.parts.frame import compose, nothing, strategy_inks, title_panels
from clustrategy.figures.parts.intervals import mean_over_cells
from clustrategy.figures.parts.labels import (
    kind_label,
    kind_title,
    percent,
    quoted_label,
    strategy_label,
)
from clustrategy.figures.parts.scales import label_ticks
from clustrategy.figures.parts.study import Study
from clustrategy.figures.parts.style import GREY, INK, dress, new_figure
from clustrategy.figures.parts.verdicts import (
    Standing,
    kinds_shown,
    of_slopes,
    over_cells,
    panels_of_clusters,
    rows_of,
    standing_of,
)

POWER = "size_adjusted_power"
ALIKE = 0.02  # differences in power that do not matter
BEST = "#ececec"
IN_UNITS = "effect, in units of the outcome per unit of the predictor"
BY_ORACLE = "effect, by the power of an oracle that knows all variances"


def power_by_effect(verdicts: pd.DataFrame, *, study: Study) -> Figure:
    """Draw size-adjusted power against the effect, and how far each strategy is below the best."""
    look = study.look
    subtitle = (
        "Size-adjusted power (at the critical value at which just "
        f"{percent(study.alpha)} of true hypotheses are rejected)"
    )
    rows = of_slopes(rows_of(verdicts, POWER, study))
    if rows.empty:
        return nothing(look, "No strategy has a power at any effect", subtitle)
    split, levels, columns = panels_of_clusters(rows)
    kinds = kinds_shown(rows)
    means = _means(rows, ["kind", *split, "effect"], study.factors)
    drawn = [name for name in study.strategies if name in set(means["strategy"])]
    over = over_cells(verdicts, study)
    there = {kind: set(means.loc[means["kind"] == kind, "strategy"]) for kind in kinds}
    standings = {
        kind: standing_of(
            over[over["kind"] == kind], [name for name in drawn if name in there[kind]]
        )
        for kind in kinds
    }
    counts = [
        name in standings[kind].rivals
        for kind, name in zip(means["kind"], means["strategy"], strict=True)
    ]
    means = means.assign(counts=counts)
    best = means["value"].where(means["counts"])
    best = best.groupby([means[name] for name in ("kind", "effect", *split)]).transform("max")
    means = means.assign(below=100 * (means["value"] - best)).dropna(subset=["below"])
    lines = {kind: _lines(standing, study) for kind, standing in standings.items()}

    share = min(4.4 / len(kinds), 2.3)
    heights = [look.printed(0.63 * share), look.printed(0.37 * share)] * len(kinds)
    figure = new_figure(look, sum(heights) + look.printed(0.45) * len(kinds))
    shape = (len(heights), len(levels))
    sharing: dict[str, Any] = {"sharex": True, "sharey": "row", "squeeze": False}
    panels = figure.subplots(*shape, height_ratios=heights, **sharing)
    for place, kind in enumerate(kinds):
        for column, level in enumerate(levels):
            mine = means[(means["kind"] == kind) & (means[split] == list(level)).all(axis=1)]
            curves, losses = panels[2 * place : 2 * place + 2, column]
            _draw(curves, mine, "value", lines[kind])
            _draw(losses, mine, "below", lines[kind])
            losses.axhspan(-100 * ALIKE, 0, color=BEST, linewidth=0, zorder=-1)
    for axes in panels.flat:
        dress(axes, look)
    floor = min(1.1 * float(means.loc[means["counts"], "below"].min()), -3.0)
    for first, below in panels[:, 0].reshape(-1, 2):
        first.set_ylim(0, 1.02)
        first.yaxis.set_major_formatter(lambda share, _: f"{100 * share:g} %")
        first.set_ylabel("power", fontsize=look.text, color=INK)
        below.set_ylim(floor, -0.12 * floor)
        below.yaxis.set_major_locator(MaxNLocator(3, integer=True))
        below.yaxis.set_major_formatter(lambda points, _: f"{points:g}".replace("-", "−"))
        below.set_ylabel("points to\nthe best", fontsize=look.text, color=INK)
    blocks = [*map(kind_title, kinds)] if len(kinds) > 1 else [""]
    title_panels(panels[::2], blocks, columns, look, [0.0] * len(kinds))
    effects = np.sort(means["effect"].unique())
    panels[0, 0].set_xscale("log")
    panels[0, 0].set_xlim(effects[0] / 1.15, effects[-1] * 1.15)
    label_ticks(panels[0, 0].xaxis, list(effects), lambda effect: f"{effect:g}")
    effect = float(effects[np.abs(effects - study.options["verdict"]["effect"]).argmin()])
    powers = means[means["effect"] == effect].groupby(["kind", "strategy"])["value"].mean()
    powers = powers.sort_values(ascending=False, kind="stable")
    of = {kind: powers.xs(kind) for kind in kinds if kind in powers.index}
    first = next(iter(of))
    where = study.wording.effect(effect) + (f" of a {kind_label(first)}" if len(kinds) > 1 else "")
    most, title = _finding(of[first], standings[first], where)
    some = bool(standings[first].safe)
    for kind in [*of][1:]:
        title += f"; of a {kind_label(kind)} {_briefly(of[kind], standings[kind], some=some)}"
    order = [*of[first].index, *(name for name in drawn if name not in of[first].index)]
    several = len(rows[list(study.factors)].drop_duplicates()) > 1
    compose(
        figure,
        look,
        title=title,
        subtitle=subtitle + (", mean over these cells" if several else ""),
        legends=[_handles(lines, order)],
        xlabel=BY_ORACLE if study.wording.by_oracle else IN_UNITS,
        caption=_caption(rows, means, standings, first, most, effect, study.wording),
    )
    return figure


def _means(rows: pd.DataFrame, by: Sequence[str], factors: Sequence[str]) -> pd.DataFrame:
    """Average over the cells of a panel, where a strategy has a value in each of them."""
    cells = rows.drop_duplicates([*by, *factors]).groupby([*by]).size()
    means = mean_over_cells(rows, [*by, "strategy"]).join(cells.rename("of"), on=[*by])
    return means[means["cells"] == means["of"]]


def _lines(standing: Standing, study: Study) -> dict[str, dict[str, Any]]:
    """Return the style of each strategy's line."""
    width = study.look.line
    dotted = {"color": GREY, "linestyle": (0, (1, 1.2)), "linewidth": 1.5 * width, "zorder": 2}
    inks = strategy_inks(study.strategies, study.look)
    lines: dict[str, dict[str, Any]] = {}
    for name in standing.drawn:
        dash = "-" if name in standing.safe else (0, (4, 1.5))
        own = {"color": inks[name], "linestyle": dash, "linewidth": 2 * width, "zorder": 3}
        lines[name] = dotted if name in standing.grey else own
    return lines


def _draw(axes: Axes, means: pd.DataFrame, column: str, lines: Mapping[str, dict]) -> None:
    for name, style in lines.items():
        mine = means[means["strategy"] == name].sort_values("effect")
        axes.plot(mine["effect"], mine[column], marker="o", markersize=2.6, **style)


def _handles(lines: Mapping[str, Mapping[str, dict]], order: Sequence[str]) -> list[Line2D | Patch]:
    """Return a legend's entries: the strategies in order, and in one entry the grey lines."""
    styles: dict[str, dict] = {}
    grey: dict[str, dict] = {}
    for of in lines.values():
        for name, style in of.items():
            (grey if style["color"] == GREY else styles).setdefault(name, style)
    named = [(strategy_label(name), styles[name]) for name in order if name in styles]
    if grey:
        which = strategy_label([*grey][0]) if len(grey) == 1 else f"{len(grey)} strategies"
        where = " in some blocks" if set(grey) & set(styles) else ""
        named.append((f"liberal somewhere: {which}{where}", [*grey.values()][0]))
    entries = [Line2D([], [], label=label, **style) for label, style in named]
    return [*entries, Patch(facecolor=BEST, label=f"within {100 * ALIKE:g} points of the best")]


def _finding(power: pd.Series, standing: Standing, where: str) -> tuple[str, str]:
    """Return which of the strategies that count has the most power, and say it.

    The power of each strategy is given with the highest first; ``where`` names the effect.
    """
    safe = [name for name in power.index if name in standing.safe]
    rest = [name for name in power.index if name not in standing.liberal]
    pool = safe or rest or list(power.index)
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
        return best, f"{said}{which} has a power of {_whole(power[best])} at {where}"
    gap = 100 * (power[best] - power[pool].min())
    others = "the other" if len(pool) == 2 else "the others up to"
    less = f"{others} {gap:.1f} points less" if gap >= 0.05 else "as all of them"
    most = f"{said} has the most power at {where}: {_whole(power[best])}"
    return best, f"{most}, {less}"


def _briefly(power: pd.Series, standing: Standing, *, some: bool) -> str:
    """Return which strategy has the most power for a further kind of terms.

    That it is not safe is told if ``some`` strategies are safe for the first kind.
    """
    pool = [name for name in power.index if name in standing.rivals] or list(power.index)
    best = str(power[pool].idxmax())
    unsure = " (not safe)" if some and best not in standing.safe else ""
    return f"{quoted_label(best)}{unsure}, {_whole(power[best])}"


def _whole(power: float) -> str:
    """Write a power in whole percent."""
    return percent(round(power, 2))


def _caption(
    rows: pd.DataFrame,
    means: pd.DataFrame,
    standings: Mapping[str, Standing],
    first: str,
    best: str,
    effect: float,
    wording: Wording,
) -> str:
    every = standings.values()
    dashed = any(set(one.drawn) - set(one.safe) - set(one.liberal) for one in every)
    keys = [
        "solid lines: safe in all cells" if any(one.safe for one in every) else "",
        "dashed: neither safe in all cells nor found liberal" if dashed else "",
        "grey dots: liberal in some cell" if any(one.grey for one in every) else "",
    ]
    said = "; ".join(key for key in keys if key)
    parts = [
        f"{said[0].upper()}{said[1:]}{', for the terms of the block' * (len(standings) > 1)}."
        if said
        else "",
        "Lower panels: the same less the highest of the coloured lines.",
    ]
    several = means["cells"].max() > 1
    if several:
        here = (rows["kind"] == first) & (rows["effect"] == effect) & (rows["strategy"] == best)
        here = rows.loc[here, "value"]
        parts.append(
            f"At {wording.effect(effect)} the powers of the best in single cells are "
            f"{percent(round(here.min(), 2))} to {percent(round(here.max(), 2))}."
        )
    parts.append(
        f"Monte Carlo SE of the {'means' if several else 'powers'}: at most "
        f"{100 * means['mcse'].max():.1f} points. {counted(int(rows['n'].max()), 'sim')} per cell."
    )
    cells = rows.groupby(["kind", "effect", "strategy"]).size()
    if cells.groupby(level=["kind", "effect"]).nunique().max() > 1:
        parts.append("A strategy without a value in some cell of a panel has no mark there.")
    return " ".join(parts).lstrip()
