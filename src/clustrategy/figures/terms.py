"""Which coefficients of a study are alike, so that a figure may take them together."""

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


def slopes(table: pd.DataFrame, dgp: Mapping[str, Any]) -> pd.DataFrame:
    """Return the rows of the slopes, with what kind of predictor each one belongs to.

    Predictors of a kind differ by chance alone: they vary as much between clusters, their slopes
    vary as much between clusters, and they are as exogenous.

    Parameters
    ----------
    table
        Rows by ``term``; a column named as a key of the data-generating process is a factor.
    dgp
        What of the data-generating process is the same in all cells.

    Returns
    -------
    slopes
        The rows but those of the intercept, with a column ``kind``.
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


SETTINGS: Mapping[str, Any] = {
    "predictors": None,
    "treatment": "none",
    "arms": 2,
    "predictor_icc": 0,
    "sigma_ratios": None,
    "endogeneity": 0,
}
"""What of the data-generating process tells predictors apart, with what holds where it is unset."""


def _given(dgp: Mapping[str, Any]) -> dict[str, Any]:
    return {name: dgp[name] for name in SETTINGS if dgp.get(name) is not None}


def kind(term: str, settings: Mapping[str, Any]) -> str:
    """Return in words what kind of predictor a term ``IVk`` is; any other term is of its own kind.

    Parameters
    ----------
    settings
        The values of :data:`SETTINGS`.
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
    """Return one number or some, which stand between commas where they are a text."""
    if isinstance(value, str):
        return [float(part) for part in value.split(",")]
    return [*value] if isinstance(value, Sequence) else [value]
