"""The order of a table's rows."""

from __future__ import annotations

from typing import TYPE_CHECKING

from clustrategy.core.errors import DataError
from clustrategy.tables.frames import frame, require

if TYPE_CHECKING:
    import pandas as pd

WHAT = "the data"


def in_order(data: object, column: str) -> pd.DataFrame:
    """Return a table's rows in the order of a column; ties stay as they are.

    Parameters
    ----------
    data : DataFrame or other table
        In whatever `frame` takes.
    column : str
        Numbers, dates or text.

    Raises
    ------
    DataError
        If the column is not there, lacks values or cannot be put in an order.
    """
    table = frame(data, WHAT)
    require(table, column, WHAT)
    missing = int(table[column].isna().sum())
    if missing:
        raise DataError(
            f"the column {column!r} of the data is to say in which order the rows are, but lacks "
            f"{missing:,} of {len(table):,} values"
        )
    try:
        return table.sort_values(column, kind="stable", ignore_index=True)
    except TypeError:
        raise DataError(
            f"the column {column!r} of the data holds values that cannot be put in an order"
        ) from None
