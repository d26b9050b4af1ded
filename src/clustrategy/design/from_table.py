"""Reading a design from a table by a formula."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import numpy as np

from clustrategy.core.errors import DataError
from clustrategy.core.fits import one_line
from clustrategy.core.shard import INTERCEPT, Shard

if TYPE_CHECKING:
    import pandas as pd


def shard_from_table(data: pd.DataFrame, formula: str, cluster: str) -> tuple[Shard, list[str]]:
    """Read the design of a formula from a table.

    Parameters
    ----------
    data : DataFrame
        A row per observation. Rows with a missing value in a column of the model are left out.
    formula : str
        The fixed effects in Wilkinson notation, `DV ~ IV1 + IV2`.
    cluster : str
        The column that says which cluster a row belongs to.

    Returns
    -------
    shard : Shard
        One dataset.
    names : list of str
        The names of its clusters.

    Raises
    ------
    DataError
        If a column is missing, no row is complete, or the formula cannot be read.
    """
    import pandas as pd
    from formulaic import Formula

    if not isinstance(cluster, str) or cluster not in data.columns:
        known = ", ".join(map(str, data.columns))
        raise DataError(f"the data have no column {cluster!r} for the clusters; they have {known}")
    try:
        parsed = Formula(formula)
        if not hasattr(parsed, "lhs"):
            raise DataError(f"the formula {formula!r} has no response: expected 'y ~ x'")
        variables = {str(v) for v in parsed.required_variables}
        missing = sorted(variables - set(map(str, data.columns)))
        if missing:
            known = ", ".join(map(str, data.columns))
            raise DataError(
                f"the data have no column {missing[0]!r}, which {formula!r} uses; they have {known}"
            )
        rows = data.dropna(subset=[*sorted(variables), cluster])
        if rows.empty:
            raise DataError(f"no row of the data has a value in every column of {formula!r}")
        codes, names = pd.factorize(rows[cluster], sort=True)
        rows = rows.iloc[np.argsort(codes, kind="stable")].copy()
        for column in rows.select_dtypes("category"):
            rows[column] = rows[column].cat.remove_unused_categories()
        response, design = parsed.get_model_matrix(rows, output="pandas", na_action="raise")
    except DataError:
        raise
    except Exception as error:
        # formulaic passes on whatever Python or pandas threw, and marks the place in colour.
        plain = one_line(re.sub(r"\x1b\[[0-9;]*m", "", str(error)))
        raise DataError(f"the formula {formula!r} cannot be used: {plain}") from None
    if not hasattr(design, "columns"):
        raise DataError(f"the formula {formula!r} has more than one right-hand side")
    if response.shape[1] != 1:
        raise DataError(f"the response of {formula!r} must be one column of numbers")
    terms = [INTERCEPT if name == "Intercept" else str(name) for name in design.columns]
    shard = Shard(
        response.to_numpy(dtype=float)[:, 0],
        np.ascontiguousarray(design.to_numpy(dtype=float)),
        np.bincount(codes).astype(np.int64)[None, :],
        tuple(terms),
    )
    return shard, [str(name) for name in names]
