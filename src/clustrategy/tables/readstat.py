"""The script that reads a file of Stata, SPSS or SAS, and writes it as a stream of Arrow.

ReadStat, the library that knows these files, can crash on damaged ones, so it runs in a process of
its own. What this imports is paid for at each start.
"""

from __future__ import annotations

import json
import sys
from typing import Any

import pyarrow as pa

from clustrategy.core.errors import DataError
from clustrategy.tables.headers import choose
from clustrategy.tables.memory import check_memory, out_of_memory

READERS = {
    "dta": "read_dta",
    "sav": "read_sav",
    "zsav": "read_sav",
    "por": "read_por",
    "sas7bdat": "read_sas7bdat",
    "xpt": "read_xport",
}
"""Which function of pyreadstat reads a kind of file."""

_BYTES_OF_VALUE = 60
"""What a value takes while it is a Python object, and beside it in the table."""

LABELS = b"labels"
"""Where the labels of values are beside the table: by column, pairs of value and label."""
REFUSED = 3
"""The script's exit code where its last words are meant for the user."""


def read(path: str, kind: str, columns: list[str] | None) -> pa.Table:
    """Read a file in this process.

    Parameters
    ----------
    path : str
        The file.
    kind : str
        One of `READERS`.
    columns : list of str, optional
        Those to read; all by default.

    Returns
    -------
    Table
        Null where a value is missing; its metadata have `LABELS`.

    Raises
    ------
    DataError
        If a column is missing, or there are no rows or too many for the memory that is free.
    """
    import pyreadstat

    reader = getattr(pyreadstat, READERS[kind])
    _, about = reader(path, metadataonly=True)
    names = list(about.column_names)
    wanted = [names[place] for place in choose(names, columns, path)]
    rows = about.number_rows
    if rows is not None:
        check_memory(path, _BYTES_OF_VALUE * rows * len(wanted))
    values, about = reader(path, usecols=wanted, output_format="dict")
    table = pa.table({name: _column(values[name]) for name in wanted})
    if not table.num_rows:
        raise DataError(f"{path}: has no rows")
    if rows is not None and table.num_rows != rows:
        raise DataError(f"{path}: is not whole: it has {table.num_rows:,} of {rows:,} rows")
    labels = {
        name: sorted(pairs.items(), key=lambda pair: (isinstance(pair[0], str), pair[0]))
        for name, pairs in about.variable_value_labels.items()
        if name in set(wanted)
    }
    return table.replace_schema_metadata({LABELS: json.dumps(labels)})


def _column(values: list[Any]) -> pa.Array:
    """Return a column, null where there is no value."""
    array = pa.array([None if value == "" else value for value in values], from_pandas=True)
    return array.cast(pa.float64()) if pa.types.is_null(array.type) else array


def _main(path: str, kind: str, columns: str) -> None:
    """Write a file as a stream of Arrow, or one sentence that says why it cannot be."""
    try:
        table = read(path, kind, json.loads(columns))
    except DataError as error:
        reason = str(error)
    except MemoryError:
        reason = str(out_of_memory(path))
    except Exception as error:  # Whatever ReadStat threw, the file is none that it can read.
        reason = f"{path}: cannot be read ({' '.join(str(error).split())})"
    else:
        with pa.ipc.new_stream(sys.stdout.buffer, table.schema) as stream:
            stream.write_table(table)
        return
    print(reason, file=sys.stderr)
    sys.exit(REFUSED)


if __name__ == "__main__":
    _main(*sys.argv[1:])
