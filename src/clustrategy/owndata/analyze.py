"""Strategies on one table of data."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from clustrategy.core.errors import ConfigError, nearest
from clustrategy.design.from_table import shard_from_table
from clustrategy.engines.chosen import Strategy, registry
from clustrategy.tables.estimates import estimates_table

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
    data : DataFrame
        A row per observation.
    formula : str
        The fixed effects in Wilkinson notation, `DV ~ IV1 + IV2` (read by formulaic). Strategies
        add what they need of the clusters.
    cluster : str
        The column that says which cluster a row belongs to.
    strategies : str, Mapping, or Sequence of these
        Names, or mappings as under `strategies:` in a study's config.
    engine : str, optional
        The engine of the strategies that have it and name none themselves.

    Returns
    -------
    DataFrame
        A row per strategy and term: strategy, engine, term, estimate, std_error, df, statistic,
        p_value, conf_low, conf_high (95 %), status, message. If some p-value is only known to
        lie in an interval, its upper end is p_value and its lower end p_value_low. A failed fit
        keeps its rows. Rows of the data with a missing value in a column of the model are left
        out, as R does.

    Raises
    ------
    DataError
        If a column is missing, no row is complete, or the formula cannot be read.
    ConfigError
        If a strategy, engine or option is unknown.
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
    import pandas as pd

    entries = [strategies] if isinstance(strategies, str | Mapping) else list(strategies)
    if not entries:
        raise ConfigError("no strategy was given")
    engines = sorted({name for by_engine in registry().values() for name in by_engine})
    if engine is not None and engine not in engines:
        raise ConfigError(
            f"unknown engine {engine!r}{nearest(engine, engines)}; known are {', '.join(engines)}"
        )
    chosen = [Strategy.parse(entry, engine) for entry in entries]
    for strategy in chosen:
        strategy.check()
    shard, _ = shard_from_table(data, formula, cluster)
    parts = []
    for strategy in chosen:
        fits = strategy.fit(shard)
        label = (strategy.label, strategy.engine)
        part = estimates_table(fits, shard.terms, [0], *label).to_pandas()
        parts.append(
            part.drop(columns="sim").assign(status=fits.status[0], message=fits.message[0])
        )
    table = pd.concat(parts, ignore_index=True)
    return table if table["p_value_low"].notna().any() else table.drop(columns="p_value_low")
