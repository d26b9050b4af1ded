"""The order of a table's rows."""

from __future__ import annotations

from clustrategy.core.errors import DataError
from clustrategy.design.from_table import WHAT, cluster_of
from clustrategy.tables.frames import frame, require


def in_order(data: object, column: str | None, formula: str, cluster: str | None = None) -> object:
    """Return a table's rows in the order of a column; as they are where none is named.

    Parameters
    ----------
    data : DataFrame or other table
        In whatever `frame` takes.
    column : str, optional
        Numbers, dates or text, each once in a cluster.
    formula, cluster : str
        As of `design_from_table`.

    Raises
    ------
    DataError
        If the column is not there, lacks values, cannot be put in an order, or has a value several
        times in a cluster: then it says no order.
    """
    if column is None:
        return data
    table, cluster = frame(data, WHAT), cluster_of(formula, cluster)
    require(table, column, WHAT)
    missing = int(table[column].isna().sum())
    if missing:
        raise DataError(
            f"the column {column!r} of the data is to say in which order the rows are, but lacks "
            f"{missing:,} of {len(table):,} values"
        )
    if cluster in table:
        tied = table.duplicated([cluster, column])
        if tied.any():
            again, place = (table.loc[tied, name].iloc[0] for name in (column, cluster))
            raise DataError(
                f"the column {column!r} of the data is to say in which order the rows of a cluster "
                f"are, but has {again!s} several times in {place!s}"
            )
    try:
        return table.sort_values(column, kind="stable", ignore_index=True)
    except TypeError:
        raise DataError(
            f"the column {column!r} of the data holds values that cannot be put in an order"
        ) from None
