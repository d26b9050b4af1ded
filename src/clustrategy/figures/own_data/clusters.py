"""How large the clusters are, and how the response goes with a predictor in each of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator

from clustrategy.core.counted import counted
from clustrategy.core.shard import INTERCEPT, Floats, Ints, Shard
from clustrategy.core.words import number
from clustrategy.design.from_table import Design
from clustrategy.design.variation import differs_within, starts
from clustrategy.figures.parts.dot_rows import dress_rows
from clustrategy.figures.parts.frame import compose, dot
from clustrategy.figures.parts.labels import name_label
from clustrategy.figures.parts.scales import hold_ticks, inches_across, label_ticks, round_ticks
from clustrategy.figures.parts.strokes import strokes
from clustrategy.figures.parts.style import GOOD, INK, Look, dress, name_axes, new_figure

MOST_PREDICTORS = 3
MOST_NAMED = 20  # of more clusters the sizes are a histogram
MOST_DRAWN = 60  # of more clusters, so many lines are drawn
FEW_POINTS, MOST_POINTS = 300, 2000
FEWEST_ROWS = 3  # a cluster's line through two points is no regression
AGREED = 0.6
"""The share of clusters' slopes with another sign than that of all rows that is worth a title."""

LONGEST, LONGEST_TERM = 16, 32  # letters of a cluster's name, and of a term's
AGAINST = "#d55e00"
PALE = "#9fb8cc"

NARROWEST, BESIDE = 1.9, 0.55  # inches of a panel on a printed page, and of what is beside it
BINS = 20
FAR = 10.0  # sizes so many times the median need a logarithmic axis
STEPS = 10 ** np.arange(10)


@dataclass(frozen=True)
class _Lines:
    """Regressions of the response on one predictor alone.

    Attributes
    ----------
    column : int
        The predictor's column of X.
    x, y, slope : (G,) array
        The means of each cluster and its slope, NaN where it has none.
    low, high : (G,) array
        From where to where the predictor goes in each cluster.
    within, pooled : float
        The common slope within clusters, and that over all rows.
    middle : (2,) array
        The means over all rows.
    """

    column: int
    x: Floats
    y: Floats
    slope: Floats
    low: Floats
    high: Floats
    within: float
    pooled: float
    middle: Floats

    @property
    def known(self) -> Floats:
        """The slopes that clusters have."""
        return self.slope[np.isfinite(self.slope)]

    @property
    def against(self) -> float:
        """The share of the clusters' slopes with another sign than that over all rows."""
        return float((np.sign(self.known) == -np.sign(self.pooled)).mean())


