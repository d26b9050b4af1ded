"""Sentences about choosing a strategy by the data that it then tests."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pyarrow as pa

from clustrategy.core.counted import listed
from clustrategy.dgp.kinds import INTERCEPT_KIND
from clustrategy.evaluation.cell_verdicts import ALL, FALSE_POSITIVES
from clustrategy.evaluation.choice import ALWAYS, CHOSEN, CLOSEST, PLAUSIBLE
from clustrategy.evaluation.recommendation import is_liberal, percent, short

Row = Mapping[str, Any]


def choice_sentences(table: pa.Table) -> list[str]:
    """Say for each kind of terms but the intercept what becomes of the level, and what to do.

    Parameters
    ----------
    table : Table
        As `choice_table` gives it.
    """
    rows = table.to_pylist()
    kinds = list(dict.fromkeys(one["kind"] for one in rows))
    return [
        _sentence([one for one in rows if one["kind"] == kind], kind)
        for kind in kinds
        if kind != INTERCEPT_KIND or len(kinds) == 1
    ]


def _sentence(rows: Sequence[Row], kind: str) -> str:
    """Say it for one kind of terms."""
    rates = {
        one["rule"]: one
        for one in rows
        if one["scope"] == ALL and one["measure"] == FALSE_POSITIVES
    }
    plausible, closest, always = (rates[rule] for rule in (PLAUSIBLE, CLOSEST, ALWAYS))
    if plausible["value"] is None:
        return f"For {kind} nothing can be said of choosing by the same data: no test is usable."
    taken = {rule: _taken(rows, rule) for rule in rates}
    (fixed,) = taken[ALWAYS]
    if taken[PLAUSIBLE] == [fixed]:
        said = (
            f"For {kind} the variance components of the same data leave no choice: whatever they "
            f"are, it is {fixed}, which rejects a true null hypothesis in {_rate(plausible)}"
        )
    else:
        between = "between " if len(taken[PLAUSIBLE]) > 1 else ""
        said = (
            f"Choosing {between}{listed(taken[PLAUSIBLE])} by the variance components of the same "
            f"data, and then testing {kind}, rejects a true null hypothesis in {_rate(plausible)}"
        )
    said = f"{said}: {_judged(plausible)}."
    if taken[PLAUSIBLE] != [fixed] and always["n"]:
        said += f" With {fixed} whatever the data it is {_rate(always)}."
    if is_liberal(plausible) and taken[PLAUSIBLE] != [fixed]:
        return f"{said} Do not choose so: settle on one before the response is looked at."
    if taken[CLOSEST] != taken[PLAUSIBLE] and not closest["safe"]:
        said += (
            f" Do not take the estimated components at their word: to choose as if they were known "
            f"rejects in {_rate(closest)}."
        )
    return said


def _taken(rows: Sequence[Row], rule: str) -> list[str]:
    """List the strategies that a rule takes in some scenario."""
    of_rule = (one for one in rows if one["rule"] == rule and one["measure"] == CHOSEN)
    return [short(label) for label in dict.fromkeys(one["chosen"] for one in of_rule)]


def _rate(rate: Row) -> str:
    where = f" at worst ({rate['worst_cell']})" if rate["worst_cell"] else ""
    return f"{percent(rate)}{where}"


def _judged(rate: Row) -> str:
    """Say what the false-positive rate over all scenarios means."""
    if is_liberal(rate):
        return "that is liberal"
    where = "" if rate["cells"] == 1 else " in all scenarios"
    return f"that is safe{where}" if rate["safe"] else f"that is not shown to be safe{where}"
