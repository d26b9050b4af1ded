"""What a mixed model makes of the coefficients of each cluster's own regression."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from clustrategy.core.counted import counted
from clustrategy.core.shard import INTERCEPT
from clustrategy.core.words import number
from clustrategy.figures.parts.dot_rows import dress_rows
from clustrategy.figures.parts.frame import compose, dot, nothing
from clustrategy.figures.parts.labels import name_label, quoted_label
from clustrategy.figures.parts.scales import hold_ticks, inches_across, round_ticks
from clustrategy.figures.parts.strokes import strokes
from clustrategy.figures.parts.style import GOOD, INK, Look, new_figure

SUBTITLE = "Each cluster's own regression, and what the mixed model makes of it"

ACROSS, DOWN = 4, 3
MOST_NAMED = 40  # more clusters stand in their rows without names
MOST_DRAWN = 60  # of more clusters, so many are drawn
ROW, NAMED_ROW = 0.15, 0.11  # inches of a row on a printed page; with a name, at the least
HIGHEST, TALLEST, LOWEST = 4.5, 6.0, 0.8  # the most inches of a panel and of all, and the least
ABOVE_AND_BELOW = 0.4  # inches of a panel's title and tick labels
NARROWEST = 1.1  # inches of a panel on a printed page
INSIDE = 0.88  # the share of its place that a panel takes
MIDDLE = 0.9  # the share of many clusters of which the title says where they are
LONGEST = 22  # letters of a cluster's name
WIDEST = 3.0  # how far beyond the model's coefficients a panel reaches, in their range


def shrinkage(
    cluster_coefficients: pd.DataFrame,
    tidy: pd.DataFrame,
    *,
    strategy: str | None = None,
    look: Look | None = None,
) -> Figure:
    """Draw how a mixed model draws the clusters' own coefficients to the common ones.

    Parameters
    ----------
    cluster_coefficients : DataFrame
        As `Analysis.cluster_coefficients` has it: strategy, cluster, term, ols_estimate and
        coefficient.
    tidy : DataFrame
        As `Analysis.tidy` has it.
    strategy : str, optional
        The mixed model, by default the one with the most random coefficients.
    look : Look, optional
        How the figure is drawn.

    Returns
    -------
    Figure
        A panel per random coefficient, slopes first, a row per cluster, in the order of the first
        panel's coefficients. Of many clusters 60 are drawn, evenly spaced in this order.
    """
    look = look or Look()
    known = cluster_coefficients[np.isfinite(cluster_coefficients["coefficient"].astype(float))]
    if known.empty:
        return nothing(look, "No mixed model has coefficients of single clusters here", SUBTITLE)
    strategy = strategy or str(known.groupby("strategy", sort=False)["term"].nunique().idxmax())
    table = known[known["strategy"] == strategy]
    if table.empty:
        title = f"No coefficients of single clusters by {quoted_label(strategy)}"
        return nothing(look, title, SUBTITLE)
    terms = sorted(dict.fromkeys(table["term"]), key=lambda term: term == INTERCEPT)
    own = table.pivot(index="cluster", columns="term", values="ols_estimate")[terms]
    modes = table.pivot(index="cluster", columns="term", values="coefficient")[terms]
    estimates = tidy[tidy["strategy"] == strategy].set_index("term")["estimate"].astype(float)
    order = modes[terms[0]].to_numpy().argsort(kind="stable")[::-1]
    drawn = order[np.linspace(0, len(order) - 1, min(len(order), MOST_DRAWN)).round().astype(int)]
    names = [name_label(str(name), LONGEST) for name in own.index[drawn]]
    across = _across(look, names)
    shown = terms[: across * DOWN]

    figure, panels = _panels(look, names, shown, across)
    cut = False
    for term, axes in panels.items():
        ends = own[term].to_numpy()[drawn], modes[term].to_numpy()[drawn]
        cut |= _draw(axes, *ends, float(estimates.get(term, np.nan)), look)
    compose(
        figure,
        look,
        title=_finding(own, modes, estimates, strategy),
        subtitle=f"{SUBTITLE} ({quoted_label(strategy)})",
        legends=[_handles(own.iloc[drawn], look)],
        xlabel="coefficient of the cluster",
        caption=_caption(own, len(drawn), len(terms) - len(shown), cut=cut),
    )
    for axes in panels.values():
        round_ticks(axes.xaxis, inches_across(axes), look.text)
    return figure


def _across(look: Look, clusters: Sequence[str]) -> int:
    """Return how many panels there is room for beside each other."""
    return max(1, min(ACROSS, int(_beside(look, clusters) // look.printed(NARROWEST))))


def _beside(look: Look, clusters: Sequence[str]) -> float:
    """Return the inches that there are beside the names of clusters."""
    named = len(clusters) <= MOST_NAMED
    letters = max(map(len, clusters)) if named else 0
    return look.width - 0.6 * look.printed(7) / 72 * letters - 0.2


def _panels(
    look: Look, clusters: Sequence[str], terms: Sequence[str], most_across: int
) -> tuple[Figure, dict[str, Axes]]:
    """Return a figure with a panel per term, each with a row per cluster."""
    down = -(-len(terms) // most_across)
    across = -(-len(terms) // down)
    count = len(clusters)
    most = min(TALLEST / down - ABOVE_AND_BELOW, HIGHEST if count > MOST_NAMED else TALLEST)
    named = count <= MOST_NAMED and most / count >= NAMED_ROW
    height = float(np.clip(ROW * count, LOWEST, most))
    text = look.printed(min(7.0, 72 * height / count / 1.25))
    figure = new_figure(look, look.printed(height + ABOVE_AND_BELOW) * down)
    grid = figure.subplots(down, across, sharey=True, squeeze=False)
    width = INSIDE * _beside(look, clusters) / across
    letters = int(72 * width / (0.6 * look.text))
    for place, axes in enumerate(grid.flat):
        if place >= len(terms):
            axes.remove()
            continue
        dress_rows(axes, look, count if named else 0, text)
        title = textwrap.wrap(name_label(terms[place], 2 * letters - 4), letters)
        axes.set_title("\n".join(title), size=look.text, color=INK, loc="left", linespacing=1.1)
    labels = clusters if named else []
    grid[0, 0].set_ylim(count - 0.4, -0.6)
    grid[0, 0].set_yticks(range(len(labels)), labels)
    return figure, dict(zip(terms, grid.flat, strict=False))


def _draw(axes: Axes, own: np.ndarray, modes: np.ndarray, estimate: float, look: Look) -> bool:
    """Draw a coefficient of the clusters in order; tell whether an own one is beyond the panel."""
    low, high = _window(own, modes, estimate)
    margin = 0.06 * (high - low)
    axes.set_xlim(low - margin, high + margin)
    hold_ticks(axes.xaxis)
    axes.grid(axis="x", color="#dddddd", linewidth=look.line)
    places = np.arange(len(own), dtype=float)
    axes.axvline(estimate, color=INK, linewidth=1.4 * look.line, zorder=1)
    ends = np.column_stack([np.clip(own, low, high), modes])
    line: dict[str, Any] = {"edgecolor": "#9a9a9a", "linewidth": 1.2 * look.line, "zorder": 2}
    strokes(axes, ends, places[:, None], **line)
    size = look.printed(3.4 if len(own) <= MOST_NAMED else 2.2) ** 2
    inside = (own >= low) & (own <= high)
    hollow: dict[str, Any] = {"edgecolor": "#777777", "linewidth": 1.2 * look.line, "zorder": 3}
    axes.scatter(own[inside], places[inside], size, facecolor="white", **hollow)
    for marker, edge, beyond in (("<", low, own < low), (">", high, own > high)):
        at = np.full(beyond.sum(), edge)
        axes.scatter(at, places[beyond], 1.3 * size, marker=marker, facecolor="white", **hollow)
    axes.scatter(modes, places, size, color=GOOD, linewidth=0, zorder=4)
    return bool((own < low).any() or (own > high).any())


def _window(own: np.ndarray, modes: np.ndarray, estimate: float) -> tuple[float, float]:
    """Return from where to where a panel reaches; own coefficients may lie beyond."""
    inner = np.array([*modes, estimate])
    inner = inner[np.isfinite(inner)]
    seen = own[np.isfinite(own)]
    if not len(seen):
        reach = np.ptp(inner) or abs(inner[0]) or 1.0
        return float(inner.min() - reach / 4), float(inner.max() + reach / 4)
    quarters = np.quantile(seen, [0.25, 0.75])
    reach = max(WIDEST * float(np.ptp(quarters)), float(np.ptp(inner)))
    reach = reach or float(np.ptp([*seen, *inner])) or abs(inner[0]) or 1.0
    low = max(seen.min(), min(quarters[0], inner.min()) - reach)
    high = min(seen.max(), max(quarters[1], inner.max()) + reach)
    low, high = min(low, inner.min()), max(high, inner.max())
    return (float(low), float(high)) if high > low else (float(low - reach), float(high + reach))


def _handles(own: pd.DataFrame, look: Look) -> list:
    handles = [dot("by the mixed model", look, color=GOOD)]
    if np.isfinite(own.to_numpy(dtype=float)).any():
        hollow = {"color": "#777777", "markerfacecolor": "white"}
        handles.insert(0, dot("by the cluster's own regression", look, **hollow))
    handles.append(dot("of all clusters", look, marker="|", markersize=look.printed(7)))
    return handles


def _finding(own: pd.DataFrame, modes: pd.DataFrame, estimates: pd.Series, strategy: str) -> str:
    """Say how far the clusters' coefficients range before and after."""
    term = str(modes.columns[0])
    name = "The intercept" if term == INTERCEPT else f"The slope of {name_label(term, 32)}"
    found = modes[term].to_numpy(dtype=float)
    size = max(abs(float(estimates.get(term, 0.0))), np.abs(found).max())
    kept = own[term].to_numpy(dtype=float)
    kept = kept[np.isfinite(kept)]
    model = quoted_label(strategy)
    outside = (1 - MIDDLE) / 2 if len(found) > MOST_NAMED else 0.0
    most = f" in {100 * MIDDLE:.0f} % of clusters" if outside else ""
    if np.ptp(found) <= 1e-6 * size:
        though = (
            f", though their own range from {_span(kept, outside)}{most}" if len(kept) > 1 else ""
        )
        return f"{name} is the same in all clusters by {model}{though}"
    if len(kept) < 2:
        return f"{name} ranges from {_span(found, outside)}{most or ' in the clusters'} by {model}"
    return (
        f"{name} ranges from {_span(kept, outside)} in the clusters' own regressions, and from "
        f"{_span(found, outside)} by {model}{', both' if most else ''}{most}"
    )


def _span(values: np.ndarray, outside: float) -> str:
    """Return from where to where values go, but for a share at either end."""
    ends = np.quantile(values, [outside, 1 - outside])
    least, most = (number(float(end)).replace("-", "−") for end in ends)
    return f"{least} to {most}"


def _caption(own: pd.DataFrame, drawn: int, left_out: int, *, cut: bool) -> str:
    first = str(own.columns[0])
    by = "intercept" if first == INTERCEPT else name_label(first, 32)
    said = [
        f"Clusters in the order of the model's {by}. The less a cluster's rows tell, the farther "
        "it is drawn to the line."
    ]
    if drawn < len(own):
        said.append(f"Of {len(own):,} clusters {drawn} are drawn, at equal steps of this order.")
    lacking = int(own[first].isna().sum())
    if 0 < lacking < len(own):
        one = lacking == 1
        whose = "has no regression of its own" if one else "have no regression of their own"
        said.append(f"{counted(lacking, 'cluster')} {whose}.")
    elif lacking:
        said.append("No cluster has a regression of its own.")
    if cut:
        said.append("Triangles: own coefficients beyond the panel.")
    if left_out:
        said.append(f"{counted(left_out, 'further random coefficient')} in the table alone.")
    return " ".join(said)
