"""The cells of a study without files: simulated and fitted in this process."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pyarrow as pa

from clustrategy.dgp.drawn import draw
from clustrategy.study.blocks import Block
from clustrategy.study.plan import Plan
from clustrategy.study.whole_tables import CellTables
from clustrategy.tables.datasets import truth_table
from clustrategy.tables.estimates import estimates_table, fits_table


def simulated_cells(plan: Plan) -> Iterator[CellTables]:
    """Simulate and fit the cells of a study in turn.

    The numbers are those of the study's shards to the last bit.

    Parameters
    ----------
    plan : Plan
        Of the study.
    """
    for place, cell in enumerate(plan.cells):
        parts = [_block(plan, block) for block in plan.blocks_of(place)]
        truth, estimates, fits = (pa.concat_tables(tables) for tables in zip(*parts, strict=True))
        yield CellTables.of(cell, place, plan.recipe.process(cell).terms, truth, estimates, fits)


def _block(plan: Plan, block: Block) -> tuple[pa.Table, pa.Table, pa.Table]:
    """Return the rows of a block: truth, estimates and fits, by sim, strategy and term."""
    recipe = plan.recipe
    drawn = draw(recipe.process(block.cell), recipe.seed, block.cell, block.sims)
    terms, labels = drawn.shard.terms, len(plan.labels)
    nulls = recipe.nulls(drawn.truth, block.cell)
    estimates, fits = [], []
    for label in plan.labels:
        strategy = recipe.chosen[label]
        found = strategy.fit(drawn.shard, nulls)
        name = (label, strategy.engine)
        estimates.append(estimates_table(found, terms, block.sims, *name))
        fits.append(fits_table(found, block.sims, *name))
    sims = np.arange(len(block.sims))
    by_fit = (sims[:, None] + len(block.sims) * np.arange(labels)).reshape(-1)
    by_row = (by_fit[:, None] * len(terms) + np.arange(len(terms))).reshape(-1)
    return (
        truth_table(drawn.truth, terms, block.sims),
        pa.concat_tables(estimates).take(by_row),
        pa.concat_tables(fits).take(by_fit),
    )
