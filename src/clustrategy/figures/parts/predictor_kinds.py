"""Kinds of predictors, whose slopes a figure takes together."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from clustrategy.core.shard import INTERCEPT

TREATMENTS = {"between": "treatment of whole clusters", "within": "treatment within clusters"}
CLUSTER_LEVEL = "cluster-level predictor"

ONE_SLOPE = (TREATMENTS["between"], CLUSTER_LEVEL)
"""Predictors that are constant within clusters, whose slope is the same in all clusters."""


SETTINGS: Mapping[str, Any] = {
    "predictors": None,
    "treatment": "none",
    "arms": 2,
    "predictor_icc": 0,
    "sigma_ratios": None,
    "endogeneity": 0,
}
"""The settings of a data-generating process that tell predictors apart, with their defaults."""


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


def kind(term: str, settings: Mapping[str, Any]) -> str:
    """Return in words the kind of predictor that a term is.

    Parameters
    ----------
    term : str
        ``IV1``, ``IV2``, ...; any other term is a kind of its own.
    settings : mapping
        The values of `SETTINGS`.
    """
    if re.fullmatch(r"IV\d+", term) is None:
        return term
    number = int(term.removeprefix("IV"))
    arms = TREATMENTS.get(settings["treatment"])
    if arms is not None and number > settings["predictors"] - (settings["arms"] - 1):
        words = arms
    else:
        shares = _numbers(settings["predictor_icc"])
        share = shares[number - 1] if len(shares) > 1 else shares[0]
        words = (
            "predictor within clusters"
            if share == 0
            else CLUSTER_LEVEL
            if share == 1
            else f"predictor with ICC {share:g}"
        )
    if settings["endogeneity"] and number == 1:
        words += ", endogenous"
    ratios = _numbers(settings["sigma_ratios"] or 1)
    if words not in ONE_SLOPE and len(set(ratios[1:])) > 1:
        words += f", slope's sigma × {ratios[number]:g}"
    return words


def _numbers(value: float | str | Sequence[float]) -> list[float]:
    """Return a list from a number, a sequence of them, or a text of them with commas between."""
    if isinstance(value, str):
        return [float(part) for part in value.split(",")]
    return [*value] if isinstance(value, Sequence) else [value]
