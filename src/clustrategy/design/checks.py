"""What no strategy can analyse, said before any of them tries."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from clustrategy.core.errors import DataError
from clustrategy.core.shard import INTERCEPT, Floats, Shard
from clustrategy.design.from_table import Design
from clustrategy.design.variation import differs_within
from clustrategy.estimation.least_squares import RANK_TOLERANCE, explained, solve

NAMED = 5
"""How many of several columns a message names."""


def check(design: Design) -> None:
    """Raise DataError, one sentence, where a table cannot be analysed by clusters.

    Parameters
    ----------
    design : Design

    Raises
    ------
    DataError
        If there is one cluster or every row is a cluster of its own, the response is constant, a
        number is not finite, coefficients depend on each other, explain the response exactly, or
        are too many for the rows or the clusters.
    """
    shard = design.shard
    rows, clusters = shard.y.size, shard.clusters
    if design.cluster == design.response:
        raise DataError(f"the response {design.response!r} cannot be the column of the clusters")
    if clusters == 1:
        raise DataError(
            f"the column {design.cluster!r} holds one cluster, {design.names[0]!r}: two are the "
            "least, and all that follows rests on how they differ"
        )
    if clusters == rows:
        raise DataError(
            f"each of the {rows:,} rows is a cluster of its own by the column {design.cluster!r}: "
            "name the column whose values several rows share"
        )
    _check_finite(design)
    if np.ptp(shard.y) == 0.0:
        raise DataError(
            f"the response {design.response!r} is {shard.y[0]:g} in each of the {rows:,} rows: "
            "there is nothing to explain"
        )
    if shard.p >= rows:
        raise DataError(
            f"{rows:,} rows cannot carry {shard.p:,} coefficients ({_names(shard.terms)}): leave "
            "terms out of the formula"
        )
    if shard.in_range.all():  # Elsewhere every strategy says that it is not.
        _check_rank(shard)
        if explained(shard.triangles, shard.n_obs, solve(shard)).all():
            raise DataError(
                f"the predictors ({_names(shard.terms)}) explain the response "
                f"{design.response!r} exactly: there is nothing left to test them by"
            )
    if not differs_within(shard).any() and shard.p >= clusters:
        raise DataError(
            f"{clusters} clusters cannot carry {shard.p} coefficients of predictors that are "
            f"constant within clusters ({_names(shard.terms)}): leave terms out of the formula"
        )


def _names(names: Sequence[str]) -> str:
    shown = ", ".join(names[:NAMED])
    return shown if len(names) <= NAMED else f"{shown} and {len(names) - NAMED} more"


def _check_finite(design: Design) -> None:
    shard = design.shard
    columns = zip((design.response, *shard.terms), (shard.y, *shard.X.T), strict=True)
    for name, column in columns:
        bad = ~np.isfinite(column)
        if bad.any():
            found = column[bad][0]
            raise DataError(
                f"{name!r} is {'not a number' if np.isnan(found) else 'infinite'} in "
                f"{bad.sum():,} of {bad.size:,} rows: leave these out, or take another "
                "transformation"
            )


def _check_rank(shard: Shard) -> None:
    """Name the first coefficient that the earlier ones determine."""
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
        of = _names([shard.terms[other] for other in _combination(triangle, last)])
        raise DataError(
            f"the predictors are linearly dependent: {shard.terms[last]!r} is a combination of "
            f"{of}; leave one of them out"
        )


def _combination(triangle: Floats, column: int) -> list[int]:
    """Return the earlier columns of which a column is a combination."""
    weights = np.linalg.lstsq(triangle[:column, :column], triangle[:column, column], rcond=None)[0]
    return [int(place) for place in np.flatnonzero(np.abs(weights) > 1e-6)]
