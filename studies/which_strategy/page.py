"""The page: what to use, the table to look it up in, and the evidence."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from studies.which_strategy.collection import RATE, Facts
from studies.which_strategy.evidence import (
    BETWEEN,
    INDIFFERENCE,
    KINDS,
    STEADY,
    TREATMENT,
    WITHIN,
    Evidence,
    Standing,
    best,
    chosen,
)
from studies.which_strategy.parts import CORE, DOCS, IMBALANCE, LITTLE, VIOLATIONS
from studies.which_strategy.strategies import STRATEGIES

PAGE = DOCS / "which-strategy.md"
MAP, FOUND = DOCS / "which_strategy_map.png", DOCS / "which_strategy_power.png"

FEW = 3
"""So many strategies are named in a cell of a table; of more, the rest is counted."""

ASKED = {
    WITHIN: "A predictor that varies within clusters (a within-person factor, a characteristic of "
    "pupils, a regressor that changes from year to year).",
    TREATMENT: "A treatment of whole clusters (a cluster-randomised trial; a policy that a state "
    "has in all its rows or in none).",
    BETWEEN: "Another predictor that is constant within clusters (level 2, between persons, a "
    "characteristic of schools or firms).",
}
"""The kinds of predictors as readers know them."""

WITHIN_SHOWN = (
    "OLS, CR1S",
    "OLS, CR2",
    "wild_cluster_bootstrap",
    "fixed effects, CR2",
    "GEE, Ford-Westgate",
    "two_stage",
    "mixed_intercept",
    "mixed, random intercept, CR2",
    "mixed_uncorrelated",
    "mixed_maximal",
    "within-between OLS, CR2",
)
BETWEEN_SHOWN = (
    "OLS, CR1S",
    "OLS, CR2",
    "wild_cluster_bootstrap",
    "GEE, Ford-Westgate",
    "OLS, CR3",
    "two_stage",
    "mixed_intercept",
    "mixed, random intercept, KR",
    "mixed, random intercept, CR2",
    "mixed_maximal",
    "mixed, maximal, cross-level",
)
"""The columns of the tables of violations and of imbalance."""

VIOLATED = {
    "t-errors": "errors with heavy tails (t, 5 df)",
    "skewed-errors": "skewed errors (exponential)",
    "skewed-effects": "skewed cluster effects (exponential)",
    "contaminated-effects": "contaminated cluster effects (one in ten with 3 times the SD)",
    "error-variance-CV-0.5": "error variances that differ between clusters, CV .5",
    "error-variance-CV-1": "the same, CV 1",
    "autocorrelation-0.4": "errors correlated from row to row, .4",
    "autocorrelation-0.8": "the same, .8",
    "endogeneity-0.3": "the predictor within correlated .3 with the clusters' intercepts",
    "informative-sizes-clusters": "sizes that go with intercepts (.5); average over clusters",
    "informative-sizes-persons": "the same; average over persons",
    "missing-given-IV1": "30 % of rows missing, the more the larger the predictor within",
    "missing-completely-at-random": "30 % of rows missing completely at random",
    "slopes-go-with-intercepts": "intercepts and slopes correlated .6",
    "slopes-go-against-intercepts": "intercepts and slopes correlated −.6",
    "hidden-random-slope": "a random slope (SD .3) of a covariate that no model has",
}
"""The mechanisms of config/which-strategy/violations.yaml in words."""


class Question(NamedTuple):
    """A question that the page answers.

    Attributes
    ----------
    asked, reading : str
        The question, and where its data are in the study.
    part, kind : str
        Of the study, and of predictors.
    where : dict
        The levels of factors: the neighbours of the data, the worse of which counts.
    mind : str
        What the answer rests on.
    """

    asked: str
    reading: str
    part: str
    kind: str
    where: dict[str, Any]
    mind: str


QUESTIONS = (
    Question(
        "14 schools, half of them treated, of unequal sizes: is there an effect of the treatment?",
        "A treatment of whole clusters; 14 lies between 10 and 20; CVs of sizes of .65 and 1.5, "
        "variances equal in both arms or not.",
        IMBALANCE,
        TREATMENT,
        {"clusters": [10.0, 20.0], "treated": "half", "size_cv": [0.65, 1.5]},
        "With few of the schools treated it is another question: see "
        "[unequal arms](#unequal-clusters-and-arms).",
    ),
    Question(
        "30 persons, 40 trials each: is there an effect of a within-person factor?",
        "A predictor within clusters; between 20 and 40 clusters, and 20 and 80 rows, whatever ICC "
        "and slopes.",
        CORE,
        WITHIN,
        {"clusters": [20.0, 40.0], "obs_per_cluster": [20.0, 80.0]},
        "",
    ),
    Question(
        "50 firms over 20 years: has a regressor that hardly varies within firms an effect?",
        "A predictor with nine tenths of its variance between clusters; 50 clusters of 20 rows, "
        "ICCs of .1 and .3, slopes alike or not.",
        LITTLE,
        STEADY,
        {"clusters": 50.0},
        "**If the regressor may go with what else makes firms differ, which is usual: fixed "
        "effects or within-between**, which use its changes within firms alone and so find less "
        "([endogeneity](#where-an-assumption-fails)). If it surely does not:",
    ),
)


def percent(share: float, digits: int = 0) -> str:
    """Return a share in percent."""
    return f"{100 * share:.{digits}f} %"


def span(standings: Sequence[Standing]) -> str:
    """Say how often some strategies find the effect, from the least to the most."""
    low, high = (round(100 * end([one.found for one in standings])) for end in (min, max))
    return f"{low} %" if low == high else f"{low} to {high} %"


def named(standings: Sequence[Standing], few: int = FEW, *, rates: bool = False) -> str:
    """List strategies, perhaps with the rates of their worst cells; more than few are counted."""
    known = [f"{one.name} {percent(one.rate)}" if rates else one.name for one in standings]
    if len(known) > few + 1:
        known = [*known[:few], f"{len(known) - few} more"]
    return "; ".join(known) or "none"


def explained(standings: Sequence[Standing]) -> str:
    """List strategies with what they are."""
    *first, last = (f"*{one.name}* ({STRATEGIES[one.strategy].words})" for one in standings)
    return f"{', '.join(first)} or {last}" if first else last


def table(head: Sequence[str], body: Sequence[Sequence[str]], numbers: int = 0) -> str:
    """Write a Markdown table, whose first columns may be numbers."""
    rule = ["---:" if column < numbers else "---" for column in range(len(head))]
    return "\n".join(f"| {' | '.join(row)} |" for row in (head, rule, *body))


def answer(evidence: Evidence, kind: str, words: str) -> str:
    """Say what to use for one kind of predictor whatever varies, and what not."""
    standings = evidence.standings(CORE, kind)
    cells = evidence.count(CORE, kind)
    use = best(standings)
    said = [f"**{words}**"]
    if use:
        said.append(
            f"Use {explained(use)}: safe in all {cells} cells of the core (at most "
            f"{percent(max(one.rate for one in use), 1)} false positives), with a power of "
            f"{span(use)} where a test that knew all variances would have 80 %."
        )
        others = [one for one in standings if one.safe and one not in use]
        if others:
            said.append(f"Safe, too, with less power: {named(others, 8)}.")
    else:
        near = [one for one in standings if not one.liberal]
        said.append(
            f"No strategy is safe in all {cells} cells; nearest: {named(near, rates=True)}."
        )
    alike = evidence.standings(CORE, kind, slope_sd=0.0)
    used = {one.strategy for one in use}
    here = max((one.found for one in alike if one.strategy in used), default=0.0)
    more = [one for one in best(alike) if one.found > here + INDIFFERENCE]
    if use and more:
        has = "has" if len(more) == 1 else "have"
        gain = 100 * (max(one.found for one in more) - here)
        said.append(
            f"Where slopes surely do not differ between clusters, {named(more)} {has} "
            f"{gain:.0f} points more on average, most with few clusters."
        )
    liberal = sorted((one for one in standings if one.liberal), key=lambda one: -one.rate)
    if liberal:
        worst = named(liberal, 8, rates=True)
        said.append(f"Do not use these (false positives at worst): {worst}.")
    return " ".join(said)


def decisions(evidence: Evidence, kind: str) -> str:
    """Return the table in which one looks up a kind of predictor."""
    body = []
    # In the same order in each row, so that what is best in many is seen to be.
    order = [one.strategy for one in evidence.standings(CORE, kind)]

    avoided = {one.strategy for one in evidence.standings(CORE, kind) if one.liberal}

    def sorted_best(*, alike: bool = False, **where: Any) -> list[Standing]:
        standings = evidence.standings(CORE, kind, **where)
        known = best([one for one in standings if alike or one.strategy not in avoided])
        return sorted(known, key=lambda one: order.index(one.strategy))

    for G in evidence.levels("clusters"):
        for n in evidence.levels("obs_per_cluster"):
            where: dict[str, Any] = {"clusters": G, "obs_per_cluster": n}
            standings = evidence.standings(CORE, kind, **where)
            use = sorted_best(**where)
            alike = sorted_best(alike=True, **where, slope_sd=0.0)
            liberal = [one for one in standings if one.liberal][::-1]
            body.append(
                [
                    f"{G:g}",
                    f"{n:g}",
                    f"**{named(use)}**",
                    span(use) if use else "",
                    f"{named(alike, 2)} ({span(alike)})" if alike else "none",
                    named(liberal, rates=True),
                ]
            )
    head = [
        "clusters",
        "rows of each",
        "use, whatever varies",
        "power",
        "best where slopes are alike",
        "avoid",
    ]
    return table(head, body, numbers=2)


def question(evidence: Evidence, asked: Question) -> dict[str, str]:
    """Answer a question by numbers."""
    standings = evidence.standings(asked.part, asked.kind, **asked.where)
    use = best(standings)
    cells = evidence.count(asked.part, asked.kind, **asked.where)
    if use:
        told = f"**Use {named(use)}**: safe in each of the {cells} cells, power {span(use)}."
    else:
        near = [one for one in standings if not one.liberal]
        told = (
            f"**No strategy is shown to be safe in all {cells} cells.** Not found liberal, and "
            f"nearest: {named(near, rates=True)}."
        )
    body = [
        [
            one.name,
            "safe" if one.safe else "**liberal**" if one.liberal else "not shown to be safe",
            f"{percent(one.rate, 1)} ({100 * one.mcse:.1f})",
            percent(one.found),
        ]
        for one in standings
    ]
    head = ["strategy", "verdict", "false positives at worst (MCSE)", "power"]
    return {
        "asked": asked.asked,
        "told": told,
        "reading": asked.reading,
        "mind": asked.mind,
        "lines": table(head, body),
    }


def rates(
    evidence: Evidence,
    part: str,
    rows: Sequence[tuple[str, str, dict[str, Any]]],
    shown: Sequence[str],
) -> str:
    """Return the worst rates of some strategies.

    Parameters
    ----------
    evidence : Evidence
    part : str
        Of the study.
    rows : sequence of tuple
        Of each row the words, the kind of predictor, and which cells.
    shown : sequence of str
        The strategies.
    """
    body = []
    for words, kind, where in rows:
        by = {one.strategy: one for one in evidence.standings(part, kind, **where)}
        line = [words]
        for strategy in shown:
            one = by.get(strategy)
            rate = "" if one is None else f"{100 * one.rate:.1f}"
            mark = "" if one is None or one.safe else "°"
            line.append(f"**{rate}**" if one is not None and one.liberal else rate + mark)
        body.append(line)
    return table(["", *(STRATEGIES[one].short for one in shown)], body)


def imbalance(evidence: Evidence) -> str:
    """Return the worst rates for a treatment of whole clusters, by arms and their variances."""
    rows = [
        (
            f"{G:g} clusters, {treated} treated, variances {ratio}",
            TREATMENT,
            {"clusters": G, "treated": treated, "mechanism": mechanism},
        )
        for G in evidence.levels("clusters", IMBALANCE)
        for treated in ("half", "3")
        for mechanism, ratio in (
            ("equal-variances", "equal"),
            ("treated-arm-times-4", "4 times as large in the treated"),
        )
    ]
    return rates(evidence, IMBALANCE, rows, BETWEEN_SHOWN)


def violations(evidence: Evidence, start: str, shown: Sequence[str]) -> str:
    """Return the worst rates under each violation, of the kind whose name starts so."""
    rows = [
        (words, kind, {"mechanism": mechanism})
        for mechanism, words in VIOLATED.items()
        for kind in evidence.kinds(VIOLATIONS, mechanism=mechanism)
        if kind.startswith(start)
    ]
    return rates(evidence, VIOLATIONS, rows, shown)


def by_strategy(evidence: Evidence) -> str:
    """Return how each strategy stands in all cells of the core."""
    standings = {
        kind: {one.strategy: one for one in evidence.standings(CORE, kind)} for kind in KINDS
    }
    body = []
    for label, strategy in STRATEGIES.items():
        line = [f"[{strategy.short}](strategies/{strategy.page}.md)", strategy.words]
        for kind, by in standings.items():
            one = by.get(label)
            if one is None:
                line += ["", "", ""]
                continue
            cells = chosen(evidence.cells, part=CORE, kind=kind, strategy=label, measure=RATE)
            line += [
                f"{int(cells['safe'].sum())}",
                f"{100 * one.rate:.1f} ({100 * one.mcse:.1f})",
                f"{100 * one.found:.0f}",
            ]
        body.append(line)
    head = ["strategy", "what it is"]
    for kind in ("within", "cluster level", "treatment"):
        head += [f"{kind}: safe cells", "worst, %", "power, %"]
    return table(head, body)


def page(evidence: Evidence, facts: Facts) -> str:
    """Write the page."""
    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent),
        trim_blocks=True,
        undefined=StrictUndefined,
        keep_trailing_newline=True,
    )
    return environment.get_template("page.md.jinja").render(
        answers=[answer(evidence, kind, words) for kind, words in ASKED.items()],
        decisions=[(title, decisions(evidence, kind)) for kind, title in KINDS.items()],
        questions=[question(evidence, asked) for asked in QUESTIONS],
        imbalance=imbalance(evidence),
        violations_within=violations(evidence, "predictor within", WITHIN_SHOWN),
        violations_treatment=violations(evidence, TREATMENT, BETWEEN_SHOWN),
        strategies=by_strategy(evidence),
        cells=evidence.count(CORE, WITHIN),
        methods=len(STRATEGIES),
        datasets=f"{evidence.datasets:,}",
        facts=facts,
        map=MAP.name,
        found=FOUND.name,
    )
