"""The power of every strategy at all effects, and the least effect that it finds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from clustrategy.core.cells import Cell
from clustrategy.dgp.kinds import kinds
from clustrategy.evaluation.cell_verdicts import ALL, CELL, FALSE_POSITIVES
from clustrategy.evaluation.detectable import Units, least_effects, over_cells, rows_of, table_of
from clustrategy.evaluation.power_curves import Simulated, curves, simulated
from clustrategy.study.plan import Plan, read_plan
from clustrategy.study.whole_tables import CellTables, read_cells
from clustrategy.tables.cells import with_cell
from clustrategy.tables.files import read_parquet, write_csv, write_parquet

Safe = Mapping[tuple[Any, ...], bool | None]
"""Whether rates are safe, by the levels of a cell, the strategy and the kind of terms."""


def power(
    folder: str,
    settings: Mapping[str, Any],
    *,
    estimates: str,
    fits: str,
    truth: str,
    verdicts: str,
    power: str,
    power_csv: str,
    detectable: str,
    detectable_csv: str,
) -> None:
    """Write the curves of power by cell, and the minimal detectable effects by cell and over cells.

    The estimates of one cell at a time are in memory.

    Parameters
    ----------
    folder : str
        Of the study, with its plan.
    settings : Mapping
        As `Study.verdict_settings` gives them and, where they are known, `sd_of_response` and
        `sd_of_term`, as `Units` takes them.
    estimates, fits, truth : str
        The whole tables of the study.
    verdicts : str
        The table of verdicts, which says what is safe.
    power, power_csv, detectable, detectable_csv : str
        The files to write.

    Raises
    ------
    DataError
        If the tables do not hold the sims and strategies of the study.
    """
    plan = read_plan(folder)
    levels = (settings["alpha"], settings["confidence"])
    units = Units(settings.get("sd_of_response"), settings.get("sd_of_term"))
    safe = _safe(read_parquet(verdicts), plan)
    found, parts = [], []
    for cell in read_cells(plan, estimates=estimates, fits=fits, truth=truth):
        here = _simulated(cell, plan, settings, safe)
        parts.append(with_cell(cell.cell, curves(here, *levels)))
        found.append(least_effects(here, *levels))
    by_cell = [
        with_cell(cell, table_of([*rows_of(least, units)]))
        for cell, least in zip(plan.cells, found, strict=True)
    ]
    nowhere = dict.fromkeys(plan.cells[0])
    of_all = over_cells(plan.cells, found, _of_cell(safe, nowhere), units)
    metadata = {"clustrategy.study": plan.study, "clustrategy.version": plan.version}
    for parquet, csv, tables in (
        (power, power_csv, parts),
        (detectable, detectable_csv, [*by_cell, with_cell(nowhere, table_of([*of_all]))]),
    ):
        whole = pa.concat_tables(tables)
        write_parquet(whole, parquet, metadata)
        write_csv(whole, csv)


def _simulated(
    cell: CellTables, plan: Plan, settings: Mapping[str, Any], safe: Safe
) -> list[Simulated]:
    """Take the numbers of the strategies in one cell."""
    of_kind = kinds(plan.recipe.process(cell.cell))
    usable = cell.usable(settings["usable"])
    effects = settings["effects"]
    listed = {
        kind: tuple(effects[terms[0]] if isinstance(effects, Mapping) else effects)
        for kind, terms in of_kind.items()
    }
    return [
        *simulated(
            plan.labels,
            of_kind,
            lambda place, terms: cell.sample(place, terms, usable),
            listed,
            settings["equivariant"],
            _of_cell(safe, cell.cell),
        )
    ]


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
