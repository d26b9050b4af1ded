"""The scenarios of a table's design, as a table to read."""

from __future__ import annotations

import pyarrow as pa

from clustrategy.calibration.given_data import read_given_data
from clustrategy.tables.files import write_csv


def scenarios(folder: str, *, scenarios: str) -> None:
    """Write what each scenario supposes, and the numbers that it came to.

    Parameters
    ----------
    folder : str
        Of the study, whose design and scenarios are kept there.
    scenarios : str
        The file to write.
    """
    found = read_given_data(folder).scenarios
    table = pa.table(
        {
            "scenario": [one.name for one in found],
            "supposes": [one.words for one in found],
            "simulated": [one.process is not None for one in found],
            "note": [one.note for one in found],
        }
    )
    write_csv(table, scenarios)
