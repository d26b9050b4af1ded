"""The placebo check of a study on one's own table: the real outcome against the working model."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from clustrategy.owndata.placebo import placebo as check
from clustrategy.study.plan import read_plan
from clustrategy.tables.files import write_csv, write_parquet


def placebo(folder: str, settings: Mapping[str, Any], *, placebo: str, placebo_csv: str) -> None:
    """Write how often placebos are rejected on the real outcome, and on simulated ones.

    Parameters
    ----------
    folder : str
        Of the study, with its plan and its design.
    settings : Mapping
        `alpha` and `usable`, as of `clustrategy.owndata.placebo.placebo`.
    placebo, placebo_csv : str
        The files to write.

    Raises
    ------
    DataError
        If the folder does not hold the design of the study.
    """
    plan = read_plan(folder)
    given = plan.recipe.given_data
    table = check(
        given.shard,
        given.formula_terms,
        [plan.recipe.chosen[label] for label in plan.labels],
        given.processes["estimated"],
        seed=plan.recipe.seed,
        **settings,
    )
    metadata = {"clustrategy.study": plan.study, "clustrategy.version": plan.version}
    write_parquet(table, placebo, metadata)
    write_csv(table, placebo_csv)
