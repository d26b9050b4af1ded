"""The verdicts on every strategy: by cell, and over cells with the worst of them drawn again."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from clustrategy.core.errors import EngineError
from clustrategy.core.fits import Fits, have_numbers
from clustrategy.core.shard import Floats
from clustrategy.dgp.drawn import draw
from clustrategy.dgp.kinds import kinds
from clustrategy.evaluation import promises
from clustrategy.evaluation.cell_verdicts import (
    Judged,
    Key,
    Rules,
    judge_cell,
    rows_of,
    sample_of,
    table_of,
)
from clustrategy.evaluation.over_cells import order, over_cells, scopes, worst_cells
from clustrategy.study.plan import Plan
from clustrategy.study.study import MOST_SIMS
from clustrategy.study.whole_tables import CellTables
from clustrategy.tables.cells import with_cell
from clustrategy.tables.estimates import null_values


def study_verdicts(
    plan: Plan, settings: Mapping[str, Any], cells: Iterable[CellTables]
) -> pa.Table:
    """Judge every strategy of a study.

    One cell at a time is in memory. The cells with the highest false-positive rates are drawn
    again: as many sims as the study has, numbered from 10,000,000 on.

    Parameters
    ----------
    plan : Plan
        Of the study.
    settings : Mapping
        As `Study.verdict_settings` gives them.
    cells : iterable of CellTables
        What was found in each of its cells.

    Returns
    -------
    Table
        The factors, which are null in rows over their levels, and `cell_verdicts.SCHEMA`.
    """
    rules = Rules.of(settings, settings["alpha"])
    judged = [_judged(cell, plan, settings, rules) for cell in cells]
    parts = [
        with_cell(cell, table_of(rows_of(found)))
        for cell, found in zip(plan.cells, judged, strict=True)
    ]
    together = scopes(plan.cells, settings["by"])
    fresh = _drawn_again(plan, settings, rules, worst_cells(judged, together))
    for scope in together:
        rows = order([*over_cells(plan.cells, judged, scope, rules, fresh)], plan.labels)
        cell = {f: scope.levels.get(f) for f in plan.cells[0]}
        parts.append(with_cell(cell, table_of(rows)))
    return pa.concat_tables(parts, promote_options="default")


def _judged(
    cell: CellTables, plan: Plan, settings: Mapping[str, Any], rules: Rules
) -> dict[Key, Judged]:
    """Judge the strategies in one cell."""
    process = plan.recipe.process(cell.cell)
    of_kind = kinds(process)
    usable = cell.usable(settings["usable"])
    return judge_cell(
        rules.in_cell(process),
        plan.labels,
        of_kind,
        lambda place, kind: cell.sample(place, of_kind[kind], usable),
        cell.status,
        usable,
        [settings["finite_variance"][label][cell.place] for label in plan.labels],
        [settings["equivariant"][label] for label in plan.labels],
    )


def _drawn_again(
    plan: Plan,
    settings: Mapping[str, Any],
    rules: Rules,
    worst: Mapping[int, Sequence[tuple[str, str]]],
) -> dict[tuple[int, str, str | None], Judged]:
    """Draw cells anew, with sims whose numbers no study has, and judge them.

    Strategies whose engine is not here are left out.
    """
    again: dict[tuple[int, str, str | None], Judged] = {}
    for place, pairs in worst.items():
        process = plan.recipe.process(plan.cells[place])
        of_kind, terms = kinds(process), process.terms
        labels = [s for s in dict.fromkeys(strategy for strategy, _ in pairs) if _is_here(plan, s)]
        fitted = _fitted(plan, place, labels)
        for strategy, kind in pairs:
            if strategy in labels:
                fits, truth = fitted[strategy]
                usable = have_numbers(fits.status, fits.estimate.T, settings["usable"])
                places = [terms.index(term) for term in of_kind[kind]]
                sample = _sample(fits, truth, usable, places)
                rate = promises.false_positive_rate(
                    sample, rules.regions.alpha, rules.regions.confidence
                )
                again[place, strategy, kind] = rules.false_positives(
                    rate, of_kind[kind], float((~usable).mean()), usable.size
                )
    return again


def _is_here(plan: Plan, strategy: str) -> bool:
    try:
        plan.recipe.chosen[strategy].check()
    except EngineError:
        return False
    return True


def _fitted(plan: Plan, place: int, labels: Sequence[str]) -> dict[str, tuple[Fits, Floats]]:
    """Fit strategies to as many fresh sims of a cell as the study has; return fits and truths."""
    cell = plan.cells[place]
    process = plan.recipe.process(cell)
    fits: dict[str, list[Fits]] = {label: [] for label in labels}
    truth = []
    for first, last in plan.cuts[place]:
        sims = range(MOST_SIMS + first, MOST_SIMS + last + 1)
        drawn = draw(process, plan.recipe.seed, cell, sims)
        truth.append(drawn.truth)
        for label in labels:
            nulls = null_values(drawn.truth, ())
            fits[label].append(plan.recipe.chosen[label].fit(drawn.shard, nulls))
    whole = np.concatenate(truth)
    return {label: (Fits.concatenate(parts), whole) for label, parts in fits.items()}


def _sample(
    fits: Fits, truth: Floats, usable: NDArray[np.bool_], places: Sequence[int]
) -> promises.Sample:
    """Take what tests of the truth need from fits."""
    unknown = np.full_like(truth.T, np.nan)
    numbers = {
        "estimate": fits.estimate.T,
        "std_error": fits.std_error.T,
        "df": fits.df.T,
        "conf_low": unknown,
        "conf_high": unknown,
    }
    own = fits.p_nulls.transpose(1, 0, 2) if fits.p_nulls.shape[2] else None
    return sample_of(numbers, truth.T, own, usable, places)
