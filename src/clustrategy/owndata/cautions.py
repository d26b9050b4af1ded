"""What to mind of a table and of the fits to it: plain sentences, each with its number.

Where a number is few or much is a matter of convention; the sources are beside the numbers.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import TYPE_CHECKING, Any

from clustrategy.core.counted import counted, listed
from clustrategy.core.fits import Fits
from clustrategy.core.shard import INTERCEPT
from clustrategy.design.from_table import Design
from clustrategy.engines.chosen import Strategy
from clustrategy.estimation.within import NOTHING_VARIES
from clustrategy.owndata.random_effects import components, random_terms
from clustrategy.owndata.reliance import FEW_CLUSTERS, LEVEL, off_centre
from clustrategy.owndata.words import number, p_value

if TYPE_CHECKING:
    import pandas as pd

FEW_TREATED = 6
"""Below, the wild bootstrap and CR1S fail (MacKinnon & Webb 2018, Econometrics Journal 21,
114-135)."""

FEW_EFFECTIVE = 10.0
"""Effective clusters (Carter, Schnepel & Steigerwald 2017, REStat 99, 698-709)."""

MOST_LEVERAGE = 0.5
"""One cluster's share of the partial leverage of a coefficient."""

SMALLER = "random effects that are combinations of one another"

MOST_TERMS = 5
"""Terms of which one caution is said each; of more, the rest is counted."""


@dataclass(frozen=True)
class Caution:
    """Something to mind.

    Attributes
    ----------
    kind : str
        What it is about: `two_clusters`, `few_clusters`, `few_treated`, `few_effective`,
        `indispensable`, `leverage`, `constant_within`, `at_zero`, `cannot_reject`,
        `cluster_as_number`, `within_between`, `singular`, `unusable`,
        `message` or `left_out`.
    text : str
        A sentence or two.
    value : float
        The number that it is said for.
    term : str, optional
        The coefficient that it is about.
    strategy : str, optional
        The strategy that it is about.
    """

    kind: str
    text: str
    value: float
    term: str | None = None
    strategy: str | None = None

    def __str__(self) -> str:
        """Return the text."""
        return self.text


def cautions(
    design: Design, strategies: Sequence[Strategy], fits: Sequence[Fits], by_term: pd.DataFrame
) -> list[Caution]:
    """Find what there is to mind.

    Parameters
    ----------
    design : Design
        The table.
    strategies, fits : sequence of Strategy and of Fits
        What was fitted to it.
    by_term : DataFrame
        What the design says of each term.

    Returns
    -------
    list of Caution
        The worst first.
    """
    rows: list[Row] = [{str(key): row[key] for key in row} for row in by_term.to_dict("records")]
    terms = [row for row in rows if row["term"] != INTERCEPT]
    return [
        *_number_of_clusters(design),
        *_few_treated(terms),
        *_few_effective(terms, design.shard.clusters),
        *_indispensable(terms),
        *_leverage(terms),
        *_within_between(terms),
        *_constant_within(terms, strategies),
        *_at_zero(design, terms, strategies),
        *_cannot_reject(design, strategies),
        *_cluster_as_number(design),
        *_singular(design, strategies, fits),
        *_unusable(strategies, fits),
        *_left_out(design),
    ]


Row = dict[str, Any]


def _number_of_clusters(design: Design) -> Iterator[Caution]:
    G = design.shard.clusters
    if G == 2:
        yield Caution(
            "two_clusters",
            "2 clusters: whatever differs between them, for whatever reason, looks like an effect "
            "of what is constant within clusters, and a test that allows for clusters has one "
            "degree of freedom. Treat p-values as descriptions.",
            G,
        )
    elif G < FEW_CLUSTERS:
        yield Caution(
            "few_clusters",
            f"{G} clusters are few (fewer than {FEW_CLUSTERS:.0f}): the cluster-robust standard "
            "errors that papers usually have (CR1S) reject true hypotheses too often.",
            G,
        )


def _few_treated(terms: Sequence[Row]) -> Iterator[Caution]:
    for row in terms:
        treated, untreated = row["treated_clusters"], row["untreated_clusters"]
        fewest = min(treated, untreated)
        if not fewest < FEW_TREATED:  # NaN where it is no cluster-level 0/1 predictor
            continue
        have = "have" if treated <= untreated else "lack"
        yield Caution(
            "few_treated",
            f"{row['term']}: only {int(fewest)} of {int(treated + untreated)} clusters {have} it. "
            f"With fewer than {FEW_TREATED} no test of it can be trusted; the wild bootstrap and "
            "CR1S fail worst.",
            fewest,
            row["term"],
        )


