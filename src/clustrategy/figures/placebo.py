"""How often placebos are rejected on the real outcome, against outcomes of the working model."""

from __future__ import annotations

from typing import Any

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Patch
from matplotlib.ticker import FuncFormatter

from clustrategy.core.counted import counted, listed
from clustrategy.figures.parts.dot_rows import dot_rows
from clustrategy.figures.parts.frame import compose, dot, nothing
from clustrategy.figures.parts.labels import name_label, percent, quoted_label
from clustrategy.figures.parts.study import Study
from clustrategy.figures.parts.style import GOOD, INK, MUTED, WRONG, Look
from clustrategy.owndata.placebo_words import finding

SUBTITLE = (
    "Placebo check: how often a test at the {} level rejects a placebo in place of the predictor"
)
SHADE = "#d9d9d9"
LONGEST = 60  # letters of a term
MOST_NAMED = 3


def placebo(placebo: pd.DataFrame, *, study: Study) -> Figure:
    """Draw the rates on the real outcome and those on simulated ones, a row for each strategy."""
    look, subtitle = study.look, SUBTITLE.format(percent(study.alpha))
    told = placebo[placebo["rate"].notna()]
    named = told.assign(term=told["term"].map(lambda term: name_label(term, LONGEST)))
    title = finding(named.to_dict("records"))
    if told.empty:
        return nothing(look, title, subtitle, _reasons(placebo))
    terms = list(dict.fromkeys(told["term"]))
    strategies = [name for name in study.strategies if name in set(told["strategy"])]
    titles = [_title(term, told) for term in terms]
    rows = dot_rows(look, strategies=strategies, blocks=titles)
    end = 100 * max(told["rate"].max(), told["expected_high"].max())
    rows.axes[0, 0].set_xlim(-0.02 * end, 1.05 * end)
    rows.axes[0, 0].xaxis.set_major_formatter(FuncFormatter(lambda rate, _: f"{rate:.3g}"))
    for block, term in enumerate(terms):
        mine = told[told["term"] == term]
        axes = rows.axes[block, 0]
        axes.axvline(100 * study.alpha, color=MUTED, linewidth=look.line, linestyle=(0, (4, 3)))
        _draw(axes, mine, rows.at(mine["strategy"]), min(look.printed(3.6), 0.5 * rows.text), look)
        texts = dict.fromkeys(strategies, "not tested")
        texts |= {row["strategy"]: _beside(row) for row in mine.to_dict("records")}
        rows.beside(block, texts, "real (simulated, 95 %)")
    agrees = told["agrees"].astype(bool)
    handles: list[Any] = [Patch(facecolor=SHADE, label="95 % of simulated outcomes")]
    handles += [dot("their mean", look, marker="|")]
    handles += [dot("real outcome, inside", look, color=GOOD)] if agrees.any() else []
    if not agrees.all():
        handles += [dot("real outcome, outside", look, color=WRONG, marker="D")]
    compose(
        rows.figure,
        look,
        title=title,
        subtitle=subtitle,
        legends=[handles],
        xlabel="placebos rejected, %",
        caption=_caption(told, placebo, study),
    )
    return rows.figure


def _title(term: str, told: pd.DataFrame) -> str:
    kind = told.loc[told["term"] == term, "placebo"].iloc[0]
    return f"{name_label(term, LONGEST)}: {kind}"


def _draw(axes: Axes, rows: pd.DataFrame, y: Any, mark: float, look: Look) -> None:
    """Draw the rates of one term, y the places of their strategies."""
    low, high = 100 * rows["expected_low"], 100 * rows["expected_high"]
    axes.barh(y, high - low, left=low, height=0.5, color=SHADE, linewidth=0, zorder=1)
    tick: dict[str, Any] = {"marker": "|", "color": INK, "linewidth": look.line, "zorder": 2}
    axes.scatter(100 * rows["expected"], y, s=(1.6 * mark) ** 2, **tick)
    agrees = rows["agrees"].astype(bool).to_numpy()
    for some, colour, marker in ((agrees, GOOD, "o"), (~agrees, WRONG, "D")):
        style: dict[str, Any] = {"color": colour, "marker": marker, "linewidth": 0, "zorder": 3}
        axes.scatter(100 * rows["rate"][some], y[some], s=mark**2, **style)


def _beside(row: dict[Any, Any]) -> str:
    real, low, high = (
        f"{100 * row[name]:.0f}" for name in ("rate", "expected_low", "expected_high")
    )
    return f"{real} % ({low} to {high} %)"


def _caption(told: pd.DataFrame, whole: pd.DataFrame, study: Study) -> str:
    parts = [
        f"Up to {counted(int(told['placebos'].max()), 'placebo')} of each term, the same ones on "
        f"the real outcome as on {counted(int(told['outcomes'].max()), 'outcome')} of the working "
        f"model. Dashed: {percent(study.alpha)}, which the rate of one outcome need not be near. "
        "What the predictors explain is taken from every outcome first.",
    ]
    if told["placebo"].str.startswith("permuted").any():
        parts.append(
            "A test by permutation would itself be exact only for what was randomised among the "
            "clusters; this comparison does not need that."
        )
    for note, rows in told[told["note"] != ""].groupby("note", sort=False):
        parts.append(f"{_terms(rows)}: {note}.")
    parts.append(_reasons(whole))
    return " ".join(parts).strip()


def _reasons(table: pd.DataFrame) -> str:
    """Say why rows have no rate."""
    said = []
    for note, rows in table[table["rate"].isna()].groupby("note", sort=False):
        strategies = rows["strategy"].unique()
        by = quoted_label(strategies[0])
        by = by if len(strategies) == 1 else f"{len(strategies)} strategies"
        said.append(f"{_terms(rows)} by {by}: {note}.")
    return " ".join(said)


def _terms(rows: pd.DataFrame) -> str:
    names = rows["term"].unique()
    if len(names) > MOST_NAMED:
        return f"{len(names)} terms"
    return listed([name_label(name, LONGEST) for name in names])
