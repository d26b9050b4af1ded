"""Reading files of Stata, SPSS and SAS."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Collection
from pathlib import Path
from typing import TYPE_CHECKING

import pyarrow as pa

from clustrategy.core.errors import DataError
from clustrategy.tables import readstat
from clustrategy.tables.frames import from_arrow, whole_numbers

if TYPE_CHECKING:
    import pandas as pd


def read_statistical(path: Path, kind: str, columns: Collection[str] | None) -> pd.DataFrame:
    """Read a file of Stata, SPSS or SAS.

    Parameters
    ----------
    path : Path
        The file.
    kind : str
        One of `readstat.READERS`.
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
    script = [sys.executable, "-P", "-m", readstat.__name__, str(path), kind, json.dumps(wanted)]
    places = os.pathsep.join(place for place in sys.path if place)
    done = subprocess.run(script, capture_output=True, env=os.environ | {"PYTHONPATH": places})
    if done.returncode:
        words = done.stderr.decode(errors="replace").strip().splitlines()
        if done.returncode == readstat.REFUSED and words:
            raise DataError(words[-1])
        raise DataError(f"{path}: is damaged and cannot be read")
    with pa.ipc.open_stream(done.stdout) as stream:
        table = stream.read_all()
    labels = json.loads(table.schema.metadata[readstat.LABELS])
    whole = [whole_numbers(column) for column in table.columns]
    found = from_arrow(pa.table(whole, names=table.column_names))
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
