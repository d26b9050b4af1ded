"""Tables of what a design can tell, with words for the columns."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

from clustrategy.core.words import number
from clustrategy.owndata.summary import Table

if TYPE_CHECKING:
    import pandas as pd

Columns = Mapping[str, str]
"""Columns of `clustrategy.design.description.by_term`, and what a page calls them."""

VARIES: Columns = {
    "varies_in": "varies in clusters",
    "between_share": "share of its variance between clusters",
    "treated_clusters": "clusters that have it",
    "untreated_clusters": "clusters that do not",
    "effective_clusters": "effective clusters",
    "effective_clusters_rho999": "effective clusters, errors that correlate by .999",
}
LEVERAGE: Columns = {
    "largest_partial_leverage": "largest partial leverage",
    "largest_partial_leverage_cluster": "of cluster",
}
INFLUENCE: Columns = {
    "largest_influence": "largest change of the estimate",
    "largest_influence_cluster": "without cluster",
}
SLOPES: Columns = {
    "within_slope": "slope within",
    "between_slope": "slope between",
    "mundlak_p_value": "p-value of within = between",
}


def design_tables(design: pd.DataFrame, tables: Mapping[str, Columns]) -> list[Table]:
    """Return the tables that say something of a design.

    Parameters
    ----------
    design : DataFrame
        As `clustrategy.design.description.by_term` gives it.
    tables : Mapping of str to Columns
        By title.
    """
    return [
        frame_table(title, _known(design[["term", *columns]]).rename(columns=columns))
        for title, columns in tables.items()
        if design[[*columns]].notna().any(axis=None)
    ]


def frame_table(title: str, frame: pd.DataFrame) -> Table:
    """Return a table of texts."""
    body = [[_text(value) for value in row] for row in frame.itertuples(index=False)]
    return Table(title, [str(name) for name in frame.columns], body)


def _known(table: pd.DataFrame) -> pd.DataFrame:
    """Return the rows and columns that say something beside the term."""
    there = table.drop(columns="term").notna()
    return table.loc[there.any(axis=1)].dropna(axis=1, how="all")


def _text(value: object) -> str:
    if isinstance(value, list):
        return ", ".join(map(_text, value))
    if isinstance(value, float | np.floating):
        known = float(value)
        whole = known.is_integer() and abs(known) < 1e6
        return f"{known:.0f}" if whole else number(known)
    return "" if value is None else str(value)
