"""The page's figures: false positives in the worst cells, and what is found."""

from __future__ import annotations

from matplotlib.figure import Figure
from matplotlib.patches import Patch, Rectangle

from clustrategy.figures.parts.frame import compose, dot
from clustrategy.figures.parts.style import INK, MUTED, WRONG, Look, dress, new_figure
from studies.which_strategy.evidence import KINDS, Evidence, Standing, best
from studies.which_strategy.parts import CORE
from studies.which_strategy.strategies import STRATEGIES

LOOK = Look(width=10)
SAFE, OPEN = "#0173b2", "#d9d9d9"
BLUES = ("#c6dbef", "#6baed6", "#2171b5", "#08306b")


def draw_map(evidence: Evidence) -> Figure:
    """Draw the worst false-positive rates by clusters and rows, coloured by verdict."""
    clusters, rows = evidence.levels("clusters"), evidence.levels("obs_per_cluster")
    columns = [(G, n) for G in clusters for n in rows]
    found: dict[str, list[dict[str, Standing]]] = {
        kind: [
            {
                one.strategy: one
                for one in evidence.standings(CORE, kind, clusters=G, obs_per_cluster=n)
            }
            for G, n in columns
        ]
        for kind in KINDS
    }
    there = {one for columns_of in found.values() for column in columns_of for one in column}
    labels = [one for one in STRATEGIES if one in there]
    figure = new_figure(LOOK, 0.235 * len(labels) + 1.6)
    panels = figure.subplots(1, len(KINDS), sharey=True)
    small, text = LOOK.printed(5), LOOK.printed(6.5)
    for axes, (kind, title) in zip(panels, KINDS.items(), strict=True):
        for x, column in enumerate(found[kind]):
            for y, label in enumerate(labels):
                if (one := column.get(label)) is None:
                    continue
                paint = WRONG if one.liberal else SAFE if one.safe else OPEN
                axes.add_patch(
                    Rectangle(
                        (x - 0.5, y - 0.5), 1, 1, facecolor=paint, edgecolor="white", linewidth=0.8
                    )
                )
                ink = INK if paint == OPEN else "white"
                rate = f"{100 * one.rate:.0f}"
                axes.text(x, y, rate, ha="center", va="center", fontsize=small, color=ink)
        axes.set_xlim(-0.5, len(columns) - 0.5)
        axes.set_ylim(len(labels) - 0.5, -0.5)
        axes.set_xticks(range(len(columns)), [f"{n:g}" for _, n in columns], fontsize=small)
        names = [STRATEGIES[one].short for one in labels]
        axes.set_yticks(range(len(labels)), names, fontsize=text)
        axes.tick_params(length=0)
        axes.spines[:].set_visible(False)
        for place_of, G in enumerate(clusters):
            middle = len(rows) * place_of + (len(rows) - 1) / 2
            word = f"{G:g} clusters" if place_of == 0 else f"{G:g}"
            axes.text(middle, -0.75, word, ha="center", va="bottom", fontsize=text)
            axes.axvline(len(rows) * place_of - 0.5, color="white", linewidth=3)
        axes.set_title(title, fontsize=LOOK.printed(7.5), loc="left", pad=18)
    counts = "; ".join(
        f"{len(_safe_everywhere(found[kind], labels))} for a {title.lower()}"
        for kind, title in KINDS.items()
    )
    compose(
        figure,
        LOOK,
        title=f"Of {len(labels)} strategies so many are safe in every cell: {counts}",
        subtitle="False positives in %, worst of nine cells (three ICCs, three SDs of slopes)",
        legends=[
            [
                Patch(facecolor=SAFE, label="safe in each cell"),
                Patch(facecolor=OPEN, label="not shown to be safe, not liberal"),
                Patch(facecolor=WRONG, label="liberal in some cell"),
            ]
        ],
        xlabel="observations per cluster",
        caption="Tests at 5 %; 10,000 sims a cell, 4,000 of the last three, of the first draw.",
    )
    return figure


def _safe_everywhere(columns: list[dict[str, Standing]], labels: list[str]) -> list[str]:
    return [one for one in labels if all(one in by and by[one].safe for by in columns)]


def draw_power(evidence: Evidence) -> Figure:
    """Draw how much each strategy finds, by the number of clusters."""
    clusters = evidence.levels("clusters")
    standings = {
        kind: {G: evidence.standings(CORE, kind, clusters=G) for G in clusters} for kind in KINDS
    }
    there = {one.strategy for of in standings.values() for each in of.values() for one in each}
    labels = [one for one in STRATEGIES if one in there]
    figure = new_figure(LOOK, 0.22 * len(labels) + 1.8)
    panels = figure.subplots(1, len(KINDS), sharey=True, sharex=True)
    inks = dict(zip(clusters, BLUES, strict=True))
    for axes, (kind, title) in zip(panels, KINDS.items(), strict=True):
        for G in clusters:
            for one in standings[kind][G]:
                at = 100 * one.found, labels.index(one.strategy)
                if one.liberal:
                    axes.scatter(*at, marker="x", s=14, color=WRONG, linewidth=0.9, zorder=2)
                else:
                    fill = inks[G] if one.safe else "none"
                    style = {"facecolor": fill, "edgecolor": inks[G], "linewidth": 1.1}
                    axes.scatter(*at, s=26, zorder=3, **style)
        axes.axvline(80, color=MUTED, linewidth=0.8, linestyle=(0, (4, 3)))
        names = [STRATEGIES[one].short for one in labels]
        axes.set_yticks(range(len(labels)), names, fontsize=LOOK.printed(6.5))
        axes.set_ylim(len(labels) - 0.5, -0.5)
        dress(axes, LOOK)
        axes.grid(axis="y", visible=True, color="#eeeeee")
        axes.set_title(title, fontsize=LOOK.printed(7.5), loc="left")
    compose(
        figure,
        LOOK,
        title=_finding(standings),
        subtitle="How often an effect is found that an oracle (all variances known) finds in 80 %",
        legends=[
            [
                *(
                    dot(f"{G:g} clusters", LOOK, markerfacecolor=ink, markeredgecolor=ink)
                    for G, ink in inks.items()
                ),
                dot("not shown to be safe", LOOK, markerfacecolor="none", markeredgecolor=MUTED),
                dot("liberal somewhere", LOOK, marker="x", color=WRONG),
            ]
        ],
        xlabel="datasets in which it is found, %",
        caption=(
            "Means over observations per cluster, ICCs and SDs of slopes; safe: in each of these "
            "27 cells. Size-adjusted where more than 5 % of true hypotheses are rejected."
        ),
    )
    return figure


def _finding(standings: dict[str, dict[float, list[Standing]]]) -> str:
    """Say what the safe find with the fewest and the most clusters."""
    parts = []
    for kind, of in standings.items():
        top = {G: best(each) for G, each in of.items()}
        ends = [f"{100 * one[0].found:.0f} % with {G:g}" for G, one in top.items() if one]
        if ends:
            parts.append(f"{KINDS[kind].lower()} {ends[0]} clusters, {ends[-1]}")
    return f"Power of the best safe strategy: {'; '.join(parts)}" if parts else "None is safe"
