"""The number of clusters that a study needs, by simulation, in this process."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from clustrategy.calibration.given_data import GivenData
from clustrategy.core.counted import counted
from clustrategy.core.errors import ConfigError, DataError, RowsLeftOut, nearest
from clustrategy.core.scenarios import NAMES
from clustrategy.core.shard import INTERCEPT
from clustrategy.design.checks import check
from clustrategy.design.from_table import Design, design_from_table
from clustrategy.design.row_order import in_order
from clustrategy.evaluation.cell_verdicts import Rules
from clustrategy.evaluation.regions import Regions
from clustrategy.planning.asked import MOST_ROWS, Asked, asked
from clustrategy.planning.costs import Pair, cheapest
from clustrategy.planning.described import Described
from clustrategy.planning.outcome import Plan
from clustrategy.planning.resampled import Resampled
from clustrategy.planning.search import Answer, Search, search
from clustrategy.planning.strategies import strategies_for
from clustrategy.planning.trials import Population, Trials

LARGEST_EFFECT = 10.0
"""In standard deviations of the response; beyond, units are probably others than meant."""

NUMBERS_OF_ROWS = 5
"""That are searched for the cheapest."""


def plan(like: object = None, formula: str | None = None, **settings: Any) -> Plan:
    """Say how many clusters a study needs, for each of several ways to analyse it.

    Studies with a few numbers of clusters are simulated, without an effect: as adding one shifts
    the estimates and changes nothing else, how often a strategy finds it follows. A curve gives the
    number of clusters with the power asked for, more studies are simulated there, and a strategy
    that does not keep its level there has no sample size.

    Parameters
    ----------
    like : DataFrame or other table, optional
        A table whose clusters are those of the study to come, in whatever `fit` takes: they are
        resampled whole, with replacement, within the arms of a treatment of whole clusters.
    formula : str, optional
        With `like`, as of `fit`.
    **settings
        `effect`, the only one that is always there, and any of these.

        The search: `clusters`, one number or the fewest and the most of them, (6, 100) by default;
        `power`, 0.8; `alpha`, 0.05, the level of the two-sided tests; `sims`, 4,000, the simulated
        studies of each answer; `seed`.

        Without `like`: `rows` of a cluster, their mean if sizes vary, or the fewest and the most if
        costs are to decide; `size_cv`, the coefficient of variation of the sizes; `icc`, the share
        of the response's variance that is between clusters, or `sigma_between` and
        `sigma_residual`; `treatment`, "between" or "within" clusters; `treated`, the share of the
        clusters, or of the rows of each, that is treated, 0.5; `sigma_slope`, by how much the
        effect of a treatment within clusters differs between them. The effect is in standard
        deviations of the response with `icc`, else in its units.

        With `like`: `cluster`, `random` and `order`, as of `calibrate`; `term`, the coefficient
        that is to be found, the first one by default; `scenario`, one of those of `calibrate`,
        "estimated" by default. The effect is in units of the response per unit of the predictor.

        Costs: `cost_cluster` and `cost_row`, of one more of each.

        Strategies: `strategies` and `engine`, as of `fit`.

    Returns
    -------
    Plan
        Print it for what to do; `table()`, `curves()` and `costs()` are its numbers.

    Warns
    -----
    RowsLeftOut
        If rows of the table lack a value in a column of the model; it names the columns.

    Raises
    ------
    ConfigError, DataError, EngineError
        One sentence that names the setting, what was expected and what was found; with a table
        also as of `fit`.

    Examples
    --------
    >>> from clustrategy import plan
    >>> found = plan(rows=20, icc=0.05, effect=0.5, clusters=(6, 30), strategies="two-stage",
    ...              sims=1000)
    >>> table = found.table()
    >>> print(table[["strategy", "clusters", "verdict"]].to_string(index=False))
     strategy  clusters verdict
    two-stage        15   holds
    """
    if isinstance(settings.get("strategies"), str | Mapping):
        settings["strategies"] = [settings["strategies"]]
    own = {"formula": formula, **settings}
    found = planned(asked(own, like=like is not None), like)
    population = found.trials.population
    if isinstance(population, Resampled) and population.said_of_rows:
        warnings.warn(population.said_of_rows, RowsLeftOut, stacklevel=2)
    return found


def planned(
    wanted: Asked, like: object = None, tell: Callable[[int], None] = lambda fits: None
) -> Plan:
    """Do what `plan` does, with settings that are checked.

    Parameters
    ----------
    wanted : Asked
        The settings.
    like : DataFrame or other table, optional
        As of `plan`.
    tell : callable
        Told how many fits there have been, from time to time.
    """
    design = None
    if like is None:
        assert wanted.rows is not None
        population: Population = _described(wanted, wanted.rows[0])
    else:
        design, population = _resampled(wanted, like)
    strategies = strategies_for(
        wanted.strategies, within=population.varies_within, engine=wanted.engine, design=design
    )
    standardised = wanted.effect / population.total_sd
    if standardised > LARGEST_EFFECT:
        raise ConfigError(
            f"effect must be at most {LARGEST_EFFECT:g} standard deviations of the response, found "
            f"{wanted.effect:g}, which is {standardised:.3g} of them"
        )
    trials = Trials(
        population=population,
        strategies={strategy.label: strategy for strategy in strategies},
        effect=wanted.effect,
        rules=Rules(Regions(alpha=wanted.alpha), anytime=True),
        seed=wanted.seed,
        tell=tell,
    )
    first, last = wanted.clusters
    looked_for = Search(first, last, wanted.power, wanted.sims, population.lost)
    pairs: dict[str, dict[int, Pair]] = {}
    if wanted.rows is not None and wanted.rows[0] < wanted.rows[1]:
        trials, pairs = _with_cheapest_rows(wanted, trials, looked_for)
    answers = search(trials, looked_for)
    return Plan(wanted, trials, answers, pairs)


def _described(wanted: Asked, rows: int) -> Described:
    between, residual = wanted.sigmas
    return Described(
        rows=rows,
        size_cv=wanted.size_cv,
        treatment=wanted.treatment,
        treated=wanted.treated,
        sigma_between=between,
        sigma_slope=wanted.sigma_slope,
        sigma_residual=residual,
    )


def _resampled(wanted: Asked, like: object) -> tuple[Design, Resampled]:
    assert wanted.formula is not None
    table = in_order(like, wanted.order, wanted.formula, wanted.cluster)
    design = design_from_table(table, wanted.formula, wanted.cluster, wanted.random)
    check(design)
    slopes = [term for term in design.shard.terms if term != INTERCEPT]
    term = wanted.term if wanted.term is not None else next(iter(slopes), None)
    if term is None:
        raise DataError(f"the formula {wanted.formula!r} has no coefficient to plan for")
    if term not in slopes:
        raise ConfigError(
            f"term must be one of the coefficients {', '.join(slopes)}, found {term!r}"
            f"{nearest(term, slopes)}"
        )
    if wanted.scenario not in NAMES:
        raise ConfigError(
            f"scenario must be one of {', '.join(NAMES)}, found {wanted.scenario!r}"
            f"{nearest(wanted.scenario, list(NAMES))}"
        )
    given = GivenData.of(design, "", ordered=wanted.order is not None)
    scenario = next(one for one in given.scenarios if one.name == wanted.scenario)
    if scenario.process is None:
        raise ConfigError(f"scenario {scenario.name!r} is none of this table's: {scenario.note}")
    place = design.shard.terms.index(term)
    columns = next(columns for columns in design.terms.values() if place in columns)
    category = tuple(design.shard.terms[column] for column in columns)
    population = Resampled(scenario.process, term, scenario.name, design.said_of_rows, category)
    _check_size(wanted, population)
    return design, population


def _check_size(wanted: Asked, population: Resampled) -> None:
    """Refuse numbers of clusters that are too few for the arms of a table, or too many rows."""
    first, last = wanted.clusters
    if len(population.arms) > 1 and min(population.in_arms(first)) < 1:
        fewest = min(arm.size for arm in population.arms)
        clusters = population.process.clusters
        yet = next(G for G in range(first, clusters + 1) if min(population.in_arms(G)) >= 1)
        raise ConfigError(
            f"clusters must be at least {yet}, as an arm of {population.term!r} has "
            f"{counted(fewest, 'cluster')} of the table's {clusters}, found {first}"
        )
    rows = last * population.rows_per_cluster
    if rows > MOST_ROWS:
        raise ConfigError(
            f"clusters of {last:,}, each with {population.rows_per_cluster:,.0f} rows as in the "
            f"table, make {rows:,.0f} rows; a plan takes at most {MOST_ROWS:,}"
        )


def _with_cheapest_rows(
    wanted: Asked, trials: Trials, looked_for: Search
) -> tuple[Trials, dict[str, dict[int, Pair]]]:
    """Search with several numbers of rows, and return trials with the cheapest of them.

    Only strategies that are not known to be liberal count, as long as there are some.
    """
    assert wanted.rows is not None
    assert wanted.costs is not None
    fewest, most = wanted.rows
    tried = sorted({round(m) for m in np.geomspace(fewest, most, NUMBERS_OF_ROWS)})
    found: dict[str, dict[int, Answer]] = {label: {} for label in trials.strategies}
    for rows in tried:
        there = replace(trials, population=_described(wanted, rows), _known={})
        for answer in search(there, looked_for, certify=False):
            found[answer.strategy][rows] = answer
    pairs = {
        label: {
            rows: Pair(one.at, rows, wanted.costs.of(one.at, rows))
            for rows, one in by_rows.items()
            if one.where in ("within", "below")
        }
        for label, by_rows in found.items()
    }
    best = {}
    for label, by_rows in found.items():
        needed = {rows: by_rows[rows].needed.value for rows in pairs[label]}
        pair = cheapest(needed, wanted.costs, wanted.rows, wanted.clusters)
        liberal = any(by_rows[rows].level.is_liberal for rows in pairs[label])
        if pair is not None:
            best[label] = (liberal, pair.cost, pair.rows)
    rows = min(best.values())[2] if best else most
    return replace(trials, population=_described(wanted, rows), _known={}), pairs
