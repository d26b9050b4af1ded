"""The factors of a study in a table, and the combinations of their levels."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from clustrategy.figures.parts.labels import CLUSTERS, OBSERVATIONS, SIGMA


def further_factors(table: pd.DataFrame, factors: Sequence[str]) -> list[str]:
    """Return the factors with several levels in a table, beyond those that every study has."""
    return varied(table, [name for name in factors if name not in (CLUSTERS, OBSERVATIONS, SIGMA)])


def combinations(table: pd.DataFrame, factors: Sequence[str]) -> list[tuple]:
    """Return the combinations of levels in a table, in order; of no factors, an empty one."""
    if not factors:
        return [()]
    levels = table[list(factors)].drop_duplicates().sort_values(list(factors))
    return list(levels.itertuples(False, None))


def varied(table: pd.DataFrame, factors: Sequence[str]) -> list[str]:
    """Return the factors with several levels in a table."""
    return [name for name in factors if table[name].nunique() > 1]
