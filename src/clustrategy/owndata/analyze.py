"""Strategies on one table of data."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from clustrategy.core.shard import Shard
from clustrategy.core.validation import arguments
from clustrategy.design.from_table import design_from_table
from clustrategy.engines.chosen import Strategy, parse_all, registry
from clustrategy.tables.estimates import NULLS, estimates_table
from clustrategy.tables.frames import frame

if TYPE_CHECKING:
    import pandas as pd

_ARGUMENTS = {
    "formula": {"type": "string"},
    "cluster": {"type": "string", "expected": "the name of a column"},
    "seed": {"type": "integer", "minimum": 0, "maximum": 2**63 - 1},
    "strategies": {
        "type": "array",
        "minItems": 1,
        "items": {"type": ["string", "object"], "expected": "the name of a strategy or a mapping"},
    },
}

DEFAULT = ("cluster_robust", "two_stage", "mixed_maximal", "mixed_intercept")


def analyze(
    data: object,
    formula: str,
    *,
    cluster: str,
    strategies: Sequence[str | Mapping[str, Any]] = DEFAULT,
    engine: str | None = None,
    seed: int = 0,
) -> pd.DataFrame:
    """Fit strategies to one table.

    Parameters
    ----------
    data : DataFrame or other table
        A row per observation: a DataFrame of pandas, polars or any library that speaks Arrow, a
        pyarrow Table, a mapping of columns or a structured NumPy array. It is not changed.
    formula : str
        The fixed effects in Wilkinson notation, `DV ~ IV1 + IV2` (read by formulaic). Strategies
        add what they need of the clusters. Numbers of any type are 64-bit floats in it, truth
        values 0 and 1; text and categories are categories.
    cluster : str
        The column that says which cluster a row belongs to.
    strategies : str, Mapping, or Sequence of these
        Names, or mappings as under `strategies:` in a study's config.
    engine : str, optional
        The engine of the strategies that have it and name none themselves.
    seed : int
        From which strategies that resample draw: the same seed, the same numbers. The draws do not
        depend on the data.

    Returns
    -------
    DataFrame
        A row per strategy and term: strategy, engine, term, estimate, std_error, df, statistic,
        p_value, conf_low, conf_high (95 %), status, message. If some p-value is only known to
        lie in an interval, its upper end is p_value and its lower end p_value_low. An unusable
        fit keeps its rows. Rows of the data with a missing value in a column of the model are left
        out, as R does: `attrs` says how many (`rows_left_out`, and `rows`, those used).

    Warns
    -----
    RowsLeftOut
        If rows are left out; it names the columns that lack values.

    Raises
    ------
    DataError
        If the data are no table, a column is missing or does not hold numbers or categories, no
        row is complete, or the formula cannot be read.
    ConfigError
        If a strategy, engine, option or another argument is not one of those allowed, or two
        strategies have one name.
    EngineError
        If an engine is not installed.

    Examples
    --------
    Four schools, two of which have a new curriculum:

    >>> import pandas as pd
    >>> from clustrategy import analyze
    >>> data = pd.DataFrame({
    ...     "school": ["A"] * 3 + ["B"] * 3 + ["C"] * 3 + ["D"] * 3,
    ...     "new": [0] * 6 + [1] * 6,
    ...     "score": [51, 49, 53, 58, 61, 55, 60, 57, 63, 66, 70, 68],
    ... })
    >>> table = analyze(data, "score ~ new", cluster="school", strategies=["ols", "two_stage"])
    >>> columns = ["strategy", "term", "estimate", "std_error", "df", "p_value"]
    >>> print(table[columns].round(3).to_string(index=False))
     strategy        term  estimate  std_error   df  p_value
          ols (Intercept)      54.5      1.921 10.0    0.000
          ols         new       9.5      2.717 10.0    0.006
    two_stage (Intercept)      54.5      3.758  2.0    0.005
    two_stage         new       9.5      5.315  2.0    0.216
    """
    entries = [strategies] if isinstance(strategies, str | Mapping) else strategies
    engines = sorted({name for by_engine in registry().values() for name in by_engine})
    known = arguments(
        {"formula": formula, "cluster": cluster, "strategies": entries, "seed": seed},
        {**_ARGUMENTS, "engine": {"enum": engines}},
        engine=engine,
    )
    chosen = parse_all(known["strategies"], engine)
    for strategy in chosen:
        strategy.check()
    table = frame(data, "the data")
    design = design_from_table(table, formula, cluster)
    design.warn_of_rows()
    shard = design.shard
    found = tidy(replace(shard, seeds=(np.random.SeedSequence(known["seed"]),)), chosen)
    found.attrs = {"rows": shard.y.size, "rows_left_out": len(table) - shard.y.size}
    return found


def tidy(shard: Shard, strategies: Sequence[Strategy]) -> pd.DataFrame:
    """Fit strategies to a shard of one dataset; return the rows that `analyze` returns."""
    import pandas as pd

    parts = []
    for strategy in strategies:
        fits = strategy.fit(shard)
        label = (strategy.label, strategy.engine)
        part = estimates_table(fits, shard.terms, [0], *label).to_pandas()
        part = part.drop(columns=["sim", NULLS])
        parts.append(part.assign(status=fits.status[0], message=fits.message[0]))
    found = pd.concat(parts, ignore_index=True)
    if not found["p_value_low"].notna().any():
        found = found.drop(columns="p_value_low")
    return found
