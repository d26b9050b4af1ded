"""Standard errors of generalised least squares where the variances are known."""

from __future__ import annotations

import numpy as np

from clustrategy.core.shard import Floats
from clustrategy.dgp.given import GivenProcess, root_of


def gls_standard_errors(process: GivenProcess) -> Floats:
    """Return the standard errors of the coefficients of X by generalised least squares.

    They are what the best linear unbiased estimator has, its weights those of the variances that
    the outcomes are drawn with: no unbiased strategy that is linear in y has smaller ones.

    Parameters
    ----------
    process : GivenProcess
        How outcomes are drawn. Its autocorrelation is not taken into account.

    Returns
    -------
    (p,) array

    Examples
    --------
    Four clusters of two rows, of which two have a treatment. Their means have a variance of
    0.5 + 1 / 2, the difference of two means of two of them one as large:

    >>> import numpy as np
    >>> from clustrategy.core.shard import Shard
    >>> X = np.column_stack([np.ones(8), [0.0] * 4 + [1.0] * 4])
    >>> shard = Shard(np.zeros(8), X, np.array([[2, 2, 2, 2]]), ("(Intercept)", "treat"))
    >>> process = GivenProcess(shard, ("(Intercept)",), np.array([[0.5]]), sigma=1.0)
    >>> gls_standard_errors(process).round(3).tolist()
    [0.707, 1.0]
    """
    shard = process.shard
    columns = [shard.terms.index(name) for name in process.random]
    root = root_of(process)
    sigmas = np.broadcast_to(np.asarray(process.sigma, dtype=float), shard.clusters)
    information = np.zeros((shard.p, shard.p))
    first = 0
    for size, sigma in zip(shard.n[0].tolist(), sigmas.tolist(), strict=True):
        X = shard.X[first : first + size] / sigma
        first += size
        # (I + B B')^-1 = I - B (I + B'B)^-1 B', B the columns of the random coefficients.
        B = X[:, columns] @ root
        beside = B.T @ X
        inner = np.eye(len(columns)) + B.T @ B
        information += X.T @ X - beside.T @ np.linalg.solve(inner, beside)
    unit = np.sqrt(np.diagonal(information))
    scaled = np.linalg.inv(information / unit / unit[:, None])
    return np.asarray(np.sqrt(np.diagonal(scaled)) / unit)
