"""What a simulation on a table's design takes for granted, and this table may not grant."""

from __future__ import annotations

import re
from collections.abc import Iterator

from clustrategy.core.counted import listed
from clustrategy.core.shard import INTERCEPT
from clustrategy.design.variation import FEWEST_WITHIN
from clustrategy.owndata.analysis import Analysis

AS_THEY_ARE = ("two_clusters", "few_treated", "cluster_as_number", "two_values", "left_out")
"""Kinds of cautions that stand as they are: they tell of no estimate."""


def reservations(analysis: Analysis) -> list[str]:
    """Say what to mind about strategies on a table, without a word of the estimates.

    Parameters
    ----------
    analysis : Analysis
        Of the table, by the strategies that are tried on simulated outcomes.

    Returns
    -------
    list of str
        A sentence or two each.
    """
    of_kind = [one.text for one in analysis.cautions if one.kind in AS_THEY_ARE]
    return [*_mixtures(analysis), *_hardly_within(analysis), *_two_stage(analysis), *of_kind]


def _mixtures(analysis: Analysis) -> Iterator[str]:
    mixed = [term.name for term in analysis.reliance.terms if term.mixture]
    if mixed:
        slopes = "The slope" if len(mixed) == 1 else "The slopes"
        differ = "is not the same" if len(mixed) == 1 else "are not the same"
        yield (
            f"{slopes} of {listed(mixed)} {differ} within clusters and between their means on this "
            "table (Mundlak's test, Holm's correction), where the simulation supposes that it is: "
            "least squares, GEE and mixed models estimate a mixture, fixed effects and two-stage "
            "regression the slope within clusters. The clusters' means as predictors give both."
        )


def _hardly_within(analysis: Analysis) -> Iterator[str]:
    clusters = analysis.given.shard.clusters
    for row in analysis.design().to_dict("records"):
        if row["term"] != INTERCEPT and 0 < row["varies_in"] < min(FEWEST_WITHIN, clusters):
            yield (
                f"{row['term']} varies within {row['varies_in']} of {clusters} clusters: its slope "
                "within clusters rests on so many, and no test of it is worth the name."
            )


def _two_stage(analysis: Analysis) -> Iterator[str]:
    own = [
        (one.label, fits)
        for one, fits in zip(analysis.strategies, analysis.fits, strict=True)
        if one.name == "two_stage"
    ]
    for label, fits in own:
        if dropped := re.match(r"(\d+) of (\d+) clusters", str(fits.message[0])):
            yield (
                f"{label} leaves out {dropped[1]} of {dropped[2]} clusters, which cannot carry a "
                "regression of their own: its estimates are of the others."
            )
    hit = [term for term in analysis.reliance.terms if term.constant and term.outside]
    if own and hit:
        off = hit[0].outside
        yield (
            f"{own[0][0]} compares clusters where {listed(off)} {'is' if len(off) == 1 else 'are'} "
            f"0, beyond the data, and so finds less of {listed([term.name for term in hit])}: "
            f"center({off[0]}) in the formula has it at the mean."
        )
