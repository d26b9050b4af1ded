"""Predictors that are, within every cluster, multiples of others: a cluster's own regression has
no coefficient for them."""

from __future__ import annotations

import numpy as np

from clustrategy.core.shard import Floats, Ints

# The squared sine of an angle at which R's lm, too, takes columns to be dependent.
PROPORTIONAL_TOLERANCE = 1e-14


def parents(design: Floats) -> Ints:
    """(S, p) of each column the first one that it is a multiple of within every cluster, else it.

    A cluster-level predictor is a multiple of the intercept; its product with a predictor that
    varies within clusters is a multiple of that predictor.

    Parameters
    ----------
    design : (S, G, k, p) the clusters' columns of X, or triangular factors of them.
    """
    p = design.shape[-1]
    products = np.swapaxes(design, 2, 3) @ design
    squares = np.diagonal(products, axis1=2, axis2=3)
    both = squares[..., :, None] * squares[..., None, :]
    multiples = np.all(both - products**2 <= PROPORTIONAL_TOLERANCE * both, axis=1)
    found = np.broadcast_to(np.arange(p), (len(design), p)).copy()
    for column in range(1, p):
        known = multiples[:, column, :column] & (found[:, :column] == np.arange(column))
        found[:, column] = np.where(known.any(axis=1), known.argmax(axis=1), column)
    return found


def factors(column: Floats, parent: Floats) -> Floats:
    """(S, G) the multiple of its parent that a column is in each cluster.

    Parameters
    ----------
    column, parent : (S, G, k) columns of the clusters, or of triangular factors of them.
    """
    return (column * parent).sum(axis=-1) / (parent * parent).sum(axis=-1)
