"""What to mind of a table and of the fits to it: plain sentences, each with its number.

Where a number is few or much is a matter of convention; the sources are beside the numbers.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import TYPE_CHECKING

import numpy as np

from clustrategy.core.counted import counted, listed
from clustrategy.core.fits import Fits
from clustrategy.core.shard import INTERCEPT, Shard
from clustrategy.core.words import number, p_value
from clustrategy.design.from_table import Design
from clustrategy.design.variation import starts
from clustrategy.engines.chosen import Strategy
from clustrategy.estimation.within import NOTHING_VARIES
from clustrategy.owndata.random_effects import components, random_terms
from clustrategy.owndata.reliance import LEAST_SHARE, LEVEL, NARROW, Reliance, Row, least_p_value

if TYPE_CHECKING:
    pass

FEW_TREATED = 6
"""Clusters that have or lack a predictor; the threshold is ours (MacKinnon & Webb 2018,
Econometrics Journal 21, 114-135, on how the wild bootstrap and CR1S fail with few)."""

FEW_EFFECTIVE = 10.0
"""Effective clusters; the measure is Carter, Schnepel & Steigerwald's (2017, REStat 99, 698-709),
the threshold ours."""

MOST_LEVERAGE = 0.5
"""One cluster's share of the partial leverage of a coefficient; the measure is MacKinnon, Nielsen &
Webb's (2023, Stata Journal 23, 942-982), the threshold ours."""

SMALLER = "random effects that are combinations of one another"

MOST_INFLUENCE = 0.5
"""Of a robust variance, which is about the sum of the squared changes, from one cluster alone."""

IMPRECISE = 1.4
"""Times the standard error of a random intercept's model."""

MOST_TERMS = 5
"""Terms of which one caution is said each; of more, the rest is counted."""


