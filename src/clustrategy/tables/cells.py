"""Cells as columns of tables."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pyarrow as pa

from clustrategy.core.cells import (
    COUNTS,
    LISTS,
    NUMBERS_OR_LISTS,
    TEXTS,
    WORDS_OR_NUMBERS,
    format_level,
)


def with_cell(cell: Mapping[str, Any], table: pa.Table) -> pa.Table:
    """Put a cell's values as columns before the others.

    Lists are texts as in paths. A factor without a value has null: rows are over its levels. Of a
    factor whose levels may be numbers or lists that null is of no type.
    """
    names, columns = [], []
    for factor, value in cell.items():
        if factor in NUMBERS_OR_LISTS and value is None:
            level = pa.scalar(None)
        elif factor in (*TEXTS, *LISTS, *WORDS_OR_NUMBERS) or isinstance(value, Sequence):
            level = pa.scalar(None if value is None else format_level(value), pa.string())
        else:
            level = pa.scalar(value, pa.int64() if factor in COUNTS else pa.float64())
        names.append(factor)
        columns.append(pa.repeat(level, table.num_rows))
    return pa.table([*columns, *table.columns], names=[*names, *table.column_names])
