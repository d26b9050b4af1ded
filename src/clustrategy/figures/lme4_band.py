"""What lme4 says of the datasets on which it was audited, below a study's convergence."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from matplotlib.ticker import PercentFormatter

from clustrategy.audit import tolerances as bounds
from clustrategy.evaluation.lme4_rules import Rule, failures
from clustrategy.figures.frame import wrap
from clustrategy.figures.grid import Grid
from clustrategy.figures.intervals import wilson
from clustrategy.figures.labels import SIGMA, strategy_label
from clustrategy.figures.stacks import Kind, draw_stacks, kind_handles
from clustrategy.figures.style import INK, Colour, Look

KINDS = {
    "singular": Kind("lme4: singular at the optimum", 0.0),
    "warned": Kind("warned at the optimum", 0.65, "/////"),
    "short": Kind("stopped short of it", 0.35, "\\\\\\\\\\"),
    "error": Kind("no fit", 0.0, "xxxxx", dark=True),
}
RULES: dict[Rule, tuple[str, str]] = {
    ">=1.1-19": ("o", "failed, lme4 ≥ 1.1-19"),
    "<=1.1-18": ("D", "failed, lme4 ≤ 1.1-18"),
}
FLAGS = ["optimizer_warning", "gradient_warning", "hessian_warning"]


def outcomes(audit: pd.DataFrame, factors: Sequence[str]) -> pd.DataFrame:
    """Say of each audited fit by lme4 how it ended.

    Parameters
    ----------
    audit
        The audit: factors, sim, strategy, reference, term, and of the fits of the study's engine
        and of the reference the criteria, statuses and warnings.

    Returns
    -------
    outcomes
        Factors, sim, strategy, ``outcome`` (ok or a key of :data:`KINDS`, the first that holds
        of error, short, singular and warned) and a column for each of :data:`RULES`.
    """
    key = [*factors, "sim", "strategy"]
    fits = audit.drop_duplicates([*key, "reference"])
    own = fits[[*key, "best_reml_criterion", "reml_criterion", "singular"]]
    others = fits[[*key, "best_reml_criterion", "reference_reml_criterion", "reference_singular"]]
    optima = pd.concat([own, others.set_axis(own.columns, axis=1)])
    excess = optima["reml_criterion"] - optima["best_reml_criterion"]
    optima = optima[excess <= bounds.CRITERION].drop_duplicates(key)
    lme4 = fits[fits["reference"] == "lme4"]
    theirs = lme4.filter(like="reference_").rename(columns=lambda name: name[len("reference_") :])
    best = lme4[key].merge(optima[[*key, "singular"]], how="left")["singular"]
    outcome = np.select(
        [
            theirs["status"].isin(["error", "undefined"]),
            theirs["reml_criterion"] - lme4["best_reml_criterion"] > bounds.SHORT,
            best.eq(True).to_numpy(),
            theirs[FLAGS].any(axis=1),
        ],
        ["error", "short", "singular", "warned"],
        "ok",
    )
    flags = {str(name): column.to_numpy() for name, column in theirs.items()}
    rules = {rule: failures(flags, rule) for rule in RULES}
    return lme4[key].assign(outcome=outcome, **rules)


def draw(grid: Grid, verdicts: pd.DataFrame, colours: Mapping[str, Colour], look: Look) -> None:
    """Draw a panel for each audited strategy, all sizes of dataset pooled.

    Parameters
    ----------
    grid
        A grid with a band of as many panels as there are `colours`.
    verdicts
        The :func:`outcomes`.
    colours
        The colour of each audited strategy.
    """
    for axes, (name, colour) in zip(grid.band, colours.items(), strict=True):
        _draw_panel(axes, verdicts[verdicts["strategy"] == name], grid.levels, colour, look)
        fits = verdicts.loc[verdicts["strategy"] == name, SIGMA].value_counts()
        count = f"{fits.min()}" if fits.min() == fits.max() else f"{fits.min()} to {fits.max()}"
        words = f"lme4: {strategy_label(name)}, n = {count} per sigma"
        width = 0.9 * look.width / len(colours)
        axes.set_title(wrap(words, width, look.text), fontsize=look.text, color=INK)
    grid.band[0].set_ylim(0, 1.02)
    grid.band[0].yaxis.set_major_formatter(PercentFormatter(1))


def _draw_panel(
    axes: Axes, verdicts: pd.DataFrame, levels: Sequence[float], colour: Colour, look: Look
) -> None:
    found = verdicts.groupby([SIGMA, "outcome"]).size().unstack(fill_value=0)
    found = found.reindex(list(levels), columns=["ok", *KINDS], fill_value=0)
    counts = found.to_numpy(float)
    there = np.flatnonzero(counts.any(axis=1))
    total = counts[there].sum(axis=1)
    shares = counts[there, 1:] / total[:, None]
    paint = [colour] * there.size
    draw_stacks(axes, there - 0.15, 0.36, shares, list(KINDS.values()), paint, look)
    for place, (rule, (marker, _)) in enumerate(RULES.items()):
        failed = verdicts.groupby(SIGMA)[rule].sum().reindex(list(levels)).to_numpy(float)[there]
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
    """The legend's entries of the band."""
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
    return [*kind_handles(list(KINDS.values())), *marks]


def caption(verdicts: pd.DataFrame) -> str:
    """What the band shows, or that there is none."""
    if verdicts.empty:
        return "The audit has no fits by lme4."
    short = (verdicts["outcome"] == "short").sum()
    return (
        f"Below, {len(verdicts):,} audited fits by lme4, all sizes together. The bars count each "
        f"once, as what holds first of: no fit; stopped short ({short:,}), its REML criterion more "
        "than 1e-4 above the least of all engines; singular; warned. Marks, with 95 % Wilson "
        "intervals: what counts as failed by lme4's messages since 1.1-19, and before."
    )
