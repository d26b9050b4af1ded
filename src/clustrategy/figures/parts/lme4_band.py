"""The band below the panels of `convergence`: how the fits by lme4 in the audit ended."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from matplotlib.ticker import PercentFormatter

from clustrategy.audit.tolerances import CRITERION, SHORT
from clustrategy.evaluation.lme4_rules import Rule, failures
from clustrategy.figures.parts.frame import wrap
from clustrategy.figures.parts.grid import Grid
from clustrategy.figures.parts.intervals import wilson
from clustrategy.figures.parts.labels import SIGMA, strategy_label
from clustrategy.figures.parts.stacks import Outcome, draw_stacks, outcome_handles
from clustrategy.figures.parts.style import INK, Colour, Look

OUTCOMES = {
    "singular": Outcome("lme4: singular at the optimum", 0.0),
    "warned": Outcome("warned at the optimum", 0.65, "/////"),
    "short": Outcome("stopped short of it", 0.35, "\\\\\\\\\\"),
    "error": Outcome("no fit", 0.0, "xxxxx", dark=True),
}
RULES: dict[Rule, tuple[str, str]] = {
    ">=1.1-19": ("o", "no fit_success, lme4 ≥ 1.1-19"),
    "<=1.1-18": ("D", "no fit_success, lme4 ≤ 1.1-18"),
}
FLAGS = ["optimizer_warning", "gradient_warning", "hessian_warning"]


def outcomes(audit: pd.DataFrame, factors: Sequence[str]) -> pd.DataFrame:
    """Return how each fit by lme4 in the audit ended.

    Parameters
    ----------
    audit : DataFrame
        The audit.
    factors : sequence of str
        The study's factors.

    Returns
    -------
    DataFrame
        Factors, sim, strategy, ``outcome`` (the first of error, short, singular and warned that
        is true, else ok) and for each of `RULES` whether the fit failed by it.
    """
    key = [*factors, "sim", "strategy"]
    fits = audit.drop_duplicates([*key, "reference"])
    own = fits[[*key, "best_reml_criterion", "reml_criterion", "singular"]]
    others = fits[[*key, "best_reml_criterion", "reference_reml_criterion", "reference_singular"]]
    optima = pd.concat([own, others.set_axis(own.columns, axis=1)])
    excess = optima["reml_criterion"] - optima["best_reml_criterion"]
    optima = optima[excess <= CRITERION].drop_duplicates(key)
    lme4 = fits[fits["reference"] == "lme4"]
    theirs = lme4.filter(like="reference_").rename(columns=lambda name: name[len("reference_") :])
    best = lme4[key].merge(optima[[*key, "singular"]], how="left")["singular"]
    outcome = np.select(
        [
            theirs["status"].isin(["error", "undefined"]),
            theirs["reml_criterion"] - lme4["best_reml_criterion"] > SHORT,
            best.eq(True).to_numpy(),
            theirs[FLAGS].any(axis=1),
        ],
        ["error", "short", "singular", "warned"],
        "ok",
    )
    flags = {str(name): column.to_numpy() for name, column in theirs.items()}
    rules = {rule: failures(flags, rule) for rule in RULES}
    return lme4[key].assign(outcome=outcome, **rules)


def draw(grid: Grid, fits: pd.DataFrame, colours: Mapping[str, Colour], look: Look) -> None:
    """Draw a panel for each audited strategy, all sizes of datasets pooled.

    Parameters
    ----------
    grid : Grid
        A grid with as many panels in its band as there are `colours`.
    fits : DataFrame
        What `outcomes` returns.
    colours : mapping of str to tuple
        The colour of each audited strategy.
    look : Look
        The figure's look.
    """
    for axes, (name, colour) in zip(grid.band, colours.items(), strict=True):
        _draw_panel(axes, fits[fits["strategy"] == name], grid.levels, colour, look)
        n = fits.loc[fits["strategy"] == name, SIGMA].value_counts()
        count = f"{n.min()}" if n.min() == n.max() else f"{n.min()} to {n.max()}"
        words = f"lme4: {strategy_label(name)}, n = {count} per sigma"
        width = 0.9 * look.width / len(colours)
        axes.set_title(wrap(words, width, look.text), fontsize=look.text, color=INK)
    grid.band[0].set_ylim(0, 1.02)
    grid.band[0].yaxis.set_major_formatter(PercentFormatter(1))


def _draw_panel(
    axes: Axes, fits: pd.DataFrame, levels: Sequence[float], colour: Colour, look: Look
) -> None:
    found = fits.groupby([SIGMA, "outcome"]).size().unstack(fill_value=0)
    found = found.reindex(list(levels), columns=["ok", *OUTCOMES], fill_value=0)
    counts = found.to_numpy(float)
    there = np.flatnonzero(counts.any(axis=1))
    total = counts[there].sum(axis=1)
    shares = counts[there, 1:] / total[:, None]
    paint = [colour] * there.size
    draw_stacks(axes, there - 0.15, 0.36, shares, list(OUTCOMES.values()), paint, look)
    for place, (rule, (marker, _)) in enumerate(RULES.items()):
        failed = fits.groupby(SIGMA)[rule].sum().reindex(list(levels)).to_numpy(float)[there]
        low, high = wilson(failed, total)
        ends = np.maximum([failed / total - low, high - failed / total], 0)
        axes.errorbar(
            there + 0.16 + 0.16 * place,
            failed / total,
            ends,
            fmt=marker,
            color=INK,
            elinewidth=1.2 * look.line,
            markersize=look.printed(3.2),
            markerfacecolor=_face(place),
            clip_on=False,
        )


def _face(place: int) -> str:
    return "white" if place else INK


def handles(look: Look) -> list[Artist]:
    """Return a legend's entries for the band."""
    marks = [
        Line2D(
            [],
            [],
            color=INK,
            linestyle="none",
            marker=marker,
            markersize=look.printed(3.2),
            markerfacecolor=_face(place),
            label=label,
        )
        for place, (marker, label) in enumerate(RULES.values())
    ]
    return [*outcome_handles(list(OUTCOMES.values())), *marks]


def caption(fits: pd.DataFrame) -> str:
    """Say what the band shows, or that there is none."""
    if fits.empty:
        return "The audit has no fits by lme4."
    short = (fits["outcome"] == "short").sum()
    return (
        f"Below, {len(fits):,} audited fits by lme4, all sizes together. The bars count each "
        f"once, as what holds first of: no fit; stopped short ({short:,}), its REML criterion more "
        "than 1e-4 above the least of all engines; singular; warned. Marks, with 95 % Wilson "
        "intervals: fits without fit_success by lme4's messages since 1.1-19, and before."
    )
