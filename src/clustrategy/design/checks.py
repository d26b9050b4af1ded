"""What no strategy can analyse, said before any of them tries."""

from __future__ import annotations

import numpy as np

from clustrategy.core.errors import DataError
from clustrategy.design.from_table import Design
from clustrategy.design.full_rank import check_rank, first_names
from clustrategy.design.variation import differs_within
from clustrategy.estimation.least_squares import explained, solve


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
            f"{rows:,} rows cannot carry {shard.p:,} coefficients ({first_names(shard.terms)}): "
            "leave terms out of the formula"
        )
    if shard.in_range.all():  # Elsewhere every strategy says that it is not.
        check_rank(shard)
        if explained(shard.triangles, shard.n_obs, solve(shard)).all():
            raise DataError(
                f"the predictors ({first_names(shard.terms)}) explain the response "
                f"{design.response!r} exactly: there is nothing left to test them by"
            )
    if not differs_within(shard).any() and shard.p >= clusters:
        raise DataError(
            f"{clusters} clusters cannot carry {shard.p} coefficients of predictors that are "
            f"constant within clusters ({first_names(shard.terms)}): leave terms out of the formula"
        )


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