def _few_effective(terms: Sequence[Row], clusters: int) -> Iterator[Caution]:
    if clusters == 2:
        return
    low = [row for row in terms if row["effective_clusters"] < min(FEW_EFFECTIVE, 0.8 * clusters)]
    for row in low[:MOST_TERMS]:
        yield Caution(
            "few_effective",
            f"{row['term']} rests on {row['effective_clusters']:.1f} effective clusters, though "
            f"there are {clusters:,}: its test is as uncertain as with so few equal ones.",
            row["effective_clusters"],
            row["term"],
        )
    yield from _rest("few_effective", low, "rest on fewer than 10 effective clusters, too")


def _indispensable(terms: Sequence[Row]) -> Iterator[Caution]:
    rows = [row for row in terms if row["indispensable_clusters"]]
    for row in rows[:MOST_TERMS]:
        count = int(row["indispensable_clusters"])
        which = "one of the clusters" if count == 1 else f"any one of {count} clusters"
        yield Caution(
            "indispensable",
            f"{row['term']}: without {which} there is no estimate of it at all.",
            count,
            row["term"],
        )
    yield from _rest("indispensable", rows, "hang on single clusters, too")


def _leverage(terms: Sequence[Row]) -> Iterator[Caution]:
    high = [row for row in terms if row["largest_partial_leverage"] > MOST_LEVERAGE]
    for row in high[:MOST_TERMS]:
        share, cluster = row["largest_partial_leverage"], row["largest_partial_leverage_cluster"]
        said = (
            f"{row['term']}: one cluster, {cluster!r}, has {100 * share:.0f} % of what the data "
            "say of it (its partial leverage)"
        )
        if row["largest_influence_cluster"] == cluster and math.isfinite(row["largest_influence"]):
            without = row["pooled_slope"] + row["largest_influence"]
            said += (
                f"; without it the least-squares estimate is {number(without)}, not "
                f"{number(row['pooled_slope'])}"
            )
        yield Caution("leverage", f"{said}.", share, row["term"])
    yield from _rest("leverage", high, "rest on one cluster, too")


def _within_between(terms: Sequence[Row]) -> Iterator[Caution]:
    for row in terms:
        p = row["mundlak_p_value"]
        within, between = row["within_slope"], row["between_slope"]
        if not p < LEVEL:
            continue
        opposite = within * between < 0
        yield Caution(
            "within_between",
            f"{row['term']}: within clusters its slope is {number(within)}, between their means "
            f"{number(between)}"
            + (", of the opposite sign (Simpson's paradox)" if opposite else "")
            + f" (they differ, Mundlak's test: p {p_value(p)}). OLS and mixed models mix the two; "
            "fixed effects and two-stage regression give the slope within clusters alone. Add the "
            "clusters' means as a predictor to have both.",
            p,
            row["term"],
        )


def _constant_within(terms: Sequence[Row], strategies: Sequence[Strategy]) -> Iterator[Caution]:
    if not any(strategy.name == "fixed_effects" for strategy in strategies):
        return
    constant = [row["term"] for row in terms if row["varies_in"] == 0]
    if constant:
        noun = "is" if len(constant) == 1 else "are"
        yield Caution(
            "constant_within",
            f"{_few(constant)} {noun} constant within clusters: fixed effects cannot estimate "
            f"{'it' if len(constant) == 1 else 'them'}.",
            len(constant),
        )


def _at_zero(
    design: Design, terms: Sequence[Row], strategies: Sequence[Strategy]
) -> Iterator[Caution]:
    """Say where two-stage regression compares clusters off the means of other predictors."""
    constant = [row["term"] for row in terms if row["varies_in"] == 0]
    if not constant or not any(strategy.name == "two_stage" for strategy in strategies):
        return
    shard = design.shard
    within = {row["term"]: row["varies_in"] for row in terms}
    rows = [{"term": term, "varies_in": within.get(term, 0)} for term in shard.terms]
    off = off_centre(shard, rows)
    if off:
        numbers = [term for term in off if "[" not in term]
        remedy = f"; center({numbers[0]}) in the formula has it at the mean" if numbers else ""
        yield Caution(
            "at_zero",
            f"Two-stage regression compares clusters where {_few(off)} "
            f"{'is' if len(off) == 1 else 'are'} 0, off the mean: it is set aside for "
            f"{_few(constant)}{remedy}.",
            float(len(off)),
            off[0],
        )


