"""What each cluster has to say of each term, and what is found without it."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from clustrategy.core.counted import counted
from clustrategy.core.shard import INTERCEPT
from clustrategy.core.words import number
from clustrategy.figures.parts.dot_names import name_dots
from clustrategy.figures.parts.frame import compose, dot, nothing
from clustrategy.figures.parts.labels import name_label, quoted_label
from clustrategy.figures.parts.scales import hold_ticks, inches_across, round_ticks
from clustrategy.figures.parts.style import GOOD, INK, MUTED, WRONG, Look, dress, new_figure

SUBTITLE = "Each cluster's partial leverage, and the estimate of least squares without it"

ACROSS, DOWN = 3, 4
HIGHEST, TALLEST = 2.3, 6.2  # the most inches of a panel, and of all, on a printed page
NARROWEST = 2.0  # inches of a panel with its tick labels on a printed page
BESIDE, ABOVE_AND_BELOW = 0.65, 0.6  # of which are outside of it
LONGEST = 22  # letters of a cluster's name
HALF_AGAIN = 1.5
MOST_INITIALS = 3  # shorter names are no words
ALIKE = 1e-6

MUCH, LEAST = 3.0, 0.05
"""So many times an equal share of the partial leverage is much, from the second share on."""

MOST, HALF_AGAIN = 0.5, 1.5
"""So large a share is much of few clusters, too, from so many times an equal one on."""

RASTER = 2000  # more marks in a panel are a picture of dots
MOST_NAMED = 4


class _Base(NamedTuple):
    """The estimate of least squares and an interval, NaN where there is none."""

    estimate: float
    low: float
    high: float


def leverage(
    by_cluster: pd.DataFrame,
    by_term: pd.DataFrame,
    tidy: pd.DataFrame,
    *,
    strategy: str | None = None,
    look: Look | None = None,
) -> Figure:
    """Draw each cluster's partial leverage, and the estimate without it.

    Parameters
    ----------
    by_cluster : DataFrame
        As `Analysis.leverage` has it: cluster, term, partial_leverage and estimate_without.
    by_term : DataFrame
        As `Analysis.design` has it: term, effective_clusters, largest_influence and
        largest_influence_cluster. An estimate without a cluster, less the influence of this
        cluster, is the estimate of least squares from all of them.
    tidy : DataFrame
        As `Analysis.tidy` has it: strategy, term, conf_low and conf_high.
    strategy : str, optional
        The strategy whose intervals are drawn behind the estimates, by default the first.
    look : Look, optional
        How the figure is drawn.

    Returns
    -------
    Figure
        A panel per term, the intercept last. Where there are more terms than a page has room for,
        those with the fewest effective clusters are shown, and the others are counted.
    """
    look = look or Look()
    strategy = strategy or (str(tidy["strategy"].iloc[0]) if len(tidy) else "")
    table = by_cluster[by_cluster["partial_leverage"].notna()].reset_index(drop=True)
    if table.empty:
        return nothing(look, "No term of this table has a leverage", SUBTITLE)
    clusters = int(table.groupby("term", sort=False).size().max())
    described = by_term.set_index("term")
    effective = described["effective_clusters"].astype(float)
    terms = sorted(dict.fromkeys(table["term"]), key=lambda term: term == INTERCEPT)
    across = max(1, min(ACROSS, int(look.width // look.printed(NARROWEST))))
    shown = _shown(terms, effective, across * DOWN)
    rows = {term: table[table["term"] == term] for term in shown}
    mine = tidy[tidy["strategy"] == strategy]
    ends = mine[["conf_low", "conf_high"]].astype(float)
    intervals = dict(zip(mine["term"], ends.itertuples(False, None), strict=True))
    bases = {term: _base(rows[term], term, described, intervals) for term in shown}
    parts = {term: _judged(rows[term], bases[term], clusters) for term in shown}

    figure, panels, height = _panels(look, shown, effective, across)
    for term, axes in panels.items():
        _draw(axes, parts[term], bases[term], height, look)
    compose(
        figure,
        look,
        title=_finding(parts, bases, clusters),
        subtitle=SUBTITLE,
        legends=[_handles(parts, clusters, look)],
        xlabel="partial leverage of the cluster, % (all clusters: 100)",
        ylabel="estimate without the cluster",
        caption=_caption(parts, strategy, len(terms) - len(shown)),
    )
    for term, axes in panels.items():
        round_ticks(axes.xaxis, inches_across(axes), look.text)
        _name(axes, parts[term], look)
    return figure


def _shown(terms: Sequence[str], effective: pd.Series, most: int) -> list[str]:
    """Return the terms that there is room for: of many, those with the fewest clusters."""
    rank = sorted(terms, key=lambda term: (term == INTERCEPT, effective.get(term, np.inf)))
    first = set(rank[:most])
    return [term for term in terms if term in first]


def _base(
    rows: pd.DataFrame, term: str, described: pd.DataFrame, intervals: Mapping[Any, Any]
) -> _Base:
    """Return the estimate of a term from all clusters, and its interval."""
    estimate = np.nan
    if term in described.index:
        change, cluster = described.loc[term, ["largest_influence", "largest_influence_cluster"]]
        moved = rows.loc[rows["cluster"] == cluster, "estimate_without"].to_numpy(dtype=float)
        estimate = float(moved[0] - change) if len(moved) else np.nan
    ends = np.array(intervals.get(term, (np.nan, np.nan)))
    return _Base(estimate, *np.where(np.isfinite(ends), ends, np.nan).tolist())


def _much(clusters: int) -> float:
    """Return from what share on the partial leverage of a cluster is much."""
    return max(LEAST, min(MUCH / clusters, MOST), HALF_AGAIN / clusters)


def _judged(rows: pd.DataFrame, base: _Base, clusters: int) -> pd.DataFrame:
    """Return a term's clusters, those first that stand out most.

    ``lost``: there is no estimate without the cluster; ``leaves``: that estimate is outside the
    interval; ``much``: its share is; ``stands_out``: how much the last two are, 1 where they begin.
    """
    share = rows["partial_leverage"] / _much(clusters)
    half = (base.high - base.low) / 2
    change = (rows["estimate_without"] - base.estimate).abs()
    moved = (change / half if half > 0 else change * np.nan).fillna(0.0)
    lost, much, leaves = rows["estimate_without"].isna(), share >= 1, moved > 1
    size = share.where(much, 0.0) + moved.where(leaves, 0.0)
    rows = rows.assign(lost=lost, much=much, leaves=leaves, stands_out=size)
    return rows.sort_values("stands_out", ascending=False, kind="stable")


def _panels(
    look: Look, terms: Sequence[str], effective: pd.Series, most: int
) -> tuple[Figure, dict[str, Axes], float]:
    """Return a figure, its panels by term, and how many inches high each is at least."""
    down = -(-len(terms) // most)
    across = -(-len(terms) // down)
    height = min(HIGHEST, TALLEST / down)
    figure = new_figure(look, look.printed(height) * down)
    grid = figure.subplots(down, across, squeeze=False)
    letters = int(72 * (look.width / across - look.printed(BESIDE)) / (0.62 * look.text))
    for place, axes in enumerate(grid.flat):
        if place >= len(terms):
            axes.remove()
            continue
        dress(axes, look)
        term = terms[place]
        title = "\n".join(textwrap.wrap(name_label(term, 2 * letters - 4), letters))
        if np.isfinite(effective.get(term, np.nan)):
            count = effective[term]
            title += f"\n{count:{',.0f' if count >= 100 else '.3g'}} effective clusters"
        axes.set_title(title, size=look.text, color=INK, loc="left", linespacing=1.1)
    return figure, dict(zip(terms, grid.flat, strict=False)), look.printed(height - ABOVE_AND_BELOW)


def _draw(axes: Axes, rows: pd.DataFrame, base: _Base, height: float, look: Look) -> None:
    """Draw a term's clusters, and behind them the estimate and its interval."""
    x, y = 100 * rows["partial_leverage"].to_numpy(), rows["estimate_without"].to_numpy()
    clusters = len(rows)
    low, high = _window(y[np.isfinite(y)], base)
    spread = high - low
    lowest = low - 0.14 * spread
    axes.set_ylim(lowest - 0.04 * spread, high + 0.14 * spread)
    most = max(x.max(), 100 / clusters)
    axes.set_xlim(-0.04 * most, 1.12 * most)
    hold_ticks(axes.xaxis)
    round_ticks(axes.yaxis, height, look.text, upright=True)
    if np.isfinite([base.low, base.high]).all():
        axes.axhspan(base.low, base.high, color="#eeeeee", linewidth=0, zorder=-1)
    axes.axhline(base.estimate, color=INK, linewidth=look.line, zorder=1)
    axes.axhline(0, color=MUTED, linewidth=look.line, linestyle=(0, (4, 3)), zorder=1)
    axes.axvline(100 / clusters, color=MUTED, linewidth=look.line, linestyle=(0, (1, 2)), zorder=1)
    size = look.printed(3.4 if clusters <= 200 else 1.6) ** 2
    dots: dict[str, Any] = {"linewidth": 0, "zorder": 3, "rasterized": clusters > RASTER}
    much, leaves, lost = (rows[name].to_numpy(dtype=bool) for name in ("much", "leaves", "lost"))
    plain = ~lost & ~much & ~leaves
    axes.scatter(x[plain], y[plain], size, color="#777777", alpha=0.75, **dots)
    some = ~lost & much & ~leaves
    axes.scatter(x[some], y[some], 1.3 * size, color=GOOD, marker="s", **dots)
    some = ~lost & leaves
    axes.scatter(x[some], y[some], 1.5 * size, color=WRONG, marker="D", **dots)
    axes.scatter(
        x[lost], np.full(lost.sum(), lowest), 1.6 * size, color=WRONG, marker="x", zorder=3
    )


