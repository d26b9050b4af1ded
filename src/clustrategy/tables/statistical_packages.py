"""Reading files of Stata, SPSS and SAS.

ReadStat, the library that all of them are read by, can crash on damaged files. It therefore runs in
a process of its own, which is this module run as a script.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Collection
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from clustrategy.core.errors import DataError
from clustrategy.core.fits import one_line
from clustrategy.tables.frames import from_arrow, whole_numbers
from clustrategy.tables.headers import choose
from clustrategy.tables.memory import check_memory, out_of_memory

if TYPE_CHECKING:
    import pandas as pd

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

_LABELS = b"labels"
_REFUSED = 3
"""The script's exit code where its last words are meant for the user."""


def read_statistical(path: Path, kind: str, columns: Collection[str] | None) -> pd.DataFrame:
    """Read a file of Stata, SPSS or SAS.

    Parameters
    ----------
    path : Path
        The file.
    kind : str
        One of `READERS`.
    columns : collection of str, optional
        Those to read; all by default.

    Returns
    -------
    DataFrame
        Where all values of a column have labels, the labels are its categories, in the order of the
        values. Where some have none, the labels are of missing codes or of the ends of a scale, and
        the values stay. What the package calls missing is missing: Stata's .a to .z and the missing
        values that SPSS was told of, too.

    Raises
    ------
    DataError
        If it is damaged, has no rows or lacks a column.
    """
    import pandas as pd

    wanted = None if columns is None else list(columns)
    script = [sys.executable, "-m", __name__, str(path), kind, json.dumps(wanted)]
    places = os.pathsep.join(place for place in sys.path if place)
    done = subprocess.run(script, capture_output=True, env=os.environ | {"PYTHONPATH": places})
    if done.returncode:
        words = done.stderr.decode(errors="replace").strip().splitlines()
        if done.returncode == _REFUSED and words:
            raise DataError(words[-1])
        raise DataError(f"{path}: is damaged and cannot be read")
    with pa.ipc.open_stream(done.stdout) as stream:
        table = stream.read_all()
    labels = json.loads(table.schema.metadata[_LABELS])
    found = from_arrow(table)
    for name, pairs in labels.items():
        names = {code: label for code, label in pairs if isinstance(label, str)}
        values = found[name].dropna().unique().tolist()
        used = [code for code in names if code in set(values)]
        is_clear = len({names[code] for code in used}) == len(used)
        if values and len(used) == len(values) and is_clear:
            found[name] = pd.Categorical(
                found[name].map(names).astype(object), [names[code] for code in used]
            )
    return found


def _read(path: str, kind: str, columns: list[str] | None) -> pa.Table:
    """Read a file in this process."""
    import pyreadstat

    read = getattr(pyreadstat, READERS[kind])
    _, about = read(path, metadataonly=True)
    names = list(about.column_names)
    wanted = [names[place] for place in choose(names, columns, path)]
    if about.number_rows is not None:
        check_memory(path, _BYTES_OF_VALUE * about.number_rows * len(wanted))
    values, about = read(path, usecols=wanted, output_format="dict")
    table = pa.table({name: _column(values[name]) for name in wanted})
    if not table.num_rows:
        raise DataError(f"{path}: has no rows")
    labels = {
        name: sorted(pairs.items(), key=lambda pair: (isinstance(pair[0], str), pair[0]))
        for name, pairs in about.variable_value_labels.items()
        if name in set(wanted)
    }
    return table.replace_schema_metadata({_LABELS: json.dumps(labels)})


def _column(values: list[Any]) -> pa.ChunkedArray:
    """Return a column, null where there is no value."""
    array = pa.array([None if value == "" else value for value in values], from_pandas=True)
    if pa.types.is_null(array.type):
        array = array.cast(pa.float64())
    return whole_numbers(pa.chunked_array([array]))


def _main(path: str, kind: str, columns: str) -> None:
    """Write a file as a stream of Arrow, or one sentence that says why it cannot be."""
    try:
        table = _read(path, kind, json.loads(columns))
    except DataError as error:
        reason = str(error)
    except MemoryError:
        reason = str(out_of_memory(path))
    except Exception as error:  # Whatever ReadStat threw, the file is none that it can read.
        reason = f"{path}: cannot be read ({one_line(error)})"
    else:
        with pa.ipc.new_stream(sys.stdout.buffer, table.schema) as stream:
            stream.write_table(table)
        return
    print(reason, file=sys.stderr)
    sys.exit(_REFUSED)


if __name__ == "__main__":
    _main(*sys.argv[1:])