@dataclass(frozen=True)
class Caution:
    """Something to mind.

    Attributes
    ----------
    kind : str
        What it is about: `two_clusters`, `small_share`, `few_clusters`, `few_treated`,
        `few_effective`, `indispensable`, `leverage`, `influence`, `efficiency`, `within_between`,
        `constant_within`, `at_zero`, `cannot_reject`, `cluster_as_number`, `singular`, `unusable`,
        `message`, `two_values` or `left_out`.
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
    design: Design,
    strategies: Sequence[Strategy],
    fits: Sequence[Fits],
    by_term: Sequence[Row],
    reliance: Reliance,
) -> list[Caution]:
    """Find what there is to mind.

    Parameters
    ----------
    design : Design
        The table.
    strategies, fits : sequence of Strategy and of Fits
        What was fitted to it.
    by_term : sequence of mapping
        What the design says of each coefficient.
    reliance : Reliance
        Which strategies are to be relied on.

    Returns
    -------
    list of Caution
        The worst first.
    """
    terms = [row for row in by_term if row["term"] != INTERCEPT]
    return [
        *_two_clusters(design),
        *_small_share(reliance),
        *_few_clusters(design, reliance),
        *_few_treated(terms, design, strategies, fits),
        *_few_effective(terms, design.shard.clusters),
        *_indispensable(terms),
        *_leverage(terms),
        *_influence(terms),
        *_efficiency(design, strategies, fits, reliance),
        *_within_between(terms, reliance),
        *_constant_within(terms, strategies),
        *_at_zero(reliance, strategies),
        *_cannot_reject(design, strategies),
        *_cluster_as_number(design),
        *_singular(design, strategies, fits),
        *_unusable(strategies, fits),
        *_two_values(design),
        *_left_out(design),
    ]


def _two_clusters(design: Design) -> Iterator[Caution]:
    if design.shard.clusters == 2:
        yield Caution(
            "two_clusters",
            "2 clusters: whatever differs between them, for whatever reason, looks like an effect "
            "of what is constant within clusters. Take p-values as descriptions.",
            2,
        )


def _small_share(reliance: Reliance) -> Iterator[Caution]:
    for term in reliance.terms:
        if term.share < LEAST_SHARE and term.name != INTERCEPT and not term.hangs:
            yield Caution(
                "small_share",
                f"{term.name}: with the correlation of errors within clusters that is estimated "
                f"here (ICC {reliance.icc:.2f}), least squares with CR2 is expected to find "
                f"{100 * term.share:.0f} % of the true variance, as few clusters decide it.",
                term.share,
                term.name,
            )


def _few_clusters(design: Design, reliance: Reliance) -> Iterator[Caution]:
    narrow = [term for term in reliance.terms if term.width < NARROW and term.name != INTERCEPT]
    if narrow and design.shard.clusters > 2:
        worst = min(narrow, key=lambda term: term.width)
        clusters = counted(design.shard.clusters, "cluster")
        yield Caution(
            "few_clusters",
            f"{clusters}, few or unequal: the interval of the cluster-robust standard errors that "
            f"papers usually have (CR1S) is {100 * worst.width:.0f} % as wide as CR2's for "
            f"{worst.name}; it finds too much.",
            worst.width,
            worst.name,
        )


def _few_treated(
    terms: Sequence[Row], design: Design, strategies: Sequence[Strategy], fits: Sequence[Fits]
) -> Iterator[Caution]:
    for row in terms:
        fewest, verb = _fewest(row, design.shard)
        if row["indispensable_clusters"] or not fewest < FEW_TREATED:
            continue
        place = design.shard.terms.index(row["term"])
        df = next(
            (
                fit.df[0, place]
                for one, fit in zip(strategies, fits, strict=True)
                if one.options.get("variance") == "CR2" and np.isfinite(fit.df[0, place])
            ),
            np.nan,
        )
        allows = f", with {df:.1f} degrees of freedom," if np.isfinite(df) else ""
        yield Caution(
            "few_treated",
            f"{row['term']}: {int(fewest)} of {design.shard.clusters} clusters {verb} it. CR1S "
            f"finds too much; CR2 allows for it{allows} and finds large effects alone; two-stage "
            "regression and mixed models presume that clusters with and without it vary alike.",
            fewest,
            row["term"],
        )


def _fewest(row: Row, shard: Shard) -> tuple[float, str]:
    """Count the clusters that have, or lack, a 0/1 predictor; NaN of any other.

    Of one that varies within clusters, such as a policy times the years after it, count those that
    ever have it, if some never do.
    """
    treated, untreated = float(row["treated_clusters"]), float(row["untreated_clusters"])
    if not math.isnan(treated):
        fewest = min(treated, untreated)
        plural = "have" if treated <= untreated else "lack"
        return fewest, {"have": "has", "lack": "lacks"}[plural] if fewest == 1 else plural
    column = shard.X[:, shard.terms.index(row["term"])]
    if row["varies_in"] and np.isin(column, (0.0, 1.0)).all():
        ever = np.maximum.reduceat(column, starts(shard)).sum()
        if ever < shard.clusters:
            return float(ever), "ever has" if ever == 1 else "ever have"
    return math.nan, ""


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
            f"{row['term']}: without {which} there is no estimate of it, and what a cluster has of "
            "its own cannot be told from the effect. Robust standard errors are set aside; "
            "two-stage regression and mixed models presume that all clusters vary alike.",
            count,
            row["term"],
        )
    yield from _rest("indispensable", rows, "hang on single clusters, too")


def _influence(terms: Sequence[Row]) -> Iterator[Caution]:
    for row in terms:
        moved = abs(row["largest_influence_std_errors"])
        if moved * moved > MOST_INFLUENCE and not row["largest_partial_leverage"] > MOST_LEVERAGE:
            without = row["pooled_slope"] + row["largest_influence"]
            yield Caution(
                "influence",
                f"{row['term']}: without the cluster {row['largest_influence_cluster']!r} the "
                f"least-squares estimate is {number(without)}, not {number(row['pooled_slope'])}.",
                moved,
                row["term"],
            )


def _efficiency(
    design: Design, strategies: Sequence[Strategy], fits: Sequence[Fits], reliance: Reliance
) -> Iterator[Caution]:
    """Say where least squares is much less precise than a random intercept."""
    found = {
        one.name: (one.label, fit.std_error[0])
        for one, fit in zip(strategies, fits, strict=True)
        if one.options.get("variance") == "CR2"
        and one.name in ("cluster_robust", "mixed_intercept")
    }
    if len(found) < 2:
        return
    (ols, plain), (mixed, weighted) = found["cluster_robust"], found["mixed_intercept"]
    for term, ratio in zip(design.shard.terms, plain / weighted, strict=True):
        sound = not reliance.reason(ols, term) and not reliance.reason(mixed, term)
        if term != INTERCEPT and sound and ratio > IMPRECISE:
            yield Caution(
                "efficiency",
                f"{term}: the standard error of {ols} is {ratio:.1f} times that of {mixed}, which "
                "weighs rows and clusters by what they tell.",
                float(ratio),
                term,
            )


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


def _within_between(terms: Sequence[Row], reliance: Reliance) -> Iterator[Caution]:
    differs = {term.name for term in reliance.terms if term.mixture}
    for row in terms:
        if row["term"] not in differs:
            continue
        within, between = row["within_slope"], row["between_slope"]
        opposite = ", of the opposite sign (Simpson's paradox)" if within * between < 0 else ""
        yield Caution(
            "within_between",
            f"{row['term']}: within clusters its slope is {number(within)}, between their means "
            f"{number(between)}{opposite} (they differ, Mundlak's test: p "
            f"{p_value(row['mundlak_p_value'])}). OLS and mixed models mix the two and are set "
            "aside; fixed effects and two-stage regression give the slope within clusters. Add the "
            "clusters' means as a predictor to have both.",
            row["mundlak_p_value"],
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


def _at_zero(reliance: Reliance, strategies: Sequence[Strategy]) -> Iterator[Caution]:
    """Say where two-stage regression compares clusters beyond the data."""
    if not any(strategy.name == "two_stage" for strategy in strategies):
        return
    hit = [term for term in reliance.terms if term.constant and term.outside]
    if hit:
        off = hit[0].outside
        yield Caution(
            "at_zero",
            f"Two-stage regression compares clusters where {_few(off)} "
            f"{'is' if len(off) == 1 else 'are'} 0, beyond the data, and loses precision: it is "
            f"set aside for {_few([term.name for term in hit])}. center({off[0]}) in the formula "
            "has it at the mean.",
            float(len(off)),
            off[0],
        )


def _two_values(design: Design) -> Iterator[Caution]:
    if np.isin(design.shard.y, (0.0, 1.0)).all():
        yield Caution(
            "two_values",
            f"{design.response} is 0 or 1: estimates are differences in probability (a linear "
            "probability model).",
            2,
        )


def _cannot_reject(design: Design, strategies: Sequence[Strategy]) -> Iterator[Caution]:
    for strategy in strategies:
        least = least_p_value(strategy, design.shard.clusters)
        if least > LEVEL:
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
            f"{strategy.label}: a singular fit, at the limit of what can be: it estimates "
            f"{what or SMALLER}. The estimates can be used, the variances cannot.",
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