def _window(without: np.ndarray, base: _Base) -> tuple[float, float]:
    """Return from where to where a panel reaches; a very wide interval goes on beyond it."""
    seen = without if len(without) else np.array([base.estimate])
    ends = np.array([*seen, base.estimate])
    ends = ends[np.isfinite(ends)]
    if not len(ends):
        return -1.0, 1.0
    reach = 3 * np.ptp(ends) or 0.1 * abs(ends[0]) or 1.0
    low, high = np.clip([base.low, base.high], ends.min() - reach, ends.max() + reach)
    low, high = np.fmin(low, ends.min()), np.fmax(high, ends.max())
    return (float(low), float(high)) if high > low else (float(low - reach), float(high + reach))


def _name(axes: Axes, rows: pd.DataFrame, look: Look) -> None:
    """Name the clusters that stand out; all of very few."""
    out = rows[rows[["much", "leaves", "lost"]].any(axis=1)] if len(rows) > MOST_NAMED else rows
    floor = axes.get_ylim()[0]
    lost = floor + 0.06 * (axes.get_ylim()[1] - floor)
    names = [
        (
            name_label(row["cluster"], LONGEST),
            100 * row["partial_leverage"],
            lost if row["lost"] else row["estimate_without"],
        )
        for row in out.head(MOST_NAMED).to_dict("records")
    ]
    name_dots(axes, names, look)


