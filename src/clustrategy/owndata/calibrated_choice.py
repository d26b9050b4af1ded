"""Calibrate, choose, test: what becomes of the level if the same data do all three.

A calibration starts from the variances that were estimated from the data which are tested in the
end. Other data of the same kind would have had other estimates, other scenarios, and maybe another
recommendation: the choice is a pretest, and what is chosen by it and then tested is a strategy of
its own, whose false-positive rate is not that of any of the strategies that it chooses among.

To see that rate in full, each simulated dataset would need a calibration of its own. In place of
that, the one calibration there is serves for all of them: its scenarios are a list of variances at
which it is known what each strategy does. By the restricted likelihood of a dataset under each of
them, from its response alone, some are plausible; what is chosen is the strategy that would be
recommended if these were all the scenarios there are, and it is tested on the dataset. There are
three rules, which differ in how far below the best a log-likelihood may be:

`plausible`
    By up to 1.92, the bound of a 95 % profile-likelihood interval. The report recommends by the
    worst of scenarios between such limits, about the estimate: this is what it would tell the owner
    of the dataset, as nearly as one list of scenarios allows.
`closest`
    Not at all: the estimate is taken at its word. The report does not do that; how much worse it is
    tells what the limits are good for.
`always`
    By as much as may be: the recommendation from all scenarios, whatever the dataset. Nothing is
    chosen by the data that are tested; the other two are to be compared with it.

The report is somewhat more careful than `plausible`: it moves all variances to their limits at
once, which together is less likely than each alone, and it always has scenarios in which slopes
vary or errors are not normal. So it lets the data choose less than `plausible` does, and more than
`always`; where the rates of these two agree, it does not matter how near the emulation is.

Three more things differ from the nested calibration. Choices change in steps, from scenario to
scenario, and where a dataset's estimate lies beyond the list, the end of the list stands for it.
What is safe is said by the rates of the calibration itself, whose Monte Carlo errors all datasets
share. And of strategies with nearly the same power it is always the one with the most that is
chosen.

The choice goes by variances alone. They do not depend on the coefficients of X, so that a dataset
with an effect has the same choice as without.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import numpy as np
import pyarrow as pa

from clustrategy.calibration.restricted_likelihood import ScenarioLikelihoods
from clustrategy.core.fits import have_numbers
from clustrategy.core.scenarios import SCENARIO
from clustrategy.core.shard import Floats
from clustrategy.dgp.drawn import draw
from clustrategy.dgp.kinds import kinds
from clustrategy.evaluation import promises
from clustrategy.evaluation.cell_verdicts import Rules, sample_of
from clustrategy.evaluation.choice import Candidates, Choice, Outcomes, choice_table, judge_choice
from clustrategy.study.plan import Plan
from clustrategy.study.whole_tables import CellTables


def calibrated_choice(
    plan: Plan, settings: Mapping[str, Any], cells: Iterable[CellTables], verdicts: pa.Table
) -> pa.Table:
    """Tell how often tests reject a true null hypothesis after a choice by the same data.

    The datasets are drawn again, a block at a time, for their likelihoods; one scenario at a time
    is in memory.

    Parameters
    ----------
    plan : Plan
        Of a study on a given design.
    settings : Mapping
        As `Study.verdict_settings` gives them.
    cells : iterable of CellTables
        What was found in each of its scenarios.
    verdicts : Table
        As `study_verdicts` gives them.

    Returns
    -------
    Table
        As of `choice_table`.
    """
    rules = Rules.of(settings, settings["alpha"])
    names = [str(cell[SCENARIO]) for cell in plan.cells]
    processes = plan.recipe.given_data.processes
    likelihoods = ScenarioLikelihoods.of([processes[name] for name in names])
    rows = verdicts.to_pylist()
    choices = [[*_choices(cell, plan, settings, rules, rows, likelihoods)] for cell in cells]
    return choice_table(names, choices, rules)


def _choices(
    cell: CellTables,
    plan: Plan,
    settings: Mapping[str, Any],
    rules: Rules,
    verdicts: list[dict[str, Any]],
    likelihoods: ScenarioLikelihoods,
) -> Iterator[Choice]:
    """Judge the choice in one scenario, for each kind of terms."""
    names = [str(one[SCENARIO]) for one in plan.cells]
    shortfalls = _shortfalls(plan, cell.place, likelihoods)
    for kind, terms in kinds(plan.recipe.process(cell.cell)).items():
        effect = rules.effect_of(kind)
        yield judge_choice(
            rules,
            Candidates.of(verdicts, kind, effect, plan.labels, names),
            shortfalls,
            _outcomes(cell, plan, settings, rules, terms, effect),
            kind=kind,
            terms=terms,
            effect=effect,
        )


def _shortfalls(plan: Plan, place: int, likelihoods: ScenarioLikelihoods) -> Floats:
    """Return (S, T) how far the likelihoods of the sims of a scenario are below the best."""
    cell = plan.cells[place]
    process = plan.recipe.process(cell)
    parts = []
    for block in plan.blocks_of(place):
        shard = draw(process, plan.recipe.seed, cell, block.sims).shard
        parts.append(likelihoods.shortfalls(shard.y.reshape(shard.sims, -1)))
    return np.concatenate(parts)


def _outcomes(
    cell: CellTables,
    plan: Plan,
    settings: Mapping[str, Any],
    rules: Rules,
    terms: tuple[str, ...],
    effect: float,
) -> Outcomes:
    """Return how the tests of one term ended."""
    alpha, effects = rules.regions.alpha, [*rules.effects_of(terms)]
    usable = have_numbers(cell.status, cell.numbers["estimate"], settings["usable"])
    places = [cell.terms.index(term) for term in terms]
    outcomes = Outcomes(*np.full((2, *usable.shape), np.nan))
    for place, label in enumerate(plan.labels):
        numbers = {name: column[place] for name, column in cell.numbers.items()}
        own = None if cell.own is None else cell.own[place]
        sample = sample_of(numbers, cell.truth, own, usable[place], places)
        (outcomes.false_positives[place],) = promises.false_positives(sample, alpha)
        if settings["equivariant"][label]:
            found = promises.findings(sample, effects, alpha)
            (outcomes.findings[place],) = found[effects.index(effect)]
    return outcomes
