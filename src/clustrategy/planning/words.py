"""A plan in words: what to do first, then what it rests on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from textwrap import fill

import numpy as np

from clustrategy.core.counted import counted, listed
from clustrategy.core.words import number
from clustrategy.evaluation.regions import CONSERVATIVE, MOST_UNUSABLE, UNDECIDED
from clustrategy.planning.asked import Asked
from clustrategy.planning.costs import Pair
from clustrategy.planning.described import Described
from clustrategy.planning.search import Answer, whole
from clustrategy.planning.trials import Trials

MOST_SIMS = 200_000
"""More studies are not advised: the rate is too near a limit."""

FEW = 50
"""Fewer clusters tell little of their variance: 95 % limits with 50 are 0.70 to 1.55 times it."""

WIDTH = 88
"""Of lines of text."""


def percent(share: float, places: int = 0) -> str:
    """Return a share as a percentage with so many decimals.

    Examples
    --------
    >>> percent(0.0512, 1), percent(0.804), percent(float("nan"))
    ('5.1 %', '80 %', '')
    """
    return f"{100 * share:.{places}f} %" if np.isfinite(share) else ""


def level(alpha: float) -> str:
    """Return the level of a test as a percentage.

    Examples
    --------
    >>> level(0.05), level(0.025)
    ('5 %', '2.5 %')
    """
    return f"{100 * alpha:g} %"


def heads_and_lines(answers: Sequence[Answer], trials: Trials) -> tuple[list[str], list[list[str]]]:
    """Return the table of a plan as texts: a line for each strategy."""
    heads = ["strategy", "clusters", "95 % interval", "power", "false positives", "verdict"]
    lines = []
    for one in answers:
        if one.where == "none":
            clusters, interval = str(one.at), ""
        elif one.clusters is None:
            clusters = f"more than {one.at}" if one.holds and one.where == "above" else "none"
            interval = ""
        else:
            clusters = str(one.clusters) if one.where == "within" else f"at most {one.at}"
            interval = _interval(one) if one.where == "within" else ""
        lines.append(
            [
                one.strategy,
                clusters,
                interval,
                f"{percent(one.power.value)} with {one.at}",
                percent(one.level.found.value, 1),
                _verdict(one),
            ]
        )
    return heads, lines


@dataclass(frozen=True)
class Words:
    """What there is to say of a plan.

    Attributes
    ----------
    title : str
        The answer in a line.
    answer : list of str
        Paragraphs: what to do, what else would do, what would not.
    notes : list of str
        Paragraphs: what was supposed, and how it was found.
    """

    title: str
    answer: list[str]
    notes: list[str]

    @classmethod
    def of(
        cls,
        asked: Asked,
        trials: Trials,
        answers: Sequence[Answer],
        recommended: Answer | None,
        pairs: Mapping[str, Mapping[int, Pair]],
    ) -> Words:
        """Put a plan into words.

        Parameters
        ----------
        asked : Asked
            The settings.
        trials : Trials
            The simulated studies.
        answers : Sequence of Answer
            The recommended one first.
        recommended : Answer, optional
            The strategy that needs the fewest clusters of those that hold their level.
        pairs : Mapping of str to Mapping
            The pairs of clusters and rows of each strategy, where costs are known.
        """
        answer = [_first(asked, trials, answers, recommended)]
        answer += _cost(asked, trials, recommended, pairs)
        others = [one for one in answers if one is not recommended]
        answer += _as_few(recommended, others)
        answer += [said for one in others if (said := _set_aside(asked, one, trials))]
        notes = [_supposed(asked, trials), _how(asked)]
        return cls(_title(asked, recommended, answers), answer, notes)

    @staticmethod
    def filled(paragraphs: Sequence[str]) -> list[str]:
        """Break paragraphs into lines of a terminal."""
        return [fill(one, WIDTH, break_on_hyphens=False) for one in paragraphs]


def _title(asked: Asked, recommended: Answer | None, answers: Sequence[Answer]) -> str:
    if recommended is None:
        some = [one for one in answers if one.holds]
        if some:
            goal = percent(asked.power)
            return f"{asked.clusters[1]} clusters are not enough for a power of {goal}"
        return "No strategy is known to keep its level"
    if recommended.where == "none":
        return f"{recommended.at} clusters have a power of {percent(recommended.power.value)}"
    most = "At most " if recommended.where == "below" else ""
    return f"{most}{recommended.at} clusters for a power of {percent(asked.power)}"


def _first(
    asked: Asked, trials: Trials, answers: Sequence[Answer], recommended: Answer | None
) -> str:
    """Say how many clusters to plan for."""
    if recommended is None:
        return _none(asked, answers)
    keeps = _keeps(recommended, trials)
    power = f"{percent(recommended.power.value)} ({_limits(recommended)})"
    name, at = recommended.strategy, recommended.at
    if recommended.where == "none":
        return (
            f"With {counted(at, 'cluster')} a study analysed by {name} finds the effect with a "
            f"power of {power}. {keeps}"
        )
    if recommended.where == "below":
        about = whole(recommended.needed.value)
        return (
            f"{counted(at, 'cluster')}, the fewest searched, are enough if they are analysed by "
            f"{name}: with them its power is already {power}, where {percent(asked.power)} is "
            f"asked for; by its curve about {about:.0f} would do. {keeps}"
        )
    return (
        f"Plan for {counted(at, 'cluster')} (95 % interval {_interval(recommended)}) and analyse "
        f"them by {name}: with so many its power is {power}. {keeps}"
    )


def _none(asked: Asked, answers: Sequence[Answer]) -> str:
    """Say that there is no sample size, and how far it is."""
    holding = [one for one in answers if one.holds]
    if not holding and any(_is_undecided(one) for one in answers):
        return (
            "It is not decided whether any strategy keeps its level here, so that none has a "
            "sample size yet: simulate more studies (sims)."
        )
    if not holding:
        least = min(answers, key=lambda one: (_or_inf(one.level.found.value), one.strategy))
        return (
            "None of the strategies keeps its level here, so that none has a sample size. The "
            f"least false positives has {least.strategy}: "
            f"{percent(least.level.found.value, 1) or 'no rate is known'}"
            f"{_of_interval(least)} with {counted(least.at, 'cluster')}."
        )
    best = min(holding, key=lambda one: (_or_inf(one.needed.value), -one.power.value))
    if best.where == "above":
        low, high = best.interval
        if np.isfinite(best.needed.value):
            far = f"by its curve it needs about {whole(best.needed.value):,.0f} ({low:,}"
            far += f" to {high:,.0f})" if np.isfinite(high) else " or more)"
        else:
            far = "by its curve no number of clusters is enough"
    else:
        far = "the power does not rise with the number of clusters as far as it was searched"
    return (
        f"{counted(asked.clusters[1], 'cluster')}, the most searched, are not enough: with "
        f"{best.at} of them {best.strategy}, the best of the strategies that keep their level, "
        f"has a power of {percent(best.power.value)} ({_limits(best)}), where "
        f"{percent(asked.power)} is asked for; {far}."
    )


def _cost(
    asked: Asked,
    trials: Trials,
    recommended: Answer | None,
    pairs: Mapping[str, Mapping[int, Pair]],
) -> list[str]:
    """Say what the study costs, and what other rows would."""
    if asked.costs is None or recommended is None:
        return []
    rows = trials.population.rows_per_cluster
    cost = asked.costs.of(recommended.at, rows)
    each = f"{number(asked.costs.cluster)} + {_plain(rows)} × {number(asked.costs.row)}"
    said = f"That costs {recommended.at} × ({each}) = {_money(cost)}."
    mine = pairs.get(recommended.strategy, {})
    if asked.rows is not None and len(mine) > 1:
        others = [
            f"{pair.clusters} clusters of {counted(pair.rows, 'row')} ({_money(pair.cost)})"
            for pair in mine.values()
            if pair.rows != rows
        ]
        said = (
            f"The cheapest number of rows in a cluster is {_plain(rows)}, of {asked.rows[0]} to "
            f"{asked.rows[1]}. {said} Shorter searches have {listed(others)}."
        )
    return [said]


def _as_few(recommended: Answer | None, others: Sequence[Answer]) -> list[str]:
    """Say which other strategies have a sample size."""
    if recommended is None or recommended.where == "none":
        return []
    some = [one for one in others if one.clusters is not None]
    high = recommended.needed.high
    alike = [one for one in some if one.needed.low <= high]
    more = [one for one in some if one not in alike]
    said = []
    if alike:
        few = listed([f"{one.strategy} ({one.at})" for one in alike])
        said.append(f"As few within Monte Carlo error need {few}.")
    if more:
        needs = listed([f"{one.strategy} {one.at} ({_interval(one)})" for one in more])
        said.append(f"More need {needs}.")
    return [" ".join(said)] if said else []


def _set_aside(asked: Asked, one: Answer, trials: Trials) -> str:
    """Say why a strategy has no sample size, nothing of one that has."""
    at = f"with {counted(one.at, 'cluster')}"
    if one.holds:
        if one.where == "above":
            return (
                f"{one.strategy}: {one.at} are not enough, its power with them is "
                f"{percent(one.power.value)}."
            )
        return ""
    sims = trials.sims(one.strategy, one.at)
    if one.unusable > MOST_UNUSABLE:
        return f"{one.strategy} has no sample size: {percent(one.unusable)} of its fits fail {at}."
    if not one.level.found.n:
        return f"{one.strategy} has no sample size: it does not test this coefficient."
    rate = f"{percent(one.level.found.value, 1)}{_of_interval(one)}"
    if _is_undecided(one):
        more = one.level.sims_needed
        wanted = ""
        if more is not None and sims < more <= MOST_SIMS:
            wanted = f"; about {float(f'{more:.1g}'):,.0f} would decide"
        return (
            f"Whether {one.strategy} keeps its level {at} is not decided: it rejects {rate} of "
            f"true hypotheses in {sims:,} simulated studies{wanted}. So it has no sample size."
        )
    return (
        f"{one.strategy} has no sample size: it does not keep its level, rejecting {rate} of true "
        f"hypotheses {at} where {level(asked.alpha)} is right."
    )


def _keeps(one: Answer, trials: Trials) -> str:
    sims = trials.sims(one.strategy, one.at)
    careful = ""
    if one.level.verdict is not None and one.level.verdict.word == CONSERVATIVE:
        careful = ", so that it is conservative"
    return (
        f"It keeps its level there: {percent(one.level.found.value, 1)} false positives"
        f"{_of_interval(one)} in {sims:,} simulated studies{careful}."
    )


def _supposed(asked: Asked, trials: Trials) -> str:
    """Say what the simulated studies are like."""
    population = trials.population
    standardised = asked.effect / population.total_sd
    if isinstance(population, Described):
        rows = f"{counted(population.rows, 'row')}"
        if population.size_cv:
            rows += (
                f" on average (coefficient of variation {population.size_cv:g}, sizes drawn anew "
                "for every study)"
            )
        share = percent(population.treated)
        arm = (
            f"{share} of the clusters are treated"
            if not population.varies_within
            else f"{share} of the rows of each cluster are treated"
        )
        icc = (population.sigma_between / population.total_sd) ** 2
        slope = (
            "; the effect differs between clusters with a standard deviation of "
            f"{number(population.sigma_slope)}"
            if population.sigma_slope
            else ""
        )
        design = f"Supposed: clusters have {rows}; {arm}; the ICC is {number(icc, 2)}{slope}."
        effect = (
            f"The effect is {asked.effect:g} standard deviations of the response (Hedges' δ_T, "
            "over the total standard deviation)."
            if asked.icc is not None
            else f"The effect is {number(asked.effect)} in units of the response, "
            f"{number(standardised, 2)} of its total standard deviation (Hedges' δ_T)."
        )
        known = "Where the ICC is not known, plan for the largest that is plausible."
        return f"{design} {effect} {known}"
    shard = population.process.shard
    few = (
        f" {shard.clusters} clusters tell little of variances: plan with another scenario, such as "
        "upper_95, too."
        if shard.clusters < FEW
        else ""
    )
    left_out = f" {population.said_of_rows}." if population.said_of_rows else ""
    arms = f", within the {len(population.arms)} arms" if len(population.arms) > 1 else ""
    return (
        f"Supposed: clusters are those of the table, {shard.clusters} with "
        f"{_plain(population.rows_per_cluster)} rows on average, resampled whole and with "
        f"replacement{arms} for every study; the variances are of the scenario "
        f"{population.scenario}. The effect is that of {population.term}: {asked.effect:g} in "
        f"units of the response per unit of it, {number(standardised, 2)} of the response's total "
        f"standard deviation (Hedges' δ_T).{few}{left_out}"
    )


def _how(asked: Asked) -> str:
    return (
        f"Tests are two-sided at {level(asked.alpha)}; power is the mean over the effect and its "
        "negative, and over the designs that may come. The number of clusters is where a curve "
        "fitted to the simulated powers has the power asked for; its interval is of Monte Carlo "
        "error alone, not of what was supposed."
    )


def _is_undecided(one: Answer) -> bool:
    """Tell whether more studies may show that a strategy keeps its level."""
    verdict = one.level.verdict
    return verdict is not None and verdict.word == UNDECIDED and one.unusable <= MOST_UNUSABLE


def _verdict(one: Answer) -> str:
    if one.unusable > MOST_UNUSABLE:
        return "fits fail"
    if one.level.verdict is None:
        return "not tested"
    word = one.level.verdict.between if one.holds and one.level.verdict.between else None
    return (word or one.level.verdict.word).replace("_", " ")


def _interval(one: Answer) -> str:
    low, high = one.interval
    return f"{low} to {high:.0f}" if np.isfinite(high) else f"{low} or more"


def _limits(one: Answer) -> str:
    return f"{100 * one.power.low:.0f} to {100 * one.power.high:.0f} %"


def _of_interval(one: Answer) -> str:
    low, high = one.level.found.low, one.level.found.high
    return f" ({100 * low:.1f} to {100 * high:.1f} %)" if np.isfinite(low + high) else ""


def _or_inf(value: float) -> float:
    return value if np.isfinite(value) else np.inf


def _plain(value: float) -> str:
    return f"{value:.0f}" if float(value).is_integer() else f"{value:.1f}"


def _money(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 else number(value)
