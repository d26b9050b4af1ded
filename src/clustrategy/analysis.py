"""Strategies on one table of data."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from clustrategy import tables
from clustrategy.dataset import INTERCEPT, Shard
from clustrategy.errors import DataError
from clustrategy.fits import one_line
from clustrategy.strategies import Strategy

if TYPE_CHECKING:
    import pandas as pd

DEFAULT = ("cluster_robust", "two_stage", "mixed_maximal", "mixed_intercept")


def analyze(
    data: pd.DataFrame,
    formula: str,
    *,
    cluster: str,
    strategies: Sequence[str | Mapping[str, Any]] = DEFAULT,
    engine: str | None = None,
) -> pd.DataFrame:
    """Fit strategies to one table.

    Parameters
    ----------
    data : a row per observation.
    formula : fixed effects in Wilkinson notation, `DV ~ IV1 + IV2` (read by formulaic); the
        strategies add what they need of the clusters.
    cluster : the column that says which cluster a row belongs to.
    strategies : names, or mappings as under `strategies:` in a study's config.
    engine : the engine of the strategies that have it and name none themselves.

    Returns
    -------
    DataFrame
        A row per strategy and term: strategy, engine, term, estimate, std_error, df, statistic,
        p_value, conf_low, conf_high (95 %), status, message. A failed fit keeps its rows.
        Rows with a missing value in a column of the model are left out, as R does.

    Raises
    ------
    DataError : where a column is missing, nothing is left, or the formula cannot be read.
    ConfigError : for an unknown strategy, engine or option.
    EngineError : where an engine is not installed.
    """
    import pandas as pd

    chosen = [Strategy.parse(entry, engine) for entry in strategies]
    for strategy in chosen:
        strategy.check()
    shard = shard_from_frame(data, formula, cluster)
    parts = []
    for strategy in chosen:
        fits = strategy.fit(shard)
        label = (strategy.label, strategy.engine)
        part = tables.estimates_table(fits, shard.terms, [0], *label).to_pandas()
        parts.append(
            part.drop(columns="sim").assign(status=fits.status[0], message=fits.message[0])
        )
    return pd.concat(parts, ignore_index=True)


def shard_from_frame(data: pd.DataFrame, formula: str, cluster: str) -> Shard:
    """The design of a formula on a table, as a shard of one dataset sorted by cluster."""
    import pandas as pd
    from formulaic import Formula

    if cluster not in data.columns:
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
        rows = rows.sort_values(cluster, kind="stable")
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
    sizes = pd.Series(rows[cluster].to_numpy()).groupby(rows[cluster].to_numpy()).size()
    return Shard(
        response.to_numpy(dtype=float)[:, 0],
        np.ascontiguousarray(design.to_numpy(dtype=float)),
        np.asarray(sizes, dtype=np.int64)[None, :],
        tuple(terms),
    )
