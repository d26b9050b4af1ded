"""Strategies on one table of data."""

from __future__ import annotations

from typing import TYPE_CHECKING

from clustrategy.owndata.fit import Strategies, analysed

if TYPE_CHECKING:
    import pandas as pd


def analyze(
    data: object,
    formula: str,
    *,
    cluster: str | None = None,
    random: str | None = None,
    strategies: Strategies | None = None,
    small_clusters: str = "drop",
    engine: str | None = None,
    seed: int = 0,
) -> pd.DataFrame:
    """Fit strategies to one table; return the tidy table alone, `fit(...).tidy()`.

    Parameters
    ----------
    data, formula, cluster, random, strategies, small_clusters, engine, seed
        As of `fit`.

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
    DataError, ConfigError, EngineError
        As of `fit`.

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
    analysis = analysed(
        data,
        formula,
        cluster=cluster,
        random=random,
        strategies=strategies,
        small_clusters=small_clusters,
        engine=engine,
        seed=seed,
        weights=None,
    )
    analysis.given.warn_of_rows()
    found = analysis.tidy()
    found.attrs = {
        "rows": analysis.given.shard.y.size,
        "rows_left_out": analysis.given.rows_left_out,
    }
    return found
