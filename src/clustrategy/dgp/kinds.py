"""Kinds of terms: those of a kind differ by chance alone, and are taken together."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from clustrategy.core.shard import INTERCEPT
from clustrategy.dgp.given import GivenProcess
from clustrategy.dgp.process import Process

INTERCEPT_KIND = "intercept"
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
    "slope_sd": None,
    "endogeneity": 0,
    "missing_rate": 0,
    "missing_mechanism": "MAR",
    "predictor_distribution": "normal",
}
"""The settings of a data-generating process that tell predictors apart, with their defaults."""


def kinds(process: Process | GivenProcess) -> dict[str, tuple[str, ...]]:
    """Return the terms of each kind, in the order of the terms.

    On a given design each term is a kind of its own.

    Examples
    --------
    >>> from clustrategy.dgp import Process
    >>> from clustrategy.dgp.kinds import kinds
    >>> process = Process(10, 5, 0.5, predictors=3, coefficients=[0, 0, 0, 0],
    ...                   residual_sigma=1, treatment="between")
    >>> for kind, terms in kinds(process).items():
    ...     print(kind, terms)
    intercept ('(Intercept)',)
    predictor within clusters ('IV1', 'IV2')
    treatment of whole clusters ('IV3',)
    """
    if isinstance(process, GivenProcess):
        return {INTERCEPT_KIND if term == INTERCEPT else term: (term,) for term in process.terms}
    settings = {name: asdict(process)[name] for name in SETTINGS}
    found: dict[str, tuple[str, ...]] = {}
    for term in process.terms:
        words = INTERCEPT_KIND if term == INTERCEPT else kind(term, settings)
        found[words] = (*found.get(words, ()), term)
    return found


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
    if settings["missing_rate"] and settings["missing_mechanism"] == "MAR" and number == 1:
        words += ", rows missing by it"
    ratios = _numbers(settings["sigma_ratios"] or 1)
    if words not in ONE_SLOPE and len(set(ratios[1:])) > 1:
        words += f", slope's sigma × {ratios[number]:g}"
    shapes = settings["predictor_distribution"]
    shapes = shapes.split(",") if isinstance(shapes, str) else shapes
    if number <= len(shapes) and len(set(shapes)) > 1:
        words += f", {shapes[number - 1]}"
    spread = _numbers(settings["slope_sd"] or 0)
    if words not in ONE_SLOPE and len(set(spread)) > 1:
        words += f", slope's SD {spread[number - 1]:g}"
    return words


def _numbers(value: float | str | Sequence[float]) -> list[float]:
    """Return a list from a number, a sequence of them, or a text of them with commas between."""
    if isinstance(value, str):
        return [float(part) for part in value.split(",")]
    return [*value] if isinstance(value, Sequence) else [value]