def _handles(parts: dict[str, pd.DataFrame], clusters: int, look: Look) -> list:
    rows = pd.concat(parts.values())
    handles = [dot("a cluster", look, color="#777777")]
    if (rows["much"] & ~rows["leaves"] & ~rows["lost"]).any():
        much = f"{_percent(_much(clusters))} of the leverage or more"
        handles.append(dot(much, look, color=GOOD, marker="s"))
    if rows["leaves"].any():
        handles.append(
            dot("without it the estimate leaves the interval", look, color=WRONG, marker="D")
        )
    if rows["lost"].any():
        handles.append(dot("without it there is no estimate", look, color=WRONG, marker="x"))
    return handles


def _finding(parts: dict[str, pd.DataFrame], bases: dict[str, _Base], clusters: int) -> str:
    """Say which cluster stands out most, or that none does."""
    terms = [term for term in parts if term != INTERCEPT] or [*parts]
    equal = f"an equal share is {_percent(1 / clusters)}"
    rows = pd.concat([parts[term] for term in terms])
    lost = rows[rows["lost"]]
    if len(lost):
        row = lost.iloc[lost["partial_leverage"].to_numpy().argmax()]
        more = len(lost.drop_duplicates("cluster")) - 1
        others = f" (and {more:,} more)" if more else ""
        term = name_label(row["term"], 32)
        return f"There is no estimate of {term} without {_cluster(row)}{others}"
    row = rows.iloc[rows["stands_out"].to_numpy().argmax()]
    if row["stands_out"] == 0:
        row = rows.iloc[rows["partial_leverage"].to_numpy().argmax()]
        if rows["partial_leverage"].min() > (1 - ALIKE) * row["partial_leverage"]:
            return f"No cluster stands out: all {clusters:,} have the same partial leverage"
        same = rows["term"] == row["term"]
        same &= rows["partial_leverage"] > (1 - ALIKE) * row["partial_leverage"]
        whose = _cluster(row) if same.sum() == 1 else f"each of {same.sum():,} clusters"
        share = f"{_percent(row['partial_leverage'])}, of {whose} for"
        share += f" {name_label(row['term'], 32)}"
        return f"No cluster stands out: the largest partial leverage is {share} ({equal})"
    term = name_label(row["term"], 32)
    said = f"{_cluster(row)} has {_percent(row['partial_leverage'])} of the partial leverage of"
    said = f"{said[:1].upper()}{said[1:]} {term} ({equal})"
    estimate = bases[row["term"]].estimate
    if not np.isfinite(estimate):
        return said
    without, whole = (number(v).replace("-", "−") for v in (row["estimate_without"], estimate))
    return f"{said}; without it the estimate is {without} instead of {whole}"


def _cluster(row: pd.Series) -> str:
    """Return a cluster's name for a sentence."""
    name = name_label(row["cluster"])
    return name if name[:1].isalpha() and len(name) > MOST_INITIALS else f"cluster {name}"


def _percent(share: float) -> str:
    return f"{100 * share:.2g} %"


def _caption(parts: dict[str, pd.DataFrame], strategy: str, left_out: int) -> str:
    said = [
        "Solid line: the estimate of least squares from all clusters; shade: 95 % interval by "
        f"{quoted_label(strategy)}. Dotted: an equal share. Dashed: 0. Effective clusters: so many "
        "equal ones would carry as much."
    ]
    if left_out:
        are = "is" if left_out == 1 else "are"
        said.append(
            f"{counted(left_out, 'further term')} with more effective clusters {are} not shown."
        )
    return " ".join(said)
