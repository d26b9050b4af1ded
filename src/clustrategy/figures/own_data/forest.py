"""Every term by every strategy: the estimate and its 95 % interval."""

from __future__ import annotations

import textwrap
from collections.abc import Collection, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from clustrategy.core.counted import counted, listed
from clustrategy.core.shard import INTERCEPT
from clustrategy.core.words import p_value
from clustrategy.figures.parts.dot_rows import CLOSE, CLOSEST, PAGE, dress_rows
from clustrategy.figures.parts.frame import compose, dot, nothing
from clustrategy.figures.parts.labels import name_label, quoted_label, strategy_label
from clustrategy.figures.parts.scales import hold_ticks, inches_across, round_ticks
from clustrategy.figures.parts.strokes import strokes
from clustrategy.figures.parts.style import GOOD, INK, MUTED, Look, TooTall, new_figure, note

SUBTITLE = "Estimates and 95 % intervals of every term by strategy"
LEVEL = 0.05
PALE = "#a8a8a8"

ACROSS = 4
NARROWEST = 1.0  # inches of a panel on a printed page
ABOVE_AND_BELOW = 0.42  # inches of a panel's title and tick labels on a printed page
LINE = 0.145  # inches of each further line of a title
TALLEST = 6.0  # inches of all panels
INSIDE = 0.85  # the share of its place that a panel takes without what is beside it
WIDEST = 4.0  # how far from the middle a panel reaches at most, in median half intervals
FARTHEST = 2.0  # zero is shown if it is no farther off than so many widths of the panel

MOST_NAMED = 3
MOST_IN_BRACKETS = 2
LONGEST_REASON = 140

USABLE = ("ok", "singular")
ENDED = {"not_converged": "not converged", "undefined": "undefined", "error": "error"}


def forest(
    tidy: pd.DataFrame,
    *,
    set_aside: Collection[tuple[str, str]] = (),
    look: Look | None = None,
) -> Figure:
    """Draw the estimate and the 95 % interval of every term by every strategy.

    Parameters
    ----------
    tidy : DataFrame
        As `Analysis.tidy` has it: strategy, term, estimate, p_value, conf_low, conf_high, status
        and message. Strategies stand in the order of their first rows.
    set_aside : collection of (str, str)
        Strategies, by their names and the terms, that are not to be relied on: shown in grey.
    look : Look, optional
        How the figure is drawn.

    Returns
    -------
    Figure
        A panel per term, the intercept last. Where there are more terms than a page has room for,
        those on which strategies differ come first, and the others are counted.
    """
    look = look or Look()
    try:
        return _forest(_read(tidy, set_aside), look)
    except TooTall:
        title = "No page has room for so many strategies"
        return nothing(look, title, SUBTITLE, "All numbers are in the table.")


def _forest(table: pd.DataFrame, look: Look) -> Figure:
    """Draw the table of `_read`; `TooTall` if a page has no room for so many strategies."""
    strategies = list(dict.fromkeys(table["strategy"]))
    terms = sorted(dict.fromkeys(table["term"]), key=lambda term: term == INTERCEPT)
    if not table["estimate"].notna().any():
        reasons = _reasons(table)
        return nothing(look, "No strategy estimates a term of this table", SUBTITLE, reasons)
    shown, across, down = _arranged(table, strategies, terms, look)
    figure, panels, text, width = _panels(look, strategies, shown, across, down)
    never = table.groupby("strategy")["usual"].all()
    greyed = set(never.index[never])
    for place, (term, axes) in enumerate(panels.items()):
        rows = table[table["term"] == term].set_index("strategy").reindex(strategies)
        _draw(axes, rows, look, text, width)
        if across <= 2:
            _beside(axes, rows, text)
        if place % across == 0:
            for label, strategy in zip(axes.get_yticklabels(), strategies, strict=True):
                label.set_color(MUTED if strategy in greyed else INK)
    left_out = len(terms) - len(shown)
    compose(
        figure,
        look,
        title=_finding(table),
        subtitle=SUBTITLE if len(strategies) > 1 else "Estimates and 95 % intervals of every term",
        legends=[_handles(table, look)],
        xlabel="estimate",
        caption=_caption(table, left_out, cut=any(_is_cut(axes) for axes in panels.values())),
    )
    for term, axes in panels.items():
        if table.loc[table["term"] == term, "estimate"].notna().any():
            round_ticks(axes.xaxis, inches_across(axes), look.text)
        else:
            axes.set_xticks([])
    return figure