def _cannot_reject(design: Design, strategies: Sequence[Strategy]) -> Iterator[Caution]:
    least = 2.0 ** (1 - design.shard.clusters)
    for strategy in strategies:
        rademacher = strategy.options.get("weights", "rademacher") == "rademacher"
        if strategy.name == "wild_cluster_bootstrap" and rademacher and least > LEVEL:
            yield Caution(
                "cannot_reject",
                f"{strategy.label}: with {design.shard.clusters} clusters its least p-value is "
                f"{least:.2g}, so that it cannot reject at 5 %, and its intervals have no ends.",
                least,
                strategy=strategy.label,
            )


def _cluster_as_number(design: Design) -> Iterator[Caution]:
    if design.cluster in design.shard.terms:
        yield Caution(
            "cluster_as_number",
            f"{design.cluster}, the column of the clusters, is a predictor, too, with a slope. "
            f"C({design.cluster}) is an intercept for each cluster.",
            1.0,
            design.cluster,
        )


def _singular(
    design: Design, strategies: Sequence[Strategy], fits: Sequence[Fits]
) -> Iterator[Caution]:
    for strategy, fit in zip(strategies, fits, strict=True):
        if fit.status[0] != "singular":
            continue
        spread = components(design.shard, fit)
        unit = float(fit.sigma[0])
        zero = [
            name.removeprefix("sd__")
            for name, value in spread.items()
            if name.startswith("sd__") and value < 1e-3 * unit
        ]
        one = [
            f"{first} with {second}"
            for first, second in combinations(random_terms(design.shard, fit), 2)
            if abs(spread.get(f"cor__{first}.{second}", 0.0)) > 0.999
        ]
        what = " and ".join(
            filter(
                None,
                [
                    f"no variance between clusters of {_few(zero)}" if zero else "",
                    f"a perfect correlation of {_few(one)}" if one else "",
                ],
            )
        )
        yield Caution(
            "singular",
            f"{strategy.label}: a singular fit: it estimates {what or SMALLER}. These data cannot "
            "tell that from a small variance, or from a weaker correlation; the estimates and "
            "tests can be used, the variances cannot.",
            float(len(zero) + len(one)),
            strategy=strategy.label,
        )


def _unusable(strategies: Sequence[Strategy], fits: Sequence[Fits]) -> Iterator[Caution]:
    for strategy, fit in zip(strategies, fits, strict=True):
        if fit.message[0] == NOTHING_VARIES:
            continue  # As the caution on predictors that are constant within clusters says.
        if fit.status[0] not in ("ok", "singular"):
            yield Caution(
                "unusable",
                f"{strategy.label} gives no numbers ({fit.status[0]}): {fit.message[0]}.",
                math.nan,
                strategy=strategy.label,
            )
        elif fit.status[0] == "ok" and fit.message[0]:
            yield Caution(
                "message", f"{strategy.label}: {fit.message[0]}.", math.nan, strategy=strategy.label
            )


def _left_out(design: Design) -> Iterator[Caution]:
    if design.rows_left_out:
        gaps = listed([f"{name} ({count:,})" for name, count in design.left_out.items()])
        yield Caution(
            "left_out",
            f"{design.rows_left_out:,} of {counted(design.rows_read, 'row')} are left out, as they "
            f"have no value in {gaps}. If they lack it for a reason that has "
            f"to do with {design.response}, all estimates may be biased.",
            design.rows_left_out,
        )


def _few(names: Sequence[str]) -> str:
    names = list(dict.fromkeys(names))
    if len(names) <= MOST_TERMS:
        return listed(names)
    return f"{', '.join(names[:MOST_TERMS])} and {len(names) - MOST_TERMS} more"


def _rest(kind: str, rows: Sequence[Row], what: str) -> Iterator[Caution]:
    rest = len(rows) - MOST_TERMS
    if rest > 0:
        yield Caution(kind, f"{counted(rest, 'further coefficient')} {what}.", float(rest))
