"""Triangular factors of many small matrices at once."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

NUMBERS_AT_ONCE = 65_536
"""Numbers that are worked on at once: enough to hide the cost of a call, few enough for the
cache."""

EXACT_ROWS = 8
"""Up to so many rows, matrices are worked on with others of the same number of rows; above, with
those of up to a quarter more, zeros in the place of what they lack."""


def triangular_factors(matrices: Floats) -> Floats:
    """Return R of the QR decomposition of each matrix.

    Parameters
    ----------
    matrices : (..., n, k) array
        The matrices.

    Returns
    -------
    (..., k, k) array
        Upper triangular, the rows beyond the n-th zero. A matrix's R does not depend on the others.

    Notes
    -----
    By modified Gram-Schmidt, whose R is as accurate as Householder's, whatever the rank (Bjorck
    1967, BIT 7, 1-21; Higham 2002, Accuracy and Stability of Numerical Algorithms, section 19.8),
    and whose operations run over all matrices at once. Matrices with fewer rows than columns go to
    LAPACK: there k steps would give more rows than the matrix has.
    """
    *shape, n, k = matrices.shape
    flat = matrices.reshape(-1, n, k)
    factors = np.empty((len(flat), k, k))
    at_once = max(1, NUMBERS_AT_ONCE // (n * k))
    for start in range(0, len(flat), at_once):
        some = slice(start, start + at_once)
        columns = np.array(np.moveaxis(flat[some], 2, 0), order="C")
        factors[some] = _factored(columns)
    return factors.reshape(*shape, k, k)


def triangles_of_clusters(X: Floats, y: Floats, sizes: Ints) -> Floats:
    """Return the triangular factors of `[X_g y_g]` of clusters whose rows follow one another.

    Parameters
    ----------
    X : (R, p) array
        The rows of all clusters.
    y : (R,) array
        Their responses.
    sizes : (C,) array of int
        Rows of each cluster, at least 1.

    Returns
    -------
    (C, p + 1, p + 1) array
        As of `triangular_factors`. A cluster's factor depends on its own rows alone.
    """
    width, clusters = X.shape[1] + 1, sizes.size
    factors = np.empty((clusters, width, width))
    lengths = _padded(sizes, max(EXACT_ROWS, width))
    equal = clusters > 0 and sizes.min() == sizes.max()
    if not equal:
        joined = np.zeros((len(y) + 1, width))
        joined[:-1, :-1], joined[:-1, -1] = X, y
        starts = np.cumsum(sizes) - sizes
    for length in np.unique(lengths).tolist():
        which = np.flatnonzero(lengths == length)
        at_once = max(1, NUMBERS_AT_ONCE // (length * width))
        for begin in range(0, which.size, at_once):
            some = which[begin : begin + at_once]
            columns = np.zeros((width, some.size, length))
            if equal:
                filled = columns[..., : sizes[0]]
                there = slice(some[0] * sizes[0], (some[-1] + 1) * sizes[0])
                filled[:-1] = X[there].T.reshape(width - 1, *filled.shape[1:])
                filled[-1] = y[there].reshape(filled.shape[1:])
            else:
                of_cluster = np.arange(length)
                own = of_cluster < sizes[some, None]
                rows = np.where(own, starts[some, None] + of_cluster, len(y))
                columns[:] = np.moveaxis(joined[rows], 2, 0)
            factors[some] = _factored(columns)
    return factors


def _padded(sizes: Ints, exact: int) -> Ints:
    """Round numbers of rows above `exact` up to those that are worked on together."""
    _, exponents = np.frexp(sizes - 1.0)
    steps = np.where(sizes > exact, 2 ** np.maximum(exponents - 3, 0), 1)
    return np.asarray(-(-sizes // steps) * steps, dtype=np.int64)


def _factored(columns: Floats) -> Floats:
    """Factor c matrices given by their columns, (k, c, n), which are used up."""
    k, c, n = columns.shape
    if n < k:
        factors = np.zeros((c, k, k))
        factors[:, :n] = np.linalg.qr(np.moveaxis(columns, 0, 2), mode="r")
        return factors
    R = np.zeros((k, k, c))
    products = np.empty((k - 1, c, n))
    # Where numbers are not finite or too large, the factors are not, either.
    with np.errstate(all="ignore"):
        for j in range(k):
            lengths = np.sqrt(np.vecdot(columns[j], columns[j]))
            R[j, j] = lengths
            columns[j] *= np.where(lengths == 0.0, 0.0, 1.0 / lengths)[:, None]
            later = columns[j + 1 :]
            R[j, j + 1 :] = np.vecdot(columns[j], later)
            later -= np.multiply(columns[j], R[j, j + 1 :, :, None], out=products[j:])
    return np.moveaxis(R, 2, 0)
