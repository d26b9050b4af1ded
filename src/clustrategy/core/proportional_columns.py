"""Predictors that are multiples of one another within every cluster.

A cluster's own regression can have a coefficient for only one of them.
"""

from __future__ import annotations

import numpy as np

from clustrategy.core.triangles import Floats, Ints

# The squared sine of an angle at which R's lm, too, takes columns to be dependent.
PROPORTIONAL_TOLERANCE = 1e-14


def first_proportional(design: Floats) -> Ints:
    """Find for each column the first one that is proportional to it within every cluster.

    A cluster-level predictor is a multiple of the intercept; its product with a predictor that
    varies within clusters is a multiple of that predictor.

    Parameters
    ----------
    design : (S, G, k, p) array
        The clusters' rows of X, or triangular factors of them.

    Returns
    -------
    (S, p) array of int
        The number of that column: the column's own where it is proportional to no earlier one.
    """
    p = design.shape[-1]
    columns = np.ascontiguousarray(np.moveaxis(design, (2, 3), (1, 0)))
    squares = (columns * columns).sum(axis=1)
    first = np.broadcast_to(np.arange(p), (len(design), p)).copy()
    for column in range(1, p):
        both = squares[:column] * squares[column]
        products = (columns[:column] * columns[column]).sum(axis=1)
        proportional = (both - products**2 <= PROPORTIONAL_TOLERANCE * both).all(axis=2).T
        earlier = proportional & (first[:, :column] == np.arange(column))
        first[:, column] = np.where(earlier.any(axis=1), earlier.argmax(axis=1), column)
    return first


def ratios(column: Floats, base: Floats) -> Floats:
    """Divide a column by the one that it is proportional to.

    Parameters
    ----------
    column, base : (S, G, k) array
        Columns of the clusters' X, or of triangular factors of them.

    Returns
    -------
    (S, G) array
        The ratio in each cluster.
    """
    return (column * base).sum(axis=-1) / (base * base).sum(axis=-1)