def clusters(given: Design, *, predictors: Sequence[str] = (), look: Look | None = None) -> Figure:
    """Draw the sizes of clusters, and each cluster's regression beside that over all rows.

    Parameters
    ----------
    given : Design
        The table, as `Analysis.given` has it.
    predictors : sequence of str
        The coefficients whose columns are drawn, at most three; by default the first that vary
        within clusters or, where none does, the first that vary between them.
    look : Look, optional
        How the figure is drawn.

    Returns
    -------
    Figure
        A panel of the sizes, and one of the response against each predictor. Of many clusters
        60 are drawn, evenly spaced in the order of their slopes.

    Raises
    ------
    ValueError
        If a predictor is not a coefficient of the table.
    """
    look = look or Look()
    shard = given.shard
    columns, within = _columns(given, predictors)
    columns = columns[: max(1, int(look.width // look.printed(NARROWEST)))]
    lines = [_lines(shard, column) for column in columns]
    height = look.printed(2.6 if len(columns) < MOST_PREDICTORS else 2.2)
    figure = new_figure(look, height)
    # Sizes that are all the same need no panel.
    widths = [0.62] if np.ptp(shard.n[0]) > 0 or not columns else []
    widths += [1.0] * len(columns)
    panels = figure.subplots(1, len(widths), squeeze=False, width_ratios=widths)[0]
    sizes = panels[: len(widths) - len(columns)]
    for axes in sizes:
        _draw_sizes(axes, given, look)
    width = look.width / sum(widths) - look.printed(BESIDE)
    letters = int(72 * width / (0.6 * look.text))
    for place, (axes, one) in enumerate(zip(panels[len(sizes) :], lines, strict=True)):
        _draw_lines(axes, shard, one, look, means=not within)
        response = name_label(given.response, LONGEST_TERM) if place == 0 else ""
        term = name_label(shard.terms[one.column], min(letters, LONGEST_TERM))
        name_axes(axes, look, x=term, y=response)
        hold_ticks(axes.xaxis)
        round_ticks(axes.yaxis, 0.8 * height, look.text, upright=True)
    compose(
        figure,
        look,
        title=_finding(given, lines, within=within),
        subtitle=_subtitle(given, bool(columns), within=within),
        legends=[_handles(lines, look, means=not within)],
        caption=_caption(given, lines, predictors, within=within),
    )
    for axes in panels[len(sizes) :]:
        round_ticks(axes.xaxis, inches_across(axes), look.text)
    return figure


def _columns(given: Design, predictors: Sequence[str]) -> tuple[list[int], bool]:
    """Return the columns that are drawn, and whether all of them vary within clusters."""
    shard = given.shard
    for name in predictors:
        if name not in shard.terms or name == INTERCEPT:
            raise ValueError(f"predictors: a coefficient was expected, found {name!r}")
    columns = [shard.terms.index(name) for name in predictors] or _eligible(given)
    columns = columns[:MOST_PREDICTORS]
    return columns, bool(differs_within(shard)[:, columns].any(axis=0).all())


def _eligible(given: Design) -> list[int]:
    """Return the columns of predictors that vary within clusters or, if none does, between them.

    Those of interactions say little by themselves and count only where there are no others.
    """
    own = {place for term, places in given.terms.items() if ":" not in term for place in places}
    for varies in (differs_within(given.shard).any(axis=0), np.ptp(given.shard.X, axis=0) > 0):
        columns = np.flatnonzero(varies).tolist()
        if columns:
            return [place for place in columns if place in own] or columns
    return []


def _lines(shard: Shard, column: int) -> _Lines:
    """Compute the regressions on one predictor in each cluster and over all rows."""
    first, sizes = starts(shard), shard.n[0]
    points = np.column_stack([shard.X[:, column], shard.y])
    middle = points.mean(axis=0)
    means = np.add.reduceat(points, first, axis=0) / sizes[:, None]
    away = points - np.repeat(means, sizes, axis=0)
    squares = np.add.reduceat(away[:, 0] ** 2, first)
    products = np.add.reduceat(away[:, 0] * away[:, 1], first)
    has = differs_within(shard)[:, column] & (sizes >= FEWEST_ROWS) & (squares > 0)
    slope = np.where(has, products / np.where(has, squares, 1.0), np.nan)
    total = points - middle
    whole = float(total[:, 0] @ total[:, 1] / (total[:, 0] @ total[:, 0]))
    within = float(products.sum() / squares.sum()) if squares.sum() > 0 else np.nan
    low, high = (of.reduceat(points[:, 0], first) for of in (np.minimum, np.maximum))
    return _Lines(column, means[:, 0], means[:, 1], slope, low, high, within, whole, middle)


def _spread(order: Ints) -> Ints:
    """Return places in an order, all or at equal steps."""
    steps = np.linspace(0, len(order) - 1, min(len(order), MOST_DRAWN)).round().astype(int)
    return np.asarray(order[steps])


def _draw_sizes(axes: Axes, given: Design, look: Look) -> None:
    """Draw the sizes of the clusters: a bar for each, or of many a histogram."""
    sizes = given.shard.n[0]
    names = f"{name_label(given.cluster, LONGEST)}"
    if len(sizes) <= MOST_NAMED:
        order = sizes.argsort(kind="stable")[::-1]
        dress_rows(axes, look, 0, look.printed(min(7.0, 110 / len(sizes))))
        axes.barh(range(len(sizes)), sizes[order], 0.7, color=PALE)
        axes.set_ylim(len(sizes) - 0.4, -0.6)
        axes.set_yticks(
            range(len(sizes)), [name_label(given.names[place], LONGEST) for place in order]
        )
        name_axes(axes, look, x="rows", y=names)
    else:
        dress(axes, look)
        name_axes(axes, look, x="rows", y=f"clusters ({names})")
        axes.yaxis.set_major_locator(MaxNLocator(4, integer=True))
        far = sizes.max() > FAR * np.median(sizes)
        ends = sizes.min() - 0.5, sizes.max() + 0.5
        count = min(BINS, int(np.ptp(sizes)) + 1)
        axes.hist(
            sizes, (np.geomspace if far else np.linspace)(*ends, count + 1).tolist(), color=PALE
        )
        if far:
            axes.set_xscale("log")
            steps = [float(size) for size in STEPS if ends[0] <= size <= ends[1]]
            label_ticks(axes.xaxis, steps[:: -(-len(steps) // 2)], lambda size: f"{size:,.0f}")
            return
    axes.xaxis.set_major_locator(MaxNLocator(3, integer=True))


def _draw_lines(axes: Axes, shard: Shard, it: _Lines, look: Look, *, means: bool) -> None:
    """Draw rows or, of a predictor that is the same in a cluster, means of clusters, and lines."""
    dress(axes, look)
    if means:
        order = _spread(it.x.argsort(kind="stable"))
        points = np.column_stack([it.x, it.y])[order]
    else:
        ranked = np.where(np.isfinite(it.slope), it.slope, np.inf).argsort(kind="stable")
        order = _spread(ranked[: len(it.known)] if len(it.known) else ranked)
        rows = np.flatnonzero(np.isin(np.repeat(np.arange(shard.clusters), shard.n[0]), order))
        rows = rows[:: -(-len(rows) // MOST_POINTS)]
        points = np.column_stack([shard.X[rows, it.column], shard.y[rows]])
    mark = look.printed(3.4 if means else 2.6 if len(points) <= FEW_POINTS else 1.8)
    colour = GOOD if means else "#a0a0a0"
    axes.scatter(
        points[:, 0], points[:, 1], mark**2, color=colour, alpha=0.8 if means else 0.6, linewidth=0
    )
    if not means:
        ends = np.column_stack([it.low, it.high])[order]
        heights = it.y[order, None] + it.slope[order, None] * (ends - it.x[order, None])
        against = np.sign(it.slope[order]) == -np.sign(it.pooled)
        style: dict[str, Any] = {"linewidth": 1.2 * look.line, "alpha": 0.85, "zorder": 3}
        for colour, here in ((GOOD, ~against), (AGAINST, against)):
            strokes(axes, ends[here], heights[here], edgecolor=colour, **style)
    ends = np.array([points[:, 0].min(), points[:, 0].max()])
    heights = it.middle[1] + it.pooled * (ends - it.middle[0])
    axes.plot(ends, heights, color=INK, linewidth=2.8 * look.line, zorder=2.5)
    for which, seen in (("x", points[:, 0]), ("y", np.concatenate([points[:, 1], heights]))):
        margin = 0.05 * np.ptp(seen) or 1.0
        getattr(axes, f"set_{which}lim")(seen.min() - margin, seen.max() + margin)


def _handles(lines: Sequence[_Lines], look: Look, *, means: bool) -> list:
    if not lines:
        return []
    thin: dict[str, Any] = {"linewidth": 1.6 * look.line}
    whole = Line2D([], [], color=INK, linewidth=2.6 * look.line, label="all rows together")
    if means:
        return [dot("mean of a cluster", look, color=GOOD), whole]
    handles = [dot("a row", look, color="#a0a0a0")]
    if any((np.sign(it.known) != -np.sign(it.pooled)).any() for it in lines):
        handles.append(Line2D([], [], color=GOOD, label="a cluster", **thin))
    if any((np.sign(it.known) == -np.sign(it.pooled)).any() for it in lines):
        words = "a cluster that goes the other way"
        handles.append(Line2D([], [], color=AGAINST, label=words, **thin))
    return [*handles, whole]


def _finding(given: Design, lines: Sequence[_Lines], *, within: bool) -> str:
    """Say how the response goes with a predictor within clusters, and over all rows."""
    response = name_label(given.response, LONGEST_TERM)
    if not lines:
        return f"{_sizes(given)}, and no predictor"
    if not within:
        term = name_label(given.shard.terms[lines[0].column], LONGEST_TERM)
        return (
            f"{term} does not vary within clusters: "
            f"{counted(given.shard.clusters, 'cluster')} tell of it, not "
            f"{counted(given.shard.y.size, 'row')}"
        )
    fitted = [it for it in lines if len(it.known)]
    if not fitted:
        return "No cluster has rows enough for a regression of its own"
    turned = [
        it for it in fitted if it.against >= AGREED and np.sign(it.within) == -np.sign(it.pooled)
    ]
    it = (turned or fitted)[0]
    term = name_label(given.shard.terms[it.column], LONGEST_TERM)
    if turned:
        return (
            f"{response} {_goes(it.within)} with {term} within clusters (slope "
            f"{_slope(it.within)}), and {_goes(it.pooled)} over all rows ({_slope(it.pooled)})"
        )
    count = int((np.sign(it.known) == np.sign(it.pooled)).sum())
    inside, pooled = _slope(it.within), _slope(it.pooled)
    slope = f"within them is {inside} on average, over all rows {pooled}"
    slope = f"is {pooled} within them as over all rows" if inside == pooled else slope
    of = f"all {count:,}" if count == len(it.known) else f"{count:,} of {len(it.known):,}"
    return f"{response} {_goes(it.pooled)} with {term} in {of} clusters; the slope {slope}"


def _slope(value: float) -> str:
    return number(value).replace("-", "−")


def _goes(slope: float) -> str:
    return "rises" if slope > 0 else "falls"


def _sizes(given: Design) -> str:
    """Say how many clusters of what sizes there are."""
    sizes = given.shard.n[0]
    of = counted(int(sizes.min()), "row")
    if sizes.min() < sizes.max():
        middle = f"{np.median(sizes):,.0f}"
        of = f"{sizes.min():,} to {counted(int(sizes.max()), 'row')} (median {middle})"
    return f"{counted(len(sizes), 'cluster')} of {of}"


def _subtitle(given: Design, drawn: bool, *, within: bool) -> str:
    if not drawn:
        return "Sizes of clusters"
    what = "least squares in each cluster" if within else "means of clusters, and least squares"
    return f"{_sizes(given)}; {what}{' and' if within else ''} over all rows"


def _caption(
    given: Design, lines: Sequence[_Lines], predictors: Sequence[str], *, within: bool
) -> str:
    shard = given.shard
    said = []
    if lines:
        said.append("Lines: least squares of the response on one predictor alone.")
    if within and lines:
        fewest = min(len(it.known) for it in lines)
        if fewest < shard.clusters:
            said.append(
                f"{counted(shard.clusters - fewest, 'cluster')} "
                f"{'has' if shard.clusters - fewest == 1 else 'have'} no line: fewer than "
                f"{FEWEST_ROWS} rows, or the same value in all of them."
            )
    if lines and shard.clusters > MOST_DRAWN:
        by = "slopes" if within else "predictor"
        said.append(
            f"Of {shard.clusters:,} clusters {MOST_DRAWN} are drawn, at equal steps of the order "
            f"of their {by}, and of their rows {MOST_POINTS:,} at most."
        )
    there = len(_eligible(given))
    if not predictors and there > len(lines):
        which = "vary within clusters" if within else "vary"
        said.append(f"These are the first {len(lines)} of {there} predictors that {which}.")
    return " ".join(said) or "Sizes: the rows of each cluster."
