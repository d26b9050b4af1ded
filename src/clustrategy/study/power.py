"""The power of every strategy of a study at all effects, and the least effect that it finds."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from clustrategy.core.cells import Cell
from clustrategy.core.shard import INTERCEPT
from clustrategy.dgp.kinds import kinds
from clustrategy.evaluation.cell_verdicts import ALL, CELL, FALSE_POSITIVES, Rules
from clustrategy.evaluation.detectable import (
    Units,
    least_effects,
    over_cells,
    rows_of,
    table_of,
    within_reason,
)
from clustrategy.evaluation.power_curves import Simulated, curves, simulated
from clustrategy.study.plan import Plan
from clustrategy.study.whole_tables import CellTables
from clustrategy.tables.cells import with_cell

Safe = Mapping[tuple[Any, ...], bool | None]
"""Whether rates are safe, by the levels of a cell, the strategy and the kind of terms."""


def study_power(
    plan: Plan, settings: Mapping[str, Any], cells: Iterable[CellTables], verdicts: pa.Table
) -> tuple[pa.Table, pa.Table]:
    """Return the curves of power by cell, and minimal detectable effects by cell and over cells.

    One cell at a time is in memory.

    Parameters
    ----------
    plan : Plan
        Of the study.
    settings : Mapping
        As `Study.verdict_settings` gives them.
    cells : iterable of CellTables
        What was found in each of its cells.
    verdicts : Table
        As `study_verdicts` gives it: it says what is safe.

    Returns
    -------
    power, detectable : Table
        The factors, which are null in rows over all cells, and the columns of
        `power_curves.SCHEMA` and `detectable.SCHEMA`. On the design of a table effects are
        standardised, too.
    """
    rules = Rules.of(settings, settings["alpha"])
    levels = (rules.regions.alpha, rules.regions.confidence)
    units = _units(plan)
    safe = _safe(verdicts, plan)
    found, parts = [], []
    for cell in cells:
        here = _simulated(cell, plan, settings, rules, safe)
        parts.append(with_cell(cell.cell, curves(here, *levels)))
        found.append(within_reason(least_effects(here, *levels), units))
    by_cell = [
        with_cell(cell, table_of([*rows_of(least, units)]))
        for cell, least in zip(plan.cells, found, strict=True)
    ]
    nowhere = dict.fromkeys(plan.cells[0])
    of_all = over_cells(plan.cells, found, _of_cell(safe, nowhere), units)
    everywhere = with_cell(nowhere, table_of([*of_all]))
    return pa.concat_tables(parts), pa.concat_tables([*by_cell, everywhere])


def _simulated(
    cell: CellTables, plan: Plan, settings: Mapping[str, Any], rules: Rules, safe: Safe
) -> list[Simulated]:
    """Take the numbers of the strategies in one cell."""
    of_kind = kinds(plan.recipe.process(cell.cell))
    usable = cell.usable(settings["usable"])
    return [
        *simulated(
            plan.labels,
            of_kind,
            lambda place, terms: cell.sample(place, terms, usable),
            {kind: tuple(rules.effects_of(terms)) for kind, terms in of_kind.items()},
            settings["equivariant"],
            _of_cell(safe, cell.cell),
        )
    ]


def _units(plan: Plan) -> Units:
    """Return what effects are standardised by: of a grid nothing, of a table what it holds."""
    if plan.recipe.given is None:
        return Units()
    shard = plan.recipe.given_data.shard
    numeric = {
        term: float(np.std(column, ddof=1))
        for term, column in zip(shard.terms, shard.X.T, strict=True)
        if term != INTERCEPT and not np.isin(column, (0.0, 1.0)).all()
    }
    return Units(float(np.std(shard.y, ddof=1)), numeric)


def _safe(verdicts: pa.Table, plan: Plan) -> Safe:
    """Read from the verdicts whether the rates in single cells and over all of them are safe."""
    rates = verdicts.filter(
        (pc.field("measure") == FALSE_POSITIVES) & pc.field("scope").isin([CELL, ALL])
    )
    names = [*plan.cells[0], "strategy", "kind"]
    return {tuple(row[name] for name in names): row["safe"] for row in rates.to_pylist()}


def _of_cell(safe: Safe, cell: Cell | Mapping[str, None]) -> dict[tuple[str, str], bool | None]:
    """Return what is safe in one cell, or over all where the levels are missing."""
    (row,) = with_cell(cell, pa.table({"": [None]})).drop_columns([""]).to_pylist()
    levels: Sequence[Any] = [*row.values()]
    return {key[-2:]: is_safe for key, is_safe in safe.items() if [*key[:-2]] == levels}
