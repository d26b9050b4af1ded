"""The power of each strategy at all effects where it finds least, and what it finds in 80 %."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.transforms import ScaledTranslation

from clustrategy.core.counted import counted
from clustrategy.core.scenarios import SCENARIO
from clustrategy.figures.parts.frame import LEADING, compose, nothing, strategy_inks, title_panels
from clustrategy.figures.parts.labels import (
    kind_label,
    kind_title,
    percent,
    quoted_label,
    strategy_label,
)
from clustrategy.figures.parts.scales import label_ticks
from clustrategy.figures.parts.study import Study
from clustrategy.figures.parts.style import (
    GREY,
    INK,
    MUTED,
    PRINT_WIDTH,
    Look,
    dress,
    new_figure,
    note,
)
from clustrategy.figures.parts.verdicts import Standing, kinds_shown, over_cells, standing_of

GOAL = 0.8
TALLEST, LOWEST = 2.4, 1.0  # inches of a panel on a printed page
SHARE = 0.68  # of a page that there is for panels
NAMED = 3  # terms whose answers are in the title
FAR = 2.5  # a mark so many times as far as the first one may be beyond the axis
ROOM = 1.35  # the axis goes to so many times the largest of the others
LONGEST = 26  # characters of a strategy's name beside a panel
SAMPLE, GAP = 16.0, 6.0  # points of the piece of line before a name, and around it
PLAIN = ("power", "conf_low", "conf_high")
ADJUSTED = ("size_adjusted_power", "size_adjusted_low", "size_adjusted_high")


def power_curves(
    power: pd.DataFrame, detectable: pd.DataFrame, verdicts: pd.DataFrame, *, study: Study
) -> Figure:
    """Draw a panel for each term, and in it the power of each strategy in its worst cell."""
    look = study.look
    cell = study.wording.cell
    several = len(power[list(study.factors)].drop_duplicates()) > 1
    subtitle = "How often each strategy finds an effect, by the effect"
    power = power[power["strategy"].isin(study.strategies)].dropna(subset=["power"])
    kinds = kinds_shown(power)
    if not kinds:
        return nothing(look, "No strategy has a power at any effect", subtitle)
    over = over_cells(verdicts, study)
    panels = [_panel(kind, power, detectable, over, study) for kind in kinds]
    lines = 2 + max(len(panel.curves) for panel in panels)
    names, gap = lines * LEADING * look.text / 72, look.printed(0.3)
    beside = look.width >= PRINT_WIDTH
    lowest = max(look.printed(LOWEST), names) if beside else look.printed(LOWEST) + names
    left_out = kinds[max(int(SHARE * look.page / (lowest + gap)), 1) :]
    kinds, panels = kinds[: len(kinds) - len(left_out)], panels[: len(kinds) - len(left_out)]
    tall = min(look.printed(TALLEST), SHARE * look.page / len(kinds) - gap)
    heights = [max(tall, names)] if beside else [max(tall - names, look.printed(LOWEST)), names]
    figure = new_figure(look, (sum(heights) + gap) * len(kinds))
    rows = len(heights) * len(kinds)
    shares: dict[str, Any] = {"height_ratios": heights * len(kinds), "squeeze": False}
    grid = figure.subplots(rows, 1, **shares)[:, 0]
    for place, panel in enumerate(panels):
        axes = grid[place * len(heights)]
        _draw(axes, panel, look, heights[0])
        if beside:
            _name(axes, panel, look, x=1)
        else:
            below = grid[place * len(heights) + 1]
            below.set_axis_off()
            _name(below, panel, look, x=0)
    # On a given design kinds are columns, whose names stay as they are.
    head = kind_label if study.is_of_a_table else kind_title
    blocks = [*map(head, kinds)] if len(kinds) > 1 else [""]
    title_panels(grid[:: len(heights), None], blocks, [""], look, [0.0] * len(kinds))
    of = f" of {study.options['response']}" if study.options.get("response") else ""
    compose(
        figure,
        look,
        title=_title(panels, of, f", whichever {cell} holds" if several else ""),
        subtitle=subtitle + (f", in the {cell} where each finds least" if several else ""),
        xlabel=f"effect, in units{of or ' of the outcome'} per unit of the predictor",
        caption=_caption(power, detectable, panels, left_out, study, several=several),
    )
    return figure


@dataclass(frozen=True)
class _Curve:
    """A strategy's power in the cell where it finds least.

    Attributes
    ----------
    strategy : str
        The label.
    safe, counts : bool
        Whether it is safe in all cells, and whether its power counts.
    points : DataFrame
        `effect`, and as `PLAIN` the power and its limits.
    least : mapping
        The cell's row of minimal detectable effects.
    ink : colour
        Of its line.
    """

    strategy: str
    safe: bool
    counts: bool
    points: pd.DataFrame
    least: Mapping[str, Any]
    ink: Any

    @property
    def effect(self) -> float:
        """That with a power of 80 %, infinite where there is none."""
        return np.inf if pd.isna(self.least["effect"]) else float(self.least["effect"])

    @property
    def style(self) -> dict[str, Any]:
        """How the line is drawn."""
        dash = "-" if self.safe else (0, (4, 1.5))
        return {"color": self.ink, "linestyle": dash, "zorder": 3 if self.counts else 2}

    @property
    def said(self) -> str:
        """The effect with a power of 80 %, in words."""
        if np.isfinite(self.effect):
            words = _number(self.effect)
            if not pd.isna(self.least["standardised"]):
                words += f" ({_number(self.least['standardised'], 2)} SD)"
        elif len(self.points) and self.points["power"].iloc[-1] < GOAL:
            words = f"> {_number(self.points['effect'].iloc[-1])}"
        else:
            words = "–"
        return words

    @property
    def worst(self) -> str:
        """The scenario in which it finds least, in words; empty in a study of cells."""
        return str(self.least.get(SCENARIO, "")).replace("_", " ")


@dataclass(frozen=True)
class _Panel:
    """The curves of a kind of terms.

    Attributes
    ----------
    kind : str
    curves : sequence of _Curve
        Those that count first, and these by what they find.
    standing : Standing
        Of the strategies.
    last : float
        The largest effect.
    """

    kind: str
    curves: Sequence[_Curve]
    standing: Standing
    last: float

    @property
    def best(self) -> _Curve:
        """That which finds the smallest effect."""
        return self.curves[0]


def _number(value: float, digits: int = 3) -> str:
    """Write an effect in a few digits."""
    return f"{float(f'{value:.{digits}g}'):g}"


def _panel(
    kind: str, power: pd.DataFrame, detectable: pd.DataFrame, over: pd.DataFrame, study: Study
) -> _Panel:
    power, over = power[power["kind"] == kind], over[over["kind"] == kind]
    cells = detectable[(detectable["kind"] == kind) & (detectable["scope"] == "cell")]
    drawn = [name for name in study.strategies if name in set(power["strategy"])]
    standing = standing_of(over, drawn)
    inks = strategy_inks(study.strategies, study.look)
    curves = []
    for name in drawn:
        safe, counts = name in standing.safe, name in standing.rivals
        mine = cells[(cells["strategy"] == name) & (cells["size_adjusted"] != safe)]
        least = mine.iloc[int(mine["effect"].fillna(np.inf).argmax())]
        here = (power[list(study.factors)] == least[list(study.factors)]).all(axis=1)
        points = power[here & (power["strategy"] == name)].sort_values("effect")
        names = dict(zip(PLAIN if safe else ADJUSTED, PLAIN, strict=True))
        points = points[["effect", *names]].rename(columns=names)
        ink = inks[name] if counts else GREY
        curves.append(
            _Curve(name, safe, counts, points, {str(n): least[n] for n in least.index}, ink)
        )
    curves.sort(key=lambda curve: (not curve.counts, curve.effect))
    return _Panel(kind, curves, standing, float(power["effect"].max()))


def _draw(axes: Axes, panel: _Panel, look: Look, height: float) -> None:
    """Draw a panel that is so many inches high."""
    dress(axes, look)
    axes.axhline(GOAL, color=MUTED, linewidth=look.line, linestyle=(0, (1, 2)), zorder=1)
    for curve in panel.curves:
        effects, power, low, high = curve.points[["effect", *PLAIN]].to_numpy(dtype=float).T
        few: dict[str, Any] = {"marker": "o", "markersize": 2.6} if len(effects) <= 20 else {}
        axes.plot(effects, power, linewidth=2 * look.line, **curve.style, **few)
        if not curve.counts:
            continue
        axes.fill_between(effects, low, high, color=curve.ink, alpha=0.18, linewidth=0)
        if np.isfinite(curve.effect):
            ends = [[curve.least["conf_low"], curve.least["conf_high"]]]
            axes.plot(*ends, [GOAL] * 2, color=curve.ink, linewidth=4 * look.line, zorder=4)
            dot: dict[str, Any] = {
                "marker": "o",
                "markersize": look.printed(3.4),
                "markeredgecolor": "white",
            }
            axes.plot(curve.effect, GOAL, color=curve.ink, zorder=5, **dot)
    marked = [curve.effect for curve in panel.curves if curve.counts and np.isfinite(curve.effect)]
    near = [effect for effect in marked if effect <= FAR * min(marked)]
    axes.set_xlim(0, min(ROOM * max(near), panel.last) if near else panel.last)
    axes.set_ylim(0, 1.02)
    shares = [0, 0.2, 0.4, 0.6, GOAL, 1] if height > look.printed(1.5) else [0, 0.4, GOAL]
    label_ticks(axes.yaxis, shares, lambda share: f"{100 * share:g} %")
    axes.set_ylabel("power", fontsize=look.text, color=INK)


def _name(axes: Axes, panel: _Panel, look: Look, x: float) -> None:
    """Write the strategies from a place at the top on, in the order of what they find in 80 %."""
    figure = axes.get_figure(root=True)
    assert figure is not None
    there: Any = axes.transAxes
    inches_from_there = figure.dpi_scale_trans + ScaledTranslation(x, 1, there)
    style: dict[str, Any] = {"size": look.text, "va": "center"}
    start = look.printed(GAP)
    place = 0
    grey = next((curve for curve in panel.curves if not curve.counts), None)

    def write(words: str, shift: float, ink: str) -> None:
        note(axes, words, (x, 1), (shift, -place * LEADING * look.text), **style, color=ink)

    safe = panel.best.safe
    alike = len({curve.worst for curve in panel.curves}) == 1
    where = f", scenario {panel.best.worst}" if alike and panel.best.worst else ""
    write(f"found in 80 %{where}{'' if safe else ' (none is safe)'}:", start, INK)
    for curve in panel.curves:
        place += 1
        if curve is grey:
            write("not shown to be safe:" if safe else "liberal:", start, MUTED)
            place += 1
        down = -place * LEADING * look.text / 72
        ends = np.array([start, start + look.printed(SAMPLE)]) / 72
        sample: dict[str, Any] = {"transform": inches_from_there, "clip_on": False, **curve.style}
        axes.add_line(Line2D(ends, [down] * 2, linewidth=2 * look.line, **sample))
        words = f"{strategy_label(curve.strategy, LONGEST)}: {curve.said}"
        words += f", {curve.worst}" if not alike else ""
        write(words, start + look.printed(SAMPLE + GAP), INK if curve.counts else MUTED)


def _title(panels: Sequence[_Panel], of: str, where: str) -> str:
    """Say what is found; `of` names the response, and `where` in which cells that holds."""
    first, *others = panels
    if not np.isfinite(first.best.effect):
        title = (
            f"No strategy that counts finds an effect of {kind_label(first.kind)} in 80 % of "
            f"studies, up to {_number(first.last)}{of}"
        )
    else:
        best = quoted_label(first.best.strategy)
        effect = f"an effect of {_number(first.best.effect)}{of} per unit of "
        effect += kind_label(first.kind)
        share = f"in 80 % of studies{where}"
        if first.best.safe:
            title = f"With this design {best} finds {effect} {share}"
        elif first.best.strategy in first.standing.liberal:
            title = (
                f"Every strategy is liberal somewhere; {best}, were it not, would find {effect} "
                f"{share}"
            )
        else:
            title = (
                f"No strategy can be called safe; of those not found liberal {best} would "
                f"find {effect} {share}"
            )
    for panel in others[: NAMED - 1]:
        effect = f"of {kind_label(panel.kind)}"
        if np.isfinite(panel.best.effect):
            unsure = " (not shown to be safe)" if first.best.safe and not panel.best.safe else ""
            best = quoted_label(panel.best.strategy)
            title += f"; {effect}, {best}{unsure}: {_number(panel.best.effect)}"
        else:
            title += f"; {effect}, none"
    return title


def _caption(
    power: pd.DataFrame,
    detectable: pd.DataFrame,
    panels: Sequence[_Panel],
    left_out: Sequence[str],
    study: Study,
    *,
    several: bool,
) -> str:
    curves = [curve for panel in panels for curve in panel.curves]
    named = several and SCENARIO in study.factors
    parts = [
        "Dots and numbers: the effect found in 80 % of studies"
        + (", and the scenario in which it is the largest." if named else "."),
        "Bands and bars: Monte Carlo 95 %.",
        "Power is the mean over effects of both signs.",
    ]
    if not all(curve.safe for curve in curves):
        grey = any(not curve.counts for curve in curves)
        parts.append(
            f"Dashed{' (grey where it does not count)' if grey else ''}: not shown to be safe, so "
            f"drawn at the critical value at which just {percent(study.alpha)} of true hypotheses "
            "are rejected."
        )
    by = [word for word in detectable["standardised_by"].dropna().unique() if word]
    if by:
        parts.append(f"SD: effects in {' or '.join(map(str, by))}.")
    if power.groupby(["strategy", "kind"])["effect"].nunique().nunique() > 1:
        parts.append("Tests that resample have power at the listed effects only, which are marked.")
    if left_out:
        others = f"{counted(len(left_out), 'further term')}, from {kind_label(left_out[0])} on"
        parts.append(f"There is no room for {others}: see the table of detectable effects.")
    parts.append(f"{counted(int(power['n'].max()), 'sim')} per cell.")
    return " ".join(parts)
