"""Kinds of predictors, whose slopes a figure takes together."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd

from clustrategy.core.shard import INTERCEPT
from clustrategy.dgp.kinds import SETTINGS, kind


def slopes(table: pd.DataFrame, dgp: Mapping[str, Any]) -> pd.DataFrame:
    """Return the rows of the slopes, with the kind of predictor that each belongs to.

    Predictors of a kind differ by chance alone: the same share of their variance is between
    clusters, their slopes vary as much between clusters, and all or none of them are exogenous.

    Parameters
    ----------
    table : DataFrame
        Rows by ``term``. Columns named after a key of the data-generating process are factors.
    dgp : mapping
        What of the data-generating process is the same in all cells.

    Returns
    -------
    DataFrame
        The rows, those of the intercept left out, with a column ``kind``.
    """
    rows = table[table["term"] != INTERCEPT]
    decide = [name for name in SETTINGS if name in rows.columns]
    sorts = rows[[*decide, "term"]].drop_duplicates()
    kinds = {
        (*values, term): kind(
            term, {**SETTINGS, **_given(dgp), **dict(zip(decide, values, strict=True))}
        )
        for *values, term in sorts.itertuples(index=False, name=None)
    }
    keys = zip(*(rows[name] for name in [*decide, "term"]), strict=True)
    return rows.assign(kind=[kinds[key] for key in keys])


def _given(dgp: Mapping[str, Any]) -> dict[str, Any]:
    return {name: dgp[name] for name in SETTINGS if dgp.get(name) is not None}