def _read(tidy: pd.DataFrame, set_aside: Collection[tuple[str, str]]) -> pd.DataFrame:
    """Return the table with what an unusable fit says removed, and what is to be told of a row.

    ``without`` is 1 if 0 is outside the interval, 0 if inside, NaN if that is not known.
    """
    table = tidy.reset_index(drop=True)
    numbers = ["estimate", "conf_low", "conf_high", "p_value"]
    values = table[numbers].astype(float)
    values = values.where(table["status"].isin(USABLE) & np.isfinite(values["estimate"]))
    low, high = values["conf_low"], values["conf_high"]
    outside = (low > 0) | (high < 0)
    known = low.notna() & high.notna()
    by_p = (values["p_value"] <= LEVEL).where(values["p_value"].notna())
    told = outside.astype(float).where(known, by_p.astype(float))
    pairs = zip(table["strategy"], table["term"], strict=True)
    return table.assign(**values, without=told, usual=[pair in set_aside for pair in pairs])


def _arranged(
    table: pd.DataFrame, strategies: Sequence[str], terms: Sequence[str], look: Look
) -> tuple[list[str], int, int]:
    """Return the terms that are shown, and how many panels stand beside and below each other."""
    points = look.printed(7)
    names = 0.6 * points / 72 * max(len(strategy_label(name)) for name in strategies)
    across = int((look.width - names) // look.printed(NARROWEST))
    across = max(1, min(across, ACROSS))
    block = len(strategies) * CLOSEST + ABOVE_AND_BELOW + LINE
    most = across * max(1, int(TALLEST // block))
    if len(terms) > most:
        rank = {term: -_difference(table[table["term"] == term]) for term in terms}
        first = sorted(terms, key=lambda term: (term == INTERCEPT, rank[term]))[:most]
        terms = [term for term in terms if term in first]
    down = -(-len(terms) // across)
    return list(terms), -(-len(terms) // down), down


def _panels(
    look: Look, strategies: Sequence[str], terms: Sequence[str], across: int, down: int
) -> tuple[Figure, dict[str, Axes], float, float]:
    """Return a figure, its panels by term, the font size of rows and inches of a panel."""
    count = len(strategies)
    pitch = float(np.clip((PAGE / down - ABOVE_AND_BELOW) / count, CLOSEST, CLOSE))
    text = look.printed(min(7.0, 72 * pitch / 1.25))
    names = 0.55 * text / 72 * max(len(strategy_label(name)) for name in strategies)
    width = INSIDE * (look.width - names) / across - (look.printed(0.5) if across <= 2 else 0.0)
    letters = max(8, int(72 * width / (0.62 * look.text)))
    titles = [
        "\n".join(textwrap.wrap(name_label(term, 2 * letters - 4), letters)) for term in terms
    ]
    lines = max(title.count("\n") for title in titles)
    block = pitch * (count + 0.2) + ABOVE_AND_BELOW + lines * LINE
    figure = new_figure(look, look.printed(block) * down)
    grid = figure.subplots(down, across, sharey=True, squeeze=False)
    for place, axes in enumerate(grid.flat):
        if place >= len(terms):
            axes.remove()
            continue
        dress_rows(axes, look, count, text)
        axes.set_title(titles[place], size=look.text, color=INK, loc="left", linespacing=1.1)
    grid[0, 0].set_ylim(count - 0.4, -0.6)
    grid[0, 0].set_yticks(range(count), [*map(strategy_label, strategies)])
    return figure, dict(zip(terms, grid.flat, strict=False)), text, width


def _window(rows: pd.DataFrame) -> tuple[float, float]:
    """Return from where to where a term's panel reaches; very wide intervals do not set it."""
    estimate = rows["estimate"].dropna()
    ends = rows[["conf_low", "conf_high"]].loc[estimate.index]
    half = (ends["conf_high"] - ends["conf_low"]) / 2
    half = half[np.isfinite(half)]
    middle = float(estimate.median()) if len(estimate) else 0.0
    reach = WIDEST * float(half.median()) if len(half) else 0.0
    reach = reach or 1.2 * float((estimate - middle).abs().max() if len(estimate) else 0.0)
    reach = reach or abs(middle) or 1.0
    seen = pd.concat([estimate, ends["conf_low"], ends["conf_high"]]).dropna()
    seen = seen.clip(middle - reach, middle + reach)
    low, high = (float(seen.min()), float(seen.max())) if len(seen) else (-1.0, 1.0)
    wide = high - low or reach
    if min(abs(low), abs(high)) <= FARTHEST * wide:
        low, high = min(low, 0.0), max(high, 0.0)
    margin = 0.05 * (high - low or reach)
    return low - margin, high + margin


def _draw(axes: Axes, rows: pd.DataFrame, look: Look, text: float, width: float) -> None:
    """Draw the intervals of a term; the rows are in order, those of no strategy are NaN."""
    low, high = _window(rows)
    axes.set_xlim(low, high)
    hold_ticks(axes.xaxis)
    axes.grid(axis="x", color="#dddddd", linewidth=look.line)
    axes.axvline(0, color=INK, linewidth=look.line, zorder=1)
    places = np.arange(len(rows), dtype=float)
    mark = min(look.printed(3.2), 0.45 * text)
    ends = rows[["conf_low", "conf_high"]].to_numpy(dtype=float)
    estimate = rows["estimate"].to_numpy(dtype=float)
    usual, without = rows["usual"].eq(True).to_numpy(), rows["without"].eq(1).to_numpy()
    inside = (estimate >= low) & (estimate <= high)
    for colour, here in (
        (PALE, usual),
        (GOOD, ~usual & without),
        (INK, ~usual & ~without),
    ):
        line: dict[str, Any] = {"edgecolor": colour, "linewidth": 2.2 * look.line, "zorder": 3}
        strokes(axes, np.clip(ends[here], low, high), places[here, None], **line)
        dots = here & inside
        style: dict[str, Any] = {"linewidth": 1.4 * look.line, "edgecolor": colour, "zorder": 4}
        for face, some in ((colour, dots & without), ("white", dots & ~without)):
            axes.scatter(estimate[some], places[some], mark**2, facecolor=face, **style)
        # An arrow where the interval, or the estimate with it, goes on beyond the panel.
        for marker, edge, beyond in (
            ("<", low, here & ((ends[:, 0] < low) | (estimate < low))),
            (">", high, here & ((ends[:, 1] > high) | (estimate > high))),
        ):
            at = np.full(beyond.sum(), edge)
            arrow: dict[str, Any] = {"color": colour, "linewidth": 0, "clip_on": False, "zorder": 4}
            axes.scatter(at, places[beyond], (1.3 * mark) ** 2, marker=marker, **arrow)
    words: dict[str, Any] = {"va": "center", "size": text, "color": MUTED}
    words["bbox"] = {"facecolor": "white", "edgecolor": "none", "pad": 1}
    for place, row in zip(places, rows.to_dict("records"), strict=True):
        said = _why(row, int(72 * width / (0.6 * text)))
        if not said:
            continue
        right = np.isfinite(row["estimate"]) and row["estimate"] > (low + high) / 2
        share, side = (0.02, "left") if right or np.isnan(row["estimate"]) else (0.98, "right")
        axes.text(share, place, said, transform=axes.get_yaxis_transform(), ha=side, **words)


def _why(row: Mapping[Any, Any], room: int) -> str:
    """Say in so many letters why a row has no interval; nothing if it has one."""
    if np.isfinite(row["estimate"]):
        return "" if not np.isnan(row["conf_low"]) else "no interval"
    message = name_label(row["message"], 1000) if isinstance(row["message"], str) else ""
    if message and len(message) <= room:
        return message
    return ENDED.get(row["status"], "not estimated")


def _beside(axes: Axes, rows: pd.DataFrame, text: float) -> None:
    """Write the p-values at the right of a panel."""
    words: dict[str, Any] = {"size": text, "annotation_clip": False}
    words["xycoords"] = axes.get_yaxis_transform()
    for place, row in enumerate(rows.to_dict("records")):
        said = p_value(row["p_value"])
        if said:
            colour = MUTED if row["usual"] else INK
            note(axes, f"p {said}", (1, place), (8, 0), va="center", color=colour, **words)


def _is_cut(axes: Axes) -> bool:
    """Tell whether an interval goes on beyond a panel."""
    return any(
        not marks.get_clip_on() and np.size(marks.get_offsets()) for marks in axes.collections
    )


def _handles(table: pd.DataFrame, look: Look) -> list:
    """Return the legend's entries for the marks that there are."""
    told = table[table["estimate"].notna()]
    sound, usual = told[~told["usual"]], told[told["usual"]]
    handles = []
    if sound["without"].eq(1).any():
        handles.append(dot("0 is outside the interval", look, color=GOOD))
    if not sound["without"].eq(1).all():
        handles.append(dot("0 is inside", look, color=INK, markerfacecolor="white"))
    if len(usual):
        handles.append(dot("set aside: not to be relied on", look, color=PALE))
    return handles


def _difference(rows: pd.DataFrame) -> int:
    """Return 2 if strategies to rely on differ on a term, 1 if only others differ from these."""
    told = rows[rows["without"].notna()]
    sound = told.loc[~told["usual"], "without"]
    return 2 if sound.nunique() > 1 else int(told["without"].nunique() > 1)


def _finding(table: pd.DataFrame) -> str:
    """Say on which term strategies differ about 0, or that they agree."""
    tested = table[table["without"].notna()]
    slopes = tested[tested["term"] != INTERCEPT]
    tested = slopes if len(slopes) else tested
    if tested.empty:
        return "No strategy has an interval or a test of a term of this table"
    parts = {str(term): rows for term, rows in tested.groupby("term", sort=False)}
    ranks = {term: _difference(rows) for term, rows in parts.items()}
    count = tested["strategy"].nunique()
    if not any(ranks.values()):
        if len(parts) == 1:
            (term, rows), *_ = parts.items()
            return _of_term(term, rows)
        return _agreed(parts, count)
    worst = max(ranks, key=ranks.__getitem__)
    said = _of_term(worst, parts[worst])
    differ = sum(rank > 0 for rank in ranks.values())
    if len(parts) == 1:
        return said
    if differ == 1:
        others = len(parts) - 1
        return (
            f"{said}; on {'the other term' if others == 1 else f'{others} other terms'} all agree"
        )
    return f"{said}; strategies differ on {differ} of {len(parts)} terms"


def _of_term(term: str, rows: pd.DataFrame) -> str:
    """Say which intervals of a term exclude 0."""
    name = name_label(term, 32)
    usual = rows[rows["usual"]]
    sound = rows[~rows["usual"]]
    to_rely = " to rely on" if len(usual) and len(sound) else ""
    if sound.empty:
        sound, usual = usual, sound
    without, total = int(sound["without"].sum()), len(sound)
    if 0 < without < total:
        least = 1.0 if 2 * without <= total else 0.0
        few = sound.loc[sound["without"] == least, "strategy"].tolist()
        verb = ("exclude" if len(few) > 1 else "excludes") if least else "include"
        verb += "s" if not least and len(few) == 1 else ""
        return f"{name}: {len(few)} of {total} intervals{to_rely} {verb} 0{_in_brackets(few)}"
    verb = "exclude" if without else "include"
    first = f"all {total} intervals{to_rely} {verb} 0"
    if total == 1:
        first = f"the interval of {quoted_label(sound['strategy'].iloc[0])} {verb}s 0"
    against = usual.loc[usual["without"] != sound["without"].iloc[0], "strategy"]
    if against.empty:
        return f"{name}: {first}"
    whose = f"those of {len(against)} others do not"
    if len(against) <= MOST_NAMED:
        names = listed([*map(quoted_label, against)])
        one = len(against) == 1
        whose = f"{'that' if one else 'those'} of {names} {'does' if one else 'do'} not"
    return f"{name}: {first}; {whose}"


def _in_brackets(names: Sequence[str]) -> str:
    return f" ({listed([*map(quoted_label, names)])})" if len(names) <= MOST_IN_BRACKETS else ""


def _agreed(parts: Mapping[Any, pd.DataFrame], count: int) -> str:
    """Say of which terms all intervals exclude 0."""
    outside = [term for term, rows in parts.items() if rows["without"].iloc[0]]
    inside = [term for term in parts if term not in outside]
    who = f"All {count} strategies agree: " if count > 1 else ""
    only = str(next(iter(parts.values()))["strategy"].iloc[0])
    if not outside or not inside:
        which = _terms([*parts]) if len(parts) <= MOST_NAMED else f"all {len(parts)} terms"
        said = f"0 is {'outside' if outside else 'inside'} the intervals of {which}"
    elif len(outside) <= MOST_NAMED:
        said = f"0 is outside the intervals of {_terms(outside)} and inside those of "
        said += _terms(inside) if len(inside) <= MOST_NAMED else f"{len(inside)} other terms"
    else:
        said = f"0 is outside the intervals of {len(outside)} of {len(parts)} terms"
    return who + (said if who else f"By {quoted_label(only)} {said}")


def _terms(terms: Sequence[str]) -> str:
    return listed([name_label(term, 32) for term in terms])


def _reasons(table: pd.DataFrame) -> str:
    """Say why strategies have no estimate, as far as they say it themselves."""
    lost = table[table["estimate"].isna() & table["message"].astype(bool)]
    lost = lost[lost["message"].notna()].drop_duplicates(["strategy", "message"])
    said = []
    for row in lost.head(MOST_NAMED).to_dict("records"):
        reason = name_label(row["message"], LONGEST_REASON).rstrip(".")
        said.append(f"{quoted_label(row['strategy'])}: {reason}.")
    if len(lost) > MOST_NAMED:
        said.append(f"{counted(len(lost) - MOST_NAMED, 'further reason')} in the table.")
    return " ".join(said)


def _caption(table: pd.DataFrame, left_out: int, *, cut: bool) -> str:
    parts = ["Each panel has a scale of its own; the dark line is 0."]
    if cut:
        parts.append("An arrow is where an interval goes on beyond the panel.")
    estimated = table["estimate"].notna()
    if (~estimated & table["status"].isin(USABLE)).any():
        parts.append(
            "Not estimated: a strategy does not estimate a term, such as fixed effects one that is "
            "the same in a whole cluster."
        )
    if (estimated & table["conf_low"].isna()).any():
        parts.append("No interval: a strategy has an estimate and no interval.")
    if left_out:
        parts.append(
            f"{counted(left_out, 'further term')} {'is' if left_out == 1 else 'are'} in the table "
            "alone; those on which strategies differ are shown first."
        )
    return " ".join([*parts, _reasons(table)]).strip()
