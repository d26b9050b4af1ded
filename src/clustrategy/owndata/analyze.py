"""Strategies on one table of data."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from clustrategy.core.errors import ConfigError, DataError, nearest
from clustrategy.core.fits import one_line
from clustrategy.core.shard import INTERCEPT, Shard
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
        p_value, conf_low, conf_high (95 %), status, message; and p_value_low where a p-value is
        but known to lie between p_value_low and p_value. A failed fit keeps its rows.
        Rows with a missing value in a column of the model are left out, as R does.

    Raises
    ------
    DataError : where a column is missing, nothing is left, or the formula cannot be read.
    ConfigError : for an unknown strategy, engine or option.
    EngineError : where an engine is not installed.
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
    shard, _ = shard_from_frame(data, formula, cluster)
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


def shard_from_frame(data: pd.DataFrame, formula: str, cluster: str) -> tuple[Shard, list[str]]:
    """The design of a formula on a table, as a shard of one dataset, and its clusters' names."""
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
