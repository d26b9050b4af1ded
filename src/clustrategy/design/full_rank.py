"""Least squares of a design whose predictors do not depend on each other, and who does if not."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from clustrategy.core.errors import DataError
from clustrategy.core.shard import INTERCEPT, Floats, Shard
from clustrategy.estimation.least_squares import RANK_TOLERANCE, Solution, solve

NAMED = 5
"""How many of several columns a message names."""


def solve_full_rank(shard: Shard) -> Solution:
    """Compute least squares of one dataset, or name the predictor that others determine.

    Parameters
    ----------
    shard : Shard
        One dataset.

    Returns
    -------
    Solution

    Raises
    ------
    DataError
        If there are fewer rows than coefficients, or these depend on each other.
    """
    rows = shard.y.size
    if rows < shard.p:
        raise DataError(
            f"{rows:,} rows cannot carry {shard.p:,} coefficients ({first_names(shard.terms)}): "
            "leave terms out of the formula"
        )
    solution = solve(shard)
    if not solution.defined.all():
        check_rank(shard)
    return solution


def check_rank(shard: Shard) -> None:
    """Name the first coefficient that the earlier ones determine.

    Parameters
    ----------
    shard : Shard
        One dataset.

    Raises
    ------
    DataError
        If there is one.
    """
    lengths = np.sqrt((shard.X * shard.X).sum(axis=0))
    for place, name in enumerate(shard.terms):
        column = shard.X[:, place]
        if place and np.ptp(column) == 0.0 and INTERCEPT in shard.terms[:place]:
            raise DataError(f"the predictor {name!r} is {column[0]:g} in every row: leave it out")
        if lengths[place] == 0.0:
            raise DataError(f"the predictor {name!r} is 0 in every row: leave it out")
    triangle = shard.whole[0, : shard.p, : shard.p] / lengths
    rest = np.abs(np.diagonal(triangle))
    dependent = np.flatnonzero(rest <= RANK_TOLERANCE)
    if dependent.size:
        last = int(dependent[0])
        of = first_names([shard.terms[other] for other in _combination(triangle, last)])
        raise DataError(
            f"the predictors are linearly dependent: {shard.terms[last]!r} is a combination of "
            f"{of}; leave one of them out"
        )


def first_names(names: Sequence[str]) -> str:
    """Return the first of some names, and how many more there are."""
    shown = ", ".join(names[:NAMED])
    return shown if len(names) <= NAMED else f"{shown} and {len(names) - NAMED} more"


def _combination(triangle: Floats, column: int) -> list[int]:
    """Return the earlier columns of which a column is a combination."""
    weights = np.linalg.lstsq(triangle[:column, :column], triangle[:column, column], rcond=None)[0]
    return [int(place) for place in np.flatnonzero(np.abs(weights) > 1e-6)]
