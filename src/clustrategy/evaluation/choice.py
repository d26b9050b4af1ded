"""A choice among strategies by how plausible a dataset leaves each scenario, and then a test.

What is chosen by data and then tested on them is a strategy of its own. The rules of the choice
differ in how far below the best the log-likelihood of a scenario may be.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from clustrategy.core.cells import Cell
from clustrategy.core.scenarios import SCENARIO
from clustrategy.core.shard import Floats, Ints
from clustrategy.evaluation import promises
from clustrategy.evaluation.cell_verdicts import (
    ADJUSTED,
    CELL,
    FALSE_POSITIVES,
    POWER,
    SCHEMA,
    UNUSABLE,
    Judged,
    Key,
    Rules,
    row,
)
from clustrategy.evaluation.over_cells import over_cells, scopes
from clustrategy.evaluation.promises import Found
from clustrategy.tables.cells import with_cell

PLAUSIBLE, CLOSEST, ALWAYS = "plausible", "closest", "always"
RULES = {PLAUSIBLE: 1.92, CLOSEST: 0.0, ALWAYS: np.inf}
"""How far below the best the log-likelihood of a scenario may be, by the rule of the choice."""

CHOSEN = "chosen"
"""The measure of how often a strategy is chosen."""

COLUMNS = pa.schema(
    [
        pa.field("rule", pa.string()),
        pa.field("chosen", pa.string()),
        *(each for each in SCHEMA if each.name != "strategy"),
    ]
)
"""The columns behind that of the scenario: those of verdicts, but for the strategy, which is a rule
and, of the measure `chosen`, the strategy that it takes."""

Row = Mapping[str, Any]


@dataclass(frozen=True)
class Candidates:
    """What a calibration found of K strategies in T scenarios, for the terms of one kind.

    Attributes
    ----------
    strategies : tuple of str
        Their labels, the first of equal ones chosen first.
    safe : (K, T) array of bool
        Whether each is safe.
    rate : (K, T) array
        Its false-positive rate, NaN where it has none.
    power : (K, T) array
        Its size-adjusted power at the effect asked for, NaN where it is not known.
    """

    strategies: tuple[str, ...]
    safe: NDArray[np.bool_]
    rate: Floats
    power: Floats

    @classmethod
    def of(
        cls,
        verdicts: Sequence[Row],
        kind: str,
        effect: float,
        strategies: Sequence[str],
        scenarios: Sequence[str],
    ) -> Candidates:
        """Take what there is from verdicts.

        Parameters
        ----------
        verdicts : Sequence of Mapping
            Rows of the table of verdicts.
        kind : str
            Of the terms.
        effect : float
            At which the power is compared.
        strategies, scenarios : Sequence of str
            Their labels and names, in their order.
        """
        shape = len(strategies), len(scenarios)
        safe, rate, power = (
            np.zeros(shape, dtype=bool),
            np.full(shape, np.nan),
            np.full(shape, np.nan),
        )
        for one in verdicts:
            if one["scope"] != CELL or one["kind"] != kind or one["value"] is None:
                continue
            at = strategies.index(one["strategy"]), scenarios.index(one[SCENARIO])
            if one["measure"] == FALSE_POSITIVES:
                rate[at], safe[at] = one["value"], bool(one["safe"])
            elif one["measure"] == ADJUSTED and one["effect"] == effect:
                power[at] = one["value"]
        return cls(tuple(strategies), safe, rate, power)

    def recommended(self, among: NDArray[np.bool_]) -> int:
        """Return the place of the strategy that is recommended by some scenarios.

        It is the one with the most power, in the mean over these scenarios, of those that are safe
        in each; where none is, the one whose worst false-positive rate is the lowest.

        Parameters
        ----------
        among : (T,) array of bool
            Which scenarios.
        """
        safe = self.safe[:, among].all(axis=1)
        if not safe.any():
            worst = self.rate[:, among].max(axis=1)
            return int(np.where(np.isnan(worst), np.inf, worst).argmin())
        powers = self.power[:, among]
        mean = np.where(np.isnan(powers), 0.0, powers).mean(axis=1)
        return int(np.where(safe, mean, -1.0).argmax())

    def chosen(self, shortfalls: Floats, most: float) -> Ints:
        """Return the place of the strategy that is chosen on each dataset, (S,).

        Parameters
        ----------
        shortfalls : (S, T) array
            How far the log-likelihood of each scenario is below that of the best.
        most : float
            How far it may be.
        """
        # As whole numbers, a bit for each scenario, they are sorted far faster than as rows.
        bits = np.arange(shortfalls.shape[1])
        sets, which = np.unique((shortfalls <= most) @ (1 << bits), return_inverse=True)
        among = (sets[:, None] >> bits & 1).astype(bool)
        return np.array([self.recommended(one) for one in among])[which]


class Outcomes(NamedTuple):
    """How the tests of K strategies of one kind of terms ended on S datasets.

    Attributes
    ----------
    false_positives, findings : (K, S) array
        Whether they reject the truth, and zero were the coefficient the effect asked for: 1 and 0,
        NaN where there is no usable test.
    """

    false_positives: Floats
    findings: Floats


class Choice(NamedTuple):
    """What choosing comes to in one scenario, for one kind of terms.

    Attributes
    ----------
    judged : dict of Key to Judged
        What there is to say of each rule, which stands in the place of the strategy.
    shares : dict of tuple to Found
        How often each strategy is chosen, by rule, kind and strategy; only those that ever are.
    """

    judged: dict[Key, Judged]
    shares: dict[tuple[str, str, str], Found]


def judge_choice(
    rules: Rules,
    candidates: Candidates,
    shortfalls: Floats,
    outcomes: Outcomes,
    *,
    kind: str,
    terms: tuple[str, ...],
    effect: float,
) -> Choice:
    """Judge calibrating, choosing and testing in one scenario.

    Parameters
    ----------
    rules : Rules
        How numbers become verdicts.
    candidates : Candidates
        What the calibration found in all scenarios.
    shortfalls : (S, T) array
        How far the log-likelihood of each scenario is below that of the best, for each dataset that
        was drawn in this one.
    outcomes : Outcomes
        Of the tests on these datasets.
    kind : str
        Of the terms.
    terms : tuple of str
        The one term of this kind.
    effect : float
        At which there is power.

    Returns
    -------
    Choice
        Nothing where no strategy has a false-positive rate.
    """
    found = Choice({}, {})
    if np.isnan(candidates.rate).all():
        return found
    sims, level = np.arange(len(shortfalls)), rules.regions.confidence
    for rule, most in RULES.items():
        chosen = candidates.chosen(shortfalls, most)
        rejected = outcomes.false_positives[chosen, sims][None]
        unusable = promises.rate(np.isnan(rejected).astype(float), level)
        rate = promises.rate(rejected, level)
        power = promises.rate(outcomes.findings[chosen, sims][None], level)
        judged = rules.false_positives(rate, terms, unusable.value, sims.size)
        found.judged[Key(rule, kind, FALSE_POSITIVES)] = judged
        found.judged[Key(rule, kind, POWER, effect)] = Judged(terms, power)
        found.judged[Key(rule, kind, UNUSABLE)] = Judged(terms, unusable)
        for place in np.unique(chosen).tolist():
            share = promises.rate((chosen == place)[None].astype(float), level)
            found.shares[rule, kind, candidates.strategies[place]] = share
    return found


def choice_table(
    scenarios: Sequence[str], choices: Sequence[Sequence[Choice]], rules: Rules
) -> pa.Table:
    """Return the table of what choosing comes to: each scenario, then the worst of all.

    Parameters
    ----------
    scenarios : Sequence of str
        Their names.
    choices : Sequence of Sequence of Choice
        Of each scenario those of all kinds of terms.
    rules : Rules
        How numbers become verdicts.

    Returns
    -------
    Table
        The scenario, null over all, and `COLUMNS`. That of the worst scenario is an interval which
        holds for the worst of so many.
    """
    cells: list[Cell] = [{SCENARIO: name} for name in scenarios]
    judged = [{k: v for one in each for k, v in one.judged.items()} for each in choices]
    parts = []
    for cell, own, each in zip(cells, judged, choices, strict=True):
        rows = [row(key, one, scope=CELL, cells=1) for key, one in own.items()]
        for (rule, kind, strategy), share in (i for one in each for i in one.shares.items()):
            terms = own[Key(rule, kind, FALSE_POSITIVES)].terms
            line = row(Key(rule, kind, CHOSEN), Judged(terms, share), scope=CELL, cells=1)
            rows.append({**line, "chosen": strategy})
        parts.append(with_cell(cell, _table(rows)))
    (together,) = scopes(cells, ())
    worst = [*over_cells(cells, judged, together, rules, {})]
    parts.append(with_cell({SCENARIO: None}, _table(worst)))
    return pa.concat_tables(parts)


def _table(rows: Sequence[Row]) -> pa.Table:
    """Return rows by kind and rule as a table."""
    kinds = list(dict.fromkeys(one["kind"] for one in rows))
    measures = [FALSE_POSITIVES, POWER, UNUSABLE, CHOSEN]
    ordered = sorted(
        rows,
        key=lambda one: (
            kinds.index(one["kind"]),
            [*RULES].index(one["strategy"]),
            measures.index(one["measure"]),
        ),
    )
    named = [{**one, "rule": one["strategy"]} for one in ordered]
    columns = [
        pa.array([one.get(each.name) for one in named], each.type, from_pandas=True)
        for each in COLUMNS
    ]
    return pa.table(columns, schema=COLUMNS)
