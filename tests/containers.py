"""The same table in all that holds tables, and whether it is still the same afterwards."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa


class Stream:
    """A table of a library that speaks Arrow and nothing else, such as polars."""

    def __init__(self, table: pa.Table) -> None:
        self.table = table

    def __arrow_c_stream__(self, requested_schema: object = None) -> object:
        return self.table.__arrow_c_stream__(requested_schema)


def arrow(data: pd.DataFrame) -> pa.Table:
    """As pyarrow has it, without what pandas knows of it."""
    return pa.Table.from_pandas(data, preserve_index=False).replace_schema_metadata(None)


def with_index_of_a_column(data: pd.DataFrame) -> pd.DataFrame:
    """With an index that is called as the first column, as `set_index(drop=False)` leaves it."""
    return data.set_index(data.columns[0], drop=False)


CONTAINERS: dict[str, Callable[[pd.DataFrame], Any]] = {
    "frame": lambda data: data,
    "frame whose index repeats": lambda data: data.set_axis([7] * len(data)),
    "frame with an index called as a column": with_index_of_a_column,
    "frame with rows of two levels": lambda data: data.set_index(
        pd.MultiIndex.from_product([["a"], range(len(data))], names=["x", None])
    ),
    "dict of lists": lambda data: data.to_dict("list"),
    "dict of arrays": lambda data: {name: data[name].to_numpy() for name in data},
    "recarray": lambda data: data.to_records(index=False),
    "structured array": lambda data: np.array(data.to_records(index=False)),
    "pyarrow": arrow,
    "record batch": lambda data: arrow(data).combine_chunks().to_batches()[0],
    "reader": lambda data: arrow(data).to_reader(),
    "stream": lambda data: Stream(arrow(data)),
    "pyarrow that remembers an index": lambda data: pa.Table.from_pandas(
        data.set_index(data.columns[0])
    ),
}


def snapshot(data: Any) -> Any:
    """What is to be the same afterwards."""
    if isinstance(data, pd.DataFrame):
        return data.copy(deep=True)
    return data if isinstance(data, pa.RecordBatchReader) else copy.deepcopy(data)


def assert_same(data: Any, before: Any) -> None:
    """Fail where a table is not what it was."""
    if isinstance(data, pd.DataFrame):
        pd.testing.assert_frame_equal(data, before)
    elif isinstance(data, np.ndarray):
        assert data.dtype == before.dtype and data.tolist() == before.tolist()
    elif isinstance(data, dict):
        assert list(data) == list(before)
        for name, values in data.items():
            assert type(values) is type(before[name])
            pd.testing.assert_series_equal(pd.Series(values), pd.Series(before[name]))
    elif isinstance(data, pa.Table | pa.RecordBatch):
        assert data.equals(before)
