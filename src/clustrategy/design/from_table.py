"""Reading a design from a table by a formula."""

from __future__ import annotations

import re
import warnings
from collections import Counter
from collections.abc import Hashable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from clustrategy.core.errors import DataError, RowsLeftOut
from clustrategy.core.fits import one_line
from clustrategy.core.shard import INTERCEPT, Floats, Ints, Shard
from clustrategy.core.validation import described
from clustrategy.design.formula import FUNCTIONS_ADDED, read_formula
from clustrategy.tables.frames import check_one_kind, frame, is_text, numbers

if TYPE_CHECKING:
    import pandas as pd

WHAT = "the data"


def shard_from_table(data: object, formula: str, cluster: str) -> tuple[Shard, list[str]]:
    """Read the design of a formula from a table.

    Parameters
    ----------
    data : DataFrame or other table
        A row per observation, in whatever `frame` takes. Rows with a missing value in a column of
        the model are left out, with a warning.
    formula : str
        The fixed effects in Wilkinson notation, `DV ~ IV1 + IV2`. Columns that hold numbers or
        truth values, of any type, are 64-bit floats before anything is computed of them; text and
        categories are categories.
    cluster : str
        The column that says which cluster a row belongs to.

    Returns
    -------
    shard : Shard
        One dataset.
    names : list of str
        The names of its clusters.

    Warns
    -----
    RowsLeftOut
        If rows are left out.

    Raises
    ------
    DataError
        If the data are no table, a column is missing or holds what is neither numbers nor text, no
        row is complete, or the formula cannot be read.
    """
    import pandas as pd

    table = frame(data, WHAT)
    if cluster not in table.columns:
        known = ", ".join(table.columns)
        raise DataError(f"the data have no column {cluster!r} for the clusters; they have {known}")
    try:
        used = read_formula(formula)
        called = sorted(used.functions & (used.numbers | used.levels))
        if called:
            raise DataError(
                f"the formula {formula!r} calls {called[0]!r}, which is a column of its own, too; "
                "give the column another name"
            )
        missing = sorted((used.numbers | used.levels) - set(table.columns))
        if missing:
            known = ", ".join(table.columns)
            raise DataError(
                f"the data have no column {missing[0]!r}, which {formula!r} uses; they have {known}"
            )
        model = pd.DataFrame({name: _values(table, name) for name in sorted(used.numbers)})
        for name in sorted(used.levels):
            check_one_kind(table, name, WHAT)
            model[name] = table[name]
        check_one_kind(table, cluster, WHAT)
        complete = _complete(model.assign(**{cluster: table[cluster]}))
        if not complete.any():
            raise DataError(f"no row of the data has a value in every column of {formula!r}")
        codes, names = _clusters(table[cluster][complete])
        rows = model[complete].iloc[np.argsort(codes, kind="stable")].copy()
        for column in rows.select_dtypes("category"):
            rows[column] = rows[column].cat.remove_unused_categories()
        response, design = used.parsed.get_model_matrix(
            rows, output="pandas", na_action="raise", context=FUNCTIONS_ADDED
        )
        y, X = _numbers(response, formula), _numbers(design, formula)
    except (DataError, RowsLeftOut):  # A warning is an error where the caller has it so.
        raise
    except Exception as error:
        # formulaic passes on whatever Python or pandas threw, and marks the place in colour.
        plain = one_line(re.sub(r"\x1b\[[0-9;]*m", "", str(error)))
        raise DataError(f"the formula {formula!r} cannot be used: {plain}") from None
    kinds = {kind.value for kind, _ in response.model_spec.encoder_state.values()}
    if y.shape[1] != 1 or "categorical" in kinds:
        raise DataError(f"the response of {formula!r} must be one column of numbers")
    shard = Shard(y[:, 0], X, np.bincount(codes)[None, :].astype(np.int64), tuple(_terms(design)))
    return shard, [str(name) for name in names]


def _values(table: pd.DataFrame, name: str) -> Any:
    """Return a column as formulaic is to see it: numbers, text or categories."""
    import pandas as pd

    values = table[name]
    if isinstance(values.dtype, pd.CategoricalDtype):
        return values
    return values.astype(object) if is_text(values) else numbers(table, name, WHAT)


def _complete(model: pd.DataFrame) -> NDArray[np.bool_]:
    """Return (rows,) which rows have a value in every column; warn of those that have not."""
    missing = model.isna()
    complete = ~missing.any(axis=1).to_numpy(dtype=bool)
    if complete.any() and not complete.all():
        gaps = ", ".join(model.columns[missing.any()])
        warnings.warn(
            f"{(~complete).sum():,} of {len(model):,} rows of the data are left out: they have no "
            f"value in {gaps}",
            RowsLeftOut,
            stacklevel=4,
        )
    return complete


def _clusters(values: pd.Series[Any]) -> tuple[Ints, Sequence[Any]]:
    """Return the cluster of each row as a number, and the names of the clusters."""
    import pandas as pd

    try:
        codes, names = pd.factorize(values, sort=True)
    except TypeError:
        odd = next((value for value in values if not isinstance(value, Hashable)), values.iloc[0])
        raise DataError(
            f"the column {values.name!r} of the data must hold the names of clusters, found "
            f"{described(odd)}"
        ) from None
    return codes, list(names)


def _numbers(matrix: pd.DataFrame, formula: str) -> Floats:
    if any(dtype.kind == "c" for dtype in matrix.dtypes):
        raise DataError(f"the formula {formula!r} makes complex numbers")
    return np.ascontiguousarray(matrix.to_numpy(dtype=np.float64))


def _terms(design: pd.DataFrame) -> list[str]:
    """Return the names of the coefficients."""
    for term in design.model_spec.structure:
        if not term.columns:
            raise DataError(f"the term {str(term.term)!r} has a single level: it has no effect")
    named = Counter(name for term in design.model_spec.structure for name in term.columns)
    name, times = next(iter(named.most_common(1)), ("", 0))
    if times > 1:
        raise DataError(
            f"two terms of the formula have the name {name!r}; give a column another name"
        )
    return [INTERCEPT if name == "Intercept" else str(name) for name in design.columns]
