"""Small tables of power and of detectable effects, as the rule `power` writes them, of z tests."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from scipy.stats import norm

from tests.figures.tables import DESIGN, STRATEGIES, WITHIN

SIMS = 1000
EFFECTS = np.linspace(0, 8, 41)
FOUND = 1.959964 + 0.841621
"""In standard errors, the effect that a z test finds in 80 %."""

StandardError = Callable[[str, Mapping[str, Any]], float]


def standard_error(strategy: str, cell: Mapping[str, Any]) -> float:
    """Of the maximal model 0.5, of two-stage 0.6, of cluster-robust 0.4; more with sigma."""
    base = {"cluster_robust": 0.4, "two_stage": 0.6, "mixed_maximal": 0.5}[strategy]
    return base * (1 + cell.get("between_cluster_sigma", 0.0))


def power_of(effect: Any, se: float) -> Any:
    """The power of a z test at an effect of either sign."""
    return norm.sf(1.959964 - effect / se) + norm.cdf(-1.959964 - effect / se)


def cells_of(levels: Mapping[str, Sequence[Any]]) -> list[dict[str, Any]]:
    return [dict(zip(levels, cell, strict=True)) for cell in itertools.product(*levels.values())]


def make_power(
    *,
    levels: Mapping[str, Sequence[Any]] = DESIGN,
    strategies: Sequence[str] = STRATEGIES,
    kinds: Sequence[str] = (WITHIN,),
    se: StandardError = standard_error,
    effects: Mapping[str, Sequence[float]] | None = None,
) -> pd.DataFrame:
    """Curves; the plain power is that of a z test, the size-adjusted one a tenth less."""
    parts = []
    for strategy, kind, cell in itertools.product(strategies, kinds, cells_of(levels)):
        at = np.asarray((effects or {}).get(strategy, EFFECTS), dtype=float)
        power = power_of(at, se(strategy, cell))
        plain = {"power": power, "mcse": 0.01, "conf_low": power - 0.02, "conf_high": power + 0.02}
        adjusted = {"power": 0.9 * power, "mcse": 0.02, "low": 0.9 * power - 0.04}
        adjusted["high"] = 0.9 * power + 0.04
        of = {"strategy": strategy, "kind": kind, "terms": kind, "effect": at}
        more = {f"size_adjusted_{name}": value for name, value in adjusted.items()}
        parts.append(pd.DataFrame({**cell, **of, **plain, **more, "n": SIMS, "safe": True}))
    return pd.concat(parts, ignore_index=True)


def make_detectable(
    *,
    levels: Mapping[str, Sequence[Any]] = DESIGN,
    strategies: Sequence[str] = STRATEGIES,
    kinds: Sequence[str] = (WITHIN,),
    se: StandardError = standard_error,
    missing: Sequence[str] = (),
    sd: float = np.nan,
) -> pd.DataFrame:
    """By cell; strategies that are missing have none, and the size-adjusted ones are larger."""
    rows = []
    for strategy, kind, cell in itertools.product(strategies, kinds, cells_of(levels)):
        for size_adjusted in (False, True):
            effect = FOUND * se(strategy, cell) * (1.1 if size_adjusted else 1.0)
            effect = np.nan if strategy in missing else effect
            row = {"scope": "cell", "strategy": strategy, "kind": kind, "terms": kind}
            row |= {"size_adjusted": size_adjusted, "power": 0.8, "effect": effect, "mcse": 0.1}
            row |= {"conf_low": effect - 0.2, "conf_high": effect + 0.2, "n": SIMS, "safe": True}
            row |= {"standardised": effect / sd}
            row |= {"standardised_by": None if np.isnan(sd) else "SD of the response"}
            rows.append({**cell, **row, "cells": 1, "worst_cell": None, "note": None})
    return pd.DataFrame(rows)
