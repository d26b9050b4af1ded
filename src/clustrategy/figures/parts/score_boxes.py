"""Box plots of a score by cell: what the figures of scores share."""

from __future__ import annotations

from itertools import product
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from matplotlib.ticker import LogLocator, NullLocator

from clustrategy.core.counted import counted, listed
from clustrategy.figures.parts.frame import compose, strategy_handles
from clustrategy.figures.parts.grid import Grid, panel_grid
from clustrategy.figures.parts.intervals import median_interval
from clustrategy.figures.parts.labels import (
    factor_label,
    quoted_label,
    strategy_label,
)
from clustrategy.figures.parts.slots import slots
from clustrategy.figures.parts.strokes import strokes
from clustrategy.figures.parts.study import Study
from clustrategy.figures.parts.style import INK, Look

WHISKERS = (0.05, 0.25, 0.5, 0.75, 0.95)
BOX, BAND, MARK = 0.72, 0.55, 1.0  # widths in slots


class ScoreBoxes:
    """A panel for each size of datasets, in it a box for each strategy at each level along x.

    The scores are a column of a table, NaN for fits that gave none; with ``below`` there is a row
    of further panels, one below each column.
    """

    def __init__(
        self, scores: pd.DataFrame, column: str, study: Study, *, below: bool = False
    ) -> None:
        strategies, look = study.strategies, study.look
        scores = scores[scores["strategy"].isin(strategies)]
        self.look, self.scores, self.column = look, scores, column
        self.factors, self.strategies = study.factors, strategies
        self.colours = look.strategy_colours(strategies)
        self.shown = scores[np.isfinite(scores[column])]
        self.grid: Grid = panel_grid(scores, study, below=below)
        centres, self.slot = slots(len(self.grid.levels), len(strategies))
        boxes = product(self.grid.levels, strategies)
        self.places = dict(zip(boxes, centres.ravel().tolist(), strict=True))
        for axes, panel in self.grid.panels(self.shown):
            self._draw(axes, panel)
        self.scale = _scale(self.grid.axes[0, 0], look, bool((self.shown[column] > 0).any()))

    @property
    def medians(self) -> pd.Series:
        """The median score by cell and strategy."""
        return self.shown.groupby([*self.factors, "strategy"], observed=True)[self.column].median()

    def x(self, rows: pd.DataFrame) -> np.ndarray:
        """Return where the boxes of some rows stand."""
        keys = zip(rows[self.grid.along], rows["strategy"], strict=True)
        return np.array([self.places[key] for key in keys], dtype=float)

    def _draw(self, axes: Axes, panel: pd.DataFrame) -> None:
        """Draw boxes, medians and their intervals."""
        if panel.empty:
            words: dict[str, Any] = {"ha": "center", "size": self.look.text}
            axes.text(0.5, 0.5, "no values", transform=axes.transAxes, **words)
        line = self.look.line
        for strategy, mine in panel.groupby("strategy", observed=True):
            by_level = mine.groupby(self.grid.along)[self.column]
            parts = [(level, part.to_numpy()) for level, part in by_level]
            x = np.array([self.places[level, str(strategy)] for level, _ in parts])[:, None]
            quantiles = np.array([np.quantile(part, WHISKERS) for _, part in parts])
            low, q1, median, q3, high = quantiles.T[:, :, None]
            style: dict[str, Any] = {"edgecolor": self.colours[str(strategy)]}
            half = BOX * self.slot / 2
            box = x + half * np.array([-1, 1, 1, -1, -1])
            strokes(axes, box, np.hstack([q1, q1, q3, q3, q1]), linewidth=1.1 * line, **style)
            ends = np.vstack([np.hstack([low, q1]), np.hstack([q3, high])])
            strokes(axes, np.vstack([x, x]) + [0, 0], ends, linewidth=1.1 * line, **style)
            across = x + half * np.array([-1, 1])
            strokes(axes, across, median + [0, 0], linewidth=2.4 * line, zorder=3, **style)
            ends = np.array([median_interval(part) for _, part in parts])
            around = x + BAND * self.slot / 2 * np.array([-1, 1, 1, -1])
            band: dict[str, Any] = {"facecolor": self.colours[str(strategy)], "linewidth": 0}
            strokes(axes, around, ends[:, [0, 0, 1, 1]], fill=True, alpha=0.4, zorder=1.9, **band)
        axes.autoscale_view(scalex=False)

    def mark(self, values: pd.Series) -> None:
        """Draw a black line behind the box of each cell and strategy for which there is a value."""
        rows = values.dropna().rename("mark").reset_index()
        for axes, panel in self.grid.panels(rows[rows["strategy"].isin(self.strategies)]):
            across = self.x(panel)[:, None] + MARK * self.slot / 2 * np.array([-1, 1])
            y = panel["mark"].to_numpy()[:, None] + [0, 0]
            strokes(axes, across, y, edgecolor=INK, linewidth=1.6 * self.look.line, zorder=1.5)
            axes.autoscale_view(scalex=False)

    def compose(self, *, title: str, subtitle: str, caption: str, mark: str = "") -> None:
        """Surround the panels; ``mark`` says what the black lines are, if there are any."""
        line = Line2D([], [], color=INK, linewidth=1.6 * self.look.line, label=mark)
        seen = set(self.shown["strategy"])
        drawn = [name for name in self.strategies if name in seen]
        compose(
            self.grid.figure,
            self.look,
            title=title,
            subtitle=f"{subtitle}{self.scale}",
            legends=[[*strategy_handles(drawn, self.colours), *([line] if mark else [])]],
            xlabel=factor_label(self.grid.along),
            caption=f"{self._reading()} {caption}".strip(),
        )

    def _reading(self) -> str:
        """Say how to read the boxes, and how many values are missing."""
        sims = int(self.scores.groupby([*self.factors, "strategy"], observed=True).size().max())
        fits = self.scores["strategy"].value_counts()
        lost = fits - self.shown["strategy"].value_counts().reindex(fits.index, fill_value=0)
        fitted = set(self.scores.loc[self.scores["fit_success"], "strategy"])
        partial = [
            s for s in self.strategies if s in fitted and lost.get(s, 0) and lost[s] == fits[s]
        ]
        others = [s for s in self.strategies if s not in partial]
        named = [f"{strategy_label(s)} {lost[s]:,}" for s in others if lost.get(s, 0)]
        absent = "every fit gave a value"
        if named:
            count, every = (int(of.drop(partial).sum()) for of in (lost, fits))
            absent = f"{count:,} of {every:,} fits gave no value and are not shown"
            absent += f" ({', '.join(named)})"
        if partial:
            do = "does" if len(partial) == 1 else "do"
            absent += (
                f"; not drawn: {listed([*map(quoted_label, partial)])}, which {do} not estimate "
                "every coefficient"
            )
        return (
            "Boxes: quartiles; whiskers: 5th to 95th percentile; thick line: median; shaded: its "
            f"95 % interval (Monte Carlo error). {counted(sims, 'sim')} per cell; {absent}."
        )


def _scale(axes: Axes, look: Look, positive: bool) -> str:
    """Scale the shared y axis and return what the subtitle is to say of that."""
    if look.scale == "linear" or not positive:
        axes.set_ylim(bottom=0)
        return ""
    axes.set_yscale("log")
    low, high = axes.get_ylim()
    decades = np.log10(high / low)
    subs = (1, 2, 5) if decades < 1.8 else (1, 3) if decades < 3.2 else (1,)
    axes.yaxis.set_major_locator(LogLocator(subs=subs))
    axes.yaxis.set_minor_locator(NullLocator())
    axes.yaxis.set_major_formatter(lambda value, _: f"{value:g}")
    return " (log scale)"
