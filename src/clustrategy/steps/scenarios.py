"""The scenarios of a table's design, as a table to read."""

from __future__ import annotations

import pyarrow as pa

from clustrategy.core.scenarios import SCENARIO
from clustrategy.study.plan import read_plan
from clustrategy.tables.files import write_csv


def scenarios(folder: str, *, scenarios: str) -> None:
    """Write what each scenario supposes, and the numbers that it came to.

    Parameters
    ----------
    folder : str
        Of the study, with its plan.
    scenarios : str
        The file to write.
    """
    plan = read_plan(folder)
    simulated = [str(cell[SCENARIO]) for cell in plan.cells]
    write_csv(pa.table(plan.recipe.given_data.scenarios_table(simulated)), scenarios)
